"""Delays in ngspice: lines, taps, stages; each verified against the delay equation."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.analysis.amplification import amplification
from hopfield_hw.analysis.stability import critical_delay
from hopfield_hw.cells import AllPass, HopfieldTank, InvertingIntegrator
from hopfield_hw.graph import Affine, Delay, Edge, Graph, Input, Leak, Output
from hopfield_hw.parts import Line, VoltageSource
from hopfield_hw.spice.dialects import find_dialect
from hopfield_hw.spice.ngspice import run
from hopfield_hw.transforms import add_delay, add_delay_by_edge, add_neutral_delays, distribute_delay
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import InputError, Unrealisable
from hopfield_hw.values.measures import nrmse
from hopfield_hw.verification.random_set import draw

pytestmark = pytest.mark.usefixtures("ngspice")
RC = 1e-3


def network(weights: Any = ((0.0, -0.6), (-0.6, 0.0)), gain: float = 4.0, **others: Any) -> hh.Network:
    options = {"initial": [0.3, 0.2], "bias": [1e-6, 0.0], **others}
    return hh.Network(
        weights=1e-4 * np.array(weights), resistance=1e4, capacitance=1e-7, gain=hh.Tanh(gain=gain), **options
    )


@pytest.mark.parametrize("cell", ["hopfield_tank", "inverting_integrator"])
def test_other_cells_have_lines_too(cell: str) -> None:
    graph = add_delay_by_edge(network(), [[0.0, 1.0 * RC], [0.4 * RC, 0.0]])
    result = hh.verify(graph, cell=cell, t_stop=10 * RC)
    assert result.passed, result
    assert sum(device.name[0] == "T" for device in result.circuit.devices) == 2


@pytest.mark.parametrize("cell", ["hopfield_tank", "inverting_integrator"])
def test_a_gamma_kernel_is_built_of_buffered_sections(cell: str) -> None:
    graph = distribute_delay(network(), 0.6 * RC, order=3)
    result = hh.verify(graph, cell=cell, t_stop=10 * RC)
    assert result.passed, result
    buffers = [device.name for device in result.circuit.devices if device.name.startswith("E_buf_")]
    assert sorted(buffers) == sorted(f"E_buf_v_gamma_{k}_{i}" for k in range(3) for i in range(2))
    assert sum(device.name.startswith("C_v_gamma_") for device in result.circuit.devices) == 6


@pytest.mark.parametrize("cell", ["hopfield_tank", "inverting_integrator"])
def test_a_state_may_be_delayed_in_any_cell(cell: str) -> None:
    x = Leak(name="x", capacitance=[1e-7], resistance=[1e4], initial=[0.4])  # type: ignore[arg-type]
    late = Delay(name="d", size=1, tau=0.6 * RC, history=[-0.1])  # type: ignore[arg-type]
    operators = (x, late, Affine(name="w", weights=[[-0.9e-4]]), Output(name="out", size=1))  # type: ignore[arg-type]
    edges = tuple(Edge(*edge) for edge in (("x", "d"), ("d", "w"), ("w", "x"), ("x", "out")))
    result = hh.verify(Graph(operators=operators, edges=edges), cell=cell, t_stop=8 * RC)
    assert result.passed, result


def test_buffers_undo_a_rescaling() -> None:
    strong = distribute_delay(network(((0.0, -1.6), (-1.6, 0.0)), gain=1.0), 0.6 * RC, order=2)
    result = hh.verify(strong, cell="hopfield_tank", t_stop=10 * RC, rescale=True)
    assert result.circuit.states[0].scale > 1.0
    assert result.passed, result


def test_a_delayed_input_is_followed() -> None:
    x = Leak(name="x", capacitance=[1e-7], resistance=[1e4], initial=[0.0])  # type: ignore[arg-type]
    late = Delay(name="d", size=1, tau=0.7 * RC, history=[0.5])  # type: ignore[arg-type]
    operators = (Input(name="u", size=1), late, Affine(name="w", weights=[[1e-4]]), x, Output(name="out", size=1))  # type: ignore[arg-type]
    edges = tuple(Edge(*edge) for edge in (("u", "d"), ("d", "w"), ("w", "x"), ("d", "out")))
    graph = Graph(operators=operators, edges=edges)
    ramp = hh.Signal(times=[0.0, 1e-3, 2e-3], values=[0.5, 1.0, -1.0])  # type: ignore[arg-type]
    result = hh.verify(graph, t_stop=5 * RC, inputs=ramp)
    assert result.passed, result
    assert nrmse(result.ref["output"].to_numpy(), result.wave["output"].to_numpy()) < 1e-4


def test_a_constant_history_is_held_exactly() -> None:
    """x is driven by the history alone up to tau: a wrong initial condition of the line would be seen at once."""
    graph = add_delay(network(), 2 * RC, history={"v": [0.7, -0.2]})
    found = hh.simulate(hh.lower(graph), t_stop=2 * RC, accuracy=1e-6)
    late = found["output"].to_numpy()
    assert late.shape == (2001, 2)
    t = found["time"].to_numpy()[:, np.newaxis] / RC
    target = np.array([1e-6, 0.0]) * 1e4 + np.array([[0.0, -0.6], [-0.6, 0.0]]) @ [0.7, -0.2]
    expected = target + (np.array([0.3, 0.2]) - target) * np.exp(-t)
    assert np.max(np.abs(found["state"].to_numpy() - expected)) < 1e-6


def test_delays_of_one_signal_share_a_line_unless_they_are_close() -> None:
    def lines(taus: Any) -> list[float]:
        circuit = hh.lower(add_delay_by_edge(network(((0.1, 0.2), (0.3, 0.4))), RC * np.array(taus)))
        return [device.part.delay / RC for device in circuit.devices if isinstance(device.part, Line)]

    assert lines([[0.4, 0.4], [1.0, 1.0]]) == pytest.approx([0.4, 0.6] * 2)
    assert lines([[0.4, 0.4], [0.5, 0.5]]) == pytest.approx([0.4, 0.5] * 2)
    assert lines([[0.4, 0.5], [0.9, 0.6]]) == pytest.approx([0.4, 0.5, 0.5, 0.6])  # column by column, from 0 and 1


def test_weights_of_the_taps_by_a_sweep() -> None:
    """The source that interpolates, swept by ngspice over its range, against Keys' cubics written out."""
    tau = hh.Signal(times=[0.0, 1e-3], values=[0.2e-3, 1.0e-3])  # type: ignore[arg-type]
    circuit = hh.lower(add_delay(network(), tau))
    (place,) = [device for device in circuit.devices if device.name == "V_v_late_tau"]
    assert isinstance(place.part, VoltageSource)
    assert place.part.voltage == ((0.0, pytest.approx(1.0)), (1e-3, pytest.approx(25.0)))
    sources = [device for device in circuit.devices if device.name.startswith("B_v_late_weight")]
    deck = "sweep\nV_at v_late_place 0 DC 0\n"
    deck += "".join(f"{line}\n" for line in find_dialect("ngspice").format_devices(sources, {}))
    plot = run(deck + ".dc V_at 0 26 0.05\n.end\n", t_stop=None, timeout=60.0)
    at = plot.column("v(v_late_place)").real
    assert len(sources) == 27

    def keys(u: Array) -> Array:
        u = np.abs(u)
        near, far = 1.5 * u**3 - 2.5 * u**2 + 1.0, -0.5 * u**3 + 2.5 * u**2 - 4.0 * u + 2.0
        return np.where(u < 1.0, near, np.where(u < 2.0, far, 0.0))

    for j, device in enumerate(sources):
        assert np.max(np.abs(plot.column(f"v({device.nodes[0].lower()})").real - keys(at - j))) < 1e-9


