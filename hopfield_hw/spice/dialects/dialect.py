"""What all dialects of SPICE share: elements, numbers, expressions, headings, and subcircuits for op-amps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, TypeAlias

from ...circuit import Circuit, Device, Origin, Role
from ...circuit.crossbars import expand_crossbars
from ...functions.expressions import (
    Argument,
    Call,
    Choice,
    Expression,
    Interpolation,
    Negative,
    Number,
    Operation,
)
from ...parts import (
    OTA,
    Behaviour,
    Capacitor,
    CurrentSource,
    Diode,
    IdealGain,
    Line,
    Multiplier,
    OpAmp,
    Part,
    Pulse,
    Resistor,
    Subcircuit,
    Switch,
    Transconductance,
    Transconductor,
    Transistor,
    VoltageGain,
    VoltageSource,
)
from ...parts.op_amp import OpAmpModel
from ...parts.sources import Waveform
from ...values.errors import InputError, Unrealisable
from .semiconductors import format_diode, format_ota, format_transistor, semiconductor_name
from .semiconductors import number as number

WIDTH = 110
GROUND = "0"
Model: TypeAlias = "Transistor | Diode | OTA | Subcircuit | OpAmpModel"
# Binding of operators: what is looser than its surroundings stands in parentheses.
SUM, PRODUCT, ATOM = 1, 2, 3
PRECEDENCE: Mapping[str, int] = MappingProxyType({"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT})
SYMBOLS: Mapping[str, str] = MappingProxyType({"arctan": "atan", "log": "ln", "sign": "sgn"})


class Analysis(NamedTuple):
    """A transient analysis: from t = 0 to `t_stop`, steps of at most `step`; seconds. `reltol`: of each step.

    `nodes`: to save. `initial`: node voltages at t = 0. `current`: what counts as no current, amperes, where the other
    tolerances are to be so small that they do not show; None for those of the simulator.
    """

    t_stop: float
    step: float
    reltol: float
    nodes: Sequence[str]
    initial: Mapping[str, float]
    current: float | None = None


class Dialect(ABC):
    """A dialect of SPICE: how it prints devices, expressions and an analysis. A new one is one file and one line.

    `name`: what users call it. `suffix`: of its files. `calls`: its names of the functions of an expression, where they
    are not those of the table here. `drift`: its name of a resistor's temperature coefficient.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    calls: ClassVar[Mapping[str, str]] = SYMBOLS
    drift: ClassVar[str] = "tc1"

    def write(self, circuit: Circuit) -> str:
        """Return a circuit as text: a title, a legend, and its devices by blocks; no analysis, no `.end`.

        Raises Unrealisable, with the name of the device, for what the dialect has not.
        """
        circuit = expand_crossbars(circuit)
        lines = [f"* {circuit.title}", f"* cell {circuit.cell}; graph sha256 {circuit.graph_hash}"]
        factors = sorted({abs(probe.scale) for probe in circuit.states} - {1.0})
        lines += [f"* rescaled: states are {factor!r} times the voltages of their nodes" for factor in factors]
        lines += [f"* {line}" for line in legend(circuit)]
        for block in circuit.blocks:
            lines += ["*", f"* {block.heading}", *self.format_devices(block.devices, circuit.initial)]
        return "\n".join([*lines, *self.format_models(circuit.devices)]) + "\n"

    def format_devices(self, devices: Iterable[Device], initial: Mapping[str, float]) -> list[str]:
        """Return the lines of devices; what they share, such as models, is in `format_models`."""
        lines: list[str] = []
        for device in devices:
            name, part, nodes, _ = device
            # A crossbar is millions of these two, written at once; `number` writes them the same.
            if type(part) is Transconductance and name[0] == "G":
                lines.append(f"{name} {' '.join(nodes)} {part.siemens:.13g}")
            elif type(part) is Resistor and name[0] == "R" and part.drift == 0.0:
                lines.append(f"{name} {nodes[0]} {nodes[1]} {part.resistance:.13g}")
            else:
                lines += self.format_device(device, initial)
        return lines

    @abstractmethod
    def format_analysis(self, analysis: Analysis) -> str:
        """Return initial conditions, what to save, options, a transient run from the initial conditions, and `.end`."""

    def format_models(self, devices: Iterable[Device]) -> list[str]:
        """Return a `.model` for each transistor that differs, and a `.subckt` for each op-amp."""
        lines: list[str] = []
        for part, name in self._models(devices).items():
            if isinstance(part, Transistor):
                lines.append(format_transistor(part))
            elif isinstance(part, Diode):
                lines.append(format_diode(part, self))
            elif isinstance(part, OTA):
                lines += format_ota(part, self)
            elif isinstance(part, Subcircuit):
                lines += self.format_library(part)
            else:
                lines += self._format_macro(part, name)
        return lines

    def format_library(self, part: Subcircuit) -> list[str]:
        """Return the lines of a user's library."""
        return str(part.library).split("\n")

    def format_device(self, device: Device, initial: Mapping[str, float]) -> Iterator[str]:
        """Yield the lines of one device."""
        name, part, nodes, _ = device
        name = with_letter(LETTERS.get(type(part), name[0].upper()), name)
        match part:
            case Resistor(value):
                drift = "" if part.drift == 0.0 else f" {self.drift}={number(part.drift)}"
                yield f"{name} {nodes[0]} {nodes[1]} {number(value)}{drift}"
            case Capacitor(capacitance):
                yield f"{name} {nodes[0]} {nodes[1]} {number(capacitance)}"
            case CurrentSource(current):
                yield f"{name} {nodes[0]} {nodes[1]} {number(current)}"
            case Transconductance(siemens):
                yield f"{name} {' '.join(nodes)} {number(siemens)}"
            case VoltageGain(gain):
                yield f"{name} {' '.join(nodes)} {number(gain)}"
            case VoltageSource(voltage, alternating):
                small = f" AC {number(alternating)}" if alternating else ""
                yield f"{name} {nodes[0]} {nodes[1]} {format_waveform(voltage)}{small}"
            case Transistor() | Diode() | OTA():
                yield f"{name} {' '.join(nodes)} {model_name(part)}"
            case Transconductor() if part.is_linear:
                yield f"{with_letter('G', name)} {' '.join(nodes)} {number(part.siemens)}"
            case Transconductor():
                yield self.format_current(name, nodes[:2], part.current(), nodes[2:])
            case Switch():
                yield self.format_current(name, nodes[:2], part.current(), nodes)
            case Multiplier():
                yield self.format_voltage(name, (nodes[0], GROUND), part.output(), nodes[1:])
            case Behaviour(formula, "voltage"):
                yield self.format_voltage(name, nodes[:2], formula, nodes[2:])
            case Behaviour(formula):
                yield self.format_current(name, nodes[:2], formula, nodes[2:])
            case Line():
                yield self.format_line(device, part)
            case OpAmp():
                yield from self._format_op_amp(name, part, nodes, initial)
            case _:
                raise Unrealisable(f"device {name}: {self.name} has no {part.what}")

    def format_voltage(self, name: str, ends: Sequence[str], formula: Expression, inputs: Sequence[str]) -> str:
        """Return a source whose voltage a formula of node voltages gives."""
        return f"{with_letter('B', name)} {' '.join(ends)} V={self.formula(formula, inputs)}"

    def format_current(self, name: str, ends: Sequence[str], formula: Expression, inputs: Sequence[str]) -> str:
        """Return a source whose current a formula of node voltages gives, from the first node to the second."""
        return f"{with_letter('B', name)} {' '.join(ends)} I={self.formula(formula, inputs)}"

    def format_breakdown_drift(self, diode: Diode) -> str:
        """Return how the breakdown voltage rises with temperature: by default as a part of it by kelvin."""
        return f"TBV1={number(diode.breakdown_drift / diode.breakdown)}"

    def format_conducting(self, transistor: Transistor, *, as_diode: bool) -> str:
        """Return the words by which a run that starts with `uic` takes a transistor to conduct; none by default."""
        return ""

    @abstractmethod
    def format_line(self, device: Device, line: Line) -> str:
        """Return a transmission line. Raises Unrealisable where the dialect cannot state the voltage it starts at."""

    def refuse_start(self, device: Device, line: Line) -> None:
        """Raise Unrealisable for a line that starts at a voltage, where the dialect cannot state it."""
        if line.initial != 0.0:
            raise Unrealisable(
                f"device {device.name}: starts at {line.initial:g} V, and a transmission line of {type(self).__name__} "
                "starts empty; give the delay a history of 0, or export to ngspice"
            )

    def formula(self, expression: Expression, inputs: Sequence[str]) -> str:
        """Return an expression of the voltages of nodes, as it stands behind `V=`."""
        return self.expression(expression, inputs)

    def expression(self, expression: Expression, inputs: Sequence[str]) -> str:
        """Return an expression of the voltages of nodes."""
        return self._print(expression, inputs)[0]

    def format_choice(self, left: str, right: str, above: str, otherwise: str) -> str:
        """Return what is `above` where left > right, and `otherwise` elsewhere."""
        return f"if({left}>{right},{above},{otherwise})"

    def format_table(self, x: str, points: Sequence[tuple[float, float]]) -> str:
        """Return an interpolation, flat beyond its ends."""
        return f"table({x},{','.join(f'{px!r},{py!r}' for px, py in points)})"

    def _print(self, expression: Expression, inputs: Sequence[str]) -> tuple[str, int]:
        """Return the text of an expression, and how tightly it binds."""
        match expression:
            case Number(value):
                return repr(value), ATOM if value >= 0.0 else SUM
            case Argument(index):
                node = inputs[index]
                return ("0.0" if node == GROUND else f"v({node})"), ATOM
            case Negative(operand):
                return f"-{self._within(operand, inputs, PRODUCT)}", SUM
            case Operation("+", left, right) if _is_ground(right, inputs):
                return self._print(left, inputs)
            case Operation("-", left, right) if _is_ground(right, inputs):
                return self._print(left, inputs)
            case Operation("-", Argument(plus), Argument(minus)):
                return f"v({inputs[plus]},{inputs[minus]})", ATOM
            case Operation(symbol, left, right):
                level = PRECEDENCE[symbol]
                # The right side of - and / binds tighter: a - (b - c).
                behind = level if symbol in "+*" and not _is_quotient(right) else level + 1
                return f"{self._within(left, inputs, level)}{symbol}{self._within(right, inputs, behind)}", level
            case Call(function, arguments):
                texts = (self.expression(argument, inputs) for argument in arguments)
                return f"{self.calls.get(function, function)}({','.join(texts)})", ATOM
            case Choice(left, right, above, otherwise):
                parts = [self._within(part, inputs, PRODUCT) for part in (left, right, above, otherwise)]
                return self.format_choice(*parts), ATOM
            case Interpolation(operand, points):
                return self.format_table(self.expression(operand, inputs), points), ATOM
        raise Unrealisable(f"{self.name} has no expression {type(expression).__name__}")

    def _within(self, expression: Expression, inputs: Sequence[str], level: int) -> str:
        text, binds = self._print(expression, inputs)
        return text if binds >= level else f"({text})"

    def _format_op_amp(
        self, name: str, op_amp: OpAmp, nodes: Sequence[str], initial: Mapping[str, float]
    ) -> Iterator[str]:
        plus, minus, output, *supplies = nodes
        if op_amp.offset != 0.0:
            shifted = f"{name}_os"
            yield f"V_{shifted} {shifted} {plus} {number(op_amp.offset)}"
            plus = shifted
        model = op_amp.model
        if isinstance(model, IdealGain):
            yield f"{with_letter('E', name)} {output} {GROUND} {plus} {minus} {number(model.gain)}"
        elif isinstance(model, Subcircuit):
            at = {"plus": plus, "minus": minus, "output": output} | dict(zip(model.supplies, supplies, strict=True))
            yield f"{with_letter('X', name)} {' '.join(at[pin] for pin in model.pins)} {model.name}"
        else:
            start = initial.get(output, 0.0)
            begin = self.format_parameter("start", start) if model.poles and start != 0.0 else ""
            yield f"{with_letter('X', name)} {' '.join((plus, minus, output, *supplies))} {model_name(model)}{begin}"

    def format_parameter(self, name: str, value: float) -> str:
        """Return a parameter of a subcircuit as it stands at the end of its call."""
        return f" {name}={number(value)}"

    def format_header(self, name: str, nodes: Iterable[str], parameters: str) -> str:
        """Return the `.subckt` line of an op-amp with its nodes, its parameters and their values."""
        return f".subckt {name} {' '.join(nodes)} {parameters}".rstrip()

    def _format_macro(self, model: OpAmpModel, name: str) -> list[str]:
        """Return the subcircuit of an op-amp's model; the capacitors of its poles start at the parameter `start`."""
        nodes = ("plus", "minus", "output", *model.supplies)
        lines = [self.format_header(name, nodes, "start=0.0" if model.poles else "")]
        for element in model.elements():
            letter = PREFIXES.get(type(element.part))
            if letter is None:
                raise Unrealisable(f"op-amp {name}: a model of {self.name} has no {element.part.what} in it")
            device = Device(f"{letter}_{element.name}", element.part, element.nodes, Origin("", Role.OP_AMP, ()))
            text = " ".join(self.format_device(device, {}))
            starts = isinstance(element.part, Capacitor) and element.nodes[0] in model.poles
            lines.append(f"{text} IC={{start}}" if starts else text)
        return [*lines, f".ends {name}"]

    def _models(self, devices: Iterable[Device]) -> dict[Model, str]:
        """Return by part what it is called by. Raises InputError where two libraries define one name."""
        found: dict[Model, str] = {}
        libraries: dict[str, Any] = {}  # by name that is defined, the library
        for device in devices:
            part = device.part
            model = part.model if isinstance(part, OpAmp) else part
            if isinstance(model, Subcircuit):
                if libraries.get(model.name.lower()) != model.library:
                    _claim(model.defined, model.library, libraries)
                    found[model] = model.name
            elif isinstance(model, Transistor | Diode | OTA | OpAmpModel) and not isinstance(model, IdealGain):
                found[model] = model_name(model)
                _claim((found[model],), "", libraries)
        return found


