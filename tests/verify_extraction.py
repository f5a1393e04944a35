"""A part of the long proof: circuits are read back into their networks, and planted faults are named.

`verify_extraction.py SECTION [COUNT] [SEED]` runs one section; without one, all with the counts they have by default:

random   networks of 1 to 8 neurons, in every cell and with every gain that it takes, are read back to 1e-9
boards   the decks of tests/extraction/boards, each with its network run against its transient
faults   one fault of each of 12 kinds in boards of 5 families, named first or first among declared equals
spread   the same where all resistors and capacitors are off by up to 1%; a good board must not differ
two      two faults at once in different devices, both named
size     seconds for 64 neurons
lvs      the same good and bad decks, compared by netgen-lvs as netlists

Nothing is left out unnamed: a cell that refuses a network is counted with its reason, a fault that is missed is shown.
"""

from __future__ import annotations

import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from extraction.exact import GAINS, draw_any, error_of
from extraction.netlists import compare_netlists, find_netgen
from extraction.planted import (
    FAMILIES,
    KINDS,
    draw_network,
    is_among,
    is_found,
    spread_values,
)
from extraction.planted_cases import cases, look, show, sigmas_of, size_of

import hopfield_hw as hh
from hopfield_hw.extraction import extract
from hopfield_hw.extraction.flatten import flatten
from hopfield_hw.values.errors import HopfieldHWError

SEED = 1986
BOARDS = Path(__file__).parent / "extraction" / "boards"
EXACT, CLOSE = 1e-9, 1e-3
# A clamp of 1 Ohm on a node of 1 MOhm is no level line: that cell's own curve is so far from a piecewise-linear one.
OF_CELL = {("chua_yang", "PiecewiseLinear"): 5e-5}
# Decks with exact values, and such with a spread: what parts are within. A fault that does less than so many standard
# deviations of what the spread does is not counted.
ROUNDING, SPREAD, SIGMAS = 1e-6, 0.01, 3.0
LARGE, LARGE_CELLS = 64, ("ideal", "hopfield_tank", "inverting_integrator")
# Kinds that show by the names of devices or by positive feedback, whatever the values are.
BY_STRUCTURE = ("inputs", "load")


def random(count: int = 300, seed: int = SEED) -> bool:
    """Networks drawn at random, in all cells."""
    rng = np.random.default_rng(seed)
    worst: dict[tuple[str, str], float] = defaultdict(float)
    done: Counter[tuple[str, str]] = Counter()
    refused: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    bad = 0
    for index in range(count):
        family = GAINS[index % len(GAINS)]
        network = draw_any(index, family, rng)
        for cell in hh.CELLS:
            key = (cell, family.__name__)
            try:
                circuit = hh.lower(network, cell=cell)
            except HopfieldHWError as error:
                refused[key][f"lower: {str(error)[:100]}"] += 1
                continue
            try:
                error_found = error_of(extract(circuit, ideal=True, verify=False), network)
            except HopfieldHWError as error:
                bad += 1
                print(f"  network {index}, {cell}, {family.__name__}, n={len(network.bias)}: {str(error)[:200]}")
                continue
            done[key] += 1
            worst[key] = max(worst[key], error_found)
            if not error_found <= OF_CELL.get(key, EXACT):
                bad += 1
                print(f"  network {index}, {cell}, {family.__name__}, n={len(network.bias)}: off by {error_found:.1e}")
    for key in sorted({*done, *refused}):
        said = "; ".join(f"refused {times}: {why}" for why, times in refused[key].items())
        print(f"{key[0]:22s}{key[1]:16s}{done[key]:4d} read back, worst {worst[key]:.1e} {said}")
    print(f"random: {count} networks, {sum(done.values())} circuits read back, {bad} wrong, ", end="")
    print(f"{sum(sum(each.values()) for each in refused.values())} refused by their cell")
    return bad == 0


