"""Xyce: its text, checked against its public reference guide; it is not run here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ...circuit import Device
from ...functions.expressions import Expression
from ...parts import Line
from .dialect import Analysis, Dialect, number, with_letter, wrap


class Xyce(Dialect):
    """Xyce (Sandia National Laboratories, Xyce Reference Guide: netlist reference and device reference)."""

    name: ClassVar[str] = "xyce"
    suffix: ClassVar[str] = ".cir"

    def formula(self, expression: Expression, inputs: Sequence[str]) -> str:
        return f"{{{self.expression(expression, inputs)}}}"

    def format_parameter(self, name: str, value: float) -> str:
        return f" PARAMS: {name}={number(value)}"

    def format_header(self, name: str, nodes: Iterable[str], parameters: str) -> str:
        words = f" PARAMS: {parameters}" if parameters else ""
        return f".subckt {name} {' '.join(nodes)}{words}"

    def format_line(self, device: Device, line: Line) -> str:
        self.refuse_start(device, line)
        name = with_letter("T", device.name)
        return f"{name} {' '.join(device.nodes)} Z0={number(line.impedance)} TD={line.delay!r}"

    def format_analysis(self, analysis: Analysis) -> str:
        start = wrap(".IC", (f"V({node})={volts + 0.0!r}" for node, volts in analysis.initial.items()))
        words = (f"V({node})" for node in dict.fromkeys(analysis.nodes))
        show = wrap(".PRINT TRAN FORMAT=RAW", words)
        more = f" METHOD=TRAP ABSTOL={number(analysis.reltol * 1e-3)}" if analysis.current is not None else ""
        options = f".OPTIONS TIMEINT RELTOL={number(analysis.reltol)}{more}"
        run = f".TRAN {number(analysis.step / 100.0)} {number(analysis.t_stop)} 0 {number(analysis.step)} UIC"
        return "\n".join([*start, *show, options, run, ".end"]) + "\n"