def test_stages_come_as_close_as_they_say() -> None:
    graph = add_delay(network(), 1.0 * RC)
    errors = []
    for accuracy in (1e-2, 1e-3):
        cell = HopfieldTank(delay=AllPass(accuracy=accuracy))
        result = hh.verify(graph, cell=cell, t_stop=10 * RC, tolerance=0.1, rescale=True)
        assert result.passed, result
        errors.append(result.nrmse)
        stages = sum(device.name.startswith("E_v_late_0_") for device in result.circuit.devices)
        assert stages == int(np.ceil(np.sqrt(1.0 / 12.0 / accuracy)))
    assert errors[0] < 3e-2
    assert errors[1] < 3e-3


def test_a_sine_through_the_stages_is_as_late_as_they_say(ngspice: str) -> None:
    """By ngspice's .ac: size 1, and a phase that is off by less than the accuracy at the bandwidth, most of it used."""
    form = AllPass(accuracy=1e-2, bandwidth=2e3)
    circuit = hh.lower(add_delay(network(), 1.5 * RC), cell=InvertingIntegrator(delay=form))
    devices = [device for device in circuit.devices if device.name.split("_", 1)[1].startswith("v_late_0")]
    lines = find_dialect("ngspice").format_devices(devices, {})
    deck = "\n".join(
        ["phase", "V_in v_0 0 DC 0 AC 1", *lines, f".ac lin 1 {2e3 / 2 / np.pi} {2e3 / 2 / np.pi}", ".end\n"]
    )
    (out,) = run(deck, t_stop=None, timeout=60.0).column("v(v_late_0)")
    assert abs(out) == pytest.approx(1.0, abs=1e-3)
    early = np.angle(out * np.exp(1j * 2e3 * 1.5 * RC))
    assert 0.5e-2 < early < 1e-2


