"""A page as tests read it: its elements, and what its scripts read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple

# What no page may take for markup or for a script.
TITLE = "</script><img src=x onerror=\"document.title='run'\"> & <b>'two'</b> \\u003c"
VOID = {"meta", "img", "input", "link", "br", "hr"}


class Node(NamedTuple):
    """An element: its name, its attributes, and all text within it."""

    name: str
    attributes: dict[str, str | None]
    texts: list[str]

    @property
    def text(self) -> str:
        return "".join(self.texts)


class PageReader(HTMLParser):
    """Reads a page; `nodes`: its elements in their order. An element that is not closed is a fault."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self._open: list[Node] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open[-1].name

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs), [])
        assert len(node.attributes) == len(attrs), tag
        self.nodes.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag

    def handle_data(self, data: str) -> None:
        for node in self._open:
            node.texts.append(data)

    def named(self, *names: str) -> Iterator[Node]:
        return (node for node in self.nodes if node.name in names)

    def by_id(self, identity: str) -> Node:
        (node,) = (node for node in self.nodes if node.attributes.get("id") == identity)
        return node

    def data(self, identity: str) -> Any:
        return json.loads(self.by_id(f"data-{identity}").text)
