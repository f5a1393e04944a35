"""ngspice as a subprocess: one deck in, one checked waveform out.

The exit status of ngspice lies both ways (39 ends with 0 on a full disk and on a deck without analysis), so a run
counts only when all of this holds: no line of the log names a failure, the raw file is whole, it holds one analysis
and reaches t_stop, and every value is finite. Each way to fail is a separate error from `hopfield_hw.values.errors`.
The phrases looked for are those that ngspice prints, at the start of a line: node names, which ngspice prints there
too, are lower case and without blanks.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from ..processes import Growing, OutputTooLargeError, run_program
from ..values.arrays import positive
from ..values.errors import (
    ConvergenceError,
    DeckError,
    DiskFull,
    InputError,
    NonFiniteOutput,
    SimulatorCrash,
    SimulatorError,
    SimulatorMissing,
    SimulatorTimeout,
    TruncatedOutput,
)
from .rawfile import Plot, read

VARIABLE = "HOPFIELD_HW_NGSPICE"
REMEDY = (
    "install it: `apt-get install ngspice` on Debian or Ubuntu, `brew install ngspice` on macOS, the zip from the "
    f"ngspice site on Windows; or set {VARIABLE}"
)
ANSWER_SECONDS = 20.0
FREE_BYTES = 1 << 20
FOLDERS = "hopfield_hw_"  # what the names of run folders begin with, in the folder for temporary files

# These change what a run reads or how it writes; the others (SPICE_LIB_DIR, SPICE_SCRIPTS) say where ngspice is.
_DROPPED = ("SPICE_ASCIIRAWFILE", "NGSPICE_MEAS_PRECISION", "NGSPICE_INPUT_DIR", "SPICE_USERINIT_DIR")
# Processes run side by side; with many threads in each, small decks were seen to run seven times slower.
_GIVEN = {"LC_ALL": "C", "OMP_NUM_THREADS": "1"}
# ngspice ends a transient within 100 units in the last place of its stop time (2e-14), and decks carry times as text.
_TIME_SLACK = 1e-9
_BLANKS = "".join(map(chr, range(33))) + "\ufeff"  # what ngspice skips at the start of a line
_COMMANDS = (".control", ".endc", "*#", "*ng_script")
_COMMAND_WORDS = (".exec", "shell")


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An ngspice that answers: its executable, the major version, and the line in which it says so."""

    path: Path
    version: int
    banner: str

    @property
    def klu(self) -> bool:
        """Whether `.options klu` selects the KLU solver: from version 42; silently ignored before."""
        return self.version >= 42


class _Failure(NamedTuple):
    """A phrase of the log, the error it means, and what to do."""

    phrase: str
    error: type[SimulatorError]
    what: str
    remedy: str


_FAILURES = (
    _Failure(
        r"^Warning: rawfile write error.*|^(?!Circuit:).*(?:No space left on device|Disk quota exceeded)$",
        DiskFull,
        "could not write its output",
        "make room, or set TMPDIR to a folder on a larger disk",
    ),
    _Failure(
        r"^(?:internal error -- |(?:m|re)alloc: Internal Error|memory exhausted|insufficient memory).*",
        SimulatorCrash,
        "broke down",
        "give it more memory, a smaller circuit, or another version of ngspice",
    ),
    _Failure(
        r"^Error: .* out of range for .*(?:\n +in +line .*)?",
        ConvergenceError,
        "left the domain of a function in a behavioural source",
        "keep its argument in the domain, for instance with min() and max()",
    ),
    _Failure(
        r"^(?:Warning: )?singular matrix.*|^doAnalyses: .*matrix is singular.*",
        ConvergenceError,
        "met a singular matrix",
        "give every node a path for direct current to ground, and break loops of voltage sources and inductors",
    ),
    _Failure(
        r"^doAnalyses: .*(?:[Tt]imestep too small|iteration limit).*|^Error: Transient op failed.*",
        ConvergenceError,
        "gave up",
        "look at that node: smooth a source that jumps there, bound a state that runs away, or give it 1 pF to ground",
    ),
    _Failure(
        (
            r"^ *(?:Error|ERROR|Fatal|fatal error|Netlist line no|Undefined|warning, can't find model)\b"
            r".*(?:\n(?!\s*$).+){0,2}"
        ),
        DeckError,
        "did not accept the deck",
        "correct that line",
    ),
    _Failure(
        r"^(?:doAnalyses: |(?!Circuit:).*simulation(?:\(s\) aborted| interrupted)).*",
        SimulatorCrash,
        "stopped before the end",
        "read its log",
    ),
)


