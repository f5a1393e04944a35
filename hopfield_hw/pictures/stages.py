"""How each stage of a schematic is drawn: from the point of its input to that of its output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import TypeAlias

import schemdraw.elements as elm

from ..circuit import GROUND, Device, Role, Stage
from ..parts import Behaviour, MacroModel, OpAmp, Resistor, Switch, Transconductor, Transistor
from ..spice.dialects import find_dialect
from ..values.si_text import format_si
from .sheet import SHORT_NAME, WIDTH, Point, Sheet, describe, shorten

Devices: TypeAlias = "Mapping[Role, tuple[Device, ...]]"

RAIL, BUS = 1.9, 5.6
NODE, ROW, ROWS_ABOVE = 4.6, 1.53, 2
REACH = 0.75  # from the base of a transistor to its collector and emitter, along both axes
INVERTERS = (Role.INVERTER, Role.INVERTER_IN, Role.INVERTER_FEEDBACK)
NOTED = 3  # devices in one note
OPEN_END = 4.4  # from the last stage to the terminal


def draw_inputs(sheet: Sheet, into: Sequence[Device], more: int) -> Point:
    """Draw what leads into the bus on the left, one row each, and the bus; return where it goes on."""
    top = NODE + ROW * min(ROWS_ABOVE, len(into) - 1)
    heights = [top - ROW * row for row in range(len(into))]
    for device, y in zip(into, heights, strict=True):
        sheet.part(device, (RAIL, y), (BUS, y))
        if isinstance(device.part, Resistor):
            sheet.text((RAIL - 0.15, y), shorten(device.nodes[0]), "right center")
        else:
            sheet.ground((RAIL, y), theta=-90.0)
        sheet.text((BUS - 0.2, y + 0.52), describe(device), "right bottom", device)
    if more:
        heights.append(heights[-1] - ROW + 0.2)
        sheet.wire((BUS - 1.2, heights[-1]), (BUS, heights[-1]), dashed=True)
        sheet.text((BUS - 1.4, heights[-1]), f"+ {more} more", "right center")
    if heights:
        sheet.wire((BUS, heights[0]), (BUS, heights[-1]))
    for y in heights[1:-1]:
        sheet.dot((BUS, y))
    return (BUS, NODE) if into else (RAIL, NODE)


def draw_output(sheet: Sheet, inverter: Sequence[Device], at: Point) -> None:
    """Draw the terminal, and the inverter of the complement before it."""
    x, y = at
    end = (max(x + OPEN_END, WIDTH - 1.0), y)
    tap = end[0] - 1.2
    sheet.width = max(sheet.width, end[0] + 1.0)
    sheet.wire(at, end)
    sheet.dot(end, terminal=True)
    for device in inverter[:1]:
        sheet.dot((tap, y))
        sheet.wire((tap, y), (tap, y - 0.9))
        sheet.triangle(device, (tap, y - 0.9), scale=0.45, theta=-90.0)
        sheet.wire((tap, y - 1.87), (tap, y - 2.5))
        sheet.dot((tap, y - 2.5), terminal=True)
        if len(inverter) > 1:
            sheet.text((end[0] + 0.8, y - 2.95), "\n".join(describe(part) for part in inverter), "right top", device)
        else:
            sheet.text((tap - 0.65, y - 1.35), f"{shorten(device.name)}\n= -1", "right center", device)
        output = inverter[-1].nodes[0]
        sheet.text((tap + 0.2, y - 2.5), shorten(output, SHORT_NAME), "left center")


def _draw_rc(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw capacitor and leak from the node to ground."""
    x, y = at
    for device in (*devices.get(Role.CAPACITANCE, ()), *devices.get(Role.RESISTANCE, ())):
        x += 1.0 if x == at[0] else 2.7
        sheet.to_ground(device, (x, y))
    end = (x + 2.3, y)
    sheet.wire(at, end)
    sheet.text((end[0] - 0.2, y + 0.1), shorten(devices[Role.CAPACITANCE][0].nodes[0]), "right bottom")
    return end


