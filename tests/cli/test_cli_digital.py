"""The commands about recurrent models in fixed point: modules that run, reports, exit statuses, messages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from hopfield_hw.cli import run
from hopfield_hw.cli.reporting import RESULT_KEYS
from hopfield_hw.formats import to_onnx, to_torch
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint
from hopfield_hw.integers.machine import fixed_point_report
from hopfield_hw.integers.tools import find_tool, run_tool
from hopfield_hw.recurrent import GRU, LSTM, Layer, Stack


@pytest.fixture
def stack(rng: np.random.Generator) -> Stack:
    def cell(kind: Any, inputs: int) -> Any:
        rows = 2 * len(kind.gates)
        w, r, b = (0.5 * rng.normal(size=shape) for shape in ((rows, inputs), (rows, 2), 2 * rows))
        return kind(input_weights=w, recurrent_weights=r, bias=b)

    return Stack(layers=(Layer(forward=cell(LSTM, 3), backward=cell(LSTM, 3)), Layer(forward=cell(LSTM, 4))))


@pytest.fixture
def model(stack: Stack, tmp_path: Path) -> Path:
    onnx.save(to_onnx(stack, dtype="float64"), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


@pytest.fixture
def inputs(rng: np.random.Generator, tmp_path: Path) -> Path:
    np.savez(tmp_path / "x.npz", x=rng.normal(size=(40, 2, 3)))
    return tmp_path / "x.npz"


def test_rtl_writes_a_module_for_each_layer_and_direction(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rtl"
    assert run(["rtl", str(model), "-o", str(folder), "--word", "12", "--fraction", "8", "--no-tools"]) == 0
    said = capsys.readouterr()
    names = ["layer0_backward", "layer0_forward", "layer1_forward"]
    assert sorted(path.stem for path in folder.iterdir()) == names
    assert said.err == ""
    assert "Q(12,8) nearest_even saturate" in said.out
    assert "\nlayer1_forward.v   LSTM, 4 inputs, 2 outputs; the widest number has " in said.out
    if shutil.which("iverilog") is not None:
        run_tool([find_tool("iverilog"), "-g2001", "-o", "all", *(f"{name}.v" for name in names)], folder, 60.0)


@pytest.mark.skipif(shutil.which("verilator") is None or shutil.which("yosys") is None, reason="tools not installed")
def test_rtl_says_what_the_tools_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = GRU(input_weights=np.ones((3, 1)), recurrent_weights=np.ones((3, 1)), linear_before_reset=True)
    np.savez(tmp_path / "w.npz", **{f"gru.{k}": a for k, a in to_torch(Layer(forward=cell)).items()})
    short = ["--word", "6", "--fraction", "3", "--address-bits", "4", "--json"]
    assert run(["rtl", str(tmp_path / "w.npz"), "--prefix", "gru.", "-o", str(tmp_path / "out"), *short]) == 0
    content = json.loads(capsys.readouterr().out)
    assert set(RESULT_KEYS) <= set(content)
    (part,) = content["parts"]
    assert part["verilator"] == "Verilator: no warning"
    assert part["yosys"].startswith("Yosys: ")
    assert "7 of them registers" in part["yosys"]  # the output is the state, of six bits; and one that says valid


def test_without_the_tools_rtl_says_how_to_get_them(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["rtl", str(model), "-o", str(tmp_path / "rtl")]) == 0
    assert "verilator: found none on PATH; install it: `apt-get install verilator`" in capsys.readouterr().out


def test_fixed_reports_what_the_library_reports(
    model: Path, inputs: Path, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fixed", str(model), str(inputs), "--word", "14", "--fraction", "10", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert set(RESULT_KEYS) <= set(content)
    kept = QFormat(word=14, fraction=10)
    x = np.load(inputs)["x"]
    layer = stack.layers[0]
    assert layer.forward is not None
    assert layer.backward is not None
    formats = FixedPoint(signals=kept, weights=kept)
    expected = [
        fixed_point_report(layer.forward.graph(), formats, x).sqnr,
        fixed_point_report(layer.backward.graph(), formats, x[::-1]).sqnr,
    ]
    assert [part["sqnr"] for part in content["parts"][:2]] == expected
    assert run(["fixed", str(model), str(inputs)]) == 0
    assert "layer1_forward\n" in capsys.readouterr().out


def test_fixed_finds_the_shortest_words_or_falls_short(
    model: Path, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fixed", str(model), str(inputs), "--goal", "30", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert all(part["sqnr"] >= 30.0 and not part["signals"].startswith("Q(16,") for part in content["parts"])
    assert run(["fixed", str(model), str(inputs), "--goal", "300", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["status"] == "failed"


def bad(name: str, tmp_path: Path, model: Path, inputs: Path) -> tuple[list[str], str]:
    np.savez(tmp_path / "two.npz", a=np.zeros((2, 3)), b=np.zeros((2, 3)))
    np.savez(tmp_path / "flat.npz", a=np.zeros(3))
    (tmp_path / "text.npz").write_text("no archive")
    fixed = ["fixed", str(model)]
    return {
        "suffix": (
            ["rtl", "weights.pt", "-o", "out"],
            "'weights.pt': has the suffix '.pt'; must be one of .onnx, .npz, .safetensors",
        ),
        "index": ([*fixed, str(inputs), "--index", "up"], "--index 'up': must be one of floor, nearest, interpolate"),
        "word": ([*fixed, str(inputs), "--word", "40"], "`QFormat.word` = 40: must be a whole number from 2 to 32"),
        "no file": ([*fixed, "x.npz"], "x.npz: cannot be read (No such file or directory); give an .npz file"),
        "two": ([*fixed, str(tmp_path / "two.npz")], "two.npz: holds 2 arrays: must hold one, (T, B, I) or (T, I)"),
        "flat": (
            [*fixed, str(tmp_path / "flat.npz")],
            "flat.npz: its array has shape (3,): must be (T, B, I) or (T, I)",
        ),
        "text": ([*fixed, str(tmp_path / "text.npz")], "text.npz: is not an .npz file of arrays ("),
    }[name]


@pytest.mark.parametrize("name", ["suffix", "index", "word", "no file", "two", "flat", "text"])
def test_bad_input_is_refused(
    name: str, tmp_path: Path, model: Path, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, message = bad(name, tmp_path, model, inputs)
    assert run(arguments) == 2
    assert capsys.readouterr().err.startswith(f"hopfield-hw: error: {message}")