def _claim(names: Iterable[str], library: Any, libraries: dict[str, Any]) -> None:
    for name in names:
        if libraries.setdefault(name, library) != library:
            raise InputError(f"two libraries of op-amps both define {name!r}; rename it in one, or take one for both")


# The letter that the name of an element must begin with; others have one that goes with what they are written as.
LETTERS: Mapping[type[Part], str] = MappingProxyType(
    {
        Resistor: "R",
        Capacitor: "C",
        CurrentSource: "I",
        VoltageSource: "V",
        Transistor: "Q",
        Diode: "D",
        OTA: "X",
        Transconductance: "G",
        VoltageGain: "E",
    }
)
# The letter of an element within a subcircuit.
PREFIXES: Mapping[type[Part], str] = MappingProxyType(
    {Resistor: "R", Capacitor: "C", CurrentSource: "I", Transconductance: "G", VoltageGain: "E", Behaviour: "B"}
)


def with_letter(letter: str, name: str) -> str:
    """Return a name that begins with the letter of its element: as it is where it does."""
    return name if name[0].upper() == letter else f"{letter}_{name}"


def model_name(part: Transistor | Diode | OTA | OpAmpModel) -> str:
    """Return the name of a model, the same for equal ones and for those alone: its kind and its parameters."""
    if isinstance(part, Transistor | Diode | OTA):
        return semiconductor_name(part)
    return part.label


