"""How fast optimisation is, beside simulated annealing (dwave-samplers) in the same run: one thread, processor time.

Models are read from the folder that the environment variable HOPFIELD_HW_DATA names (maxcut/, qubo/, coloring/); where
it is not set, generated ones of the same kinds take their place, and the row says so. What is best known comes with the
files; of generated models it is the least energy that anything found here.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dimod
import networkx as nx
import numpy as np
import scipy.sparse as sp
from dwave.samplers import SimulatedAnnealingSampler
from measuring import row

from hopfield_hw.annealing import (
    PRESETS,
    BinaryModel,
    Dynamics,
    GroupedModel,
    IsingModel,
    anneal,
    edges_matrix,
    time_to_solution,
)
from hopfield_hw.values.proportion import proportion

FOLDER = os.environ.get("HOPFIELD_HW_DATA")
READS = 4096
SWEEPS = (10, 30, 50, 100, 300, 1000)
# Linear from 0.1 to 2 in units of an edge's weight, the best for graphs of 60 nodes, and the sampler's own.
SCHEDULES: tuple[dict[str, Any], ...] = ({"beta_range": (0.1, 2.0), "beta_schedule_type": "linear"}, {})
CUTS = {"g05_60.0": 536, "g05_60.1": 532, "g05_60.2": 529, "g05_60.3": 538, "g05_60.4": 527}
QUBOS = {"gka1a": -3414, "gka2a": -6063, "gka1b": -133, "gka2b": -121}
# Cut, the seconds within which it is to be found, and the preset.
LARGE = {
    "G1.txt": (11624, 2.0, "large"),
    "G11.txt": (564, 3.0, "large_grid"),
    "G14.txt": (3061, 5.0, "large_planar"),
    "G22.txt": (13358, 5.0, "large"),
}
COLOURINGS = {"myciel3": (4, 0.9), "myciel4": (5, 0.9), "queen5_5": (5, 0.6), "huck": (11, 0.9)}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Seconds a run, successes and runs, one each a model."""

    seconds: tuple[float, ...]
    successes: tuple[int, ...]
    runs: tuple[int, ...]

    def tts(self, successes: Iterable[int] | None = None) -> float:
        """The geometric mean of the time to solution with 99%; half a success is added."""
        hits = self.successes if successes is None else successes
        pairs = zip(self.seconds, hits, self.runs, strict=True)
        return math.exp(np.mean([math.log(time_to_solution(t, (k + 0.5) / (n + 1.0))) for t, k, n in pairs]))

    def interval(self) -> tuple[float, float]:
        """The time to solution's 95% interval, by a bootstrap of the successes."""
        rng = np.random.default_rng(0)
        rates = [(k + 0.5) / (n + 1.0) for k, n in zip(self.successes, self.runs, strict=True)]
        draws = [self.tts(rng.binomial(self.runs, rates).tolist()) for _ in range(400)]
        low, high = np.percentile(draws, [2.5, 97.5])
        return float(low), float(high)

    def __str__(self) -> str:
        low, high = self.interval()
        rates = ", ".join(f"{k / n:.3f}" for k, n in zip(self.successes, self.runs, strict=True))
        return f"TTS99 {1e6 * self.tts():.1f} us [{1e6 * low:.1f}, {1e6 * high:.1f}], p {rates}"


def networks(models: list[Any], least: list[float], dynamics: Dynamics, *, reads: int, **options: Any) -> Measured:
    """Anneal every model once the code is compiled; what is measured has everything in it, energies too."""
    anneal(models[0], dynamics, reads=16, **options)
    found = [anneal(model, dynamics, reads=reads, seed=1, **options) for model in models]
    return Measured(
        seconds=tuple(each.processor_time / reads for each in found),
        successes=tuple(int(np.sum(each.energies <= best + 1e-6)) for each, best in zip(found, least, strict=True)),
        runs=(reads,) * len(models),
    )


def simulated_annealing(models: list[Any], least: list[float]) -> tuple[str, Measured]:
    """Return the sweeps and the schedule with the least time to solution, and what they gave."""
    tried = [
        (
            f"{sweeps} sweeps, {schedule.get('beta_schedule_type', 'default')} beta",
            _simulated(models, least, sweeps, schedule),
        )
        for sweeps in SWEEPS
        for schedule in SCHEDULES
    ]
    return min(tried, key=lambda each: each[1].tts())


