"""The sections of a page that stand as they are: verdict, checks, error budget, yield, parts."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..board.budget.contributions import RESOLVED, Contribution, ErrorBudget
from ..board.checks import Check
from ..board.design import Board
from ..board.judgement import BoardVerification
from ..board.parts_list import COLUMNS
from ..pictures.boards import check_share
from ..production.monte_carlo import MonteCarlo
from ..values.si_text import format_si
from ..verification.coverage import LEVELS, MARGIN, Coverage
from .markup import Html, element, join, table

MOST_NAMED = 12
# Of hopfield_hw.board.equation, where its symbols are told.
OWN = (
    "C dq/dt = G+ v + G- w + B u + I - I_b - q/R - (q + m) G; dm/dt = -w_t sat(q + m - V_os) - w_t m/A0; "
    "dv/dt = (g(-m) - v) w_a; dw/dt = -w_i sat((rho v + w)/(1 + rho) - V_os) - w_i w/A0; the state is -m"
)
BAR, HEIGHT, ROOM = 100.0, 8.0, 1.25  # of a bar's drawing; the limit lies at 1, the end at ROOM
HISTOGRAM = (640.0, 190.0)
BINS = 24


def section(identity: str, title: str, note: str, *content: str | Iterable[str]) -> Html:
    """Return a section with its heading and what is said of it."""
    said = element("p", note) if note else Html("")
    return element("section", element("h2", title), said, *content, id=identity)


def verdict_line(result: BoardVerification) -> Html:
    """Return the verdict with its reasons, or with what it rests on in a sentence."""
    said = "; ".join(result.reasons) or (
        f"ngspice with the macro-models of all op-amps is NRMSE {max(result.nrmse, result.output_nrmse):.1e} off the "
        f"board's own equation (tolerance {result.tolerance:.0e}), ends in the state that the network asked for "
        f"ends in, and all {len(result.checks)} checks hold."
    )
    badge = element("span", result.verdict, class_=f"badge {result.verdict}")
    return element("div", badge, element("span", said), class_="verdict", role="status")


def key_figures(result: BoardVerification, coverage: Coverage) -> Html:
    """Return the figures at the head of a page."""
    board = result.board
    passed = sum(check.passed for check in result.checks)
    seen = f"{coverage.share(LEVELS[1]):.0%}" if coverage.smallest else "not asked"
    figures = [
        ("neurons", f"{board.scaled.weights.shape[0]}"),
        ("NRMSE to own equation", f"{max(result.nrmse, result.output_nrmse):.1e}"),
        ("NRMSE to ideal network", f"{max(result.deviation, result.output_deviation):.1e}"),
        ("checks", f"{passed} of {len(result.checks)}"),
        (f"parts seen at {LEVELS[1]:.0%}", seen),
        ("parts", f"{sum(line.quantity for line in board.parts)}"),
        ("op-amp, supplies", f"{board.model.name}, {board.model.supply_plus:+g} / {board.model.supply_minus:+g} V"),
    ]
    return element(
        "dl", [element("div", element("dt", what), element("dd", value)) for what, value in figures], class_="figures"
    )


def show_verdict(result: BoardVerification, coverage: Coverage) -> Html:
    """Return what the verdict is, what it rests on, and what the run could not have seen."""
    board, attrs = result.board, result.wave.attrs
    points = result.wave.sizes["time"]
    rests = [
        ("simulator", f"ngspice {attrs.get('version', '?')}, op-amps by macro-models of {board.model.name}"),
        ("self-check of ngspice", f"{float(attrs.get('self_check', np.nan)):.1e} NRMSE left by its steps"),
        ("compared over", f"{format_si(board.t_stop, 's')}, {points} times, every state and output"),
        ("own equation", f"{OWN}; solved by SciPy, with the curves of the amplifiers as a bench measures them"),
        ("ideal network", "C dx/dt = -x/R + T g(x) + B u + I, with the values asked for on the board's scales"),
        ("NRMSE", "RMS difference over the neuron's range, the worst neuron counts"),
        ("passes where", "both agree and settle alike, the network asked for settles there too, and all checks hold"),
    ]
    scales = [row for row in board.rows() if row[0] != "check"]
    return section(
        "verdict",
        "Verdict and what it rests on",
        "",
        element(
            "div",
            element("div", element("h3", "Found"), table(result.rows()), element("h3", "Board"), table(scales)),
            element("div", element("h3", "Rests on"), table(rests)),
            class_="columns",
        ),
        _show_coverage(coverage),
    )


def _show_coverage(coverage: Coverage) -> Html:
    head = element("h3", "Coverage: what this run would have noticed")
    if not coverage.smallest:
        return join(head, element("p", "Not asked for: the network is too large for it.", class_="note"))
    note = (
        f"A part is seen at a level where a change of its value by that much moves a waveform by {MARGIN:g} times the "
        f"tolerance, to first order along this run. The {len(coverage.smallest)} parts that make weights, leaks, "
        "biases, capacitors and complements have such a figure."
    )
    shares = [(f"change of {level:.0%}", f"{coverage.share(level):.0%} of parts seen") for level in LEVELS]
    least = sorted(coverage.smallest.items(), key=lambda item: -item[1])[:MOST_NAMED]
    named = [
        element("a", f"{name} {_percent(size)}", href="#netlist", data_name=name, class_="name") for name, size in least
    ]
    blind = len(coverage.blind)
    rows = [
        *shares,
        ("may be off twofold", f"{blind} parts are not seen even then" if blind else "no part: all would be seen"),
        ("seen least", join([join(one, " ") for one in named])),
        (
            "no figure",
            f"{len(coverage.untold)} op-amps and parts of gain curves and references: seen by the waveforms alone",
        ),
    ]
    return join(head, element("p", note, class_="note"), element("div", table(rows), class_="parts"))


def _percent(size: float) -> str:
    return f"{size:.2g}x" if size > 1.0 else f"{100.0 * size:.2g}%"


def show_checks(board: Board) -> Html:
    """Return each check with its limit and a bar of what it uses of that."""
    half = 0.5 * (board.model.supply_plus - board.model.supply_minus)
    rows = []
    for check in board.checks:
        share = check_share(check, half)
        cells = [
            element("td", "holds" if check.passed else "FAILS"),
            element("td", element("div", bar(share, ends=True), _used(share, check), class_="use")),
            element("td", str(check)),
        ]
        rows.append(element("tr", cells, class_=None if check.passed else "failed-row"))
    head = element(
        "thead", element("tr", [element("th", cell) for cell in ("", "part of the limit used", "what was found")])
    )
    failed = sum(not check.passed for check in board.checks)
    note = f"{failed} of {len(board.checks)} fail." if failed else "All hold. The line in a bar is the limit."
    return section("checks", "Checks of the design", note, element("table", head, element("tbody", rows)))


def _used(share: float, check: Check) -> str:
    return f"{100.0 * max(share, 0.0):.0f}%" if check.passed or share <= 10.0 else "beyond"


def bar(share: float, *, ends: bool) -> Html:
    """Return a bar that is `share` of its limit long; with `ends` the limit is marked."""
    whole = BAR * ROOM if ends else BAR
    length = min(max(share, 0.0) * BAR, whole)
    over = ends and share > 1.0
    drawn = [
        element("rect", x=0, y=0, width=f"{whole:g}", height=f"{HEIGHT:g}", class_="rest"),
        element("rect", x=0, y=0, width=f"{length:.1f}", height=f"{HEIGHT:g}", class_="over" if over else "used"),
    ]
    if ends:
        drawn.append(element("rect", x=f"{BAR - 0.5:g}", y=0, width=1, height=f"{HEIGHT:g}", class_="limit"))
    box = f"0 0 {whole:g} {HEIGHT:g}"
    return element("svg", drawn, viewBox=box, class_="bar", preserveAspectRatio="none", aria_hidden="true")


def show_budget(budget: ErrorBudget | None) -> Html:
    """Return what each imperfection alone adds to the deviation from the ideal network."""
    title = "Error budget"
    if budget is None:
        return section("budget", title, "Not measured for this page: `hopfield-hw report --budget` measures it.")
    least, largest = RESOLVED * budget.resolution, max(one.states for one in (*budget.contributions, *budget.beside))
    note = (
        f"NRMSE of the worst state, each imperfection switched on alone in ngspice. The whole board is "
        f"{budget.states:.1e} from the ideal network, dominated by {budget.dominating.what}. Cure: {budget.cure}"
    )
    rows = [_budget_row(budget, one, _decades(one.states, least, largest)) for one in budget.contributions]
    beside = [_budget_row(budget, one, _decades(one.states, least, largest)) for one in budget.beside]
    columns = ("imperfection", "in decades", "states", "outputs", "predicted, states", "ends")
    head = element("thead", element("tr", [element("th", cell) for cell in columns]))
    tables = [element("table", head, element("tbody", rows))]
    if beside:
        drawn = element("details", element("summary", "tolerances, draws, temperature"), budget.tolerances)
        heading = element("h3", "Beside the nominal board")
        tables += [heading, element("table", head, element("tbody", beside)), drawn]
    others = [
        row
        for row in budget.rows()
        if row[0] in ("sum of waveforms", "root-sum-square, linear", "first order", "resolution")
    ]
    return section("budget", title, note, *tables, element("h3", "Together"), table(others))


def _decades(value: float, least: float, largest: float) -> float:
    """Return how long a bar is on a logarithmic scale from the least that is resolved."""
    if not 0.0 < least < min(value, largest):
        return 0.0
    return math.log(value / least) / math.log(largest / least)


def _budget_row(budget: ErrorBudget, one: Contribution, length: float) -> Html:
    resolved = budget.is_resolved(one)
    cells = [
        element("th", one.what, scope="row"),
        element("td", bar(length, ends=False)),
        element("td", f"{one.states:.2e}" if resolved else "not resolved"),
        element("td", f"{one.outputs:.2e}" if resolved else ""),
        element("td", "none" if one.predicted is None else f"{one.predicted:.2e}"),
        element("td", one.settled),
    ]
    return element("tr", cells)


def show_yield(study: MonteCarlo | None) -> Html:
    """Return how many of drawn boards do the task, and how far from failing they are."""
    title = "Yield of drawn boards"
    if study is None:
        return section("yield", title, "Not drawn for this page: `hopfield-hw report --samples 200` draws boards.")
    note = (
        f"{study.margins.size} boards with all parts drawn from their tolerances, seed {study.seed}; a margin above 0 "
        "is a board that does its task."
    )
    return section(
        "yield",
        title,
        note,
        element("div", element("div", table(study.rows())), element("div", _histogram(study)), class_="columns wrap"),
    )


def _histogram(study: MonteCarlo) -> Html:
    known = study.margins[np.isfinite(study.margins)]
    if not known.size:
        return Html("")
    low, high = min(0.0, float(known.min())), max(0.0, float(known.max()))
    counts, edges = np.histogram(known, bins=BINS, range=(low, high if high > low else low + 1.0))
    width, height = HISTOGRAM
    step, most = width / BINS, float(counts.max())
    bars = [
        element(
            "rect",
            x=f"{k * step + 1.0:.1f}",
            y=f"{height - 40.0 - (height - 62.0) * count / most:.1f}",
            width=f"{step - 2.0:.1f}",
            height=f"{(height - 62.0) * count / most:.1f}",
            class_="used" if edges[k + 1] > 1e-12 * (high - low) and edges[k] >= -1e-12 * (high - low) else "over",
        )
        for k, count in enumerate(counts.tolist())
    ]
    zero = width * (0.0 - low) / (edges[-1] - low)
    unit = f" ({study.unit})" if study.unit else ""
    words = [
        element(
            "line",
            x1=f"{zero:.1f}",
            x2=f"{zero:.1f}",
            y1=10,
            y2=f"{height - 40.0:.1f}",
            stroke="#16202b",
            stroke_dasharray="4 3",
        ),
        element("line", x1=0, x2=f"{width:g}", y1=f"{height - 40.0:.1f}", y2=f"{height - 40.0:.1f}", stroke="#16202b"),
        *(
            element("text", f"{value:.3g}", x=f"{x:.1f}", y=f"{height - 24.0:.1f}", font_size=12, text_anchor=anchor)
            for value, x, anchor in ((low, 0.0, "start"), (float(edges[-1]), width, "end"))
        ),
        element(
            "text",
            f"margin{unit}: of {known.size} boards",
            x=f"{width / 2.0:g}",
            y=f"{height - 8.0:.1f}",
            font_size=12,
            text_anchor="middle",
        ),
        element("text", f"most in a bar: {int(most)}", x=f"{width:g}", y=12, font_size=12, text_anchor="end"),
    ]
    return element(
        "svg",
        bars,
        words,
        viewBox=f"0 0 {width:g} {height:g}",
        class_="histogram",
        role="img",
        aria_label="margins of the drawn boards",
    )


def show_parts(board: Board) -> Html:
    """Return the bill of materials; a name leads to its line of the netlist."""
    rows = []
    for line in board.parts:
        names = [join(element("a", name, href="#netlist", data_name=name), " ") for name in line.names]
        cells = [
            element("th", str(line.quantity), scope="row"),
            *(element("td", cell) for cell in (line.part, line.value)),
        ]
        rows.append(element("tr", cells, element("td", names)))
    head = element("thead", element("tr", [element("th", cell) for cell in COLUMNS]))
    note = "What is bought, by kind and value. Op-amps are counted as amplifiers, of which a package may hold several."
    return section("parts", "Parts", note, element("table", head, element("tbody", rows), class_="parts"))