def boards(count: int = 0, seed: int = SEED) -> bool:
    """All decks of the folder, or the first `count` of them; `seed` of the starts."""
    names = list(tomllib.loads((BOARDS / "boards.toml").read_text(encoding="utf-8")))[: count or None]
    bad = 0
    for name in names:
        started = time.perf_counter()
        try:
            found = extract(BOARDS / f"{name}.cir", rng=np.random.default_rng(seed))
        except HopfieldHWError as error:
            said, right = f"FAILED: {str(error)[:200]}", False
        else:
            right = found.agreement is not None and found.agreement.nrmse <= CLOSE and not found.unexplained
            nrmse = float("nan") if found.agreement is None else found.agreement.nrmse
            said = (
                f"{found.size} states, NRMSE {nrmse:.1e}, additivity {found.additivity:.1e} {found.unexplained or ''}"
            )
        bad += not right
        print(f"{name:24s}{'ok  ' if right else 'MISS'} {time.perf_counter() - started:5.1f} s  {said}", flush=True)
    print(f"boards: {len(names) - bad} of {len(names)} agree with their transients")
    return bad == 0


def report(section: str, right: Counter[str], total: Counter[str], left_out: Counter[str]) -> bool:
    """Print counts by what they are of, and whether all are right."""
    for key in total:
        print(f"{section}, {key}: {right[key]} of {total[key]}")
    for why, times in left_out.items():
        print(f"{section}, not counted: {times} x {why}")
    whole = [key for key in total if key in KINDS] or list(total)
    print(f"{section}: {sum(right[key] for key in whole)} of {sum(total[key] for key in whole)}")
    return right == total


def faults(count: int = 120, seed: int = SEED) -> bool:
    """Single faults in decks with exact values."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    slowest = 0.0
    for case in cases(count, seed):
        if isinstance(case, str):
            left_out[case] += 1
            continue
        deck, fault = flatten(case.text), case.faults[0]
        if fault.kind not in BY_STRUCTURE and size_of(deck, case.known.frame) <= ROUNDING:
            left_out[f"{fault.kind} of a device that does nothing for the network"] += 1
            print(f"  does nothing: {case.known.board.family}, {fault.words}")
            continue
        started = time.perf_counter()
        found = look(case, deck, ROUNDING)
        slowest = max(slowest, time.perf_counter() - started)
        ok = not isinstance(found, str) and is_found(fault, found)
        for key in (fault.kind, case.known.board.family):
            total[key] += 1
            right[key] += ok
        if not ok:
            show(case, found)
    print(f"slowest search {slowest:.1f} s")
    return report("faults", right, total, left_out)


def spread(count: int = 120, seed: int = SEED, percent: int = 3) -> bool:
    """Single faults where all R and C are off: uniform within 1%, and normal with three sigma of 1%.

    `percent`: what parts are said to be within. A fault counts where it moves values by three sigma of what such parts
    do. Any finding on a good board is a false alarm; with a normal spread, some parts are beyond the tolerance, and
    values with them.
    """
    tolerance = percent / 100.0
    ways = {"uniform": True, "normal": False}
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    within: Counter[str] = Counter()
    seconds: list[float] = []
    smallest, boards_seen, leads = np.inf, 0, 0
    rng = np.random.default_rng([seed, 7])
    last = None
    for index, case in enumerate(cases(count, seed)):
        if isinstance(case, str):
            left_out[case] += 1
            continue
        way = tuple(ways)[index // len(FAMILIES) % 2]
        if case.known is not last:
            last, boards_seen = case.known, boards_seen + 1
            for name, is_uniform in ways.items():
                good = spread_values(case.known.flat, SPREAD / 3.0, rng, is_uniform=is_uniform)
                found = look(case, good, tolerance)
                silent[name] += not isinstance(found, str) and not found.findings
                within[name] += not isinstance(found, str) and found.agrees
        fault, exact = case.faults[0], flatten(case.text)
        size = sigmas_of(case.known, exact, tolerance)
        deck = spread_values(exact, SPREAD / 3.0, rng, is_uniform=ways[way])
        if fault.kind not in BY_STRUCTURE and size <= SIGMAS:
            left_out[f"{fault.kind}: below {SIGMAS:.0f} sigma"] += 1
            continue
        smallest = min(smallest, size) if fault.kind not in BY_STRUCTURE else smallest
        started = time.perf_counter()
        found = look(case, deck, tolerance)
        seconds.append(time.perf_counter() - started)
        ok = not isinstance(found, str) and is_found(fault, found)
        leads += not isinstance(found, str) and any(fault.is_named_by(each) for each in found.findings[:1])
        for key in (fault.kind, case.known.board.family, way):
            total[key] += 1
            right[key] += ok
        if not ok:
            print(f"  {size:.1f} sigma:")
            show(case, found)
    for name in ways:
        print(
            f"spread, {name}: {silent[name]} of {boards_seen} good boards have no findings, {within[name]} no value off"
        )
    print(
        f"spread: {np.mean(seconds):.2f} s a fault, the slowest {max(seconds):.1f} s; the smallest {smallest:.1f} sigma"
    )
    print(f"spread: {leads} named first, others beside them or not")
    return report("spread", right, total, left_out) and all(silent[name] == boards_seen for name in ways)


def two(count: int = 40, seed: int = SEED) -> bool:
    """Two faults at once."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for case in cases(count, seed, 2):
        if isinstance(case, str):
            left_out[case] += 1
            continue
        found = look(case, flatten(case.text), ROUNDING)
        named = [not isinstance(found, str) and is_among(fault, found) for fault in case.faults]
        total.update({"both named": 1, "one named": 1})
        right.update({"both named": int(all(named)), "one named": int(any(named))})
        if not all(named):
            show(case, found)
    print(f"two, one named at least: {right.pop('one named')} of {total.pop('one named')}")
    return report("two", right, total, left_out)


