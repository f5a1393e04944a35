"""Recursive cells over trees, against the equations, node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hopfield_hw.equations.trees import Tree, run_trees
from hopfield_hw.functions import Arctan, Tanh
from hopfield_hw.graph import Graph
from hopfield_hw.graph.draft import GraphDraft
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine
from hopfield_hw.integers.trees import fixed_node
from hopfield_hw.recurrent import RecursiveCell, TreeLSTM
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import InputError

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


def node_of(state: str, *, sides: tuple[str, ...] = ("left", "right")) -> Graph:
    """tanh(x + 0.5 left + 0.3 right), of a state with any name."""
    draft = GraphDraft()
    parts = [draft.affine("w", np.ones((SIZE, 1)), None, draft.input("x", 1))]
    for side, weight in (("left", 0.5), ("right", 0.3)):
        if side in sides:
            parts.append(draft.affine(f"u{side}", weight * np.eye(SIZE), None, draft.input(f"{state}_{side}", SIZE)))
    draft.activate("f", Tanh(), None, SIZE, parts)
    draft.output(state, SIZE, "f")
    return draft.graph()


@pytest.mark.parametrize("state", ["h", "my_h", "h_2", "a_left", "b_right", "left", "right_left", "x_left", "h__"])
def test_a_state_may_have_any_name(state: str) -> None:
    tree = Tree(inputs=np.array([[0.1], [0.2], [0.3]]), children=[None, None, (0, 1)])
    root = np.tanh(0.3 + 0.5 * np.tanh(0.1) + 0.3 * np.tanh(0.2))
    np.testing.assert_allclose(run_trees(node_of(state), [tree]).roots[state], np.full((1, SIZE), root), atol=1e-15)
    formats = FixedPoint(signals=QFormat(word=24, fraction=20), weights=QFormat(word=24, fraction=20), address_bits=16)
    node = fixed_node(FixedMachine(lower_to_integers(node_of(state), formats)))
    np.testing.assert_allclose(run_trees(node_of(state), [tree], node=node).roots[state], root, atol=1e-5)
    one_side = run_trees(node_of(state, sides=("right",)), [tree]).roots[state]
    np.testing.assert_allclose(one_side[0], np.tanh(0.3 + 0.3 * np.tanh(0.2)), atol=1e-15)


def test_states_whose_names_begin_alike_are_kept_apart() -> None:
    """Of `h`, `h_2` and `h_2_left` each goes to its own Inputs."""
    draft, factors = GraphDraft(), {"h": 0.5, "h_2": 0.25, "h_2_x": -0.75}
    draft.input("x", 1)
    for k, (state, factor) in enumerate(factors.items()):
        parts = ["x"]
        for side, sign in (("left", 1.0), ("right", -1.0)):
            source = draft.input(f"{state}_{side}", 1)
            parts.append(draft.affine(f"w{k}{side}", np.array([[sign * factor]]), None, source))
        draft.output(state, 1, *parts)
    tree = Tree(inputs=np.array([[1.0], [2.0], [3.0]]), children=[None, None, (0, 1)])
    roots = run_trees(draft.graph(), [tree]).roots
    assert {name: array.tolist() for name, array in roots.items()} == {n: [[3.0 - f]] for n, f in factors.items()}


def test_of_no_tree_the_roots_have_no_rows(rng: np.random.Generator) -> None:
    found = run_trees(tree_lstm(rng), [])
    assert {name: array.shape for name, array in found.roots.items()} == {"h": (0, SIZE), "c": (0, SIZE)}
    assert found.nodes == {"h": (), "c": ()}


def without_word() -> Graph:
    draft = GraphDraft()
    draft.output("h", 1, draft.input("h_left", 1))
    return draft.graph()


def with_a_stranger(name: str, size: int) -> Graph:
    draft = GraphDraft()
    draft.output("h", 1, draft.input("x", 1), draft.affine("w", np.ones((1, size)), None, draft.input(name, size)))
    return draft.graph()


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
        (
            lambda: run_trees(without_word(), []),
            "the graph has no Input 'x', the word of a node; its Inputs are h_left",
        ),
        (
            lambda: run_trees(with_a_stranger("c_left", 1), []),
            "Input 'c_left' (1 elements): must be 'x', or a state with _left or _right behind its name, of its size; "
            "the states are the Outputs h (1)",
        ),
        (
            lambda: run_trees(with_a_stranger("h_left", 2), []),
            "Input 'h_left' (2 elements): must be 'x', or a state with _left or _right behind its name, of its size; "
            "the states are the Outputs h (1)",
        ),
    ],
)
def test_wrong_input_is_refused(act: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        act()
    assert str(refused.value) == message