def find() -> Installation:
    """Return the ngspice to use: the one that HOPFIELD_HW_NGSPICE names, else the one on PATH.

    Raises SimulatorMissing where there is none, where it cannot be started, and where it does not tell its version.
    """
    configured = os.environ.get(VARIABLE)
    executable = shutil.which("ngspice" if configured is None else configured)
    if executable is None:
        found = "no `ngspice` on PATH" if configured is None else f"{VARIABLE}={configured!r}, which is not executable"
        raise SimulatorMissing(f"ngspice: found {found}; {REMEDY}")
    path = Path(executable).absolute()
    return _probe(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _probe(path: Path, _mtime_ns: int) -> Installation:
    """Ask an executable for its version, once for each change of the file."""
    try:
        _, answer = _execute([str(path), "--version"], Path(tempfile.gettempdir()), ANSWER_SECONDS, tied=False)
    except subprocess.TimeoutExpired:
        raise SimulatorMissing(f"ngspice `{path}`: found no answer in {ANSWER_SECONDS:g} s; {REMEDY}") from None
    match = re.search(r"^.*\bngspice-(\d+).*$", answer, re.MULTILINE)
    if match is None:
        raise SimulatorMissing(f"ngspice `{path}`: found no `ngspice-VERSION` in its answer {answer[:200]!r}; {REMEDY}")
    return Installation(path=path, version=int(match[1]), banner=match[0].strip("* "))


def check_deck_text(deck: str, what: str = "deck") -> None:
    """Refuse a deck that is more than a circuit.

    ngspice runs what stands between `.control` and `.endc` (also after `.end`), in lines that begin with `*#`, and in
    a file that begins with `*ng_script`, with a shell at hand; and it stops reading at `@` without a word. `what`: the
    name of the text in messages. Raises InputError with the line and its number.
    """
    for number, line in enumerate(deck.splitlines(), start=1):
        text = line.strip(_BLANKS).lower()
        word = text.split(maxsplit=1)[0] if text else ""
        if text.startswith(_COMMANDS) or word in _COMMAND_WORDS:
            why = "makes ngspice run commands, and a deck to verify is a circuit, not a script"
        elif text.startswith("@"):
            why = "makes ngspice skip the rest of the deck without a word"
        else:
            continue
        raise InputError(f"{what} line {number} `{line.strip():.60}`: this {why}; remove it")


def run(
    deck: str,
    *,
    t_stop: float | None,
    timeout: float,
    keep: Path | None = None,
    script: bool = False,
    most_numbers: int | None = None,
) -> Plot:
    """Run a deck that holds one analysis and return its result, checked as the head of this module says.

    t_stop: the time in s that a transient must reach; None for an analysis without time.
    timeout: the wall-clock time in s after which ngspice and all that it started are killed.
    keep: the folder to run in, kept whatever happens; by default a temporary one, kept only on failure, which the
        error names. It holds deck.cir, log.txt and out.raw.
    most_numbers: of the result; a run that writes more takes ever shorter steps, and counts as one that gave up.
    script: the deck is trusted to hold commands; it must write out.raw, and a status other than 0 is then a failure.

    Raises InputError (see `check_deck_text`), SimulatorMissing, SimulatorTimeout, SimulatorCrash, ConvergenceError,
    DeckError, TruncatedOutput, NonFiniteOutput and DiskFull. With `uic`, the first row of ngspice 39 is the first
    step, not t = 0.
    """
    if not script:
        check_deck_text(deck)
    if t_stop is not None:
        t_stop = float(positive(t_stop, "t_stop", shape=(), unit="s"))
    timeout = float(positive(timeout, "timeout", shape=(), unit="s"))
    simulator = find()
    folder = _prepare(deck, keep)
    kept = keep is not None
    try:
        return _simulate(simulator, folder, t_stop=t_stop, timeout=timeout, script=script, most_numbers=most_numbers)
    except SimulatorError as error:
        kept = kept or error.folder is not None
        raise
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _prepare(deck: str, keep: Path | None) -> Path:
    """Return the run folder, holding the deck and nothing of an earlier run."""
    folder = keep
    try:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix=FOLDERS))
        folder.mkdir(parents=True, exist_ok=True)
        for stale in ("out.raw", "log.txt"):
            (folder / stale).unlink(missing_ok=True)
        (folder / "deck.cir").write_text(deck, encoding="utf-8", newline="\n")
    except OSError as error:
        if keep is None and folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        place = tempfile.gettempdir() if folder is None else folder
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"run folder `{place}`: found no room for a deck of {len(deck)} characters ({error.strerror}); "
                "make room, or set TMPDIR to a folder on a larger disk"
            ) from None
        raise InputError(
            f"run folder `{place}`: cannot be written ({error.strerror}); set TMPDIR, or `keep`, to one that can"
        ) from None
    return folder.absolute()


