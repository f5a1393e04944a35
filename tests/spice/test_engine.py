"""The ngspice subprocess: every way to fail is provoked, and each has its own error, message and kept folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hopfield_hw.spice import ngspice as engine
from hopfield_hw.values.errors import (
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

RC = "* divider\nv1 a 0 1.0\nr1 a b 1.0e3\nc1 b 0 1.0e-6 ic=0\n.tran 1.0e-5 1.0e-3 uic\n.end\n"
PATIENT = 60.0  # a limit for runs that should end by themselves, however busy the machine
real = pytest.mark.usefixtures("ngspice")


def deck(*lines: str) -> str:
    return "\n".join(("* made to fail", *lines, ".end", ""))


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of the run folders."""
    place = tmp_path / "runs"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.delenv(engine.VARIABLE, raising=False)
    return place


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMaker:
    return FakeMaker(tmp_path, monkeypatch)


class FakeMaker:
    """Makes a shell script that answers as ngspice 39 does, then does what the test wants."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = folder / "ngspice-fake"
        self.raw = folder / "prepared.raw"
        self.monkeypatch = monkeypatch

    def __call__(self, body: str, *, answer: str = "echo '** ngspice-39 : Circuit level simulation program'") -> Path:
        self.path.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then {answer}; exit 0; fi\n{body}\n')
        self.path.chmod(0o755)
        self.monkeypatch.setenv(engine.VARIABLE, str(self.path))
        return self.path

    def writing(self, data: list[list[float]], *, cut: int = 0, points: int | None = None) -> None:
        """Make a fake that leaves a raw file of `data`, less `cut` bytes."""
        table = np.array(data)
        points = len(table) if points is None else points
        header = f"Title: t\nPlotname: Transient Analysis\nFlags: real\nNo. Variables: 2\nNo. Points: {points}\n"
        content = f"{header}Variables:\n\t0\ttime\ttime\n\t1\tv(a)\tvoltage\nBinary:\n".encode() + table.tobytes()
        self.raw.write_bytes(content[: len(content) - cut])
        self(f"cp '{self.raw}' out.raw")


def refused(
    error: type[SimulatorError],
    message: str,
    text: str = RC,
    *,
    t_stop: float | None = 1e-3,
    timeout: float = PATIENT,
    most_numbers: int | None = None,
) -> SimulatorError:
    """Run a deck that must fail with this message; the kept folder must be named in it and hold the deck."""
    with pytest.raises(error, match=re.escape(message)) as caught:
        engine.run(text, t_stop=t_stop, timeout=timeout, most_numbers=most_numbers)
    folder = caught.value.folder
    assert folder is not None
    assert str(caught.value).endswith(f"; run folder kept: {folder}")
    assert (folder / "deck.cir").read_text() == text
    assert caught.type is error
    return caught.value


def gone(pid: int) -> bool:
    """Whether a process has ended (it may wait for its parent to notice)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def soon(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true before patience ends."""
    for _ in range(500):
        if condition():
            return True
        time.sleep(0.02)
    return False


# Success


@real
def test_a_run_gives_its_waveform_and_leaves_no_folder(folders: Path) -> None:
    plot = engine.run(RC, t_stop=1e-3, timeout=PATIENT)
    assert plot.name == "Transient Analysis"
    exact = 1.0 - np.exp(-plot.column("time") / 1e-3)
    np.testing.assert_allclose(plot.column("v(b)"), exact, rtol=0.0, atol=1e-3)  # ngspice's default reltol
    assert list(folders.iterdir()) == []


@real
def test_keep_holds_the_run(tmp_path: Path, folders: Path) -> None:
    folder = tmp_path / "a" / "kept"
    engine.run(RC, t_stop=1e-3, timeout=PATIENT, keep=folder)
    assert sorted(path.name for path in folder.iterdir()) == ["deck.cir", "log.txt", "out.raw"]
    assert list(folders.iterdir()) == []


def test_nothing_of_an_earlier_run_counts(fake: FakeMaker, tmp_path: Path) -> None:
    fake.writing([[1e-3, 2.0]])
    engine.run(RC, t_stop=1e-3, timeout=PATIENT, keep=tmp_path)
    fake("exit 0")
    with pytest.raises(SimulatorCrash, match=re.escape("ended with status 0 and no raw file")):
        engine.run(RC, t_stop=1e-3, timeout=PATIENT, keep=tmp_path)


@pytest.fixture
def typed() -> Iterator[None]:
    """Something to read on the standard input of this process."""
    kept = os.dup(0)
    end, start = os.pipe()
    os.write(start, b"typed")
    os.close(start)
    os.dup2(end, 0)
    os.close(end)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@pytest.mark.usefixtures("typed")
def test_a_run_has_no_input_and_plain_numbers(fake: FakeMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    fake.writing([[1e-3, 2.0]])
    monkeypatch.setenv("OMP_NUM_THREADS", "9")
    fake(f"cp '{fake.raw}' out.raw; cat > input; echo $LC_ALL $OMP_NUM_THREADS > locale")
    engine.run(RC, t_stop=1e-3, timeout=PATIENT, keep=tmp_path)
    assert (tmp_path / "input").read_text() == ""
    assert (tmp_path / "locale").read_text() == "C 1\n"


@real
def test_the_users_settings_do_not_reach_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init = tmp_path / ".spiceinit"
    init.write_text("set filetype=ascii\n")
    for name in ("HOME", "SPICE_USERINIT_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("SPICE_ASCIIRAWFILE", "1")
    engine.run(RC, t_stop=1e-3, timeout=PATIENT, keep=tmp_path)
    assert b"\nBinary:\n" in (tmp_path / "out.raw").read_bytes()


@real
def test_code_models_are_there_without_the_users_settings() -> None:
    lines = ("v1 a 0 1.0", "a1 a b double", ".model double gain(gain=2.0)", "r1 b 0 1.0", ".op")
    plot = engine.run(deck(*lines), t_stop=None, timeout=PATIENT)
    assert plot.column("v(b)")[0] == pytest.approx(2.0, rel=1e-9)


@real
@pytest.mark.parametrize("title", ["Error: timestep too small, run simulation(s) aborted", "No space left on device"])
def test_harmless_notes_and_telling_names_are_no_failures(title: str) -> None:
    circuit = ("v1 error 0 1.0", "d1 error aborted d", "r1 aborted singular 1.0", "r2 singular 0 1.0e3", ".model d d")
    text = "\n".join((title, *circuit, ".tran 1.0e-6 1.0e-3", ".end"))
    assert engine.run(text, t_stop=1e-3, timeout=PATIENT).column("v(singular)")[-1] > 0.0


@pytest.mark.parametrize("last", [1e-3, 1e-3 * (1.0 - 5e-10)])
def test_t_stop_is_reached_up_to_rounding(fake: FakeMaker, last: float) -> None:
    fake.writing([[0.0, 1.0], [last, 2.0]])
    assert engine.run(RC, t_stop=1e-3, timeout=PATIENT).data[-1, 1] == 2.0


def test_the_status_alone_is_no_failure(fake: FakeMaker) -> None:
    fake.writing([[1e-3, 2.0]])
    fake(f"cp '{fake.raw}' out.raw; exit 1")
    assert engine.run(RC, t_stop=1e-3, timeout=PATIENT).data[-1, 1] == 2.0


# Finding ngspice


@real
def test_ngspice_is_found_on_the_path() -> None:
    found = engine.find()
    assert found.version >= 30
    assert found.path.is_absolute()
    assert f"ngspice-{found.version}" in found.banner


@pytest.mark.parametrize(("text", "version"), [("39", 39), ("41", 41), ("42", 42), ("45.2", 45), ("46+", 46)])
def test_the_version_says_whether_klu_is_there(fake: FakeMaker, text: str, version: int) -> None:
    banner = f"ngspice-{text} : Circuit level simulation program"
    path = fake("", answer=f"echo '******'; echo '** {banner}'")
    found = engine.find()
    assert found == engine.Installation(path=path, version=version, banner=banner)
    assert found.klu == (version >= 42)


def test_an_executable_is_asked_once_until_it_changes(fake: FakeMaker, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    for version, changed in ((39, 1), (45, 2)):
        path = fake("", answer=f"echo x >> '{asked}'; echo ngspice-{version}")
        os.utime(path, (changed, changed))
        assert [engine.find().version for _ in range(3)] == [version] * 3
    assert asked.read_text() == "x\n" * 2


def test_no_ngspice_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folders: Path) -> None:
    remedy = (
        "install it: `apt-get install ngspice` on Debian or Ubuntu, `brew install ngspice` on macOS, the zip from the "
        "ngspice site on Windows; or set HOPFIELD_HW_NGSPICE"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorMissing, match=re.escape(f"ngspice: found no `ngspice` on PATH; {remedy}")):
        engine.run(RC, t_stop=1e-3, timeout=PATIENT)
    plain = tmp_path / "plain"
    plain.write_text("no program")
    for value in (str(tmp_path / "none"), str(plain), str(tmp_path), ""):
        monkeypatch.setenv(engine.VARIABLE, value)
        message = f"ngspice: found HOPFIELD_HW_NGSPICE={value!r}, which is not executable; {remedy}"
        with pytest.raises(SimulatorMissing, match=re.escape(message)):
            engine.run(RC, t_stop=1e-3, timeout=PATIENT)
    assert list(folders.iterdir()) == []


def test_what_does_not_answer_as_ngspice_is_missing(fake: FakeMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fake("", answer="echo 'spice 3f5'")
    with pytest.raises(SimulatorMissing, match=re.escape(f"`{path}`: found no `ngspice-VERSION` in its answer 'sp")):
        engine.find()
    path = fake("", answer="sleep 30")
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.2)
    with pytest.raises(SimulatorMissing, match=re.escape(f"ngspice `{path}`: found no answer in 0.2 s; install it")):
        engine.find()
    path.write_bytes(b"\x7fELF, but cut short")
    with pytest.raises(SimulatorMissing, match=re.escape(f"ngspice `{path}`: cannot be started (Exec format error)")):
        engine.find()


# What ngspice says

REJECTED = {
    ".foo bar": "`Error on line 3 or its substitute:; .foo bar; unimplemented control card",
    "q1 a 0 0 none": "`warning, can't find model 'none' from line; q1 a 0 0 none`",
    "z1 a 0 none": "`Error on line 3 or its substitute:; z1 a 0 none; Unable to find definition of model`",
    "x1 a none": "`Error: unknown subckt: x1 a none",
    "b1 b 0 v=tanh(v(a)": "`Error on line 3 or its substitute:; b1 b 0 v= tanh ( v(a); parameter value out of range",
    "r2 a 0 {gain}": "`Netlist line no. 3:; Undefined parameter [gain]",
    "v1 a 0 2.0": "`Error on line 3 or its substitute:; v1 a 0 2.0; device already exists",
    ".include none.lib": "`Error: Could not find include file none.lib",
    ".save v(none)": "`Error: no data saved for D.C. Operating point analysis; analysis not run",
    ".tran 1.0e-5 soon": "`Error on line 3 or its substitute:; .tran 1.0e-5 soon; TSTOP is invalid",
}


@real
@pytest.mark.parametrize("line", REJECTED)
def test_a_rejected_line_is_quoted(line: str) -> None:
    text = deck("v1 a 0 1.0", line, "r1 a 0 1.0", ".op")
    error = refused(DeckError, f"did not accept the deck: {REJECTED[line]}", text, t_stop=None)
    assert "; correct that line; run folder kept" in str(error)


@real
def test_a_deck_without_analysis_or_with_two_or_of_another_kind_is_refused() -> None:
    circuit = ("v1 a 0 1.0", "r1 a 0 1.0")
    refused(DeckError, "found no analysis in the deck; add one, for instance `.tran`", deck(*circuit))
    two = deck(*circuit, ".op", ".tran 1.0e-5 1.0e-3")
    refused(DeckError, "found 2 analyses (Operating Point, Transient Analysis); give one to a deck", two)
    refused(DeckError, "found Operating Point, not a transient; t_stop needs `.tran`", deck(*circuit, ".op"))
    refused(DeckError, "did not accept the deck: `Error: there aren't any circuits loaded.`", "")


@real
def test_a_state_that_runs_away_is_a_convergence_error() -> None:
    # dx/dt = x^2 from 1 is 1/(1 - t): infinite at 1 s, so it never reaches 3 s.
    text = deck("c1 x 0 1.0 ic=1.0", "b1 0 x i=v(x)*v(x)", ".tran 1.0e-2 3.0 uic")
    error = refused(ConvergenceError, "gave up: `doAnalyses: TRAN:  Timestep too small; time = 0.99", text, t_stop=3.0)
    assert 'trouble with node "x"`; look at that node: smooth a source that jumps there,' in str(error)


@real
def test_no_operating_point_is_a_convergence_error() -> None:
    text = deck("v1 a 0 1.0", "r1 a b 1.0", "b1 b 0 v=v(b)>0.5 ? 0 : 1", ".op")
    said = "gave up: `Error: Transient op failed, timestep too small; doAnalyses: OP:  Timestep too small; trouble with"
    refused(ConvergenceError, said, text, t_stop=None)


@real
@pytest.mark.parametrize("uic", ["", " uic"])
def test_a_singular_matrix_is_refused_even_where_ngspice_goes_on(uic: str) -> None:
    text = deck("v1 a 0 1.0", "r1 a 0 1.0", "c1 b 0 1.0e-9", "c2 b a 1.0e-9", "r2 c d 1.0", f".tran 1.0e-5 1.0e-3{uic}")
    error = refused(ConvergenceError, "met a singular matrix: `Warning: singular matrix:  check node", text)
    assert "; give every node a path for direct current to ground, and break loops of" in str(error)


@real
def test_an_argument_outside_its_domain_is_a_convergence_error() -> None:
    text = deck("v1 a 0 sin(0.0 1.0 1.0e3)", "b1 b 0 v=sqrt(v(a))", "r1 b 0 1.0", ".tran 1.0e-5 1.0e-3 uic")
    error = refused(ConvergenceError, "left the domain of a function in a behavioural source: `Error: -0.", text)
    assert "out of range for sqrt; in line b1; doAnalyses: TRAN:  Timestep too small; time = 0.000" in str(error)


@real
def test_a_transient_that_ends_early_is_truncated() -> None:
    message = "ended at time = 0.001 s of t_stop = 0.002 s without a word; let the deck's `.tran` go on to t_stop"
    refused(TruncatedOutput, message, t_stop=2e-3)


# What happens to ngspice


def test_a_hang_ends_with_all_that_was_started(fake: FakeMaker) -> None:
    fake("sleep 60 & echo $! > pids; echo $$ >> pids; sleep 60")
    error = refused(SimulatorTimeout, "ngspice 39: did not finish in 0.5 s and was stopped; allow", timeout=0.5)
    assert error.folder is not None
    pids = [int(pid) for pid in (error.folder / "pids").read_text().split()]
    assert len(pids) == 2
    assert all(soon(partial(gone, pid)) for pid in pids)


@real
def test_an_endless_run_is_stopped() -> None:
    text = deck("r1 b 0 1.0e3", "c1 b 0 1.0e-9", "b1 b 0 i=v(b)>0.5 ? 1.0e3 : -1.0e3", ".tran 1.0e-5 1.0e-3 uic")
    refused(SimulatorTimeout, "did not finish in 0.3 s and was stopped", text, timeout=0.3)


@real
def test_a_run_of_ever_shorter_steps_is_stopped() -> None:
    """Where rounding keeps a run from its tolerance, ngspice goes on for ever, and fills the disk."""
    text = deck("v1 a 0 sin(0 1 1e3)", "r1 a b 1.0e3", "c1 b 0 1.0e-9", ".tran 1.0e-9 1 0 1.0e-9 uic")
    refused(
        ConvergenceError, "took ever shorter steps, over 3000 numbers, and was stopped; ask", text, most_numbers=3000
    )


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT"])
def test_a_killed_run_names_its_signal(fake: FakeMaker, name: str) -> None:
    number = getattr(signal, name).value
    fake(f"ulimit -c 0; kill -{number} $$")
    refused(SimulatorCrash, f"ngspice 39: was killed by signal {number} ({name}); look for a lack of memory, and")


@pytest.mark.parametrize("status", [0, 7])
def test_an_end_without_a_word_is_a_crash(fake: FakeMaker, status: int) -> None:
    fake(f"exit {status}")
    refused(SimulatorCrash, f"ngspice 39: ended with status {status} and no raw file; read its log")


PHRASES = {
    "internal error -- segmentation violation": (SimulatorCrash, "broke down"),
    "malloc: Internal Error: can't allocate 9 bytes. ": (SimulatorCrash, "broke down"),
    "out.raw: No space left on device": (DiskFull, "could not write its output"),
    "Error: Transient op failed, cause unrecorded": (ConvergenceError, "gave up"),
    "doAnalyses: iteration limit reached": (ConvergenceError, "gave up"),
    "doAnalyses: matrix is singular": (ConvergenceError, "met a singular matrix"),
    "doAnalyses: pause requested": (SimulatorCrash, "stopped before the end"),
    "run simulation(s) aborted": (SimulatorCrash, "stopped before the end"),
    "ERROR: fatal error in ngspice, exit(1)": (DeckError, "did not accept the deck"),
}


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("to", ["> log.txt", ">&2"])
def test_each_phrase_has_its_error(fake: FakeMaker, tmp_path: Path, phrase: str, to: str) -> None:
    (tmp_path / "said").write_text(f"Note: before\n{phrase}\n")
    fake(f"cat '{tmp_path}/said' {to}; exit 1")
    error, what = PHRASES[phrase]
    refused(error, f"ngspice 39: {what}: `{phrase.strip()}`; ")


def test_a_failure_in_the_log_counts_though_the_waveform_is_whole(fake: FakeMaker) -> None:
    fake.writing([[1e-3, 2.0]])
    fake(f"cp '{fake.raw}' out.raw; echo 'doAnalyses: TRAN:  Timestep too small; time = 1' > log.txt")
    refused(ConvergenceError, "gave up: `doAnalyses: TRAN:  Timestep too small; time = 1`")


def test_a_raw_file_cut_short_is_truncated(fake: FakeMaker) -> None:
    fake.writing([[0.0, 1.0], [1e-3, 2.0]], cut=1)
    error = refused(TruncatedOutput, "found 1 whole points (31 bytes), but 2 points of 2 real variables (32 bytes) are")
    assert f"raw file `{error.folder}/out.raw`" in str(error)
    fake.writing([[0.0, 1.0]], points=0)
    refused(TruncatedOutput, "found `No. Points: 0`, but a whole number above 0 must be there (0: the run was cut")
    fake("touch out.raw")
    refused(TruncatedOutput, "of 0 bytes, plot 1: found the end of the file")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_named(fake: FakeMaker, value: float) -> None:
    fake.writing([[0.0, 1.0], [5e-4, value], [1e-3, 2.0]])
    refused(NonFiniteOutput, f"ngspice 39: v(a) is {value} at time = 0.0005 (point 1 of 3); keep its source bounded")


def test_an_interrupt_ends_the_run_and_leaves_nothing(fake: FakeMaker, tmp_path: Path, folders: Path) -> None:
    started = tmp_path / "started"
    fake(f"sleep 60 & echo $! $$ > '{started}.new'; mv '{started}.new' '{started}'; sleep 60")
    program = (
        "import signal, tempfile; from hopfield_hw.spice.ngspice import run; "
        f"signal.signal(signal.SIGINT, signal.default_int_handler); tempfile.tempdir = {str(folders)!r}; "
        "run('* title', t_stop=1.0, timeout=60.0)"
    )
    root = Path(engine.__file__).parents[2]
    caller = subprocess.Popen([sys.executable, "-c", program], cwd=root, stderr=subprocess.PIPE, text=True)
    try:
        assert soon(started.exists)
        caller.send_signal(signal.SIGINT)
        _, said = caller.communicate(timeout=PATIENT)
    finally:
        caller.kill()
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert all(soon(partial(gone, int(pid))) for pid in started.read_text().split())
    assert list(folders.iterdir()) == []


# A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a small file system to fill")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@real
def test_a_disk_that_fills_up_during_a_run(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    text = RC.replace(".tran 1.0e-5 1.0e-3 uic", ".tran 1.0e-6 1.0e-2 0.0 1.0e-6 uic")
    said = "could not write its output: `Warning: rawfile write error !!; doAnalyses: pause requested`; make room"
    refused(DiskFull, said, text, t_stop=1e-2)


@real
def test_a_disk_without_room_for_the_log(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    (small_disk / "filler").write_bytes(bytes(60 * 1024))  # one page is left, and the deck takes it
    refused(DiskFull, "left no whole raw file, and 0 bytes are free; make room, or set TMPDIR to a folder on a larger")


@real
def test_a_disk_without_room_for_the_deck(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    text = RC + "* padding\n" * 10_000
    message = f"found no room for a deck of {len(text)} characters (No space left on device); make room, or set TMPDIR"
    with pytest.raises(DiskFull, match=re.escape(message)) as caught:
        engine.run(text, t_stop=1e-3, timeout=PATIENT)
    assert caught.value.folder is None
    assert list(small_disk.iterdir()) == []


# What is refused before a run


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (".control", "makes ngspice run commands, and a deck to verify is a circuit, not a script; remove it"),
        (" \t.CONTROL", "makes ngspice run commands"),
        (".Controls", "makes ngspice run commands"),
        (".endc", "makes ngspice run commands"),
        ("*# shell touch pwned", "makes ngspice run commands"),
        ("*ng_script", "makes ngspice run commands"),
        (".exec touch pwned", "makes ngspice run commands"),
        ("  Shell touch pwned", "makes ngspice run commands"),
        ("@", "makes ngspice skip the rest of the deck without a word; remove it"),
    ],
)
def test_a_script_is_refused(folders: Path, line: str, why: str) -> None:
    for before, number in (("", 1), ("* title\n", 2), ("* title\r\nr1 a 0 1.0\r\n.end\r\n", 4)):
        with pytest.raises(InputError, match=re.escape(f"deck line {number} `{line.strip()}`: this {why}")):
            engine.run(f"{before}{line}\n", t_stop=1e-3, timeout=PATIENT)
    assert list(folders.iterdir()) == []


def test_circuits_are_no_scripts() -> None:
    for text in (RC, "* .control\n*.control\n* shell\nshelly a 0 1\nr1 a 0 1 $ .control\n.ends\n.end", ""):
        engine.check_deck_text(text)


@real
def test_ngspice_does_run_what_is_refused(tmp_path: Path) -> None:
    """The reason for the refusal: with the check off, ngspice runs a command that stands in a comment after `.end`."""
    engine.run(f"{RC}*# shell touch ran\n", t_stop=1e-3, timeout=PATIENT, keep=tmp_path, script=True)
    assert (tmp_path / "ran").exists()


@real
def test_a_trusted_script_is_run_and_its_status_counts(tmp_path: Path) -> None:
    commands = ".control\ntran 1.0e-5 1.0e-3 uic\nwrite out.raw\nquit STATUS\n.endc"
    script = RC.replace(".tran 1.0e-5 1.0e-3 uic", commands)
    plot = engine.run(script.replace("STATUS", "0"), t_stop=1e-3, timeout=PATIENT, script=True)
    assert plot.column("time")[-1] == pytest.approx(1e-3, rel=1e-12)
    with pytest.raises(SimulatorCrash, match=re.escape("the script ended with status 3; read its log")):
        engine.run(script.replace("STATUS", "3"), t_stop=1e-3, timeout=PATIENT, script=True)


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape("`t_stop = -1.0 s`: must be positive")):
        engine.run(RC, t_stop=-1.0, timeout=PATIENT)
    with pytest.raises(InputError, match=re.escape("`timeout = 0.0 s`: must be positive")):
        engine.run(RC, t_stop=1.0, timeout=0.0)


def test_a_folder_that_cannot_be_written_is_named(fake: FakeMaker, tmp_path: Path) -> None:
    fake("exit 0")
    (tmp_path / "file").touch()
    message = f"run folder `{tmp_path / 'file'}`: cannot be written (File exists); set TMPDIR, or `keep`, to one"
    with pytest.raises(InputError, match=re.escape(message)):
        engine.run(RC, t_stop=1e-3, timeout=PATIENT, keep=tmp_path / "file")
