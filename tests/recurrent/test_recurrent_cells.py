"""Recurrent cells against ONNX's own tests, onnxruntime, and an oracle of plain loops; wrong cells are caught."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from oracles import recurrent as oracle

from hopfield_hw.equations import MapProgram
from hopfield_hw.equations.models import run_model
from hopfield_hw.equations.sequences import run_layers, run_sequence
from hopfield_hw.formats import from_onnx, from_torch, to_onnx, to_torch
from hopfield_hw.formats.onnx.nodes import NODES
from hopfield_hw.functions import Arctan, Polynomial, Tanh
from hopfield_hw.recurrent import GRU, LSTM, RNN, Layer, Stack
from hopfield_hw.values.errors import InputError

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
WAYS = {"forward": 1, "reverse": 1, "bidirectional": 2}


def node_cases() -> dict[str, Any]:
    """The node tests of the package onnx."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        cases = collect_testcases(None)
    return {case.name: case for case in cases if any(kind in case.name for kind in ("_lstm_", "_gru_", "rnn_"))}


NODE_CASES = node_cases()


def test_there_are_eighteen_node_tests() -> None:
    assert len(NODE_CASES) == 18


@pytest.mark.parametrize("case", NODE_CASES.values(), ids=NODE_CASES)
def test_the_node_tests_of_onnx(case: Any) -> None:
    for inputs, expected in case.data_sets:
        given = {value.name: array for value, array in zip(case.model.graph.input, inputs, strict=True)}
        constants = {name: given[name] for name in given if name in ("W", "R", "B", "P")}
        found = run_model(
            from_onnx(case.model, constants=constants), {n: a for n, a in given.items() if n not in constants}
        )
        for value, array in zip(case.model.graph.output, expected, strict=True):
            np.testing.assert_allclose(found[value.name], array, rtol=case.rtol, atol=1e-7)


class Drawn:
    """A random recurrent node: its arrays and attributes, as ONNX has them, and what goes in."""

    def __init__(self, seed: int, *, exact: bool) -> None:
        """`exact`: for the oracle, so that it may have a clip (onnxruntime's is wrong) and curves without bounds, which
        carry the rounding of float32 along."""
        rng = np.random.default_rng([1997, seed])
        self.kind = str(rng.choice(list(GATES)))
        direction = str(rng.choice(list(WAYS)))
        t, b, i, h = (int(n) for n in rng.integers(1, [8, 4, 5, 6]))
        d, g = WAYS[direction], GATES[self.kind]

        def some(*shape: int) -> Any:
            # As float32 has them, so that both sides take the same numbers.
            return rng.normal(size=shape).astype(np.float32).astype(np.float64)

        self.arrays: dict[str, Any] = {"X": some(t, b, i), "W": some(d, g * h, i), "R": some(d, g * h, h)}
        optional: dict[str, Any] = {
            "B": some(d, 2 * g * h),
            "sequence_lens": rng.integers(1, t + 1, b).astype(np.int32),
            "initial_h": some(d, b, h),
        }
        if self.kind == "LSTM":
            optional |= {"initial_c": some(d, b, h), "P": some(d, 3 * h)}
        self.arrays |= {name: array for name, array in optional.items() if rng.integers(3) > 0}
        self.attributes: dict[str, Any] = {"direction": direction, "hidden_size": h}
        if exact and rng.integers(2):
            self.attributes["clip"] = float(np.float32(rng.uniform(0.3, 1.5)))
        if self.kind == "LSTM":
            self.attributes["input_forget"] = int(rng.integers(4) == 0)
        if self.kind == "GRU":
            self.attributes["linear_before_reset"] = int(rng.integers(2))
        if rng.integers(3) == 0:
            count = {"LSTM": 3, "GRU": 2, "RNN": 1}[self.kind] * d
            self.attributes |= self._activations(
                [str(n) for n in rng.choice(list(PARAMETERS)[: None if exact else BOUNDED], count)]
            )

    def _activations(self, names: list[str]) -> dict[str, Any]:
        alphas = [PARAMETERS[name][0] for name in names if PARAMETERS[name]]
        betas = [PARAMETERS[name][1] for name in names if len(PARAMETERS[name]) == 2]
        given = {"activation_alpha": alphas, "activation_beta": betas}
        return {"activations": names, **{what: values for what, values in given.items() if values}}

    def model(self) -> Any:
        """The model of this node alone; weights are constants, what is left is what goes in."""
        order = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
        names = [name if name in self.arrays else "" for name in order]
        while names[-1] == "":
            names.pop()
        outputs = ["Y", "Y_h", "Y_c"] if self.kind == "LSTM" else ["Y", "Y_h"]
        node = helper.make_node(self.kind, names, outputs, **self.attributes)
        fixed = [n for n in ("W", "R", "B", "P") if n in self.arrays]
        weights = [onnx.numpy_helper.from_array(self.arrays[n].astype(np.float32), n) for n in fixed]
        kinds = {"sequence_lens": onnx.TensorProto.INT32}
        inputs = [
            helper.make_tensor_value_info(n, kinds.get(n, onnx.TensorProto.FLOAT), a.shape)
            for n, a in self.arrays.items()
            if n not in fixed
        ]
        given = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in outputs]
        graph = helper.make_graph([node], "one", inputs, given, weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)

    def inputs(self, dtype: Any) -> dict[str, Any]:
        return {
            name: array if name == "sequence_lens" else array.astype(dtype)
            for name, array in self.arrays.items()
            if name not in ("W", "R", "B", "P")
        }

    def found(self) -> dict[str, Any]:
        return run_model(from_onnx(self.model()), self.inputs(np.float64))

    def by_oracle(self) -> dict[str, Any]:
        options = {name: value for name, value in self.attributes.items() if name != "hidden_size"}
        outputs = getattr(oracle, self.kind.lower())(**self.arrays, **options)
        return dict(zip(("Y", "Y_h", "Y_c"), outputs, strict=False))


