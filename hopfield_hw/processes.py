"""Programs that are run for us, and that never outlive us, however we end."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

TIMEOUT = 600.0  # seconds that a program has, where nothing else is asked for
# Linux kills a child whose parent has died, where it was asked to; `setpriv` of util-linux asks and then becomes the
# program. (It is the thread that started it whose end counts, and that one waits for it here.)
ASKING = ("--pdeathsig", "KILL")
# Elsewhere a shell waits beside the program for the end of a pipe, {pipe}, whose other end only we hold.
WATCHING = (
    '"$@" {pipe}<&- & child=$!; (read -r _ <&{pipe}; kill -9 "$child") >/dev/null 2>&1 & watcher=$!; '
    'wait "$child"; status=$?; kill "$watcher" 2>/dev/null; exit "$status"'
)
SIGNALLED = 128  # a shell gives this and the number of the signal that ended a program
NOT_STARTED = (126, 127)  # and this where it could not start one, as `setpriv` does


POLL = 0.5  # seconds between two looks at how large a file is


class OutputTooLargeError(Exception):
    """A program was stopped, as the file that it writes had grown beyond what it may."""


class Growing(NamedTuple):
    """A file that a program writes, and how many bytes it may have."""

    path: Path
    most: int

    @property
    def is_too_large(self) -> bool:
        """Whether it is larger than that by now."""
        return self.path.exists() and self.path.stat().st_size > self.most


class Ended(NamedTuple):
    """The exit status, negative for a signal, and what a program printed."""

    status: int
    printed: str
    complained: str


def run_program(
    command: Sequence[str],
    folder: Path,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    *,
    tied: bool = True,
    growing: Growing | None = None,
) -> Ended:
    """Run a program in a folder, in its own session; whatever ends the wait early ends all that it started.

    `tied`: it ends with us. A program that may be none is first run without that: what ties it takes a file of another
    kind for a script.

    Raises OSError where it cannot be started, subprocess.TimeoutExpired where its time is up, and OutputTooLargeError
    where the file `growing` is.
    """
    if os.name != "posix" or not tied:
        return _run(command, folder, timeout, environment, growing)
    if (asking := asks_to_end_with_us()) is not None:
        return _start(_run([asking, *ASKING, *command], folder, timeout, environment, growing), "setpriv: ")
    watched, held = os.pipe()
    try:
        text = WATCHING.format(pipe=watched)
        found = _run(["/bin/sh", "-c", text, "sh", *command], folder, timeout, environment, growing, (watched,))
    finally:
        os.close(watched)
        os.close(held)
    found = _start(found, "sh: ")
    return found._replace(status=SIGNALLED - found.status) if found.status > SIGNALLED else found


@lru_cache(maxsize=1)
def asks_to_end_with_us() -> str | None:
    """Return the path of a `setpriv` that can ask for the end of a child; None where there is none."""
    path = shutil.which("setpriv") if sys.platform == "linux" else None
    if path is None:
        return None
    tried = subprocess.run([path, *ASKING, "true"], check=False, capture_output=True, stdin=subprocess.DEVNULL)
    return path if tried.returncode == 0 else None


def _start(found: Ended, by: str) -> Ended:
    """Return what came of a program, unless the one that was to start it could not."""
    if found.status in NOT_STARTED and found.complained.startswith(by):
        raise OSError(errno.ENOEXEC, found.complained.strip().rsplit(": ", 1)[-1])
    return found


def _run(
    command: Sequence[str],
    folder: Path,
    timeout: float,
    environment: Mapping[str, str] | None,
    growing: Growing | None,
    pipes: tuple[int, ...] = (),
) -> Ended:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=pipes,
    )
    with process:
        try:
            printed, complained = _wait(process, timeout, growing)
        except BaseException:
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            raise
    return Ended(process.returncode, *(text.decode("utf-8", errors="replace") for text in (printed, complained)))


def _wait(process: subprocess.Popen[bytes], timeout: float, growing: Growing | None) -> tuple[bytes, bytes]:
    if growing is None:
        return process.communicate(timeout=timeout)
    end = time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        try:
            return process.communicate(timeout=min(POLL, left))
        except subprocess.TimeoutExpired:
            if growing.is_too_large:
                raise OutputTooLargeError(str(growing.path)) from None
            if left <= POLL:
                raise
