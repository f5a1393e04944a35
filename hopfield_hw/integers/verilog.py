"""A map in integers as Verilog-2001: one module, one step a clock, resettable, with a handshake on both sides.

    input  clk, rst              rst is synchronous and loads the initial state
    input  in_valid, [..] u      each input a packed vector, element i at [i * bits +: bits]
    output in_ready
    output out_valid, [..] y     each output likewise
    input  out_ready

A step is taken where in_valid and in_ready are high; its outputs stand one clock later, until out_ready takes them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..values.errors import InputError
from ..values.names import check_name
from .fixed_point import ActivationTable, QFormat, Rounding
from .lowering import Bounds, Crossbar, Decision, IntegerProgram, Levels, Port, Step

INDENT = "  "
# The words of Verilog-2005 that a plain lower-case name could be.
KEYWORDS = """
always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default defparam
design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify
endtable endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include
initial inout input instance integer join large liblist library localparam macromodule medium module nand
negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1
pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran
rtranif0 rtranif1 scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table
task time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0
weak1 while wire wor xnor xor
"""
RESERVED = frozenset(KEYWORDS.split())


def write_verilog(program: IntegerProgram, name: str = "recurrent_cell") -> str:
    """Return the module of a program. Raises InputError for names that are not plain, reserved, or there twice."""
    return _Module(program, check_name(name, "name")).text()


class _Module:
    """Text in the making: `functions` and `memories` are shared by the elements, `wires` are one each.

    The wires are assigned in their order in one block, which simulators run once a step."""

    def __init__(self, program: IntegerProgram, name: str) -> None:
        self.program, self.name = program, name
        self.steps = {step.name: step for step in program.steps}
        self.functions: dict[str, list[str]] = {}
        self.memories: dict[str, list[str]] = {}
        self.wires: list[str] = []
        self.assigned: list[str] = []
        self.declared: set[str] = set(RESERVED)
        ports = [step.name for step in program.steps if step.kind in ("input", "output")]
        for port in ("clk", "rst", "in_valid", "in_ready", "out_valid", "out_ready", name, *ports):
            self.declare(port)

    def declare(self, name: str) -> str:
        """Return a name that is now taken. Raises InputError for one that was taken before, or is reserved."""
        if name in self.declared:
            raise InputError(f"{name!r}: is reserved in Verilog, or there twice in the module; rename the operator")
        self.declared.add(name)
        return name

    def text(self) -> str:
        inputs, outputs, holds = (self.program.of_kind(kind) for kind in ("input", "output", "hold"))
        for step in inputs:
            for i in range(step.size):
                self.wire(_element(step.name, i), step.bits, f"{step.name}[{i * step.bits} +: {step.bits}]")
        for hold in holds:
            names = [self.declare(_element(hold.name, i)) for i in range(hold.size)]
            self.wires += [f"reg signed [{hold.bits - 1}:0] {name};" for name in names]
        for step in self.program.steps:
            if step.kind not in ("input", "hold"):
                self.step(step)
        for hold in holds:
            for i in range(hold.size):
                self.wire(f"{_element(hold.name, i)}_next", hold.bits, self.take(hold, hold.ports[0], i, "in0"))
        ports = ["input wire clk", "input wire rst", "input wire in_valid", "output wire in_ready"]
        ports += [f"input wire [{step.size * step.bits - 1}:0] {step.name}" for step in inputs]
        ports += ["output reg out_valid", "input wire out_ready"]
        ports += [f"output reg [{step.size * step.bits - 1}:0] {step.name}" for step in outputs]
        # A word that wraps, and an address cut out of a longer number, leave bits unused on purpose.
        body = ["/* verilator lint_off UNUSEDSIGNAL */"]
        body += [line for function in self.functions.values() for line in function]
        body += [line for memory in self.memories.values() for line in memory]
        lines = [
            f"// graph sha256 {self.program.graph_hash}",
            f"module {self.name} (",
            ",\n".join(f"{INDENT}{port}" for port in ports),
            ");",
            *(f"{INDENT}{line}" for line in [*body, *self.wires]),
            f"{INDENT}always @* begin",
            *(f"{INDENT * 2}{line}" for line in self.assigned),
            f"{INDENT}end",
            f"{INDENT}/* verilator lint_on UNUSEDSIGNAL */",
            *(f"{INDENT}{line}" for line in self.write_registers(holds, outputs)),
            "endmodule",
        ]
        return "\n".join(lines) + "\n"

    def write_registers(self, holds: Iterable[Step], outputs: Iterable[Step]) -> list[str]:
        """Return the registers and the handshake."""
        reset, taken = [], []
        for hold in holds:
            for i, raw in enumerate(self.program.initial[hold.name].tolist()):
                register = _element(hold.name, i)
                reset.append(f"{register} <= {_literal(raw, hold.bits)};")
                taken.append(f"{register} <= {register}_next;")
        for step in outputs:
            reset.append(f"{step.name} <= {step.size * step.bits}'d0;")
            parts = ", ".join(_element(step.name, i) for i in reversed(range(step.size)))
            taken.append(f"{step.name} <= {{{parts}}};")
        return [
            "assign in_ready = !out_valid || out_ready;",
            "always @(posedge clk) begin",
            f"{INDENT}if (rst) begin",
            f"{INDENT * 2}out_valid <= 1'b0;",
            *(f"{INDENT * 2}{line}" for line in reset),
            f"{INDENT}end else if (in_valid && in_ready) begin",
            f"{INDENT * 2}out_valid <= 1'b1;",
            *(f"{INDENT * 2}{line}" for line in taken),
            f"{INDENT}end else if (out_ready) begin",
            f"{INDENT * 2}out_valid <= 1'b0;",
            f"{INDENT}end",
            "end",
        ]

    def wire(self, name: str, bits: int, expression: str) -> str:
        """Add a signed number, assigned in the one combinational block, and return its name."""
        self.wires.append(f"reg signed [{bits - 1}:0] {self.declare(name)};")
        self.assigned.append(f"{name} = {expression};")
        return name

    def step(self, step: Step) -> None:
        """Add the wires of one operator, element by element."""
        if isinstance(step.payload, Crossbar):
            self.affine(step, step.payload)
            return
        for i in range(step.size):
            taken = [self.take(step, port, i, f"in{k}") for k, port in enumerate(step.ports)]
            name = _element(step.name, i)
            match step.payload:
                case ActivationTable():
                    self.wire(name, step.bits, self.write_activation(step, step.payload, taken[0], i))
                case Bounds():
                    self.wire(name, step.bits, _format_bounds(taken[0], step.payload, step.bits))
                case Levels():
                    self.wire(name, step.bits, f"{self.levels(step, step.payload)}({taken[0]})")
                case Decision():
                    self.wire(name, step.bits, _format_decision(step, step.payload, taken, i))
                case _ if step.kind == "hadamard":
                    word = step.ports[0].format.word
                    left, right = (_extend(wire, word, step.bits) for wire in taken)
                    self.wire(name, step.bits, f"{left} * {right}")
                case _:
                    self.wire(name, step.bits, taken[0])

    def levels(self, step: Step, payload: Levels) -> str:
        """Return the function that finds a level: by halves, one comparison for each doubling of their number."""
        name = f"level_{step.name}"

        def chosen(first: int, last: int) -> list[str]:
            if first == last:
                return [f"{name} = {_literal(int(payload.values[first]), step.bits)};"]
            middle = (first + last) // 2
            reached = _literal(int(payload.thresholds[middle]), word)
            above, below = chosen(middle + 1, last), chosen(first, middle)
            inner = [*(f"{INDENT}{line}" for line in above), "end else begin", *(f"{INDENT}{line}" for line in below)]
            return [f"if (a >= {reached}) begin", *inner, "end"]

        if name not in self.functions:
            word = step.ports[0].format.word
            self.function(name, step.bits, word, [], chosen(0, payload.thresholds.size))
        return name

    def affine(self, step: Step, crossbar: Crossbar) -> None:
        """Add W x + b."""
        port = step.ports[0]
        used = np.flatnonzero(np.any(crossbar.weights != 0, axis=0)).tolist()
        taken = {j: self.take(step, port, j, "in0") for j in used}
        for i, (row, bias) in enumerate(zip(crossbar.weights.tolist(), crossbar.bias.tolist(), strict=True)):
            terms = [
                f"{_literal(weight, step.bits)} * {_extend(taken[j], port.format.word, step.bits)}"
                for j, weight in enumerate(row)
                if weight
            ]
            if bias or not terms:
                terms.append(_literal(bias, step.bits))
            self.wire(_element(step.name, i), step.bits, " + ".join(terms))

    def take(self, step: Step, port: Port, i: int, role: str) -> str:
        """Return the wire with what a port takes: the sum of its sources, brought to its format."""
        terms = []
        for name, shift in port.sources:
            wide = _extend(_element(name, i), self.steps[name].bits, port.bits)
            terms.append(f"({wide} <<< {shift})" if shift else wide)
        name = f"{_element(step.name, i)}_{role}"
        self.wire(f"{name}_sum", port.bits, " + ".join(terms))
        if (port.fraction, port.bits) == (port.format.fraction, port.format.word):
            return f"{name}_sum"
        function = self.requantise(port.bits, port.fraction - port.format.fraction, port.format)
        return self.wire(name, port.format.word, f"{function}({name}_sum)")

    def requantise(self, bits: int, shift: int, kept: QFormat) -> str:
        """Return the function that shifts, rounds and limits."""
        name = f"to_{kept.word}_{kept.fraction}_from_{bits}_by_{shift}_{kept.rounding}_{kept.overflow}".replace(
            "-", "m"
        )
        if name not in self.functions:
            wide = max(bits, shift, kept.word) + 2 + max(-shift, 0)
            lines = [f"q = {_extend('a', bits, wide)};", f"r = {_format_rounding(shift, wide, kept.rounding)};"]
            if kept.overflow == "saturate":
                high, low = _literal(kept.highest, wide), _literal(kept.lowest, wide)
                lines.append(f"if (r > {high}) r = {high}; else if (r < {low}) r = {low};")
            lines.append(f"{name} = r[{kept.word - 1}:0];")
            self.function(name, kept.word, bits, [f"signed [{wide - 1}:0] q, r"], lines)
        return name

    def write_activation(self, step: Step, table: ActivationTable, wire: str, i: int) -> str:
        """Return the expression of a table read at a wire."""
        rom, where, name, given = f"rom_{step.name}", f"at_{step.name}", _element(step.name, i), table.output.word
        linear = table.index == "interpolate"
        address = max((table.entries.size - 1).bit_length(), 1)
        end = (table.size << table.shift) - (0 if linear else 1)
        bits = max(table.source.word, end.bit_length() + 1, given + table.shift) + 3
        if rom not in self.memories:
            self.memory(rom, table)
            offset = 1 << (table.range_bits + table.source.fraction)
            if table.index == "nearest":
                offset += (1 << table.shift) >> 1
            zero, high = _literal(0, bits), _literal(end, bits)
            lines = [
                f"p = {_extend('a', table.source.word, bits)} + {_literal(offset, bits)};",
                f"{where} = (p < {zero}) ? {zero} : (p > {high}) ? {high} : p;",
            ]
            self.function(where, bits, table.source.word, [f"signed [{bits - 1}:0] p"], lines)
        at = self.wire(f"{name}_at", bits, f"{where}({wire})")
        if not linear:
            return f"{rom}[{at}[{table.shift + address - 1}:{table.shift}]]"
        # The end of the range lies one interval beyond the last one: it is read as the end of that.
        last = _literal(table.size - 1, bits)
        k = self.wire(f"{name}_k", bits, f"({at} == {_literal(end, bits)}) ? {last} : {at} >>> {table.shift}")
        left = self.wire(f"{name}_left", given, f"{rom}[{k}[{address - 1}:0]]")
        right = self.wire(f"{name}_right", given, f"{rom}[{k}[{address - 1}:0] + {address}'d1]")
        wide_left, wide_right = (_extend(side, given, bits) for side in (left, right))
        rest = f"({at} - ({k} <<< {table.shift}))"
        line = f"({wide_left} <<< {table.shift}) + ({wide_right} - {wide_left}) * {rest}"
        number = self.wire(f"{name}_line", bits, line)
        return f"{self.requantise(bits, table.shift, table.output)}({number})"

    def memory(self, name: str, table: ActivationTable) -> None:
        """Add the memory of a table."""
        entries, given = table.entries.tolist(), table.output.word
        self.memories[self.declare(name)] = [
            f"reg signed [{given - 1}:0] {name} [0:{len(entries) - 1}];",
            "initial begin",
            *(f"{INDENT}{name}[{k}] = {_literal(entry, given)};" for k, entry in enumerate(entries)),
            "end",
        ]

    def function(self, name: str, bits: int, source: int, local: list[str], lines: list[str]) -> None:
        """Add a function of a signed number `a`."""
        self.functions[self.declare(name)] = [
            f"function signed [{bits - 1}:0] {name};",
            f"{INDENT}input signed [{source - 1}:0] a;",
            *(f"{INDENT}reg {names};" for names in local),
            f"{INDENT}begin",
            *(f"{INDENT * 2}{line}" for line in lines),
            f"{INDENT}end",
            "endfunction",
        ]


def _format_rounding(shift: int, bits: int, rounding: Rounding) -> str:
    """Return q / 2^shift, rounded; q has so many bits."""
    if shift <= 0:
        return f"q <<< {-shift}" if shift else "q"
    half, below = f"q[{shift - 1}]", f"q[{shift - 2}:0] != {shift - 1}'d0"
    more = {
        "nearest_even": f"{half} && ({below} || q[{shift}])" if shift > 1 else f"{half} && q[{shift}]",
        "nearest_up": half,
        "toward_zero": f"q[{bits - 1}] && q[{shift - 1}:0] != {shift}'d0",
        "floor": "",
    }[rounding]
    floor = f"(q >>> {shift})"
    return f"{floor} + (({more}) ? {_literal(1, bits)} : {_literal(0, bits)})" if more else floor


def _format_bounds(wire: str, bounds: Bounds, bits: int) -> str:
    low, high = _literal(bounds.lower, bits), _literal(bounds.upper, bits)
    return f"({wire} > {high}) ? {high} : ({wire} < {low}) ? {low} : {wire}"


def _format_decision(step: Step, payload: Decision, taken: list[str], i: int) -> str:
    """Return the expression of a sign; one bit more than the drive has holds every reach."""
    word = step.ports[0].format.word
    drive, reach = _extend(taken[0], word, word + 1), int(payload.reach[i])
    below, above = (_literal(int(value), step.bits) for value in payload.values)
    decided = f"({drive} > {_literal(reach, word + 1)}) ? {above} : ({drive} < {_literal(-reach, word + 1)}) ? {below}"
    return f"{decided} : {taken[1]}[{step.ports[1].format.word - 1}] ? {below} : {above}"


def _extend(name: str, bits: int, wide: int) -> str:
    """Return a signed wire with its sign repeated up to a width."""
    return name if bits == wide else f"$signed({{{{{wide - bits}{{{name}[{bits - 1}]}}}}, {name}}})"


def _literal(value: int, bits: int) -> str:
    """Return a signed number of a width; the lowest one has no positive twin."""
    if value == -(1 << (bits - 1)):
        return f"$signed({{1'b1, {{{bits - 1}{{1'b0}}}}}})"
    return f"-{bits}'sd{-value}" if value < 0 else f"{bits}'sd{value}"


def _element(name: str, i: int) -> str:
    return f"{name}_{i}"
