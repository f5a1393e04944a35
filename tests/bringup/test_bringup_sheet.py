"""The sheet: whole, escaped, without anything from elsewhere; and the table as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser

from hopfield_hw.bringup import BringUp, sheet_html, table_csv
from hopfield_hw.bringup.sheet import COLUMNS

VOID = {"meta", "col", "br", "img", "link"}


class Page(HTMLParser):
    """What of a page is open, and all its addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    assert not page.open
    return page


def test_the_sheet_is_a_whole_page_that_needs_nothing_else(table: BringUp) -> None:
    text = sheet_html(table)
    page = read(text)
    assert not page.addresses
    assert "@import" not in text
    assert "url(" not in text
    assert page.counts.get("script", 0) == 0
    assert page.counts["table"] == 3  # currents, then three conditions, then two
    for point in table.points:
        assert text.count(f'<td class="name">{point.name}</td>') == 2
    assert text == sheet_html(table)


def test_text_is_escaped(table: BringUp) -> None:
    board = replace(table.board, title='a <b> & "c"')
    changed = replace(table, bench=replace(table.bench, board=board), references={"X_x_0": "<U1>"})
    text = sheet_html(changed)
    read(text)
    assert "a &lt;b&gt; &amp; &quot;c&quot;" in text
    assert "&lt;U1&gt; (X_x_0)" in text
    assert "<b>&" not in text


def test_the_csv_has_each_point_in_each_condition(table: BringUp) -> None:
    rows = list(csv.reader(io.StringIO(table_csv(table))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1 + table.volts.size
    assert rows[1][:3] == ["reference_p", "reset", ""]
    assert float(rows[1][3]) == 5.0


def test_a_condition_that_moves_is_not_in_the_csv(table: BringUp) -> None:
    rest = table.at_rest.copy()
    rest[2] = False
    moving = replace(table, at_rest=rest)
    assert len(table_csv(moving).splitlines()) == 1 + table.volts.size - len(table.points)
    assert "moves" in sheet_html(moving)
    assert any("does not come to rest" in step for step in moving.order)
