"""Recursive cells over binary trees: all nodes of one height in one step, whatever tree they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, frozen
from ..digital import RecursiveCell, TreeLSTM
from ..errors import InputError
from ..graph import Input, Output
from ..reference import Evaluator


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """A binary tree as a table, children before their parents; the last node is the root.

    `inputs`: (nodes, I), the word of each node (0 where an inner node has none). `children`: for each node None, or the
    indices of its left and right child; None for a child that is missing, whose states are 0.

    Raises InputError for other shapes, and a child that does not come before its parent or has two parents.
    """

    inputs: Any
    children: Sequence[tuple[int | None, int | None] | None]

    def __post_init__(self) -> None:
        inputs = frozen(self.inputs, "Tree.inputs")
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


def run_trees(cell: TreeLSTM | RecursiveCell, trees: Sequence[Tree]) -> TreeRun:
    """Run a recursive cell over trees, from the leaves to the roots. Raises InputError for inputs of another size."""
    graph = cell.graph()
    evaluator = Evaluator([graph], ())
    sizes = {source.name: source.size for source in graph.of_type(Input)}
    for k, tree in enumerate(trees):
        if tree.inputs.shape[1] != sizes["x"]:
            raise InputError(f"`trees[{k}].inputs` has {tree.inputs.shape[1]} columns: must have {sizes['x']}")
    found = {out.name: tuple(np.zeros((len(t.children), out.size)) for t in trees) for out in graph.of_type(Output)}
    for level in _levels(trees):
        parts = []
        for name in sizes:
            state, _, side = name.partition("_")
            if not side:
                parts.append(np.stack([trees[t].inputs[k] for t, k in level]))
                continue
            rows = [_child(trees[t], k, side) for t, k in level]
            zero = np.zeros(sizes[name])
            parts.append(
                np.stack([zero if c is None else found[state][t][c] for (t, _), c in zip(level, rows, strict=True)])
            )
        values = evaluator.evaluate(np.zeros((len(level), 0)), np.concatenate(parts, axis=1))
        for name, arrays in found.items():
            for (t, k), value in zip(level, values[name], strict=True):
                arrays[t][k] = value
    return TreeRun(found, {name: np.stack([array[-1] for array in arrays]) for name, arrays in found.items()})


def _child(tree: Tree, node: int, side: str) -> int | None:
    pair = tree.children[node]
    return None if pair is None else pair[0 if side == "left" else 1]


def _levels(trees: Sequence[Tree]) -> list[list[tuple[int, int]]]:
    """Return the (tree, node) of each height, leaves first."""
    levels: dict[int, list[tuple[int, int]]] = {}
    for t, tree in enumerate(trees):
        heights: list[int] = []
        for k, pair in enumerate(tree.children):
            heights.append(1 + max((heights[c] for c in pair or () if c is not None), default=-1))
            levels.setdefault(heights[-1], []).append((t, k))
    return [levels[height] for height in sorted(levels)]
