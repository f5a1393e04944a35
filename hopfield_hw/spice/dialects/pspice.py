"""Vendors' libraries in ngspice: they are written for PSpice, which has functions and elements that ngspice has not.

ngspice has a mode for them (`set ngbehavior=ps`), which only a script or `.spiceinit` can set, and which changes how
the rest of a deck is read; so a library is made into what ngspice reads as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from ...values.errors import Unrealisable

# Functions of PSpice that ngspice 39 lacks outside of that mode, by its own. It takes LIMIT for a random number, and
# PWR of what is negative for PWRS.
FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "limit": ".func limit(x,a,b) {min(max(x,min(a,b)),max(a,b))}",
        "if": ".func if(c,x,y) {ternary_fcn(c,x,y)}",
        "stp": ".func stp(x) {u(x)}",
        "pwr": ".func pwr(x,y) {pow(abs(x),y)}",
        "pwrs": ".func pwrs(x,y) {sgn(x)*pow(abs(x),y)}",
        "arctan": ".func arctan(x) {atan(x)}",
    }
)
# What ngspice 39 has no equal of: a pattern, what it is, and what to write in its place.
LACKING: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        r"\bvswitch\b": ("a VSWITCH model", "a SW model with VT and VH, or a B source"),
        r"\biswitch\b": ("an ISWITCH model", "a CSW model with IT and IH, or a B source"),
        r"\blaplace\b": ("a LAPLACE source", "resistors and capacitors around G sources"),
        r"\bfreq\s*\{": ("a FREQ source", "resistors and capacitors around G sources"),
        r"\{[^{}]*\btable\s*\(": ("a TABLE function", "pwl, with a point more on either side where it is flat"),
        r"\bchebyshev\b": ("a CHEBYSHEV source", "resistors and capacitors around G sources"),
    }
)
BRACES = re.compile(r"\{[^{}]*\}")
TEMPERATURE = re.compile(r"(?i)\bTC\s*=\s*([^\s,]+)\s*,\s*([^\s,]+)")


def translate_library(library: str, name: str) -> list[str]:
    """Return the lines of a library as ngspice reads them. Raises Unrealisable for what it has not.

    Functions that it lacks are defined before it; `&`, `|` and `~` of conditions become `&&`, `||` and `!`, and
    `TC=a,b` the two words that ngspice has.
    """
    lines = library.split("\n")
    for line in lines:
        for pattern, (what, other) in LACKING.items():
            if not line.startswith("*") and re.search(pattern, line, re.IGNORECASE):
                raise Unrealisable(
                    f"op-amp {name}: its library has {what} ({line!r:.60}), which ngspice lacks: write {other} in its "
                    "place, or export to a simulator that has it"
                )
    defined = {match[1].lower() for match in re.finditer(r"(?im)^\.func\s+(\w+)", library)}
    called = {match[1].lower() for match in re.finditer(r"(\w+)\s*\(", library)}
    added = [text for function, text in FUNCTIONS.items() if function in called - defined]
    return [*added, *(line if line.startswith("*") else _translate(line) for line in lines)]


def _translate(line: str) -> str:
    line = TEMPERATURE.sub(r"tc1=\1 tc2=\2", line)
    return BRACES.sub(lambda found: _conditions(found[0]), line)


def _conditions(text: str) -> str:
    text = re.sub(r"(?<![&|])([&|])(?![&|])", r"\1\1", text)
    return re.sub(r"~(?!=)", "!", text)