PARAMETERS: dict[str, tuple[float, ...]] = {
    "Sigmoid": (),
    "Tanh": (),
    "ScaledTanh": (0.75, 1.25),
    "HardSigmoid": (0.25, 0.5),
    "Softsign": (),
    "Relu": (),
    "Affine": (0.5, 0.125),
    "LeakyRelu": (0.25,),
    "ThresholdedRelu": (0.5,),
    "Elu": (0.75,),
    "Softplus": (),
}
BOUNDED = 5  # the first of them


def apart(found: dict[str, Any], expected: dict[str, Any]) -> float:
    """The largest difference, by the larger of 1 and the largest value."""
    worst = 0.0
    for name, array in expected.items():
        assert found[name].shape == array.shape
        scale = max(1.0, float(np.max(np.abs(array), initial=0.0)))
        worst = max(worst, float(np.max(np.abs(found[name] - array), initial=0.0)) / scale)
    return worst


@pytest.mark.parametrize("start", range(0, 300, 100))
def test_random_cells_against_onnxruntime(start: int) -> None:
    for seed in range(start, start + 100):
        drawn = Drawn(seed, exact=False)
        session = onnxruntime.InferenceSession(drawn.model().SerializeToString(), providers=["CPUExecutionProvider"])
        expected = dict(zip(drawn.found(), session.run(None, drawn.inputs(np.float32)), strict=True))
        assert apart(drawn.found(), expected) < 1e-5, f"{seed}: {drawn.kind} {drawn.attributes}"


@pytest.mark.parametrize("start", range(300, 500, 100))
def test_random_cells_against_the_oracle(start: int) -> None:
    for seed in range(start, start + 100):
        drawn = Drawn(seed, exact=True)
        assert apart(drawn.found(), drawn.by_oracle()) < 1e-10, f"{seed}: {drawn.kind} {drawn.attributes}"


def test_the_random_cells_have_all_options() -> None:
    drawn = [Drawn(seed, exact=seed >= 300) for seed in range(500)]
    for name, values in {
        "direction": set(WAYS),
        "input_forget": {0, 1},
        "linear_before_reset": {0, 1},
    }.items():
        assert {d.attributes[name] for d in drawn if name in d.attributes} == values
    for name in ("B", "sequence_lens", "initial_h", "initial_c", "P"):
        assert {name in d.arrays for d in drawn if d.kind == "LSTM"} == {True, False}
    assert {n for d in drawn for n in d.attributes.get("activations", ())} == set(PARAMETERS)


