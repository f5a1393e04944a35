"""The picture of a verification: what stands on it, that nothing is clipped or overlaps, the schematic's values."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from hopfield_hw.analysis.energy import energy, energy_rise, has_energy
from hopfield_hw.cells import CELLS, ActiveRC, Cell
from hopfield_hw.circuit import Role, Stage
from hopfield_hw.equations import solve
from hopfield_hw.families import static_field
from hopfield_hw.functions import PiecewiseLinear, Table, Tanh
from hopfield_hw.graph import Affine, Edge, Graph, Leak, Output
from hopfield_hw.lowering import lower
from hopfield_hw.networks.network import Network
from hopfield_hw.parts import Behaviour
from hopfield_hw.pictures.files import save_figure
from hopfield_hw.pictures.plots import MOST_WAVES, Picture, plot_verification, plot_waves
from hopfield_hw.pictures.schematic import FAULT, draw_neuron, neuron_devices
from hopfield_hw.spice.dialects import find_dialect
from hopfield_hw.transforms import hold_outputs
from hopfield_hw.values.errors import InputError
from hopfield_hw.values.measures import ranges
from hopfield_hw.verification import Coverage, EnergyReport, Error, Verification, Worst
from hopfield_hw.verification.diagnosis import Suspect

ERROR = 1e-6
TOLERANCE = 1e-4

Drawn = Callable[[Figure], list[tuple[str, Bbox]]]


def flipflop(**others: Any) -> Network:
    """Two neurons that inhibit each other; 0 starts ahead. The row sums are 1/(2 R), so that every cell builds them."""
    fields: dict[str, Any] = {"gain": Tanh(gain=5.0), "initial": [0.02, 0.0], "bias": [1e-6, 0.0]}
    fields.update(others)
    return Network(weights=[[0.0, -5e-5], [-5e-5, 0.0]], resistance=1e4, capacitance=1e-7, **fields)


def memories(side: int = 4) -> dict[str, Any]:
    """Three patterns of side * side pixels: bars down, bars across, and a filled triangle."""
    row, column = np.indices((side, side))
    patterns = {"down": column % 2 == 0, "across": row % 2 == 0, "triangle": row > column}
    return {name: np.where(pattern, 1.0, -1.0).ravel() for name, pattern in patterns.items()}


def memory() -> Network:
    """Sixteen neurons with three patterns (pseudo-inverse rule), started from "across" with two pixels wrong."""
    stored = np.stack(list(memories().values()))
    weights = 4e-4 * stored.T @ np.linalg.pinv(stored.T)
    start = memories()["across"].copy()
    start[[2, 9]] *= -1.0
    weights = (weights + weights.T) / 2.0
    return Network(weights=weights, resistance=1e4, capacitance=1e-7, gain=Tanh(gain=20.0), initial=0.3 * start)


def crowd(n: int) -> Network:
    """Many neurons without symmetry, so without an energy."""
    rng = np.random.default_rng(7)
    weights = rng.normal(size=(n, n)) * 2e-4 / np.sqrt(n)
    return Network(weights=weights, resistance=1e4, capacitance=1e-7, initial=rng.uniform(-1.0, 1.0, n))


def crowd_that_inhibits(n: int) -> Network:
    """Many neurons whose weights off the diagonal are alike."""
    weights = -2e-5 * (np.ones((n, n)) - np.eye(n))
    initial = np.linspace(-0.1, 0.2, n)
    return Network(weights=weights, resistance=1e4, capacitance=1e-7, gain=Tanh(gain=2.0), initial=initial)


def made(
    graph: Graph,
    *,
    cell: str | Cell = "ideal",
    error: float = ERROR,
    worst: int = 0,
    title: str = "A title",
    apart: float = np.inf,
    **changes: Any,
) -> Verification:
    """Return a verification whose "ngspice" is the reference, off by `error` of the range in neuron `worst`.

    `apart`: from when on it is off by half of the range, seconds.
    """
    ref = solve(graph, t_stop=4e-2 if np.isfinite(apart) else 2e-2, points=201)
    circuit = lower(graph, cell=cell, rescale=True, title=title)
    state = ref["state"].to_numpy()
    off = np.zeros_like(state)
    extent = float(ranges(state)[worst])
    off[:, worst] = error * extent * np.sin(np.linspace(0.0, 3.0, state.shape[0]))
    off[ref["time"].to_numpy() > apart, worst] = 0.5 * extent
    wave = ref.assign(state=ref["state"] + off)
    report = None
    if has_energy(graph):
        values = energy(graph, ref["output"].to_numpy())
        rise = energy_rise(values)
        report = EnergyReport(spice=values, reference=values, rise=rise, rise_reference=rise, flat=1e-3)
    found = Verification(
        verdict="passed" if error <= TOLERANCE else "failed",
        reasons=() if error <= TOLERANCE else ("NRMSE 3.0e-01 of the whole waveforms is above 1e-04",),
        nrmse=error,
        steps=Error(error, "0", 1e-3),
        outputs=Error(0.0, "", 0.0),
        worst=Worst(str(ref["neuron"].to_numpy()[worst]), 1e-3, error, error * extent),
        settled="same",
        tolerance=TOLERANCE,
        accuracy=1e-4,
        restarted=False,
        growth=None,
        coverage=Coverage(smallest={device.name: 10.0**-k for k, device in enumerate(circuit.devices[:4])}),
        starts=0,
        energy=report,
        seconds={"compile": 0.01, "reference": 0.2, "spice": 1.5},
        cell=circuit.cell,
        version=39,
        self_check=1e-6,
        warning="",
        suspects=(),
        wave=wave,
        ref=ref,
        circuit=circuit,
        graph=graph,
    )
    return replace(found, **changes)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """Return a function that draws a figure, and gives each text that reaches the paper with where it stands."""
    found: list[tuple[str, Bbox]] = []
    draw = Text.draw

    def recorded(self: Text, renderer: Any) -> None:
        draw(self, renderer)
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), self.get_window_extent(renderer)))

    def texts(figure: Figure) -> list[tuple[str, Bbox]]:
        found.clear()
        FigureCanvasAgg(figure).draw()
        return list(found)

    monkeypatch.setattr(Text, "draw", recorded)
    return texts


def clashes(figure: Figure, texts: list[tuple[str, Bbox]]) -> list[str]:
    """Return a sentence for each text that leaves the page, and for each two that stand on each other."""
    page = figure.bbox
    outside = [
        f"{text!r} leaves the page: {box}"
        for text, box in texts
        if box.x0 < page.x0 or box.y0 < page.y0 or box.x1 > page.x1 or box.y1 > page.y1
    ]
    # Boxes hold a pixel or two of air around the letters.
    inner = [(text, box.padded(-1.5)) for text, box in texts]
    on_top = [
        f"{one!r} stands on {other!r}"
        for (one, a), (other, b) in combinations(inner, 2)
        if min(a.x1, b.x1) > max(a.x0, b.x0) and min(a.y1, b.y1) > max(a.y0, b.y0)
    ]
    return outside + on_top


def panel(figure: Figure, part: str) -> Axes:
    """Return the one axis whose title or y label holds a text."""
    (axes,) = [a for a in figure.axes if part in a.get_title(loc="left") + a.get_title() + a.get_ylabel()]
    return axes


LONG = tuple(f"{'a_label_of_forty_eight_characters_and_no_fewer'}_{k}" for k in range(2))
TABLE = Table(x=np.linspace(-1.0, 1.0, 41), y=np.tanh(3.0 * np.linspace(-1.0, 1.0, 41)))
SUSPECT = Suspect(
    neuron="1",
    weight="syn.weights[1, 0]",
    devices=("R_syn_1_0",),
    explained=0.9999,
    change="-50 uS acts as 50 uS, which is a change of sign; a term that is almost as good follows below",
)
MUTUAL = [[0.0, -0.5], [-0.5, 0.1]]
CASES: dict[str, Callable[[], tuple[Verification, Picture | None]]] = {
    **{f"two neurons, {cell}": lambda cell=cell: (made(flipflop().graph(), cell=cell), None) for cell in CELLS},
    **{
        f"a drawing of {what}": lambda graph=graph, cell=cell: (made(graph(), cell=cell), None)
        for what, graph, cell in (
            ("differential pairs", lambda: flipflop().graph(), ActiveRC(activation="pair")),
            ("clamps", lambda: flipflop(gain=PiecewiseLinear(gain=5.0)).graph(), "chua_yang"),
            ("a common line", lambda: crowd_that_inhibits(5).graph(), "winner_take_all"),
            (
                "adders before gains",
                lambda: static_field([[0.0, -0.5], [-0.5, 0.1]], initial=[0.2, 0.1]),
                "summing_amplifier",
            ),
            ("ideal switches", lambda: hold_outputs(flipflop(), period=1e-3), "ideal"),
            ("switches between op-amps", lambda: hold_outputs(flipflop(), period=1e-3), "active_rc"),
        )
    },
    "memory as images": lambda: (made(memory().graph(), worst=5), Picture(shape=(4, 4), memories=memories())),
    "memory as bars": lambda: (made(memory().graph(), cell="hopfield_tank", worst=15), None),
    "no energy, many neurons": lambda: (made(crowd(40).graph(), cell="inverting_integrator", worst=31), None),
    "failed": lambda: (
        made(
            flipflop().graph(),
            cell="hopfield_tank",
            error=0.3,
            worst=1,
            settled="different",
            suspects=(SUSPECT,) * 8,
            warning="halving the step still changes the waveform by 2e-3 NRMSE, above the accuracy 1e-4 asked for " * 3,
        ),
        None,
    ),
    "cut early": lambda: (made(crowd(6).graph(), restarted=True, apart=4e-3, growth=340.0), None),
    "cut late": lambda: (made(crowd(6).graph(), restarted=True, apart=3.6e-2, growth=340.0), None),
    "long labels": lambda: (made(flipflop(labels=LONG, gain=TABLE).graph(), cell="inverting_integrator"), None),
    "long labels, ideal": lambda: (made(flipflop(labels=LONG, gain=TABLE).graph(), title="long words " * 20), None),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_nothing_is_clipped_and_nothing_overlaps(case: Callable[[], Any], drawn: Drawn) -> None:
    result, picture = case()
    figure = plot_verification(result, picture=picture)
    texts = drawn(figure)
    assert len(texts) > 40
    assert not clashes(figure, texts), "\n".join(clashes(figure, texts))


def test_a_clash_and_a_clipped_text_are_found(drawn: Drawn) -> None:
    figure = plot_verification(made(flipflop().graph()))
    figure.text(0.017, 0.963, "second title")
    figure.text(0.99, 0.5, "beyond the edge")
    found = clashes(figure, drawn(figure))
    assert len(found) == 2
    assert "'beyond the edge' leaves the page" in found[0]
    assert "'second title'" in found[1]


def test_page_is_a4_landscape_at_150_dots_per_inch(tmp_path: Path) -> None:
    figure = plot_verification(made(flipflop().graph()))
    figure.savefig(tmp_path / "page.png")
    content = (tmp_path / "page.png").read_bytes()
    header = content[:24]
    assert [int.from_bytes(header[k : k + 4]) for k in (16, 20)] == [1753, 1240]
    # What a notebook shows is the same.
    assert figure._repr_png_() == content


def test_verdict_says_in_words_and_colour_what_was_found() -> None:
    short = plot_verification(made(flipflop().graph(), error=0.3, settled="different")).texts[1]
    assert short.get_text() == "failed: NRMSE 3.0e-01 of the whole waveforms is above 1e-04"
    assert same_color(short.get_color(), FAULT)
    passed = plot_verification(made(flipflop().graph())).texts[1]
    assert passed.get_text() == "passed: NRMSE 1.0e-06 (tolerance 1e-04), steps 1.0e-06, settled state: same"
    assert not same_color(passed.get_color(), FAULT)


def test_a_title_is_never_read_as_mathematics(drawn: Drawn) -> None:
    title = "costs $5 \\frac{ and $x^2"
    assert title in [text for text, _ in drawn(plot_verification(made(flipflop().graph(), title=title)))]


def test_the_reference_lies_in_black_dashes_over_ngspice_in_colour() -> None:
    result = made(flipflop().graph(), worst=1)
    lines = panel(plot_verification(result), "states").lines
    for k in range(2):
        np.testing.assert_array_equal(lines[k].get_ydata(), result.wave["state"].to_numpy()[:, k])
        np.testing.assert_array_equal(lines[2 + k].get_ydata(), result.ref["state"].to_numpy()[:, k])
        assert not same_color(lines[k].get_color(), "black")
        assert same_color(lines[2 + k].get_color(), "black")
        assert lines[k].get_linestyle() == "-" != lines[2 + k].get_linestyle()
        assert lines[k].get_zorder() < lines[2 + k].get_zorder()
    assert same_color(lines[1].get_color(), FAULT)
    assert not same_color(lines[0].get_color(), FAULT)


def test_of_many_neurons_the_worst_and_evenly_spread_others_are_shown() -> None:
    result = made(crowd(40).graph(), worst=31)
    axes = panel(plot_verification(result), "states")
    legend = axes.get_legend()
    assert legend is not None
    labels = [int(text.get_text()) for text in legend.get_texts()]
    assert len(labels) == MOST_WAVES
    assert 31 in labels
    assert {0, 39} < set(labels)
    # 39 / 11 apart, but for the one that gave way to the worst.
    assert max(np.diff(labels)) <= 6
    said = axes.get_title(loc="left").split("\n")[1]
    assert said == "neuron 31 (orange, thick dashes) is the worst; with it 11 of the other 39, evenly spread"


def test_the_residual_is_a_part_of_each_neurons_range() -> None:
    result = made(flipflop().graph(), error=1e-5, worst=1)
    axes = panel(plot_verification(result), "/ range")
    assert axes.get_yscale() == "log"
    state = result.ref["state"].to_numpy()
    expected = np.abs(result.wave["state"].to_numpy() - state)[:, 1] / np.ptp(state[:, 1])
    shown = np.asarray(axes.lines[1].get_ydata(), dtype=float)
    np.testing.assert_array_equal(shown[1:], expected[1:])
    assert np.isnan(shown[0])  # zero has no logarithm
    assert [text.get_text() for text in axes.texts] == ["tolerance\n1e-04"]
    assert set(np.ravel(axes.lines[2].get_ydata())) == {TOLERANCE}
    low, high = axes.get_ylim()
    assert low < 1e-5 < TOLERANCE < high


def test_both_share_the_time_axis_in_its_unit() -> None:
    figure = plot_verification(made(flipflop().graph()))
    above, below = panel(figure, "states"), panel(figure, "/ range")
    assert above.get_xlim() == below.get_xlim() == (0.0, 20.0)
    assert below.get_xlabel() == "time (ms)"
    assert above.get_ylabel() == "state (V)"


def test_the_gate_is_drawn_where_a_network_is_judged_step_by_step() -> None:
    result = made(crowd(6).graph(), restarted=True, apart=4e-3, growth=340.0)
    figure = plot_verification(result)
    for part in ("states", "/ range"):
        assert np.ravel(panel(figure, part).lines[-1].get_xdata()) == pytest.approx(4.0)
    assert " whole waveforms agree up to 4 ms " in [text.get_text() for text in panel(figure, "/ range").texts]
    state = result.ref["state"].to_numpy()
    expected = np.abs(result.wave["state"].to_numpy() - state)[1:, 0] / np.ptp(state[:, 0])
    np.testing.assert_allclose(np.asarray(panel(figure, "/ range").lines[0].get_ydata())[1:], expected, rtol=1e-12)


def test_waveforms_that_agree_to_the_last_bit_are_drawn(drawn: Drawn) -> None:
    figure = plot_verification(made(flipflop().graph(), error=0.0))
    assert not clashes(figure, drawn(figure))
    low, high = panel(figure, "/ range").get_ylim()
    assert low < TOLERANCE < high


def test_outputs_before_and_after_are_bars() -> None:
    result = made(flipflop().graph())
    axes = panel(plot_verification(result), "initial and final")
    heights = [patch.get_height() for patch in axes.patches]
    output = result.wave["output"].to_numpy()
    np.testing.assert_array_equal(heights, [*output[0], *output[-1]])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1"]


def test_a_memory_is_shown_beside_the_nearest_wrong_one() -> None:
    figure = plot_verification(made(memory().graph()), picture=Picture(shape=(4, 4), memories=memories()))
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    wrong = {name: int(np.sum(memories()["across"] != pattern)) for name, pattern in memories().items()}
    assert wrong["down"] < wrong["triangle"]
    assert titles == [
        "initial\n2 of 16 pixels differ",
        "settled (ngspice)\n0 of 16 pixels differ",
        "nearest stored: across",
        f"nearest wrong: down\n{wrong['down']} of 16 pixels differ",
    ]
    start, settled, nearest, other = (axes.images[0].get_array() for axes in figure.axes if axes.images)
    signs = [np.where(np.asarray(image) > 0.0, 1.0, -1.0).ravel() for image in (start, settled, nearest, other)]
    assert np.flatnonzero(signs[0] != memories()["across"]).tolist() == [2, 9]
    np.testing.assert_array_equal(signs[1], memories()["across"])
    np.testing.assert_array_equal(signs[2], memories()["across"])
    np.testing.assert_array_equal(signs[3], memories()["down"])
    (dots,) = next(axes for axes in figure.axes if axes.images).lines
    assert list(zip(dots.get_ydata(), dots.get_xdata(), strict=True)) == [(0, 2), (2, 1)]


def test_a_single_memory_has_no_wrong_one_beside_it() -> None:
    only = Picture(shape=(4, 4), memories={"across": memories()["across"]})
    figure = plot_verification(made(memory().graph(), settled="not settled"), picture=only)
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert [title.split("\n")[0] for title in titles] == ["initial", "not settled (ngspice)", "nearest stored: across"]


def test_patterns_of_zeros_and_ones_are_read_by_their_own_middle() -> None:
    binary = {name: (pattern + 1.0) / 2.0 for name, pattern in memories().items()}
    figure = plot_verification(made(memory().graph()), picture=Picture(shape=(4, 4), memories=binary))
    assert "settled (ngspice)\n0 of 16 pixels differ" in [axes.get_title() for axes in figure.axes]


@pytest.mark.parametrize(
    ("shape", "stored", "message"),
    [
        ((0, 4), {"a": []}, "`Picture.shape` = (0, 4): must be (rows, columns), each at least 1"),
        ((2, 2), {}, "`Picture.memories` is empty: must hold at least one pattern"),
        ((2, 2), {"a": [1.0, -1.0]}, "`Picture.memories['a']` has shape (2,): must have shape (4,)"),
    ],
)
def test_a_picture_that_holds_no_images_is_refused(shape: Any, stored: Any, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        Picture(shape=shape, memories=stored)
    assert str(refusal.value) == message


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        plot_verification(made(flipflop().graph()), picture=Picture(shape=(4, 4), memories=memories()))
    assert str(refusal.value) == "`Picture.shape` = (4, 4): has 16 pixels, the network 2 outputs"


def test_the_energy_of_both_is_drawn_and_judged() -> None:
    result = made(flipflop().graph())
    axes = panel(plot_verification(result), "energy:")
    assert axes.get_title(loc="left") == "energy: never rises"
    assert result.energy is not None
    assert axes.get_ylabel() == "E (uW)"
    for line in axes.lines[:2]:
        np.testing.assert_allclose(line.get_ydata(), result.energy.spice * 1e6, rtol=1e-12)
    rising = replace(result, energy=replace(result.energy, rise=0.02))
    title = panel(plot_verification(rising), "energy:").get_title(loc="left")
    assert title.startswith("energy: rises by 2.0e-02 of its range")


def test_without_an_energy_the_outputs_that_move_most_stand_against_each_other() -> None:
    result = made(crowd(6).graph())
    axes = panel(plot_verification(result), "no energy")
    extent = np.ptp(result.ref["output"].to_numpy(), axis=0)
    first, second = np.argsort(-extent)[:2].tolist()
    assert axes.get_xlabel() == f"output of {first} (V)"
    assert axes.get_ylabel() == f"output of {second} (V)"
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), result.wave["output"].to_numpy()[:, second])


def test_a_single_state_without_an_energy_stands_against_its_rate() -> None:
    """dx/dt = -x / (R C) from 1 V: what is up is -1 / (R C) times what is across, in V/ms."""
    leak = Leak(name="x", capacitance=[1e-7], resistance=[5e4], initial=[1.0])  # type: ignore[arg-type]
    alone = Graph(operators=(leak, Output(name="y", size=1)), edges=(Edge("x", "y"),))
    result = made(alone)
    axes = panel(plot_verification(result), "the state and its rate; no energy")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("state of 0 (V)", "its rate (V/ms)")
    x, rate = (np.asarray(values) for values in axes.lines[1].get_data())
    np.testing.assert_allclose(rate[1:-1], -x[1:-1] / 5.0, rtol=1e-3)


def test_the_report_is_the_table() -> None:
    result = made(flipflop().graph(), cell="inverting_integrator")
    figure = plot_verification(result)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    for what, value in result.rows():
        assert what in texts
        assert value in texts


def test_a_long_report_says_how_much_is_left_out() -> None:
    figure = plot_verification(CASES["failed"]()[0])
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    (rest,) = [text for text in texts if "more lines in the report" in text]
    assert int(rest.split()[1]) > 1


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("ideal", {"G_syn_0_1 = -50 uS * v_1", "I_syn_0 = 1 uA", "C_x_0\n100 nF", "R_x_0\n10 kOhm"}),
        ("hopfield_tank", {"R_syn_0_1 = 20 kOhm", "vn_1", "I_syn_0 = 1 uA", "R_x_0\n20 kOhm", "E_inv_v_0\n= -1"}),
        (
            "inverting_integrator",
            {"R_syn_0_1 = 20 kOhm", "vn_1", "C_x_0 = 100 nF", "R_x_0 = 10 kOhm", "E_x_0\nA = 1e+07"},
        ),
    ],
)
def test_the_schematic_holds_the_values_of_the_circuit(cell: str, values: set[str]) -> None:
    graph = flipflop().graph()
    axes = Figure().add_subplot()
    circuit = lower(graph, cell=cell)
    draw_neuron(axes, circuit, graph, "0")
    texts = {text.get_text() for text in axes.texts}
    assert values <= texts
    amplifier = circuit.device("B_v_0")
    assert isinstance(amplifier.part, Behaviour)
    formula = find_dialect("ngspice").expression(amplifier.part.formula, amplifier.nodes[2:])
    assert f"V={formula}" in circuit.netlist()
    assert f"B_v_0: v_0 = {formula}" in texts


def test_of_many_synapses_the_strongest_are_drawn_and_the_rest_counted() -> None:
    net = replace(crowd(40), bias=1e-6)
    devices = neuron_devices(lower(net.graph()), net.graph(), "7")
    strongest = np.argsort(-np.abs(net.weights[7]))[:3]
    assert [device.name for device in devices.into] == [*(f"G_syn_7_{j}" for j in strongest), "I_syn_7"]
    assert devices.more == 37
    passive = neuron_devices(lower(net.graph(), cell="inverting_integrator"), net.graph(), "7")
    assert [device.name for device in passive.into[:3]] == [f"R_syn_7_{j}" for j in strongest]


def test_a_device_at_fault_is_drawn_in_colour_even_if_it_is_weak() -> None:
    graph = crowd(40).graph()
    circuit = lower(graph)
    weakest = int(np.argmin(np.abs(crowd(40).weights[7])))
    axes = Figure().add_subplot()
    draw_neuron(axes, circuit, graph, "7", {f"G_syn_7_{weakest}"})
    coloured = [text.get_text() for text in axes.texts if same_color(text.get_color(), FAULT)]
    assert len(coloured) == 1
    assert coloured[0].startswith(f"G_syn_7_{weakest} = ")
    assert any(same_color(line.get_color(), FAULT) for line in axes.lines)


def test_neurons_of_several_populations_are_told_apart() -> None:
    def leak(name: str, farads: float) -> Leak:
        return Leak(name=name, capacitance=[farads] * 2, resistance=1e4, initial=[0.1, 0.2])

    across, back = Affine(name="there", weights=np.eye(2) * 1e-5), Affine(name="back", weights=np.eye(2) * -2e-5)
    graph = Graph(
        operators=(leak("x", 1e-7), leak("y", 2e-7), across, back, Output(name="out", size=2)),
        edges=(Edge("x", "there"), Edge("there", "y"), Edge("y", "back"), Edge("back", "x"), Edge("y", "out")),
    )
    circuit = lower(graph)
    devices = neuron_devices(circuit, graph, "y_1")
    assert [device.name for device in devices.into] == ["G_there_1_1"]
    (drawn,) = devices.stages  # no amplifier follows
    assert drawn.stage is Stage.RC
    assert drawn.devices[Role.CAPACITANCE] == (circuit.device("C_y_1"),)
    figure = plot_verification(made(graph, worst=3))
    assert panel(figure, "neuron y_1 (the worst)")


def test_a_neuron_that_is_not_there_is_refused() -> None:
    graph = flipflop().graph()
    with pytest.raises(InputError) as refusal:
        neuron_devices(lower(graph), graph, "7")
    assert str(refusal.value) == "schematic: the graph has no neuron '7'; name one of 0, 1"


def test_a_cell_that_cannot_be_drawn_is_said_on_the_page(drawn: Drawn) -> None:
    result = made(flipflop().graph())
    odd = replace(result, circuit=replace(result.circuit, sketches={}, cell="of_my_own"))
    figure = plot_verification(odd)
    texts = drawn(figure)
    assert any("'of_my_own' gives no drawing of 'x'" in text.replace("\n", " ") for text, _ in texts)
    assert not clashes(figure, texts)


@pytest.mark.parametrize("net", [flipflop(), crowd(40)], ids=["2", "40"])
def test_waves_of_a_dataset_are_written(net: Network, tmp_path: Path, drawn: Drawn, monkeypatch: Any) -> None:
    pages: list[Figure] = []
    savefig = Figure.savefig

    def kept(self: Figure, *args: Any, **others: Any) -> None:
        pages.append(self)
        savefig(self, *args, **others)

    monkeypatch.setattr(Figure, "savefig", kept)
    dataset = solve(net.graph(), points=101)
    path = tmp_path / "waves.png"
    plot_waves(dataset, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    (figure,) = pages
    assert not clashes(figure, drawn(figure))
    for name, axes in zip(("state", "output"), figure.axes, strict=True):
        assert len(axes.lines) == min(net.size, MOST_WAVES)
        assert axes.get_ylabel() == f"{name} (V)"
        np.testing.assert_array_equal(axes.lines[-1].get_ydata(), dataset[name].to_numpy()[:, -1])


def test_waves_without_outputs_are_states_alone(tmp_path: Path) -> None:
    leak = Leak(name="x", capacitance=[1e-7], resistance=1e4, initial=[1.0])
    graph = Graph(operators=(leak, Affine(name="a", weights=[[1e-6]])), edges=(Edge("x", "a"), Edge("a", "x")))
    plot_waves(solve(graph, points=101), tmp_path / "waves.svg")
    assert "<svg" in (tmp_path / "waves.svg").read_text(encoding="utf-8")
    assert plot_verification(made(graph)).axes


def test_a_suffix_that_is_no_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^page\.docx: .*docx.*; give the picture a suffix such as \.png$"):
        save_figure(Figure(), tmp_path / "page.docx")


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        save_figure(Figure(), tmp_path / "nowhere" / "page.png")
    assert str(refusal.value) == "page.png: cannot be written (No such file or directory); give another path"


def test_a_users_own_style_neither_shows_nor_changes() -> None:
    with mpl.rc_context({"font.size": 30.0, "axes.titlesize": 40.0, "figure.dpi": 20.0}):
        before = dict(mpl.rcParams)
        figure = plot_verification(made(flipflop().graph()))
        assert dict(mpl.rcParams) == before
    assert figure.dpi == 150.0
    assert panel(figure, "states").title.get_fontsize() == 8.0


def test_no_figure_of_pyplot_is_opened() -> None:
    plot_verification(made(flipflop().graph()))
    assert sys.modules["matplotlib.pyplot"].get_fignums() == []
