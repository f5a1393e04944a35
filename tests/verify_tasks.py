"""The long measurements of trained networks, part of `make verify-full`: formats and errors of each task."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import hopfield_hw as hh
from hopfield_hw.equations import MapProgram
from hopfield_hw.equations.sequences import Machine
from hopfield_hw.graph import Graph
from hopfield_hw.integers.fixed_point import QFormat
from hopfield_hw.integers.lowering import FixedPoint, lower_to_integers
from hopfield_hw.integers.machine import FixedMachine, narrowest_for
from hopfield_hw.integers.trees import fixed_node

FORMATS = ((16, 12), (16, 11), (12, 8), (10, 6), (8, 4))
DEPTHS, EACH = (1, 2, 4, 6, 8, 10, 12), 500
REPORT = Path("build/verify_tasks.json")


def words(word: int, fraction: int) -> FixedPoint:
    kept = QFormat(word=word, fraction=fraction)
    return FixedPoint(signals=kept, weights=kept)


def machines(graph: Graph) -> dict[str, Machine]:
    """The floating-point machine, and one for each format."""
    fixed = {f"<{w},{f}>": FixedMachine(lower_to_integers(graph, words(w, f))) for w, f in FORMATS}
    return {"float": MapProgram([graph]), **fixed}


def forecasts() -> dict[str, Any]:
    model = hh.trained.mackey_glass()
    graph, series = model.graph(), model.scale.normalise(np.concatenate([model.train[-100:], model.test]))

    def error(machine: Machine) -> float:
        return hh.tasks.relative_error(hh.tasks.forecast(machine, series)[99:-1], series[100:])

    found: dict[str, Any] = {name: round(error(machine), 4) for name, machine in machines(graph).items()}
    for goal in (0.05, 0.1, 0.2):
        narrowest = narrowest_for(graph, words(16, 12), error, goal=goal)
        found[f"narrowest for {goal}"] = narrowest.formats.signals.text
    program = lower_to_integers(graph, words(16, 12))
    same = hh.tasks.forecast_in_verilog(program, series) == hh.tasks.forecast(FixedMachine(program), series)
    found["forecasts that differ in Verilog"] = int(np.sum(~same))
    return found


def text() -> dict[str, Any]:
    model = hh.trained.alice()
    found: dict[str, Any] = {}
    written = ""
    for name, machine in machines(model.graph()).items():
        bits = hh.tasks.bits_per_character(machine, model.alphabet, model.test, context=model.train[-200:])
        greedy = hh.tasks.generate(machine, model.alphabet, "alice was ", length=200, temperature=0.0)
        written = written or greedy
        found[name] = {"bits per character": round(bits, 4), "greedy text as in float": greedy == written}
    return found


def trees() -> dict[str, Any]:
    model, rng = hh.trained.logic(), np.random.default_rng(7)
    nodes = {f"<{w},{f}>": fixed_node(FixedMachine(lower_to_integers(model.graph(), words(w, f)))) for w, f in FORMATS}
    found = {}
    for depth in DEPTHS:
        expressions = [hh.trained.random_expression(depth, rng) for _ in range(EACH)]
        truth = np.array([expression.truth for expression in expressions])
        found[f"depth {depth}"] = {
            name: float(np.mean(hh.tasks.evaluate(model, expressions, node=node) == truth))
            for name, node in {"float": None, **nodes}.items()
        }
    return found


def main() -> int:
    report = {
        "NRMSE of the Mackey-Glass forecast": forecasts(),
        "text": text(),
        "right answers of expressions": trees(),
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    good = (
        report["Mackey-Glass forecast, NRMSE"]["forecasts that differ in Verilog"] == 0
        and report["text"]["<16,12>"]["greedy text as in float"]
        and report["right answers of expressions"]["depth 12"]["<16,12>"] > 0.99
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
