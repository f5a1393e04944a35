"""A map in integers: what each operator takes and gives, bit for bit, for every machine that runs it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, TypeAlias

import numpy as np

from ..functions import Clip, Function, HardLimiter, Identity, Softmax
from ..functions.rectifiers import ThresholdedRelu
from ..graph import Activate, Affine, Graph, Hadamard, Hold, Input, Operator, Output, Quantise, Sign
from ..values.arrays import Array
from ..values.brief import Brief
from ..values.errors import InputError, Unrealisable
from .clipped import Clipped, clipped_constants
from .fixed_point import MAX_FRACTION, MAX_RAW, MAX_WORD, ActivationTable, Index, Integers, QFormat, accumulator_bits

MAX_LEVELS = 4096


@dataclass(frozen=True, kw_only=True)
class FixedPoint(Brief):
    """How numbers are held. Every operator brings the exact sum of what drives it to its format, once.

    `signals`: the format of what operators take. `weights`: of the weights. `activations`: of what functions give; that
    of the signals where None. `tables`: 2^address_bits entries over [-2^range_bits, 2^range_bits), read by `index`.
    `formats`: what single operators take, by name, in place of `signals`.
    """

    signals: QFormat
    weights: QFormat
    activations: QFormat | None = None
    address_bits: int = 10
    range_bits: int = 3
    index: Index = "interpolate"
    formats: Mapping[str, QFormat] = field(default_factory=dict)

    def of(self, name: str) -> QFormat:
        """Return the format of what an operator takes."""
        return self.formats.get(name, self.signals)

    @property
    def given(self) -> QFormat:
        """The format of what functions give."""
        return self.signals if self.activations is None else self.activations


class Port(NamedTuple):
    """What an operator takes: sum of source << shift, which has `fraction` fractional bits, brought to `format`.

    `bits`: enough for the sum, whatever the sources are. An input has no sources: its numbers are in the format.
    """

    sources: tuple[tuple[str, int], ...]
    fraction: int
    bits: int
    format: QFormat


class Bounds(NamedTuple):
    """min(max(x, lower), upper), raw."""

    lower: int
    upper: int


class Crossbar(NamedTuple):
    """W x + b, raw: (n, m) and (n,), the bias aligned with the products."""

    weights: Integers
    bias: Integers


class Levels(NamedTuple):
    """values[how many of the thresholds x has reached], raw: thresholds (k,) increasing, values (k + 1,)."""

    thresholds: Integers
    values: Integers


class Decision(NamedTuple):
    """The second value where x > reach, the first where x < -reach, and by the sign of the other port between, raw.

    `reach`: (n,), at least 0. `values`: below and above 0; a 0 at the other port is above.
    """

    reach: Integers
    values: Integers


Payload: TypeAlias = "Crossbar | ActivationTable | Bounds | Levels | Decision | None"


class Step(NamedTuple):
    """One operator: `size` integers of `bits` bits, with `fraction` fractional ones.

    `kind`: input, hold, affine, table, bounds, levels, hadamard, sign or output.
    """

    name: str
    kind: str
    ports: tuple[Port, ...]
    payload: Payload
    size: int
    fraction: int
    bits: int


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerProgram(Brief):
    """A map in integers. `steps`: in their order; inputs and registers come first. `initial`: by register, raw.

    `clipped`: by operator, what of its constants the formats do not reach.
    """

    steps: tuple[Step, ...]
    initial: Mapping[str, Integers]
    graph_hash: str
    clipped: Mapping[str, Clipped]

    def of_kind(self, kind: str) -> tuple[Step, ...]:
        """Return the steps of one kind, in their order."""
        return tuple(step for step in self.steps if step.kind == kind)


def lower_to_integers(graph: Graph, formats: FixedPoint) -> IntegerProgram:
    """Return a map, or a graph without states, in integers: accumulators are exact, and each operator rounds once.

    Weights, and what registers start with, saturate or wrap as their format says: `IntegerProgram.clipped` counts them.
    The numbers of an exact Affine, such as the 1 of a gate's 1 - z, are held as they are in any format.
    A Quantise and the sign of a HardLimiter compare what they take exactly; a Sign compares the exact sum, before it
    would be rounded, unless `formats` names it. What these give is rounded to the format of activations, as the entries
    of a table are.

    Raises InputError for a format of an operator that there is not, and for accumulators above 62 bits; Unrealisable
    for operators that have no integers, by name: among them a Quantise with more levels in reach than MAX_LEVELS, and
    an exact Affine whose numbers no word of 32 bits holds.
    """
    if graph.kind not in ("map", "static"):
        raise InputError(f"the graph is of kind {graph.kind!r}: fixed point needs a map, whose states are Holds alone")
    unknown = sorted(set(formats.formats) - set(graph.by_name))
    if unknown:
        raise InputError(f"`formats` names {unknown[0]!r:.60}: must be one of {', '.join(graph.by_name)}")
    steps: dict[str, Step] = {}
    states = graph.of_type(Hold)
    for operator in (*graph.of_type(Input), *states):
        kept = formats.of(operator.name)
        kind = "hold" if isinstance(operator, Hold) else "input"
        port = Port((), kept.fraction, kept.word, kept)
        steps[operator.name] = Step(operator.name, kind, (port,), None, operator.output_size, kept.fraction, kept.word)
    for operator in graph.order:
        if operator.name not in steps:
            steps[operator.name] = _step(graph, operator, formats, steps)
    for hold in states:
        steps[hold.name] = steps[hold.name]._replace(ports=(_port(graph, hold, "in", formats, steps),))
    initial = {hold.name: formats.of(hold.name).quantise(hold.initial) for hold in states}
    clipped = clipped_constants(graph, formats, steps)
    return IntegerProgram(steps=tuple(steps.values()), initial=initial, graph_hash=graph.hash, clipped=clipped)


def _step(graph: Graph, operator: Operator, formats: FixedPoint, steps: Mapping[str, Step]) -> Step:
    name, size, taken = operator.name, operator.output_size, formats.of(operator.name)
    ports = tuple(_port(graph, operator, port, formats, steps) for port in operator.ports)
    if isinstance(operator, Affine):
        return _affine(operator, ports, formats)
    if isinstance(operator, Activate):
        return _activate(operator, ports, formats)
    if isinstance(operator, Quantise):
        return _converter(operator, ports, formats)
    if isinstance(operator, Sign):
        return _sign(operator, ports, formats)
    if isinstance(operator, Hadamard):
        return Step(name, "hadamard", ports, None, size, 2 * taken.fraction, 2 * taken.word)
    if isinstance(operator, Output):
        return Step(name, "output", ports, None, size, taken.fraction, taken.word)
    raise Unrealisable(f"{type(operator).__name__} {name!r}: has no fixed-point form yet")


def _port(graph: Graph, operator: Operator, port: str, formats: FixedPoint, steps: Mapping[str, Step]) -> Port:
    """Return a port: its sources are aligned at the largest number of fractional bits among them."""
    sources = [steps[driver.name] for driver in graph.drivers(operator, port)]
    fraction = max(source.fraction for source in sources)
    shifts = tuple((source.name, fraction - source.fraction) for source in sources)
    widest = max(source.bits + shift for source, (_, shift) in zip(sources, shifts, strict=True))
    bits = widest + (len(sources) - 1).bit_length()
    _check_bits(operator.name, bits)
    return Port(shifts, fraction, bits, formats.of(operator.name))


def _affine(affine: Affine, ports: Sequence[Port], formats: FixedPoint) -> Step:
    taken = formats.of(affine.name)
    matrix, constant = affine.weights.matrix, affine.constant
    kept = _holding(affine, matrix, constant, taken) if affine.exact else formats.weights
    fraction = kept.fraction + taken.fraction
    with np.errstate(over="ignore"):
        scaled = np.rint(np.ldexp(constant, fraction))
    if bool(np.any(np.abs(scaled) >= 2.0 ** (MAX_RAW - 1))):
        raise InputError(
            f"`{affine.name}.bias`: does not fit {MAX_RAW} bits with {fraction} fractional ones; take fewer"
        )
    crossbar = Crossbar(kept.quantise(matrix), scaled.astype(np.int64))
    bits = accumulator_bits(crossbar.weights, crossbar.bias, taken)
    _check_bits(affine.name, bits)
    return Step(affine.name, "affine", tuple(ports), crossbar, affine.output_size, fraction, bits)


def _holding(affine: Affine, matrix: Array, constant: Array, taken: QFormat) -> QFormat:
    """Return the format with the fewest fractional bits that holds weights as they are, and with it the bias."""
    fraction = max(_places(matrix), _places(constant) - taken.fraction)
    if fraction <= MAX_WORD:
        kept = QFormat(word=MAX_WORD, fraction=fraction)
        if np.array_equal(kept.value(kept.quantise(matrix)), matrix):
            return kept
    raise Unrealisable(
        f"Affine {affine.name!r}: is exact, and no word of {MAX_WORD} bits holds its numbers with {taken}; give "
        f"{affine.name!r} a format with more fractional bits, or numbers that are sums of few powers of 2"
    )


def _places(values: Array) -> int:
    """Return how many bits after the point the longest of these numbers has, at least 0."""
    return max((Fraction(x).denominator.bit_length() - 1 for x in np.unique(values).tolist()), default=0)


def _activate(activate: Activate, ports: Sequence[Port], formats: FixedPoint) -> Step:
    name, size, taken = activate.name, activate.output_size, formats.of(activate.name)
    function = activate.function
    if isinstance(function, Identity):
        return Step(name, "bounds", tuple(ports), Bounds(taken.lowest, taken.highest), size, taken.fraction, taken.word)
    if isinstance(function, Clip) and isinstance(function.lower, float) and isinstance(function.upper, float):
        low, high = (
            int(taken.quantise(np.clip(b, taken.lower, taken.upper))) for b in (function.lower, function.upper)
        )
        return Step(name, "bounds", tuple(ports), Bounds(low, high), size, taken.fraction, taken.word)
    if function.size is not None or isinstance(function, Softmax):
        raise Unrealisable(
            f"Activate {name!r}: its function has parameters by element; fixed point has one table for all"
        )
    if isinstance(function, ThresholdedRelu):
        raise Unrealisable(f"Activate {name!r}: ThresholdedRelu jumps, and no table holds a jump exactly")
    given = formats.given
    if isinstance(function, HardLimiter):
        values = given.quantise(np.array([-1.0, 0.0, 1.0]) * function.amplitude)
        levels = Levels(np.array([0, 1]), values)
        return Step(name, "levels", tuple(ports), levels, size, given.fraction, given.word)
    table = _table(function, taken, given, formats)
    return Step(name, "table", tuple(ports), table, size, given.fraction, given.word)


def _converter(quantise: Quantise, ports: Sequence[Port], formats: FixedPoint) -> Step:
    """Compare with the middles between levels; at a middle itself the even level is taken, as `Quantise.value` does."""
    taken, given = formats.of(quantise.name), formats.given
    lower, upper = Fraction(quantise.lower), Fraction(quantise.upper)
    step = (upper - lower) / (quantise.levels - 1)
    scale = Fraction(2) ** taken.fraction
    # Levels that no number of the format comes near are left out.
    low, high = (int((Fraction(end) / scale - lower) / step) for end in (taken.lowest, taken.highest))
    first, last = (min(max(k, 0), quantise.levels - 1) for k in (low - 1, high + 2))
    if last - first >= MAX_LEVELS:
        raise Unrealisable(
            f"Quantise {quantise.name!r}: has {last - first + 1} levels in the reach of {taken}; fixed point compares "
            f"with at most {MAX_LEVELS}: take fewer, or leave the Quantise out, as a format has its own levels"
        )
    thresholds = []
    for k in range(first, last):
        middle = (lower + (k + Fraction(1, 2)) * step) * scale
        thresholds.append(math.floor(middle) + 1 if k % 2 == 0 else math.ceil(middle))
    reached = sum(threshold <= taken.lowest for threshold in thresholds)
    found = [threshold for threshold in thresholds[reached:] if threshold <= taken.highest]
    levels = quantise.lower + (quantise.upper - quantise.lower) / (quantise.levels - 1) * np.arange(first, last + 1)
    values = given.quantise(levels[reached : reached + len(found) + 1])
    payload = Levels(np.array(found, dtype=np.int64), values)
    return Step(quantise.name, "levels", tuple(ports), payload, quantise.size, given.fraction, given.word)


def _sign(sign: Sign, ports: Sequence[Port], formats: FixedPoint) -> Step:
    """Compare with the band, exactly: |r| 2^-fraction > band where |r| > floor(band 2^fraction)."""
    if sign.name not in formats.formats:
        widest = float(sign.band.max())
        ports = [port._replace(format=_exact(port, widest)) for port in ports]
    taken, given = ports[0].format, formats.given
    scale = Fraction(2) ** taken.fraction
    reach = [min(math.floor(Fraction(band) * scale), -taken.lowest) for band in sign.band.tolist()]
    values = given.quantise(np.array([-1.0, 1.0]) * sign.amplitude)
    payload = Decision(np.array(reach, dtype=np.int64), values)
    return Step(sign.name, "sign", tuple(ports), payload, sign.size, given.fraction, given.word)


def _exact(port: Port, band: float) -> QFormat:
    """Return a format that takes a sum as it is; of one longer than a word the bits about 0, up to a band."""
    word = min(max(port.bits, 2), MAX_WORD)
    fraction = min(port.fraction, MAX_FRACTION)
    if port.bits > MAX_WORD:
        fraction = min(fraction, MAX_WORD - 2 - math.frexp(band)[1])
    return QFormat(word=word, fraction=fraction)


def _table(function: Function, taken: QFormat, given: QFormat, formats: FixedPoint) -> ActivationTable:
    # No table has entries that its input cannot tell apart.
    finest = formats.range_bits + 1 + taken.fraction
    return ActivationTable.of(
        function,
        source=taken,
        output=given,
        range_bits=formats.range_bits,
        address_bits=min(formats.address_bits, finest),
        index=formats.index,
    )


def _check_bits(name: str, bits: int) -> None:
    if bits > MAX_RAW:
        raise InputError(f"operator {name!r}: needs an accumulator of {bits} bits, above {MAX_RAW}; take shorter words")
