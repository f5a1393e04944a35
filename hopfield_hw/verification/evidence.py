"""The verdict, and on what it rests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ..values.arrays import Array
from ..values.measures import ranges
from ..values.si_text import format_si
from .steps import Imbalance, Run, window_sums

Verdict = Literal["passed", "failed", "undecided"]
Settled = Literal["same", "different", "not settled"]

# A state is settled where it moves by less than this part of its range over the last twentieth of the run; settled
# states are the same where they agree to ten times the tolerance (an NRMSE averages, a single point does not).
SETTLED_PART = 1e-3
SETTLED_WINDOW = 20
SAME = 10.0
# A comparison over less than this many time constants, or steps of a map, says nothing.
LEAST = 2.0
# A perturbation that grows so much makes a network self-amplifying.
GROWTH = 100.0
# A network that ends in another state than its circuit, by its own growth, is left undecided unless the circuit is off
# by more than this part of what it moves: where it moves little, that is what a wrong device shows as.
LOCAL = 0.05
SMALLEST_MOVE = 1e-8  # of the range


class Error(NamedTuple):
    """How far something is off at most: a part of the range of `what`, around a time in seconds, and in volts."""

    size: float
    what: str
    time: float
    volts: float = 0.0


NONE = Error(0.0, "", 0.0)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What one run of a circuit shows beside the equation.

    `steps`: how far the states are off after each step from the circuit's own state, added up over a time constant
    (after one edge of the clock where they are held). `local`: the same as a part of how far the states move by then.
    `outputs`: how far they are from what the graph gives for the circuit's states, on average over a time constant (at
    each edge of a clock).
    """

    steps: Error
    local: Error
    outputs: Error


def find(run: Run, extent: Array, output_extent: Array, labels: tuple[str, ...], ports: tuple[str, ...]) -> Findings:
    """Return what a run shows. `extent`, `output_extent`: the range of each state and output, volts."""
    continuous = run.along.continuous
    steps = _largest(run.steps, extent[:continuous], labels[:continuous])
    edges = _largest(run.edges, extent[continuous:], labels[continuous:])
    return Findings(
        steps=max(steps, edges, key=lambda error: error.size),
        local=_local(run, extent[:continuous], labels),
        outputs=_outputs(run, output_extent, ports),
    )


def compare_ends(expected: Array, found: Array, limit: float) -> Settled:
    """Return whether both machines end in the same state, within ten times the limit."""
    extent = ranges(expected)
    window = max(expected.shape[0] // SETTLED_WINDOW, 2)
    if float(np.max(np.ptp(expected[-window:], axis=0) / extent)) > SETTLED_PART:
        return "not settled"
    apart = float(np.max(np.abs(found[-1] - expected[-1]) / extent))
    return "same" if apart <= SAME * limit else "different"


def faults(findings: Findings, limit: float) -> list[str]:
    """Return what of a run is wrong whatever the network does to errors, in words; what is not a number is wrong."""
    said = []
    steps, outputs = findings.steps, findings.outputs
    if not steps.size <= limit:
        said.append(
            f"neuron {steps.what} leaves its equation around {format_si(steps.time, 's')}: within a time constant by "
            f"{steps.size:.1e} of its range, above {limit:.0e}"
        )
    if not outputs.size <= limit:
        said.append(
            f"output {outputs.what} is off by {outputs.size:.1e} of its range, above {limit:.0e}, from what the graph "
            f"gives for the circuit's own states, around {format_si(outputs.time, 's')}"
        )
    return said


def _largest(imbalance: Imbalance, extent: Array, labels: tuple[str, ...]) -> Error:
    if not imbalance.volts.size:
        return NONE
    total = imbalance.added_up()
    k, i = np.unravel_index(int(np.argmax(total / extent)), total.shape)
    return Error(float(total[k, i] / extent[i]), labels[i], float(imbalance.ends[k]), float(total[k, i]))


def _local(run: Run, extent: Array, labels: tuple[str, ...]) -> Error:
    """Return the largest imbalance as a part of how far the state moves in the same window."""
    if not run.steps.volts.size:
        return NONE
    by_window = window_sums(np.abs(run.moves), run.ends, run.windows)
    total = run.steps.added_up() / np.maximum(by_window, SMALLEST_MOVE * extent)
    k, i = np.unravel_index(int(np.argmax(total)), total.shape)
    return Error(float(total[k, i]), labels[i], float(run.ends[k]))


def _outputs(run: Run, extent: Array, ports: tuple[str, ...]) -> Error:
    if not run.outputs.shape[1]:
        return NONE
    if run.is_clocked:
        given = run.along.outputs(run.at_edges)
        ends = run.along.holds[0].clock.period * np.arange(float(len(given)))
        return _largest(Imbalance(ends, run.shown - given, np.zeros(given.shape[1])), extent, ports)
    off = np.zeros((len(run.pieces), run.outputs.shape[1]))
    for block, left, _, right in run.blocks():
        h = np.diff(run.times)[block, np.newaxis]
        before = np.abs(run.outputs[:-1][block] - run.along.outputs(left))
        after = np.abs(run.outputs[1:][block] - run.along.outputs(right))
        if block.start == 0:
            before[0] = after[0]  # the simulator gives none at the start
        run.add(off, block, 0.5 * h * (before + after))
    window = float(np.min(run.windows, initial=run.times[-1]))
    mean = window_sums(off, run.ends, np.full(off.shape[1], window)) / window
    k, i = np.unravel_index(int(np.argmax(mean / extent)), mean.shape)
    return Error(float(mean[k, i] / extent[i]), ports[i], float(run.ends[k]), float(mean[k, i]))


def too_short(run: Run, end: float) -> str | None:
    """Return in words that a run is too short to say anything; None where it is not."""
    if run.along.holds:
        steps, period = len(run.held) - 1, run.along.holds[0].clock.period
        if steps < LEAST:
            needed = format_si(LEAST * period, "s")
            return f"only {steps} steps of the clock were compared; run it for {needed} or more"
    rates = [np.ravel(rate) for _, rate in run.along.rates.values()]
    leaking = [rate for rate in np.concatenate([np.zeros(0), *rates]).tolist() if rate > 0.0]
    if leaking and end < LEAST / min(leaking) * (1.0 - 1e-9):
        return (
            f"{format_si(end, 's')} is less than two time constants of the network's slowest neuron; run it for "
            f"{format_si(LEAST / min(leaking), 's')} or more"
        )
    return None
