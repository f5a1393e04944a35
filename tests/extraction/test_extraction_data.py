"""The benchmark that is published: the same bytes each time, and its decks are its networks."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hopfield_hw.extraction import extract

FOLDER = Path(__file__).parent.parent / "benchmarks"
CASES = 2


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(FOLDER)
    return import_module("extraction_data")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_is_written_the_same_each_time(data: Any, tmp_path: Path) -> None:
    for name in ("first", "second"):
        data.write(tmp_path / name, CASES)
    first, second = files(tmp_path / "first"), files(tmp_path / "second")
    assert len(first) == 1 + 5 * CASES
    assert first == second
    index = json.loads(first["index.json"])
    assert index["counts"]["cases"] == CASES
    assert "CC0-1.0" in index["licence"]


@pytest.mark.parametrize("index", range(5))
def test_a_deck_of_each_style_is_its_network(data: Any, index: int) -> None:
    about, decks = data.draw_case(index, data.SEED)
    assert decks["good.cir"] != decks["faulty.cir"]
    found = extract(decks["good.cir"], ideal=True, verify=False)
    network = about["network"]
    scale = np.max(np.abs(network["T"]))
    np.testing.assert_allclose(found.weights, network["T"], rtol=1e-8, atol=1e-9 * scale)
    np.testing.assert_allclose(found.resistance, network["R"], rtol=1e-8)
    np.testing.assert_allclose(found.capacitance, network["C"], rtol=1e-8)
    np.testing.assert_allclose(found.bias, network["I"], rtol=1e-8, atol=1e-16)
    for k, gain in enumerate(found.gains):
        assert gain is not None
        assert gain.kind == network["gain"]["family"]
        assert gain.params()["gain"] == pytest.approx(network["gain"]["gain"][k], rel=1e-8)
