"""A board as one HTML file: all that is known of it, which works from a disk, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..board.budget.contributions import ErrorBudget
from ..board.coverage import board_coverage
from ..board.design import Board
from ..board.judgement import BoardVerification
from ..processes import TIMEOUT
from ..production.monte_carlo import MonteCarlo
from ..values.errors import InputError
from ..values.report import Report
from ..version import __version__
from .engine import HOW, PACKAGE, Engine, read_engine
from .markup import Html, data, element, join, packed, policy, script, style
from .netlist import Netlist, link_lines
from .network import element_data, show_network
from .rerun import Rerun, prepare_rerun, rerun_data
from .schematics import Drawing, draw_neurons
from .sections import (
    key_figures,
    section,
    show_budget,
    show_checks,
    show_parts,
    show_verdict,
    show_yield,
    verdict_line,
)
from .waves import pack_waves

LARGEST = 5_000_000  # bytes
MOST_DRAWN = 32  # neurons
SECTIONS = (
    ("verdict", "Verdict"),
    ("waves", "Waveforms"),
    ("again", "Run it again"),
    ("checks", "Checks"),
    ("netlist", "Network and netlist"),
    ("schematic", "Schematic"),
    ("budget", "Error budget"),
    ("yield", "Yield"),
    ("parts", "Parts"),
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WrittenReport(Report):
    """A page that was written. `size`: bytes. `runs_again`: whether ngspice is in it. `result`: what it shows."""

    path: Path
    size: int
    runs_again: bool
    result: BoardVerification = field(repr=False)

    def rows(self) -> list[tuple[str, str]]:
        again = "in the reader's browser" if self.runs_again else "no: no engine was given"
        return [
            ("verdict", "; ".join((self.result.verdict, *self.result.reasons))),
            ("page", f"{self.path}, {self.size / 1e6:.2f} MB"),
            ("runs again", again),
        ]

    def figures(self) -> dict[str, Any]:
        return {
            "verdict": self.result.verdict,
            "reasons": list(self.result.reasons),
            "size": self.size,
            "runs_again": self.runs_again,
        }


def write_report(
    board: Board,
    path: Path | str,
    *,
    result: BoardVerification | None = None,
    budget: ErrorBudget | None = None,
    study: MonteCarlo | None = None,
    engine: Engine | Path | str | None = None,
    drawings: Sequence[Drawing] | None = None,
    timeout: float = TIMEOUT,
) -> WrittenReport:
    """Write a board as one HTML file, below 5 MB, that loads nothing and works from a disk.

    `result`: of `board.verify()`, which is run where it is not given. `budget`, `study`: an error budget and a
    Monte Carlo study of the same board, shown where they are given. `engine`: the npm package eecircuit-engine, its
    .tgz or folder, with which the page runs its circuit again; nothing is downloaded. `drawings`: of the schematic, as
    `export_kicad` has them; by default each neuron as the package draws it. `timeout`: of a run of ngspice, seconds.

    Raises InputError for an engine that is none, a result of another board, and a page beyond 5 MB; a SimulatorError
    where ngspice does not deliver.
    """
    given = read_engine(engine) if isinstance(engine, str | Path) else engine
    if result is not None and result.board is not board:
        raise InputError("write_report: `result` is of another board; give `board.verify()` of this one")
    found = board.verify(timeout=timeout) if result is None else result
    content = build_page(found, budget=budget, study=study, engine=given, drawings=drawings, timeout=timeout).encode()
    if len(content) > LARGEST:
        raise InputError(
            f"write_report: the page would have {len(content) / 1e6:.1f} MB, and {LARGEST / 1e6:g} are the most; leave "
            f"out `{'engine' if given is not None else 'drawings'}`, or give fewer drawings"
        )
    Path(path).write_bytes(content)
    return WrittenReport(path=Path(path), size=len(content), runs_again=given is not None, result=found)


def build_page(
    result: BoardVerification,
    *,
    budget: ErrorBudget | None = None,
    study: MonteCarlo | None = None,
    engine: Engine | None = None,
    drawings: Sequence[Drawing] | None = None,
    timeout: float = TIMEOUT,
) -> str:
    """Return the page of a board's verification; see `write_report`."""
    board = result.board
    rerun = prepare_rerun(result, timeout=timeout)
    netlist = link_lines(rerun.circuit, board.scaled.graph(), rerun.deck)
    if drawings is None:
        drawings = draw_neurons(board, range(min(board.scaled.size, MOST_DRAWN)))
    coverage = board_coverage(result)
    body = [
        element(
            "header",
            element("h1", board.title),
            element(
                "p",
                f"A board of {board.scaled.size} neurons, designed, simulated and judged by hopfield_hw {__version__}",
            ),
            verdict_line(result),
            key_figures(result, coverage),
        ),
        element("nav", [element("a", title, href=f"#{place}") for place, title in SECTIONS], aria_label="sections"),
        element(
            "main",
            show_verdict(result, coverage),
            _show_waves(result),
            _show_again(rerun, engine),
            show_checks(board),
            show_network(board, netlist),
            _show_drawings(drawings),
            show_budget(budget),
            show_yield(study),
            show_parts(board),
        ),
        _show_licences(engine),
        *_data(result, rerun, netlist, engine, drawings),
    ]
    return _assemble(board.title, body, engine)


