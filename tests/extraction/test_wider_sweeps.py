"""Curves end where they were swept; where the circuit goes beyond, they are swept again, and the agreement sees it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hopfield_hw.extraction import Extraction, extract, flatten
from hopfield_hw.extraction.agreement import LENGTH, compare_transients
from hopfield_hw.extraction.states import find_states
from hopfield_hw.extraction.sweeping import Ranges

BOARDS = Path(__file__).parent / "boards"


def test_ranges_grow_where_the_circuit_went_beyond_them_and_nowhere_else() -> None:
    ranges = Ranges([(-1.0, 1.0), (0.0, 2.0)], [(-0.5, 3.0), (0.5, 1.5)])
    assert ranges.is_wider
    assert ranges.beyond() == [True, False]
    np.testing.assert_allclose(ranges.widened(0.1), [(-1.0, 3.35), (0.0, 2.0)])
    assert not Ranges([(-1.0, 1.0)], [(-1.0, 1.0 + 1e-9)]).is_wider


def test_a_rest_state_that_was_not_seen_first_is_within_the_curves() -> None:
    """From these starts the sweep that comes first misses where one neuron of six rests."""
    found = extract(BOARDS / "six_mixed.cir", rng=np.random.default_rng(1))
    assert found.agreement is not None
    assert found.agreement.passed, str(found.agreement)
    went = Ranges(found.swept, found.agreement.visited)  # all signs are 1, and no state is shifted
    assert not went.is_wider
    first = extract(BOARDS / "six_mixed.cir", rng=np.random.default_rng(1), verify=False)
    assert Ranges(first.swept, found.agreement.visited).is_wider


def test_a_given_span_is_kept_and_what_is_beyond_it_is_said() -> None:
    found = extract(BOARDS / "kicad_export.cir", span=[(-2.0, 2.0), (-0.3, 0.3)])
    np.testing.assert_allclose(found.swept, [(-2.0, 2.0), (-0.3, 0.3)])
    assert found.agreement is not None
    assert not found.agreement.passed
    assert [note for note in found.notes if note.startswith("c2 went from ")], found.notes


def _compared(found: Extraction, name: str) -> float:
    deck = flatten(BOARDS / f"{name}.cir")
    states = find_states(deck, None)
    longest = float(np.max(found.resistance * found.capacitance))
    starts = np.array([[0.7, -0.4, 0.5, 0.2, -0.6][: found.size], [-0.5, 0.3, 1.0, -0.2, 0.4][: found.size]])
    return compare_transients(found, deck, states, starts, LENGTH * longest, timeout=120.0).nrmse


@pytest.mark.parametrize("name", ["tank_three", "chain_five"])
def test_the_agreement_sees_a_weight_or_a_leak_that_is_off(name: str) -> None:
    """Both networks amplify what they are off by; a comparison that starts again in between still sees 2%."""
    found = extract(BOARDS / f"{name}.cir", verify=False)
    assert _compared(found, name) < 5e-4
    weights = found.weights.copy()
    weights[1, 0] *= 1.02
    assert _compared(replace(found, weights=weights), name) > 1e-3
    resistance = found.resistance * np.where(np.arange(found.size) == 1, 1.02, 1.0)
    assert _compared(replace(found, resistance=resistance), name) > 1e-3
