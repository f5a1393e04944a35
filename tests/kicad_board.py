"""A board of two neurons made by hand, and its sheets drawn by hand: small, and with all that projects have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from small_circuits import circuit

from hopfield_hw.assembly import Assembly, Component, Unit
from hopfield_hw.circuit import Circuit, Probe
from hopfield_hw.kicad.sheet import Sheet
from hopfield_hw.parts import Capacitor, Resistor
from hopfield_hw.parts.sources import VoltageGain

SUPPLIES = {"+12V": 12.0, "-12V": -12.0}
TOLERANCE = {"Tolerance": "1%"}
LIBRARY = """* amplifiers of a gain alone, four in a package
.subckt OPA1 p m o vcc vee
E1 o 0 p m 2e5
R1 vcc vee 1e6
.ends OPA1
.subckt QUAD o1 m1 p1 vcc p2 m2 o2 o3 m3 p3 vee p4 m4 o4
X1 p1 m1 o1 vcc vee OPA1
X2 p2 m2 o2 vcc vee OPA1
X3 p3 m3 o3 vcc vee OPA1
X4 p4 m4 o4 vcc vee OPA1
.ends QUAD
"""
QUAD_PINS = "1=o1 2=m1 3=p1 4=vcc 5=p2 6=m2 7=o2 8=o3 9=m3 10=p3 11=vee 12=p4 13=m4 14=o4"


def part(
    reference: str, kind: str, value: str, place: str, sheet: str, pins: Mapping[str, str | None], **more: Any
) -> Component:
    unit = Unit(number=1, role=reference.lower(), device=reference, sheet=sheet, pins=pins)
    return Component(reference=reference, symbol=kind, value=value, footprint=place, units=(unit,), **more)


def resistor(reference: str, value: str, sheet: str, first: str, second: str, **fields: str) -> Component:
    pins = {"1": first, "2": second}
    return part(reference, "R", value, "R_0805", sheet, pins, fields={**TOLERANCE, **fields})


def package(
    reference: str, kind: str, value: str, place: str, units: list[tuple[str, Mapping[str, str | None]]], **more: Any
):
    found = [
        Unit(number=k, role=f"{reference}_{k}".lower(), device="", sheet=sheet, pins=pins)
        for k, (sheet, pins) in enumerate(units, 1)
    ]
    return Component(reference=reference, symbol=kind, value=value, footprint=place, units=tuple(found), **more)


def small_circuit() -> Circuit:
    """What the board realises, with amplifiers of a gain alone, and where it starts."""
    devices: list[tuple[str, Any, tuple[str, ...]]] = [("R1", Resistor(resistance=1e5), ("RESET", "0"))]
    for i, j in ((1, 2), (2, 1)):
        nodes = {"101": (f"V{j}", f"SUM{i}"), "102": (f"SUM{i}", f"INT{i}")}
        nodes |= {"103": (f"INT{i}", f"NEG{i}"), "104": (f"NEG{i}", f"V{i}")}
        for (number, ends), ohms in zip(nodes.items(), (22e3 * i, 1e5, 1e4, 1.2e4), strict=True):
            devices.append((f"R{int(number) + 100 * (i - 1)}", Resistor(resistance=ohms), ends))
        devices.append((f"C{100 * i + 1}", Capacitor(capacitance=1e-8), (f"SUM{i}", f"INT{i}")))
        devices.append((f"E{2 * i - 1}", VoltageGain(gain=2e5), (f"INT{i}", "0", "0", f"SUM{i}")))
        devices.append((f"E{2 * i}", VoltageGain(gain=2e5), (f"V{i}", "0", "0", f"NEG{i}")))
    found = circuit(*devices, probe="INT1", initial={"INT1": -0.01, "INT2": 0.004, "V1": 0.012, "V2": -0.0048})
    states = (Probe("1", "INT1", -1.0), Probe("2", "INT2", -1.0))
    return replace(found, states=states, outputs=(Probe("1", "V1"),))


def small_assembly(name: str = "small") -> Assembly:
    """Two integrators, each into an inverter that drives the other: u_i' = -(u_i/R + V_j/R_s)/C, V_i = -u_i."""
    parts: list[Component] = []
    ops: list[tuple[str, Mapping[str, str | None]]] = []
    pins = [("1", "2", "3"), ("7", "6", "5"), ("8", "9", "10"), ("14", "13", "12")]
    switches = [("2", "3", "1"), ("15", "14", "16"), ("10", "11", "9"), ("7", "6", "8")]
    closing: list[tuple[str, Mapping[str, str | None]]] = []
    for i, j in ((1, 2), (2, 1)):
        sheet = f"neuron_{i}"
        n = 100 * i
        parts += [
            resistor(f"R{n + 1}", f"{22 * i}k", sheet, f"V{j}", f"SUM{i}", Weight=f"T{i},{j} = {1 / i:+.2g}"),
            resistor(f"R{n + 2}", "100k", sheet, f"SUM{i}", f"INT{i}"),
            part(
                f"C{n + 1}", "C", "10n", "C_0805", sheet, {"1": f"SUM{i}", "2": f"INT{i}"}, fields={"Dielectric": "C0G"}
            ),
            resistor(f"R{n + 3}", "10k", sheet, f"INT{i}", f"NEG{i}"),
            resistor(f"R{n + 4}", "12k", sheet, f"NEG{i}", f"V{i}"),
            part(f"TP{n + 1}", "TP", f"V{i}", "TP_1.5", sheet, {"1": f"V{i}"}, simulated=False, bought=False),
        ]
        for k, nets in ((2 * i - 2, (f"INT{i}", f"SUM{i}", "GND")), (2 * i - 1, (f"V{i}", f"NEG{i}", "GND"))):
            ops.append((sheet, dict(zip(pins[k], nets, strict=True))))
        closing.append((sheet, dict(zip(switches[i - 1], (f"SUM{i}", f"INT{i}", "RESET"), strict=True))))
    closing += [("power", dict.fromkeys(switches[k], "GND")) for k in (2, 3)]
    closing.append(("power", {"13": "+12V", "4": "-12V", "5": "GND", "12": None}))
    ops.append(("power", {"4": "+12V", "11": "-12V"}))
    models = {"Sim.Device": "SUBCKT", "Sim.Library": "hopfield.lib", "Sim.Name": "QUAD", "Sim.Pins": QUAD_PINS}
    parts += [
        package("U1", "OpAmp_Quad", "TL074", "SOIC14", ops, fields={"MPN": "TL074CDR", **models}),
        package("U2", "DG442", "DG442", "SOIC16", closing, fields={"MPN": "DG442DY"}, simulated=False),
        part("C1", "C", "100n", "C_0805", "power", {"1": "+12V", "2": "GND"}, fields={"Dielectric": "X7R"}),
        part("C2", "C", "100n", "C_0805", "power", {"1": "GND", "2": "-12V"}, fields={"Dielectric": "X7R"}),
        part("J1", "Conn_03", "Power", "HDR_03", "power", {"1": "+12V", "2": "GND", "3": "-12V"}, simulated=False),
        part("J2", "Conn_02", "Reset", "HDR_02", "power", {"1": "+12V", "2": "RESET"}, simulated=False),
        resistor("R1", "100k", "power", "RESET", "GND"),
        part("J3", "Conn_03", "Outputs", "HDR_03", "root", {"1": "V1", "2": "V2", "3": "GND"}, simulated=False),
    ]
    titles = {"root": "Root", "neuron_1": "Neuron 1", "neuron_2": "Neuron 2", "power": "Power"}
    return Assembly(
        name=name,
        title="Two neurons",
        circuit=small_circuit(),
        components=tuple(sorted(parts, key=lambda found: found.reference)),
        sheets=titles,
        supplies=SUPPLIES,
        library=LIBRARY,
    )


