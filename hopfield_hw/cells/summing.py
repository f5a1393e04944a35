"""Inverting summers and integrators: an op-amp adds up what drives a port, each weight a resistor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..circuit import GROUND, Draft, Origin, Role, Stage
from ..graph import Affine, Graph, Leak, Operator
from ..parts import OpAmp
from ..values.errors import InputError
from .elements import add_capacitors, add_leak_resistors

LARGEST = 1e9  # of a resistor, ohms


@dataclass(frozen=True, kw_only=True)
class Summing:
    """How summers are made. `resistance`: the resistor of weight 1, ohms. `reference`: of a bias, volts."""

    op_amp: OpAmp
    resistance: float
    reference: float


class Term(NamedTuple):
    """One resistor of a summer: its weight, where it comes from in the circuit, and in the graph."""

    weight: float
    node: str
    name: str
    origin: Origin


def own_affines(graph: Graph, operator: Operator, port: str = "in") -> tuple[Affine, ...]:
    """Return the Affines that drive this port and nothing else: its summer takes their weights."""
    drivers = graph.drivers(operator, port)
    return tuple(driver for driver in drivers if isinstance(driver, Affine) and len(graph.targets(driver)) == 1)


def add_summer(
    draft: Draft,
    operator: Operator,
    nodes: Sequence[str],
    make: Summing,
    *,
    port: str = "in",
    affines: Sequence[Affine] = (),
    scale: Sequence[float] | None = None,
) -> None:
    """Add the op-amps that put the sum of what drives a port on its nodes, times a scale by element (1 by default).

    v_i = -sum_k (R_f / R_ik) v_k with R_ik = R / |w_ik| and R_f = scale_i R, from the complement rail of k where w_ik
    is positive. `affines`: those of its drivers whose weights are taken in; the others count with a weight of 1.
    """
    prefix = operator.name if port == "in" else f"{operator.name}_{port}"
    _add_summers(draft, operator, prefix, _rows(draft, operator, port, affines, len(nodes), make), nodes, make, scale)


def add_affine(draft: Draft, affine: Affine, nodes: Sequence[str], make: Summing) -> None:
    """Add the op-amps of an Affine by itself, which puts W x + b on its nodes."""
    rows: list[list[Term]] = [[] for _ in nodes]
    _add_affine(draft, affine, rows, make)
    _add_summers(draft, affine, affine.name, rows, nodes, make, None)


def add_integrator(draft: Draft, leak: Leak, affines: Sequence[Affine], make: Summing) -> None:
    """Add the op-amps of a Leak: C_i and R_i are the feedback, and each weight, siemens, a conductance."""
    siemens = replace(make, resistance=1.0)
    nodes, summing = draft.nodes(leak), draft.new_nodes(leak, "_virtual")
    _add_resistors(draft, _rows(draft, leak, "in", affines, len(nodes), siemens), summing, siemens)
    add_capacitors(draft, leak, nodes, summing)
    add_leak_resistors(draft, leak, nodes, summing)
    for k, (node, at) in enumerate(zip(nodes, summing, strict=True)):
        origin = Origin(leak.name, Role.OP_AMP, (k,))
        draft.add_op_amp(draft.label(leak.name, k), make.op_amp, (GROUND, at), node, origin)
    draft.state(leak, nodes)
    draft.sketch(leak, Stage.INTEGRATOR, inputs=draft.graph.drivers(leak))


def _add_summers(
    draft: Draft,
    operator: Operator,
    prefix: str,
    rows: Sequence[Sequence[Term]],
    nodes: Sequence[str],
    make: Summing,
    scale: Sequence[float] | None,
) -> None:
    summing = draft.new_nodes(operator, f"{prefix.removeprefix(operator.name)}_virtual")
    _add_resistors(draft, rows, summing, make)
    for k, (node, at) in enumerate(zip(nodes, summing, strict=True)):
        feedback = make.resistance * (1.0 if scale is None else scale[k])
        label = draft.suffix(operator.name, k)
        origin = Origin(operator.name, Role.FEEDBACK, (k,))
        draft.add_resistor(f"R_{prefix}_feedback{label}", (node, at), feedback, origin)
        draft.add_op_amp(f"{prefix}_sum{label}", make.op_amp, (GROUND, at), node, origin._replace(role=Role.OP_AMP))


def _add_resistors(draft: Draft, rows: Sequence[Sequence[Term]], summing: Sequence[str], make: Summing) -> None:
    for row, at in zip(rows, summing, strict=True):
        for term in row:
            draft.add_resistor(term.name, (term.node, at), make.resistance / abs(term.weight), term.origin)


def _rows(
    draft: Draft, operator: Operator, port: str, affines: Sequence[Affine], size: int, make: Summing
) -> list[list[Term]]:
    rows: list[list[Term]] = [[] for _ in range(size)]
    own = {affine.name for affine in affines}
    target = operator.name if port == "in" else f"{operator.name}_{port}"
    for driver in draft.graph.drivers(operator, port):
        if isinstance(driver, Affine) and driver.name in own:
            _add_affine(draft, driver, rows, make)
            continue
        for k, row in enumerate(rows):
            name = f"R_{driver.name}_to_{target}{draft.suffix(driver.name, k)}"
            row.append(Term(1.0, _rail(draft, driver, k, 1.0), name, Origin(driver.name, Role.EDGE, (k,))))
    return rows


def _add_affine(draft: Draft, affine: Affine, rows: list[list[Term]], make: Summing) -> None:
    values, to, sources = affine.weights.entries()
    drivers = draft.graph.drivers(affine)
    for driver in drivers:
        prefix = affine.name if len(drivers) == 1 else f"{affine.name}_{driver.name}"
        for value, i, j in zip(values.tolist(), to.tolist(), sources.tolist(), strict=True):
            _check_weight(affine, value, i, j, make)
            origin = Origin(affine.name, Role.WEIGHT, (i, j))
            name = f"R_{prefix}{draft.suffix(affine.name, i, j)}"
            rows[i].append(Term(value, _rail(draft, driver, j, value), name, origin))
    for i, bias in enumerate((affine.constant / make.reference).tolist()):
        if bias != 0.0:
            # The summer inverts, so that a positive bias comes from the negative reference.
            name, volts = ("reference_n", -make.reference) if bias > 0.0 else ("reference_p", make.reference)
            rail = draft.supply(name, volts, affine)
            rows[i].append(
                Term(
                    bias,
                    rail,
                    f"R_{affine.name}_bias{draft.suffix(affine.name, i)}",
                    Origin(affine.name, Role.BIAS, (i,)),
                )
            )


def _rail(draft: Draft, source: Operator, element: int, weight: float) -> str:
    return draft.invert(source, element) if weight > 0.0 else draft.nodes(source)[element]


def _check_weight(affine: Affine, value: float, i: int, j: int, make: Summing) -> None:
    if make.resistance > LARGEST * abs(value):
        raise InputError(
            f"`{affine.name}.weights[{i}, {j}]` = {value:g}: its resistor would be above {LARGEST:g} Ohm; set it to 0"
        )
