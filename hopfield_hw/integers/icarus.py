"""Verilog of a cell, simulated by Icarus Verilog, step by step, with the handshake stalled where asked."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..processes import TIMEOUT
from ..values.errors import InputError, TruncatedOutput
from .fixed_point import Integers
from .lowering import IntegerProgram, Step
from .tools import find_tool, run_tool
from .verilog import write_verilog


def simulate_verilog(
    program: IntegerProgram, inputs: Mapping[str, Any], *, stalls: bool = False, timeout: float = TIMEOUT
) -> dict[str, Integers]:
    """Return the outputs by name, (T, n), raw, of a program's Verilog from its initial state.

    `inputs`: by name, (T, m), raw. `stalls`: both sides of the handshake stall in a pattern that a shift register
    makes; the outputs are the same. `timeout`: seconds.

    Raises InputError for wrong inputs, SimulatorMissing without Icarus Verilog, and other SimulatorErrors where it does
    not deliver.
    """
    given, steps = _words(program, inputs)
    compiler, simulator = find_tool("iverilog"), find_tool("vvp")
    with tempfile.TemporaryDirectory(prefix="hopfield_hw_") as name:
        folder = Path(name)
        (folder / "cell.v").write_text(write_verilog(program), encoding="utf-8")
        (folder / "bench.v").write_text(_bench(program, steps, stalls=stalls), encoding="utf-8")
        (folder / "inputs.hex").write_text("\n".join(given) + "\n", encoding="utf-8")
        run_tool([compiler, "-g2001", "-o", "bench", "cell.v", "bench.v"], folder, timeout)
        printed = run_tool([simulator, "-n", "bench"], folder, timeout)
    lines = [line.split() for line in printed.splitlines() if line.startswith("y ")]
    if len(lines) != steps or any("x" in word for line in lines for word in line[1:]):
        raise TruncatedOutput(
            f"iverilog: {len(lines)} whole steps of {steps}; the end of what it said: {printed[-200:]!r}"
        )
    outputs = program.of_kind("output")
    return {step.name: _unpack([line[1 + k] for line in lines], step) for k, step in enumerate(outputs)}


def _words(program: IntegerProgram, inputs: Mapping[str, Any]) -> tuple[list[str], int]:
    """Return a line of hexadecimal for each step, all inputs side by side, the first one lowest."""
    sources = program.of_kind("input")
    if not sources:
        raise InputError("the program has no input, so nothing says for how many steps to run it; give it one")
    if set(inputs) != {step.name for step in sources}:
        raise InputError(f"`inputs` has {sorted(inputs)}: must have {sorted(step.name for step in sources)}")
    arrays = {step.name: np.asarray(inputs[step.name], dtype=np.int64) for step in sources}
    lengths = {array.shape[0] for array in arrays.values()}
    for step in sources:
        if arrays[step.name].ndim != 2 or arrays[step.name].shape[1] != step.size or len(lengths) != 1:
            raise InputError(f"`inputs[{step.name!r}]` has shape {arrays[step.name].shape}: must be (T, {step.size})")
    (count,) = lengths
    lines = []
    for k in range(count):
        word, at = 0, 0
        for step in sources:
            for raw in arrays[step.name][k].tolist():
                word |= (raw & ((1 << step.bits) - 1)) << at
                at += step.bits
        lines.append(f"{word:x}")
    return lines, count


def _bench(program: IntegerProgram, steps: int, *, stalls: bool) -> str:
    sources, outputs = program.of_kind("input"), program.of_kind("output")
    total = sum(step.size * step.bits for step in sources)
    ports, at = [], 0
    for step in sources:
        width = step.size * step.bits
        ports.append(f".{step.name}(word[{at + width - 1}:{at}])")
        at += width
    wires = [f"wire [{step.size * step.bits - 1}:0] {step.name};" for step in outputs]
    ports += [f".{step.name}({step.name})" for step in outputs]
    shown = " ".join("%h" for _ in outputs)
    names = ", ".join(step.name for step in outputs)
    stall = ("noise[0]", "noise[3]") if stalls else ("1'b1", "1'b1")
    return f"""module bench;
  reg clk = 0, rst = 1;
  reg [{total - 1}:0] memory [0:{max(steps - 1, 0)}];
  reg [15:0] noise = 16'hace1;
  integer sent = 0, received = 0;
  wire in_ready, out_valid;
  wire in_valid = !rst && sent < {steps} && {stall[0]};
  wire out_ready = {stall[1]};
  wire [{total - 1}:0] word = memory[sent < {steps} ? sent : 0];
  {" ".join(wires)}
  recurrent_cell dut (.clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid),
    .out_ready(out_ready), {", ".join(ports)});
  always #1 clk = !clk;
  initial begin
    $readmemh("inputs.hex", memory);
    #4 rst = 0;
  end
  always @(posedge clk) begin
    noise <= {{noise[14:0], noise[15] ^ noise[13] ^ noise[12] ^ noise[10]}};
    if (in_valid && in_ready) sent <= sent + 1;
    if (out_valid && out_ready) begin
      $display("y {shown}", {names});
      received <= received + 1;
      if (received == {steps - 1}) $finish;
    end
  end
endmodule
"""


def _unpack(words: list[str], step: Step) -> Integers:
    mask, half = (1 << step.bits) - 1, 1 << (step.bits - 1)
    rows = []
    for text in words:
        word = int(text, 16)
        raw = [(word >> (i * step.bits)) & mask for i in range(step.size)]
        rows.append([(value ^ half) - half for value in raw])
    return np.array(rows, dtype=np.int64).reshape(len(words), step.size)
