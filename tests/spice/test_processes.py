"""Programs end with us, and what failed runs leave is removed when that is asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from hopfield_hw import processes
from hopfield_hw.cli import doctor
from hopfield_hw.processes import Growing, OutputTooLargeError, run_program
from hopfield_hw.spice import run_folders

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and shells of POSIX")
COMMAND = "echo $$ > new; mv new pid; exec sleep 60"
ROOT = Path(processes.__file__).parents[1]


@pytest.fixture(params=["asked", "watched"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "watched":
        monkeypatch.setattr(processes, "asks_to_end_with_us", lambda: None)
    elif processes.asks_to_end_with_us() is None:
        pytest.skip("no setpriv that asks for the end of a child")
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_status_and_texts_are_those_of_the_program(tmp_path: Path) -> None:
    done = run_program(["/bin/sh", "-c", "pwd; echo no >&2; exit 3"], tmp_path, 30.0, {"PATH": os.environ["PATH"]})
    assert done == (3, f"{tmp_path}\n", "no\n")
    assert run_program(["/bin/sh", "-c", "kill -9 $$"], tmp_path, 30.0).status == -signal.SIGKILL


@pytest.mark.usefixtures("way")
def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"not found|No such file"):
        run_program([str(tmp_path / "none")], tmp_path, 30.0)


@pytest.mark.usefixtures("way")
def test_its_time_ends_all_that_a_program_started(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_program(["/bin/sh", "-c", "sleep 60 & echo $! > pid; wait"], tmp_path, 2.0)
    assert soon_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.usefixtures("way")
def test_a_file_that_grows_too_large_ends_all_that_a_program_started(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "sleep 60 & echo $! > pid; head -c 2000 /dev/zero > out; wait"]
    with pytest.raises(OutputTooLargeError):
        run_program(command, tmp_path, 30.0, growing=Growing(tmp_path / "out", 1999))
    assert soon_gone(int((tmp_path / "pid").read_text()))
    done = run_program(
        ["/bin/sh", "-c", "head -c 2000 /dev/zero > out; sleep 1; echo yes"],
        tmp_path,
        30.0,
        growing=Growing(tmp_path / "out", 2000),
    )
    assert done == (0, "yes\n", "")


def test_a_program_does_not_outlive_a_killed_python(way: str, tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from hopfield_hw import processes; "
        + ("processes.asks_to_end_with_us = lambda: None; " if way == "watched" else "")
        + f"processes.run_program(['/bin/sh', '-c', {COMMAND!r}], Path({str(tmp_path)!r}), 60)"
    )
    caller = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        assert soon((tmp_path / "pid").exists)
    finally:
        caller.kill()
        caller.wait()
    assert soon_gone(int((tmp_path / "pid").read_text()))


def soon(happens: object, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if callable(happens) and happens():
            return True
        time.sleep(0.02)
    return False


def soon_gone(pid: int) -> bool:
    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        try:  # a container's first process may not take up what has ended
            state = Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:  # a system without /proc
            return False
        except ProcessLookupError:  # it went while it was read
            return True
        return state.rpartition(")")[2].split()[0] == "Z"

    return soon(gone)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def old(path: Path) -> Path:
    path.mkdir()
    (path / "deck.cir").write_text("* title\n")
    for part in (path / "deck.cir", path):
        os.utime(part, (0.0, 0.0))
    return path


def test_old_run_folders_are_removed_and_nothing_else(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = old(folders / "hopfield_hw_abcd_123")
    kept = [
        old(folders / name) for name in ("hopfield_hw_abcd12345", "hopfield_hw_notes", "other", "xhopfield_hw_abcd1234")
    ]
    fresh, busy = folders / "hopfield_hw_fresh000", old(folders / "hopfield_hw_busy0000")
    fresh.mkdir()
    os.utime(busy / "deck.cir")
    file, link = folders / "hopfield_hw_file0000", folders / "hopfield_hw_link0000"
    file.write_text("a file")
    os.utime(file, (0.0, 0.0))
    link.symlink_to(folders / "other")
    assert doctor.doctor(clean=True) == 0
    said = capsys.readouterr().out
    assert str(gone) in said
    assert "run folders removed: 1" in said
    assert not gone.exists()
    assert all(path.exists() for path in (*kept, fresh, busy, file, link))
    assert doctor.doctor(clean=True, as_json=True) == 0
    assert '"removed": []' in capsys.readouterr().out


def test_folders_of_others_stay(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old(folders / "hopfield_hw_abcd1234")
    monkeypatch.setattr(run_folders.os, "getuid", lambda: os.stat(path).st_uid + 1)
    assert run_folders.remove_old_folders() == ()
    assert path.exists()
