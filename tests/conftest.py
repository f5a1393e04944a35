"""Fixtures for every test, and the settings of property tests."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import settings

# No deadline: it would be a statement about the speed of the machine. Derandomised: a run can be repeated.
settings.register_profile("hopfield_hw", deadline=None, derandomize=True)
settings.load_profile("hopfield_hw")


@pytest.fixture(scope="session")
def ngspice() -> str:
    """Return the path of the ngspice program; without it the test is skipped."""
    path = shutil.which("ngspice")
    if path is None:
        pytest.skip("ngspice is not installed: `make install` installs it, or says how")
    return path


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator that starts every test at the same place."""
    return np.random.default_rng(19840501)


@pytest.fixture(scope="session")
def iverilog() -> None:
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed: `make install` installs it, or says how")
