"""SI text: numbers as people read them in reports and messages. Netlists never use these prefixes."""

from __future__ import annotations

import math

PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


def format_si(value: float, unit: str, digits: int = 4) -> str:
    """Return `value` with an SI prefix: `format_si(2.2e4, "Ohm")` is `"22 kOhm"`."""
    if not math.isfinite(value):
        return f"{value} {unit}"
    if value == 0.0:
        return f"0 {unit}"
    exponent = 3 * math.floor(math.log10(abs(value)) / 3)
    exponent = min(max(exponent, min(PREFIXES)), max(PREFIXES))
    if abs(float(f"{value / 10.0**exponent:.{digits}g}")) >= 1000.0 and exponent < max(PREFIXES):
        exponent += 3
    mantissa = value / 10.0**exponent
    return f"{mantissa:.{digits}g} {PREFIXES[exponent]}{unit}"
