"""Two decks held against each other device by device, whatever they hold."""

from __future__ import annotations

import pytest

from hopfield_hw.extraction import compare_devices

DECK = """right
C1 x 0 10n
R1 x 0 10k
G1 0 x w 0 50u
B1 v 0 V=tanh(3*v(x))
E1 in 0 v 0 2
R2 in near 50
T1 near 0 w 0 Z0=50 TD=1m IC=0,0,0,0
S1 w keep clock 0 gate
.model gate sw(vt=0.5 ron=1 roff=1e12)
C2 keep 0 1n
"""

CHANGES = {
    "a delay": ("TD=1m", "TD=1.1m", "t1 is 1.1 ms, and should be 1 ms", 0.1),
    "a line's impedance": ("Z0=50", "Z0=60", "t1 has the parameters z0=60, and should have z0=50", None),
    "a factor of a formula": ("V=tanh", "V=1.05*tanh", "b1 gives 1.05 times what it should", 0.05),
    "another formula": ("tanh(3*", "atan(3*", "b1 is another device than it should be", None),
    "a switch elsewhere": ("S1 w keep", "S1 v keep", "s1 goes to v, and should go to w", None),
    "a switch's model": ("ron=1 ", "ron=9 ", "the model of s1 is another one", None),
    "a capacitor": ("C1 x 0 10n", "C1 x 0 12n", "c1 is 12 nF, and should be 10 nF", 0.2),
    "missing": ("R1 x 0 10k\n", "", "r1 (10 kOhm, x to 0) is missing", None),
    "shorted": (
        "C1 x 0 10n",
        "R9 0 x 1m",
        "c1 (10 nF, x to 0) is missing, and r9 (1 mOhm, 0 to x) is in its place",
        None,
    ),
}


@pytest.mark.parametrize(("before", "after", "words", "size"), CHANGES.values(), ids=CHANGES)
def test_one_change_is_said_with_its_size(before: str, after: str, words: str, size: float | None) -> None:
    found = compare_devices(DECK.replace(before, after), DECK, 1e-5)
    assert found is not None
    assert [edit.words for edit in found.edits] == [words]
    assert found.sizes[0] == (None if size is None else pytest.approx(size))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("R1 x 0 10k", "r1 0 X 1e4"),
        ("tanh(3*v(x))", "(tanh(v(x)*3.0))"),
        ("IC=0,0,0,0", "IC=1,0,1,0"),
        ("C1 x 0 10n", "C1 x 0 {2*5n} IC=1"),
    ],
)
def test_what_is_the_same_is_no_change(before: str, after: str) -> None:
    found = compare_devices(DECK.replace(before, after), DECK, 1e-5)
    assert found is not None
    assert found.edits == ()


def test_a_deck_with_names_of_its_own_is_not_held_against_another_one_by_name() -> None:
    assert compare_devices("own\nC7 x 0 10n\nR7 x 0 10k\nR8 x 0 10k\n", DECK, 1e-5) is None
