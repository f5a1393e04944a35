"""Data sheets of op-amps: each figure with its minimum, typical value and maximum, and where it stands.

The sheets that come with the package and those of users are files in one format, TOML, which
`data_sheet.schema.json` describes; see `sheets/tl074.toml`.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..values.arrays import freeze
from ..values.documents import check_document, prefix
from ..values.errors import InputError
from ..values.names import NAME, unknown
from ..values.si_text import UNITS as TEXT_UNITS
from ..values.si_text import format_si
from .figures import UNITS
from .macro_model import Beyond, MacroModel

if TYPE_CHECKING:
    pass

SCHEMA = Path(__file__).parent / "data_sheet.schema.json"
FOLDER = Path(__file__).parent / "sheets"
SUFFIX = ".toml"
MOST_BYTES = 1_000_000
AMPLIFIERS = 4  # in a package, where no sheet says it
NOTHING = 1e-19  # what is written as 0
RAILS = ("supply_plus", "supply_minus", "nominal_supply")
# The figures that a sheet states: all of the model's but its rails.
OPTIONAL = ("least_supply", "most_supply")
FIGURES: Mapping[str, str] = MappingProxyType({name: unit for name, unit in UNITS.items() if name not in RAILS})

Corner: TypeAlias = Literal["typical", "minimum", "maximum", "worst"]
CORNERS: tuple[Corner, ...] = ("typical", "minimum", "maximum", "worst")
# The figures of which less is worse; of the others more is, and of a load nothing.
LESS_IS_WORSE = frozenset(
    {
        "gain",
        "gain_bandwidth",
        "phase_margin",
        "slew_rate",
        "source_current",
        "sink_current",
        "common_mode_rejection",
        "supply_rejection",
        "input_resistance",
    }
)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of a sheet, in its unit; None for a bound that the sheet does not state.

    `sheet`, `page`: where it stands; `page` may name a table or a section. `estimate`: why it is none of the sheet's,
    or what of it is not; "" where all is. `note`: how it was converted.
    """

    unit: str
    minimum: float | None = None
    typical: float
    maximum: float | None = None
    sheet: str = ""
    page: str = ""
    estimate: str = ""
    note: str = ""

    def at(self, corner: Corner, *, less_is_worse: bool = False) -> float:
        """Return the bound of a corner, and the typical value where the sheet has no such bound."""
        if corner == "worst":
            corner = "minimum" if less_is_worse else "maximum"
        bound = {"minimum": self.minimum, "maximum": self.maximum}.get(corner)
        return self.typical if bound is None else bound

    @property
    def source(self) -> str:
        """Where it stands, in words."""
        where = f"{self.sheet}, {_page(self.page)}" if self.page else ""
        guess = f"estimate: {self.estimate}" if self.estimate else ""
        return "; ".join(part for part in (where, guess) if part)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A document: its title, number and revision, and how much of it was read."""

    title: str
    number: str = ""
    revision: str = ""
    seen: str = ""


@dataclass(frozen=True, kw_only=True)
class DataSheet:
    """The figures of an op-amp, from its data sheet.

    `amplifiers`: in a package; `also`: by further name of the same die, how many there are in that one. `supplies`: at
    which the figures are stated, volts. `sheets`: by short name, the documents; "" is the first. `figures`: by the
    field of MacroModel that each one is.
    """

    name: str
    what: str
    amplifiers: int
    supplies: tuple[float, float]
    beyond_common_mode: Beyond
    packages: tuple[str, ...] = ()
    also: Mapping[str, int] = field(default_factory=dict)
    conditions: str = ""
    sheets: Mapping[str, Sheet]
    figures: Mapping[str, Figure] = field(repr=False)

    def figure(self, name: str) -> Figure:
        """Return a figure by its name. Raises InputError for an unknown name."""
        if name not in self.figures:
            raise InputError(unknown(f"{self.name}: figure", name, self.figures))
        return self.figures[name]

    def model(self, supplies: tuple[float, float] | None = None, corner: Corner = "typical") -> MacroModel:
        """Return the macro-model of one amplifier.

        `supplies`: the rails, volts, upper first; those of the sheet by default. `corner`: "typical"; "minimum" or
        "maximum", the bound of every figure that has it, the typical value of the others; "worst", of each figure the
        bound that makes a worse amplifier. Raises InputError for another corner, and what MacroModel refuses.
        """
        if corner not in CORNERS:
            raise InputError(unknown(f"{self.name}: corner", corner, CORNERS))
        upper, lower = _rails(self.supplies if supplies is None else supplies, f"{self.name}: supplies")
        worse = {name: name in LESS_IS_WORSE for name in self.figures}
        values: dict[str, Any] = {
            name: figure.at(corner, less_is_worse=worse[name]) for name, figure in self.figures.items()
        }
        return MacroModel(
            name=re.sub(r"[^A-Za-z0-9_]", "_", self.name),
            beyond_common_mode=self.beyond_common_mode,
            supply_plus=upper,
            supply_minus=lower,
            nominal_supply=self.supplies[0] - self.supplies[1],
            **values,
        )


def read_data_sheet(path: str | Path) -> DataSheet:
    """Return the data sheet in a TOML file; the files of the package show the format.

    Raises InputError, which names the file and the key, for what cannot be read, for what is not TOML, for keys that
    are missing or unknown, for values in another unit, for bounds out of order, and for a figure without a source.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"data sheet {path!r:.60}: must be the path of a TOML file")
    place = Path(path)
    with prefix(place.name or str(path)):
        content = _read(place)
        return _data_sheet(check_document(content, SCHEMA))


