"""Monte Carlo of a board: drawn parts, what each board does, and the yield of a task."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import special, stats

from ..board.design import Board
from ..tolerance.distributions import Fixed
from ..tolerance.draws import Draws, Variation, draw_factors, vary
from ..tolerance.drifts import Drifts, check_temperature
from ..tolerance.streams import MOST_SEED
from ..tolerance.tolerances import Tolerances
from ..tolerance.yields import LEVEL, Yield, check_level, count_yield
from ..values.arrays import Array, positive, whole
from ..values.errors import InputError
from ..values.executors import check_workers, run_each
from ..values.journal import Journal, fingerprint
from ..values.physics import ROOM
from ..values.report import Report
from ..values.si_text import format_si
from .engines import Block
from .samples import sample_maker
from .study import Engine, Study, check_engine, check_ensemble, choose_engine, run_boards
from .tasks import Task
from .usual import usual_tolerances, without_offsets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 201
FORM = "samples of boards 2"
MOST_SHOWN = 8
QUIET = 0.05  # the probability that any part is said to matter by chance


class Influence(NamedTuple):
    """A part's value, and the rank correlation (Spearman's) of the margin with it."""

    name: str
    correlation: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MonteCarlo(Report):
    """What the samples of a board did.

    `margins`: (samples,), in `unit`; above 0 the task is done, NaN is undecided. `settling`: (samples,), seconds, NaN
    where a board does not come to rest. `power`: (samples,), watts: from the supplies of the whole circuit, averaged
    over the run; of the op-amps at rest with the equation. `energy`: (samples,), joules, to the decision. `draws`: the
    parts. `engine`: the machine, and `why`: what was in the way of the engine "ensemble", where none was asked for.
    `failures`: what the machine said of samples that it did not run, by number. `notes`: what it warned of.
    """

    margins: Array
    settling: Array
    power: Array
    energy: Array
    unit: str
    engine: Engine
    seed: int
    level: float
    variation: Variation = field(repr=False)
    temperature: float = ROOM
    drifts: Drifts = field(default_factory=Drifts, repr=False)
    failures: dict[int, str] = field(default_factory=dict, repr=False)
    why: str = field(default="", repr=False)
    notes: tuple[str, ...] = field(default=(), repr=False)

    @property
    def power_label(self) -> str:
        """What `power` is."""
        return "power of op-amps at rest" if self.engine == "equation" else "power"

    @property
    def draws(self) -> Draws:
        """The values of the parts of all samples, at the temperature."""
        drawn = draw_factors(self.variation, seed=self.seed, samples=self.margins.size)
        return self.drifts.apply(drawn, self.temperature, seed=self.seed)

    @property
    def yielded(self) -> Yield:
        """How many do the task, with the exact interval."""
        return count_yield(self.margins, level=self.level)

    def influences(self) -> tuple[Influence, ...]:
        """Return the parts whose rank correlation with the margin is beyond chance, the strongest first.

        Beyond chance: with none that matters, the largest of all would be below with a probability of 95%.
        """
        known = np.isfinite(self.margins)
        count = int(known.sum())
        if count < 8 or np.ptp(self.margins[known]) == 0.0:
            return ()
        ranks = stats.rankdata(self.margins[known])
        values = stats.rankdata(self.draws.values[known], axis=0)
        ranks, values = ranks - ranks.mean(), values - values.mean(axis=0)
        sizes = np.linalg.norm(ranks) * np.linalg.norm(values, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.where(sizes > 0.0, ranks @ values / sizes, 0.0)
        limit = float(special.ndtri(1.0 - 0.5 * QUIET / max(found.size, 1))) / np.sqrt(count - 1.0)
        order = np.argsort(-np.abs(found), kind="stable")
        names = self.variation.names
        return tuple(Influence(names[k], float(found[k])) for k in order.tolist() if abs(found[k]) > limit)

    def rows(self) -> list[tuple[str, str]]:
        known = self.margins[np.isfinite(self.margins)]
        said = [*self.yielded.rows(), ("machine", f"{self.engine}; {self.why}" if self.why else self.engine)]
        if self.temperature != ROOM:
            said.append(("temperature", f"{self.temperature:g} degrees Celsius"))
        if known.size:
            low, middle, high = np.quantile(known, (0.05, 0.5, 0.95))
            unit = f" {self.unit}" if self.unit else ""
            said.append(("margin", f"{middle:.4g}{unit}; of 90% from {low:.4g} to {high:.4g}{unit}"))
        said += _spread("settling time", self.settling, "s")
        said += _spread(self.power_label, self.power, "W")
        said += _spread("energy a decision", self.energy, "J")
        shown = self.influences()[:MOST_SHOWN]
        said.append(("parts that matter", ", ".join(f"{i.name} {i.correlation:+.2f}" for i in shown) or "none alone"))
        if self.failures:
            said.append(("not run", f"{len(self.failures)} samples: {next(iter(self.failures.values())):.120}"))
        said += [("note", note) for note in self.notes]
        return said

    def figures(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "why": self.why,
            "seed": self.seed,
            "temperature": self.temperature,
            "yield": self.yielded.figures(),
            "margins": self.margins.tolist(),
            "unit": self.unit,
            "settling": self.settling.tolist(),
            "power": self.power.tolist(),
            "energy": self.energy.tolist(),
            "influences": [list(one) for one in self.influences()],
            "failures": {str(k): why for k, why in self.failures.items()},
            "notes": list(self.notes),
        }

    def plot(self, path: Path | str | None = None, *, title: str = "board") -> Figure:
        """Return the page of the study, and write it where a path is given."""
        from ..pictures.files import save_figure
        from ..pictures.yields import plot_monte_carlo

        return save_figure(plot_monte_carlo(self, title=title), path)


def monte_carlo(
    board: Board,
    *,
    task: Task,
    tolerances: Tolerances | None = None,
    samples: int = 1000,
    seed: int = 1,
    engine: Engine | None = None,
    workers: int | None = None,
    executor: Any = None,
    progress: Callable[[int, int], None] | None = None,
    resume: str | os.PathLike[str] | None = None,
    level: float = LEVEL,
    t_stop: Any = None,
    points: int = POINTS,
    temperature: Any = ROOM,
    drifts: Drifts | None = None,
) -> MonteCarlo:
    """Return what boards of drawn parts do.

    `tolerances`: `usual_tolerances(board)` by default. Where `offset` varies, it does so about 0, not about the sheet's
    typical one. `engine`: "ensemble", the whole circuits with the macro-models in our own engine, many at once;
    "ngspice", the same circuits, a process for each; or "equation", the static equation of `samples`. By default the
    engine "ensemble" where it can, else the equation, and `why` says what was in the way. `samples`: chosen before any
    is seen, see `samples_for`. `workers`: threads; all processors by default. `executor`: other processes or machines
    in their place: anything with the method `submit` of concurrent.futures, a Dask `Client`, or a scheduler's address,
    as "tcp://host:8786"; see `run_each`. The numbers depend on neither. `progress`: called with how many samples are
    done, and of how many. `resume`: a file that results go to, block by block; a study that was stopped goes on from
    it, with the same numbers. `t_stop`, `points`: of each run, on the board's time; those of the board, and 201.
    `temperature`: degrees Celsius, at which curves of amplifiers are measured, and ngspice runs; `drifts`: how the
    parts that vary move with it, `Drifts()` by default. The figures of op-amps beside the offset stay those of their
    sheet.

    Raises InputError for wrong arguments, for a file of another study, and as `vary` and `run_each` do; with the engine
    "ensemble" Unrealisable for a part that it does not know.
    """
    if not isinstance(board, Board):
        raise InputError(f"monte_carlo: {type(board).__name__}: must be a Board, as design_board returns")
    if not isinstance(task, Task):
        raise InputError(f"monte_carlo: `task` = {task!r:.60}: must be a task of hopfield_hw.production; see task_of")
    check_engine(engine, "monte_carlo: `engine` =")
    check_workers(executor, workers)
    if not isinstance(tolerances, Tolerances | None):
        raise InputError(
            f"monte_carlo: `tolerances` = {tolerances!r:.60}: must be Tolerances, such as Tolerances(resistors=0.01)"
        )
    count = whole(samples, "samples", 1, 10**8)
    key = whole(seed, "seed", 0, MOST_SEED)
    confidence = check_level(level, "level")
    end = board.t_stop if t_stop is None else float(positive(t_stop, "t_stop", shape=(), unit="s"))
    times = np.linspace(0.0, end, whole(points, "points", 20, 10**6))
    degrees, moves = check_temperature(temperature, "temperature"), Drifts() if drifts is None else drifts
    given = usual_tolerances(board) if tolerances is None else tolerances
    base = board.circuit if isinstance(given.offset, Fixed) else without_offsets(board.circuit)
    variation = vary(base, given)
    if not variation.columns:
        raise InputError("monte_carlo: nothing varies: all tolerances are 0; give some")
    machine, why = choose_engine(base, degrees) if engine is None else (engine, "")
    if engine == "ensemble":
        check_ensemble(base, degrees)
    header = {
        "board": fingerprint(base.netlist()),
        "task": fingerprint(task),
        "tolerances": fingerprint(given),
        "initial": fingerprint([board.realised.initial, None if board.inputs is None else board.inputs.values]),
        "engine": machine,
        "samples": count,
        "seed": key,
        "t_stop": end,
        "points": int(times.size),
        "temperature": [degrees, fingerprint(moves)],
    }
    journal = None if resume is None else Journal(resume, header, form=FORM)
    maker = None
    if machine == "equation":
        maker = sample_maker(circuit=base, columns=variation.columns, temperature=degrees)
    threads = (workers or os.cpu_count() or 1) if executor is None else 1
    study = Study(
        board=board,
        task=task,
        variation=variation,
        engine=machine,
        maker=maker,
        times=times,
        seed=key,
        temperature=degrees,
        drifts=moves,
    )
    blocks = study.blocks(count)
    done = {} if journal is None else journal.read(len(blocks), Block.from_json)
    finished = sum(len(blocks[k]) for k in done)
    left = {k: numbers for k, numbers in enumerate(blocks) if k not in done}
    if len(left) < threads:
        study = replace(study, threads=threads // max(len(left), 1))
    for k, block in run_each(run_boards, study, left, executor=executor, workers=workers):
        done[k] = block
        finished += len(blocks[k])
        if journal is not None:
            journal.add(k, block.to_json())
        if progress is not None:
            progress(finished, count)
    parts = [done[k] for k in range(len(blocks))]
    return MonteCarlo(
        margins=_joined([p.margins for p in parts]),
        settling=_joined([p.settling for p in parts]),
        power=_joined([p.power for p in parts]),
        energy=_joined([p.energy for p in parts]),
        unit=task.unit,
        engine=machine,
        seed=key,
        level=confidence,
        variation=variation,
        temperature=degrees,
        drifts=moves,
        failures={
            samples_of[k]: why for samples_of, p in zip(blocks, parts, strict=True) for k, why in p.failures.items()
        },
        why=why,
        notes=tuple(dict.fromkeys(note for p in parts for note in p.notes)),
    )


def _joined(parts: Sequence[Array]) -> Array:
    found = np.concatenate(parts)
    found.flags.writeable = False
    return found


def _spread(what: str, values: Array, unit: str) -> list[tuple[str, str]]:
    known = values[np.isfinite(values)]
    if not known.size:
        return []
    return [(what, f"{format_si(float(np.median(known)), unit)}, {format_si(float(known.max()), unit)} at most")]