def lstm(seed: int = 0) -> Drawn:
    """A node with everything in it: biases, ragged lengths, initial states, peepholes."""
    for k in range(seed, seed + 1000):
        drawn = Drawn(k, exact=False)
        full = {"B", "sequence_lens", "initial_h", "initial_c", "P"} <= set(drawn.arrays)
        plain = not drawn.attributes.get("input_forget") and "activations" not in drawn.attributes
        large = drawn.arrays["X"].shape[0] > 3 and drawn.attributes["hidden_size"] > 2
        if drawn.kind == "LSTM" and full and plain and large:
            return drawn
    raise AssertionError("no such node was drawn")


def gru() -> Drawn:
    return next(d for d in (Drawn(k, exact=False) for k in range(1000)) if d.kind == "GRU" and "B" in d.arrays)


def swapped(array: Any, first: int, second: int, count: int) -> Any:
    blocks = np.split(array, count, axis=1)
    blocks[first], blocks[second] = blocks[second], blocks[first]
    return np.concatenate(blocks, axis=1)


def mutations() -> Iterator[tuple[str, Drawn]]:
    for first, second in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)):
        wrong = lstm()
        for name, count in (("W", 4), ("R", 4)):
            wrong.arrays[name] = swapped(wrong.arrays[name], first, second, count)
        yield f"gates {first} and {second} swapped", wrong
    wrong = lstm()
    wrong.arrays["R"] = np.concatenate([m.transpose(0, 2, 1) for m in np.split(wrong.arrays["R"], 4, axis=1)], axis=1)
    yield "R transposed", wrong
    for name in ("initial_h", "initial_c"):
        wrong = lstm()
        wrong.arrays[name] = np.zeros_like(wrong.arrays[name])
        yield f"{name} ignored", wrong
    for first, second in ((0, 1), (0, 2), (1, 2)):
        wrong = lstm()
        wrong.arrays["P"] = swapped(wrong.arrays["P"], first, second, 3)
        yield f"peepholes {first} and {second} swapped", wrong
    wrong = gru()
    wrong.attributes["linear_before_reset"] = 1 - wrong.attributes["linear_before_reset"]
    yield "linear_before_reset wrong", wrong
    wrong = gru()
    wrong.arrays["W"], wrong.arrays["R"] = (swapped(wrong.arrays[name], 0, 1, 3) for name in ("W", "R"))
    yield "update and reset swapped", wrong


