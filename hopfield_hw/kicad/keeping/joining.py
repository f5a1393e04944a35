"""What is joined on a kept drawing, brought to what the board says, with as little as can be: names are changed first.

A pin whose net is another one now keeps its wire where all that the wire joins went with it: the name at the wire is
changed. Where not, the wire is taken off the pin, and the pin gets the name of its net.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

from ...assembly.component import GROUND
from ...values.errors import InputError
from ..placed import write_symbol
from ..sexpr import Quoted, Tree, every, first, need, word
from ..sheet import make_uuid
from ..sheet_file import GRID, UNIT, At, read_at, show
from ..symbols import LIBRARY, symbol
from ..symbols.shapes import FONT
from .drawing import Cluster, Drawing, Pin, uuid_of, wire_ends
from .report import Log

PORT = "hierarchical_label"
Net = str | None


class Wanted(NamedTuple):
    """What a sheet is to join. `nets`: by (uuid of symbol or sub-sheet, pin) its net, None: none.

    `ports`: by net that other sheets have too the shape of its hierarchical label. `supplies`: by net its volts.
    """

    project: str
    sheet: str
    path: str
    page: int
    nets: Mapping[tuple[str, str], Net]
    ports: Mapping[str, str]
    supplies: Mapping[str, float]

    def is_supply(self, net: Net) -> bool:
        """Whether a power symbol names a net."""
        return net == GROUND or net in self.supplies


def join_pins(drawing: Drawing, wanted: Wanted, log: Log) -> None:
    """Bring a drawing to what is wanted of its nets. Raises InputError where pins lie on one another."""
    _Joiner(drawing, wanted, log).run()


class _Joiner:
    def __init__(self, drawing: Drawing, wanted: Wanted, log: Log) -> None:
        self.drawing, self.wanted, self.log = drawing, wanted, log
        self.names: dict[str, str] = {}
        for item, placed in drawing.symbols():
            self.names[uuid_of(item)] = placed.fields.get("Reference", "?")
        for item in every(drawing.tree, "sheet"):
            fields = {word(part): word(part, 2) for part in every(item, "property")}
            self.names[uuid_of(item)] = f"sheet {fields.get('Sheetname', '?')}"

    def run(self) -> None:
        self._part_nets()
        clusters = self.drawing.clusters()
        spread = Counter(net for cluster in clusters for net in {net for net, _ in self._wants(cluster)})
        for cluster in clusters:
            wants = self._wants(cluster)
            if not wants:
                continue
            net = wants[0][0]
            if net is None:
                self._leave_open(wants[0][1], cluster)
            else:
                self._name(net, cluster, wants[0][1], named=spread[net] > 1 or net in self.wanted.ports)
        self._lead_out()

    def _wants(self, cluster: Cluster) -> list[tuple[Net, Pin]]:
        nets = self.wanted.nets
        return [(nets[pin.key], pin) for pin in cluster.pins if pin.key in nets]

    def _part_nets(self) -> None:
        """Take wires off the pins that are at another net than what their wires join."""
        apart: list[Pin] = []
        for cluster in self.drawing.clusters():
            wants = self._wants(cluster)
            if len({net if net is not None else pin.key for net, pin in wants}) > 1:
                main = self._main(cluster, [net for net, _ in wants])
                apart += (pin for net, pin in wants if net != main)
        for pin in apart:
            self._cut(pin)
        if apart:
            for cluster in self.drawing.clusters():
                wants = self._wants(cluster)
                if len({net if net is not None else pin.key for net, pin in wants}) > 1:
                    first_pin, other = wants[0][1], next(pin for net, pin in wants if net != wants[0][0])
                    raise InputError(
                        f"{self._pin(first_pin)} and {self._pin(other)} at {show(other.at)} are of two nets now, and "
                        "no wire between them could be taken away; move them apart"
                    )

    @staticmethod
    def _main(cluster: Cluster, nets: list[Net]) -> Net:
        """Return which net keeps the wires: that of most pins, then one that is named at them."""
        names = {word(label) for label in cluster.labels} | {pin.named for pin in cluster.pins}
        count = Counter(net for net in nets if net is not None)
        return max(sorted(count), key=lambda net: (count[net], net in names)) if count else None

    def _cut(self, pin: Pin) -> None:
        freed: set[At] = set()
        taken = []
        for item in every(self.drawing.tree, "wire"):
            ends = wire_ends(item)
            if pin.at in ends:
                freed |= set(ends)
                self.drawing.remove(item)
                taken.append(item)
        for label in self.drawing.labels():
            if read_at(need(label, "at")) == pin.at:
                self.drawing.remove(label)
        for item in every(self.drawing.tree, "junction"):
            if read_at(need(item, "at")) == pin.at:
                self.drawing.remove(item)
        said = self.drawing.prune(freed - {pin.at}, taken)
        self.log.joined += [f"{self._pin(pin)}: taken off its wire", *said]

    def _leave_open(self, pin: Pin, cluster: Cluster) -> None:
        if cluster.wires or cluster.labels or any(other.named is not None for other in cluster.pins):
            self._cut(pin)
        if not self._marks(pin.at) and _kind(self.drawing, pin) != "no_connect":
            key = self._key("no_connect", pin)
            self.drawing.add(["no_connect", ["at", *_mm(pin.at)], ["uuid", key]])
            self.log.joined.append(f"{self._pin(pin)}: connected to nothing")

    def _marks(self, at: At) -> list[Tree]:
        return [item for item in every(self.drawing.tree, "no_connect") if read_at(need(item, "at")) == at]

    def _name(self, net: str, cluster: Cluster, pin: Pin, *, named: bool) -> None:
        """Give a net's name to what wires join, and take others away."""
        for other in cluster.pins:
            for mark in self._marks(other.at):
                self.drawing.remove(mark)
                self.log.joined.append(f"{self._pin(other)}: connected to {net}")
        supply = self.wanted.is_supply(net)
        has_name = any(other.named == net for other in cluster.pins)
        has_name |= not supply and any(word(label) == net for label in cluster.labels)
        places = []
        for other in cluster.pins:
            if other.named is not None and other.named != net:
                self.drawing.remove(other.item)
                self.log.joined.append(f"power symbol {other.named} at {show(other.at)}: away, it is {net} now")
                places.append(other.at)
        for label in cluster.labels:
            before = word(label)
            if supply:
                at = read_at(need(label, "at"))
                places += [at] if at in cluster.ends or any(at == other.at for other in cluster.pins) else []
                self.drawing.remove(label)
                self.log.joined.append(f"label {before} at {show(at)}: away, it is {net} now")
            elif before != net:
                label[1] = Quoted(net)
                if label[0] == "global_label" or (label[0] == PORT) != (net in self.wanted.ports):
                    _make(label, PORT if net in self.wanted.ports else "label", self.wanted.ports.get(net, "passive"))
                self.log.joined.append(f"label {before} -> {net} at {show(read_at(need(label, 'at')))}")
                has_name = True
        alone = not cluster.wires and len(cluster.pins) == 1 and not has_name
        if not has_name and (supply or named or places or alone):
            self._add_name(net, pin, places[0] if places else pin.at)

    def _add_name(self, net: str, pin: Pin, at: At) -> None:
        if self.wanted.is_supply(net):
            self._add_power(net, pin, at)
        else:
            label: Tree = ["label", Quoted(net)]
            angle = _outwards(pin) if at == pin.at else 0
            side = "right" if angle in (180, 270) else "left"
            effects: Tree = ["effects", FONT, ["justify", side, "bottom"]]
            label += [["at", *_mm(at), angle], effects, ["uuid", self._key("label", pin)]]
            if net in self.wanted.ports:
                _make(label, PORT, self.wanted.ports[net])
            self.drawing.add(label)
        self.log.joined.append(f"{self._pin(pin)}: named {net} at {show(at)}")

    def _add_power(self, net: str, pin: Pin, at: At) -> None:
        volts = self.wanted.supplies.get(net, 0.0)
        drawn = symbol("GND" if net == GROUND else "SUPPLY_MINUS" if volts < 0 else "SUPPLY_PLUS")
        embed(self.drawing.tree, drawn.name)
        reference = free_reference(self.drawing, drawn.prefix, 1000 * (self.wanted.page - 1) + 1)
        texts = {"Reference": reference, "Value": net, "Footprint": "", "Datasheet": ""}
        texts["Description"] = drawn.description
        place = (round(at[0] / GRID), round(at[1] / GRID), 0, "")
        switches = {"exclude_from_sim": False, "in_bom": True}
        role = self._key("power", pin)
        item, _ = write_symbol(lambda *parts: make_uuid(role, *parts), "power", drawn, 1, place, texts, {}, switches)
        instance = ["path", Quoted(self.wanted.path), ["reference", Quoted(reference)], ["unit", 1]]
        self.drawing.add([*item, ["instances", ["project", Quoted(self.wanted.project), instance]]])

    def _lead_out(self) -> None:
        """Let each net that other sheets have too have a hierarchical label, and no other net."""
        ports = self.wanted.ports
        seen: set[str] = set()
        waiting: dict[str, Tree] = {}
        for cluster in self.drawing.clusters():
            nets = {net for net, _ in self._wants(cluster)}
            for label in cluster.labels:
                name = word(label)
                if label[0] == PORT and name not in ports:
                    if nets or any(pin.owner in self.names for pin in cluster.pins):
                        _make(label, "label", "")
                        self.log.joined.append(f"label {name}: of this sheet alone now")
                    else:
                        self.drawing.remove(label)
                        self.log.joined.append(f"label {name}: away, no net of this sheet has it")
                elif label[0] == PORT:
                    seen.add(name)
                    shape = need(label, "shape")
                    if word(shape) != ports[name]:
                        self.log.joined.append(f"label {name}: {ports[name]}, was {word(shape)}")
                        shape[1] = ports[name]
                elif name in ports and name in nets:
                    waiting.setdefault(name, label)
        for name, label in waiting.items():
            if name not in seen:
                _make(label, PORT, ports[name])
                self.log.joined.append(f"label {name}: led out to the sheet above")

    def _pin(self, pin: Pin) -> str:
        return f"{self.names.get(pin.owner, '?')} pin {pin.name}"

    def _key(self, kind: str, pin: Pin) -> Quoted:
        """Return a uuid that no item of the drawing has."""
        have = {uuid_of(item) for item in self.drawing.tree if isinstance(item, list) and first(item, "uuid")}
        k = 1
        while (key := make_uuid(self.wanted.project, self.wanted.sheet, "kept", kind, *pin.key, k)) in have:
            k += 1
        return key


