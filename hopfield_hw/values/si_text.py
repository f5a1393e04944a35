"""SI text: numbers as people write and read them. Netlists never use these prefixes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from .errors import InputError

PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
# Prefixes that are read. m is milli and M is mega, as in SI and on schematics. SPICE takes both for milli, and "meg"
# for mega, which is read too, in any case. U, N and K have no other meaning; P would be peta, and is refused.
READ: Mapping[str, int] = MappingProxyType(
    {
        **{text: exponent for exponent, text in PREFIXES.items()},
        "µ": -6,
        "μ": -6,
        "U": -6,
        "N": -9,
        "K": 3,
        "meg": 6,  # both the micro sign and the mu
    }
)
# How a unit may be written, the way that is told first; case counts: S is siemens, s seconds.
UNITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Ohm": ("Ohm", "ohm", "OHM", "Ohms", "ohms", "Ω", "\N{OHM SIGN}", "R"),
        "F": ("F", "farad", "farads", "Farad"),
        "S": ("S", "siemens", "Siemens", "mho", "℧", "A/V"),
        "A": ("A", "amp", "amps", "ampere", "amperes", "Ampere"),
        "V": ("V", "volt", "volts", "Volt", "Volts"),
        "s": ("s", "sec", "second", "seconds"),
        "Hz": ("Hz", "hertz", "1/s"),
    }
)
WORDS: Mapping[str, str] = MappingProxyType(
    {"Ohm": "ohms", "F": "farads", "S": "siemens", "A": "amperes", "V": "volts", "s": "seconds", "Hz": "hertz"}
)
MOST_DIGITS = 6  # of an exponent
NUMBER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE]([+-]?[0-9]+))?\s*(.*)", re.DOTALL)
# As on schematics (IEC 60062): the letter stands where the point is, 2k2, 4n7, 4R7, R47.
INSIDE = re.compile(r"([+-]?[0-9]*)(meg|[A-DF-Za-df-zµμΩ])([0-9]+)\s*(.*)", re.DOTALL | re.IGNORECASE)
INFINITE = re.compile(r"([+-]?)(?:inf|infinity|∞)", re.IGNORECASE)


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


def parse_si(text: str, name: str, unit: str) -> float:
    """Return the value of a text in a unit: "10k", "4.7nF", "20 uS", "1meg", "2k2", "10 kΩ", "-3V3", "inf".

    `unit`: a key of UNITS, which may be left out of the text; "" for a plain number, which may be a percentage. m is
    milli, and M and meg are mega. The value is the double nearest to what is written.

    Raises InputError for another unit, and for what is not a number with an SI prefix.
    """
    written = text.strip().replace("−", "-")  # noqa: RUF001  # the minus sign
    infinite = INFINITE.fullmatch(written)
    if infinite is not None:
        return float(f"{infinite[1]}inf")
    inside, plain = INSIDE.fullmatch(written), NUMBER.fullmatch(written)
    if inside is not None and (inside[1].strip("+-") or inside[2] == "R"):
        digits, power, rest = f"{inside[1]}.{inside[3]}", "0", inside[2] + inside[4]
    elif plain is not None:
        digits, power, rest = plain[1], plain[2] or "0", plain[3].strip()
    else:
        raise InputError(_refusal(text, name, unit))
    readings = dict(_readings(rest, unit))
    taken = readings.get(unit, readings.get(""))
    if taken is None or len(power) > MOST_DIGITS:
        raise InputError(_refusal(text, name, unit, next(iter(readings), None)))
    value = float(f"{digits}e{int(power) + taken}")
    if math.isinf(value):
        raise InputError(f"`{name}` = {text!r:.40}: is beyond what numbers reach; write 'inf' where infinity is meant")
    return value


def unit_of(text: str) -> str | None:
    """Return the key of UNITS that a unit's name stands for; None for an unknown name."""
    return next((unit for unit, names in UNITS.items() if text in names), None)


def _readings(rest: str, unit: str) -> Iterator[tuple[str, int]]:
    """Yield what a prefix and a unit may be read as: the unit ("" where there is none) and the power of ten."""
    if rest == "%" and unit == "":
        yield "", -2
    for prefix, exponent in READ.items():
        if rest[: len(prefix)] != prefix and not (prefix == "meg" and rest[:3].lower() == prefix):
            continue
        left = rest[len(prefix) :].strip()
        found = "" if not left else unit if left == unit else unit_of(left)
        if found is not None:
            yield found, exponent


def _refusal(text: str, name: str, unit: str, other: str | None = None) -> str:
    said = f"`{name}` = {text!r:.40}:"
    if other is not None and other in WORDS:
        if unit not in UNITS:
            return f"{said} has a unit ({WORDS[other]}): must be a number alone here"
        hint = "; the conductance of 20 kOhm is '50 uS'" if (unit, other) == ("S", "Ohm") else ""
        hint = "; a frequency of 1 kHz is a time of '1 ms'" if (unit, other) == ("s", "Hz") else hint
        return f"{said} is in {WORDS[other]}: must be in {WORDS[unit]}{hint}"
    if re.search(r"[0-9],[0-9]", text):
        return f"{said} has a comma: write a point for the decimal comma, and thousands without a mark"
    of = f" and the unit {unit}" if unit in UNITS else ""
    example = {"Ohm": "'10k' or '4k7'", "F": "'4.7nF'", "S": "'20 uS'", "A": "'5uA'", "V": "'-3.3V'", "s": "'5ms'"}
    such = f", such as {example[unit]}" if unit in example else ""
    return f"{said} must be a number, with an SI prefix{of} where wanted{such} (m is milli, M or meg mega)"
