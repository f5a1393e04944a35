"""A file of results as they come: a header that says of which study, and blocks, from which a killed one goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .errors import DiskFull, InputError

T = TypeVar("T")


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
    """The blocks of a study in a file of JSON lines, by number. Each line is on the disk before the next one begins.

    `header`: what the study is; a file of another one is refused. `form`: what such files hold, and its version.
    `option`: what the caller's argument is called. A last line that was cut short is dropped.
    """

    def __init__(
        self, path: str | os.PathLike[str], header: Mapping[str, Any], *, form: str, option: str = "resume"
    ) -> None:
        self.path = Path(path)
        self.blocks: dict[int, dict[str, Any]] = {}
        self._header = {"format": f"hopfield_hw {form}", **header}
        self._named = f"`{option}` = {str(self.path)!r:.200}"
        try:
            if self.path.exists() and self.path.stat().st_size:
                self._read(form.rstrip("0123456789 "))
            else:
                self._begin()
        except OSError as error:
            raise InputError(f"{self._named}: cannot be written ({error.strerror}); give another path") from None

    def _begin(self) -> None:
        """Write the header, whole or not at all."""
        part = self.path.with_name(f"{self.path.name}.part")
        part.write_text(json.dumps(self._header) + "\n", encoding="utf-8")
        os.replace(part, self.path)

    def _read(self, what: str) -> None:
        raw = self.path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        lines = whole.decode("utf-8", errors="replace").splitlines()
        try:
            header = json.loads(lines[0]) if lines else None
        except json.JSONDecodeError:
            header = None
        if not isinstance(header, dict) or header.get("format") != self._header["format"]:
            raise InputError(f"{self._named}: is no file of {what}; give the path of one, or of a new file")
        if header != self._header:
            differing = sorted(k for k in {*header, *self._header} if header.get(k) != self._header.get(k))
            raise InputError(
                f"{self._named}: is of another study (it differs in {', '.join(differing)}); give "
                "a new one, or the same arguments as before"
            )
        for number, line in enumerate(lines[1:], 2):
            try:
                entry = json.loads(line)
                self.blocks[int(entry["block"])] = entry
            except (json.JSONDecodeError, KeyError, TypeError, ValueError):
                raise InputError(f"{self._named}: line {number} is damaged; remove it and those behind it") from None
        if len(whole) < len(raw):
            os.truncate(self.path, len(whole))

    def read(self, count: int, make: Callable[[Mapping[str, Any]], T]) -> dict[int, T]:
        """Return what `make` makes of each block, of numbers below `count`.

        Raises InputError for another number, and for what `make` raises KeyError, TypeError or ValueError of.
        """
        found = {}
        for number, entry in self.blocks.items():
            try:
                if not 0 <= number < count:
                    raise ValueError(f"no block has the number {number}")
                found[number] = make(entry)
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"{self._named}: block {number} is damaged ({error!r:.80}); remove its line, and it is made again"
                ) from None
        return found

    def add(self, block: int, entry: Mapping[str, Any]) -> None:
        """Write a block to the end of the file."""
        line = json.dumps({"block": block, **entry}) + "\n"
        try:
            with self.path.open("ab", buffering=0) as file:
                written = file.write(line.encode())
                os.fsync(file.fileno())
        except OSError as error:
            raise DiskFull(f"{self._named}: cannot be written ({error.strerror}); make room, and go on") from None
        if written < len(line.encode()):
            raise DiskFull(f"{self._named}: found no room for a block; make room, and go on")
        self.blocks[block] = {"block": block, **entry}