def embed(tree: Tree, name: str) -> None:
    """Embed a symbol of the library in a sheet that does not have it."""
    library = need(tree, "lib_symbols")
    if all(word(item) != f"{LIBRARY}:{name}" for item in every(library, "symbol")):
        library.append(symbol(name).tree(f"{LIBRARY}:"))
        library[1:] = sorted(library[1:], key=lambda item: word(item))


def free_reference(drawing: Drawing, prefix: str, start: int, taken: Collection[str] = ()) -> str:
    """Return the reference of a power symbol that no other of the sheet has."""
    have = {placed.fields.get("Reference", "") for _, placed in drawing.symbols()} | set(taken)
    k = start
    while f"{prefix}{k:04d}" in have:
        k += 1
    return f"{prefix}{k:04d}"


def _make(label: Tree, kind: str, shape: str) -> None:
    """Make a label one of another kind, at its place."""
    at = need(label, "at")
    angle = round(float(at[3])) % 360 if len(at) > 3 else 0
    side = "right" if angle in (180, 270) else "left"
    label[0] = kind
    label[:] = [item for item in label if not (isinstance(item, list) and item[0] in ("shape", "effects", "property"))]
    if kind == PORT:
        label.insert(2, ["shape", shape])
    justify: Tree = ["justify", side] if kind == PORT else ["justify", side, "bottom"]
    label.insert(next(k for k, item in enumerate(label) if item is at) + 1, ["effects", FONT, justify])


def _kind(drawing: Drawing, pin: Pin) -> str:
    for item, placed in drawing.symbols():
        if item is pin.item:
            return next((found.kind for found in placed.pins(placed.unit) if found.number == pin.name), "")
    return ""


def _outwards(pin: Pin) -> int:
    """Return to where the name at a pin reads: away from its symbol."""
    x, y = read_at(need(pin.item, "at"))
    if pin.item[0] == "sheet":
        return 180 if pin.at[0] == x else 0
    dx, dy = pin.at[0] - x, pin.at[1] - y
    if abs(dx) >= abs(dy):
        return 180 if dx < 0 else 0
    return 90 if dy < 0 else 270


def _mm(at: At) -> tuple[float, float]:
    return at[0] * UNIT, at[1] * UNIT
