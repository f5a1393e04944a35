"""A file of results as they come: JSON lines behind a header, so that a study that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..values.errors import InputError

FORMAT = "hopfield_hw board samples 1"


def fingerprint(value: Any) -> str:
    """Return a hash of what a value holds: dataclasses by their fields, arrays by their numbers, functions by name."""
    found = hashlib.blake2b(digest_size=16)
    for word in _words(value):
        found.update(word.encode())
        found.update(b"\0")
    return found.hexdigest()


def _words(value: Any) -> Iterator[str]:
    yield type(value).__qualname__
    if is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield one.name
            yield from _words(getattr(value, one.name))
    elif isinstance(value, np.ndarray):
        yield str(value.shape)
        yield hashlib.blake2b(np.ascontiguousarray(value).tobytes(), digest_size=16).hexdigest()
    elif isinstance(value, Mapping):
        for key in value:
            yield str(key)
            yield from _words(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _words(item)
    elif callable(value):
        yield f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
    else:
        yield repr(value)


class Journal:
    """The blocks of a study in a file, by number. Each line is written whole, and on the disk before the next one.

    `header`: what the study is; a file of another one is refused. A last line that was cut short is dropped.
    """

    def __init__(self, path: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.blocks: dict[int, dict[str, Any]] = {}
        self._header = {"format": FORMAT, **header}
        if self.path.exists() and self.path.stat().st_size:
            self._read()
        else:
            self.path.write_text(json.dumps(self._header) + "\n", encoding="utf-8")

    def _read(self) -> None:
        raw = self.path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        lines = whole.decode("utf-8", errors="replace").splitlines()
        try:
            header = json.loads(lines[0]) if lines else None
        except json.JSONDecodeError:
            header = None
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise InputError(
                f"`resume` = {str(self.path)!r:.200}: is no file of samples; give the path of one, or of a new file"
            )
        if header != self._header:
            differing = sorted(k for k in {*header, *self._header} if header.get(k) != self._header.get(k))
            raise InputError(
                f"`resume` = {str(self.path)!r:.200}: is of another study (it differs in {', '.join(differing)}); give "
                "a new file, or the same board and arguments"
            )
        for number, line in enumerate(lines[1:], 2):
            try:
                entry = json.loads(line)
                self.blocks[int(entry["block"])] = entry
            except (json.JSONDecodeError, KeyError, TypeError, ValueError):
                raise InputError(
                    f"`resume` = {str(self.path)!r:.200}: line {number} is damaged; remove it and those behind it"
                ) from None
        if len(whole) < len(raw):
            os.truncate(self.path, len(whole))

    def add(self, block: int, entry: Mapping[str, Any]) -> None:
        """Write a block to the end of the file."""
        line = json.dumps({"block": block, **entry}) + "\n"
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(file, line.encode())
            os.fsync(file)
        finally:
            os.close(file)
