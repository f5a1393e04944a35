"""Machine code where Numba is installed, NumPy where it is not, and no broken kernel taken for a missing package."""

from __future__ import annotations

import importlib
import sys

import pytest

from hopfield_hw.values.compiled import load_compiled
from hopfield_hw.values.errors import MissingExtra


def import_numba() -> object:
    return importlib.import_module("numba")


def test_without_numba_there_is_none_unless_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    assert load_compiled(import_numba, None, "compiled") is None
    assert load_compiled(import_numba, False, "compiled") is None
    with pytest.raises(MissingExtra) as refused:
        load_compiled(import_numba, True, "compiled")
    assert str(refused.value) == (
        "`compiled` needs the package numba (import of numba halted; None in sys.modules); install it: "
        "pip install '.[fast]'"
    )


def test_a_kernel_that_cannot_be_imported_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        load_compiled(lambda: importlib.import_module("no_such_module"), None, "compiled")


def test_what_is_loaded_is_returned_and_what_is_not_wanted_not_loaded() -> None:
    assert load_compiled(lambda: 1, None, "compiled") == load_compiled(lambda: 1, True, "compiled") == 1
    assert load_compiled(lambda: pytest.fail("loaded"), False, "compiled") is None