def _simulated(models: list[Any], least: list[float], sweeps: int, schedule: dict[str, Any]) -> Measured:
    sampler, reads = SimulatedAnnealingSampler(), max(200, 30_000 // sweeps)
    seconds, successes = [], []
    for model, best in zip(models, least, strict=True):
        quadratic = as_bqm(model)
        start = time.process_time()
        found = sampler.sample(quadratic, num_reads=reads, num_sweeps=sweeps, seed=1, **schedule)
        seconds.append((time.process_time() - start) / reads)
        successes.append(int(np.sum(found.record.energy <= weight_of(model) * best + 1e-6)))
    return Measured(seconds=tuple(seconds), successes=tuple(successes), runs=(reads,) * len(models))


def weight_of(model: Any) -> float:
    """What energies are multiplied by for simulated annealing: cuts in units of two edges' weights, so J = w."""
    return 2.0 if model.kind == "ising" else 1.0


def as_bqm(model: Any) -> Any:
    """The same model for dimod, its energies times `weight_of`."""
    upper, factor = sp.triu(sp.coo_array(model.couplings), 1), weight_of(model)
    vectors = (upper.row, upper.col, factor * upper.data)
    vartype = "SPIN" if model.kind == "ising" else "BINARY"
    return dimod.BinaryQuadraticModel.from_numpy_vectors(factor * model.fields, vectors, factor * model.offset, vartype)


def sixty_nodes() -> tuple[str, list[Any], list[float]]:
    """Cuts of graphs of 60 nodes with half of all edges."""
    if FOLDER is not None:
        models = [IsingModel.max_cut(read_edges(Path(FOLDER, "maxcut", name)).toarray()) for name in CUTS]
        return "g05_60.0-4", models, [-float(cut) for cut in CUTS.values()]
    models = []
    for k in range(5):
        upper = np.triu(np.random.default_rng(k).random((60, 60)) < 0.5, 1).astype(np.float64)
        models.append(IsingModel.max_cut(upper + upper.T))
    return "5 generated graphs as g05_60", models, [_least(model, "first_order_noise") for model in models]


def qubos() -> tuple[list[str], list[Any], list[float]]:
    """Sparse ones of 50 and 60 variables, and dense ones of 20 and 30 with positive couplings."""
    if FOLDER is not None:
        models = [BinaryModel.from_matrix(read_qubo(Path(FOLDER, "qubo", f"{name}.sparse"))) for name in QUBOS]
        return list(QUBOS), models, [float(best) for best in QUBOS.values()]
    matrices = [_sparse_qubo(50, 1), _sparse_qubo(60, 2), _dense_qubo(20, 3), _dense_qubo(30, 4)]
    models = [BinaryModel.from_matrix(matrix) for matrix in matrices]
    names = ["generated as gka1a", "generated as gka2a", "generated as gka1b", "generated as gka2b"]
    return names, models, [_least(model, "binary") for model in models]


def _sparse_qubo(n: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    upper = np.triu((rng.random((n, n)) < 0.1) * rng.integers(-100, 101, (n, n)), 1).astype(np.float64)
    return upper + upper.T + np.diag(rng.integers(-100, 101, n).astype(np.float64))


def _dense_qubo(n: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(1, 101, (n, n)), 1).astype(np.float64)
    return upper + upper.T - np.diag(rng.integers(1, 64, n).astype(np.float64))


def _least(model: Any, preset: str) -> float:
    """The least energy that a long anneal and simulated annealing find."""
    ours = anneal(model, replace(PRESETS[preset], t_stop=3.0 * PRESETS[preset].t_stop), reads=2048).best_energy
    annealed = SimulatedAnnealingSampler().sample(as_bqm(model), num_reads=300, seed=1).first.energy
    return min(ours, float(annealed) / weight_of(model))


def cuts_of_sixty_nodes() -> Iterable[dict[str, Any]]:
    """The time to solution against simulated annealing at its best, and the success of one re-annealed run."""
    name, models, least = sixty_nodes()
    how, annealing = simulated_annealing(models, least)
    print(f"{name}: simulated annealing, {how}: {annealing}")
    for preset, goal in (("ballistic", 1.0 / 8.0), ("first_order", 1.0 / 3.0)):
        found = networks(models, least, PRESETS[preset], reads=READS)
        print(f"{name}: {preset}: {found}")
        ratio = found.tts() / annealing.tts()
        yield row(f"TTS99, {name}, {preset} against simulated annealing", ratio, goal, "lower")
    for preset, teeth in (("ballistic", 32), ("first_order_noise", 24)):
        found = networks(models, least, PRESETS[preset], reads=READS // 8, reanneal=teeth, readout="best")
        low, high = proportion(sum(found.successes), sum(found.runs)).interval
        duration = teeth * PRESETS[preset].t_stop
        rate = sum(found.successes) / sum(found.runs)
        said = f"mean p {rate:.4f} [{low:.4f}, {high:.4f}]; {found}"
        print(f"{name}: {preset}, {teeth} anneals, {duration:.0f} R C: {said}")
        yield row(f"success of a run, {name}, {preset} re-annealed {teeth} times", rate, 0.93, "higher", unit="rate")


def zeros_and_ones() -> Iterable[dict[str, Any]]:
    """QUBO in its native network against simulated annealing at its best, model by model."""
    for name, model, least in zip(*qubos(), strict=True):
        how, annealing = simulated_annealing([model], [least])
        found = networks([model], [least], PRESETS["binary"], reads=READS)
        print(f"{name}: simulated annealing, {how}: {annealing}\n{name}: native 0/1 network: {found}")
        ratio = found.tts() / annealing.tts() if found.successes[0] else None
        yield row(f"TTS99, {name}, native 0/1 network against simulated annealing", ratio, 0.25, "lower")


def large_graphs() -> Iterable[dict[str, Any]]:
    """Seconds until a cut is found that is large enough, and what simulated annealing has by then and at the limit."""
    for name, (cut, limit, preset) in LARGE.items():
        title = f"{name.removesuffix('.txt')}, cut {cut}, one thread"
        if FOLDER is None:
            yield row(f"{title}: needs HOPFIELD_HW_DATA", None, limit, "lower", unit="s")
            continue
        model = IsingModel.max_cut(read_edges(Path(FOLDER, "maxcut", name)))
        anneal(model, replace(PRESETS[preset], t_stop=10.0), reads=16)
        spent, best, seed = 0.0, -math.inf, 0
        while best < cut and spent < 4.0 * limit:
            found = anneal(model, PRESETS[preset], reads=64, seed=seed)
            spent, best, seed = spent + found.processor_time, max(best, -found.best_energy), seed + 1
        print(f"{title}: {best:.0f} after {spent:.2f} s; simulated annealing: {_cut_by_annealing(model, limit)}")
        yield row(title, spent if best >= cut else math.inf, limit, "lower", unit="s")


def _cut_by_annealing(model: Any, limit: float) -> str:
    """The largest cut of simulated annealing within a time, 1,000 sweeps with a linear beta to 3."""
    quadratic, best, seed, start = as_bqm(model), 0.0, 0, time.process_time()
    while time.process_time() - start < limit:
        options = {"num_reads": 4, "num_sweeps": 1000, "beta_range": (0.1, 3.0), "beta_schedule_type": "linear"}
        found = SimulatedAnnealingSampler().sample(quadratic, seed=seed, **options)
        best, seed = max(best, -float(found.first.energy) / weight_of(model)), seed + 1
    return f"{best:.0f} in {time.process_time() - start:.2f} s"


def colourings() -> Iterable[dict[str, Any]]:
    """How often a run of the softmax network colours a graph with as many colours as it needs."""
    for name, (colours, goal) in COLOURINGS.items():
        title = f"valid colourings with {colours} colours, {name}"
        adjacency = colouring_graph(name)
        if adjacency is None:
            yield row(f"{title}: needs HOPFIELD_HW_DATA", None, goal, "higher", unit="rate")
            continue
        found = networks([GroupedModel.colouring(adjacency, colours)], [0.0], PRESETS["colouring"], reads=1024)
        low, high = proportion(found.successes[0], found.runs[0]).interval
        print(f"{title}: in [{low:.3f}, {high:.3f}]; {found}")
        yield row(title, found.successes[0] / found.runs[0], goal, "higher", unit="rate")


def colouring_graph(name: str) -> Any:
    """Return the adjacency of a graph, made where its construction is known, else read; None where it cannot be."""
    if name.startswith("myciel"):
        return nx.to_scipy_sparse_array(nx.mycielski_graph(int(name[-1]) + 1), dtype=np.float64)
    if name == "queen5_5":
        places = [(i, j) for i in range(5) for j in range(5)]
        pairs = [(a, b, 1.0) for a in range(25) for b in range(a) if attack(places[a], places[b])]
        return edges_matrix(25, pairs)
    if FOLDER is None:
        return None
    lines = [line.split() for line in Path(FOLDER, "coloring", f"{name}.col").read_text().splitlines()]
    n = next(int(line[2]) for line in lines if line and line[0] == "p")
    ends = [sorted((int(line[1]) - 1, int(line[2]) - 1)) for line in lines if line and line[0] == "e"]
    return edges_matrix(n, [(i, j, 1.0) for i, j in {(low, high) for low, high in ends}])


def attack(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two queens attack each other."""
    down, right = abs(one[0] - other[0]), abs(one[1] - other[1])
    return down == 0 or right == 0 or down == right


def read_edges(path: Path) -> Any:
    """Return weights of a file `n m`, then `i j w` a line, counted from 1."""
    lines = iter(_fields(path))
    n = int(next(lines)[0])
    return edges_matrix(n, [(int(line[0]) - 1, int(line[1]) - 1, float(line[2])) for line in lines])


def read_qubo(path: Path) -> Any:
    """Return Q of a file `n m`, then `i j q` a line, counted from 1; an entry beside the diagonal stands for both."""
    lines = iter(_fields(path))
    n = int(next(lines)[0])
    matrix = np.zeros((n, n))
    for i, j, q in lines:
        matrix[int(i) - 1, int(j) - 1] = matrix[int(j) - 1, int(i) - 1] = float(q)
    return matrix


def _fields(path: Path) -> Iterator[list[str]]:
    return (line.split() for line in path.read_text().splitlines() if line.strip())


ANNEALING = (cuts_of_sixty_nodes, zeros_and_ones, large_graphs, colourings)


if __name__ == "__main__":
    for topic in ANNEALING:
        for each in topic():
            print(f"{each['name']}: {each['value']} (goal {each['against']})", flush=True)
