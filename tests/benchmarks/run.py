"""Benchmarks: ratios and counts taken side by side in one run, written to build/bench.json. `make bench`."""

from __future__ import annotations

import json
import sys
from itertools import chain
from pathlib import Path
from typing import Any

from cellular import cells_on_a_grid, ngspice_growth, sparse_network
from circuit_text import compile_memory, netlist_text
from equations import batched_ode
from sequences import fixed_point, floating_point

REPORT = Path("build/bench.json")
CELLULAR = (cells_on_a_grid, sparse_network, ngspice_growth)
TOPICS = (netlist_text, batched_ode, compile_memory, fixed_point, floating_point, *CELLULAR)


def main() -> int:
    """Run every benchmark, print the values beside their goals, and write the report."""
    rows: list[dict[str, Any]] = []
    for row in chain.from_iterable(topic() for topic in TOPICS):
        rows.append(row)
        if row["value"] is not None:
            met = row["value"] <= row["goal"] if row["better"] == "lower" else row["value"] >= row["goal"]
            print(f"{'ok  ' if met else 'MISS'} {row['name']}: {row['value']:.3g} {row['unit']} (goal {row['goal']:g})")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
