"""Boards with one planted fault each, measured at their test points: is the part, or its neuron, named first?

    python tests/verify_bringup.py [--boards 20] [--seed 1]

Half of the boards are memories of 4 neurons, half of 8, with TL074 and differential pairs. In turn a part is open,
short, or a decade off, an op-amp has its inputs exchanged, or is dead; which one is drawn among all parts of the board.
Each board has parts of its own, drawn from their tolerances, is run in ngspice, and is read with 1% noise. Boards
without a fault are measured too, and must have nothing outside. A fault that leaves every reading in its band and is
not told from the noise counts as not named. It must be 16 of 20 at least.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from measured_boards import KINDS, Planted, draw_fault, measure, memory_table

from hopfield_hw.bringup import BringUp, BringUpComparison, compare_measurement, read_measurement
from hopfield_hw.values.errors import SimulatorError

LEAST = 0.8  # of the boards
SIZES = (4, 8)


def is_named(table: BringUp, planted: Planted, found: BringUpComparison) -> str:
    """Return whether the part is named first, "part", or its neuron, or "" for neither."""
    if not found.suspects:
        return ""
    first, circuit = found.suspects[0], table.board.circuit
    if set(planted.devices) & set(first.devices):
        return "part"
    origins = [circuit.device(name).origin for name in planted.devices]
    neurons = {circuit.label_of(origin) for origin in origins if origin.element}
    return "neuron" if first.neuron and first.neuron in neurons else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boards", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--healthy", type=int, default=4)
    given = parser.parse_args()
    random = np.random.default_rng(given.seed)
    named = {"part": 0, "neuron": 0, "": 0}
    unseen = explained = not_run = alarms = 0
    sizes: list[int] = []
    for size in SIZES:
        begin = time.perf_counter()
        table = memory_table(size, 48)
        count = given.boards // 2 if size == SIZES[0] else given.boards - given.boards // 2
        print(f"memory of {size}: {len(table.points)} points, {time.perf_counter() - begin:.0f} s", flush=True)
        for k in range(given.healthy // 2):
            text = measure(table, None, seed=10_000 * given.seed + 100 * size + k)
            found = compare_measurement(table, read_measurement(text, table))
            alarms += not found.passed or bool(found.suspects)
            print(
                f"  no fault: {len(found.outside)} of {found.readings} outside, {len(found.suspects)} suspects",
                flush=True,
            )
        k = 0
        while k < count:
            planted = draw_fault(table.board, KINDS[k % len(KINDS)], random)
            try:
                text = measure(table, planted, seed=1000 * given.seed + 100 * size + k)
            except SimulatorError as error:
                not_run += 1
                print(f"  {planted.words}: drawn again, ngspice does not run it: {str(error)[:80]}", flush=True)
                continue
            found = compare_measurement(table, read_measurement(text, table))
            how = is_named(table, planted, found)
            named[how] += 1
            k += 1
            unseen += found.passed and not found.suspects
            explained += found.explained
            sizes += [len(found.suspects[0].devices)] if how == "part" else []
            said = f"{found.suspects[0].change:.90}" if found.suspects else "none is named"
            mark = how or "MISSED"
            print(f"  {planted.words} | {mark} | {len(found.outside)} outside | {said}", flush=True)
    right = named["part"] + named["neuron"]
    print(
        f"named first: {right} of {given.boards}, the part {named['part']}, its neuron {named['neuron']}; "
        f"not seen at all: {unseen}; explained: {explained}; parts named together: {np.mean(sizes):.1f} on average, "
        f"{max(sizes, default=0)} at most; false alarms: {alarms} of {given.healthy}; not run by ngspice: {not_run}"
    )
    return 0 if right >= LEAST * given.boards and not alarms else 1


if __name__ == "__main__":
    sys.exit(main())