def size(count: int = LARGE, seed: int = SEED) -> bool:
    """Seconds to read back a network of `count` neurons, and to name a wrong resistor in it."""
    bad = 0
    for cell in LARGE_CELLS:
        rng = np.random.default_rng([seed, count])
        network = draw_network(count, rng, is_passive=cell == "hopfield_tank")
        circuit = hh.lower(network, cell=cell)
        started = time.perf_counter()
        found = extract(circuit, ideal=True, verify=False)
        seconds = time.perf_counter() - started
        off = error_of(found, network)
        bad += not off <= EXACT
        print(f"size, {cell}: {count} neurons in {seconds:.1f} s, off by {off:.1e}", flush=True)
    return bad == 0


def lvs(count: int = 24, seed: int = SEED) -> bool:
    """How often netgen-lvs, comparing the bad netlist with the good one, names exactly the devices at fault."""
    program = find_netgen()
    if program is None:
        print("lvs: not run, as netgen-lvs is missing: on Debian, apt-get install netgen-lvs")
        return True
    right: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    total: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for case in cases(count, seed):
        if isinstance(case, str):
            left_out[case] += 1
            continue
        fault, deck = case.faults[0], flatten(case.text)
        gone = set(case.known.flat.by_name) - set(deck.by_name)
        told = compare_netlists(program, case.known.flat, deck)
        found = look(case, deck, ROUNDING)
        total[fault.kind] += 1
        right[fault.kind] += told.devices == (set(fault.devices) or gone)
        ours[fault.kind] += not isinstance(found, str) and is_found(fault, found)
        said = ", ".join(sorted(told.devices)[:6]) or told.said
        print(
            f"  {case.known.board.family}, {fault.words}: netgen tells {len(told.devices)} devices: {said:.120}",
            flush=True,
        )
    print(f"lvs: by extraction {sum(ours.values())} of {sum(total.values())}; netgen-lvs follows")
    report("lvs", right, total, left_out)
    return True


SECTIONS: Mapping[str, Callable[..., bool]] = {
    "random": random,
    "boards": boards,
    "faults": faults,
    "spread": spread,
    "two": two,
    "size": size,
    "lvs": lvs,
}


def main(section: str | None = None, *numbers: str) -> int:
    """Run one section or all of them; return 0 where everything holds."""
    if section is not None and section not in SECTIONS:
        print(f"no section {section!r}; there are {', '.join(SECTIONS)}")
        return 2
    chosen = [SECTIONS[section]] if section else list(SECTIONS.values())
    started = time.perf_counter()
    right = [run(*map(int, numbers)) for run in chosen]
    print(f"{time.perf_counter() - started:.0f} s")
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
