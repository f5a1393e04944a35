"""The table of a memory of 4 neurons, made once."""

from __future__ import annotations

import pytest
from measured_boards import memory_table

from hopfield_hw.bringup import BringUp


@pytest.fixture(scope="session")
def table(ngspice: str) -> BringUp:
    return memory_table(4, 16)
