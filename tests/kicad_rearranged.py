"""Sheets as a person rearranges them in KiCad's window: parts moved with their wires, a note, the file saved anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hopfield_hw.kicad.keeping.drawing import Drawing
from hopfield_hw.kicad.sexpr import Quoted, Tree, every, need, read_tree, word

GRID = 1.27
SHOWN = ("Reference", "Value", "Weight")
NOTE = ["text", Quoted("my note"), ["exclude_from_sim", "no"], ["at", 100.33, 12.7, 0]]
NOTE += [["effects", ["font", ["size", 2, 2]]], ["uuid", Quoted("11111111-2222-4333-8444-555555555555")]]
HOLE_LIBRARY = """(symbol "Mechanical:MountingHole" (pin_names (offset 1.016)) (exclude_from_sim yes) (in_bom no)
 (on_board yes) (property "Reference" "H" (at 0 5.08 0) (effects (font (size 1.27 1.27))))
 (property "Value" "MountingHole" (at 0 3.175 0) (effects (font (size 1.27 1.27))))
 (symbol "MountingHole_0_1" (circle (center 0 0) (radius 1.27) (stroke (width 1.27) (type default))
 (fill (type none)))) (embedded_fonts no))"""
HOLE = """(symbol (lib_id "Mechanical:MountingHole") (at 25.4 190.5 0) (unit 1) (exclude_from_sim yes) (in_bom no)
 (on_board yes) (dnp no) (uuid "aaaaaaaa-2222-4333-8444-555555555555")
 (property "Reference" "H1" (at 27.94 189.23 0) (effects (font (size 1.27 1.27)) (justify left)))
 (property "Value" "MountingHole" (at 27.94 191.77 0) (effects (font (size 1.27 1.27)) (justify left)))
 (property "Footprint" "" (at 25.4 190.5 0) (effects (font (size 1.27 1.27)) (hide yes)))
 (instances (project "{project}" (path "{path}" (reference "H1") (unit 1)))))"""


def move_right_of(tree: Tree, x: float, by: float) -> int:
    """Move what lies right of x by so many grid steps, wires stretched; return how many symbols."""
    return move_where(tree, lambda at: at > x * GRID, by)


def move_where(tree: Tree, chosen: Callable[[float], bool], by: float) -> int:
    """Move what lies where it is chosen, by its x in millimetres; see `move_right_of`."""
    moved = 0
    for item in tree[1:]:
        if item[0] in ("symbol", "junction", "no_connect", "label", "hierarchical_label", "text", "sheet"):
            if chosen(float(need(item, "at")[1])):
                moved += item[0] == "symbol"
                _shift(item, by)
        elif item[0] == "wire":
            for point in every(need(item, "pts"), "xy"):
                if chosen(float(point[1])):
                    _move(point, by)
    return moved


def gaps(tree: Tree) -> list[float]:
    """Return the columns, half a grid step beside it, that no symbol and no sub-sheet lies across."""
    spans = []
    for pin in Drawing(tree).pins():
        ends = sorted((float(need(pin.item, "at")[1]) / GRID, pin.at[0] / 12700))
        spans.append(ends)
        if pin.item[0] == "sheet":
            spans.append([ends[0], ends[0] + float(need(pin.item, "size")[1]) / GRID])
    found = range(round(min(a for a, _ in spans)), round(max(b for _, b in spans)))
    return [x + 0.5 for x in found if not any(a <= x + 0.5 <= b for a, b in spans)]


def saved(tree: Tree) -> str:
    """Write a tree as another program does: on few lines, in another order, with what KiCad adds."""
    head = [item for item in tree[1:] if item[0] not in ("wire", "symbol", "label", "junction", "text")]
    last = [item for item in tree[1:] if item[0] in ("wire", "symbol", "label", "junction", "text")]
    for item in last:
        if item[0] == "symbol":
            item.insert(4, ["fields_autoplaced", "yes"])
    tree[1:] = [*head[:-1], *sorted(last, key=lambda item: (item[0], word(need(item, "uuid")))), head[-1]]
    return "(kicad_sch\n" + "\n".join(_flat(item) for item in tree[1:]) + "\n)\n"


def edit_sheet(path: Path, change: Callable[[Tree], object]) -> None:
    """Change a sheet and save it as another program does."""
    tree = read_tree(path.read_text())
    change(tree)
    path.write_text(saved(tree))


def add_hole(tree: Tree, project: str, path: str) -> None:
    """Add a mounting hole of another library."""
    need(tree, "lib_symbols").append(read_tree(HOLE_LIBRARY))
    tree.insert(-1, read_tree(HOLE.format(project=project, path=path)))


def places(path: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return by uuid and kind of a symbol its place, and those of its fields, as they are written."""
    found = {}
    for item in every(read_tree(path.read_text()), "symbol"):
        places = [need(item, "at"), *(need(part, "at") for part in every(item, "property") if word(part) in SHOWN)]
        at = tuple(f"{float(x):.4f}" for place in places for x in place[1:])
        found[word(need(item, "uuid")), word(need(item, "lib_id"))] = (*at, *(m[1] for m in every(item, "mirror")))
    return found


def wires(path: Path) -> set[tuple[str, ...]]:
    """Return the ends of all wires of a sheet."""
    tree = read_tree(path.read_text())
    points = [every(need(wire, "pts"), "xy") for wire in every(tree, "wire")]
    return {tuple(f"{float(x):.4f}" for point in ends for x in point[1:]) for ends in points}


def _shift(item: Tree, by: float) -> None:
    for part in item:
        if isinstance(part, list) and part[0] == "at":
            _move(part, by)
        elif isinstance(part, list) and part[0] in ("property", "pin"):
            _shift(part, by)


def _move(point: Tree, by: float) -> None:
    point[1] = float(point[1]) + by * GRID


def _flat(item: object) -> str:
    if isinstance(item, list):
        return "(" + " ".join(_flat(part) for part in item) + ")"
    if isinstance(item, Quoted):
        return '"' + item.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return f"{item:.4f}" if isinstance(item, float) else str(item)
