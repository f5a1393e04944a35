"""Machine code of Numba, an optional package, where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .errors import MissingExtra

F = TypeVar("F")
PACKAGES = ("numba", "llvmlite")


def load_compiled(load: Callable[[], F], wanted: bool | None, option: str) -> F | None:
    """Return what `load` imports; None where it is not `wanted`, and where that is None and Numba is not installed.

    `option`: what the caller's argument is called. Raises MissingExtra where it is wanted and Numba is not installed.
    Any other error of the import is raised as it is: a kernel that is broken is not taken for a missing one.
    """
    if wanted is False:
        return None
    try:
        return load()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        if wanted:
            raise MissingExtra(
                f"`{option}` needs the package numba ({error}); install it: pip install '.[fast]'"
            ) from None
    return None
