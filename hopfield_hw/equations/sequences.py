"""Sequences through a digital cell: batched, ragged, in either direction, layer above layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..graph import Graph, as_graph
from ..recurrent import Layer, RecurrentCell, Stack
from ..values.arrays import Array, check_array, freeze
from ..values.brief import brief
from ..values.errors import InputError
from .map_program import MapProgram, iterate

States: TypeAlias = "Mapping[str, Array]"
Running: TypeAlias = npt.NDArray[np.bool_]


@runtime_checkable
class Machine(Protocol):
    """Something that steps: the floating-point program of a graph, or one in integers behind the same face."""

    @property
    def initial(self) -> Array: ...

    @property
    def slices(self) -> Mapping[str, slice]: ...

    @property
    def input_size(self) -> int: ...

    def step(self, h: Array, u: Array) -> tuple[Array, Array]:
        """Return the next state and the outputs, (B, n) and (B, outputs), from (B, n) and (B, m)."""
        ...


@runtime_checkable
class Unrolling(Machine, Protocol):
    """A machine that takes many steps at once."""

    def run(self, h: Array, u: Array, running: Running | None = None, *, reverse: bool = False) -> tuple[Array, Array]:
        """Return the outputs, (T, B, outputs), and the state after the last step, from h (B, n) and u (T, B, m).

        `running`: (T, B), where a state goes on; elsewhere it stays, and the outputs mean nothing. `reverse`: from the
        last step to the first.
        """
        ...


class Run(NamedTuple):
    """`outputs`: (T, B, outputs), 0 beyond a sequence's length. `states`: by Hold, (B, n), after its last step."""

    outputs: Array
    states: States

    def __repr__(self) -> str:
        return brief(self)


def run_sequence(
    machine: Machine | Graph | RecurrentCell,
    inputs: Any,
    *,
    lengths: Any = None,
    initial: Mapping[str, Any] | None = None,
    reverse: bool = False,
) -> Run:
    """Run a cell over a batch of sequences.

    `inputs`: (T, B, m), or (T, m) for one sequence; T and B may be 0. `lengths`: (B,) whole numbers from 0 to T; beyond
    its length a sequence gives 0 and keeps its state. One of length 0 ends with its initial state, where ONNX says
    nothing and onnxruntime gives 0. `initial`: by Hold, (B, n); what the graph holds where not given. `reverse`: each
    sequence is read from its last step to its first, and its outputs lie where their inputs do.

    Raises InputError for wrong shapes, lengths out of range, and names that are no Hold.
    """
    stepper = machine_of(machine)
    x = check_array(inputs, "inputs")
    if x.ndim == 2:
        x = x[:, np.newaxis]
    if x.ndim != 3 or x.shape[2] != stepper.input_size:
        raise InputError(f"`inputs` has shape {np.shape(inputs)}: must be (T, B, {stepper.input_size})")
    steps, batch = x.shape[:2]
    valid = _lengths(lengths, steps, batch)
    h = _start(stepper, batch, initial)
    running = None if np.all(valid == steps) else np.arange(steps)[:, np.newaxis] < valid
    run = stepper.run if isinstance(stepper, Unrolling) else partial(run_steps, stepper)
    outputs, h = run(h, x, running, reverse=reverse)
    if running is not None:
        outputs[~running] = 0.0
    return Run(outputs, {name: h[:, part] for name, part in stepper.slices.items()})


def run_steps(
    machine: Machine, h: Array, u: Array, running: Running | None = None, *, reverse: bool = False
) -> tuple[Array, Array]:
    """Do what `Unrolling.run` does by one step after the other."""
    steps, batch = u.shape[:2]
    if steps == 0:
        return np.zeros((0, batch, machine.step(h, np.zeros(u.shape[1:]))[1].shape[1])), h
    outputs: list[Array] = [np.zeros(0)] * steps
    for k, _, after, given in iterate(machine, h, u, running, reverse=reverse):
        outputs[k], h = given, after
    return np.stack(outputs), h


def run_layers(
    layers: Layer | Stack,
    inputs: Any,
    *,
    lengths: Any = None,
    initial: Sequence[Mapping[str, Any]] | None = None,
) -> tuple[Array, tuple[States, ...]]:
    """Run layers over a batch of sequences; return the outputs of the last one, and the final states of each.

    `inputs`, `lengths`: as for `run_sequence`. `initial`: for each layer, by Hold, (directions, B, n). The outputs are
    (T, B, directions * n), forward first; the states, by layer and Hold, (directions, B, n).
    """
    stack = layers if isinstance(layers, Stack) else Stack(layers=(layers,))
    if initial is not None and len(initial) != len(stack.layers):
        raise InputError(f"`initial` has {len(initial)} entries: must have {len(stack.layers)}, one for each layer")
    x: Any = inputs
    found: list[States] = []
    for k, layer in enumerate(stack.layers):
        runs = []
        for d, cell in enumerate(layer.cells):
            start = None if initial is None else {name: np.asarray(value)[d] for name, value in initial[k].items()}
            runs.append(run_sequence(cell, x, lengths=lengths, initial=start, reverse=cell is layer.backward))
        x = np.concatenate([run.outputs for run in runs], axis=-1)
        found.append({name: np.stack([run.states[name] for run in runs]) for name in runs[0].states})
    return x, tuple(found)


def machine_of(machine: Machine | Graph | RecurrentCell) -> Machine:
    """Return a machine as it is, and the floating-point one of a graph or a cell."""
    given: Any = machine
    stepper: Machine = MapProgram([as_graph(given)]) if _has_graph(given) else given
    return stepper


def _has_graph(given: Any) -> bool:
    return isinstance(given, type) or not isinstance(given, Machine)


def _lengths(lengths: Any, steps: int, batch: int) -> npt.NDArray[np.int64]:
    if lengths is None:
        return np.full(batch, steps)
    found = freeze(lengths, "lengths", shape=(batch,))
    bad = (found != np.rint(found)) | (found < 0) | (found > steps)
    if bad.any():
        raise InputError(
            f"`lengths[{int(np.argmax(bad))}]` = {found[bad][0]:g}: must be a whole number from 0 to {steps}"
        )
    return found.astype(np.int64)


def _start(machine: Machine, batch: int, initial: Mapping[str, Any] | None) -> Array:
    h = np.broadcast_to(machine.initial, (batch, machine.initial.size)).copy()
    for name, value in (initial or {}).items():
        if name not in machine.slices:
            raise InputError(f"`initial` names {name!r:.60}: must be one of {', '.join(machine.slices)}")
        part = machine.slices[name]
        h[:, part] = freeze(value, f"initial[{name!r}]", shape=(batch, part.stop - part.start))
    return h
