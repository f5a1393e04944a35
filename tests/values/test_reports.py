"""Results and core objects as text: one line of `repr`, tables, JSON and HTML from the same rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, NamedTuple

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.designs import shipped_designs
from hopfield_hw.families import TEMPLATES, CellularNetwork, box_problem
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import fixed_point_report
from hopfield_hw.recurrent import GRU, LSTM, RNN, Layer, Stack
from hopfield_hw.values.brief import LINE, Brief, brief
from hopfield_hw.values.report import Report, plain, text_table
from hopfield_hw.verification.random_set import RandomReport, Trial

FORMATS = FixedPoint(signals=QFormat(word=16, fraction=11), weights=QFormat(word=12, fraction=8))
ZEROS = np.zeros((40, 40))


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample(Report):
    """A report of every kind of value."""

    def rows(self) -> list[tuple[str, str]]:
        return [("result", "passed"), ("a < b & c", "x" * 200), ("", "more")]

    def figures(self) -> dict[str, Any]:
        inner = Trial(index=0, neurons=2, gain="tanh", slope=2.0, symmetric=True)
        return {
            "size": np.float64(2.0),
            "none": np.inf,
            "places": (1, np.int64(2)),
            "q": vars(inner),
        }


def lstm() -> LSTM:
    return LSTM(input_weights=np.zeros((160, 30)), recurrent_weights=np.zeros((160, 40)))


def trials(count: int) -> tuple[Trial, ...]:
    one = Trial(index=0, neurons=2, gain="tanh", slope=2.0, symmetric=True, verdict="passed", nrmse=1e-6, steps=1e-6)
    return tuple(replace(one, index=k) for k in range(count))


CORE: dict[str, Callable[[], Any]] = {
    "Network": lambda: hh.Network(weights=ZEROS, resistance=1e4, capacitance=1e-9, gain=hh.Tanh(gain=np.ones(40))),
    "Circuit": lambda: hh.lower(hh.Network(weights=ZEROS + 1e-6, resistance=1e3, capacitance=1e-9)),
    "LSTM": lstm,
    "GRU": lambda: GRU(input_weights=np.zeros((3, 1)), recurrent_weights=np.zeros((3, 1))),
    "RNN": lambda: RNN(input_weights=np.zeros((1, 1)), recurrent_weights=np.zeros((1, 1))),
    "Stack": lambda: Stack(layers=(Layer(forward=lstm()),)),
    "Layer": lambda: Layer(forward=lstm()),
    "Run": lambda: hh.run_sequence(lstm(), np.zeros((100, 2, 30))),
    "Signal": lambda: hh.Signal.held(np.zeros(100), 1.0),
    "Units": hh.Units,
    "CellularNetwork": lambda: CellularNetwork(template=TEMPLATES["edge"], image=ZEROS),
    "BoxProblem": lambda: box_problem(np.eye(40), np.zeros(40), lower=0.0, upper=1.0),
    "FixedPoint": lambda: FORMATS,
    "IntegerProgram": lambda: lower_to_integers(lstm().graph(), FORMATS),
    "Forecaster": hh.trained.mackey_glass,
    "Sunspots": hh.trained.sunspot_numbers,
    "LatchModel": lambda: hh.trained.latch()["LSTM"],
    "LogicModel": hh.trained.logic,
    "TextModel": hh.trained.alice,
    "Tolerances": hh.tolerance.Tolerances,
    "Table": lambda: hh.Table(x=np.linspace(-1.0, 1.0, 50), y=np.linspace(-1.0, 1.0, 50)),
    "CELLS": lambda: hh.CELLS,
    "report": Sample,
    "RandomReport": lambda: RandomReport(trials=trials(50), tolerance=1e-4, seed=0, family="hopfield", cell="ideal"),
    "FixedPointReport": lambda: fixed_point_report(lstm().graph(), FORMATS, np.ones((10, 30))),
    "Trial": lambda: trials(1)[0],
    **{f"cell {name}": lambda name=name: hh.CELLS[name] for name in hh.CELLS},
    **{f"template {name}": lambda name=name: TEMPLATES[name] for name in TEMPLATES},
    **{f"design {name}": lambda name=name: hh.load_design(name) for name in shipped_designs()},
}


def parts(made: Any) -> Iterator[Any]:
    """Yield an object, and what it is made of where it is a design."""
    yield made
    if isinstance(made, hh.Design):
        yield from (made.network, made.inputs, made.expected, *made.cells.values(), made.graph())
        for operator in made.graph().operators:
            yield from (operator, *vars(operator).values())


def assert_one_line(thing: Any) -> None:
    text = repr(thing)
    assert "\n" not in text
    assert len(text) <= LINE, text


@pytest.mark.parametrize("make", CORE.values(), ids=CORE)
def test_a_repr_is_one_line(make: Callable[[], Any]) -> None:
    for thing in parts(make()):
        if type(thing).__module__.startswith(("hopfield_hw", __name__)):
            assert_one_line(thing)


def test_reprs_say_what_matters() -> None:
    design = hh.load_design("digit_memory")
    assert repr(design) == "<Design digit_memory: Memory of 64 neurons that recalls handwritten digits>"
    assert repr(design.network) == "<Network: neurons 64, inputs 0, Tanh(gain=10.0)>"
    assert repr(design.graph()) == "<Graph: ode, operators 4, states 64, inputs 0, outputs 64>"
    circuit = repr(hh.lower(design.network, cell="hopfield_tank"))
    assert circuit == "<Circuit: cell hopfield_tank, states 64, devices 4288, nodes 193>"
    assert repr(hh.Tanh()) == "Tanh()"
    assert repr(hh.Logistic(gain=2.0, amplitude=[1.0, 2.0])) == "Logistic(gain=2.0, amplitude=[1, 2])"


def test_a_value_other_than_its_default_is_shown() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Thing(Brief):
        count: int = 1
        flag: bool = True
        names: tuple[str, ...] = ()

    assert brief(Thing()) == "Thing()"
    # True is 1, and still no default of a number.
    assert brief(Thing(count=True, flag=False, names=("a",))) == "Thing(count=True, flag=False, names=('a',))"


class Cells(HTMLParser):
    """The texts of a table of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def test_a_report_is_a_table_an_object_and_html() -> None:
    report = Sample()
    assert str(report).splitlines() == ["result     passed", f"a < b & c  {'x' * 200}", "           more"]
    assert json.loads(json.dumps(report.to_json(), allow_nan=False)) == {
        "size": 2.0,
        "none": None,
        "places": [1, 2],
        "q": {
            **vars(trials(1)[0]),
            "verdict": "failed",
            "nrmse": None,
            "steps": None,
            "self_check": None,
            "reasons": [],
        },
    }
    assert Cells(report._repr_html_()).found == ["result", "passed", "a < b & c", "x" * 200, "more"]
    assert repr(report).startswith("<Sample: result passed; a < b & c xxx")
    assert repr(report).endswith("x...>")


