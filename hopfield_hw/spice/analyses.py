"""Analyses of one circuit in ngspice beside the transient of states: balance, sweeps, small signals, noise.

They give the voltage of every node and the current through every voltage source, by name in lower case; inner nodes of
op-amps too, as ngspice calls them (`x_amp.pole`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..circuit import Circuit
from ..parts import OpAmp, VoltageSource
from ..processes import TIMEOUT
from ..values.arrays import Array, positive
from ..values.errors import InputError
from ..values.physics import ROOM
from .convergence import run_until_converged
from .dialects import write
from .dialects.dialect import number, wrap
from .ngspice import run
from .options import Settings
from .rawfile import Plot

Values: TypeAlias = "npt.NDArray[np.float64] | npt.NDArray[np.complex128]"

# Of a balance and of each point of a sweep.
RELTOL, VOLTAGE, CURRENT, GMIN = 1e-6, 1e-9, 1e-13, 1e-15
# Of a transient of macro-models, amperes and a part of the accuracy in volts: with less, ngspice takes steps of
# picoseconds without end where currents with corners are next to 0.
MACRO_CURRENT, MACRO_VOLTS = 1e-9, 0.1
# A run of more steps than this, for each of the longest and in all, gets nowhere: it is tried with looser tolerances.
MOST_STEPS, FREE_STEPS = 100.0, 2000.0
INNER = 12  # nodes of a macro-model
FEWEST_STEPS = 200.0  # of a transient, where nothing else is said
WHOLE_NOISE = "onoise_spectrum"


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What an analysis gives.

    `axis`: time, s; the swept source, V; the frequency, Hz; (1,) for a balance. `axis_name`: which of these.
    `values`: by name, (points,): voltages `v(node)`, currents `i(source)`; complex for small signals.
    """

    axis_name: str
    axis: Array
    values: Mapping[str, Values] = field(repr=False)

    def voltage(self, node: str) -> Values:
        """Return the voltage of a node, (points,). Raises InputError for a node that is not there."""
        return self._find(f"v({node.lower()})")

    def current(self, source: str) -> Values:
        """Return the current that flows into the plus of a voltage source, (points,), amperes."""
        return self._find(f"i({source.lower()})")

    def _find(self, name: str) -> Values:
        if name not in self.values:
            raise InputError(f"analysis: has no {name!r:.80}; it has {', '.join(self.values):.400}")
        return self.values[name]


def find_balance(circuit: Circuit, *, guess: Mapping[str, float] | None = None, **how: Any) -> Result:
    """Return a point of balance of a circuit (`.op`), (1,).

    `guess`: node voltages to begin from (`.nodeset`). Of several balances this may be any one, an unstable one too.
    `how`: `temperature`, degrees Celsius, 27 by default; `timeout`, seconds; `keep`, a folder for the run's files.

    Raises InputError for wrong arguments, and a SimulatorError where ngspice does not deliver.
    """
    plot = _run(circuit, lambda _: [*_nodeset(guess), ".op"], **how)
    return Result(axis_name="balance", axis=np.zeros(1), values=_values(plot, range(len(plot.variables))))


def sweep(circuit: Circuit, source: str, values: tuple[float, float, float], **how: Any) -> Result:
    """Return the balance for each voltage of a source (`.dc`), from, to, by step, volts; `how` as `find_balance`."""
    _check_source(circuit, source)
    start, stop, step = (float(value) for value in values)
    if not np.isfinite([start, stop, step]).all() or step == 0.0 or (stop - start) * step < 0.0:
        raise InputError(f"sweep: from {start:g} V to {stop:g} V by {step:g} V: must be finite, with a step that leads")
    plot = _run(circuit, lambda _: [f".dc {source} {start!r} {stop!r} {step!r}"], **how)
    return _result("source", plot)


def respond(circuit: Circuit, frequencies: tuple[float, float], *, points: int = 20, **how: Any) -> Result:
    """Return the small-signal response (`.ac`) around the balance, complex, from a first to a last frequency, Hz.

    The sources whose `alternating` is not 0 drive it. `points`: in a decade. `how` as `find_balance`.
    """
    first, last = _frequencies(frequencies)
    if not any(isinstance(d.part, VoltageSource) and d.part.alternating for d in circuit.devices):
        raise InputError("respond: no voltage source drives it; set `alternating` of one, 1 V for a response")
    plot = _run(circuit, lambda _: [f".ac dec {points} {first!r} {last!r}"], **how)
    return _result("frequency", plot)


def find_noise(
    circuit: Circuit,
    node: str,
    source: str,
    frequencies: tuple[float, float],
    *,
    points: int = 10,
    guess: Mapping[str, float] | None = None,
    **how: Any,
) -> Result:
    """Return the density of the noise at a node (`.noise`), `v(node)` in V/sqrt(Hz), of the circuit at its balance.

    `source`: the one that noise at the input is referred to; it must have an `alternating` value. `guess`, `how`: as
    `find_balance`.
    """
    _check_source(circuit, source)
    first, last = _frequencies(frequencies)
    start = _nodeset(guess)

    def analysis(_: Settings) -> list[str]:
        command = f"noise v({node}) {source} dec {points} {first!r} {last!r}"
        return [*start, ".control", command, "setplot noise1", "write out.raw all", "quit 0", ".endc"]

    plot = _run(circuit, analysis, script=True, **how)
    density = plot.column(WHOLE_NOISE).real
    return Result(axis_name="frequency", axis=plot.data[:, 0].real, values={f"v({node.lower()})": density})


