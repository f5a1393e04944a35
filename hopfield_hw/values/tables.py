"""Tables of what can be chosen by its name: cells, dialects, families, problems. What an entry names is loaded late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LazyTable(Mapping[str, T], Generic[T]):
    """A read-only table of objects by name; each is imported when it is first looked up.

    `entries`: by name, ("module:attribute", what it is in one line); a module that begins with a point lies in
    `package`. `make`: what the table holds is `make(attribute)`; the attribute itself by default.
    """

    def __init__(
        self, package: str | None, entries: Mapping[str, tuple[str, str]], *, make: Callable[[Any], T] | None = None
    ) -> None:
        self._package = package
        self._entries = dict(entries)
        self._make = make
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            module, _, attribute = self._entries[name][0].partition(":")
            found = getattr(import_module(module, self._package), attribute)
            self._loaded[name] = found if self._make is None else self._make(found)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<table of {len(self)}: {', '.join(self)}>"

    @property
    def summaries(self) -> dict[str, str]:
        """By name, what each entry is, in one line; nothing is imported."""
        return {name: summary for name, (_, summary) in self._entries.items()}
