"""Faults that were planted in boards are named; a good board has none."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from extraction.planted import FAMILIES, KINDS, Board, draw_board, is_found, plant

from hopfield_hw.extraction import Extraction, extract
from hopfield_hw.extraction.differences import find_faults, make_frame
from hopfield_hw.extraction.findings import Differences
from hopfield_hw.extraction.flatten import flatten

TOLERANCE = 1e-6
# Without ngspice in the way: the curves of these are formulas.
FAMILY_OF = {
    kind: ("hopfield_tank", "inverting_integrator", "summing_amplifier")[k % 3] for k, kind in enumerate(KINDS)
}
FAMILY_OF["inputs"] = "inverting_integrator"


@lru_cache
def board(family: str) -> tuple[Board, Extraction]:
    given = draw_board(family, np.random.default_rng(1986), least=3, most=3)
    return given, extract(given.deck, ideal=True, verify=False)


def look(family: str, text: str) -> Differences:
    given, found = board(family)
    return find_faults(flatten(text), make_frame(found, found), TOLERANCE, flatten(given.deck), by_name=False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_of_each_kind_is_named(kind: str) -> None:
    given, _ = board(FAMILY_OF[kind])
    text, fault = plant(given.deck, kind, np.random.default_rng(7))
    found = look(FAMILY_OF[kind], text)
    assert is_found(fault, found), f"{fault.words}: {found}"


@pytest.mark.parametrize("kind", ["exchanged", "open", "inputs"])
def test_a_fault_beside_real_op_amps_is_named(kind: str, ngspice: str) -> None:
    given, _ = board("passive nodes")
    text, fault = plant(given.deck, kind, np.random.default_rng(8))
    found = look("passive nodes", text)
    assert is_found(fault, found), f"{fault.words}: {found}"


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "integrators"])
def test_a_good_board_has_no_findings(family: str, ngspice: str) -> None:
    given, _ = board(family)
    found = look(family, given.deck)
    assert found.agrees
    assert found.deviations == ()


def test_a_faulty_deck_is_compared_with_the_good_one_as_it_is_read() -> None:
    given, good = board("inverting_integrator")
    text, fault = plant(given.deck, "10%", np.random.default_rng(9))
    found = extract(text, verify=False).diff(good)
    assert any(fault.is_named_by(each) for each in found.candidates)
    assert found.findings[0].kind == "value"


@pytest.mark.parametrize("kinds", [("factor 2", "capacitor"), ("sign", "10%")])
def test_two_faults_are_both_named(kinds: tuple[str, str]) -> None:
    given, _ = board("summing_amplifier")
    rng = np.random.default_rng(10)
    text, first = plant(given.deck, kinds[0], rng)
    text, second = plant(text, kinds[1], rng, first.devices)
    found = look("summing_amplifier", text)
    assert len(found.findings) == 2
    for fault in (first, second):
        assert any(fault.is_named_by(each) for each in found.findings), f"{fault.words}: {found}"