def _draw_series_rc(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw the resistor that charges the capacitor, and what lies beside the capacitor."""
    x, y = at
    through, *rest = devices[Role.RESISTANCE]
    sheet.part(through, at, (x + 2.6, y))
    sheet.text((x + 1.5, y - 0.45), describe(through, "\n"), "center top", through)
    return _draw_rc(sheet, {**devices, Role.RESISTANCE: tuple(rest)}, (x + 2.6, y))


def _draw_integrator(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw the op-amp that holds the node at ground, with capacitor and leak as its feedback."""
    feedback = (*devices.get(Role.RESISTANCE, ()), *devices.get(Role.CAPACITANCE, ()))
    return _draw_inverting(sheet, devices[Role.OP_AMP][0], feedback, at)


def _draw_adder(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw the op-amp that holds the node at ground, with a resistor as its feedback."""
    return _draw_inverting(sheet, devices[Role.OP_AMP][0], devices[Role.FEEDBACK], at)


def _draw_inverting(sheet: Sheet, op_amp: Device, feedback: Sequence[Device], at: Point) -> Point:
    x, y = at
    left, right, back = x + 0.9, x + 4.5, x + 2.1
    out = (right, y - 0.5)
    sheet.put(elm.Opamp().scale(0.8).theta(0.0).at((back, y)).anchor("in1"), op_amp)
    sheet.wire(at, (back, y))
    sheet.wire((back, y - 1.0), (back - 0.5, y - 1.0))
    sheet.ground((back - 0.5, y - 1.0))
    sheet.wire((back + 1.73, out[1]), out)
    top = y
    for device in feedback:
        top += 1.45
        sheet.part(device, (left, top), (right, top))
        sheet.text(((left + right) / 2.0, top + 0.4), describe(device), "center bottom", device)
    sheet.wire((left, y), (left, top))
    sheet.wire(out, (right, top))
    for corner in ((left, y), out):
        sheet.dot(corner)
    model = op_amp.part.model if isinstance(op_amp.part, OpAmp) else None
    gain = "" if op_amp.value is None else f"\nA = {op_amp.value:g}"
    gain = f"\n{model.name}" if isinstance(model, MacroModel) else gain
    sheet.text((back + 0.2, y - 1.7), f"{shorten(op_amp.name)}{gain}", "left top", op_amp)
    sheet.text((x + 0.1, y - 0.1), shorten(op_amp.nodes[1], SHORT_NAME), "left top")
    end = (right + 1.7, out[1])
    sheet.text((end[0] - 0.1, out[1] - 0.15), shorten(op_amp.nodes[2], SHORT_NAME), "right top")
    sheet.wire(out, end)
    return end


def _draw_amplifier(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw an amplifier with its curve."""
    x, y = at
    (amplifier,) = devices[Role.FUNCTION][-1:]
    sheet.triangle(amplifier, at, scale=0.75)
    end = (x + 2.6, y)
    sheet.wire((x + 1.62, y), end)
    sheet.text((x + 0.1, y + 1.05), shorten(amplifier.name), "left bottom", amplifier)
    sheet.text((end[0] + 1.4, y + 0.25), shorten(amplifier.nodes[0]), "right bottom")
    _note_formula(sheet, amplifier)
    return end


def _draw_clamped_output(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw a transconductor into a resistor, and the limiter that a clamp ties the output to."""
    x, y = at
    parts = {type(device.part): device for device in devices[Role.FUNCTION]}
    transconductor, load, limiter = (parts[kind] for kind in (Transconductor, Resistor, Behaviour))
    (clamp,) = devices[Role.CLAMP]
    sheet.triangle(transconductor, at, scale=0.6)
    sheet.text((x + 0.1, y + 0.85), describe(transconductor), "left bottom", transconductor)
    out = (x + 2.4, y)
    sheet.wire((x + 1.3, y), out)
    sheet.to_ground(load, out)
    limited = (x + 7.6, y)
    sheet.wire(out, (x + 5.0, y), limited)
    sheet.dot((x + 5.0, y))
    sheet.part(clamp, (x + 5.0, y), (x + 5.0, y - 1.8))
    sheet.text((x + 5.42, y - 0.9), describe(clamp, "\n"), "left center", clamp)
    sheet.part(limiter, (x + 5.0, y - 1.8), (x + 5.0, y - 3.6))
    sheet.ground((x + 5.0, y - 3.6))
    sheet.text((x + 5.5, y - 2.7), shorten(limiter.name), "left center", limiter)
    sheet.text((limited[0] - 0.1, y + 0.15), shorten(load.nodes[0]), "right bottom")
    _note_formula(sheet, limiter)
    return limited


def _draw_pair(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw two transistors on one tail current, and the op-amp that takes the current of the second."""
    x, y = at
    first, second = (device for device in devices[Role.PAIR] if isinstance(device.part, Transistor))
    (tail,), (swing,) = (devices[role] for role in (Role.TAIL, Role.SWING))
    offset = next(iter(devices.get(Role.OFFSET, ())), None)
    op_amp = next(device for device in devices[Role.OP_AMP] if device.nodes[1] == second.nodes[0])
    base, other = (x + 1.4, y), (x + 5.6, y)
    emitters = [(base[0] + REACH, y - REACH), (other[0] - REACH, y - REACH)]
    middle = ((emitters[0][0] + emitters[1][0]) / 2.0, y - 1.2)
    sheet.wire(at, base, dashed=True)
    sheet.text((x + 0.1, y - 0.15), shorten(second.nodes[1], SHORT_NAME), "left top")
    sheet.put(elm.BjtNpn().theta(0.0).at(base).anchor("base"), second)
    sheet.put(elm.BjtNpn().theta(0.0).reverse().at(other).anchor("base"), first)
    sheet.text((base[0] + 0.1, y + 0.25), shorten(second.name), "right bottom", second)
    sheet.text((other[0] - 0.1, y - 0.3), shorten(first.name), "left top", first)
    if first.nodes[1] == GROUND:
        sheet.wire(other, (other[0] + 0.4, y), (other[0] + 0.4, y - 0.3))
        sheet.ground((other[0] + 0.4, y - 0.3))
    else:
        sheet.dot(other, terminal=True)
        sheet.text((other[0] + 0.2, y), shorten(first.nodes[1], SHORT_NAME), "left center")
    for emitter in emitters:
        sheet.wire(emitter, (emitter[0], middle[1]))
    sheet.wire((emitters[0][0], middle[1]), (emitters[1][0], middle[1]))
    _draw_tail(sheet, tail, devices.get(Role.TAIL_RESISTANCE, ()), middle)
    sheet.dot((emitters[1][0], y + REACH), terminal=True)
    sheet.text((emitters[1][0], y + REACH + 0.15), shorten(first.nodes[0]), "center bottom")
    collector, high = (emitters[0][0], y + REACH), y + 1.9
    sheet.wire(collector, (collector[0], high), (x + 7.0, high))
    if offset is not None:
        sheet.dot((collector[0] + 1.0, high))
        sheet.part(offset, (collector[0] + 1.0, high), (collector[0] + 1.0, high + 1.9))
        sheet.dot((collector[0] + 1.0, high + 1.9), terminal=True)
        sheet.text((collector[0] + 1.4, high + 0.95), describe(offset, "\n"), "left center", offset)
        sheet.text((collector[0] + 0.8, high + 1.9), shorten(offset.nodes[0]), "right center")
    return _draw_held(sheet, op_amp, swing, (x + 7.0, high))


def _draw_tail(sheet: Sheet, tail: Device, resistors: Sequence[Device], at: Point) -> None:
    """Draw an ideal tail, or a transistor with the resistor at its emitter."""
    if not isinstance(tail.part, Transistor):
        sheet.to_ground(tail, at, length=1.9)
        return
    x, y = at
    sheet.dot(at)
    sheet.put(elm.BjtNpn().theta(0.0).at((x - REACH, y - REACH)).anchor("base"), tail)
    sheet.text((x + 0.3, y - REACH), shorten(tail.name), "left center", tail)
    sheet.text((x - REACH - 0.1, y - REACH), shorten(tail.nodes[1], SHORT_NAME), "right center")
    for resistor in resistors:
        sheet.part(resistor, (x, y - 2.0 * REACH), (x, y - 2.0 * REACH - 1.9))
        sheet.text((x + 0.42, y - 2.0 * REACH - 0.95), describe(resistor, "\n"), "left center", resistor)
        sheet.dot((x, y - 2.0 * REACH - 1.9), terminal=True)
        sheet.text((x + 0.2, y - 2.0 * REACH - 2.0), shorten(resistor.nodes[1]), "left top")


def _draw_driven_pair(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw the divider before a pair, with its gain where there is one, and the pair."""
    x, y = at
    for device in _drives(devices):
        sheet.triangle(device, (x, y), scale=0.6)
        sheet.text((x + 0.1, y + 0.85), shorten(device.name), "left bottom", device)
        x += 1.3
    (top,), (tap,) = devices[Role.DIVIDER_TOP], devices[Role.DIVIDER_TAP]
    sheet.part(top, (x, y), (x + 2.2, y))
    sheet.text((x + 1.85, y - 0.6), describe(top, "\n"), "right top", top)
    sheet.to_ground(tap, (x + 2.2, y))
    sheet.wire((x + 2.2, y), (x + 3.0, y))
    sheet.dot((x + 3.0, y), terminal=True)
    sheet.text((x + 2.3, y + 0.15), shorten(tap.nodes[0]), "left bottom")
    _note_values(
        sheet, [d for role in (Role.DRIVE_IN, Role.DRIVE_FEEDBACK, Role.BALANCE) for d in devices.get(role, ())]
    )
    return _draw_pair(sheet, devices, (x + 5.0, y))


def _drives(devices: Devices) -> list[Device]:
    """Return the op-amp before a divider, in a list; an empty one where there is none."""
    taps = {device.nodes[0] for device in devices.get(Role.DRIVE_IN, ())}
    return [device for device in devices[Role.OP_AMP] if not taps.isdisjoint(device.nodes)]


def _draw_parts(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw the op-amps and transconductors of an amplifier in a row; its other parts stand below, with their values."""
    x, y = at
    behind = {device.nodes[1] for device in devices.get(Role.INVERTER_IN, ())}
    first = _drives(devices)
    row = [*first, *devices.get(Role.PAIR, ()), *(d for d in devices[Role.OP_AMP] if d not in first)]
    row = [device for device in row if behind.isdisjoint(device.nodes)]
    for place, device in enumerate(row):
        sheet.triangle(device, (x, y), scale=0.6)
        sheet.text((x + 0.1, y + 0.85 - 1.9 * (place % 2)), shorten(device.name), "left bottom", device)
        sheet.wire((x + 1.3, y), (x + 1.9, y))
        x += 1.9
    drawn = {*row, *(d for role in INVERTERS for d in devices.get(role, ()))}
    rest = [d for members in devices.values() for d in members if d not in drawn and behind.isdisjoint(d.nodes)]
    _note_values(sheet, rest)
    return x, y


def _note_values(sheet: Sheet, devices: Sequence[Device]) -> None:
    """Write the values of devices below the drawing."""
    words = [d.name if d.value is None else describe(d) for d in devices]
    sheet.notes += [", ".join(words[k : k + NOTED]) for k in range(0, len(words), NOTED)]


def _draw_held(sheet: Sheet, op_amp: Device, feedback: Device, at: Point) -> Point:
    x, y = at
    sheet.put(elm.Opamp().scale(0.7).theta(0.0).at((x + 0.6, y)).anchor("in1"), op_amp)
    sheet.wire(at, (x + 0.6, y))
    sheet.dot(at)
    sheet.wire(at, (x, y + 1.4))
    sheet.part(feedback, (x, y + 1.4), (x + 3.0, y + 1.4))
    sheet.text((x + 1.5, y + 1.8), describe(feedback), "center bottom", feedback)
    out = (x + 3.0, y - 0.44)
    sheet.wire((x + 2.1, out[1]), out)
    sheet.wire(out, (out[0], y + 1.4))
    sheet.dot(out)
    sheet.text((x + 1.0, y - 1.5), shorten(op_amp.name), "left top", op_amp)
    if op_amp.nodes[0] == GROUND:
        sheet.wire((x + 0.6, y - 0.875), (x + 0.3, y - 0.875))
        sheet.ground((x + 0.3, y - 0.875))
    else:
        sheet.text((x + 0.4, y - 1.15), shorten(op_amp.nodes[0], SHORT_NAME), "right top")
    end = (out[0] + 1.7, out[1])
    sheet.wire(out, end)
    sheet.text((end[0] - 0.1, out[1] + 0.1), shorten(op_amp.nodes[2], SHORT_NAME), "right bottom")
    return end


def _draw_follower(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw the follower of a state, where it has one."""
    x, y = at
    op_amps = (device for device in devices.get(Role.OP_AMP, ()) if device.nodes[1] == device.nodes[2])
    follower = next(chain(devices.get(Role.BUFFER, ()), op_amps), None)
    if follower is None:
        return at
    sheet.triangle(follower, at, scale=0.6)
    sheet.text((x + 0.1, y + 0.85), shorten(follower.name), "left bottom", follower)
    return x + 1.3, y


def _draw_sample_hold(sheet: Sheet, devices: Devices, at: Point) -> Point:
    """Draw follower, switch and capacitor, twice, and the follower that gives the state."""
    op_amps = (device for device in devices.get(Role.OP_AMP, ()) if device.nodes[1] == device.nodes[2])
    first, held, out = devices.get(Role.FOLLOWER) or tuple(op_amps)
    x, y = at
    source = first.nodes[2] if Role.FOLLOWER in devices else first.nodes[0]
    sheet.text((x - 0.15, y), shorten(source), "right center")
    for follower, role in ((first, Role.MASTER), (held, Role.SLAVE)):
        sheet.triangle(follower, (x, y), scale=0.6)
        sheet.text((x + 0.1, y + 0.85), shorten(follower.name), "left bottom", follower)
        x += 1.3
        switch, capacitor = devices[role]
        sheet.put(elm.Switch().endpoints((x, y), (x + 2.2, y)), switch)
        on = f"{format_si(switch.part.on, 'Ohm')} on" if isinstance(switch.part, Switch) else ""
        sheet.text((x + 1.1, y + 1.6), f"{shorten(switch.name)}\n{on}\n{switch.nodes[2]}", "center bottom", switch)
        x += 2.6
        sheet.wire((x - 0.4, y), (x + 0.6, y))
        sheet.to_ground(capacitor, (x, y))
        x += 0.6
    sheet.triangle(out, (x, y), scale=0.6)
    sheet.text((x + 0.1, y + 0.85), shorten(out.name), "left bottom", out)
    output = out.nodes[0] if Role.FOLLOWER in devices else out.nodes[2]
    sheet.text((x + 2.8, y + 0.25), shorten(output), "right bottom")
    return x + 1.3, y


def _note_formula(sheet: Sheet, device: Device) -> None:
    """Write below the drawing what a behavioural source gives."""
    part = device.part
    if isinstance(part, Behaviour):
        formula = find_dialect("ngspice").expression(part.formula, device.nodes[2:])
        sheet.notes.append(f"{device.name}: {device.nodes[0]} = {formula}")


DRAW: Mapping[Stage, Callable[[Sheet, Devices, Point], Point]] = MappingProxyType(
    {
        Stage.RC: _draw_rc,
        Stage.SERIES_RC: _draw_series_rc,
        Stage.INTEGRATOR: _draw_integrator,
        Stage.ADDER: _draw_adder,
        Stage.AMPLIFIER: _draw_amplifier,
        Stage.CLAMPED_OUTPUT: _draw_clamped_output,
        Stage.PAIR: _draw_pair,
        Stage.DRIVEN_PAIR: _draw_driven_pair,
        Stage.PARTS_AMPLIFIER: _draw_parts,
        Stage.FOLLOWER: _draw_follower,
        Stage.SAMPLE_HOLD: _draw_sample_hold,
    }
)
