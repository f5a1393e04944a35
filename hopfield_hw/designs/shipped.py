"""The designs that come with the package: where they are, their names and titles."""

from __future__ import annotations

import tomllib
from pathlib import Path

FILE = "design.toml"
# A wheel carries the designs inside the package; in a checkout they lie beside it.
INSTALLED = Path(__file__).parent.parent / "_circuits"
CHECKOUT = Path(__file__).parents[2] / "circuits"


def shipped_file(name: str) -> Path:
    """Return the path of the design.toml that a shipped design of this name has."""
    return (INSTALLED if INSTALLED.is_dir() else CHECKOUT) / name / FILE


def shipped_designs() -> tuple[str, ...]:
    """Return the names of the designs that come with the package."""
    return tuple(sorted(path.parent.name for path in shipped_file("*").parents[1].glob(f"*/{FILE}")))


def shipped_titles() -> dict[str, str]:
    """Return by name the titles of the designs that come with the package."""
    return {name: tomllib.loads(shipped_file(name).read_text(encoding="utf-8"))["title"] for name in shipped_designs()}
