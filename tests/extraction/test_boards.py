"""Boards drawn by hand in many styles: the network that is read back is theirs, and does what they do."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hopfield_hw.extraction import extract

BOARDS = Path(__file__).parent / "boards"
KNOWN: dict[str, dict[str, Any]] = tomllib.loads((BOARDS / "boards.toml").read_text(encoding="utf-8"))
# By hand all op-amps are ideal; those of `odd_pins` have gains of some thousands.
CLOSE, BY_HAND = 1e-3, 2e-3


@pytest.mark.parametrize("name", KNOWN)
def test_a_board_drawn_by_hand_is_read_back(name: str) -> None:
    board = KNOWN[name]
    found = extract(BOARDS / f"{name}.cir")
    assert found.agreement is not None
    assert found.agreement.starts == 2
    assert found.agreement.nrmse <= CLOSE, str(found)
    assert found.unexplained == ()
    names = [state.names[0] for state in found.states]
    assert sorted(names) == sorted(capacitor.lower() for capacitor in board["capacitors"])
    if "weights" not in board:
        return
    order = [names.index(capacitor.lower()) for capacitor in board["capacitors"]]
    weights = np.array(board["weights"])
    np.testing.assert_array_equal(found.signs[order], board["sign"])
    np.testing.assert_allclose(found.capacitance[order], board["capacitance"], rtol=1e-12)
    np.testing.assert_allclose(found.resistance[order], board["resistance"], rtol=BY_HAND)
    off = np.max(np.abs(found.weights[np.ix_(order, order)] - weights)) / np.max(np.abs(weights))
    assert off <= BY_HAND


def test_ideal_values_are_those_of_the_devices_to_rounding() -> None:
    board = KNOWN["six_mixed"]
    found = extract(BOARDS / "six_mixed.cir", ideal=True, verify=False)
    np.testing.assert_allclose(found.weights, board["weights"], rtol=1e-9, atol=1e-16)
    np.testing.assert_allclose(found.resistance, board["resistance"], rtol=1e-9)
    np.testing.assert_allclose(found.bias, board["bias"], rtol=1e-9)


def test_devices_of_a_weight_are_named() -> None:
    found = extract(BOARDS / "tank_three.cir", verify=False)
    i, j = (int(k) for k in np.argwhere(found.weights > 1e-5)[0])
    first = found.devices(i, j)[0]
    assert found.deck is not None
    changed = found.deck.by_name[first]
    assert changed.kind == "R"
    assert 1.0 / (changed.value or 1.0) == pytest.approx(found.weights[i, j], rel=1e-3)
