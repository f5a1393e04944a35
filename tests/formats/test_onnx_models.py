"""Whole ONNX models as exporters write them: weights behind other nodes, cells taken apart, files without shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_graphs import built, by_onnxruntime

from hopfield_hw.equations.models import run_model
from hopfield_hw.equations.sequences import run_layers
from hopfield_hw.formats import from_onnx, from_torch
from hopfield_hw.values.errors import InputError

Rng = np.random.Generator
GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}  # of PyTorch, in the order of ONNX


class Writer:
    """Nodes and weights of a model, in the form that its opset has."""

    def __init__(self, opset: int = 20) -> None:
        self.opset, self.nodes, self.weights = opset, [], {}  # type: ignore[var-annotated]

    def weight(self, array: Any, *, node: bool = False) -> str:
        """Add an initializer, or a Constant."""
        name = f"w{len(self.weights) + len(self.nodes)}"
        if node:
            self.nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array)))
        else:
            self.weights[name] = array
        return name

    def ints(self, *values: int) -> str:
        return self.weight(np.array(values, dtype=np.int64), node=len(self.nodes) % 2 == 0)

    def node(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        names = [f"n{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, f"{op.lower()}_{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def axes(self, op: str, x: str, *axes: int) -> str:
        """Squeeze or Unsqueeze."""
        if self.opset < 13:
            return str(self.node(op, x, axes=list(axes)))
        return str(self.node(op, x, self.ints(*axes)))

    def slice(self, x: str, start: int, end: int | str, *, axis: int = 0) -> str:
        if self.opset < 10:
            return str(self.node("Slice", x, starts=[start], ends=[end], axes=[axis]))
        stop = end if isinstance(end, str) else self.ints(end)
        return str(self.node("Slice", x, self.ints(start), stop, self.ints(axis)))

    def parts(self, x: str, sizes: list[int], *, axis: int = 0) -> list[str]:
        """Split."""
        if self.opset < 13:
            return list(self.node("Split", x, outputs=len(sizes), axis=axis, split=sizes))
        return list(self.node("Split", x, self.ints(*sizes), outputs=len(sizes), axis=axis))

    def model(self, inputs: dict[str, Any], outputs: list[str]) -> Any:
        return built(self.nodes, inputs, outputs, self.weights, opset=self.opset)


def state_of(rng: Rng, kind: str, size: int, inputs: int, layers: int = 1, ways: int = 1) -> dict[str, Any]:
    """Weights as PyTorch names and orders them."""
    rows, found = size * len(GATES[kind]), {}
    for k in range(layers):
        for suffix in [f"_l{k}", f"_l{k}_reverse"][:ways]:
            width = inputs if k == 0 else size * ways
            shapes = {"weight_ih": (rows, width), "weight_hh": (rows, size), "bias_ih": (rows,), "bias_hh": (rows,)}
            found |= {f"{name}{suffix}": rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return found


def exported(
    w: Writer, state: dict[str, Any], kind: str, size: int, layers: int, ways: int, *, by_shape: bool
) -> tuple[list[str], list[str]]:
    """The layers as the exporter of PyTorch (torchlib's aten_lstm and aten_gru) writes them; "x" and "h" go in.

    `by_shape`: gates are cut at multiples of what a Shape of the initial state gives, as without its optimiser.
    """
    gates = len(GATES[kind])
    sizes = []
    if by_shape:
        one = w.node("Shape", "h", start=2, end=3)
        sizes = [w.ints(0), *(one if k == 1 else w.node("Mul", one, w.ints(k)) for k in range(1, gates + 1))]
    x, last = "x", []

    def ordered(name: str) -> str:
        array = w.weight(state[name])
        blocks = [
            w.node("Slice", array, sizes[k], sizes[k + 1], w.ints(0))
            if by_shape
            else w.slice(array, k * size, (k + 1) * size)
            for k in GATES[kind]
        ]
        return str(w.node("Concat", *blocks, axis=0) if gates > 1 else blocks[0])

    for k in range(layers):
        suffixes = [f"_l{k}", f"_l{k}_reverse"][:ways]
        joined = []
        for names in (("weight_ih",), ("weight_hh",), ("bias_ih", "bias_hh")):
            arrays = []
            for suffix in suffixes:
                one, *others = [ordered(f"{name}{suffix}") for name in names]
                arrays.append(w.axes("Unsqueeze", w.node("Concat", one, *others, axis=0) if others else one, 0))
            joined.append(arrays[0] if ways == 1 else w.node("Concat", *arrays, axis=0))
        start = w.slice("h", k * ways, (k + 1) * ways)
        states = [start, start] if kind == "LSTM" else [start]
        options: dict[str, Any] = {"direction": "forward" if ways == 1 else "bidirectional", "hidden_size": size}
        if kind == "GRU":
            options["linear_before_reset"] = 1
        y, *ends = w.node(kind, x, *joined, "", *states, outputs=1 + len(states), **options)
        y = w.node("Transpose", y, perm=[0, 2, 1, 3])
        x = w.node("Reshape", y, w.ints(0, 0, size * ways))
        last.append(ends)
    joined = [column[0] if layers == 1 else w.node("Concat", *column, axis=0) for column in zip(*last, strict=True)]
    return [x], joined


@pytest.mark.parametrize("by_shape", [False, True])
@pytest.mark.parametrize("kind", GATES)
def test_layers_as_pytorch_exports_them(kind: str, by_shape: bool, rng: Rng, tmp_path: Path) -> None:
    for layers, ways, opset in ((1, 1, 18), (1, 2, 20), (2, 1, 21), (2, 2, 18), (1, 1, 9), (2, 2, 11)):
        if by_shape and opset < 15:
            continue
        state = state_of(rng, kind, 3, 2, layers, ways)
        w = Writer(opset)
        inputs = {"x": rng.normal(size=(5, 4, 2)), "h": rng.normal(size=(layers * ways, 4, 3))}
        inputs = {name: array.astype(np.float32) for name, array in inputs.items()}
        y, ends = exported(w, state, kind, 3, layers, ways, by_shape=by_shape)
        model = w.model(inputs, [*y, *ends])
        onnx.save(model, tmp_path / "model.onnx")
        read = from_onnx(tmp_path / "model.onnx")
        found, right = run_model(read, inputs), by_onnxruntime(model, inputs)
        for name in right:
            np.testing.assert_allclose(found[name], right[name], atol=1e-5, err_msg=f"{kind} {layers} {ways} {opset}")
        parts = np.split(inputs["h"], layers)
        start = [{"h": part, "c": part} if kind == "LSTM" else {"h": part} for part in parts]
        stack = from_torch(state)
        np.testing.assert_allclose(found[y[0]], run_layers(stack, inputs["x"], initial=start)[0], atol=1e-12)
        # Nothing is left of the nodes that ordered the weights; those of the shape of the state are gone with them.
        assert not {"Mul", "Unsqueeze"} & {step.op for step in read.steps}


def chained(w: Writer, rng: Rng, array: Any) -> str:
    """A constant behind nodes that give it in the end, drawn at random."""
    for _ in range(int(rng.integers(1, 4))):
        axis = int(rng.integers(array.ndim))
        rest = [int(n) for n in array.shape]
        kinds = ["slice", "concat", "transpose", "reshape", "unsqueeze", "squeeze", "identity", "cast", "split"]
        kinds += ["add", "mul", "gather", "sub", "div", "neg", "expand", "where"]
        kind = str(rng.choice(kinds))
        below = chained_once(w, rng, array, kind, axis, rest)
        if below is not None:
            return below
    return w.weight(array, node=bool(rng.integers(2)))


def chained_once(w: Writer, rng: Rng, array: Any, kind: str, axis: int, shape: list[int]) -> str | None:
    def inner(value: Any) -> str:
        return chained(w, rng, np.ascontiguousarray(value)) if rng.integers(2) else w.weight(value)

    match kind:
        case "slice":
            longer = np.concatenate([array, array[:1] + 1.0], axis=0)
            return w.slice(inner(longer), 0, shape[0])
        case "concat":
            cut = int(rng.integers(shape[axis] + 1))
            if 0 < cut < shape[axis]:
                first, second = np.split(array, [cut], axis=axis)
                return str(w.node("Concat", inner(first), inner(second), axis=axis))
        case "transpose":
            order = rng.permutation(array.ndim)
            return str(w.node("Transpose", inner(array.transpose(np.argsort(order))), perm=order.tolist()))
        case "reshape":
            return str(w.node("Reshape", inner(array.reshape(-1)), w.ints(*shape[:-1], -1)))
        case "unsqueeze":
            if 1 in shape[1:] or (shape[0] == 1 and len(shape) > 1):
                k = shape.index(1)
                return w.axes("Unsqueeze", inner(np.squeeze(array, k)), k)
        case "squeeze":
            return w.axes("Squeeze", inner(array[np.newaxis]), 0)
        case "identity":
            return str(w.node("Identity", inner(array)))
        case "cast":
            return str(w.node("Cast", w.weight(array.astype(np.float64)), to=onnx.TensorProto.FLOAT))
        case "split":
            both = np.concatenate([array, array + 1.0], axis=axis)
            return w.parts(inner(both), [shape[axis]] * 2, axis=axis)[0]
        case "add" | "sub":
            half = np.round(array)
            other = array - half if kind == "add" else half - array
            return str(w.node(kind.capitalize(), inner(half), inner(other)))
        case "mul" | "div":
            factor = np.array(0.5, dtype=np.float32)
            value = array / factor if kind == "mul" else array * factor
            return str(w.node(kind.capitalize(), inner(value), w.weight(factor)))
        case "neg":
            return str(w.node("Neg", inner(-array)))
        case "gather":
            order = rng.permutation(shape[axis])
            return str(w.node("Gather", inner(np.take(array, np.argsort(order), axis=axis)), w.ints(*order), axis=axis))
        case "expand":
            return str(w.node("Expand", inner(array), w.ints(*shape)))
        case "where":
            return str(w.node("Where", w.weight(array > 0.0), inner(array), inner(np.minimum(array, 0.0))))
    return None


@pytest.mark.parametrize("start", [0, 40])
def test_weights_behind_any_constant_nodes(start: int) -> None:
    for seed in range(start, start + 40):
        rng = np.random.default_rng([4, seed])
        kind, opset = str(rng.choice(list(GATES))), int(rng.choice([9, 10, 11, 12, 13, 18, 21, 23]))
        w, rows = Writer(opset), 2 * len(GATES[kind])
        shapes = ((1, rows, 3), (1, rows, 2), (1, 2 * rows))
        weights = [chained(w, rng, rng.normal(size=shape).astype(np.float32)) for shape in shapes]
        y = w.node(kind, "x", *weights, hidden_size=2)
        x = rng.normal(size=(4, 2, 3)).astype(np.float32)
        model = w.model({"x": x}, [y])
        read = from_onnx(model)
        assert [step.op for step in read.steps] == [kind], seed
        right = by_onnxruntime(model, {"x": x})[y]
        np.testing.assert_allclose(run_model(read, {"x": x})[y], right, atol=1e-5, err_msg=str(seed))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("opset", [9, 11, 13, 18, 21])
def test_a_cell_that_is_taken_apart(kind: str, opset: int, rng: Rng) -> None:
    """Gemm, Split, Sigmoid, Tanh and Mul, as an exported nn.LSTMCell or nn.GRUCell; its weights alone read as well."""
    state = {name.removesuffix("_l0"): array for name, array in state_of(rng, kind, 3, 2).items()}
    w = Writer(opset)
    sums = [
        w.node("Gemm", into, w.weight(state[f"weight_{k}"]), w.weight(state[f"bias_{k}"]), transB=1)
        for k, into in (("ih", "x"), ("hh", "h"))
    ]
    if kind == "LSTM":
        i, f, g, o = w.parts(w.node("Add", *sums), [3] * 4, axis=1)
        kept, new = w.node("Mul", w.node("Sigmoid", f), "c"), w.node("Mul", w.node("Sigmoid", i), w.node("Tanh", g))
        h = w.node("Mul", w.node("Sigmoid", o), w.node("Tanh", w.node("Add", kept, new)))
    else:
        (ri, zi, ni), (rh, zh, nh) = (w.parts(total, [3] * 3, axis=1) for total in sums)
        r, z = (w.node("Sigmoid", w.node("Add", a, b)) for a, b in ((ri, rh), (zi, zh)))
        new = w.node("Tanh", w.node("Add", ni, w.node("Mul", r, nh)))
        h = w.node("Add", new, w.node("Mul", z, w.node("Sub", "h", new)))
    names = {"x": (4, 2), "h": (4, 3), "c": (4, 3)} if kind == "LSTM" else {"x": (4, 2), "h": (4, 3)}
    inputs = {name: rng.normal(size=shape).astype(np.float32) for name, shape in names.items()}
    model = w.model(inputs, [h])
    found = run_model(from_onnx(model), inputs)[h]
    np.testing.assert_allclose(found, by_onnxruntime(model, inputs)[h], atol=1e-6)
    start = {name: inputs[name][np.newaxis] for name in inputs if name != "x"}
    for prefix in ("", "cell.", "encoder.cells.0."):
        stack = from_torch({f"{prefix}{name}": array for name, array in state.items()}, prefix=prefix)
        y, _ = run_layers(stack, inputs["x"][np.newaxis], initial=[start])
        np.testing.assert_allclose(found, y[0], atol=1e-12)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("layout", [0, 1])
def test_a_batch_of_no_sequence(kind: str, direction: str, layout: int, rng: Rng) -> None:
    """The shapes are those of onnxruntime, which runs an RNN of no sequence and refuses an LSTM or a GRU of none."""
    ways, rows = 1 + (direction == "bidirectional"), 2 * len(GATES[kind])
    w = Writer()
    weights = [w.weight(rng.normal(size=(ways, rows, n)).astype(np.float32)) for n in (3, 2)]
    y, yh = w.node(kind, "x", *weights, hidden_size=2, direction=direction, layout=layout, outputs=2)
    x = np.zeros((4, 0, 3) if layout == 0 else (0, 4, 3), dtype=np.float32)
    if kind == "RNN" and layout == 0:
        right = by_onnxruntime(w.model({"x": x}, [y, yh]), {"x": x})
        assert (right[y].shape, right[yh].shape) == ((4, ways, 0, 2), (ways, 0, 2))
    flat = w.node("Reshape", w.node("Transpose", y, perm=[0, 2, 1, 3]), w.ints(0, 0, -1))
    found = run_model(from_onnx(w.model({"x": x}, [y, yh, *([flat] if layout == 0 else [])])), {"x": x})
    if layout == 0:
        assert (found[y].shape, found[yh].shape, found[flat].shape) == ((4, ways, 0, 2), (ways, 0, 2), (4, 0, 2 * ways))
    else:
        assert (found[y].shape, found[yh].shape) == ((0, 4, ways, 2), (0, ways, 2))


def test_a_sequence_of_length_zero_keeps_its_initial_state(rng: Rng) -> None:
    """As the docstring of run_model says; onnxruntime gives 0 there, and the same for the other sequence."""
    w = Writer()
    weights = [w.weight(rng.normal(size=(1, 6, n)).astype(np.float32)) for n in (3, 2)]
    lengths, start = w.weight(np.array([3, 0], dtype=np.int32)), rng.normal(size=(1, 2, 2)).astype(np.float32)
    y, yh = w.node("GRU", "x", *weights, "", lengths, w.weight(start), hidden_size=2, outputs=2)
    x = rng.normal(size=(3, 2, 3)).astype(np.float32)
    model = w.model({"x": x}, [y, yh])
    found, right = run_model(from_onnx(model), {"x": x}), by_onnxruntime(model, {"x": x})
    np.testing.assert_allclose(found[y], right[y], atol=1e-6)
    np.testing.assert_allclose(found[yh][:, 0], right[yh][:, 0], atol=1e-6)
    np.testing.assert_array_equal(found[yh][:, 1], start[:, 1])
    np.testing.assert_array_equal(right[yh][:, 1], 0.0)


# What cannot be read, and what cannot be run


def mixed() -> Writer:
    """An LSTM between nodes that are not supported."""
    w = Writer()
    weights = [w.weight(np.ones((8, n), dtype=np.float32)) for n in (3, 2)]
    x = w.node("Det", "in")
    y = w.node("LSTM", x, *(w.axes("Unsqueeze", name, 0) for name in weights), hidden_size=2)
    w.node("Det", y)
    return w


def test_a_model_that_cannot_be_read_names_what_can_be_cut_out(rng: Rng) -> None:
    w = mixed()
    lstm = next(node for node in w.nodes if node.op_type == "LSTM")
    x, y = lstm.input[0], lstm.output[0]
    model = w.model({"in": np.zeros((4, 1, 3, 3), dtype=np.float32)}, [w.nodes[-1].output[0]])
    with pytest.raises(InputError) as refused:
        from_onnx(model)
    said = f". from_onnx can cut out recurrent nodes: {lstm.name!r} (LSTM) by inputs=[{x!r}], outputs=[{y!r}]"
    assert str(refused.value).startswith("node 'det_0' (Det) is not supported: must be one of LSTM, GRU, RNN, Abs, ")
    assert str(refused.value).endswith(said)
    cut = from_onnx(model, inputs=[x], outputs=[y])
    assert [step.op for step in cut.steps] == ["LSTM"]
    given = rng.normal(size=(4, 2, 3))
    np.testing.assert_array_equal(run_model(cut, {x: given})[y][:, 0], run_layers(cut.layers[0], given)[0])


def one(op: str, *arrays: Any, opset: int = 20, outputs: int = 1, fixed: bool = True, **attributes: Any) -> Any:
    """A model of one node of the input "x" and constants."""
    w = Writer(opset)
    found = w.node(op, "x", *(w.weight(array) for array in arrays), outputs=outputs, **attributes)
    return w.model({"x": np.zeros((4, 3), dtype=np.float32)}, [found] if outputs == 1 else found)


UNREADABLE = {
    "an attribute of another opset": (
        lambda: one("Slice", starts=[1], ends=[2], opset=13),
        "node 'slice_0' (Slice): the attribute 'ends' is not supported",
    ),
    "inputs of another opset": (
        lambda: one("Slice", np.array([1]), np.array([2]), opset=9),
        "node 'slice_0' (Slice): has 3 inputs: must have 1",
    ),
    "an attribute that is missing": (
        lambda: one("Slice", opset=9),
        "node 'slice_0' (Slice): the attribute 'ends' is missing",
    ),
    "an operator of a later opset": (
        lambda: one("LayerNormalization", np.ones(3, dtype=np.float32), opset=16),
        "node 'layernormalization_0' (LayerNormalization) is not an operator of opset 16, which the model states",
    ),
    "an old opset": (
        lambda: one("Tanh", opset=6),
        f"the model is of opset 6: must be of opset 7 to {onnx.defs.onnx_opset_version()}; convert it by "
        "onnx.version_converter.convert_version",
    ),
    "a cast": (
        lambda: one("Cast", to=onnx.TensorProto.FLOAT16),
        "node 'cast_0' (Cast): casts to the element type 10: must be float32 (1), float64 (11), int32 (6), int64 (7) "
        "or bool (9)",
    ),
    "training": (
        lambda: one("Dropout", np.array(0.5, dtype=np.float32), np.array(True)),
        "node 'dropout_0' (Dropout): is in training mode; export the model in inference mode (model.eval())",
    ),
    "outputs for training": (
        lambda: one("BatchNormalization", *[np.ones(3, dtype=np.float32)] * 4, opset=9, outputs=5),
        "node 'batchnormalization_0' (BatchNormalization): has 5 outputs: must have at most 1",
    ),
    "constants that do not fit": (
        lambda: built(
            [helper.make_node("Add", ["a", "b"], ["y"], "sum")],
            {},
            ["y"],
            {"a": np.zeros(2, dtype=np.float32), "b": np.zeros(3, dtype=np.float32)},
        ),
        "node 'sum' (Add) takes arrays of shape (2,), (3,), and cannot: operands could not be broadcast together with "
        "shapes (2,) (3,) ",
    ),
    "an input that nothing gives": (
        lambda: built([helper.make_node("Tanh", ["a"], ["y"], "f")], {}, ["y"], {}),
        "node 'f' (Tanh): takes 'a', which no input or node before it gives",
    ),
    "an output that nothing gives": (
        lambda: built([helper.make_node("Tanh", ["x"], ["y"])], {"x": np.zeros(1, dtype=np.float32)}, ["z"], {}),
        "the output 'z': no node, input or initializer has this name",
    ),
    "weights without a direction": (
        lambda: one("RNN", np.ones((2, 3), dtype=np.float32), np.ones((2, 2), dtype=np.float32)),
        "node 'rnn_0' (RNN): W has shape (2, 3): must have 3 dimensions",
    ),
    "rows of weights": (
        lambda: one("LSTM", np.ones((1, 6, 3), dtype=np.float32), np.ones((1, 6, 2), dtype=np.float32)),
        "node 'lstm_0' (LSTM): `LSTM.input_weights` has shape (6, 3): must be (4 H, I)",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused_by_name(name: str) -> None:
    make, message = UNREADABLE[name]
    with pytest.raises(InputError) as refused:
        from_onnx(make())
    assert str(refused.value) == message


UNRUNNABLE = {
    "Split": (lambda: one("Split", axis=0, num_outputs=3, outputs=2), "num_outputs is 3, and there are 2 outputs"),
    "Split into equal parts": (
        lambda: one("Split", axis=1, outputs=2, opset=13),
        "3 elements cannot be split into 2 equal parts",
    ),
    "Reshape": (
        lambda: one("Reshape", np.array([5, -1])),
        "no size in the place of -1 makes the new shape [5, -1] fit",
    ),
    "Gather": (lambda: one("Gather", np.array([7])), "index 7 is out of bounds for axis 0 with size 4"),
    "TopK": (lambda: one("TopK", np.array([9]), outputs=2), "k is 9: must be from 0 to 3"),
    "MatMul": (lambda: one("MatMul", np.ones((2, 2), dtype=np.float32)), "matmul: Input operand 1 has a mismatch in"),
    "Softmax": (lambda: one("Softmax", axis=3), "axis 3 is not there"),
    "Squeeze": (lambda: one("Squeeze", np.array([0])), "cannot select an axis to squeeze out which has size not"),
}


@pytest.mark.parametrize("name", UNRUNNABLE)
def test_an_array_that_a_node_cannot_take_is_refused_by_its_name(name: str) -> None:
    make, message = UNRUNNABLE[name]
    model = from_onnx(make())
    with pytest.raises(InputError) as refused:
        run_model(model, {"x": np.zeros((4, 3))})
    step = model.steps[0]
    assert str(refused.value).startswith(f"node {step.name!r} ({step.op}) takes arrays of shape (4, 3)")
    assert f", and cannot: {message}" in str(refused.value)


@pytest.mark.parametrize(
    ("shape", "start", "message"),
    [
        ((4, 3), (1, 4, 2), "X has shape (4, 3): must have 3 dimensions"),
        ((4, 2, 3), (2, 2, 2), "initial_h has shape (2, 2, 2): must have 1 directions in 3 dimensions"),
        ((4, 2, 3), (1, 5, 2), "`initial['h']` has shape (5, 2): must have shape (2, 2)"),
        ((4, 2, 5), (1, 2, 2), "`inputs` has shape (4, 2, 5): must be (T, B, 3)"),
    ],
)
def test_what_a_recurrent_node_cannot_take(shape: Any, start: Any, message: str) -> None:
    w = Writer()
    weights = [w.weight(np.ones((1, 2, n), dtype=np.float32)) for n in (3, 2)]
    y = w.node("RNN", "x", *weights, "", "", "h", hidden_size=2)
    x = np.zeros(shape, dtype=np.float32)
    model = from_onnx(w.model({"x": x, "h": x}, [y]))
    with pytest.raises(InputError) as refused:
        run_model(model, {"x": x, "h": np.zeros(start)})
    assert str(refused.value) == f"node 'rnn_{len(w.nodes) - 1}' (RNN): {message}"
