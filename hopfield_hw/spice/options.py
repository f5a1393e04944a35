"""ngspice options chosen from the accuracy asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Protocol

from ..graph import Clock
from .dialects.ngspice import format_tight

# The first run of a pair takes a thousand steps for an accuracy of 1e-4, and the second twice as many: over twenty time
# constants this left 1e-5 to 5e-5 against DOP853 for most random networks. The error of trapezoidal steps falls with
# the square of their length.
STEPS_AT_1E4 = 1000
MIN_STEPS = 500
# The local tolerance of that first run, as a part of the accuracy; a looser one misses the corners of a gain curve.
RELTOL_PART = 1e-2
# Twice the longest step while deviations grow that are too small to be seen, in units of the time to grow by e.
WAY = 0.4
# A transmission line keeps its past at the steps, and interpolates between them.
STEPS_IN_DELAY = 4.0

# ngspice takes corners of a source for one where they are closer than 5e-5 of the maximum step; those of a clock must
# stay apart.
STEPS_IN_PERIOD = 100
CLOCKED_RELTOL_PART = 0.1
# Op-amps that drive switches carry milliamperes; below this their currents, and the charges held, are rounding.
CLOCKED_NOTHING = (1e-10, 1e-18)
# What ngspice takes for gmin by default, S; more of it is another circuit.
GMIN_OF_NGSPICE = 1e-12
# Macro-models of op-amps: a nanoampere and a tenth of the accuracy in volts, with the truncation that ngspice takes for
# its own; tighter ones made runs of boards two to ten times as long, and changed their waveforms by less than 1e-5.
MACRO_NOTHING, MACRO_VOLTS, MACRO_TRUNCATION = (1e-9, 1e-14), 0.1, 7.0


class Settings(NamedTuple):
    """A maximum step, seconds, and the local tolerance that goes with it; currents and charges that count as none.

    `voltage`: what counts as none, volts, at least; 1e-3 reltol by default. `tightest`: the least reltol to be halved
    to. `truncation`: by how much errors of a step are taken to be overestimated. `gmin`: S across junctions.
    `way`: between the pauses of `pace`, in units of the time in which deviations grow by e.
    """

    step: float
    reltol: float
    current: float = 1e-15
    charge: float = 1e-24
    voltage: float = 0.0
    tightest: float = 1e-10
    truncation: float = 1.0
    gmin: float = 1e-18
    way: float = WAY

    def halve(self) -> Settings:
        """Return half the step; the truncation error of a trapezoidal step falls with its cube."""
        reltol = max(self.reltol / 8.0, self.tightest)
        return self._replace(step=self.step / 2.0, reltol=reltol, way=self.way / 2.0)

    def options(self, *, klu: bool, stated: Collection[str] = ()) -> tuple[str, ...]:
        """Return the words of `.options`, without those that a deck states itself."""
        tight = format_tight(
            reltol=self.reltol,
            voltage=self.voltage,
            current=self.current,
            charge=self.charge,
            truncation=self.truncation,
            gmin=self.gmin,
        )
        words = (*tight, "klu") if klu else tight
        return tuple(word for word in words if word.partition("=")[0] not in stated)


class Run(Protocol):
    """What of a circuit decides how it is run: the shortest delay of its lines, seconds, its clock, and its op-amps."""

    @property
    def shortest_delay(self) -> float: ...

    @property
    def clock(self) -> Clock | None: ...

    @property
    def macro_models(self) -> bool: ...


def settings_for(accuracy: float, t_stop: float, of: Run) -> Settings:
    """Return the first settings to try for an NRMSE over a run of this length, seconds."""
    steps = max(STEPS_AT_1E4 * (1e-4 / accuracy) ** 0.5, MIN_STEPS)
    step = min(t_stop / steps, of.shortest_delay / STEPS_IN_DELAY)
    settings = Settings(step, min(max(RELTOL_PART * accuracy, 1e-9), 1e-4))
    if of.macro_models:
        current, charge = MACRO_NOTHING
        settings = settings._replace(
            current=current,
            charge=charge,
            voltage=MACRO_VOLTS * accuracy,
            truncation=MACRO_TRUNCATION,
            gmin=GMIN_OF_NGSPICE,
        )
    if of.clock is None:
        return settings
    # What is sampled settles, so that the error of a step does not add up over the periods.
    step = min(settings.step, of.clock.period / STEPS_IN_PERIOD)
    return Settings(step, CLOCKED_RELTOL_PART * accuracy, *CLOCKED_NOTHING)
