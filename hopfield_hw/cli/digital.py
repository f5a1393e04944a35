"""Commands about recurrent models in fixed point: rtl and fixed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias, cast, get_args

import numpy as np
import typer

from ..equations.sequences import run_sequence
from ..formats import from_onnx, from_torch
from ..integers.fixed_point import Index, QFormat
from ..integers.lowering import FixedPoint, IntegerProgram, lower_to_integers
from ..integers.machine import FixedPointReport, clipped_rows, fixed_point_report, narrowest
from ..integers.tools import lint, synthesise
from ..integers.verilog import write_verilog
from ..recurrent import RecurrentCell, Stack
from ..values.arrays import Array, freeze
from ..values.errors import InputError, SimulatorMissing
from .options import Json
from .reporting import check_folder, emit_result, say_table, working, written

SUFFIXES = (".onnx", ".npz", ".safetensors")
MODEL_HELP = "An .onnx model, or the weights of an LSTM, GRU or RNN of PyTorch (.npz, .safetensors)."

ModelFile: TypeAlias = Annotated[Path, typer.Argument(metavar="MODEL", help=MODEL_HELP)]
Prefix: TypeAlias = Annotated[
    str, typer.Option("--prefix", metavar="P", help="Prefix of the names of PyTorch's weights.")
]
Word: TypeAlias = Annotated[int, typer.Option("--word", metavar="N", help="Bits of a signal or state.")]
Fraction: TypeAlias = Annotated[int, typer.Option("--fraction", metavar="N", help="Fractional bits of them.")]
WeightWord: TypeAlias = Annotated[
    int | None, typer.Option("--weight-word", metavar="N", help="Bits of a weight; --word by default.")
]
WeightFraction: TypeAlias = Annotated[
    int | None,
    typer.Option("--weight-fraction", metavar="N", help="Its fractional bits; --fraction by default."),
]
TableIndex: TypeAlias = Annotated[
    str, typer.Option("--index", metavar="HOW", help="Look-up in tables: floor, nearest or interpolate.")
]
AddressBits: TypeAlias = Annotated[int, typer.Option("--address-bits", metavar="N", help="A table has 2^N entries.")]
RangeBits: TypeAlias = Annotated[int, typer.Option("--range-bits", metavar="N", help="A table covers -2^N to 2^N.")]


class Part(NamedTuple):
    """One cell of a model: `name` says its layer and direction."""

    name: str
    cell: RecurrentCell
    layer: int
    backward: bool


def rtl(
    model: ModelFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the modules.")],
    word: Word = 16,
    fraction: Fraction = 12,
    weight_word: WeightWord = None,
    weight_fraction: WeightFraction = None,
    index: TableIndex = "interpolate",
    address_bits: AddressBits = 10,
    range_bits: RangeBits = 3,
    prefix: Prefix = "",
    tools: Annotated[
        bool, typer.Option("--tools/--no-tools", help="Lint with Verilator, synthesise with Yosys, if installed.")
    ] = True,
    as_json: Json = False,
) -> int:
    """Write the recurrent cells of a model as Verilog.

    One module per layer and direction, each in a file named after it; other nodes of the model are not written.
    """
    formats = _formats(word, fraction, weight_word, weight_fraction, index, address_bits, range_bits)
    parts = list(_parts(_load(model, prefix)))
    programs = {part.name: lower_to_integers(part.cell.graph(), formats) for part in parts}
    texts = {name: write_verilog(program, name) for name, program in programs.items()}
    folder = check_folder(output)
    found: list[dict[str, Any]] = []
    for part in parts:
        path, program = folder / f"{part.name}.v", programs[part.name]
        with written(path) as place:
            place.write_text(texts[part.name], encoding="utf-8", newline="\n")
        kind, inputs, outputs = type(part.cell).__name__, part.cell.input_size, part.cell.output_size
        about: dict[str, Any] = {
            "module": part.name,
            "file": str(path),
            "cell": kind,
            "inputs": inputs,
            "outputs": outputs,
        }
        about |= {
            "widest_bits": max(step.bits for step in program.steps),
            "clipped": {name: clipped.figures() for name, clipped in program.clipped.items()},
        }
        found.append({**about, **(_judge(part.name, program) if tools else {})})
    if as_json:
        emit_result(
            {"status": "done", "signals": str(formats.signals), "weights": str(formats.weights), "parts": found}
        )
        return 0
    rows = [("signals", str(formats.signals)), ("weights", str(formats.weights))]
    for one in found:
        size = f"{one['cell']}, {one['inputs']} inputs, {one['outputs']} outputs"
        rows.append((f"{one['module']}.v", f"{size}; the widest number has {one['widest_bits']} bits"))
        rows += clipped_rows(programs[one["module"]].clipped)
        rows += [("", str(one[tool])) for tool in ("verilator", "yosys") if tool in one]
    say_table(rows, title=f"{model.name}, in {folder}")
    return 0


def fixed(
    model: ModelFile,
    inputs: Annotated[Path, typer.Argument(metavar="INPUTS", help="An .npz file with one array, (T, B, I) or (T, I).")],
    word: Word = 16,
    fraction: Fraction = 12,
    weight_word: WeightWord = None,
    weight_fraction: WeightFraction = None,
    index: TableIndex = "interpolate",
    address_bits: AddressBits = 10,
    range_bits: RangeBits = 3,
    prefix: Prefix = "",
    goal: Annotated[
        float | None, typer.Option("--goal", metavar="DB", help="Find the shortest words that reach this SQNR.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Report fixed-point accuracy of the recurrent cells of a model.

    Each cell is compared with its floating-point version, on the floating-point outputs of the layer below. With
    --goal, fractional bits are removed as long as the SQNR reaches the goal; exit status 1 if it is not reached.
    """
    formats = _formats(word, fraction, weight_word, weight_fraction, index, address_bits, range_bits)
    stack, x = _load(model, prefix), _sequences(inputs)
    reports: dict[str, FixedPointReport] = {}
    below: list[Array] = []
    parts = list(_parts(stack))
    for part in parts:
        if part.layer and part.name == next(one.name for one in parts if one.layer == part.layer):
            x, below = np.concatenate(below, axis=-1), []
        with working(part.name):
            graph, given = part.cell.graph(), x[::-1] if part.backward else x
            reports[part.name] = fixed_point_report(graph, formats, given)
            if goal is not None and reports[part.name].sqnr >= goal:
                reports[part.name] = narrowest(graph, formats, given, sqnr_goal=goal)
            below.append(run_sequence(graph, x, reverse=part.backward).outputs)
    short = goal is not None and any(report.sqnr < goal for report in reports.values())
    if as_json:
        found = [{"module": name, **report.to_json()} for name, report in reports.items()]
        worst = max(report.worst for report in reports.values())
        emit_result({"status": "failed" if short else "done", "worst_error": worst, "goal": goal, "parts": found})
    else:
        for name, report in reports.items():
            held = [("signals", str(report.formats.signals)), ("weights", str(report.formats.weights))]
            say_table([*held, *report.rows()], title=name)
    return 1 if short else 0