def run_transient(
    circuit: Circuit,
    t_stop: float,
    *,
    step: float | None = None,
    initial: Mapping[str, float] | None = None,
    probes: Sequence[str] = (),
    accuracy: float = 1e-5,
    sources: Sequence[str] = (),
    **how: Any,
) -> Result:
    """Return the waveforms of a circuit up to t_stop, at the times that ngspice chose.

    `step`: the longest, seconds; t_stop/200 by default. `initial`: node voltages at t = 0, from which it starts as it
    is (`uic`); None begins with a balance. `probes`: what to save, as in `v(node)`; all by default. `accuracy`: the
    local tolerance. `sources`: lines of the deck beside the circuit's, which may drive inner nodes of op-amps. `how` as
    `find_balance`.
    """
    _check(circuit)
    stop = float(positive(t_stop, "t_stop", shape=(), unit="s"))
    longest = stop / FEWEST_STEPS if step is None else float(positive(step, "step", shape=(), unit="s"))
    save = wrap(".save", probes)
    start = wrap(".ic", (f"v({node})={volts + 0.0!r}" for node, volts in (initial or {}).items()))
    uic = "" if initial is None else " uic"
    tran = f".tran {longest / 10.0!r} {stop!r} 0 {longest!r}{uic}"
    if circuit.macro_models:
        how = {"current": MACRO_CURRENT, "voltage": MACRO_VOLTS * accuracy, **how}
    columns = len(probes) or circuit.node_count + INNER * sum(isinstance(d.part, OpAmp) for d in circuit.devices)
    most = int((MOST_STEPS * stop / longest + FREE_STEPS) * columns)
    plot = _run(
        circuit,
        lambda _: [*sources, *save, *start, tran],
        reltol=accuracy,
        t_stop=stop,
        truncation=7.0,
        most_numbers=most,
        **how,
    )
    return _result("time", plot)


def _run(
    circuit: Circuit,
    analysis: Any,
    *,
    temperature: float = ROOM,
    reltol: float = RELTOL,
    truncation: float = 1.0,
    current: float = CURRENT,
    voltage: float = VOLTAGE,
    t_stop: float | None = None,
    most_numbers: int | None = None,
    timeout: float = TIMEOUT,
    keep: Path | None = None,
    script: bool = False,
) -> Plot:
    """Run one analysis, with looser tolerances where it does not converge."""
    _check(circuit)
    if not -273.15 < float(temperature) < 1e3:
        raise InputError(f"`temperature` = {temperature!r:.40}: must be degrees Celsius, above -273.15")
    text = write(circuit, "ngspice")
    settings = Settings(0.0, reltol, current, 1e-16, voltage, truncation=truncation, gmin=GMIN)

    def attempt(chosen: Settings) -> Plot:
        options = wrap(".options", (*chosen.options(klu=False), f"temp={number(float(temperature))}"))
        deck = "\n".join([text.rstrip("\n"), *options, *analysis(chosen), ".end"]) + "\n"
        return run(deck, t_stop=t_stop, timeout=timeout, keep=keep, script=script, most_numbers=most_numbers)

    return run_until_converged(partial(attempt), settings, keep=keep)[0]


def _nodeset(guess: Mapping[str, float] | None) -> list[str]:
    return wrap(".nodeset", (f"v({node})={volts!r}" for node, volts in (guess or {}).items()))


def _check(circuit: Circuit) -> None:
    if not isinstance(circuit, Circuit):
        raise InputError(f"`circuit` = {circuit!r:.60}: must be a Circuit")


def _result(axis_name: str, plot: Plot) -> Result:
    values = _values(plot, range(1, len(plot.variables)))
    return Result(axis_name=axis_name, axis=plot.data[:, 0].real, values=values)


def _values(plot: Plot, columns: range) -> dict[str, Values]:
    """Return columns by name; ngspice calls the current of a source `i(v_x)` or `v_x#branch`."""
    return {_plain(plot.variables[k].name): plot.data[:, k] for k in columns}


def _plain(name: str) -> str:
    return f"i({name.removesuffix('#branch')})" if name.endswith("#branch") else name


def _check_source(circuit: Circuit, source: str) -> None:
    if not isinstance(circuit.device(source).part, VoltageSource):
        raise InputError(
            f"`source` = {source!r:.60}: is a {circuit.device(source).part.what}, must be a voltage source"
        )


def _frequencies(frequencies: tuple[float, float]) -> tuple[float, float]:
    first, last = (float(positive(value, "frequencies", shape=(), unit="Hz")) for value in frequencies)
    if not first < last:
        raise InputError(f"`frequencies` = {first:g} Hz to {last:g} Hz: must increase")
    return first, last
