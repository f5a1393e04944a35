"""What tests of several commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
from pair_design import BOARD, PAIR


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """Write a design of two neurons, with how its board is made."""
    path = tmp_path / "pair" / "design.toml"
    path.parent.mkdir()
    path.write_text(PAIR + BOARD, encoding="utf-8")
    return path
