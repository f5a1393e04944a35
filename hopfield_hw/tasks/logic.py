"""Logical expressions through a recursive network, on any machine of its nodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..equations.trees import Node, Tree, run_trees
from ..trained.expressions import WORDS, Expression
from ..trained.logic import LogicModel


def evaluate(
    model: LogicModel, expressions: Sequence[Expression], *, node: Node | None = None
) -> npt.NDArray[np.bool_]:
    """Return what the network says that each expression is, (N,): whether its readout at the root is above 0.

    `node`: the machine of a node, such as `fixed_node(machine)`; floating point by default.
    """
    roots = run_trees(model.graph(), [tree_of(expression) for expression in expressions], node=node).roots
    return roots["y"][:, 0] > 0.0


def tree_of(expression: Expression) -> Tree:
    """Return an expression as a tree of words, one-hot; the part of a `not` is its left child."""
    nodes = expression.nodes()
    words = np.eye(len(WORDS))[[WORDS.index(node.word) for node in nodes]]
    children: list[tuple[int | None, int | None] | None] = []
    open_nodes: list[int] = []
    for k, node in enumerate(nodes):
        parts = [open_nodes.pop() for _ in node.parts][::-1]
        children.append((parts[0], parts[1] if len(parts) == 2 else None) if parts else None)
        open_nodes.append(k)
    return Tree(inputs=words, children=children)