def draw_neuron(sheet: Sheet, assembly: Assembly, i: int) -> None:
    def put(role: str, *place, **texts):
        return sheet.place(*assembly.by_role[role], *place, **texts)

    n, j = 100 * i, 3 - i
    op = put(f"u1_{2 * i - 1}", 60, 42)
    out, minus, plus = (op[number] for number in (("1", "2", "3"), ("8", "9", "10"))[i - 1])
    sheet.port(f"V{j}", 16, 40, 180, "input")
    into = put(f"r{n + 1}", 36, 40, show={"Weight": (-19, -1, "left")})
    sheet.wire((16, 40), into["1"])
    sheet.wire(into["2"], minus)
    sheet.label(f"SUM{i}", 44, 40)
    sheet.wire((50, 40), (50, 20))
    sheet.wire(out, (74, 42))
    sheet.wire((70, 42), (70, 20))
    for role, y in ((f"r{n + 2}", 34), (f"c{n + 1}", 28)):
        at = put(role, 60, y)
        sheet.wire((50, y), at["1"])
        sheet.wire(at["2"], (70, y))
    at = put(f"u2_{i}", 60, 20)
    drain, source, control = (("2", "3", "1"), ("15", "14", "16"))[i - 1]
    sheet.wire((50, 20), at[drain])
    sheet.wire(at[source], (70, 20))
    sheet.wire(at[control], (60, 12), (16, 12))
    sheet.port("RESET", 16, 12, 180, "input")
    sheet.wire(plus, (plus[0], 48))
    sheet.power("GND", plus[0], 48)
    sheet.label(f"INT{i}", 71, 42)
    entry = put(f"r{n + 3}", 80, 42)
    sheet.wire((74, 42), entry["1"])
    op = put(f"u1_{2 * i}", 100, 44)
    out, minus, plus = (op[number] for number in (("7", "6", "5"), ("14", "13", "12"))[i - 1])
    sheet.wire(entry["2"], minus)
    sheet.label(f"NEG{i}", 84, 42)
    sheet.wire((90, 42), (90, 34))
    back = put(f"r{n + 4}", 100, 34)
    sheet.wire((90, 34), back["1"])
    sheet.wire(back["2"], (110, 34), (110, 44))
    sheet.wire(out, (124, 44))
    put(f"tp{n + 1}", 116, 44)
    sheet.wire(plus, (plus[0], 50))
    sheet.power("GND", plus[0], 50)
    sheet.port(f"V{i}", 124, 44, 0, "output")
    sheet.box(46, 8, 76, 54, "Integrator")
    sheet.text("u = -INT", 46.5, 55)


