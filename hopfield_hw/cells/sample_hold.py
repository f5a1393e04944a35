"""The sample-and-hold pair of a Hold: a master that follows its input, and a slave that takes over what it holds.

From each edge of the clock the slave follows the master up to 0.45 of the period; the master follows its input from
half of the period to just before the next edge. At no time do both follow.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..circuit import GROUND, Draft, Origin, Role, Settling, Stage
from ..graph import Hold, Leak
from ..parts import Capacitor, OpAmp, Pulse, Switch, VoltageGain, VoltageSource
from ..values.grids import EDGE, READ

TRANSFERRED, ACQUIRING = 0.45, 0.5  # of a period
CLOCKS = ("clock_acquire", "clock_transfer")


@dataclass(frozen=True, kw_only=True)
class SampleHold:
    """What a pair is made of. `capacitance`: farads. `op_amp`: of its followers; None for exact ones."""

    switch: Switch
    capacitance: float
    op_amp: OpAmp | None = None


def ideal_sample_hold(hold: Hold) -> SampleHold:
    """Return a pair that settles within what its switches take to move, and droops by less than 1e-8 in a period."""
    return SampleHold(switch=Switch(on=1.0, off=1e15), capacitance=0.2 * EDGE * hold.clock.period)


def add_sample_hold(draft: Draft, hold: Hold, inputs: tuple[str, ...], part: SampleHold) -> None:
    """Add the pair of each element: follower, switch and capacitor, twice, and the follower that gives the state."""
    acquire, transfer = _clock(draft, hold)
    sampled, master, held, slave = (draft.new_nodes(hold, f"_{role}") for role in ("in", "master", "held", "slave"))
    _follow(draft, hold, "in", inputs, sampled, part)
    _switch(draft, hold, Role.MASTER, sampled, master, acquire, part)
    _follow(draft, hold, "held", master, held, part)
    _switch(draft, hold, Role.SLAVE, held, slave, transfer, part)
    _follow(draft, hold, "out", slave, draft.nodes(hold), part)
    draft.state(hold, draft.nodes(hold))
    draft.sketch(hold, Stage.SAMPLE_HOLD)


def _clock(draft: Draft, hold: Hold) -> tuple[str, str]:
    """Return the nodes of the two phases, 0 and 1 V; the first Hold makes their sources."""
    first = draft.graph.of_type(Hold)[0]
    acquire, transfer = CLOCKS
    if hold is first:
        period = hold.clock.period
        edge = EDGE * period
        # The master lets go, once the period has been read, before the slave begins to follow at the clock's edge.
        phases = {
            acquire: Pulse(
                0.0, 1.0, ACQUIRING * period, edge, (1.0 - ACQUIRING) * period - (READ + 1.0) * edge, period
            ),
            transfer: Pulse(1.0, 0.0, TRANSFERRED * period, edge, (1.0 - TRANSFERRED) * period - 2.0 * edge, period),
        }
        for k, (node, pulse) in enumerate(phases.items()):
            draft.claim(node, hold, f"_{node}")
            draft.add(f"V_{node}", VoltageSource(pulse), (node, GROUND), Origin(hold.name, Role.CLOCK, (k,)))
    return acquire, transfer


def _follow(
    draft: Draft, hold: Hold, role: str, sources: tuple[str, ...], nodes: tuple[str, ...], part: SampleHold
) -> None:
    for k, (source, node) in enumerate(zip(sources, nodes, strict=True)):
        name = f"{hold.name}_{role}{draft.suffix(hold.name, k)}"
        if part.op_amp is None:
            origin = Origin(hold.name, Role.FOLLOWER, (k,))
            draft.add(f"E_{name}", VoltageGain(1.0), (node, GROUND, source, GROUND), origin)
        else:
            draft.add_op_amp(name, part.op_amp, (source, node), node, Origin(hold.name, Role.OP_AMP, (k,)))


def _switch(
    draft: Draft,
    hold: Hold,
    role: Role,
    sources: tuple[str, ...],
    nodes: tuple[str, ...],
    control: str,
    part: SampleHold,
) -> None:
    for k, (source, node) in enumerate(zip(sources, nodes, strict=True)):
        origin = Origin(hold.name, role, (k,))
        name = f"{hold.name}_{role}{draft.suffix(hold.name, k)}"
        draft.add(f"G_{name}", part.switch, (source, node, control, GROUND), origin)
        draft.add(f"C_{name}", Capacitor(part.capacitance), (node, GROUND), origin)
        draft.start(node, float(hold.initial[k]))
    if role is Role.SLAVE:
        draft.settling += [Settling(node, 0.0, TRANSFERRED) for node in nodes]
    elif not draft.graph.of_type(Leak):  # what flows need not settle
        draft.settling += [Settling(node, ACQUIRING, 1.0 - READ * EDGE) for node in nodes]
