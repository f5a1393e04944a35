"""S-expressions: written as KiCad does, read back the same, and refused with line and column."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopfield_hw.kicad.sexpr import Quoted, every, first, need, number, read_tree, word, write_tree
from hopfield_hw.values.errors import InputError

words = st.text(alphabet="abcXYZ019_.-+/*", min_size=1, max_size=8)
texts = st.text(alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=12)
atoms = st.one_of(words, texts.map(Quoted))
trees = st.recursive(
    st.tuples(words, st.lists(atoms, max_size=4)).map(lambda found: [found[0], *found[1]]),
    lambda inner: st.tuples(words, st.lists(st.one_of(atoms, inner), max_size=4)).map(lambda f: [f[0], *f[1]]),
    max_leaves=12,
)


@given(trees)
def test_what_is_written_is_read_back(tree: list[Any]) -> None:
    found = read_tree(write_tree(tree))
    assert found == tree
    assert write_tree(found) == write_tree(tree)


def test_it_is_written_as_kicad_writes_it() -> None:
    tree = [
        "wire",
        ["pts", ["xy", 1.27, 2.54], ["xy", -0.00001, 10.0]],
        ["stroke", ["width", 0], ["type", "default"]],
        ["uuid", Quoted('a "b"\\\n')],
    ]
    assert write_tree(tree) == (
        "(wire\n\t(pts\n\t\t(xy 1.27 2.54) (xy 0 10)\n\t)\n\t(stroke\n\t\t(width 0)\n\t\t(type default)\n\t)\n"
        '\t(uuid "a \\"b\\"\\\\\\n")\n)\n'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("(a\n  (b 1)\n", "line 1, column 1"),
        ("(a (b)\n (c (d 1)", "line 2, column 2"),
        ("(a))", "line 1, column 4"),
        ("(a)\n(b)", "line 2, column 1"),
        ("(a ())", "line 1, column 5"),
        ('(a\n "b)', "line 2, column 2"),
        ("a (b)", "outside all brackets"),
    ],
)
def test_what_is_none_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_tree(text)


@pytest.mark.parametrize("item", [math.nan, math.inf, True, None, "two words", "", "a(b", 'a"b'])
def test_what_a_file_cannot_hold_is_refused(item: object) -> None:
    with pytest.raises(InputError, match="S-expression"):
        write_tree(["a", item])


def test_items_are_found_by_their_names() -> None:
    tree = read_tree('(a (b 1) (c x) (b 2.5 "t"))')
    assert [word(item) for item in every(tree, "b")] == ["1", "2.5"]
    assert number(every(tree, "b")[1]) == 2.5
    assert first(tree, "z") is None
    with pytest.raises(InputError, match=r"no \(z"):
        need(tree, "z")
    with pytest.raises(InputError, match="must be a number"):
        number(need(tree, "c"))
    with pytest.raises(InputError, match="at place 3"):
        word(need(tree, "b"), 3)