@pytest.mark.parametrize(
    ("name", "wrong"), list(mutations()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_wrong_cell_is_caught(name: str, wrong: Drawn) -> None:
    """What a mistake in the cell would give is what the right cell gives for arrays with that mistake in them."""
    right = lstm() if wrong.kind == "LSTM" else gru()
    assert apart(wrong.found(), right.by_oracle()) > 1e-3
    assert apart(right.found(), right.by_oracle()) < 1e-10


# Cells of our own: any curve, a projection, output weights


def test_a_projection_against_the_oracle(rng: np.random.Generator) -> None:
    w, r, m = rng.normal(size=(12, 2)), rng.normal(size=(12, 2)), rng.normal(size=(2, 3))
    x, h, c = rng.normal(size=(5, 4, 2)), rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    run = run_sequence(
        LSTM(input_weights=w, recurrent_weights=r, projection=m), x, lengths=[5, 0, 3, 1], initial={"h": h, "c": c}
    )
    expected = oracle.lstm(
        X=x,
        W=w[np.newaxis],
        R=r[np.newaxis],
        initial_h=h[np.newaxis],
        initial_c=c[np.newaxis],
        projection=m[np.newaxis],
        sequence_lens=np.array([5, 0, 3, 1]),
    )
    np.testing.assert_allclose(run.outputs, expected[0][:, 0], atol=1e-12)
    np.testing.assert_allclose(run.states["h"], expected[1][0], atol=1e-12)
    np.testing.assert_allclose(run.states["c"], expected[2][0], atol=1e-12)


def test_an_elman_network_with_any_gain_curve(rng: np.random.Generator) -> None:
    w, u, b, v, c = (rng.normal(size=s) for s in ((3, 2), (3, 3), 6, (1, 3), 1))
    f, g = Arctan(gain=2.0), Tanh(gain=0.5)
    cell = RNN(
        input_weights=w,
        recurrent_weights=u,
        bias=b,
        activations=(f,),
        output_weights=v,
        output_bias=c,
        output_activation=g,
    )
    x, h = rng.normal(size=(6, 2)), np.zeros(3)
    run = run_sequence(cell, x)
    for k in range(6):
        h = f.value(w @ x[k] + u @ h + b[:3] + b[3:])
        np.testing.assert_allclose(run.outputs[k, 0], g.value(v @ h + c), atol=1e-14)
    np.testing.assert_allclose(run.states["h"][0], h, atol=1e-14)


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
def test_the_jacobian_of_a_step(kind: Any, rng: np.random.Generator) -> None:
    gates = len(kind.gates)
    program = MapProgram(
        [kind(input_weights=rng.normal(size=(3 * gates, 2)), recurrent_weights=rng.normal(size=(3 * gates, 3))).graph()]
    )
    h, u = rng.normal(size=program.size), rng.normal(size=2)
    found = program.jacobian(h, u)
    found = found if isinstance(found, np.ndarray) else found.toarray()
    for j, kick in enumerate(np.eye(program.size) * 1e-6):
        slope = (program.step(h + kick, u)[0] - program.step(h - kick, u)[0]) / 2e-6
        np.testing.assert_allclose(found[:, j], slope, atol=1e-8)


# In and out


def two_layers(rng: np.random.Generator, kind: Any, **options: Any) -> Stack:
    def cell(inputs: int) -> Any:
        rows = 3 * len(kind.gates)
        arrays = (rng.normal(size=s) for s in ((rows, inputs), (rows, 3), 2 * rows))
        w, r, b = arrays
        return kind(input_weights=w, recurrent_weights=r, bias=b, **options)

    return Stack(layers=(Layer(forward=cell(2), backward=cell(2)), Layer(forward=cell(6))))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (LSTM, {"clip": 2.0}),
        (GRU, {"linear_before_reset": True}),
        (RNN, {"activations": (Tanh(gain=2.0, amplitude=0.5),)}),
    ],
)
def test_what_goes_to_onnx_comes_back(
    kind: Any, options: dict[str, Any], rng: np.random.Generator, tmp_path: Path
) -> None:
    stack = two_layers(rng, kind, **options)
    x = rng.normal(size=(5, 3, 2))
    expected, states = run_layers(stack, x)
    path = tmp_path / "model.onnx"
    onnx.save(to_onnx(stack, dtype="float64"), path)
    found = run_model(from_onnx(path), {"x": x})
    np.testing.assert_allclose(found["y"], expected, atol=1e-14)
    np.testing.assert_allclose(found["h_1"], states[1]["h"], atol=1e-14)
    if kind is not LSTM:  # onnxruntime's clip is wrong
        session = onnxruntime.InferenceSession(to_onnx(stack).SerializeToString(), providers=["CPUExecutionProvider"])
        y = session.run(["y"], {"x": x.astype(np.float32)})[0]
        np.testing.assert_allclose(expected, y, atol=1e-5)


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_activation_against_onnxruntime_in_and_out(name: str, rng: np.random.Generator) -> None:
    """An RNN with one activation, its parameters given and left out; short, so that float32 rounds little away."""
    w, r = (0.5 * rng.normal(size=(1, 4, n)).astype(np.float32) for n in (3, 4))
    x = rng.normal(size=(4, 2, 3)).astype(np.float32)
    for given in [PARAMETERS[name]] if name == "ScaledTanh" else [PARAMETERS[name], ()]:
        values = {"activation_alpha": given[:1], "activation_beta": given[1:]}
        attributes = {what: value for what, value in values.items() if value}
        node = helper.make_node("RNN", ["x", "W", "R"], ["Y"], hidden_size=4, activations=[name], **attributes)
        weights = [onnx.numpy_helper.from_array(array, what) for array, what in ((w, "W"), (r, "R"))]
        inputs, outputs = (
            [helper.make_tensor_value_info(what, onnx.TensorProto.FLOAT, shape)]
            for what, shape in (("x", x.shape), ("Y", None))
        )
        graph = helper.make_graph([node], "one", inputs, outputs, weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        (layer,) = from_onnx(model).layers
        ours = run_layers(layer, x)[0]
        # Left out, onnxruntime takes 0 for these two, where ONNX says what an operator of the name has by default.
        own = () if not given and name in ("Affine", "ThresholdedRelu") else (model,)
        for written in (*own, to_onnx(layer)):
            session = onnxruntime.InferenceSession(written.SerializeToString(), providers=["CPUExecutionProvider"])
            assert apart({"y": ours}, {"y": session.run(None, {"x": x})[0].reshape(ours.shape)}) < 1e-5


@pytest.mark.parametrize("form", ["mapping", ".npz", ".safetensors"])
@pytest.mark.parametrize(("kind", "options"), [(LSTM, {}), (GRU, {"linear_before_reset": True}), (RNN, {})])
def test_what_goes_to_torch_comes_back(
    kind: Any, options: Any, form: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    stack = two_layers(rng, kind, **options)
    state = {f"rnn.{name}": array for name, array in to_torch(stack).items()} | {"head.weight": np.zeros((1, 3))}
    given: Any = state
    if form == ".npz":
        given = tmp_path / "state.npz"
        np.savez(given, **state)
    if form == ".safetensors":
        from safetensors.numpy import save_file

        given = tmp_path / "state.safetensors"
        save_file({name: np.ascontiguousarray(a) for name, a in state.items()}, given)
    x = rng.normal(size=(4, 2, 2))
    np.testing.assert_array_equal(run_layers(from_torch(given, prefix="rnn."), x)[0], run_layers(stack, x)[0])


def wrong_states(rng: np.random.Generator) -> dict[str, tuple[Any, str, str]]:
    cell = {name: rng.normal(size=shape) for name, shape in (("weight_ih", (8, 3)), ("weight_hh", (8, 2)))}
    layer = {f"{name}_l0": array for name, array in cell.items()}
    return {
        "both": (cell | layer, "", "weights: 'weight_ih' is of one cell and 'weight_ih_l0' of a layer"),
        "half a cell": ({"weight_ih": cell["weight_ih"]}, "", "weights: weight_hh is missing"),
        "a prefix": (
            {f"enc.c.{name}": array for name, array in cell.items()} | {"lstm.weight_ih_l0": layer["weight_ih_l0"]},
            "enc.",
            "weight 'enc.c.weight_ih': no LSTM, GRU or RNN has this name; give its `prefix`: 'enc.c.', 'lstm.'",
        ),
        "a bias": (
            cell | {"bias_ih": np.zeros(6)},
            "",
            "bias_ih: has shape (6,): must have shape (8,)",
        ),
        "no hidden element": (
            {"weight_ih_l0": np.zeros((8, 3)), "weight_hh_l0": np.zeros((8, 0))},
            "",
            "weight_ih_l0 and weight_hh_l0: shapes (8, 3) and (8, 0) are not those of an LSTM, GRU or RNN",
        ),
        "a projection": (
            layer | {"weight_hr_l0": np.zeros(2)},
            "",
            "weight_ih_l0 and weight_hh_l0: shapes (8, 3) and (8, 2) are not those of an LSTM, GRU or RNN",
        ),
    }


@pytest.mark.parametrize("name", wrong_states(np.random.default_rng(0)))
def test_weights_that_are_not_those_of_pytorch_are_refused(name: str, rng: np.random.Generator) -> None:
    state, prefix, message = wrong_states(rng)[name]
    with pytest.raises(InputError) as refused:
        from_torch(state, prefix=prefix)
    assert str(refused.value) == message


@pytest.mark.parametrize("rows", [2, 6, 8])
@pytest.mark.parametrize("prefix", ["", "cell.", "cells.0."])
@pytest.mark.parametrize("bias", [True, False])
def test_the_weights_of_one_cell_of_pytorch(rows: int, prefix: str, bias: bool, rng: np.random.Generator) -> None:
    shapes = {"weight_ih": (rows, 3), "weight_hh": (rows, 2), "bias_ih": (rows,), "bias_hh": (rows,)}
    state = {name: rng.normal(size=shape) for name, shape in shapes.items() if bias or name.startswith("weight")}
    x = rng.normal(size=(5, 2, 3))
    found, _ = run_layers(from_torch({f"{prefix}{name}": a for name, a in state.items()}, prefix=prefix), x)
    expected, _ = run_layers(from_torch({f"{name}_l0": a for name, a in state.items()}), x)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
def test_layers_of_a_batch_of_no_sequence(kind: Any, rng: np.random.Generator) -> None:
    stack = two_layers(rng, kind)
    for steps, lengths in ((4, None), (4, []), (0, None)):
        y, states = run_layers(stack, np.zeros((steps, 0, 2)), lengths=lengths)
        assert y.shape == (steps, 0, 3)
        assert [layer["h"].shape for layer in states] == [(2, 0, 3), (1, 0, 3)]
    run = run_sequence(stack.layers[1].cells[0], np.zeros((4, 0, 6)), reverse=True, initial={"h": np.zeros((0, 3))})
    assert (run.outputs.shape, run.states["h"].shape) == ((4, 0, 3), (0, 3))
    found = run_model(from_onnx(to_onnx(stack)), {"x": np.zeros((4, 0, 2))})
    assert (found["y"].shape, found["h_0"].shape) == ((4, 0, 3), (2, 0, 3))


def test_the_gates_of_torch_stand_in_torchs_order(rng: np.random.Generator) -> None:
    """The equations of PyTorch's documentation: LSTM i, f, g, o; GRU r, z, n."""

    def sigmoid(a: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-a))

    x, h, c = rng.normal(size=2), rng.normal(size=3), rng.normal(size=3)
    state = {"weight_ih_l0": rng.normal(size=(12, 2)), "weight_hh_l0": rng.normal(size=(12, 3))}
    state |= {"bias_ih_l0": rng.normal(size=12), "bias_hh_l0": rng.normal(size=12)}
    total = state["weight_ih_l0"] @ x + state["bias_ih_l0"] + state["weight_hh_l0"] @ h + state["bias_hh_l0"]
    i, f, g, o = np.split(total, 4)
    cell = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    expected = sigmoid(o) * np.tanh(cell)
    found, _ = run_layers(from_torch(state), x[np.newaxis, np.newaxis], initial=[{"h": [[h]], "c": [[c]]}])
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-14)

    state = {name: array[:9] for name, array in state.items()}
    (ri, zi, ni), (rh, zh, nh) = (
        np.split(state[f"weight_{k}_l0"] @ v + state[f"bias_{k}_l0"], 3) for k, v in (("ih", x), ("hh", h))
    )
    z = sigmoid(zi + zh)
    expected = (1.0 - z) * np.tanh(ni + sigmoid(ri + rh) * nh) + z * h
    found, _ = run_layers(from_torch(state), x[np.newaxis, np.newaxis], initial=[{"h": [[h]]}])
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-14)


