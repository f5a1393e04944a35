"""Cities of a travelling salesman: symmetric files of TSPLIB (G. Reinelt, ORSA J. Comput. 3:376, 1991), and CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ...values.arrays import Array, first_asymmetry, freeze
from ...values.errors import InputError
from .lines import Line, read_lines
from .types import Cities

# A matrix of distances has this many cities squared.
MOST_CITIES = 5000
EARTH, PI = 6378.388, 3.141592  # of the rule GEO, to the digits that it states
SECTIONS = ("NODE_COORD_SECTION", "EDGE_WEIGHT_SECTION", "DISPLAY_DATA_SECTION")
ENTRIES: Mapping[str, Callable[[int], int]] = MappingProxyType(
    {
        "FULL_MATRIX": lambda n: n * n,
        "UPPER_ROW": lambda n: n * (n - 1) // 2,
        "LOWER_ROW": lambda n: n * (n - 1) // 2,
        "UPPER_DIAG_ROW": lambda n: n * (n + 1) // 2,
        "LOWER_DIAG_ROW": lambda n: n * (n + 1) // 2,
    }
)


def read_cities(path: Path) -> Cities:
    """Return the cities of a `.tsp` file, or of a `.csv` file with a place `x,y` in each line (plain distances).

    Distances by EDGE_WEIGHT_TYPE: EUC_2D, CEIL_2D, ATT, GEO and EXPLICIT matrices, whole numbers by the rules of
    TSPLIB. Raises InputError for another type, for missing sections, counts that do not fit, and distances that are
    not symmetric or are negative.
    """
    return _read_csv(path) if path.suffix.lower() == ".csv" else _read_tsplib(path)


def _read_csv(path: Path) -> Cities:
    places = []
    for line in read_lines(path):
        words = tuple(" ".join(line.words).replace(",", " ").split())
        row = Line(line.file, line.number, words)
        if len(words) != 2:
            row.refuse("must be `x,y`")
        places.append([row.value(k, "a coordinate") for k in (0, 1)])
    if len(places) < 3:
        raise InputError(f"{path.name}: has {len(places)} cities: must have at least 3")
    xy = _limit(path, np.array(places))
    distances = np.hypot(*(xy[:, np.newaxis] - xy).transpose(2, 0, 1))
    return Cities(name=path.stem, distances=freeze(distances, "distances"), places=freeze(xy, "places"), rounded=False)


def _read_tsplib(path: Path) -> Cities:
    head: dict[str, str] = {}
    sections: dict[str, list[Line]] = {}
    current: list[Line] | None = None
    for line in read_lines(path):
        text = " ".join(line.words)
        if text == "EOF":
            break
        key, colon, value = text.partition(":")
        if colon:
            head[key.strip()] = value.strip()
        elif text.endswith("_SECTION"):
            if text not in SECTIONS:
                line.refuse(f"must be a section of {', '.join(SECTIONS)}")
            current = sections.setdefault(text, [])
        elif current is not None:
            current.append(line)
        else:
            line.refuse("must be `KEY: VALUE`, or stand in a section")
    if head.get("TYPE", "TSP").split()[0] != "TSP":
        raise InputError(f"{path.name}: TYPE {head['TYPE']}: must be TSP, distances that are the same both ways")
    try:
        n = int(head["DIMENSION"])
    except (KeyError, ValueError):
        raise InputError(f"{path.name}: must have a line `DIMENSION: NUMBER`") from None
    if not 3 <= n <= MOST_CITIES:
        raise InputError(f"{path.name}: has {n} cities: must have from 3 to {MOST_CITIES}")
    kind = head.get("EDGE_WEIGHT_TYPE", "")
    places = _places(path, sections.get("NODE_COORD_SECTION"), n) if "NODE_COORD_SECTION" in sections else None
    if kind == "EXPLICIT":
        distances = _explicit(path, head.get("EDGE_WEIGHT_FORMAT", ""), sections.get("EDGE_WEIGHT_SECTION", []), n)
    elif kind not in RULES:
        raise InputError(
            f"{path.name}: EDGE_WEIGHT_TYPE {kind or 'is missing'}: must be one of EXPLICIT, {', '.join(RULES)}"
        )
    elif places is None:
        raise InputError(f"{path.name}: must have a NODE_COORD_SECTION for EDGE_WEIGHT_TYPE {kind}")
    else:
        distances = RULES[kind](places)
    np.fill_diagonal(distances, 0.0)
    return Cities(
        name=head.get("NAME", path.stem),
        distances=freeze(distances, "distances"),
        places=None if places is None else freeze(places, "places"),
    )


def _places(path: Path, lines: list[Line] | None, n: int) -> Array:
    found = np.full((n, 2), np.nan)
    for line in lines or ():
        if len(line.words) != 3:
            line.refuse("must be `CITY X Y`")
        city = line.whole(0, 1, n, "a city") - 1
        if np.isfinite(found[city, 0]):
            line.refuse("this city is there twice; leave one out")
        found[city] = [line.value(k, "a coordinate") for k in (1, 2)]
    missing = np.flatnonzero(np.isnan(found[:, 0]))
    if missing.size:
        raise InputError(f"{path.name}: city {missing[0] + 1} has no place; is the file whole?")
    return found


def _explicit(path: Path, order: str, lines: list[Line], n: int) -> Array:
    if order not in ENTRIES:
        raise InputError(
            f"{path.name}: EDGE_WEIGHT_FORMAT {order or 'is missing'}: must be one of {', '.join(ENTRIES)}"
        )
    values = np.array([line.value(k, "a distance") for line in lines for k in range(len(line.words))])
    if values.size != ENTRIES[order](n):
        raise InputError(f"{path.name}: has {values.size} distances: must have {ENTRIES[order](n)}; is the file whole?")
    if values.size and values.min() < 0.0:
        raise InputError(f"{path.name}: the distance {values.min():g}: must not be negative")
    if order == "FULL_MATRIX":
        matrix = values.reshape(n, n)
        if (pair := first_asymmetry(matrix)) is not None:
            i, j = pair
            raise InputError(
                f"{path.name}: distances {i + 1} to {j + 1} and back are {matrix[i, j]:g} and {matrix[j, i]:g}: must "
                "be the same both ways"
            )
        return matrix
    diagonal = 0 if "DIAG" in order else 1
    rows, columns = np.triu_indices(n, diagonal) if order.startswith("UPPER") else np.tril_indices(n, -diagonal)
    matrix = np.zeros((n, n))
    matrix[rows, columns] = values
    return matrix + matrix.T - np.diag(matrix.diagonal())


def _limit(path: Path, places: Array) -> Array:
    if len(places) > MOST_CITIES:
        raise InputError(f"{path.name}: has {len(places)} cities: must have at most {MOST_CITIES}")
    return places


def _differences(places: Array) -> tuple[Array, Array]:
    apart = places[:, np.newaxis] - places
    return apart[..., 0], apart[..., 1]


def _euclidean(places: Array) -> Array:
    return np.asarray(np.floor(np.hypot(*_differences(places)) + 0.5))


def _ceiling(places: Array) -> Array:
    return np.asarray(np.ceil(np.hypot(*_differences(places))))


def _pseudo_euclidean(places: Array) -> Array:
    dx, dy = _differences(places)
    exact = np.sqrt((dx * dx + dy * dy) / 10.0)
    rounded = np.floor(exact + 0.5)
    return np.asarray(np.where(rounded < exact, rounded + 1.0, rounded))


def _geographical(places: Array) -> Array:
    degrees = np.trunc(places)
    latitude, longitude = (PI * (degrees + 5.0 * (places - degrees) / 3.0) / 180.0).T
    q1 = np.cos(longitude[:, np.newaxis] - longitude)
    q2, q3 = (np.cos(latitude[:, np.newaxis] + sign * latitude) for sign in (-1.0, 1.0))
    cosine = np.clip(0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3), -1.0, 1.0)
    return np.asarray(np.trunc(EARTH * np.arccos(cosine) + 1.0))


RULES: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"EUC_2D": _euclidean, "CEIL_2D": _ceiling, "ATT": _pseudo_euclidean, "GEO": _geographical}
)
