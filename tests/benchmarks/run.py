"""Benchmarks: ratios and counts taken side by side in one run, written to build/bench.json. `make bench`."""

from __future__ import annotations

import json
import sys
from itertools import chain
from pathlib import Path
from typing import Any

from annealing import ANNEALING
from cellular import cells_on_a_grid, ngspice_growth, sparse_network
from circuit_text import compile_memory, netlist_text
from ensembles import ENSEMBLES
from equations import batched_ode
from sequences import fixed_point, floating_point
from starting import start_up

REPORT = Path("build/bench.json")
CELLULAR = (cells_on_a_grid, sparse_network, ngspice_growth)
TOPICS = (
    netlist_text,
    batched_ode,
    compile_memory,
    fixed_point,
    floating_point,
    start_up,
    *CELLULAR,
    *ANNEALING,
    *ENSEMBLES,
)


def main() -> int:
    """Run every benchmark, print the values beside their goals, write the report; return 1 where a goal is missed."""
    rows: list[dict[str, Any]] = []
    for row in chain.from_iterable(topic() for topic in TOPICS):
        rows.append(row)
        if row["value"] is not None:
            said = f"{row['name']}: {row['value']:.3g} {row['unit']} (goal {row['goal']:g})"
            print(f"{'ok  ' if meets_goal(row) else 'MISS'} {said}", flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(meets_goal(row) for row in rows) else 1


def meets_goal(row: dict[str, Any]) -> bool:
    """Whether a row meets its goal, or was not measured; what is not a number does not."""
    value, goal = row["value"], row["goal"]
    return value is None or bool(value <= goal if row["better"] == "lower" else value >= goal)


if __name__ == "__main__":
    sys.exit(main())
