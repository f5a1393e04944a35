"""Models from ONNX: recurrent nodes become layers of cells, constants are worked out, other nodes stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ...recurrent.layers import Layer
from ...values.brief import Brief
from ...values.errors import InputError, MissingExtra
from .known_shapes import Sizes, known_shapes, shape_from
from .layers import RECURRENT, layer_of, without_weights
from .nodes import FIRST_OPSET, NODES, check, evaluate
from .step import Step, label, numbers

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

SHOWN = 6  # recurrent nodes that a message names


@dataclass(frozen=True, kw_only=True, eq=False)
class Model(Brief):
    """A model as steps in their order. `inputs`, `outputs`: names. `constants`: arrays by name."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Any]
    steps: tuple[Step, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The recurrent layers, in their order."""
        return tuple(step.layer for step in self.steps if step.layer is not None)


def from_onnx(
    model: Path | str | ModelProto,
    *,
    constants: Mapping[str, Any] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Model:
    """Return the model of an ONNX file, or of a ModelProto, of opset 7 or later.

    What depends on constants alone is worked out here, so that recurrent weights may stand behind other nodes (Slice,
    Concat, Unsqueeze, ... as exporters write them). `constants`: values for some of its inputs. `inputs`, `outputs`:
    names of any arrays in the model, between which it is cut out; its own where not given.

    Raises MissingExtra without the package onnx, and InputError for a file that is not ONNX, for a node, attribute or
    activation that is not supported (by name, with the recurrent nodes that could be cut out), and for recurrent
    weights that are not constants.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtra(f"from_onnx needs the package onnx ({error}); install it: pip install onnx") from None
    proto = _read(onnx, model) if isinstance(model, str | Path) else model
    if proto.functions:
        from onnx.inliner import inline_local_functions

        proto = inline_local_functions(proto)
    return _Reader(onnx, proto, constants or {}).model(inputs, outputs)


def _read(onnx: Any, path: Path | str) -> ModelProto:
    name = Path(path).name
    try:
        proto: ModelProto = onnx.load(str(path))
    except OSError as error:
        raise InputError(
            f"{name}: cannot be read ({error.strerror or error}); give the path of an .onnx file"
        ) from None
    except Exception as error:  # protobuf and the package raise their own classes
        raise InputError(f"{name}: is not an ONNX model ({str(error).splitlines()[0]:.120})") from None
    if not proto.ir_version or not proto.graph.node:
        raise InputError(f"{name}: is not an ONNX model (it has no nodes)")
    return proto


class _Reader:
    """A graph as it is read. `known`: what is constant."""

    def __init__(self, onnx: Any, proto: ModelProto, constants: Mapping[str, Any]) -> None:
        self.onnx, self.proto, self.graph = onnx, proto, proto.graph
        self.opset = _opset(onnx, proto)
        if self.graph.sparse_initializer:
            name = self.graph.sparse_initializer[0].values.name
            raise InputError(f"the initializer {name!r:.80} is sparse: must be dense; store it as a TensorProto")
        self.known = {tensor.name: _array(tensor) for tensor in self.graph.initializer}
        self.known |= {name: numbers(value, f"`constants[{name!r}]`") for name, value in constants.items()}
        # What is constant if shapes are as the model says; it is worked out for weights alone, and run all the same.
        self.stated: dict[str, Any] = {}

    def model(self, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> Model:
        """Return the model between these names."""
        own = [value.name for value in self.graph.input if value.name not in self.known]
        given = tuple(own if inputs is None else inputs)
        wanted = tuple((value.name for value in self.graph.output) if outputs is None else outputs)
        steps: list[Step] = []
        refused: InputError | None = None
        there = {"", *given, *self.known}
        for node in self._find_needed(given, wanted):
            try:
                self._take(node, steps, there)
            except InputError as error:
                refused = refused or error
            there.update(node.output)
        if refused is None:
            missing = [name for name in wanted if name not in there]
            if not missing:
                return self._prune(given, wanted, steps)
            refused = InputError(f"the output {missing[0]!r:.80}: no node, input or initializer has this name")
        raise InputError(f"{refused}{_to_cut_out(steps, self.known)}")

    def _prune(self, inputs: tuple[str, ...], outputs: tuple[str, ...], steps: Sequence[Step]) -> Model:
        """Return the model without steps and constants that nothing reads any more."""
        read, left = set(outputs), []
        for step in reversed(steps):
            if read.intersection(step.outputs):
                left.append(step)
                read.update(step.inputs)
        constants = MappingProxyType({name: value for name, value in self.known.items() if name in read})
        return Model(inputs=inputs, outputs=outputs, constants=constants, steps=tuple(left[::-1]))

    def _find_needed(self, inputs: Sequence[str], outputs: Sequence[str]) -> list[NodeProto]:
        """Return the nodes that outputs need from inputs on, in their order."""
        read, found = set(outputs), []
        for node in reversed(self.graph.node):
            if read.intersection(node.output) - set(inputs):
                found.append(node)
                read.update(name for name in node.input if name not in inputs)
        return found[::-1]

    def _take(self, node: NodeProto, steps: list[Step], there: set[str]) -> None:
        """Add the step of a node, or, where all that it takes is known, what it gives."""
        step = self._step(node)
        missing = [name for name in step.inputs if name not in there]
        if missing:
            raise InputError(f"{step.label}: takes {missing[0]!r:.80}, which no input or node before it gives")
        if step.op == "Constant":
            self.known[step.outputs[0]] = _constant(step)
        elif step.op in RECURRENT:
            steps.append(step._replace(layer=layer_of(step, self.stated | self.known), inputs=without_weights(step)))
        else:
            check(step, self.known)
            if all(name in self.known for name in step.inputs if name):
                self.known |= _worked_out(step, self.known)
                return
            steps.append(step)
            shape = shape_from(step, self.shapes)
            if shape is not None:
                self.stated[step.outputs[0]] = shape
            elif all(name in self.stated or name in self.known for name in step.inputs if name):
                with suppress(InputError):
                    self.stated |= _worked_out(step, self.stated | self.known)

    @cached_property
    def shapes(self) -> dict[str, Sizes]:
        """The sizes of arrays by name, as far as the model tells them."""
        return known_shapes(self.onnx, self.proto)

    def _step(self, node: NodeProto) -> Step:
        """Return a node with the defaults of its opset. Raises InputError for what that opset has not, by name."""
        name = node.name or (node.output[0] if node.output else "")
        said = label(name, node.op_type)
        if node.domain not in ("", "ai.onnx") or node.op_type not in (*RECURRENT, "Constant", *NODES):
            supported = ", ".join([*RECURRENT, *sorted(["Constant", *NODES])])
            raise InputError(f"{said} is not supported: must be one of {supported}")
        try:
            schema = self.onnx.defs.get_schema(node.op_type, self.opset, "")
        except self.onnx.defs.SchemaError:
            raise InputError(f"{said} is not an operator of opset {self.opset}, which the model states") from None
        value_of = self.onnx.helper.get_attribute_value
        own = {a.name: _plain(value_of(a)) for a in node.attribute}
        # The default activations of a cell are for one direction or two: those of the cell are taken.
        known = [a for key, a in schema.attributes.items() if key != "activations"]
        defaults = {a.name: a.default_value for a in known if a.default_value.name}
        plain = {key: _plain(value_of(value)) for key, value in defaults.items()} | own
        unknown = sorted(set(own) - set(schema.attributes))
        if unknown:
            raise InputError(f"{said}: the attribute {unknown[0]!r:.40} is not supported")
        count, least, most = len(node.input), schema.min_input, schema.max_input
        if not least <= count <= most or "" in node.input[:least]:
            allowed = f"{least}" if least == most else f"{least} or more" if most > 99 else f"{least} to {most}"
            raise InputError(f"{said}: has {sum(map(bool, node.input))} inputs: must have {allowed}")
        missing = [key for key, a in schema.attributes.items() if a.required and key not in plain]
        if missing:
            raise InputError(f"{said}: the attribute {missing[0]!r} is missing")
        attributes = MappingProxyType(plain)
        return Step(name, node.op_type, schema.since_version, tuple(node.input), tuple(node.output), attributes)


def _worked_out(step: Step, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a node gives, by name."""
    found = evaluate(step, [known[name] if name else None for name in step.inputs])
    return {name: np.asarray(value) for name, value in zip(step.outputs, found, strict=False) if name}


def _opset(onnx: Any, proto: ModelProto) -> int:
    """Return the opset of ONNX's own operators. Raises InputError where it is missing, too old, or not known yet."""
    versions = [opset.version for opset in proto.opset_import if opset.domain in ("", "ai.onnx")]
    last = int(onnx.defs.onnx_opset_version())
    if not versions or not FIRST_OPSET <= versions[0] <= last:
        found = f"is of opset {versions[0]}" if versions else "states no opset of ONNX"
        advice = "convert it by onnx.version_converter.convert_version"
        raise InputError(f"the model {found}: must be of opset {FIRST_OPSET} to {last}; {advice}")
    return int(versions[0])


def _to_cut_out(steps: Sequence[Step], known: Mapping[str, Any]) -> str:
    """Return, as the end of a message, which recurrent nodes have been read, and how to read them alone."""
    nodes = []
    for step in steps:
        if step.layer is not None:
            given = [name for name in step.inputs if name and name not in known]
            found = [name for name in step.outputs if name]
            nodes.append(f"{step.name!r:.80} ({step.op}) by inputs={given!r:.200}, outputs={found!r:.200}")
    if not nodes:
        return ""
    more = f", and {len(nodes) - SHOWN} more" if len(nodes) > SHOWN else ""
    return f". from_onnx can cut out recurrent nodes: {'; '.join(nodes[:SHOWN])}{more}"


def _array(tensor: Any) -> Any:
    """Return the values of a tensor."""
    from onnx import numpy_helper

    what = f"the tensor {tensor.name!r:.80}"
    try:
        array = numpy_helper.to_array(tensor)
    except Exception as error:  # what is wrong with a tensor, or with the file of one, has many classes
        raise InputError(f"{what}: cannot be read ({error!s:.120})") from None
    return numbers(array, what)


def _constant(step: Step) -> Any:
    given = [(name, value) for name, value in step.attributes.items() if value is not None]
    if len(given) == 1 and given[0][0] in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        return numbers(given[0][1], step.label)
    found = ", ".join(repr(name) for name, _ in given) or "nothing"
    raise InputError(f"{step.label}: holds {found}: must hold one tensor, or numbers")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list | tuple) and value and isinstance(value[0], bytes):
        return [one.decode(errors="replace") for one in value]
    return _array(value) if hasattr(value, "raw_data") else value
