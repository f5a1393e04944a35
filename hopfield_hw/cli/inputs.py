"""What the values of shared options mean."""

from __future__ import annotations

from ..designs import Design, load_design
from ..lowering import find_cell
from ..processes import TIMEOUT
from ..values.arrays import positive
from ..values.errors import InputError
from ..values.measures import check_accuracy
from ..values.si_text import parse_si


def load(name: str, case: str | None = None) -> Design:
    """Return a design, or a case of it. Raises InputError for an unknown design or case, and for a wrong one."""
    design = load_design(name)
    if case is None:
        return design
    if case not in design.cases:
        known = ", ".join(design.cases) if design.cases else "none"
        raise InputError(f"--case {case!r:.60}: {design.name} has no such case; its cases: {known}")
    return design.cases[case]


def check_cell(name: str) -> str:
    """Return the name of a cell. Raises InputError for an unknown one."""
    return find_cell(name).name


def check_positive(value: float | str, name: str, unit: str) -> float:
    """Return a positive number. Raises InputError for another."""
    return float(positive(value, name, shape=(), unit=unit))


def accuracy_given(value: float | None) -> float | None:
    """Return the value of --accuracy, an NRMSE; None where it is not given. Raises InputError for another number."""
    return None if value is None else check_accuracy(value, "--accuracy")


def check_timeout(value: str | None) -> float:
    """Return the value of --timeout, seconds. Raises InputError for one that is not positive."""
    return TIMEOUT if value is None else check_positive(value, "--timeout", "s")


def rails(text: str) -> tuple[float, float]:
    """Return the value of --supplies, volts. Raises InputError for what is not an upper and a lower rail."""
    words = text.split(",")
    if len(words) != 2:
        raise InputError(f"--supplies {text!r:.40}: must be two voltages with a comma, such as 12,-12")
    upper, lower = (parse_si(word, "--supplies", "V") for word in words)
    if not upper > lower:
        raise InputError(
            f"--supplies {text!r:.40}: the first one must be the upper rail, above the second, such as 12,-12"
        )
    return upper, lower
