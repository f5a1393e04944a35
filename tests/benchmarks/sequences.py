"""How fast an LSTM runs over long sequences: in fixed point against onnxruntime, in floating point against PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import onnxruntime
from measuring import interleaved, row
from threadpoolctl import threadpool_limits

import hopfield_hw as hh
from hopfield_hw.equations.sequences import run_steps
from hopfield_hw.formats import to_onnx, to_torch
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine
from hopfield_hw.recurrent import LSTM, Layer

SIZE, STEPS = 128, 1000
BATCHES = (1, 32)
ROUNDS = {1: 101, 32: 9}  # a run of one sequence takes milliseconds
ABOUT = f"LSTM, I = H = {SIZE}, T = {STEPS}, one thread"


def trained_like() -> LSTM:
    """Return an LSTM with the weights that PyTorch starts with: uniform within 1 / sqrt(H)."""
    rng, end = np.random.default_rng(0), SIZE**-0.5
    w, r, b = (rng.uniform(-end, end, size=shape) for shape in ((4 * SIZE, SIZE), (4 * SIZE, SIZE), 8 * SIZE))
    return LSTM(input_weights=w, recurrent_weights=r, bias=b)


def fixed_point() -> Iterable[dict[str, Any]]:
    """Time <16,12>, a table of 1024 entries, from and to float64, against onnxruntime in float32; compare the bits."""
    cell, rng = trained_like(), np.random.default_rng(1)
    kept = QFormat(word=16, fraction=12)
    formats = FixedPoint(signals=kept, weights=kept, address_bits=10, index="floor")
    machine = FixedMachine(lower_to_integers(cell.graph(), formats))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = to_onnx(Layer(forward=cell)).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    for batch, goal in zip(BATCHES, (1.5, 3.0), strict=True):
        x = rng.normal(size=(STEPS, batch, SIZE))
        single = x.astype(np.float32)
        with threadpool_limits(1):
            found = hh.run_sequence(machine, x).outputs
            expected, _ = run_steps(machine, np.tile(machine.initial, (batch, 1)), x)
            tasks: dict[str, Callable[[], object]] = {
                "ours": partial(hh.run_sequence, machine, x),
                "onnxruntime": partial(session.run, ["y"], {"x": single}),
            }
            medians = interleaved(tasks, rounds=ROUNDS[batch])
        about = f"fixed point <16,12> {ABOUT}, batch {batch}"
        yield row(f"{about}, against onnxruntime in float32", medians["ours"] / medians["onnxruntime"], goal, "lower")
        differing = float(np.count_nonzero(found != expected))
        yield row(f"{about}, outputs that differ from single steps", differing, 0.0, "lower", unit="outputs")


def floating_point() -> Iterable[dict[str, Any]]:
    """Time float64 against PyTorch in float64, where that is installed."""
    cell, rng = trained_like(), np.random.default_rng(1)
    graph = cell.graph()
    try:
        import torch
    except ImportError:
        torch = None
    for batch in BATCHES:
        name = f"float64 {ABOUT}, batch {batch}, against PyTorch in float64"
        if torch is None:
            print(f"not measured: {name}: PyTorch is not installed; pip install torch")
            yield row(name, None, 1.0, "lower")
            continue
        torch.set_num_threads(1)
        layer = torch.nn.LSTM(SIZE, SIZE, dtype=torch.float64)
        layer.load_state_dict({key: torch.from_numpy(a.copy()) for key, a in to_torch(Layer(forward=cell)).items()})
        x = rng.normal(size=(STEPS, batch, SIZE))
        given = torch.from_numpy(x)
        with threadpool_limits(1), torch.no_grad():
            tasks: dict[str, Callable[[], object]] = {
                "ours": partial(hh.run_sequence, graph, x),
                "torch": partial(layer, given),
            }
            np.testing.assert_allclose(hh.run_sequence(graph, x).outputs, layer(given)[0].numpy(), atol=1e-12)
            medians = interleaved(tasks, rounds=ROUNDS[batch])
        yield row(name, medians["ours"] / medians["torch"], 1.0, "lower")