def _simulate(
    simulator: Installation,
    folder: Path,
    *,
    t_stop: float | None,
    timeout: float,
    script: bool,
    most_numbers: int | None,
) -> Plot:
    """Run folder/deck.cir, then judge what came of it."""
    name = f"ngspice {simulator.version}"
    command = [str(simulator.path), "-n", "-b", "-r", "out.raw", "-o", "log.txt", "deck.cir"]
    raw = folder / "out.raw"
    growing = None if most_numbers is None else Growing(raw, 8 * most_numbers)
    try:
        status, screen = _execute(command, folder, timeout, growing=growing)
    except OutputTooLargeError:
        raise ConvergenceError(
            f"{name}: took ever shorter steps, over {most_numbers} numbers, and was stopped; ask for less accuracy, or "
            "look for an op-amp that oscillates",
            folder=folder,
        ) from None
    except subprocess.TimeoutExpired:
        raise SimulatorTimeout(
            f"{name}: did not finish in {timeout:g} s and was stopped; allow more time, or ask for less accuracy or "
            "a shorter t_stop",
            folder=folder,
        ) from None
    if status < 0:
        raise SimulatorCrash(
            f"{name}: was killed by signal {-status} ({_signal_name(-status)}); look for a lack of memory, and run "
            "it again",
            folder=folder,
        )
    log = screen + _log(folder)
    _refuse_failures(name, log, folder)
    if script and status:
        raise SimulatorCrash(f"{name}: the script ended with status {status}; read its log", folder=folder)
    try:
        plots = read(raw)
    except TruncatedOutput as error:
        _explain(name, raw, log, status, error)
    return _check(name, plots, t_stop, folder)


def _execute(
    command: list[str], folder: Path, timeout: float, *, tied: bool = True, growing: Growing | None = None
) -> tuple[int, str]:
    """Return the exit status and what was printed."""
    environment = {key: value for key, value in os.environ.items() if key not in _DROPPED} | _GIVEN
    try:
        ended = run_program(command, folder, timeout, environment, tied=tied, growing=growing)
    except OSError as error:
        raise SimulatorMissing(f"ngspice `{command[0]}`: cannot be started ({error.strerror}); {REMEDY}") from None
    return ended.status, f"{ended.printed}{ended.complained}\n"


def _log(folder: Path) -> str:
    path = folder / "log.txt"
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else "unknown"


def _refuse_failures(name: str, log: str, folder: Path) -> None:
    """Raise the error that the log speaks of, the most telling first."""
    for failure in _FAILURES:
        if match := re.search(failure.phrase, log, re.MULTILINE):
            said = match[0].splitlines()
            end = re.search(r"^doAnalyses: .*", log, re.MULTILINE)
            if end is not None and end[0] not in said:
                said.append(end[0])
            quoted = "; ".join(line.strip()[:200] for line in said)
            raise failure.error(f"{name}: {failure.what}: `{quoted}`; {failure.remedy}", folder=folder)


def _explain(name: str, raw: Path, log: str, status: int, error: TruncatedOutput) -> NoReturn:
    """Raise what an unreadable raw file means where the log names no failure."""
    folder = raw.parent
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        raise DiskFull(
            f"{name}: left no whole raw file, and {free} bytes are free; make room, or set TMPDIR to a folder on a "
            "larger disk",
            folder=folder,
        ) from error
    if raw.exists():
        raise TruncatedOutput(str(error), folder=folder) from None
    if "Total analysis time" in log and "No. of Data Rows" not in log:
        raise DeckError(f"{name}: found no analysis in the deck; add one, for instance `.tran`", folder=folder)
    raise SimulatorCrash(f"{name}: ended with status {status} and no raw file; read its log", folder=folder)


def _check(name: str, plots: tuple[Plot, ...], t_stop: float | None, folder: Path) -> Plot:
    """Return the one plot, after the checks of its time and its values."""
    if len(plots) != 1:
        names = ", ".join(plot.name for plot in plots)
        raise DeckError(f"{name}: found {len(plots)} analyses ({names}); give one to a deck", folder=folder)
    (plot,) = plots
    finite = np.isfinite(plot.data)
    if plot.flags == "complex" and plot.variables[0].name == "frequency":
        finite[:, 0] = np.isfinite(plot.data[:, 0].real)  # the imaginary part of a frequency is left unset
    if not finite.all():
        point, index = np.argwhere(~finite)[0]
        raise NonFiniteOutput(
            f"{name}: {plot.variables[index].name} is {plot.data[point, index]} at {plot.variables[0].name} = "
            f"{plot.data[point, 0].real:g} (point {point} of {len(plot.data)}); keep its source bounded",
            folder=folder,
        )
    if t_stop is not None:
        if plot.variables[0].name != "time":
            raise DeckError(f"{name}: found {plot.name}, not a transient; t_stop needs `.tran`", folder=folder)
        last = float(plot.data[-1, 0].real)
        if last < t_stop * (1.0 - _TIME_SLACK):
            raise TruncatedOutput(
                f"{name}: ended at time = {last:g} s of t_stop = {t_stop:g} s without a word; let the deck's `.tran` "
                "go on to t_stop, without autostop",
                folder=folder,
            )
    return plot