def _assemble(title: str, body: Sequence[Html], engine: Engine | None) -> str:
    names = ["uplot/uPlot.iife.min.js", "waves.js", "links.js", *(["again.js"] if engine is not None else [])]
    scripts = [script(_static(name)) for name in names]
    styles = [style(_static(name)) for name in ("uplot/uPlot.min.css", "report.css")]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        policy([word for _, word in scripts], [word for _, word in styles]),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        [text for text, _ in styles],
    )
    page = element("html", head, element("body", body, [text for text, _ in scripts]), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _data(
    result: BoardVerification, rerun: Rerun, netlist: Netlist, engine: Engine | None, drawings: Sequence[Drawing]
) -> list[Html]:
    """Return what the scripts of a page read."""
    elements = element_data(result.board, netlist)
    found = [
        data("waves", pack_waves(result)),
        data("elements", {"elements": elements}),
        data("deck", {"lines": list(netlist.lines)}),
        data("drawings", [{"title": one.title, "svg": packed(one.svg)} for one in drawings]),
    ]
    if engine is not None:
        found += [
            data("again", rerun_data(result.board, rerun, netlist, engine)),
            data("engine-worker", {"code": _static("worker.js")}),
            data("engine-script", {"packed": engine.script}),
            data("engine-binary", {"packed": engine.binary}),
        ]
    return found


def _show_waves(result: BoardVerification) -> Html:
    keys = [
        ("key stored", "ngspice, as stored: a colour a neuron"),
        ("key dash", "the board's own equation"),
        ("key dots", "the ideal network"),
        ("key again", "the re-run"),
    ]
    legend = element(
        "div",
        [element("span", element("span", class_=key), what, id=f"key-{key.split()[-1]}") for key, what in keys],
        class_="controls",
    )
    options = [element("option", what, value=value) for value, what in (("state", "states"), ("output", "outputs"))]
    toggles = [
        element("label", element("input", type="checkbox", id=f"show-{name}", checked=True), f" {what}")
        for name, what in (("equation", "own equation"), ("ideal", "ideal network"))
    ]
    buttons = [
        element("button", what, id=name, type="button")
        for name, what in (("show-all", "all neurons"), ("show-worst", "the worst"), ("whole", "whole run"))
    ]
    note = (
        "Drag to zoom in time, double-click for the whole run, shift and wheel to zoom at the pointer. Below: ngspice "
        "against the board's own equation, over the range (a re-run in red against what is stored); the dash-dotted "
        "line is the tolerance."
    )
    return section(
        "waves",
        "Waveforms",
        note,
        element(
            "div", element("select", options, id="quantity", aria_label="quantity"), toggles, buttons, class_="controls"
        ),
        element("div", element("span", "neurons"), element("div", class_="chips", id="neurons"), class_="controls"),
        legend,
        element("div", id="plot-waves", class_="plot"),
        element("div", id="plot-deviation", class_="plot"),
        element("p", id="readout", class_="readout"),
    )


def _show_again(rerun: Rerun, engine: Engine | None) -> Html:
    title = "Run it again, changed, in this browser"
    if engine is None:
        return section(
            "again", title, f"This page holds no simulator. {HOW.capitalize()}: `hopfield-hw report --engine PATH`."
        )
    note = (
        f"ngspice as WebAssembly ({PACKAGE} {engine.version}) is in this page; the deck below is changed and run here, "
        f"and drawn over the stored waveforms. Its steps are wider than those of the verification: unchanged, it lies "
        f"NRMSE {rerun.states:.0e} of states and {rerun.outputs:.0e} of outputs from what is stored."
    )

    def slider(name: str, **limits: str | int) -> Html:
        return element("input", type="range", id=f"again-{name}", aria_labelledby=f"again-{name}-what", **limits)

    def row(name: str, what: str, control: Html) -> list[Html]:
        return [
            element("label", what, id=f"again-{name}-what", for_=f"again-{name}"),
            control,
            element("output", id=f"again-{name}-said"),
        ]

    controls = [
        *row("weight", "weight", element("select", id="again-weight")),
        *row("factor", "times", slider("factor", min=0, max=3, step="0.01", value=1)),
        *row("scatter", "tolerance, %", slider("scatter", min=0, max=20, step="0.5", value=0)),
        *row(
            "draw", "draw number", element("input", type="number", id="again-draw", value=1, min=0, max=999999, step=1)
        ),
        *row("supply", "supplies, %", slider("supply", min=30, max=130, step=1, value=100)),
    ]
    buttons = [
        element("button", "Run ngspice", id="again-run", type="button", class_="main"),
        element("button", "Stop", id="again-stop", type="button", disabled=True),
        element("button", "As designed", id="again-reset", type="button"),
    ]
    status = element("p", id="again-status", class_="status", role="status")
    return section(
        "again",
        title,
        note,
        element("div", controls, class_="sliders"),
        element("div", buttons, class_="controls"),
        status,
    )


def _show_drawings(drawings: Sequence[Drawing]) -> Html:
    if not drawings:
        return section("schematic", "Schematic", "No drawing was given.")
    chosen = element("select", [element("option", one.title) for one in drawings], id="sheet-name", aria_label="sheet")
    large = element("button", "large or fitting", id="sheet-large", type="button")
    return section(
        "schematic",
        "Schematic",
        "",
        element("div", chosen, large, class_="controls"),
        element("div", element("img", alt=""), class_="sheet", id="sheet"),
    )


def _show_licences(engine: Engine | None) -> Html:
    shown = [("uPlot, which draws the waveforms", _static("uplot/LICENSE"))]
    if engine is not None:
        shown.append(
            (f"{PACKAGE} {engine.version}, with ngspice (BSD-3-Clause), which runs the circuit", engine.licence)
        )
    listed = [element("details", element("summary", what), element("pre", text)) for what, text in shown]
    said = element(
        "p",
        f"Made by hopfield_hw {__version__}. This file loads nothing and sends nothing. It holds other people's work:",
    )
    return element("footer", said, join(listed))


@cache
def _static(name: str) -> str:
    """Return a file that every page has."""
    return files(__package__).joinpath("static", *name.split("/")).read_text(encoding="utf-8")
