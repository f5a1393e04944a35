"""The nodes around recurrent ones against onnxruntime, each in every version of its operator from opset 7 on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_graphs import built, by_onnxruntime

from hopfield_hw.equations.models import run_model
from hopfield_hw.formats import from_onnx
from hopfield_hw.formats.onnx.nodes import NODES

LAST = 24  # opset that is tried
Rng = np.random.Generator


class Case(NamedTuple):
    """One node: `arrays` in the order of its inputs, None for one that is left out; those of `fixed` are initializers.

    `since`, `until`: the opsets that have such a node.
    """

    op: str
    arrays: tuple[Any, ...]
    attributes: Mapping[str, Any]
    outputs: int = 1
    since: int = 7
    until: int = LAST
    fixed: tuple[int, ...] = ()


def agree(case: Case, opset: int) -> None:
    names = [f"i{k}" if array is not None else "" for k, array in enumerate(case.arrays)]
    outputs = [f"o{k}" for k in range(case.outputs)]
    node = helper.make_node(case.op, names, outputs, "n", **case.attributes)
    named = {name: array for name, array in zip(names, case.arrays, strict=True) if name}
    weights = {names[k]: case.arrays[k] for k in case.fixed}
    inputs = {name: array for name, array in named.items() if name not in weights}
    model = built([node], inputs, outputs, weights, opset=opset)
    found = run_model(from_onnx(model), inputs)
    for name, right in by_onnxruntime(model, inputs).items():
        said = f"{case.op} of opset {opset}, {dict(case.attributes)}, {name}"
        assert found[name].shape == right.shape, said
        assert found[name].dtype.kind == right.dtype.kind, said
        np.testing.assert_allclose(found[name], right, rtol=2e-5, atol=2e-6, err_msg=said)


def versions(op: str) -> list[int]:
    """The first opset, from 7 to LAST, of each version of an operator."""
    found: dict[int, int] = {}
    for opset in range(7, LAST + 1):
        try:
            found.setdefault(onnx.defs.get_schema(op, opset, "").since_version, opset)
        except onnx.defs.SchemaError:
            continue
    return list(found.values())


def reals(rng: Rng, *shape: int) -> Any:
    return rng.normal(size=shape).astype(np.float32)


def ints(*values: int) -> Any:
    return np.array(values, dtype=np.int64)


BY_ELEMENT = (
    *("Abs", "Ceil", "Cos", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu"),
    *("Neg", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softplus", "Softsign", "Tanh", "ThresholdedRelu"),
    *("Shape", "Size"),
)
OF_POSITIVE = ("Log", "Reciprocal", "Sqrt")
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "Elu": ("alpha",),
    "HardSigmoid": ("alpha", "beta"),
    "LeakyRelu": ("alpha",),
    "Selu": ("alpha", "gamma"),
    "ThresholdedRelu": ("alpha",),
}
OF_TWO = ("Add", "Div", "Mul", "Sub")
COMPARISONS = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
REDUCTIONS = ("ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum")


def by_element(rng: Rng) -> Iterator[Case]:
    x = reals(rng, 2, 3, 4)
    for op in BY_ELEMENT:
        yield Case(op, (x,), {name: float(rng.uniform(0.1, 0.9)) for name in PARAMETERS.get(op, ())})
        yield Case(op, (x,), {})
    yield Case("Round", (np.array([-2.5, -0.5, 0.5, 1.5], dtype=np.float32),), {})
    yield Case("Gelu", (x,), {"approximate": "tanh"})
    yield Case("Shape", (x,), {"start": -2, "end": 9}, since=15)
    for op in OF_POSITIVE:
        yield Case(op, (np.abs(x) + 0.1,), {})
    for op in OF_TWO:
        yield Case(op, (x, reals(rng, 3, 1)), {})
        yield Case(op, (ints(-7, 7, 8), ints(2, -2, 3)), {})
    for op in COMPARISONS:
        yield Case(op, (np.round(x), np.round(reals(rng, 4))), {}, since=11 if op == "Equal" else 7)
        yield Case(op, (ints(1, 2, 3), ints(3, 2, 1)), {}, since=7 if op == "Equal" else 9)
    yield Case("Pow", (np.abs(x), reals(rng, 4)), {})
    yield Case("Pow", (x, np.array(2, dtype=np.int64)), {}, since=12)
    yield Case("PRelu", (x, reals(rng, 3, 1)), {})
    for op in ("Max", "Mean", "Min", "Sum"):
        yield Case(op, (x, reals(rng, 2, 3, 4)), {})
        yield Case(op, (x,), {})
        yield Case(op, (x, reals(rng, 3, 1), reals(rng, 4)), {}, since=8)
    for op in ("And", "Or", "Xor"):
        yield Case(op, (x > 0.0, reals(rng, 4) > 0.0), {})
    yield Case("Not", (x > 0.0,), {})
    yield Case("Where", (x > 0.0, x, reals(rng, 4)), {})
    for kind in (onnx.TensorProto.DOUBLE, onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.BOOL):
        yield Case("Cast", (10.0 * np.round(x, 1),), {"to": kind})
    yield Case("CastLike", (10.0 * x, ints(0)), {}, since=15)
    low, high = np.array(-0.4, dtype=np.float32), np.array(0.3, dtype=np.float32)
    yield Case("Clip", (x,), {"min": -0.4, "max": 0.3}, until=10)
    yield Case("Clip", (x,), {"max": 0.3}, until=10)
    yield Case("Clip", (x,), {})
    for bounds in ((low,), (None, high), (low, high), (high, low)):
        yield Case("Clip", (x, *bounds), {}, since=11)
    yield Case("Dropout", (x,), {"ratio": 0.3}, until=11)
    yield Case("Dropout", (x,), {}, outputs=2)
    yield Case("Dropout", (x, np.array(0.3, dtype=np.float32), np.array(False)), {}, since=12, fixed=(1, 2))


def of_axes(rng: Rng) -> Iterator[Case]:
    x = reals(rng, 2, 3, 4)
    for op in REDUCTIONS:
        old = 12 if op == "ReduceSum" else 17
        for attributes in ({}, {"keepdims": 0}):
            yield Case(op, (x,), attributes)
            for axes in ([1], [0, 2], [-1]):
                if min(axes) >= 0:
                    yield Case(op, (x,), {**attributes, "axes": axes}, until=old)
                yield Case(op, (x, ints(*axes)), attributes, since=old + 1)
    for op in ("ReduceMax", "ReduceSum"):
        yield Case(op, (x, ints()), {"noop_with_empty_axes": 1}, since=18)
        yield Case(op, (x, ints()), {}, since=18)
    for op in ("LogSoftmax", "Softmax"):
        yield Case(op, (x,), {})
        for axis in (0, 1, 2):
            yield Case(op, (x,), {"axis": axis})
        yield Case(op, (x,), {"axis": -2}, since=11)
    tied = np.array([[1.0, 3.0, 3.0, 0.0], [2.0, 0.0, 2.0, 2.0]], dtype=np.float32)
    for op in ("ArgMax", "ArgMin"):
        for attributes in ({}, {"axis": 1}, {"axis": 1, "keepdims": 0}):
            yield Case(op, (tied,), attributes)
        yield Case(op, (tied,), {"axis": -1, "select_last_index": 1}, since=12)
    yield Case("TopK", (tied,), {"k": 2}, outputs=2, until=9)
    yield Case("TopK", (x,), {"k": 2, "axis": 1}, outputs=2, until=9)
    yield Case("TopK", (tied, ints(3)), {}, outputs=2, since=10)
    yield Case("TopK", (x, ints(2)), {"axis": 1}, outputs=2, since=10)
    yield Case("TopK", (tied, ints(3)), {"largest": 0, "axis": -1}, outputs=2, since=11)
    for axis in (-1, 1, -2):
        shape = x.shape[axis:]
        scale, bias = reals(rng, *shape), reals(rng, *shape)
        yield Case("LayerNormalization", (x, scale, bias), {"axis": axis, "epsilon": 1e-3}, since=17)
        yield Case("LayerNormalization", (x, scale), {"axis": axis}, outputs=3, since=17)
    rows = [reals(rng, 3) for _ in range(3)]
    yield Case("BatchNormalization", (x, *rows, np.abs(reals(rng, 3))), {"epsilon": 1e-2})
    left, right, added = reals(rng, 3, 2), reals(rng, 4, 3), reals(rng, 4)
    yield Case("Gemm", (left, right, added), {"alpha": 0.5, "beta": 2.0, "transA": 1, "transB": 1}, fixed=(1, 2))
    yield Case("Gemm", (left.T, right.T, reals(rng, 2, 1)), {})
    yield Case("Gemm", (left.T, right.T), {}, since=11)
    for a, b in (((2, 3, 4), (4, 5)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((2, 1, 3, 4), (5, 4, 2))):
        yield Case("MatMul", (reals(rng, *a), reals(rng, *b)), {})


def of_shapes(rng: Rng) -> Iterator[Case]:
    x = reals(rng, 2, 3, 4)
    for axis in (0, 1, 2):
        yield Case("Concat", (x, x[:, :, ::-1].copy()), {"axis": axis})
    yield Case("Concat", (x, x), {"axis": -1}, since=11)
    value = numpy_helper.from_array(np.array([7], dtype=np.int64))
    yield Case("ConstantOfShape", (ints(2, 0, 3),), {})
    yield Case("ConstantOfShape", (ints(2, 3),), {"value": value})
    for shape in ((5, 1, 3, 1), (3, 4), (1,)):
        yield Case("Expand", (x, ints(*shape)), {}, since=8)
    for axis in (0, 1, 2, 3):
        yield Case("Flatten", (x,), {"axis": axis})
    yield Case("Flatten", (x,), {})
    yield Case("Flatten", (x,), {"axis": -1}, since=11)
    yield Case("Gather", (x, ints(1, 0, 1)), {"axis": 1})
    yield Case("Gather", (x, np.array(1)), {})
    yield Case("Gather", (x, ints(-1, 0)), {"axis": -1}, since=11)
    yield Case("GatherElements", (x, rng.integers(-3, 3, size=(2, 2, 4))), {"axis": 1}, since=11)
    values = np.array([0.5, 2.0], dtype=np.float32)
    yield Case("OneHot", (ints(1, 0, 3), np.array(4), values), {}, since=9)
    yield Case("OneHot", (ints(-1, 5, 2), np.array(4), values), {"axis": 0}, since=11)
    yield Case("Range", (np.array(2), np.array(9), np.array(3)), {}, since=11)
    yield Case("Range", tuple(np.array(n, dtype=np.float32) for n in (1.0, -1.0, -0.3)), {}, since=11)
    for shape in ((6, 4), (0, -1), (-1, 2), (4, 0, -1)):
        yield Case("Reshape", (x, ints(*shape)), {})
    yield Case("Reshape", (reals(rng, 2, 0, 3), ints(3, 0, 5)), {"allowzero": 1}, since=14)
    yield Case("Slice", (x,), {"starts": [1, -3], "ends": [9, -1], "axes": [1, 2]}, until=9)
    yield Case("Slice", (x,), {"starts": [0, 1], "ends": [2, 2]}, until=9)
    last = 2**63 - 1
    for given in (
        (ints(1), ints(last)),
        (ints(1, 0), ints(3, -1), ints(1, 2)),
        (ints(0), ints(4), ints(2), ints(2)),
        (ints(-1), ints(-last), ints(-1), ints(-2)),
        (ints(-9), ints(-9), ints(2), ints(-1)),
        (ints(9), ints(1), ints(2), ints(-1)),
        (ints(2), ints(1), ints(0)),
        (ints(-9), ints(2), None, ints(1)),
    ):
        yield Case("Slice", (x, *given), {}, since=10)
    yield Case("Split", (x,), {"axis": 2}, outputs=2, until=17)
    yield Case("Split", (x,), {}, outputs=2, until=17)
    yield Case("Split", (x,), {"axis": 1, "split": [1, 2]}, outputs=2, until=12)
    yield Case("Split", (x, ints(1, 2)), {"axis": 1}, outputs=2, since=13)
    yield Case("Split", (x, ints(3, 0, 1)), {"axis": -1}, outputs=3, since=13)
    yield Case("Split", (x,), {"axis": 2, "num_outputs": 3}, outputs=3, since=18)
    yield Case("Split", (x,), {"axis": 1, "num_outputs": 2}, outputs=2, since=18)
    ones = reals(rng, 1, 3, 1)
    yield Case("Squeeze", (ones,), {})
    for axes in ([0], [0, 2]):
        yield Case("Squeeze", (ones,), {"axes": axes}, until=12)
        yield Case("Squeeze", (ones, ints(*axes)), {}, since=13)
        yield Case("Unsqueeze", (ones,), {"axes": axes}, until=12)
        yield Case("Unsqueeze", (ones, ints(*axes)), {}, since=13)
    yield Case("Squeeze", (ones, ints(-1)), {}, since=13)
    yield Case("Unsqueeze", (ones, ints(-1, 1)), {}, since=13)
    yield Case("Tile", (x, ints(1, 2, 3)), {})
    yield Case("Transpose", (x,), {})
    yield Case("Transpose", (x,), {"perm": [2, 0, 1]})


CASES: Mapping[str, Callable[[Rng], Iterator[Case]]] = {
    "by element": by_element,
    "of axes": of_axes,
    "of shapes": of_shapes,
}


@pytest.mark.parametrize("name", CASES)
def test_a_node_in_every_version_against_onnxruntime(name: str, rng: Rng) -> None:
    for case in CASES[name](rng):
        opsets = sorted(
            {max(opset, case.since) for opset in versions(case.op)} & set(range(case.since, case.until + 1))
        )
        assert opsets, case
        for opset in opsets:
            agree(case, opset)


def test_every_node_is_tried(rng: Rng) -> None:
    assert {case.op for cases in CASES.values() for case in cases(rng)} == set(NODES)


def drawn(rng: Rng) -> Case:
    """A node that cuts or moves an array, with random numbers in it."""
    shape = tuple(int(n) for n in rng.integers(1, 5, size=int(rng.integers(1, 4))))
    x = rng.integers(-9, 9, size=shape).astype(np.float32)
    axis = int(rng.integers(-x.ndim, x.ndim))
    match rng.choice(["Slice", "Split", "Reshape", "Gather", "Softmax", "ReduceSum", "TopK", "Unsqueeze", "ArgMax"]):
        case "Slice":
            count = int(rng.integers(1, x.ndim + 1))
            axes = rng.permutation(x.ndim)[:count]
            axes = axes - x.ndim * rng.integers(2, size=count)
            steps = rng.choice([-3, -2, -1, 1, 2, 3], size=count)
            ends = (rng.integers(-7, 8, size=count) for _ in range(2))
            return Case("Slice", (x, *ends, axes, steps), {}, since=11)
        case "Split":
            sizes = rng.multinomial(x.shape[axis], [0.5, 0.3, 0.2])
            return Case("Split", (x, sizes), {"axis": axis}, outputs=3, since=13)
        case "Reshape":
            sizes = list(rng.permutation(x.shape))
            sizes[int(rng.integers(len(sizes)))] = -1
            return Case("Reshape", (x, np.array([*sizes, 1])), {})
        case "Gather":
            indices = rng.integers(-x.shape[axis], x.shape[axis], size=(2, 3))
            return Case("Gather", (x, indices), {"axis": axis}, since=11)
        case "Softmax":
            return Case("Softmax", (x,), {"axis": axis}, since=11)
        case "ReduceSum":
            return Case("ReduceSum", (x, ints(axis)), {"keepdims": int(rng.integers(2))}, since=13)
        case "TopK":
            count = ints(int(rng.integers(1, x.shape[axis] + 1)))
            return Case("TopK", (x, count), {"axis": axis, "largest": int(rng.integers(2))}, outputs=2, since=11)
        case "Unsqueeze":
            return Case("Unsqueeze", (x, ints(axis)), {}, since=13)
        case _:
            return Case("ArgMax", (x,), {"axis": axis, "select_last_index": int(rng.integers(2))}, since=12)


@pytest.mark.parametrize("start", [0, 200])
def test_random_nodes_against_onnxruntime(start: int) -> None:
    for seed in range(start, start + 200):
        rng = np.random.default_rng([2026, seed])
        case = drawn(rng)
        agree(case, int(rng.integers(case.since, LAST + 1)))
