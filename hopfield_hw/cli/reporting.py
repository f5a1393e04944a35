"""Output of the commands: results on stdout, all else on stderr, progress on a terminal only."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..values.errors import DiskFull, HopfieldHWError, InputError
from ..values.report import plain, text_table

PROGRAM = "hopfield-hw"
FULL = (errno.ENOSPC, errno.EDQUOT)
# Every result object has these keys; null where there is no value.
RESULT_KEYS = ("status", "nrmse", "worst_error", "settled", "neurons", "devices", "seconds", "engine", "version")


class ClosedPipeError(Exception):
    """The reader of stdout has closed the pipe."""


def say(text: str) -> None:
    """Write lines on stdout. Raises DiskFull if the disk is full, ClosedPipeError if the reader has closed the pipe."""
    try:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer goes nowhere; it would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise ClosedPipeError from None
        if error.errno in FULL:
            raise DiskFull(f"stdout: cannot be written ({error.strerror}); make room") from None
        raise


def warn(text: str, kind: str = "warning") -> None:
    """Write one line on stderr."""
    line = "; ".join(part.strip() for part in text.splitlines() if part.strip())
    print(f"{PROGRAM}: {kind}: {line}", file=sys.stderr, flush=True)


def say_table(rows: Iterable[Sequence[str]], *, title: str = "", columns: Sequence[str] = ()) -> None:
    """Write a table on stdout; the columns have names where they are given. Lines are folded on a terminal only."""
    rows = list(rows)
    if sys.stdout.isatty():
        say(_folded(rows, title, columns))
    else:
        say("\n".join(part for part in (title, text_table(rows, columns)) if part))


def _folded(rows: Sequence[Sequence[str]], title: str, columns: Sequence[str]) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=bool(columns), pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for k in range(max((len(row) for row in rows), default=len(columns))):
        table.add_column(columns[k] if columns else "", overflow="fold")
    for row in rows:
        table.add_row(*row)
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, markup=False, highlight=False, emoji=False)
    if title:
        console.print(title, style="bold")
    console.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def emit(content: Mapping[str, Any]) -> None:
    """Write one object of JSON on stdout; what JSON has no number for becomes null."""
    say(json.dumps(plain(content), indent=1, allow_nan=False))


def emit_result(content: Mapping[str, Any]) -> None:
    """Write a result as one object of JSON that holds all RESULT_KEYS."""
    emit({**dict.fromkeys(RESULT_KEYS), **content})


def report_error(error: BaseException, *, as_json: bool, message: str = "", kind: str = "", **found: Any) -> None:
    """Print an error on stderr, and with --json also on stdout, with the results until then."""
    text = message if message else str(error)
    warn(text, "error")
    if as_json:
        folder = getattr(error, "folder", None)
        kept = {} if folder is None else {"folder": str(folder)}
        emit_result({**found, "status": "error", "kind": kind or type(error).__name__, "message": text, **kept})


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal that a long task is running."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True, markup=False, highlight=False).status(what):
        yield


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show the progress of a long task on a terminal; call what this gives for each piece."""
    with progress_of(what) as update:
        done = iter(range(1, total + 1))
        update(0, total)
        yield lambda: update(next(done, total), total)


@contextmanager
def progress_of(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of a long task on a terminal; call what this gives with how much is done, and of how much."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def check_output(path: Path, *suffixes: str) -> Path:
    """Return a path that can be written to. Raises InputError for another suffix, a folder, and a missing folder."""
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(f"{str(path)!r:.200}: has the suffix {path.suffix!r}; must be one of {', '.join(suffixes)}")
    if path.is_dir():
        raise InputError(f"{str(path)!r:.200}: is a folder; give the name of a file in it")
    if not path.parent.is_dir():
        raise InputError(f"{str(path)!r:.200}: there is no folder {str(path.parent)!r:.200}; make it first")
    _refuse_read_only(path.parent)
    return path


def check_folder(path: Path) -> Path:
    """Return a folder, made where there is none. Raises InputError for a file, and where it cannot be made."""
    if path.exists() and not path.is_dir():
        raise InputError(f"{str(path)!r:.200}: is a file; give a folder, or a path where one can be made")
    with _explain(path):
        path.mkdir(parents=True, exist_ok=True)
    _refuse_read_only(path)
    return path


def _refuse_read_only(folder: Path) -> None:
    if not os.access(folder, os.W_OK):
        raise InputError(f"{str(folder)!r:.200}: cannot be written to; give another folder")


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Give the path to write to. Only a whole file takes its place at `path`; a failure leaves nothing behind.

    Raises DiskFull where there is no room, and InputError where the path cannot be written.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():  # a device
        with _explain(path):
            yield target
        return
    part = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        with _explain(path):
            yield part
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _explain(path: Path) -> Iterator[None]:
    try:
        yield
    except HopfieldHWError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(f"{str(path)!r:.200}: cannot be written ({error.strerror}); make room") from None
        raise InputError(f"{str(path)!r:.200}: cannot be written ({error.strerror}); give another path") from None