# u' = -u + a tanh(u(t - tau)) (Marcus and Westervelt 1989).
CRITICAL = {-1.5: 2.05765, -2.0: 1.20920, -4.0: 0.47082}


def scalar(a: float) -> hh.Network:
    return network(((a,),), gain=1.0, initial=[1e-3], bias=0.0)


@pytest.mark.parametrize("a", CRITICAL)
def test_critical_delay_by_its_formula(a: float) -> None:
    assert critical_delay(scalar(a)) == pytest.approx(CRITICAL[a] * RC, rel=1e-5)
    assert critical_delay(scalar(-a)) == np.inf
    assert critical_delay(scalar(-0.9)) == np.inf


@pytest.mark.parametrize("a", CRITICAL)
def test_critical_delay_by_bisection_in_ngspice(a: float) -> None:
    def grows(tau: float) -> bool:
        circuit = hh.lower(add_delay(scalar(a), tau))
        x = hh.simulate(circuit, t_stop=45 * RC, accuracy=1e-3)["state"].to_numpy()[:, 0]
        return bool(np.ptp(x[1333:]) > np.ptp(x[667:1333]))

    low, high = 0.98 * CRITICAL[a] * RC, 1.02 * CRITICAL[a] * RC
    assert grows(high)
    assert not grows(low)
    while high / low > 1.01:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if grows(middle) else (middle, high)
    assert 0.5 * (low + high) == pytest.approx(CRITICAL[a] * RC, rel=0.01)


def test_perturbations_of_a_delay_equation_are_followed() -> None:
    grown = amplification(add_delay(replace(scalar(-4.0), initial=[1e-6]), 1.0 * RC), t_stop=12 * RC)
    assert grown.cut
    assert grown.growth > 100.0
    assert not amplification(add_delay(scalar(-4.0), 0.3 * RC), t_stop=12 * RC).cut


def test_a_line_of_a_wrong_length_is_seen() -> None:
    graph = add_delay(network(), 1.0 * RC)
    deck = hh.lower(graph).netlist().replace("TD=0.001", "TD=0.00101")
    assert not hh.verify(graph, deck=deck, t_stop=10 * RC).passed