def format_waveform(voltage: Waveform) -> str:
    """Return the waveform of a source; points are exact to 1e-12, and the times of a clock exact."""
    if isinstance(voltage, Pulse):
        first, second, delay, edge, width, period = voltage
        return f"PULSE({first!r} {second!r} {delay!r} {edge!r} {edge!r} {width!r} {period!r})"
    if isinstance(voltage, float):
        return f"DC {number(voltage)}"
    # The last digits of what powers give differ from one processor to another.
    return f"PWL({' '.join(repr(float(number(one))) for point in voltage for one in point)})"


def legend(circuit: Circuit) -> list[str]:
    """Return what the names mean, a line each: which nodes are the states and the outputs."""
    lines = []
    for what, probes in (("states", circuit.states), ("outputs", circuit.outputs)):
        words = [
            f"{probe.label} = {'' if probe.scale == 1.0 else '-' if probe.scale == -1.0 else f'{probe.scale:g} '}"
            f"v({probe.node})"
            for probe in probes[:3]
        ]
        more = f", and {len(probes) - 3} more" if len(probes) > 3 else ""
        if words:
            lines.append(f"{what}: {', '.join(words)}{more}")
    return lines


def wrap(card: str, words: Iterable[str]) -> list[str]:
    """Return a card over as many continuation lines as it takes."""
    lines = [card]
    for word in words:
        if len(lines[-1]) + len(word) >= WIDTH:
            lines.append("+")
        lines[-1] += f" {word}"
    return [] if lines == [card] else lines


def _is_ground(expression: Expression, inputs: Sequence[str]) -> bool:
    return isinstance(expression, Argument) and inputs[expression.index] == GROUND


def _is_quotient(expression: Expression) -> bool:
    return isinstance(expression, Operation) and expression.symbol == "/"
