"""Whether the network that was read back does what its circuit does: waveforms of both, from the same starts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..equations import reference_batch
from ..functions import Table
from ..values.arrays import Array
from ..values.errors import AccuracyError, SimulatorError
from ..values.si_text import format_si
from .devices import FlatDeck
from .emission import let_go
from .lags import measure_lags, solve_with_lags
from .states import Found

if TYPE_CHECKING:
    from .extraction import Extraction

# NRMSE within which the network is taken to be the circuit's.
CLOSE = 1e-3
# NRMSE up to which lags of op-amps may be what is left, and the most states of which they are measured: one by one.
LATE, FEW = 1e-2, 16
# Longest step, as a part of the run; the local tolerance; and when op-amps have found their outputs.
STEPS, RELTOL, SETTLED = 2000, 1e-6, 0.01
POINTS, ACCURACY = 201, 1e-6
# A state that moves by less than this part of what the one that moves most does is measured against that.
LEAST = 1e-3
LENGTH = 6.0  # time constants
# Points for the steepest slope of a measured curve, and the most pieces of a time constant.
STEEP, MOST = 201, 16


class Agreement(NamedTuple):
    """How far the network's waveforms are from the circuit's: NRMSE, worst state and start, in ngspice.

    `starts`: how many were compared. `t_stop`: seconds. `visited`: by state between which values of x, volts, the
    circuit went, its starts among them. `with_lags`: the NRMSE of the network with the lags of the circuit's op-amps
    (see `hopfield_hw.extraction.lags`), and `longest_lag`, seconds; NaN where these were not asked for.
    """

    nrmse: float
    starts: int
    t_stop: float
    visited: tuple[tuple[float, float], ...] = ()
    with_lags: float = float("nan")
    longest_lag: float = float("nan")

    @property
    def passed(self) -> bool:
        """Whether they are one, or are so with the circuit's lags, and nearly so without these."""
        late = self.with_lags <= CLOSE and self.nrmse <= LATE
        return self.starts > 0 and (self.nrmse <= CLOSE or late)

    def __str__(self) -> str:
        said = "agrees with" if self.passed else "DIFFERS from"
        error = f"NRMSE {self.nrmse:.1e} (at most {CLOSE:.0e})"
        if not math.isnan(self.with_lags):
            error = (
                f"NRMSE {self.with_lags:.1e} (at most {CLOSE:.0e}) with the lags that its op-amps show on held states, "
                f"up to {format_si(self.longest_lag, 's')}, and {self.nrmse:.1e} (at most {LATE:.0e}) without them,"
            )
        return (
            f"{said} the circuit's transient in ngspice: {error} over "
            f"{self.starts} start{'s' * (self.starts != 1)} of {self.t_stop:.3g} s"
        )


def compare_transients(
    extraction: Extraction,
    deck: FlatDeck,
    found: Found,
    starts: Array,
    t_stop: float,
    *,
    timeout: float,
) -> Agreement:
    """Return how far the network's waveforms are from those of its deck, from starts, (starts, n), volts of x.

    The network starts where the circuit is once its op-amps have found their outputs, and again so often that what it
    is off by grows e-fold at most in between: what it amplifies by itself does not count. What it is off by at the end
    of a piece goes on being counted up to the end of that time constant. NRMSE against the range of each state over
    all starts.
    """
    parts = _pieces(extraction, t_stop / LENGTH)
    pieces = round(LENGTH) * parts
    ends = np.linspace(SETTLED * t_stop, t_stop, pieces + 1)
    length = float(ends[1] - ends[0])
    grid = np.linspace(0.0, length, POINTS)
    given = []
    lows, highs = np.min(starts, axis=0), np.max(starts, axis=0)
    for x0 in starts:
        times, volts = let_go(
            deck,
            found.states,
            (x0 - extraction.offsets) * extraction.signs,
            t_stop=t_stop,
            step=t_stop / STEPS,
            reltol=RELTOL,
            timeout=timeout,
            at_rest=found.at_rest,
        )
        x = volts * extraction.signs + extraction.offsets
        lows, highs = np.minimum(lows, np.min(x, axis=0)), np.maximum(highs, np.max(x, axis=0))
        given += [
            np.stack([np.interp(begin + grid, times, x[:, k]) for k in range(x.shape[1])], axis=1)
            for begin in ends[:-1]
        ]
    waves = np.stack(given)
    network = reference_batch(
        extraction.graph(),
        initial=waves[:, 0],
        t_stop=length,
        inputs=0.0 if extraction.input_weights.size else None,
        accuracy=ACCURACY,
        points=POINTS,
    )["state"].to_numpy()
    visited = tuple(zip(lows.tolist(), highs.tolist(), strict=True))
    ideal = Agreement(_nrmse(network, waves, len(starts), parts), len(starts), t_stop, visited)
    if ideal.passed or ideal.nrmse > LATE or not 0 < len(extraction.swept) <= FEW:
        return ideal
    try:
        lags = measure_lags(extraction, deck, found.states, extraction.swept, t_stop / LENGTH, timeout=timeout)
        late = solve_with_lags(extraction, lags, waves[:, 0], length, POINTS)
    except (SimulatorError, AccuracyError):
        return ideal
    return ideal._replace(with_lags=_nrmse(late, waves, len(starts), parts), longest_lag=lags.longest)


def _nrmse(network: Array, waves: Array, starts: int, parts: int) -> float:
    """Return the NRMSE of the worst start and state; waves, (pieces, points, n), are `parts` a time constant."""
    n = waves.shape[-1]
    off = (network - waves).reshape(starts, round(LENGTH), parts, POINTS, n)
    before = np.cumsum(off[..., -1:, :], axis=2) - off[..., -1:, :]
    off = (off + before).reshape(starts, -1, n)
    spans = np.ptp(waves.reshape(-1, n), axis=0)
    spans = np.maximum(spans, LEAST * np.max(spans))
    return float(np.max(np.sqrt(np.mean(off**2, axis=1)) / spans))


def _pieces(extraction: Extraction, seconds: float) -> int:
    """Return into how many pieces a time constant is cut, so that a small error grows e-fold at most in each."""
    slopes = np.zeros(extraction.size)
    for k, gain in enumerate(extraction.gains):
        if isinstance(gain, Table):
            x = np.linspace(gain.x[0], gain.x[-1], STEEP)
            slopes[k] = np.max(np.diff(gain.value(x)) / np.diff(x))
        elif gain is not None:
            slopes[k] = np.max(gain.slope)
    if not np.all(np.isfinite(slopes)):
        return MOST
    rates = extraction.weights * slopes + extraction.linear if extraction.linear.size else extraction.weights * slopes
    rates = (rates - np.diag(1.0 / extraction.resistance)) / extraction.capacitance[:, np.newaxis]
    growth = float(np.max(np.linalg.eigvals(rates).real)) * seconds
    return int(np.clip(np.ceil(growth), 1, MOST))