def test_bad_requests_are_refused() -> None:
    function = hh.Signal(times=[0.0, 1e-3], values=[[0.0, 0.1], [1.0, 0.1]])  # type: ignore[arg-type]
    past = add_delay(network(), RC, history={"v": function})
    constant = add_delay(network(), RC, history={"v": hh.Signal(times=[0.0, 1.0], values=[[1.0, 0.5]] * 2)})  # type: ignore[arg-type]
    wide = add_delay(network(), hh.Signal(times=[0.0, 1.0], values=[1e-5, 1e-3]))  # type: ignore[arg-type]
    varying = add_delay(network(), hh.Signal(times=[0.0, 1.0], values=[1e-3, 2e-3]))  # type: ignore[arg-type]
    many = hh.Network(weights=np.ones((17, 17)) * 1e-6, resistance=1e4, capacitance=1e-7)
    over = add_delay_by_edge(many, 1e-4 * np.linspace(1.0, 2.0, 289).reshape(17, 17))
    jumps = replace(add_neutral_delays(network(), [0.9 * np.eye(2)], [RC]))
    never = replace(
        jumps,
        operators=tuple(
            replace(op, weights=np.eye(2)) if isinstance(op, Affine) and op.name == "x_neutral_0" else op
            for op in jumps.operators
        ),
    )
    hh.lower(constant)
    tank = HopfieldTank(delay=AllPass())
    refused: dict[str, Any] = {
        "Delay 'v_late': its history is a function of time, and a line holds a constant one alone": lambda: hh.lower(
            past
        ),
        "Delay 'v_late': varies from 1e-05 to 0.001 s, which takes 198 taps, at most 128": lambda: hh.lower(wide),
        "the graph has 289 delays that differ: a circuit has at most 256": lambda: hh.lower(over),
        "Delay 'v_late': varies with time; cell='ideal' has it": lambda: hh.lower(varying, cell=tank),
        "all_pass: a delay of 0.001 s at 1e+07 rad/s to 0.01 rad takes": lambda: hh.lower(
            add_delay(network(), RC), cell=HopfieldTank(delay=AllPass(bandwidth=1e7))
        ),
    }
    for message, lower in refused.items():
        with pytest.raises(Unrealisable, match=f"^{re.escape(message)}"):
            lower()
    with pytest.raises(InputError, match="alone has a spectral radius of D = 1: must be below 1"):
        hh.lower(never)
    with pytest.raises(InputError, match="`nodes`: what Delays give cannot be told from states alone"):
        hh.testing.assert_matches_ode("a\nb\n", add_delay(network(), RC), nodes={"0": "a", "1": "b"})
    with pytest.raises(InputError, match=re.escape("`AllPass.accuracy = 0.0 rad`: must be positive")):
        AllPass(accuracy=0.0)
    with pytest.raises(InputError, match=r"^`delay` = 'all_pass': must be a form of delay, such as MatchedLine\(\) or"):
        hh.lower(add_delay(network(), RC), cell=HopfieldTank(delay="all_pass"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="critical_delay: needs symmetric weights"):
        critical_delay(network(((0.0, 1.0), (0.0, 0.0))))


def test_a_line_at_rest_costs_no_more_steps() -> None:
    """By default ngspice ends a step at every change of slope of a line's input, of noise too, without end."""
    graph = draw(1989, 26, "delayed_by_edge")
    deck = hh.lower(graph).netlist()
    assert deck.count("REL=3.0") == deck.count("\nT_")
    fast = hh.verify(graph, t_stop=20 * RC, timeout=60.0)
    assert fast.passed, fast


def test_a_graph_without_a_state_is_not_verified() -> None:
    delay = Delay(name="d", size=1, tau=1e-3, history=[0.0])
    graph = Graph(
        operators=(Input(name="u", size=1), delay, Output(name="y", size=1)), edges=(Edge("u", "d"), Edge("d", "y"))
    )
    with pytest.raises(InputError) as refused:
        hh.verify(graph, t_stop=1e-2, inputs=1.0)
    assert str(refused.value) == "verify: the graph has no Leak and no Hold, so no state to compare; use simulate"


@pytest.mark.usefixtures("ngspice")
@pytest.mark.filterwarnings("ignore::hopfield_hw.UnusualValueWarning")
def test_a_delayed_element_without_a_weight_is_built_where_it_is_added_to_another() -> None:
    """W sees x + x(t - tau), and nothing of the second element of either."""
    graph = Graph(
        operators=(
            Leak(name="x", capacitance=[1e-3] * 2, resistance=[1.0] * 2, initial=[0.5, -0.3]),
            Delay(name="d", size=2, tau=5e-4, history=[0.1, 0.2]),  # type: ignore[arg-type]
            Affine(name="a", weights=[[-0.5, 0.0], [0.7, 0.0]]),  # type: ignore[arg-type]
            Output(name="y", size=2),
        ),
        edges=(Edge("x", "d"), Edge("d", "a"), Edge("x", "a"), Edge("a", "x"), Edge("x", "y")),
    )
    result = hh.verify(graph, t_stop=5e-3)
    assert result.passed, result
