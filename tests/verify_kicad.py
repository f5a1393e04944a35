"""Boards as KiCad projects, each held against its board by KiCad and ngspice.

    python tests/verify_kicad.py [--sizes 2 4 8 16] [--amplifiers differential_pair ...] [--seed 1]

Random memories of each size, with each amplifier, and the shipped boards. Of each: all gates of `check_project`, with
KiCad's electrical rules, its own net list and its rules of boards; KiCad's own SPICE net list in ngspice against the
board's circuit, and judged in its place by `board.verify`; and the same bytes when another process, with other hashes,
writes it. A board that ngspice does not run, or that misses its equation, whoever writes the deck, says nothing of
KiCad: it is marked "the board itself", and counted apart; none with differential pairs, the default, may be so. Nor
does a check of its design that fails (marked "checks").
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

import hopfield_hw as hh
from hopfield_hw.assembly import assemble
from hopfield_hw.designs import load_design
from hopfield_hw.designs.boards import board_of
from hopfield_hw.kicad.commands import find_kicad, kicad_version
from hopfield_hw.kicad.gates import check_project
from hopfield_hw.kicad.simulate import spice_deck, transient_deck
from hopfield_hw.spice.transient import simulate, simulate_deck
from hopfield_hw.values.errors import HopfieldHWError, SimulatorError
from hopfield_hw.values.measures import nrmse

SIZES = (2, 4, 8, 16)
TANH, LINEAR = hh.Tanh(gain=4.0), hh.PiecewiseLinear(gain=4.0)
GAINS = {
    "differential_pair": TANH,
    "ota": TANH,
    "diode_clamp": TANH,
    "zener_clamp": LINEAR,
    "piecewise_linear": LINEAR,
}
SHIPPED = ("ad_converter_board", "letter_memory")
SAME = 1e-3  # NRMSE between KiCad's net list and the circuit
ACCURACY = 5e-4  # of ngspice, each


class Outcome(NamedTuple):
    """What was found of one board: what failed, in words, figures to print, and what is wrong whoever writes it."""

    wrong: tuple[str, ...]
    said: str
    itself: str = ""


def make_board(name: str, seed: int) -> hh.Board:
    """Return a shipped board, or a random memory by its name, such as ota_8."""
    if name in SHIPPED:
        return board_of(load_design(name), force=True)
    amplifier, _, size = name.rpartition("_")
    return random_memory(int(size), amplifier, seed)


def random_memory(size: int, amplifier: str, seed: int) -> hh.Board:
    """Return a memory of size/4 random patterns by Hebb's rule, which starts near the first."""
    random = np.random.default_rng([seed, size])
    patterns = random.choice([-1.0, 1.0], (max(1, size // 4), size))
    weights = 2e-5 * (patterns.T @ patterns) / size
    np.fill_diagonal(weights, 0.0)
    start = 0.1 * patterns[0] * random.uniform(0.5, 1.0, size)
    network = hh.Network(weights=weights, resistance=1e5, capacitance=1e-9, gain=GAINS[amplifier], initial=start)
    return hh.design_board(network, op_amp="TL074", amplifier=amplifier, force=True, title=f"memory of {size}")


def write_board(name: str, seed: int, folder: Path) -> hh.Board:
    """Write a board, without what simulations give."""
    made = make_board(name, seed)
    made.write(folder, name=name, with_bring_up=False)
    return made


def hash_files(folder: Path) -> str:
    """Return one hash of all files of a folder, by name."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def examine(name: str, seed: int, folder: Path) -> Outcome:
    """Write a board and hold it against KiCad, ngspice and its equation."""
    environment = {**os.environ, "PYTHONHASHSEED": "11"}
    words = [sys.executable, __file__, "--hash", name, "--seed", str(seed)]
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as other:
        try:
            made = write_board(name, seed, folder)
        except SimulatorError as error:
            other.kill()
            return Outcome((), "no files", f"ngspice does not run its circuit where it is designed: {error!s:.100}")
        answered, _ = other.communicate()
    wrong = []
    if answered.strip() != hash_files(folder):
        wrong.append("another process writes other bytes")
    assembly, project = assemble(made, name=name), folder / "kicad" / f"{name}.kicad_pro"
    checked = check_project(folder / "kicad", assembly, kicad=True)
    if checked.verdict != "passed":
        wrong.append(f"check_project: {checked.problems[:3]}")
    pins = sum(map(len, assembly.nets.values()))
    passed = sum(gate.verdict == "passed" for gate in checked.gates)
    said = f"{len(assembly.components)} parts, {pins} pins, {passed} of {len(checked.gates)} gates"
    drawn = spice_deck(project, assembly, made.inputs)
    # From the start that is in the drawings too; `verify` starts at rest, with op-amps that first go there.
    try:
        own = simulate(made.circuit, t_stop=made.t_stop, inputs=made.inputs, accuracy=ACCURACY)
    except SimulatorError as error:
        return Outcome(tuple(wrong), said, f"ngspice does not run its circuit: {error!s:.100}")
    found = simulate_deck(transient_deck(drawn, made.circuit, made.inputs), t_stop=made.t_stop, accuracy=ACCURACY)
    apart = max(nrmse(own[name].to_numpy()[1:], found[name].to_numpy()[1:]) for name in ("state", "output"))
    if not apart <= SAME:
        wrong.append(f"KiCad's net list is off the circuit by {apart:.1e}")
    judged = made.verify(deck=lambda circuit: transient_deck(drawn, circuit, made.inputs), accuracy=ACCURACY)
    off = max(judged.nrmse, judged.output_nrmse)
    said += f"; KiCad's net list off the circuit by {apart:.1e}, off the equation by {off:.1e}: {judged.verdict}"
    itself = ""
    if not judged.passed and not made.passed and off <= judged.tolerance and judged.settled == "same":
        said += " (checks)"
    elif not judged.passed:
        alone = made.verify(accuracy=ACCURACY)
        itself = f"verify of its circuit: {alone.verdict}, {'; '.join(alone.reasons)}"
        if alone.passed:
            wrong.append(f"verify: {judged.verdict}, {'; '.join(judged.reasons)}")
    return Outcome(tuple(wrong), said, "" if wrong else itself)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--amplifiers", nargs="*", default=[*GAINS], choices=[*GAINS])
    parser.add_argument("--shipped", nargs="*", default=SHIPPED, choices=[*SHIPPED])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hash", metavar="BOARD", help="write this board and print the hash of its files")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.hash:
        with tempfile.TemporaryDirectory() as folder:
            write_board(given.hash, given.seed, Path(folder))
            print(hash_files(Path(folder)))
        return 0
    if find_kicad() is None:
        print("kicad-cli is not installed: nothing was compared", file=sys.stderr)
        return 0
    print(f"KiCad {kicad_version()}", flush=True)
    names = [*given.shipped, *(f"{a}_{n}" for n in given.sizes for a in given.amplifiers)]
    failed, itself = 0, []
    for name in names:
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = examine(name, given.seed, Path(folder) / "board")
            except HopfieldHWError as error:
                found = Outcome((f"{type(error).__name__}: {error!s:.300}",), "not compared")
        if found.itself and name.startswith(("differential_pair", *SHIPPED)):
            found = found._replace(wrong=(*found.wrong, found.itself))
        failed += bool(found.wrong)
        itself += [name] if found.itself and not found.wrong else []
        mark = "FAILED" if found.wrong else "the board itself" if found.itself else "right"
        print(f"{name}: {mark}; {found.said}; {time.perf_counter() - begin:.0f} s", flush=True)
        for problem in found.wrong or (found.itself,) * bool(found.itself):
            print(f"    {problem}", flush=True)
    print(
        f"right: {len(names) - failed - len(itself)} of {len(names)} boards; not shown, by the board itself: "
        f"{', '.join(itself) or 'none'}; failed: {failed}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
