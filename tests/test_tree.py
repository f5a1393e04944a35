"""Recursive cells over trees, against the equations, node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hopfield_hw.arrays import Array
from hopfield_hw.digital import RecursiveCell, TreeLSTM
from hopfield_hw.engines.tree import Tree, run_trees
from hopfield_hw.errors import InputError
from hopfield_hw.gain import Arctan

SIZE, INPUTS = 3, 2


def grown(rng: np.random.Generator, leaves: int) -> Tree:
    """A random tree; some inner nodes lack a child."""
    children: list[Any] = [None] * leaves
    open_nodes = list(range(leaves))
    while len(open_nodes) > 1:
        left, right = (open_nodes.pop(int(rng.integers(len(open_nodes)))) for _ in range(2))
        children.append((left, right))
        open_nodes.append(len(children) - 1)
        if rng.integers(3) == 0:
            children.append((open_nodes.pop(), None) if rng.integers(2) else (None, open_nodes.pop()))
            open_nodes.append(len(children) - 1)
    return Tree(inputs=rng.normal(size=(len(children), INPUTS)), children=children)


def tree_lstm(rng: np.random.Generator) -> TreeLSTM:
    arrays = (rng.normal(size=s) for s in ((5 * SIZE, INPUTS), (5 * SIZE, SIZE), (5 * SIZE, SIZE), 5 * SIZE))
    w, left, right, b = arrays
    return TreeLSTM(input_weights=w, left=left, right=right, bias=b)


def test_a_tree_lstm_against_its_equations(rng: np.random.Generator) -> None:
    cell = tree_lstm(rng)
    trees = [grown(rng, leaves) for leaves in (1, 2, 5, 9)]

    def sigmoid(a: Array) -> Array:
        return 1.0 / (1.0 + np.exp(-a))

    def states(tree: Tree, k: int | None) -> tuple[Array, Array]:
        if k is None:
            return np.zeros(SIZE), np.zeros(SIZE)
        (hl, cl), (hr, cr) = (states(tree, child) for child in tree.children[k] or (None, None))
        total = cell.input_weights @ tree.inputs[k] + cell.left @ hl + cell.right @ hr + cell.bias
        i, o, left, right, new = np.split(total, 5)
        c = sigmoid(i) * np.tanh(new) + sigmoid(left) * cl + sigmoid(right) * cr
        return sigmoid(o) * np.tanh(c), c

    found = run_trees(cell, trees)
    for t, tree in enumerate(trees):
        for k in range(len(tree.children)):
            h, c = states(tree, k)
            np.testing.assert_allclose(found.nodes["h"][t][k], h, atol=1e-14)
            np.testing.assert_allclose(found.nodes["c"][t][k], c, atol=1e-14)
        np.testing.assert_array_equal(found.roots["h"][t], found.nodes["h"][t][-1])


def test_an_autoencoder_rebuilds_from_the_state_of_a_node(rng: np.random.Generator) -> None:
    w, left, right, b = (rng.normal(size=s) for s in ((SIZE, INPUTS), (SIZE, SIZE), (SIZE, SIZE), SIZE))
    v, c = rng.normal(size=(2 * SIZE, SIZE)), rng.normal(size=2 * SIZE)
    cell = RecursiveCell(
        input_weights=w, left=left, right=right, bias=b, activation=Arctan(gain=2.0), decoder=v, decoder_bias=c
    )
    tree = Tree(inputs=rng.normal(size=(3, INPUTS)), children=[None, None, (1, 0)])
    found = run_trees(cell, [tree])
    f = Arctan(gain=2.0).value
    first, second = (f(w @ tree.inputs[k] + b) for k in (0, 1))
    root = f(w @ tree.inputs[2] + left @ second + right @ first + b)
    np.testing.assert_allclose(found.roots["h"][0], root, atol=1e-14)
    np.testing.assert_allclose(found.roots["rebuilt"][0], v @ root + c, atol=1e-14)


def test_a_tree_does_not_depend_on_its_neighbours(rng: np.random.Generator) -> None:
    cell, trees = tree_lstm(rng), [grown(rng, leaves) for leaves in (4, 7, 3)]
    together = run_trees(cell, trees).roots["h"]
    for k, tree in enumerate(trees):
        np.testing.assert_allclose(run_trees(cell, [tree]).roots["h"][0], together[k], atol=1e-14)


def test_a_chain_as_deep_as_a_long_sentence(rng: np.random.Generator) -> None:
    """A tree of left children alone is a sequence: no recursion of Python stands in its way."""
    cell, n = tree_lstm(rng), 3000
    tree = Tree(inputs=rng.normal(size=(n, INPUTS)), children=[None, *((k, None) for k in range(n - 1))])
    assert np.all(np.isfinite(run_trees(cell, [tree]).roots["h"]))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: Tree(inputs=np.zeros((2, 1)), children=[None]),
            "`Tree` has inputs of shape (2, 1) and 1 children: must be (nodes, I) and one entry for each node",
        ),
        (
            lambda: Tree(inputs=np.zeros((2, 1)), children=[(1, None), None]),
            "`Tree.children[0]` names 1: must come before 0, and have one parent",
        ),
        (
            lambda: Tree(inputs=np.zeros((3, 1)), children=[None, (0, None), (0, 1)]),
            "`Tree.children[2]` names 0: must come before 2, and have one parent",
        ),
        (
            lambda: TreeLSTM(input_weights=np.zeros((4, 2)), left=0.0, right=0.0),
            "`TreeLSTM.input_weights` has shape (4, 2): must be (5 H, I)",
        ),
        (
            lambda: RecursiveCell(input_weights=np.zeros((3, 2)), left=np.zeros((2, 2)), right=np.zeros((3, 3))),
            "`RecursiveCell.left` has shape (2, 2): must have shape (3, 3)",
        ),
        (
            lambda: run_trees(tree_lstm(np.random.default_rng(0)), [Tree(inputs=np.zeros((1, 5)), children=[None])]),
            "`trees[0].inputs` has 5 columns: must have 2",
        ),
    ],
)
def test_wrong_input_is_refused(act: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        act()
    assert str(refused.value) == message
