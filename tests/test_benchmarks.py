"""The measurements of `make bench`: a missed goal ends them with status 1."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "benchmarks"


@pytest.mark.parametrize(
    ("better", "value", "status"),
    [
        ("lower", 1.0, 0),
        ("lower", 1.1, 1),
        ("higher", 1.0, 0),
        ("higher", 0.9, 1),
        ("lower", float("nan"), 1),
        ("lower", None, 0),
    ],
)
def test_a_missed_goal_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, better: str, value: float | None, status: int
) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    bench: Any = import_module("run")
    rows = [import_module("measuring").row("a count", each, 1.0, better) for each in (1.0, value)]
    monkeypatch.setattr(bench, "TOPICS", (lambda: rows,))
    monkeypatch.chdir(tmp_path)
    assert bench.main() == status
    assert len(json.loads((tmp_path / "build" / "bench.json").read_text())) == 2
