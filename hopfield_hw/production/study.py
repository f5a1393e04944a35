"""What a Monte Carlo runs: which machine, in which blocks of samples, and what each block needs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, get_args

import numpy as np

from ..board.design import Board
from ..circuit import Circuit, Ensemble
from ..ensemble.equations.system import build_system
from ..parts import MacroModel, OpAmp
from ..tolerance.draws import Draws, Variation, draw_factors
from ..tolerance.drifts import Drifts
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.physics import ROOM
from .engines import Block, run_block, run_in_ensemble, run_in_ngspice
from .samples import Maker, block_size
from .tasks import Task

Engine = Literal["ensemble", "equation", "ngspice"]
ENGINES = get_args(Engine)
TOGETHER = 256  # samples that our own engine runs in one block


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """What every block of samples needs. `maker`: of the equation alone. `threads`: of a block of our own engine."""

    board: Board
    task: Task
    variation: Variation
    engine: Engine
    maker: Maker | None
    times: Array
    seed: int
    temperature: float
    drifts: Drifts
    threads: int = 1

    def blocks(self, samples: int) -> list[range]:
        """Return the samples of each block: the same ones whoever runs them, as the numbers do not depend on that."""
        sizes = {"ensemble": TOGETHER, "equation": block_size(self.board.network.size), "ngspice": 1}
        size = sizes[self.engine]
        return [range(k, min(k + size, samples)) for k in range(0, samples, size)]


def run_boards(study: Study, samples: range) -> Block:
    """Return the results of the samples of a block."""
    draws = draw_factors(study.variation, seed=study.seed, samples=samples)
    draws = study.drifts.apply(draws, study.temperature, seed=study.seed)
    if study.engine == "ensemble":
        return run_in_ensemble(study.board, study.task, draws, study.times, threads=study.threads)
    if study.engine == "ngspice":
        circuit = draws.circuit(samples[0])
        return run_in_ngspice(study.board, study.task, circuit, study.times, temperature=study.temperature)
    assert study.maker is not None
    return run_block(study.board, study.task, study.maker, draws.values, study.times, _power(draws))


def check_engine(engine: Any, named: str) -> None:
    """Raise InputError for an engine that there is not; None is one to be chosen."""
    if engine is not None and engine not in ENGINES:
        raise InputError(f"{named} {engine!r:.40}: must be {', '.join(ENGINES[:-1])} or {ENGINES[-1]}")


def choose_engine(circuit: Circuit, *temperatures: float) -> tuple[Engine, str]:
    """Return "ensemble" where it can run a circuit, and Numba makes it fast, else "equation", and why."""
    if find_spec("numba") is None:
        return "equation", "the engine 'ensemble' is slow without the package numba; install it: pip install '.[fast]'"
    try:
        check_ensemble(circuit, *temperatures)
    except InputError as error:
        return "equation", str(error)
    return "ensemble", ""


def check_ensemble(circuit: Circuit, *temperatures: float) -> None:
    """Raise InputError for temperatures, and Unrealisable for what the engine does not know."""
    if any(one != ROOM for one in temperatures):
        raise InputError(f"the engine 'ensemble' knows parts at {ROOM:g} degrees Celsius alone")
    build_system(Ensemble(circuit=circuit, size=1))


def _power(draws: Draws) -> Array:
    """Return what the op-amps of each board take at rest, (S,), watts."""
    total = np.zeros(len(draws.samples))
    columns = {c.device: k for k, c in enumerate(draws.variation.columns) if c.parameter.name == "supply_current"}
    for device in draws.variation.circuit.devices:
        model = device.part.model if isinstance(device.part, OpAmp) else None
        if isinstance(model, MacroModel):
            drawn = columns.get(device.name)
            current = model.supply_current if drawn is None else draws.values[:, drawn]
            total = total + current * (model.supply_plus - model.supply_minus)
    return total
