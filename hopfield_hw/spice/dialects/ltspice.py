"""LTspice: its text, checked against its public help; it is not run here."""

from __future__ import annotations

from typing import ClassVar

from ...circuit import Device
from ...parts import Line
from .dialect import Analysis, Dialect, number, with_letter, wrap


class LTspice(Dialect):
    """LTspice (LTspice help: B. Arbitrary Behavioral Sources; T. Lossless Transmission Line; .TRAN; .IC; .OPTIONS)."""

    name: ClassVar[str] = "ltspice"
    suffix: ClassVar[str] = ".net"
    drift: ClassVar[str] = "tc"

    def format_line(self, device: Device, line: Line) -> str:
        self.refuse_start(device, line)
        name = with_letter("T", device.name)
        return f"{name} {' '.join(device.nodes)} Td={line.delay!r} Z0={number(line.impedance)}"

    def format_analysis(self, analysis: Analysis) -> str:
        start = wrap(".ic", (f"V({node})={volts + 0.0!r}" for node, volts in analysis.initial.items()))
        save = wrap(".save", (f"V({node})" for node in dict.fromkeys(analysis.nodes)))
        words: tuple[str, ...] = (f"reltol={number(analysis.reltol)}", "plotwinsize=0")
        if analysis.current is not None:
            words = (
                *words,
                f"vntol={number(analysis.reltol * 1e-3)}",
                f"abstol={number(analysis.current)}",
                "chgtol=1e-24",
                "trtol=1",
            )
            words = (*words, "gmin=1e-18", "method=trap", "numdgt=15")
        options = wrap(".options", words)
        run = f".tran 0 {number(analysis.t_stop)} 0 {number(analysis.step)} uic"
        return "\n".join([*start, *save, *options, run, ".end"]) + "\n"
