"""KiCad's pictures of sheets, small: cut to what is drawn, lines joined, without what nobody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from xml.etree import ElementTree

from ..values.errors import InputError

MARGIN = 3.0  # millimetres around what is drawn
ROUND = "stroke-linecap:round;stroke-linejoin:round"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
LINES = re.compile(r"\s*M\s*\S+ \S+(?:\s*L\s*\S+ \S+)+\s*")
# The radii and flags of an arc, before the point where it ends.
ARC = re.compile(r"A\s*\S+ \S+ \S+ \S+ \S+\s+(\S+ \S+)")
POINTS = {"rect": ("x", "y"), "circle": ("cx", "cy")}
STYLE = frozenset({"fill", "stroke", "stroke-width", "stroke-dasharray"})
KEPT = frozenset({"x", "y", "width", "height", "cx", "cy", "r", "d"})

Point = tuple[int, int]
Box = tuple[float, float, float, float]


def shrink_picture(svg: str, margin: float = MARGIN) -> str:
    """Return an SVG of `export_pictures` cut to its drawing, about a quarter as large; it says no date.

    `margin`: millimetres around the drawing. KiCad writes a letter stroke by stroke; strokes that meet are one line
    here, numbers have two decimals, and the invisible text that lies over the letters is left out,
    and what KiCad draws twice is drawn once.

    Raises InputError for a text that is no SVG, or one without a drawing.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise InputError(f"a picture of a sheet: no SVG ({error}); give what export_pictures returns") from None
    found = {(*sorted(style.items()), *sorted(item.attrib.items())): (style, item) for style, item in _walk(root, {})}
    paper, *drawn = [(style, item) for style, item in found.values() if _name(item) in ("rect", "circle", "path")]
    if not drawn:
        raise InputError("a picture of a sheet: nothing is drawn on it; give what export_pictures returns")
    boxes = [_box(item) for _, item in drawn]
    left, top = (min(box[k] for box in boxes) - margin for k in (0, 1))
    right, bottom = (max(box[k] for box in boxes) + margin for k in (2, 3))
    width, height = right - left, bottom - top
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{width:.0f}mm" height="{height:.0f}mm" viewBox="{left:.2f} {top:.2f} {width:.2f} {height:.2f}" '
        f'style="{ROUND}">',
        f'<rect x="{left:.2f}" y="{top:.2f}" width="{width:.2f}" height="{height:.2f}" '
        f'fill="{escape(paper[0].get("fill", "none"))}"/>',
    ]
    groups: list[tuple[dict[str, str], list[ElementTree.Element]]] = []
    for style, item in drawn:
        if groups and groups[-1][0] == style:
            groups[-1][1].append(item)
        else:
            groups.append((style, [item]))
    for style, items in groups:
        said = "".join(f' {name}="{escape(value)}"' for name, value in sorted(style.items()))
        parts.append(f"<g{said}>{''.join(_write(items))}</g>")
    return "\n".join([*parts, "</svg>", ""])


def _walk(item: ElementTree.Element, style: Mapping[str, str]) -> Iterator[tuple[dict[str, str], ElementTree.Element]]:
    """Yield all elements with the fill and stroke that they inherit."""
    words = (word.partition(":") for word in item.get("style", "").split(";"))
    own = {
        name.strip(): value.strip() for name, _, value in words if name.strip() in ("fill", "stroke", "stroke-width")
    }
    merged = {**style, **own}
    yield merged, item
    for child in item:
        yield from _walk(child, merged)


def _write(items: list[ElementTree.Element]) -> Iterator[str]:
    """Yield elements, with lines that go on where another ends as one, and all lines as one path."""
    lines: list[list[Point]] = []
    for item in items:
        path = LINES.fullmatch(item.get("d", "")) if _name(item) == "path" else None
        if path is None:
            said = "".join(f' {key}="{_short(value)}"' for key, value in item.attrib.items() if key in KEPT)
            yield f"<{_name(item)}{said}/>"
            continue
        numbers = [round(100 * float(value)) for value in NUMBER.findall(path[0])]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if lines and lines[-1][-1] == points[0]:
            lines[-1] += points[1:]
        else:
            lines.append(points)
    if lines:
        yield f'<path d="{"".join(map(_line, lines))}"/>'


def _line(points: Sequence[Point]) -> str:
    """Return a line through points, in hundredths of a millimetre, as steps from each to the next."""
    (x, y), steps = points[0], [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
    return f"M{x / 100:g} {y / 100:g}l" + " ".join(f"{dx / 100:g} {dy / 100:g}" for dx, dy in steps)


def _box(item: ElementTree.Element) -> Box:
    if _name(item) == "path":
        numbers = [float(value) for value in NUMBER.findall(ARC.sub(r"L\1", item.get("d", "")))]
        return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])
    x, y = (float(item.get(key, "0")) for key in POINTS[_name(item)])
    if _name(item) == "circle":
        radius = float(item.get("r", "0"))
        return x - radius, y - radius, x + radius, y + radius
    return x, y, x + float(item.get("width", "0")), y + float(item.get("height", "0"))


def _short(text: str) -> str:
    return NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), " ".join(text.split()))


def _name(item: ElementTree.Element) -> str:
    return item.tag.rpartition("}")[2]
