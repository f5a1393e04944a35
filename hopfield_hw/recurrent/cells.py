"""Recurrent cells: RNN, LSTM and GRU, each a description that becomes the graph of one step.

Shapes and the order of gates are those of the ONNX operators (RNN, LSTM, GRU, opset 14), for one direction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..functions import Function, Logistic, Softmax, Tanh
from ..graph import Graph
from ..graph.draft import GraphDraft
from ..values.arrays import Array, freeze, positive
from ..values.brief import Brief
from ..values.errors import InputError

SIGMOID = Logistic(gain=0.25)
TANH = Tanh()


@dataclass(frozen=True, kw_only=True, eq=False)
class RecurrentCell(Brief, ABC):
    """What the cells have in common. H: hidden elements; I: inputs.

    `input_weights`: W, (gates H, I). `recurrent_weights`: R, (gates H, H). `bias`: [Wb, Rb], (2 gates H,), 0 where not
    given. `activations`: the functions of the cell; any gain curve or function by element. `clip`: bounds the input of
    every activation to [-clip, clip]; None for no bound.

    Raises InputError for wrong shapes, NaN or infinite values, another number of activations, and a clip not positive.
    """

    input_weights: Any
    recurrent_weights: Any
    bias: Any = None
    activations: tuple[Function, ...] = ()
    clip: float | None = None
    gates: ClassVar[str]
    defaults: ClassVar[tuple[Function, ...]]

    def __post_init__(self) -> None:
        name = type(self).__name__
        weights = freeze(self.input_weights, f"{name}.input_weights")
        count = len(self.gates)
        if weights.ndim != 2 or 0 in weights.shape or weights.shape[0] % count:
            raise InputError(f"`{name}.input_weights` has shape {weights.shape}: must be ({count} H, I)")
        object.__setattr__(self, "input_weights", weights)
        total, state = weights.shape[0], self.state_size
        self._set(
            "recurrent_weights", freeze(self.recurrent_weights, f"{name}.recurrent_weights", shape=(total, state))
        )
        bias = np.zeros(2 * total) if self.bias is None else self.bias
        self._set("bias", freeze(bias, f"{name}.bias", shape=(2 * total,)))
        self._set("activations", tuple(self.activations) or self.defaults)
        wrong = [f for f in self.activations if not isinstance(f, Function) or isinstance(f, Softmax)]
        if wrong or len(self.activations) != len(self.defaults):
            found = ", ".join(type(f).__name__ for f in self.activations)
            raise InputError(f"`{name}.activations` = {found}: must be {len(self.defaults)} functions by element")
        if self.clip is not None:
            self._set("clip", float(positive(self.clip, f"{name}.clip", shape=(), unit="")))

    @property
    def hidden_size(self) -> int:
        """H."""
        return int(self.input_weights.shape[0]) // len(self.gates)

    @property
    def input_size(self) -> int:
        """I."""
        return int(self.input_weights.shape[1])

    @property
    def state_size(self) -> int:
        """The elements of h: H, or what a projection leaves."""
        return self.hidden_size

    @property
    def output_size(self) -> int:
        """The elements of the output."""
        return self.state_size

    @abstractmethod
    def graph(self) -> Graph:
        """Return the graph of one step: Input `x`, Hold `h` (and `c`), Output `y`."""

    def _set(self, field: str, value: Any) -> None:
        object.__setattr__(self, field, value)

    def _gate(self, gate: str) -> tuple[Array, Array, Array, Array]:
        """Return W, R, Wb and Rb of one gate."""
        k, size = self.gates.index(gate), self.hidden_size
        part = slice(k * size, (k + 1) * size)
        input_bias, recurrent_bias = np.split(self.bias, 2)
        return self.input_weights[part], self.recurrent_weights[part], input_bias[part], recurrent_bias[part]

    def _add_sum(self, draft: GraphDraft, gate: str) -> tuple[str, str]:
        """Add W x + Wb + Rb and R h of a gate."""
        weights, recurrent, input_bias, recurrent_bias = self._gate(gate)
        from_x = draft.affine(f"w_{gate}", weights, input_bias + recurrent_bias, "x")
        return from_x, draft.affine(f"r_{gate}", recurrent, None, "h")


@dataclass(frozen=True, kw_only=True, eq=False)
class RNN(RecurrentCell):
    """h' = f(W x + Wb + R h + Rb);  y = g(V h' + c) where there are output weights, else h' (Elman 1990).

    `activations`: (f,), tanh by default. `output_weights`: V, (O, H). `output_bias`: c, (O,). `output_activation`: g.
    """

    output_weights: Any = None
    output_bias: Any = 0.0
    output_activation: Function | None = None
    gates: ClassVar[str] = "h"
    defaults: ClassVar[tuple[Function, ...]] = (TANH,)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output_weights is None:
            if self.output_activation is not None or np.any(np.asarray(self.output_bias) != 0.0):
                raise InputError("`RNN.output_weights` is missing: an output activation or bias needs them")
            return
        weights = freeze(self.output_weights, "RNN.output_weights")
        if weights.ndim != 2 or weights.shape[1] != self.hidden_size or weights.shape[0] == 0:
            raise InputError(f"`RNN.output_weights` has shape {weights.shape}: must be (outputs, {self.hidden_size})")
        self._set("output_weights", weights)
        self._set("output_bias", freeze(self.output_bias, "RNN.output_bias", shape=weights.shape[:1]))

    @property
    def output_size(self) -> int:
        return self.hidden_size if self.output_weights is None else int(self.output_weights.shape[0])

    def graph(self) -> Graph:
        draft, size = GraphDraft(), self.hidden_size
        draft.input("x", self.input_size)
        draft.hold("h", size)
        after = draft.activate("f", self.activations[0], self.clip, size, *self._add_sum(draft, "h"))
        draft.drive("h", after)
        if self.output_weights is not None:
            after = draft.affine("v", self.output_weights, self.output_bias, after)
            if self.output_activation is not None:
                after = draft.activate("g", self.output_activation, None, self.output_size, after)
        draft.output("y", self.output_size, after)
        return draft.graph()


@dataclass(frozen=True, kw_only=True, eq=False)
class LSTM(RecurrentCell):
    """Long short-term memory, gates in the order i, o, f, c (Hochreiter and Schmidhuber 1997; Gers et al. 2002).

    i = f(Wi x + Ri h + Pi*c + bi), f likewise;  c' = f*c + i*g(Wc x + Rc h + bc);  o = f(Wo x + Ro h + Po*c' + bo);
    h' = o*h(c'), or M (o*h(c')) where there is a projection M.

    `activations`: (f, g, h), by default the sigmoid, tanh and tanh. `peepholes`: [Pi, Po, Pf], (3H,); None for 0.
    `input_forget`: the forget gate is 1 - i. `projection`: M, (P, H) (Sak et al. 2014); R is then (4H, P).
    """

    peepholes: Any = None
    input_forget: bool = False
    projection: Any = None
    gates: ClassVar[str] = "iofc"
    defaults: ClassVar[tuple[Function, ...]] = (SIGMOID, TANH, TANH)

    def __post_init__(self) -> None:
        if self.projection is not None:
            matrix = freeze(self.projection, "LSTM.projection")
            if matrix.ndim != 2 or 0 in matrix.shape:
                raise InputError(f"`LSTM.projection` has shape {matrix.shape}: must be (P, H)")
            self._set("projection", matrix)
        super().__post_init__()
        if self.projection is not None and self.projection.shape[1] != self.hidden_size:
            raise InputError(f"`LSTM.projection` has shape {self.projection.shape}: must be (P, {self.hidden_size})")
        if self.peepholes is not None:
            self._set("peepholes", freeze(self.peepholes, "LSTM.peepholes", shape=(3 * self.hidden_size,)))

    @property
    def state_size(self) -> int:
        return self.hidden_size if self.projection is None else int(self.projection.shape[0])

    def graph(self) -> Graph:
        draft, size = GraphDraft(), self.hidden_size
        f, g, h = self.activations
        draft.input("x", self.input_size)
        draft.hold("h", self.state_size)
        draft.hold("c", size)
        draft.activate("i", f, self.clip, size, self._add_sum(draft, "i"), self._add_peepholes(draft, "i", "c"))
        if self.input_forget:
            draft.complement("f", size, "i")
        else:
            draft.activate("f", f, self.clip, size, self._add_sum(draft, "f"), self._add_peepholes(draft, "f", "c"))
        draft.activate("g", g, self.clip, size, self._add_sum(draft, "c"))
        kept, added = draft.product("fc", size, "f", "c"), draft.product("ig", size, "i", "g")
        draft.drive("c", kept, added)
        draft.activate("o", f, self.clip, size, self._add_sum(draft, "o"), self._add_peepholes(draft, "o", kept, added))
        draft.activate("hc", h, self.clip, size, kept, added)
        after = draft.product("oh", size, "o", "hc")
        if self.projection is not None:
            after = draft.affine("m", self.projection, None, after)
        draft.drive("h", after)
        draft.output("y", self.state_size, after)
        return draft.graph()

    def _add_peepholes(self, draft: GraphDraft, gate: str, *cells: str) -> tuple[str, ...]:
        if self.peepholes is None:
            return ()
        factors = np.split(self.peepholes, 3)["iof".index(gate)]
        return (draft.scale(f"p_{gate}", factors, *cells),)


@dataclass(frozen=True, kw_only=True, eq=False)
class GRU(RecurrentCell):
    """Gated recurrent unit, gates in the order z, r, h (Cho et al. 2014).

    z = f(Wz x + Rz h + bz), r likewise;  n = g(Wh x + Rh (r*h) + Rbh + Wbh), or, with `linear_before_reset`,
    n = g(Wh x + r*(Rh h + Rbh) + Wbh);  h' = (1 - z)*n + z*h.

    `activations`: (f, g), by default the sigmoid and tanh.
    """

    linear_before_reset: bool = False
    gates: ClassVar[str] = "zrh"
    defaults: ClassVar[tuple[Function, ...]] = (SIGMOID, TANH)

    def graph(self) -> Graph:
        draft, size = GraphDraft(), self.hidden_size
        f, g = self.activations
        draft.input("x", self.input_size)
        draft.hold("h", size)
        for gate in "zr":
            draft.activate(gate, f, self.clip, size, *self._add_sum(draft, gate))
        weights, recurrent, input_bias, recurrent_bias = self._gate("h")
        from_x = draft.affine("w_h", weights, input_bias, "x")
        if self.linear_before_reset:
            draft.affine("r_h", recurrent, recurrent_bias, "h")
            from_h = draft.product("reset", size, "r", "r_h")
        else:
            draft.product("reset", size, "r", "h")
            from_h = draft.affine("r_h", recurrent, recurrent_bias, "reset")
        draft.activate("n", g, self.clip, size, from_x, from_h)
        draft.complement("new", size, "z")
        changed, kept = draft.product("changed", size, "new", "n"), draft.product("kept", size, "z", "h")
        draft.drive("h", changed, kept)
        draft.output("y", size, changed, kept)
        return draft.graph()