def _formats(
    word: int, fraction: int, weight_word: int | None, weight_fraction: int | None, index: str, address: int, reach: int
) -> FixedPoint:
    if index not in get_args(Index):
        raise InputError(f"--index {index!r:.40}: must be one of {', '.join(get_args(Index))}")
    return FixedPoint(
        signals=QFormat(word=word, fraction=fraction),
        weights=QFormat(
            word=word if weight_word is None else weight_word,
            fraction=fraction if weight_fraction is None else weight_fraction,
        ),
        index=cast(Index, index),
        address_bits=address,
        range_bits=reach,
    )


def _load(path: Path, prefix: str) -> Stack:
    if path.suffix not in SUFFIXES:
        raise InputError(f"{str(path)!r:.200}: has the suffix {path.suffix!r}; must be one of {', '.join(SUFFIXES)}")
    if path.suffix != ".onnx":
        return from_torch(path, prefix=prefix)
    layers = from_onnx(path).layers
    if not layers:
        raise InputError(f"{path.name}: has no recurrent node; must have an LSTM, GRU or RNN")
    return Stack(layers=layers)


def _parts(stack: Stack) -> Iterator[Part]:
    for k, layer in enumerate(stack.layers):
        for cell in layer.cells:
            backward = cell is layer.backward
            yield Part(f"layer{k}_{'backward' if backward else 'forward'}", cell, k, backward)


def _judge(name: str, program: IntegerProgram) -> dict[str, str]:
    """Return the results of Verilator and Yosys, or that they are missing."""
    said = {}
    with working(f"{name}: Verilator and Yosys"):
        try:
            lint(program)
            said["verilator"] = "Verilator: no warning"
        except SimulatorMissing as error:
            said["verilator"] = str(error)
        try:
            found = synthesise(program)
            logic = f"{found.cells} cells, {found.registers} of them registers"
            said["yosys"] = f"Yosys: {logic}; {found.memories} memories of {found.memory_bits} bits"
        except SimulatorMissing as error:
            said["yosys"] = str(error)
    return said


def _sequences(path: Path) -> Array:
    """Return the one array of a file, (T, B, I)."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror or error}); give an .npz file") from None
    except Exception as error:  # NumPy raises several kinds for a file that is not an archive of arrays
        raise InputError(
            f"{path.name}: is not an .npz file of arrays ({error!s:.80}); write it by numpy.savez"
        ) from None
    if len(arrays) != 1:
        raise InputError(f"{path.name}: holds {len(arrays)} arrays: must hold one, (T, B, I) or (T, I)")
    x = freeze(next(iter(arrays.values())), path.name)
    if x.ndim not in (2, 3):
        raise InputError(f"{path.name}: its array has shape {x.shape}: must be (T, B, I) or (T, I)")
    return x if x.ndim == 3 else x[:, np.newaxis]
