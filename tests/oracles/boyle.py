"""An op-amp with a bipolar input stage, by G. R. Boyle, B. M. Cohn, D. O. Pederson and J. E. Solomon, "Macromodeling of
integrated circuit operational amplifiers", IEEE J. Solid-State Circuits SC-9:353 (1974).

Its own text, from the figures of a data sheet: a pair of transistors with emitter resistors, a second stage around the
compensation capacitor, diodes that limit voltage and current. Another structure than the project's macro-model has.
"""

from __future__ import annotations

import math

from hopfield_hw.parts import MacroModel, Subcircuit

THERMAL = 1.380649e-23 * 300.15 / 1.602176634e-19
COMPENSATION = 30e-12
STAGE = 1e5  # Ohm
JUNCTION = 8e-16  # A
PINS = ("plus", "minus", "supply_plus", "supply_minus", "output")


def boyle(model: MacroModel, *, pnp: bool = False) -> Subcircuit:
    """Return the op-amp of a sheet's figures; the slew rate must be above 4 pi GBW V_T, as emitter resistors are."""
    collector = COMPENSATION * model.slew_rate / 2.0
    beta = collector / abs(model.bias_current)
    load = 1.0 / (2.0 * math.pi * model.gain_bandwidth * COMPENSATION)
    emitter = (load - THERMAL / collector) * beta / (beta + 1.0)
    assert emitter > 0.0
    tail = 2.0 * collector * (beta + 1.0) / beta
    apart = 1.0 / (4.0 * math.pi * load * model.second_pole)
    outer = inner = model.output_resistance / 2.0
    gain = model.gain * load / (STAGE * inner) * (1.0 + model.output_resistance / model.load)
    left = 2.0 * collector * STAGE * gain
    upper = model.headroom_plus + THERMAL * math.log(model.source_current / JUNCTION)
    lower = model.headroom_minus + THERMAL * math.log(model.sink_current / JUNCTION)
    rails = model.supply_plus - model.supply_minus
    common = 10.0 ** (-model.common_mode_rejection / 20.0) / load
    # The offset is in the junctions: the larger one takes more of the tail. The current's offset is in the gains.
    share = model.offset_current / (2.0 * abs(model.bias_current))
    kind, near = ("pnp", "ve") if pnp else ("npn", "vc")
    direction = "vc 10" if pnp else "10 ve"
    sense = "12 11" if pnp else "11 12"
    limits = []
    for name, nodes, current in (("dip", "7 c", model.source_current), ("dim", "c 7", model.sink_current)):
        limits.append(f"d{name} {nodes} m{name}")
        size = (left - current) * math.exp(-current * outer / THERMAL)
        limits.append(f".model m{name} d(is={size:.9g})")
    lines = [
        f".subckt boyle p n vc ve o ; {model.name}",
        "bmid 99 0 V=0.5*(v(vc)+v(ve))",
        f"q1 11 n 13 qn\nq2 12 p 14 qp\nrc1 {near} 11 {load:.9g}\nrc2 {near} 12 {load:.9g}",
        f"re1 13 10 {emitter:.9g}\nre2 14 10 {emitter:.9g}\niee {direction} {tail:.9g}\nree 10 99 {200.0 / tail:.9g}",
        f"c1 11 12 {apart:.9g}\nga 6 99 {sense} {1.0 / load:.9g}\ngcm 99 6 10 99 {common:.9g}\nr2 6 99 {STAGE:.9g}",
        f"c2 6 7 {COMPENSATION:.9g}\ngb 7 99 6 99 {gain:.9g}\nro2 7 99 {inner:.9g}\nro1 7 o {outer:.9g}\nec c 0 o 0 1",
        *limits,
        f"dp o 53 dx\nvp vc 53 {upper:.9g}\ndn 54 o dx\nvn 54 ve {lower:.9g}\n.model dx d(is={JUNCTION:.9g})",
        f"rp vc ve {rails / (model.supply_current - tail):.9g}",
        f".model qn {kind}(is={JUNCTION:.9g} bf={beta / (1.0 - share):.9g})",
        f".model qp {kind}(is={JUNCTION * math.exp(model.offset / THERMAL):.9g} bf={beta / (1.0 + share):.9g})",
        ".ends",
    ]
    return Subcircuit(library="\n".join(lines) + "\n", name="boyle", pins=PINS, supplies=dict(model.supplies))