@cache
def shipped_sheets() -> Mapping[str, DataSheet]:
    """Return the data sheets that come with the package, by name in alphabetical order."""
    sheets = [read_data_sheet(path) for path in sorted(FOLDER.glob(f"*{SUFFIX}"))]
    return MappingProxyType({sheet.name: sheet for sheet in sorted(sheets, key=lambda sheet: sheet.name)})


def shipped_names() -> Mapping[str, str]:
    """Return by every name of a part, those of its other packages too, the name of its data sheet."""
    return {name: sheet.name for sheet in shipped_sheets().values() for name in (sheet.name, *sheet.also)}


def find_data_sheet(name: str) -> DataSheet:
    """Return the data sheet of a part by its name, in any case. Raises InputError for an unknown name."""
    names = shipped_names()
    folded = {known.lower(): sheet for known, sheet in names.items()}
    if str(name).lower() not in folded:
        raise InputError(unknown("part", name, names) + "; or read a sheet of your own with `read_data_sheet`")
    return shipped_sheets()[folded[str(name).lower()]]


def amplifiers_of(name: str) -> int:
    """Return how many amplifiers are in a package of a part, by its name in any case; 4 where no sheet says it."""
    if name.lower() not in map(str.lower, shipped_names()):
        return AMPLIFIERS
    sheet = find_data_sheet(name)
    others = {also.lower(): count for also, count in sheet.also.items()}
    return others.get(name.lower(), sheet.amplifiers)


def figure_text(value: float, unit: str) -> str:
    """Return a figure as people write it: with an SI prefix, a slew rate in V/us, dB and degrees without."""
    if abs(value) < NOTHING:
        return f"0 {unit}"
    if unit in ("dB", "deg", "V/V"):
        return f"{value:.4g} {unit}"
    return f"{value * 1e-6:.4g} V/us" if unit == "V/s" and math.isfinite(value) else format_si(value, unit)


def _data_sheet(content: Mapping[str, Any]) -> DataSheet:
    sheets = {"": Sheet(**content["sheet"])} | {name: Sheet(**one) for name, one in content.get("sheets", {}).items()}
    tables = content["figures"]
    for name in tables:
        if name not in FIGURES:
            raise InputError(unknown("figure", name, FIGURES))
    missing = [name for name in FIGURES if name not in tables and name not in OPTIONAL]
    if missing:
        raise InputError(f"`figures.{missing[0]}` is missing: state it, or estimate it and say why")
    if NAME.fullmatch(content["name"][:1]) is None or not content["name"].isprintable():
        raise InputError(f"`name` = {content['name']!r:.60}: must begin with a letter, and be printable")
    upper, lower = _rails(content["supplies"], "supplies")
    figures = {name: _figure(name, tables[name], sheets) for name in FIGURES if name in tables}
    sheet = DataSheet(
        name=content["name"],
        what=content["what"],
        amplifiers=content["amplifiers"],
        supplies=(upper, lower),
        beyond_common_mode=content["beyond_common_mode"],
        packages=tuple(content.get("packages", ())),
        also=MappingProxyType(dict(content.get("also", {}))),
        conditions=content.get("conditions", ""),
        sheets=MappingProxyType(sheets),
        figures=MappingProxyType(figures),
    )
    for corner in CORNERS:
        with prefix(f"corner {corner}"):
            sheet.model(corner=corner)
    return sheet


def _figure(name: str, table: Mapping[str, Any], sheets: Mapping[str, Sheet]) -> Figure:
    at, unit = f"figures.{name}", FIGURES[name]
    known = unit if unit in TEXT_UNITS else ""
    values = {
        key: float(freeze(table[key], f"{at}.{key}", shape=(), unit=known, allow_inf=True))
        for key in ("min", "typ", "max")
        if key in table
    }
    if not ("page" in table or "estimate" in table):
        raise InputError(f"`{at}` has no source: must have a `page` (and a `sheet`), or an `estimate` that says why")
    key = table.get("sheet", "")
    if key not in sheets:
        raise InputError(unknown(f"`{at}.sheet`", key, [one for one in sheets if one]))
    ordered = list(values.values())
    rising = all(a <= b for a, b in pairwise(ordered))
    falling = all(a >= b for a, b in pairwise(ordered)) and max(ordered) <= 0.0
    if not (rising or falling):
        found = ", ".join(f"{key} {value:g}" for key, value in values.items())
        raise InputError(f"`{at}` has {found}: must rise from min over typ to max (in size, where all are negative)")
    document = sheets[key]
    return Figure(
        unit=unit,
        minimum=values.get("min"),
        typical=values["typ"],
        maximum=values.get("max"),
        sheet=document.number or document.title if "page" in table else "",
        page=str(table.get("page", "")),
        estimate=table.get("estimate", ""),
        note=table.get("note", ""),
    )


def _rails(value: Any, name: str) -> tuple[float, float]:
    rails = freeze(value, name, unit="V")
    if rails.shape != (2,) or not rails[0] > rails[1]:
        raise InputError(f"`{name}` = {value!r:.60}: must be two, volts, the upper one first")
    return float(rails[0]), float(rails[1])


def _page(page: str) -> str:
    return f"page {page}" if page.isdecimal() else page if not re.fullmatch(r"[\d.]+", page) else f"section {page}"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(content) > MOST_BYTES:
        raise InputError(f"has {len(content)} bytes, at most {MOST_BYTES}")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except ValueError as error:
        raise InputError(f"is not TOML ({error})") from None
