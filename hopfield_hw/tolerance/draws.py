"""Draws: circuits whose parts are drawn from their tolerances, one at a time or as arrays of many samples."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..circuit import Circuit, Ensemble
from ..parts import Part
from ..parts.parameters import Parameter, value_of, with_values
from ..values.arrays import Array, freeze, is_whole
from ..values.brief import Brief
from ..values.errors import InputError, NoEffectWarning, warn
from .distributions import Distribution, Fixed, Lot
from .streams import MOST_SAMPLES, uniforms
from .tolerances import NamedRule, Tolerances, is_relative


class Column(NamedTuple):
    """One value that is drawn: of a device, which parameter, from which distribution about which nominal value.

    `own`, `common`: which streams it is made of; -1 for none.
    """

    device: str
    parameter: Parameter
    nominal: float
    distribution: Distribution
    own: int
    common: int
    is_positive: bool

    def __str__(self) -> str:
        return f"{self.device}.{self.parameter.name}"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Variation(Brief):
    """How the parts of a circuit vary: a map from independent uniform numbers, one a stream, to values of parts.

    `circuit`: the nominal one. `columns`: what is drawn. `streams`: the names of the random numbers: `DEVICE.PARAMETER`
    of each, `lot NAME` of what a lot has in common.
    """

    circuit: Circuit
    columns: tuple[Column, ...]
    streams: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """`DEVICE.PARAMETER` of each column."""
        return tuple(str(column) for column in self.columns)

    @property
    def nominal(self) -> Array:
        """The nominal values, (columns,), SI units."""
        return np.array([column.nominal for column in self.columns])

    @property
    def lower(self) -> Array:
        """The lowest values of a worst case, (columns,): the tolerance stated, also where a normal goes beyond."""
        return np.array([column.distribution.limits(column.nominal)[0] for column in self.columns])

    @property
    def upper(self) -> Array:
        """The highest values of a worst case, (columns,)."""
        return np.array([column.distribution.limits(column.nominal)[1] for column in self.columns])

    @property
    def deviations(self) -> Array:
        """The standard deviations, (columns,), SI units."""
        return np.array([column.distribution.deviation(column.nominal) for column in self.columns])

    def values(self, probabilities: Any, nominal: Any = None) -> Array:
        """Return the values of the parts, (samples, columns), from numbers in (0, 1), (samples, streams).

        Each value is its distribution's quantile function. Independent uniform numbers give a sample; those that are
        shifted, a sample of importance. `nominal`: other nominal values, (columns,), as centering tries them.
        Raises InputError for another shape, and for values that a part cannot have.
        """
        given = freeze(probabilities, "probabilities")
        if given.ndim != 2 or given.shape[1] != len(self.streams):
            raise InputError(f"`probabilities` has shape {given.shape}: must be (samples, {len(self.streams)})")
        about = self.nominal if nominal is None else freeze(nominal, "nominal", shape=(len(self.columns),), unit="")
        found = np.empty((len(given), len(self.columns)))
        for distribution, places in self._groups.items():
            own = given[:, [self.columns[k].own for k in places]]
            common = [self.columns[k].common for k in places]
            shared = given[:, common] if distribution.shares else None
            found[:, places] = distribution.values(about[places], own, shared)
        for k in np.flatnonzero(found.min(axis=0, initial=np.inf) <= 0.0).tolist():
            if self.columns[k].is_positive:
                raise InputError(
                    f"{self.columns[k]} is drawn as {found[:, k].min():.3g}: must be positive; a normal has no end: "
                    "take Cut(inner=0.0, ...), which ends at the tolerance, or a smaller one"
                )
        return found

    @cached_property
    def _groups(self) -> dict[Distribution, list[int]]:
        """The places of the columns of each distribution."""
        found: dict[Distribution, list[int]] = {}
        for k, column in enumerate(self.columns):
            found.setdefault(column.distribution, []).append(k)
        return found

    def build(self, values: Any) -> Circuit:
        """Return the circuit with values of its parts, (columns,)."""
        row = freeze(values, "values", shape=(len(self.columns),))
        changes: dict[str, dict[Parameter, float]] = {}
        for column, value in zip(self.columns, row.tolist(), strict=True):
            changes.setdefault(column.device, {})[column.parameter] = value
        devices = tuple(
            device._replace(part=with_values(device.part, changes[device.name])) if device.name in changes else device
            for device in self.circuit.devices
        )
        return replace(self.circuit, devices=devices)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Draws(Brief):
    """Samples of a variation. `values`: (samples, columns), SI units. `samples`: the numbers of the samples."""

    variation: Variation
    samples: range
    values: Array

    @property
    def factors(self) -> Array:
        """values / nominal, (samples, columns). Raises InputError where a nominal value is 0: take `values` there."""
        nominal = self.variation.nominal
        if not nominal.all():
            name = self.variation.names[int(np.argmax(nominal == 0.0))]
            raise InputError(f"`Draws.factors`: {name} is 0 nominally and has no factor; take `values`")
        return np.asarray(self.values / nominal)

    @property
    def ensemble(self) -> Ensemble:
        """The samples as one object, which the engine "ensemble" runs at once."""
        values: dict[str, dict[Parameter, Array]] = {}
        for column, row in zip(self.variation.columns, self.values.T, strict=True):
            values.setdefault(column.device, {})[column.parameter] = row
        return Ensemble(circuit=self.variation.circuit, size=len(self.samples), values=values)

    def circuit(self, sample: int) -> Circuit:
        """Return the circuit of one of the samples, by its number."""
        if sample not in self.samples:
            raise InputError(f"`sample` = {sample!r:.40}: must be one of {self.samples}")
        return self.variation.build(self.values[self.samples.index(sample)])


def vary(circuit: Circuit, tolerances: Tolerances) -> Variation:
    """Return which values of a circuit vary, and how.

    What is ideal in the circuit (sources, exact curves and products, resistors that only compute) stays as it is. Where
    a rule applies to no device, a NoEffectWarning says so: a yield study would find perfect boards.

    Raises InputError for a tolerance in parts of a value that is 0, such as an offset.
    """
    for name, value, kind in (("circuit", circuit, Circuit), ("tolerances", tolerances, Tolerances)):
        if not isinstance(value, kind):
            raise InputError(f"`{name}` = {value!r:.60}: must be a {kind.__name__}")
    chosen: dict[tuple[str, Parameter], tuple[NamedRule, Part]] = {}
    rules = tolerances.named_rules
    hit = [False] * len(rules)
    for device in circuit.devices:
        for k, named in enumerate(rules):
            parameter = named.rule.parameter_of(device)
            if parameter is None or (_is_infinite(device.part, parameter) and is_relative(named.rule.distribution)):
                continue
            hit[k] = True
            chosen[device.name, parameter] = named, device.part
    _warn_of_no_effect(circuit, rules, hit)
    streams: dict[str, int] = {}
    columns = []
    for (name, parameter), (named, part) in chosen.items():
        distribution = named.rule.distribution
        if isinstance(distribution, Fixed):
            continue
        nominal = value_of(part, parameter)
        if nominal == 0.0 and is_relative(distribution):
            raise InputError(
                f"`Tolerances.{named.label}`: {name}.{parameter.name} is 0, and the tolerance is a part of it; give an "
                "amount, such as Uniform(tolerance='5mV', unit='V')"
            )
        own = streams.setdefault(f"{name}.{parameter.name}", len(streams))
        common = -1
        if isinstance(distribution, Lot):
            common = streams.setdefault(f"lot {distribution.name or named.label}", len(streams))
        is_positive = parameter.name in part.positive if not parameter.in_model else False
        is_positive |= nominal > 0.0 and is_relative(distribution)
        columns.append(Column(name, parameter, nominal, distribution, own, common, is_positive))
    return Variation(circuit=circuit, columns=tuple(columns), streams=tuple(streams))


def draw(circuit: Circuit, tolerances: Tolerances, *, seed: int, sample: int = 0) -> Circuit:
    """Return a circuit whose parts are drawn from their tolerances: sample `sample` of `draw_factors`, and equal to it.

    Each value depends on `seed`, `sample` and the device's name alone (and on its lot's name), by a counter-based
    generator: see `streams.uniforms`. So it stays where other parts are added, in any order, and for any number of
    samples. An offset of an op-amp is a voltage in series with its non-inverting input.

    Raises InputError for a seed or a sample that is not a whole number from 0, and as `vary` does.
    """
    if not is_whole(sample) or not 0 <= sample <= MOST_SAMPLES:
        raise InputError(f"`sample` = {sample!r:.40}: must be a whole number from 0")
    found = draw_factors(circuit, tolerances, seed=seed, samples=range(int(sample), int(sample) + 1))
    return found.circuit(int(sample))


def draw_factors(
    circuit: Circuit | Variation, tolerances: Tolerances | None = None, *, seed: int, samples: int | slice | range
) -> Draws:
    """Return many samples at once, as arrays: `values` and `factors`, (samples, columns), and a circuit of each.

    `circuit`: or a Variation of it, without `tolerances`. `samples`: how many, from 0 on, or a range or slice of their
    numbers; those of range(100, 200) are the same whether drawn alone or with the others.

    Raises InputError as `draw` does.
    """
    if isinstance(circuit, Variation):
        if tolerances is not None:
            raise InputError("`tolerances`: the Variation has tolerances of its own; leave it out, or give the circuit")
        variation = circuit
    elif tolerances is None:
        raise InputError("`tolerances` = None: must be a Tolerances")
    else:
        variation = vary(circuit, tolerances)
    numbers = _range(samples)
    values = variation.values(uniforms(seed, variation.streams, numbers))
    values.flags.writeable = False
    return Draws(variation=variation, samples=numbers, values=values)


def _range(samples: Any) -> range:
    if is_whole(samples) and samples >= 1:
        return range(int(samples))
    if isinstance(samples, slice) and is_whole(samples.stop):
        samples = range(samples.start or 0, int(samples.stop), samples.step or 1)
    if not isinstance(samples, range) or (len(samples) and min(samples[0], samples[-1]) < 0):
        raise InputError(f"`samples` = {samples!r:.60}: must be a number of samples from 1, or a range of them from 0")
    if not len(samples):
        raise InputError(f"`samples` = {samples!r}: is empty; nothing would be drawn")
    return samples


def _is_infinite(part: Part, parameter: Parameter) -> bool:
    """Whether a figure is one without limit, such as a slew rate: a part of it is no change."""
    return math.isinf(value_of(part, parameter))


def _warn_of_no_effect(circuit: Circuit, rules: Iterable[NamedRule], hit: Iterable[bool]) -> None:
    """Say which rules change no device."""
    found = list(zip(rules, hit, strict=True))
    idle = {named.label: named.applies for named, is_hit in found if not is_hit}
    if not idle:
        return
    said = "; ".join(
        f"`Tolerances.{label}` is of {applies.what}, as there are in {applies.cells}" for label, applies in idle.items()
    )
    change = "only the rest of the tolerances changes something" if any(hit) else "nothing changes"
    warn(f"draw: {change} in this circuit of cell {circuit.cell!r}, which has no such device: {said}", NoEffectWarning)
