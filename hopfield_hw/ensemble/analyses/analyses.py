"""Analyses of circuits in our own engine beside the transient: balance, small signals, noise, of many samples at once.

As `hopfield_hw.spice.analyses`, which has ngspice do them for one circuit: those of a list, or of an Ensemble, have one
topology and differ in the values of their parts. Results are xarray Datasets, over `sample` first where several were
given; samples that fail are NaN, and `attrs["failures"]` says why by sample. Nodes are called as in ngspice, those
within parts too (`x_amp.gain`). Everything is at 27 degrees Celsius. Numba is not needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ...circuit import Circuit, Device, Ensemble
from ...parts import VoltageSource
from ...parts.parameters import Parameter
from ...values.arrays import Array, positive, whole
from ...values.errors import ConvergenceError, InputError
from ..devices.elements import Source, split_device
from ..equations.system import System, build_system
from .balance import Balances, find_balances
from .naming import begin_at, find_node, name_nodes
from .noise_sources import NoiseSource, find_noise_sources
from .stamps import Stamps
from .stochastic import reduce_sample

if TYPE_CHECKING:
    import xarray as xr

Circuits: TypeAlias = "Circuit | Ensemble | Sequence[Circuit]"
Guess: TypeAlias = "Mapping[str, float | npt.ArrayLike]"
MOST_POINTS = 1000  # in a decade


class _Rest(NamedTuple):
    """Circuits at their balances. `known`: the samples that have one. `alone`: whether a list was given or not."""

    ensemble: Ensemble
    alone: bool
    stamps: Stamps
    balances: Balances
    known: npt.NDArray[np.intp]

    @property
    def system(self) -> System:
        return self.stamps.system

    def dataset(self, variables: dict[str, Any], coordinates: dict[str, Any]) -> xr.Dataset:
        """Return values as a Dataset: by name dimensions behind `sample`, values (samples, ...), and their unit."""
        import xarray as xr

        batch = () if self.alone else ("sample",)
        made = {
            name: ((*batch, *over), values[0] if self.alone else values, {"units": unit})
            for name, (over, values, unit) in variables.items()
        }
        failures = {str(sample): why for sample, why in self.balances.failures.items()}
        return xr.Dataset(made, coords=coordinates, attrs={"machine": "ensemble", "failures": failures})


def find_balance(circuits: Circuits, *, guess: Guess | None = None) -> xr.Dataset:
    """Return a point of balance (`.op`): `voltage` over (sample, node), volts.

    `guess`: node voltages to begin from, each a number or one for each sample; the other nodes begin where the circuits
    start. Of several balances this may be any one, an unstable one too; where Newton's method does not converge it is
    one at which the circuit comes to rest from the guess. Sources are as at t = 0.

    Raises InputError for wrong arguments and what `simulate` refuses, and ConvergenceError where one circuit, or every
    one, has no balance that is found, with the nodes that nothing determines.
    """
    rest = _find_rest(circuits, guess, "find_balance")
    names = name_nodes(rest.system)[:-1]
    return rest.dataset({"voltage": (("node",), rest.balances.voltages[:-1].T, "V")}, {"node": names})


def respond(
    circuits: Circuits, frequencies: tuple[float, float], *, points: int = 20, guess: Guess | None = None
) -> xr.Dataset:
    """Return the small-signal response (`.ac`) around the balance, from a first to a last frequency, Hz.

    `voltage` over (sample, frequency, node), complex. The sources whose `alternating` is not 0 drive it. `points`: in a
    decade. `guess`: as `find_balance`, as is what is raised.
    """
    rest, grid = _prepare(circuits, frequencies, points, guess, "respond")
    drive = _alternating(rest)
    if not np.any(drive):
        raise InputError("respond: no voltage source drives it; set `alternating` of one, 1 V for a response")
    at = rest.stamps.at(rest.balances.voltages[:, rest.known], rest.known)
    found = np.full((rest.ensemble.size, grid.size, len(drive) - 1), np.nan, dtype=np.complex128)
    given = drive[:, rest.known].astype(np.complex128)
    for k, f in enumerate(grid.tolist()):
        matrix = rest.stamps.matrix(at, f, rest.known)
        moved = rest.stamps.solve(matrix, -rest.stamps.multiply(matrix, given))
        found[rest.known, k] = np.concatenate([moved, given[len(moved) : -1]]).T
    coordinates = {"frequency": ("frequency", grid, {"units": "Hz"}), "node": name_nodes(rest.system)[:-1]}
    return rest.dataset({"voltage": (("frequency", "node"), found, "V")}, coordinates)


def find_noise(
    circuits: Circuits,
    node: str,
    source: str | None,
    frequencies: tuple[float, float],
    *,
    points: int = 10,
    guess: Guess | None = None,
) -> xr.Dataset:
    """Return the noise at a node (`.noise`) of circuits at their balance, from a first to a last frequency, Hz.

    `density`, one-sided, over (sample, frequency), V/sqrt(Hz); `shares`, the part of its square that each device makes,
    over (sample, frequency, device); and with `source`, the voltage source that noise at the input is referred to,
    `referred`, V/sqrt(Hz), as if its `alternating` were 1 V. What makes noise: see `noise_sources`; ngspice has that of
    resistors that only compute besides, and that of a macro-model's figures only where its `noise` is set. `points`: in
    a decade. `guess`: as `find_balance`, as is what is raised.
    """
    rest, grid = _prepare(circuits, frequencies, points, guess, "find_noise")
    system, index = rest.system, {name: k for k, name in enumerate(rest.system.nodes)}
    row = find_node(system, node, "find_noise: `node`")
    if row >= system.unknowns:
        raise InputError(f"find_noise: `node` = {node!r:.60}: a source holds it, so that it has no noise")
    column = None if source is None else _held_by(rest, source)
    sources = _audible(rest, "find_noise")
    at = rest.stamps.at(rest.balances.voltages[:, rest.known], rest.known)
    devices = list(dict.fromkeys(one.device for one in sources))
    powers = np.full((rest.ensemble.size, grid.size, len(devices)), np.nan)
    gain = np.full((rest.ensemble.size, grid.size), np.nan)
    one = np.zeros((system.unknowns, rest.known.size), dtype=np.complex128)
    one[row] = 1.0
    unit = np.zeros((len(system.nodes), rest.known.size), dtype=np.complex128)
    unit[system.unknowns if column is None else column] = 1.0
    for k, f in enumerate(grid.tolist()):
        matrix = rest.stamps.matrix(at, f, rest.known)
        # What a current into each law does to the node: one solve for all sources.
        effect = rest.stamps.solve(matrix, one, transposed=True)
        powers[rest.known, k] = _powers(sources, devices, effect, f, system, index, rest.known).T
        if column is not None:
            gain[rest.known, k] = np.abs(np.sum(effect * rest.stamps.multiply(matrix, unit), axis=0))
    total = np.sum(powers, axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares, referred = powers / total[:, :, np.newaxis], np.sqrt(total) / gain
    variables: dict[str, Any] = {
        "density": (("frequency",), np.sqrt(total), "V/sqrt(Hz)"),
        "shares": (("frequency", "device"), shares, ""),
    }
    if column is not None:
        variables["referred"] = (("frequency",), referred, "V/sqrt(Hz)")
    return rest.dataset(variables, {"frequency": ("frequency", grid, {"units": "Hz"}), "device": devices})


def find_covariance(circuits: Circuits, nodes: Sequence[str], *, guess: Guess | None = None) -> xr.Dataset:
    """Return the covariance of the noise of nodes at rest, over all frequencies.

    `covariance` over (sample, node, other), V^2, and `rate` over (sample,), 1/s: that of the slowest deviation. By
    Lyapunov's equation of `stochastic`, of white noise alone: without what rises as 1/f. A sample whose balance is not
    stable is NaN, and named among the failures. `guess`: as `find_balance`, as is what is raised, and InputError for a
    node whose white noise no capacitor holds back.
    """
    if isinstance(nodes, str) or not isinstance(nodes, Sequence) or not len(nodes):
        raise InputError(f"find_covariance: `nodes` = {nodes!r:.60}: must be a list of nodes with at least one")
    rest = _find_rest(circuits, guess, "find_covariance")
    chosen = [name_nodes(rest.system)[find_node(rest.system, node, "find_covariance: `nodes`")] for node in nodes]
    sources = _audible(rest, "find_covariance")
    found = np.full((rest.ensemble.size, len(chosen), len(chosen)), np.nan)
    rates = np.full(rest.ensemble.size, np.nan)
    for sample in rest.known.tolist():
        linear = reduce_sample(rest.stamps, rest.balances.voltages, sources, sample)
        rates[sample] = linear.rates[0] if linear.rates.size else -np.inf
        if rates[sample] < 0.0:
            found[sample] = linear.voltage_covariance(chosen)
        else:
            rest.balances.failures[sample] = f"its balance is not stable: a deviation grows at {rates[sample]:.3g} 1/s"
    if len(rest.balances.failures) == rest.ensemble.size:
        raise ConvergenceError(f"find_covariance: {rest.ensemble.circuit.title!r}: {rest.balances.failures[0]}")
    variables = {"covariance": (("node", "other"), found, "V^2"), "rate": ((), rates, "1/s")}
    return rest.dataset(variables, {"node": chosen, "other": chosen})


def _find_rest(circuits: Circuits, guess: Guess | None, where: str) -> _Rest:
    given = Ensemble.as_samples(circuits, where)
    stamps = Stamps(build_system(given))
    balances = find_balances(stamps, *begin_at(stamps.system, guess, f"{where}: `guess`"))
    if len(balances.failures) == given.size:
        raise ConvergenceError(f"{where}: {given.circuit.title!r}: {balances.failures[0]}")
    known = np.setdiff1d(np.arange(given.size), list(balances.failures))
    return _Rest(given, isinstance(circuits, Circuit), stamps, balances, known)


def _prepare(
    circuits: Circuits, frequencies: tuple[float, float], points: int, guess: Guess | None, where: str
) -> tuple[_Rest, Array]:
    """Return circuits at their balances, and frequencies, Hz, with so many points in a decade."""
    if not isinstance(frequencies, Sequence | np.ndarray) or isinstance(frequencies, str) or len(frequencies) != 2:
        raise InputError(f"{where}: `frequencies` = {frequencies!r:.60}: must be the first and the last one, Hz")
    first, last = (float(positive(value, "frequencies", shape=(), unit="Hz")) for value in frequencies)
    if not first < last:
        raise InputError(f"`frequencies` = {first:g} Hz to {last:g} Hz: must increase")
    count = whole(points, "points", 1, MOST_POINTS)
    steps = math.floor(count * math.log10(last / first) + 1e-9)
    return _find_rest(circuits, guess, where), first * 10.0 ** (np.arange(steps + 1) / count)


def _audible(rest: _Rest, where: str) -> tuple[NoiseSource, ...]:
    sources = find_noise_sources(rest.ensemble, rest.system, rest.balances.voltages)
    if not sources:
        raise InputError(f"{where}: no part of the circuit makes noise")
    return sources


def _alternating(rest: _Rest) -> Array:
    """Return the amplitudes that sources give to nodes, (nodes, samples), volts."""
    drive = np.zeros((len(rest.system.nodes), rest.ensemble.size))
    for device in rest.ensemble.circuit.devices:
        if isinstance(device.part, VoltageSource):
            amplitude: Any = device.part.alternating
            if device.name in rest.ensemble.parts:
                parts = rest.ensemble.parts[device.name]
                amplitude = [part.alternating for part in parts if isinstance(part, VoltageSource)]
            amplitude = rest.ensemble.values.get(device.name, {}).get(Parameter("alternating"), amplitude)
            drive[rest.system.nodes.index(_given(device))] = amplitude
    return drive


def _held_by(rest: _Rest, source: str) -> int:
    """Return the index of the node that a voltage source gives."""
    device = rest.ensemble.circuit.device(source)
    if not isinstance(device.part, VoltageSource):
        raise InputError(f"`source` = {source!r:.60}: is a {device.part.what}, must be a voltage source")
    return rest.system.nodes.index(_given(device))


def _given(source: Device) -> str:
    """Return the node whose voltage a source gives."""
    return next(one.node for one in split_device(source, {}) if isinstance(one, Source))


def _powers(
    sources: Sequence[NoiseSource],
    devices: Sequence[str],
    effect: npt.NDArray[np.complex128],
    frequency: float,
    system: System,
    index: Mapping[str, int],
    known: npt.NDArray[np.intp],
) -> Array:
    """Return the density of power that devices make at the node, (devices, samples), V^2/Hz."""
    powers = np.zeros((len(devices), known.size))
    place = {device: k for k, device in enumerate(devices)}
    for source in sources:
        laws = [int(system.laws[index[node]]) for node in source.ends]
        first, second = (effect[law] if law >= 0 else 0.0 for law in laws)
        power = source.power[known] / (frequency if source.flickers else 1.0)
        powers[place[source.device]] += power * np.abs(first - second) ** 2
    return powers