def test_a_table_is_as_wide_as_its_longest_text() -> None:
    assert text_table([("a", "1"), ("bbb", "22", "x")], ("name", "n")) == "name  n\na     1\nbbb   22  x"
    assert text_table([]) == ""


def test_tuples_with_names_become_objects() -> None:
    class Point(NamedTuple):
        x: float
        y: float

    assert plain({"at": Point(1.0, float("nan")), 3: [Point(0.0, 0.0)]}) == {
        "at": {"x": 1.0, "y": None},
        "3": [{"x": 0.0, "y": 0.0}],
    }


def results() -> set[type]:
    """Return every Report of the package."""
    for module in walk_packages(hh.__path__, "hopfield_hw."):
        if not module.name.startswith(("hopfield_hw.trained.training", "hopfield_hw._circuits")):
            import_module(module.name)
    found, queue = set(), [Report]
    while queue:
        for kind in queue.pop().__subclasses__():
            queue.append(kind)
            if kind.__module__.startswith("hopfield_hw"):
                found.add(kind)
    return found


def test_every_result_is_a_report_that_is_frozen() -> None:
    assert {kind.__name__ for kind in results()} == {
        "Assignments",
        "Board",
        "BoardNoise",
        "BoardVerification",
        "BringUp",
        "BringUpComparison",
        "Centered",
        "CenteredBoard",
        "Checked",
        "ClockedExtraction",
        "Coverage",
        "Cycle",
        "DelayWindows",
        "Diagram",
        "Differences",
        "EnergyTrace",
        "Equilibria",
        "ErrorBudget",
        "Extraction",
        "FaultEffects",
        "FixedPointReport",
        "GradeChoice",
        "Machines",
        "Measurement",
        "MixedRun",
        "MonteCarlo",
        "NoiseRun",
        "ProgramSolution",
        "ProjectCheck",
        "ProjectUpdate",
        "RandomReport",
        "RareFailures",
        "Realisation",
        "RecallCurve",
        "Recollection",
        "RoundingCost",
        "Sensitivities",
        "Solution",
        "Tours",
        "Unverified",
        "VariationalSolution",
        "Verification",
        "WaveformFit",
        "WorstCase",
        "WrittenReport",
        "Yield",
        "YieldCurve",
    }
    for kind in results():
        assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert kind.__repr__ is Report.__repr__
        assert kind.__str__ is Report.__str__


@pytest.mark.usefixtures("ngspice")
def test_results_of_runs_are_one_line_too() -> None:
    net = hh.Network(weights=[[0.0, -5e-5], [-5e-5, 0.0]], resistance=1e4, capacitance=1e-8, initial=[0.1, 0.05])
    converter = hh.graph.Quantise(name="adc", size=2, levels=16, lower=-1.0, upper=1.0)
    digital = LSTM(input_weights=np.zeros((4, 2)), recurrent_weights=np.zeros((4, 1)))
    found = hh.verify(net)
    for result in (
        found,
        found.coverage,
        found.energy,
        hh.run_machines(net, step=1e-5, t_stop=1e-4),
        hh.run_mixed(net, digital, converter, period=1e-5, t_stop=1e-4),
    ):
        assert_one_line(result)
        if isinstance(result, Report):
            json.dumps(result.to_json(), allow_nan=False)
            assert len(Cells(result._repr_html_()).found) == 2 * len(result.rows())
    assert repr(found).startswith("<Verification: result passed; cell ideal, neurons 2, devices 8; NRMSE ")
