"""Which part is at fault: the fault of one part that makes of a board what was measured.

Each block is solved with what was measured about it, for each of its faults, with parts drawn from their tolerances and
with the noise of the instrument on all that is held. Of D readings d off the mean of K such samples with the covariance
S, the likelihood is that of Student's t with few degrees of freedom, which no single reading can rule out:

    L = -1/2 ((nu + D) log(1 + d' S^-1 d / nu) + log |S|).

A fault changes the blocks that its part is in; all others count as they are without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np

from ..circuit import Circuit
from ..parts import VoltageSource
from ..parts.parameters import Parameter, value_of
from ..tolerance.draws import draw_factors
from ..tolerance.tolerances import Tolerances
from ..values.arrays import Array
from ..verification.diagnosis import Suspect
from .bench import Bench, Condition, static_switches
from .blocks import Block, Changes, Trial, solve, split_board
from .faults import FORCED, Hypothesis, faults_by_block

DRAWS, TRIED = 32, 12  # samples of a block; hypotheses that are sampled
LONG = 5.0  # runs of the board, in which a block comes to rest
FREEDOM = 8.0  # nu
SHRUNK = 0.1  # of the covariance, towards its diagonal
NO_FAULT = Hypothesis((), "", ({},))
# A part of the change that a fault makes, by which tolerances spread it, before it is sampled.
SPREAD = 0.05
# chi-square for each reading above which a fault does not explain what was measured.
UNEXPLAINED = 4.0
# Within so much of the best likelihood, and so near to its readings, chi-square for each one, another has its effect.
AS_LIKELY, ALIKE = 2.0, 1.0
MOST = 5
FAILED = -1e6
STUCK = 0.1  # V: how well it is known where a dead output is stuck
# Blocks in which faults are looked for: those off by this chi-square for each reading, so many at least and at most.
OFF, FEWEST_BLOCKS, MOST_BLOCKS = 1.5, 2, 8


class Meter(NamedTuple):
    """How well is measured: `accuracy`, a part of each reading, and `least`, volts, both one standard deviation."""

    accuracy: float = 0.01
    least: float = 1e-3

    def deviation(self, volts: Array) -> Array:
        """Return the standard deviation of readings, volts."""
        return np.hypot(self.accuracy * volts, self.least)


class Judged(NamedTuple):
    """A block by samples of a fault: the likelihood of what was measured, chi-square of so many, and their mean."""

    likelihood: float
    chi: float
    readings: int
    mean: Array


Key: TypeAlias = tuple[tuple[str, ...], str]


class Weighed(NamedTuple):
    """A fault that was sampled: by how much it is likelier than none, chi-square, its key, and its blocks."""

    gain: float
    chi: float
    key: Key
    blocks: dict[int, Judged]


class Named(NamedTuple):
    """What was found. `suspects`: the likeliest first. `chi`: of the best, for each reading; `without`, of no fault.

    `gain`: by how much its likelihood is above that of none.
    `explains`: whether the best one explains what was measured. `weighed`: how many faults.
    """

    suspects: tuple[Suspect, ...]
    chi: float
    without: float
    gain: float
    explains: bool
    weighed: int


@dataclass(kw_only=True)
class Dictionary:
    """The faults of a board's blocks, solved for one measurement. `outside`: nodes with a reading out of its band."""

    bench: Bench
    conditions: Sequence[Condition]
    measured: Mapping[str, Array]
    meter: Meter
    tolerances: Tolerances
    seed: int
    outside: frozenset[str] = frozenset()
    circuit: Circuit = field(init=False)
    blocks: tuple[Block, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.circuit = static_switches(self.bench.circuit)
        self.blocks = split_board(self.circuit, frozenset(self.measured))
        self._draw()

    def _draw(self) -> None:
        draws = draw_factors(self.circuit, self.tolerances, seed=self.seed, samples=DRAWS)
        self._drawn: dict[str, dict[Parameter, Array]] = {}
        for column, row in zip(draws.variation.columns, draws.values.T, strict=True):
            self._drawn.setdefault(column.device, {})[column.parameter] = row

    def held(self, block: Block) -> Array:
        """Return what is held about a block, (conditions, held nodes), volts."""
        given = {d.nodes[0]: d for d in self.circuit.devices if isinstance(d.part, VoltageSource)}
        found = np.zeros((len(self.conditions), len(block.held)))
        for q, node in enumerate(block.held):
            if node in self.measured:
                found[:, q] = self.measured[node]
                continue
            for c, condition in enumerate(self.conditions):
                found[c, q] = self._source(given[node].name, given[node].part, condition)
        return found

    def _source(self, name: str, part: object, condition: Condition) -> float:
        bench = self.bench
        for k in range(len(bench.ohms)):
            if name == bench.source(k):
                return float(bench.starts[condition.start].states[k])
        signal = bench.signals[condition.start]
        if signal is not None and name in bench.circuit.inputs:
            at = 0.0 if condition.held else bench.t_stop
            return float(signal.at(at)[bench.circuit.inputs.index(name)])
        assert isinstance(part, VoltageSource)
        return part.voltage if isinstance(part.voltage, float) else 0.0

    def read(self, block: Block) -> Array:
        """Return what was measured in a block, (conditions, observed)."""
        return np.stack([self.measured[node] for node in block.observed], axis=1)

    def predict(self, block: Block, hypotheses: Sequence[Hypothesis]) -> Array:
        """Return what faults give with nominal parts, (faults, conditions, observed)."""
        trials, owner = [], []
        for k, one in enumerate(hypotheses):
            for way in one.changes:
                trials += [Trial(way, c, one.dead) for c in range(len(self.conditions))]
                owner.append(k)
        held, read = self.held(block), self.read(block)
        ways = len(owner)
        volts = solve(block, trials, np.tile(held, (ways, 1)), np.tile(read, (ways, 1)), self._on, self._end)
        volts = volts.reshape(ways, len(self.conditions), -1)
        return self._choose(volts, owner, read, len(hypotheses))

    def _choose(self, volts: Array, owner: Sequence[int], read: Array, count: int) -> Array:
        """Return of the ways that a fault may go in each condition the one nearest to what was measured."""
        found = np.full((count, *read.shape), np.nan)
        spread = self.meter.deviation(read) + 0.1
        for k in range(count):
            ways = volts[[w for w, of in enumerate(owner) if of == k]]
            off = np.sum(((ways - read) / spread) ** 2, axis=2)
            best = np.argmin(np.where(np.isfinite(off), off, np.inf), axis=0)
            found[k] = ways[best, np.arange(len(best))]
        return found

    def sample(self, block: Block, one: Hypothesis) -> Array:
        """Return what a fault gives with drawn parts and a noisy instrument, (draws, conditions, observed)."""
        held, read = self.held(block), self.read(block)
        noise = np.random.default_rng([self.seed, len(held)])
        names = {d.name for d in (*block.alive.devices, *block.dead.devices)}
        circuit = block.dead if one.dead else block.alive
        known = {d.name for d in circuit.devices}
        is_read = np.array([node in self.measured for node in block.held], dtype=bool)
        trials: list[Trial] = []
        rows = []
        factors = self._factors(one)
        stuck = STUCK * noise.standard_normal(DRAWS)
        for k in range(DRAWS):
            drawn: Changes = {
                (name, parameter): float(row[k])
                for name in names & known
                for parameter, row in self._drawn.get(name, {}).items()
            }
            for way in one.changes:
                own = {key: value * factors.get(key, np.ones(DRAWS))[k] for key, value in way.items()}
                if FORCED in own:
                    own[FORCED] += float(stuck[k])
                trials += [Trial({**drawn, **own}, c, one.dead) for c in range(len(self.conditions))]
            off = noise.standard_normal(held.shape) * self.meter.deviation(held) * is_read
            rows += [held + off] * len(one.changes)
        volts = solve(block, trials, np.vstack(rows), np.tile(read, (len(rows), 1)), self._on, self._end)
        ways = len(one.changes)
        volts = volts.reshape(DRAWS, ways, len(self.conditions), -1)
        return np.stack([self._choose(draw, [0] * ways, read, 1)[0] for draw in volts])

    def _factors(self, one: Hypothesis) -> dict[tuple[str, Parameter], Array]:
        """Return by what the values that a fault sets are off in each draw, as those of parts are."""
        found: dict[tuple[str, Parameter], Array] = {}
        for name, parameter in one.changes[0]:
            row = self._drawn.get(name, {}).get(parameter)
            if row is not None and not parameter.in_model:
                found[name, parameter] = row / value_of(self.circuit.device(name).part, parameter)
        return found

    @property
    def _end(self) -> float:
        return LONG * self.bench.board.t_stop

    @property
    def _on(self) -> list[bool]:
        return [condition.held for condition in self.conditions]

    def judge(self, block: Block, samples: Array) -> Judged:
        """Return the likelihood of what was measured in a block, by samples of a fault."""
        read = self.read(block)
        rows = samples.reshape(len(samples), -1)
        known = np.isfinite(rows).all(axis=1)
        if np.count_nonzero(known) < len(rows) // 2:
            return Judged(FAILED, np.inf, read.size, np.full(read.size, np.nan))
        rows = rows[known]
        mean = np.mean(rows, axis=0)
        covariance = np.cov(rows, rowvar=False).reshape(mean.size, mean.size)
        own = np.diag(np.diag(covariance))
        covariance = (1.0 - SHRUNK) * covariance + SHRUNK * own
        covariance += np.diag(self.meter.deviation(read).ravel() ** 2)
        return _student(read.ravel() - mean, covariance, mean)

    def guess(self, block: Block, healthy: Array, predicted: Array) -> Array:
        """Return the likelihoods of faults, (faults,), from their nominal readings and the spread without a fault."""
        read = self.read(block).ravel()
        rows = healthy.reshape(len(healthy), -1)
        rows = rows[np.isfinite(rows).all(axis=1)]
        base = np.cov(rows, rowvar=False).reshape(read.size, read.size) + np.diag(self.meter.deviation(read) ** 2)
        mean = np.mean(rows, axis=0)
        found = np.full(len(predicted), FAILED)
        for k, volts in enumerate(predicted.reshape(len(predicted), -1)):
            if np.isfinite(volts).all():
                spread = np.diag((SPREAD * (volts - mean)) ** 2)
                found[k] = _student(read - volts, base + spread, volts).likelihood
        return found


def _student(off: Array, covariance: Array, mean: Array) -> Judged:
    solved = np.linalg.solve(covariance, off)
    chi = max(float(off @ solved), 0.0)
    size = np.linalg.slogdet(covariance)[1]
    count = off.size
    likelihood = -0.5 * ((FREEDOM + count) * np.log1p(chi / FREEDOM) + float(size))
    return Judged(float(likelihood), chi, count, mean)


def name_fault(dictionary: Dictionary) -> Named:
    """Return the parts that are likeliest at fault, by what was measured."""
    blocks = dictionary.blocks
    if not blocks:
        return Named((), np.inf, np.inf, 0.0, False, 0)
    healthy = [dictionary.sample(block, NO_FAULT) for block in blocks]
    base = [dictionary.judge(block, samples) for block, samples in zip(blocks, healthy, strict=True)]
    faults = faults_by_block(blocks)
    places: dict[Key, dict[int, Hypothesis]] = {}
    for b, own in enumerate(faults):
        for one in own:
            places.setdefault(one.key, {})[b] = one
    guessed: dict[Key, float] = {}
    for b in _suspicious(blocks, base, dictionary.outside):
        found = dictionary.guess(blocks[b], healthy[b], dictionary.predict(blocks[b], faults[b]))
        plain = dictionary.guess(blocks[b], healthy[b], np.mean(healthy[b], axis=0)[np.newaxis])[0]
        for one, likelihood in zip(faults[b], found.tolist(), strict=True):
            guessed[one.key] = guessed.get(one.key, -one.rarity) + likelihood - plain
    judged = []
    for key in sorted(guessed, key=lambda key: -guessed[key])[:TRIED]:
        its = {b: dictionary.judge(blocks[b], dictionary.sample(blocks[b], one)) for b, one in places[key].items()}
        gain = sum(one.likelihood - base[b].likelihood for b, one in its.items())
        rarity = next(iter(places[key].values())).rarity
        judged.append(Weighed(gain - rarity, sum(its.get(b, one).chi for b, one in enumerate(base)), key, its))
    judged.sort(key=lambda one: -one.gain)
    count = sum(one.readings for one in base)
    chi = sum(one.chi for one in base)
    best = judged[0]
    explains = best.chi <= UNEXPLAINED * count
    return Named(_suspects(dictionary, judged, chi), best.chi / count, chi / count, best.gain, explains, len(places))


def _suspicious(blocks: Sequence[Block], base: Sequence[Judged], outside: frozenset[str]) -> list[int]:
    """Return the blocks in which a fault is looked for: those most off, and those with a reading outside its band."""
    chi = np.array([one.chi / one.readings for one in base])
    order = [int(b) for b in np.argsort(-chi, kind="stable")]
    found = [b for k, b in enumerate(order) if k < FEWEST_BLOCKS or chi[b] > OFF][:MOST_BLOCKS]
    others = [b for b in order if b not in found and outside.intersection(blocks[b].observed)]
    return found + others[: max(MOST_BLOCKS - len(found), 0)]


def _suspects(dictionary: Dictionary, judged: Sequence[Weighed], chi_without: float) -> tuple[Suspect, ...]:
    """Return suspects, those with the effect of another beside it."""
    circuit = dictionary.circuit
    found: list[Suspect] = []
    used: set[int] = set()
    for k, one in enumerate(judged):
        if k in used or len(found) == MOST or one.gain <= 0.0:
            continue
        group = [one.key]
        for q, other in enumerate(judged[k + 1 :], k + 1):
            if q not in used and one.gain - other.gain <= AS_LIKELY and _alike(dictionary, one.blocks, other.blocks):
                group.append(other.key)
                used.add(q)
        devices = tuple(dict.fromkeys(name for names, _ in group for name in names))
        origins = [circuit.device(name).origin for name in devices]
        neurons = {circuit.label_of(origin) if origin.element else "" for origin in origins}
        found.append(
            Suspect(
                neuron=neurons.pop() if len(neurons) == 1 else "",
                weight=str(origins[0]),
                devices=devices,
                explained=max(0.0, 1.0 - one.chi / chi_without) if chi_without > 0.0 else 0.0,
                change="; or ".join(f"{' and '.join(names)} {said}" for names, said in group),
            )
        )
    return tuple(found)


def _alike(dictionary: Dictionary, own: Mapping[int, Judged], its: Mapping[int, Judged]) -> bool:
    """Whether two faults cannot be told apart: in every block they give the same, by the instrument."""
    if own.keys() != its.keys():
        return False
    for b, one in own.items():
        spread = dictionary.meter.deviation(dictionary.read(dictionary.blocks[b]).ravel())
        if not float(np.mean(((one.mean - its[b].mean) / spread) ** 2)) <= ALIKE:
            return False
    return True
