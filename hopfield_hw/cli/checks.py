"""Shared by verify and demo: one design, compiled, simulated, compared and reported."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from ..circuit import Circuit
from ..designs.design import Design, check_answer
from ..designs.export import design_circuit
from ..equations import solve
from ..graph import Graph
from ..problems import Answer, Recall
from ..processes import TIMEOUT
from ..spice.decks.text import read_deck
from ..spice.ngspice import find
from ..spice.transient import circuit_deck
from ..values.errors import SimulatorMissing
from ..values.report import Report
from ..verification import Verification, verify_circuit
from ..verification.engines import Engine
from .reporting import say_table, warn, working, written


class Job(NamedTuple):
    """A verification to run. `accuracy`: None for that of the design, with the tolerance that it states.

    `deck`: text or path of a netlist to verify in place of the compiled one. `engine`: what runs the circuit; by
    default ngspice, and our own engine where that is missing and no deck is given.
    """

    design: Design
    cell: str = "ideal"
    accuracy: float | None = None
    rescale: bool = False
    deck: str | Path | None = None
    timeout: float = TIMEOUT
    op_amp: str | None = None
    engine: Engine | None = None

    @property
    def tolerance(self) -> float | None:
        """The NRMSE that passes; None for the accuracy."""
        stated = self.design.cells.get(self.cell)
        return None if stated is None or self.accuracy is not None else stated.tolerance


@dataclass(frozen=True, kw_only=True, eq=False)
class Checked(Report):
    """A design's verification, and its answer beside the one expected."""

    design: Design
    result: Verification
    answers: tuple[Answer, ...]

    @property
    def passed(self) -> bool:
        """Whether the waveforms agree, and the answer is the one expected."""
        return self.result.passed

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the verification and the answers."""
        return {**self.result.figures(), "design": self.design.name, "answers": self.answers}

    def rows(self) -> list[tuple[str, str]]:
        """Return the verification and the answers as (what, value) rows."""
        return [*self.result.rows(), *_answer_rows(self.answers)]

    def draw(self, path: Path) -> None:
        """Write the one-page picture, as images where the design is a memory."""
        from ..pictures.plots import Picture

        expected = self.design.expected
        picture = None
        if isinstance(expected, Recall):
            memories = dict(zip(expected.patterns.labels, expected.patterns.values, strict=True))
            picture = Picture(shape=expected.patterns.shape, memories=memories)
        with written(path) as part:
            self.result.plot(part, picture=picture)


@dataclass(frozen=True, kw_only=True, eq=False)
class Unverified(Report):
    """The result for a deck where ngspice is missing: the answers of the reference."""

    design: Design
    circuit: Circuit
    error: SimulatorMissing
    seconds: float
    answers: tuple[Answer, ...]

    @property
    def missing(self) -> str:
        """What was not verified."""
        circuit = f"cell {self.circuit.cell}, devices {len(self.circuit.devices)}"
        return f"{self.design.name}: its circuit ({circuit}) was not simulated"

    def figures(self) -> dict[str, Any]:
        """Return by name what JSON has of the reference's run."""
        return {
            "design": self.design.name,
            "cell": self.circuit.cell,
            "neurons": len(self.circuit.states),
            "devices": len(self.circuit.devices),
            "seconds": {"reference": self.seconds},
            "answers": self.answers,
            "not_verified": self.missing,
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return the reference's run as (what, value) rows."""
        ran = f"the differential equation alone, neurons {len(self.circuit.states)}, {self.seconds:.2f} s"
        return [("result", f"not verified; {self.missing}"), ("reference", ran), *_answer_rows(self.answers)]


def check(job: Job) -> Checked | Unverified:
    """Return the verification of a design, or the answers of the reference where ngspice is missing for a deck.

    Raises InputError for wrong input, and a SimulatorError where ngspice fails.
    """
    design, start = job.design, time.perf_counter()
    graph, goal = design.graph(), design.accuracy if job.accuracy is None else job.accuracy
    circuit = design_circuit(design, job.cell, op_amp=job.op_amp, rescale=job.rescale)
    if job.deck is not None:
        read_deck(job.deck, like=circuit_deck(circuit, design.inputs))
    compiled = time.perf_counter() - start
    engine: Engine = "ngspice" if job.engine is None else job.engine
    try:
        if engine != "ensemble":
            find()
    except SimulatorMissing as error:
        if job.engine is not None:
            raise
        if job.deck is None:
            engine = "ensemble"
            warn(f"{error}; verified in our own engine instead")
        else:
            return _answer_alone(job, graph, circuit, error, goal)
    with working(f"{design.name}, cell {job.cell}: devices {len(circuit.devices)}, in {engine} and in the reference"):
        result = verify_circuit(
            graph,
            circuit,
            t_stop=design.t_stop,
            inputs=design.inputs,
            accuracy=goal,
            tolerance=job.tolerance,
            deck=job.deck,
            timeout=job.timeout,
            compiled=compiled,
            engine=engine,
        )
    answers = check_answer(design, result.wave)
    # A wrong answer has failed, however well the waveforms agree.
    wrong = tuple(f"{a.what}: {a.found}; expected: {a.expected}" for a in answers if not a.ok)
    if wrong:
        result = replace(result, verdict="failed", reasons=(*result.reasons, *wrong))
    return Checked(design=design, result=result, answers=answers)


def _answer_alone(job: Job, graph: Graph, circuit: Circuit, error: SimulatorMissing, goal: float) -> Unverified:
    """Return what the reference alone says of a design."""
    design, start = job.design, time.perf_counter()
    with working(f"{design.name}: the reference"):
        ref = solve(graph, t_stop=design.t_stop, inputs=design.inputs, accuracy=goal)
    seconds, answers = time.perf_counter() - start, check_answer(design, ref)
    return Unverified(design=design, circuit=circuit, error=error, seconds=seconds, answers=answers)


def show(checked: Checked | Unverified) -> None:
    """Write a report on stdout as a table."""
    say_table(checked.rows(), title=checked.design.title)


def _answer_rows(answers: tuple[Answer, ...]) -> list[tuple[str, str]]:
    return [(a.what, a.found if a.ok else f"{a.found}; expected: {a.expected}") for a in answers]
