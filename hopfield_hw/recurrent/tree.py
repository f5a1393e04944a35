"""Recursive cells: the state of a node from its word and the states of its two children."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..functions import Function
from ..graph import Graph
from ..graph.draft import GraphDraft
from ..values.arrays import Array, freeze
from ..values.brief import Brief
from ..values.errors import InputError
from .cells import SIGMOID, TANH


@dataclass(frozen=True, kw_only=True, eq=False)
class TreeLSTM(Brief):
    """The binary tree LSTM (Tai, Socher and Manning, ACL 2015, eqs. 9 to 14, N = 2), gates in the order i, o, l, r, c.

    s = W x + Ul h_l + Ur h_r + b;  c = i*tanh(s_c) + f_l*c_l + f_r*c_r;  h = o*tanh(c). The gates are sigmoids of their
    rows of s; each forget gate has its own rows (the paper ties W and b of the two).

    `input_weights`: W, (5H, I). `left`, `right`: Ul and Ur, (5H, H). `bias`: b, (5H,). States of a node: (h, c).

    Raises InputError for wrong shapes, and for NaN or infinite values.
    """

    input_weights: Any
    left: Any
    right: Any
    bias: Any = 0.0

    def __post_init__(self) -> None:
        weights = freeze(self.input_weights, "TreeLSTM.input_weights")
        if weights.ndim != 2 or 0 in weights.shape or weights.shape[0] % 5:
            raise InputError(f"`TreeLSTM.input_weights` has shape {weights.shape}: must be (5 H, I)")
        rows = weights.shape[0]
        _set(self, "input_weights", weights)
        _set(self, "bias", freeze(self.bias, "TreeLSTM.bias", shape=(rows,)))
        for side in ("left", "right"):
            _set(self, side, freeze(getattr(self, side), f"TreeLSTM.{side}", shape=(rows, rows // 5)))

    @property
    def states(self) -> dict[str, int]:
        """The names and sizes of a node's states."""
        size = self.input_weights.shape[0] // 5
        return {"h": size, "c": size}

    def graph(self) -> Graph:
        """Return the graph of a node: Inputs `x`, `h_left`, `c_left`, `h_right`, `c_right`; Outputs `h` and `c`."""
        draft, size = GraphDraft(), self.states["h"]
        draft.input("x", self.input_weights.shape[1])
        for side in ("left", "right"):
            draft.input(f"h_{side}", size)
            draft.input(f"c_{side}", size)
        for k, gate in enumerate("iolrc"):
            part = slice(k * size, (k + 1) * size)
            sources = [draft.affine(f"w_{gate}", self.input_weights[part], self.bias[part], "x")]
            for side, weights in (("left", self.left), ("right", self.right)):
                sources.append(draft.affine(f"u_{gate}_{side}", weights[part], None, f"h_{side}"))
            draft.activate(f"gate_{gate}", TANH if gate == "c" else SIGMOID, None, size, sources)
        parts = [
            draft.product("new", size, "gate_i", "gate_c"),
            draft.product("kept_left", size, "gate_l", "c_left"),
            draft.product("kept_right", size, "gate_r", "c_right"),
        ]
        draft.activate("squashed", TANH, None, size, parts)
        draft.output("h", size, draft.product("shown", size, "gate_o", "squashed"))
        draft.output("c", size, *parts)
        return draft.graph()


@dataclass(frozen=True, kw_only=True, eq=False)
class RecursiveCell(Brief):
    """h = f(W x + Ul h_l + Ur h_r + b): the recursive network (Goller and Kuechler 1996; Socher et al. 2011).

    `input_weights`: W, (H, I). `left`, `right`: (H, H). `bias`: (H,). `activation`: f, tanh by default.
    `decoder`, `decoder_bias`: V, (2H, H), and c, (2H,), which make it a recursive autoencoder: Output `rebuilt`, what
    V h + c makes of the two children; None for no such output.

    Raises InputError for wrong shapes, and for NaN or infinite values.
    """

    input_weights: Any
    left: Any
    right: Any
    bias: Any = 0.0
    activation: Function = TANH
    decoder: Any = None
    decoder_bias: Any = 0.0

    def __post_init__(self) -> None:
        weights = freeze(self.input_weights, "RecursiveCell.input_weights")
        if weights.ndim != 2 or 0 in weights.shape:
            raise InputError(f"`RecursiveCell.input_weights` has shape {weights.shape}: must be (H, I)")
        size = weights.shape[0]
        _set(self, "input_weights", weights)
        _set(self, "bias", freeze(self.bias, "RecursiveCell.bias", shape=(size,)))
        for side in ("left", "right"):
            _set(self, side, freeze(getattr(self, side), f"RecursiveCell.{side}", shape=(size, size)))
        if self.decoder is not None:
            _set(self, "decoder", freeze(self.decoder, "RecursiveCell.decoder", shape=(2 * size, size)))
            _set(self, "decoder_bias", freeze(self.decoder_bias, "RecursiveCell.decoder_bias", shape=(2 * size,)))

    @property
    def states(self) -> dict[str, int]:
        """The names and sizes of a node's states."""
        return {"h": int(self.input_weights.shape[0])}

    def graph(self) -> Graph:
        """Return the graph of a node: Inputs `x`, `h_left`, `h_right`; Outputs `h` and, with a decoder, `rebuilt`."""
        draft, size = GraphDraft(), self.states["h"]
        draft.input("x", self.input_weights.shape[1])
        sources = [draft.affine("w", self.input_weights, self.bias, "x")]
        for side, weights in (("left", self.left), ("right", self.right)):
            draft.input(f"h_{side}", size)
            sources.append(draft.affine(f"u_{side}", weights, None, f"h_{side}"))
        draft.activate("f", self.activation, None, size, sources)
        draft.output("h", size, "f")
        if self.decoder is not None:
            draft.output("rebuilt", 2 * size, draft.affine("v", self.decoder, self.decoder_bias, "f"))
        return draft.graph()


def _set(cell: object, field: str, value: Array) -> None:
    object.__setattr__(cell, field, value)