def draw_power(sheet: Sheet, assembly: Assembly) -> None:
    def put(role: str, *place, **texts):
        return sheet.place(*assembly.by_role[role], *place, **texts)

    for role, x in (("u1_5", 26), ("u2_5", 60)):
        at = put(role, x, 28)
        _, unit = assembly.by_role[role]
        for pin, net in unit.pins.items():
            px, py = at[pin]
            if net is None:
                sheet.no_connect(px, py)
            else:
                dx, dy = (-2, 0) if net == "GND" else (0, -2 if net == "+12V" else 2)
                sheet.wire((px, py), (px + dx, py + dy))
                sheet.power(net, px + dx, py + dy)
    for role, x in (("c1", 80), ("c2", 94)):
        component, unit = assembly.by_role[role]
        at = sheet.place(component, unit, x, 28, 270)
        for pin, net in unit.pins.items():
            sheet.power(net, *at[pin])
    at = put("j1", 20, 52, 0, "y")
    for k, (pin, net) in enumerate((("1", "+12V"), ("2", "GND"), ("3", "-12V"))):
        y = (48, 54, 60)[k]
        sheet.wire(at[pin], (26 + 2 * (2 - k), at[pin][1]), (26 + 2 * (2 - k), y), (46, y))
        sheet.flag(38, y)
        sheet.power(net, 46, y)
    at = put("j2", 70, 52)
    sheet.power("+12V", *at["1"])
    sheet.wire(at["2"], (64, 54), (64, 60), (90, 60))
    down = put("r1", 76, 66, 270)
    sheet.wire((76, 60), down["1"])
    sheet.power("GND", *down["2"])
    sheet.port("RESET", 90, 60, 0, "passive")
    for role, x in (("u2_3", 26), ("u2_4", 50)):
        at = put(role, x, 84)
        drain, source, control = at
        sheet.wire(at[drain], (x - 8, 84), (x - 8, 90), (x + 8, 90), (x + 8, 84), at[source])
        sheet.wire(at[control], (x, 78), (x - 8, 78), (x - 8, 84))
        sheet.power("GND", x - 8, 90)


def small_sheets(assembly: Assembly) -> list[Sheet]:
    """All sheets of the small assembly, as `write_project` takes them."""
    root = Sheet(project=assembly.name, name="root", title=assembly.title, supplies=assembly.supplies)
    sheets = [root]
    for i in (1, 2):
        neuron = Sheet(project=assembly.name, name=f"neuron_{i}", title=f"Neuron {i}", parent=root, page=i + 1)
        draw_neuron(neuron, assembly, i)
        sheets.append(neuron)
        left = [("RESET", "input", 14 + 20 * i), (f"V{3 - i}", "input", 16 + 20 * i)]
        at = root.sub_sheet(f"neuron_{i}", 50, 12 + 20 * i, 24, 8, left, [(f"V{i}", "output", 14 + 20 * i)], page=i + 1)
        root.wire((30, at["RESET"][1]), at["RESET"])
        root.wire((30 + 4 * i, at[f"V{3 - i}"][1]), at[f"V{3 - i}"])
        root.wire(at[f"V{i}"], (82, at[f"V{i}"][1]))
        root.label(f"V{i}", 82, at[f"V{i}"][1])
        root.wire((30 + 4 * i, 24), (30 + 4 * i, at[f"V{3 - i}"][1]))
        root.label(f"V{3 - i}", 30 + 4 * i, 24, 90)
    root.wire((30, 24), (30, 54))
    root.label("RESET", 30, 24, 90)
    power = Sheet(project=assembly.name, name="power", title="Power", parent=root, page=4)
    draw_power(power, assembly)
    at = root.sub_sheet("power", 100, 32, 24, 8, [], [("RESET", "passive", 34)], page=4)
    root.wire(at["RESET"], (132, 34))
    root.label("RESET", 132, 34)
    component, unit = assembly.by_role["j3"]
    at = root.place(component, unit, 120, 52)
    for pin, net in (("1", "V1"), ("2", "V2")):
        root.wire(at[pin], (104, at[pin][1]))
        root.label(net, 104, at[pin][1], 180)
    root.wire(at["3"], (104, at["3"][1]), (104, at["3"][1] + 2))
    root.power("GND", 104, at["3"][1] + 2)
    return [*sheets, power]
