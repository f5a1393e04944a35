"""Recursive cells over binary trees: all nodes of one height in one step, whatever tree they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..graph import Graph, Input, Output
from ..recurrent import RecursiveCell, TreeLSTM
from ..values.arrays import Array, freeze
from ..values.brief import Brief, brief
from ..values.errors import InputError
from .evaluate import Evaluator

# A machine for nodes: the Outputs by name, (B, n), from the Inputs by name, (B, m).
Node: TypeAlias = "Callable[[Mapping[str, Array]], Mapping[str, Array]]"


WORD = "x"  # the Input of a node's word


SIDES = ("_left", "_right")  # what stands behind a state's name in the Inputs from the children


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree(Brief):
    """A binary tree as a table, children before their parents; the last node is the root.

    `inputs`: (nodes, I), the word of each node (0 where an inner node has none). `children`: for each node None, or the
    indices of its left and right child; None for a child that is missing, whose states are 0.

    Raises InputError for other shapes, and a child that does not come before its parent or has two parents.
    """

    inputs: Any
    children: Sequence[tuple[int | None, int | None] | None]

    def __post_init__(self) -> None:
        inputs = freeze(self.inputs, "Tree.inputs")
        if inputs.ndim != 2 or inputs.shape[0] == 0 or len(self.children) != inputs.shape[0]:
            found = f"{inputs.shape} and {len(self.children)} children"
            raise InputError(f"`Tree` has inputs of shape {found}: must be (nodes, I) and one entry for each node")
        seen: set[int] = set()
        for k, pair in enumerate(self.children):
            for child in pair or ():
                if child is None:
                    continue
                if not 0 <= child < k or child in seen:
                    raise InputError(f"`Tree.children[{k}]` names {child}: must come before {k}, and have one parent")
                seen.add(child)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "children", tuple(None if pair is None else tuple(pair) for pair in self.children))


class TreeRun(NamedTuple):
    """By Output of the cell and by tree, its values at each node, (nodes, n). `roots`: by Output, (trees, n)."""

    nodes: Mapping[str, tuple[Array, ...]]
    roots: Mapping[str, Array]

    def __repr__(self) -> str:
        return brief(self)


def float_node(graph: Graph) -> Node:
    """Return the floating-point machine of a node's graph."""
    evaluator = Evaluator([graph], ())
    sources = [source.name for source in graph.of_type(Input)]

    def node(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        given = np.concatenate([inputs[name] for name in sources], axis=1)
        return evaluator.evaluate(np.zeros((given.shape[0], 0)), given)

    return node


def run_trees(cell: TreeLSTM | RecursiveCell | Graph, trees: Sequence[Tree], *, node: Node | None = None) -> TreeRun:
    """Run a recursive cell over trees, from the leaves to the roots; of no tree, the roots are (0, n).

    `cell`: or the graph of its node: Input `x` is the word; a state `s` is an Output, and the Inputs `s_left` and
    `s_right`, or one of them; `s` is any name, `my_h` and `h_left` too. `node`: what runs it; the floating-point
    machine by default.

    Raises InputError for inputs of another size, for a graph without `x`, and for an Input of no state.
    """
    graph = cell if isinstance(cell, Graph) else cell.graph()
    evaluate = float_node(graph) if node is None else node
    outputs = {output.name: output.size for output in graph.of_type(Output)}
    sizes = {source.name: source.size for source in graph.of_type(Input)}
    states = {name: _state(name, size, outputs) for name, size in sizes.items() if name != WORD}
    if WORD not in sizes:
        raise InputError(f"the graph has no Input {WORD!r}, the word of a node; its Inputs are {', '.join(sizes)}")
    for k, tree in enumerate(trees):
        if tree.inputs.shape[1] != sizes[WORD]:
            raise InputError(f"`trees[{k}].inputs` has {tree.inputs.shape[1]} columns: must have {sizes[WORD]}")
    found = {name: tuple(np.zeros((len(t.children), size)) for t in trees) for name, size in outputs.items()}
    for level in _levels(trees):
        given = {WORD: np.stack([trees[t].inputs[k] for t, k in level])}
        for name, (state, side) in states.items():
            rows = [_child(trees[t], k, side) for t, k in level]
            zero = np.zeros(sizes[name])
            given[name] = np.stack(
                [zero if c is None else found[state][t][c] for (t, _), c in zip(level, rows, strict=True)]
            )
        values = evaluate(given)
        for name, arrays in found.items():
            for (t, k), value in zip(level, values[name], strict=True):
                arrays[t][k] = value
    roots = {name: np.array([a[-1] for a in arrays]).reshape(-1, outputs[name]) for name, arrays in found.items()}
    return TreeRun(found, roots)


def _state(name: str, size: int, outputs: Mapping[str, int]) -> tuple[str, int]:
    """Return the state that an Input takes from a child, and which child: 0 left, 1 right."""
    for k, end in enumerate(SIDES):
        state = name.removesuffix(end)
        if state != name and outputs.get(state) == size:
            return state, k
    states = ", ".join(f"{state} ({n})" for state, n in outputs.items())
    raise InputError(
        f"Input {name!r} ({size} elements): must be {WORD!r}, or a state with {SIDES[0]} or {SIDES[1]} behind its "
        f"name, of its size; the states are the Outputs {states}"
    )


def _child(tree: Tree, node: int, side: int) -> int | None:
    pair = tree.children[node]
    return None if pair is None else pair[side]


def _levels(trees: Sequence[Tree]) -> list[list[tuple[int, int]]]:
    """Return the (tree, node) of each height, leaves first."""
    levels: dict[int, list[tuple[int, int]]] = {}
    for t, tree in enumerate(trees):
        heights: list[int] = []
        for k, pair in enumerate(tree.children):
            heights.append(1 + max((heights[c] for c in pair or () if c is not None), default=-1))
            levels.setdefault(heights[-1], []).append((t, k))
    return [levels[height] for height in sorted(levels)]