def test_a_model_as_pytorch_exports_it(rng: np.random.Generator) -> None:
    """Batch first, initial states by Shape and Expand, the last step through a linear layer."""
    w, r, b = rng.normal(size=(1, 12, 2)), rng.normal(size=(1, 12, 3)), rng.normal(size=(1, 24))
    head, offset = rng.normal(size=(1, 3)), rng.normal(size=1)
    make, array = helper.make_node, onnx.numpy_helper.from_array
    nodes = [
        make("Transpose", ["input"], ["x"], perm=[1, 0, 2]),
        make("Shape", ["input"], ["shape"], start=0, end=1),
        make("Constant", [], ["one"], value=array(np.array([1]))),
        make("Constant", [], ["size"], value=array(np.array([3]))),
        make("Concat", ["one", "shape", "size"], ["full"], axis=0),
        make("ConstantOfShape", ["full"], ["zero"], value=array(np.zeros(1, dtype=np.float32))),
        make("LSTM", ["x", "W", "R", "B", "", "zero", "zero"], ["Y", "Yh", "Yc"], hidden_size=3),
        make("Squeeze", ["Y", "one"], ["y"]),
        make("Transpose", ["y"], ["first"], perm=[1, 0, 2]),
        make("Gather", ["first", "last"], ["end"], axis=1),
        make("Gemm", ["end", "head", "offset"], ["output"], transB=1),
    ]
    constants = {"W": w, "R": r, "B": b, "head": head, "offset": offset}
    weights = [array(value.astype(np.float32), name) for name, value in constants.items()]
    weights.append(array(np.array(-1), "last"))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "exported",
        [value("input", onnx.TensorProto.FLOAT, ["batch", "time", 2])],
        [value("output", onnx.TensorProto.FLOAT, ["batch", 1])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    x = rng.normal(size=(4, 6, 2)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = run_model(from_onnx(model), {"input": x.astype(np.float64)})
    np.testing.assert_allclose(found["output"], session.run(None, {"input": x})[0], atol=1e-5)


# What is refused, by name


def node(op: str = "LSTM", inputs: str = "XWR", **attributes: Any) -> Any:
    made = helper.make_node(op, list(inputs), ["Y"], "n", **attributes)
    weights = [
        onnx.numpy_helper.from_array(np.ones(s, dtype=np.float32), n) for n, s in (("W", (1, 8, 2)), ("R", (1, 8, 2)))
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph([made], "g", [value("X", 1, None), value("B", 1, None)], [value("Y", 1, None)], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


SUPPORTED = ", ".join(["LSTM", "GRU", "RNN", *sorted(["Constant", *NODES])])
REFUSED = {
    "another node": (
        node("Einsum", "X", equation="i"),
        f"node 'n' (Einsum) is not supported: must be one of {SUPPORTED}",
    ),
    "an attribute": (
        node(linear_before_reset=1),
        "node 'n' (LSTM): the attribute 'linear_before_reset' is not supported",
    ),
    "an activation": (
        node(activations=["Swish", "Tanh", "Tanh"]),
        "activation 'Swish' is not supported: must be one of Sigmoid, Tanh, Relu, Affine, ScaledTanh, HardSigmoid, "
        "LeakyRelu, ThresholdedRelu, Elu, Softsign, Softplus",
    ),
    "a parameter without default": (
        node(activations=["ScaledTanh", "Tanh", "Tanh"]),
        "activation 'ScaledTanh': must have its alpha and beta; ONNX has no default for them",
    ),
    "a parameter too many": (
        node(activations=["HardSigmoid", "Tanh", "Tanh"], activation_alpha=[0.2, 0.3]),
        "node 'n' (LSTM): has more values of activation_alpha or _beta than its activations take",
    ),
    "too few activations": (node(activations=["Tanh"]), "node 'n' (LSTM): has 1 activations: must have 3"),
    "a direction": (
        node(direction="backward"),
        "node 'n' (LSTM): direction 'backward': must be one of forward, reverse, bidirectional",
    ),
    "weights that are not there": (
        node(inputs="XWRB"),
        "node 'n' (LSTM): B is 'B', which is not a constant; give it in `constants`",
    ),
    "another hidden size": (node(hidden_size=4), "node 'n' (LSTM): hidden_size is 4, and R has shape (1, 8, 2)"),
    "directions": (
        node(direction="bidirectional"),
        "node 'n' (LSTM): W has shape (1, 8, 2): must have 2 directions",
    ),
}


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_supported_is_refused_by_name(model: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        from_onnx(model)
    assert str(refused.value) == message


def refusals(rng: np.random.Generator) -> dict[str, tuple[Any, str]]:
    w, r = rng.normal(size=(8, 2)), rng.normal(size=(8, 2))
    plain = LSTM(input_weights=w, recurrent_weights=r)
    bad = LSTM(input_weights=w, recurrent_weights=r, activations=(Arctan(), Tanh(), Tanh()))
    return {
        "shape of R": (
            lambda: LSTM(input_weights=w, recurrent_weights=r[:, :1]),
            "`LSTM.recurrent_weights` has shape (8, 1): must have shape (8, 2)",
        ),
        "rows of W": (
            lambda: GRU(input_weights=w, recurrent_weights=r),
            "`GRU.input_weights` has shape (8, 2): must be (3 H, I)",
        ),
        "a number of activations": (
            lambda: LSTM(input_weights=w, recurrent_weights=r, activations=(Tanh(),)),
            "`LSTM.activations` = Tanh: must be 3 functions by element",
        ),
        "a clip": (
            lambda: LSTM(input_weights=w, recurrent_weights=r, clip=-1.0),
            "`LSTM.clip = -1.0`: must be positive",
        ),
        "output without weights": (
            lambda: RNN(input_weights=w, recurrent_weights=np.ones((8, 8)), output_activation=Tanh()),
            "`RNN.output_weights` is missing: an output activation or bias needs them",
        ),
        "no cell": (lambda: Layer(), "`Layer` has no cell: give `forward`, `backward`, or both"),
        "sizes of layers": (
            lambda: Stack(layers=(Layer(forward=plain, backward=plain), Layer(forward=plain))),
            "`Stack.layers[0]` gives 4 elements and the next one takes 2; make the sizes meet",
        ),
        "inputs": (lambda: run_sequence(plain, np.zeros((3, 1, 5))), "`inputs` has shape (3, 1, 5): must be (T, B, 2)"),
        "lengths": (
            lambda: run_sequence(plain, np.zeros((3, 2, 2)), lengths=[3, 4]),
            "`lengths[1]` = 4: must be a whole number from 0 to 3",
        ),
        "initial": (
            lambda: run_sequence(plain, np.zeros((3, 2, 2)), initial={"s": 0.0}),
            "`initial` names 's': must be one of h, c",
        ),
        "a curve that ONNX lacks": (
            lambda: to_onnx(Layer(forward=bad)),
            "Arctan with {'gain': 1.0, 'amplitude': 1.0}: ONNX has no such activation; use one that it has",
        ),
        "a curve that PyTorch lacks": (
            lambda: to_torch(Layer(forward=bad)),
            "to_torch: PyTorch has no LSTM with activations other than its own; keep it as ONNX",
        ),
        "a name of PyTorch": (
            lambda: from_torch({"fc.weight": w}),
            "weight 'fc.weight': no LSTM, GRU or RNN has this name; give its `prefix`",
        ),
        "a prefix": (
            lambda: from_torch({"fc.weight": w}, prefix="a."),
            "weights: nothing begins with the prefix 'a.'; there is fc.weight",
        ),
        "a pickle": (
            lambda: from_torch("state.pt"),
            "state.pt: must be an .npz or a .safetensors file; other files of PyTorch hold pickles",
        ),
    }


@pytest.mark.parametrize("name", refusals(np.random.default_rng(0)))
def test_wrong_input_is_refused(name: str, rng: np.random.Generator) -> None:
    act, message = refusals(rng)[name]
    with pytest.raises(InputError) as refused:
        act()
    assert str(refused.value) == message


def test_a_polynomial_of_degree_two_is_no_activation_of_onnx(rng: np.random.Generator) -> None:
    cell = RNN(
        input_weights=[[1.0]],
        recurrent_weights=[[1.0]],
        activations=(Polynomial(coefficients=np.array([0.0, 1.0, 2.0])),),
    )
    with pytest.raises(InputError, match="ONNX has no such activation"):
        to_onnx(Layer(forward=cell))


def test_a_file_that_is_not_onnx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"not a model")
    with pytest.raises(InputError, match=r"^x\.onnx: is not an ONNX model \("):
        from_onnx(tmp_path / "x.onnx")
    with pytest.raises(InputError, match=r"^y\.onnx: cannot be read \("):
        from_onnx(tmp_path / "y.onnx")
