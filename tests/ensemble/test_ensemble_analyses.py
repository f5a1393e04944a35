"""Balance, small signals and noise in the ensemble engine: closed forms, ngspice, many samples, and what it refuses."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import lambertw

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit, Device, Ensemble, Origin, Role
from hopfield_hw.ensemble.analyses import find_balance, find_covariance, find_noise, respond
from hopfield_hw.ensemble.analyses.stamps import Stamps
from hopfield_hw.ensemble.analyses.stochastic import linearise
from hopfield_hw.ensemble.equations.system import build_system
from hopfield_hw.functions.expressions import Argument
from hopfield_hw.parts import (
    D1N4148,
    LM13700,
    Behaviour,
    Capacitor,
    CurrentSource,
    Diode,
    Line,
    MacroModel,
    OnePole,
    OpAmp,
    Pulse,
    Resistor,
    Transconductance,
    Transistor,
    VoltageGain,
    VoltageSource,
)
from hopfield_hw.parts.crossbar import Crossbar
from hopfield_hw.parts.data_sheet import find_data_sheet
from hopfield_hw.spice import analyses as ngspice_analyses
from hopfield_hw.tolerance import Tolerances, draw_factors, vary
from hopfield_hw.values.errors import ConvergenceError, InputError
from hopfield_hw.values.physics import BOLTZMANN, CHARGE, FOUR_K_T, ROOM_KELVIN, THERMAL

ORIGIN = Origin("x", Role.FUNCTION, (0,))
TL074 = replace(find_data_sheet("TL074").model(), noise=True, noise_corner=0.0)
OP_AMP = OpAmp(TL074)
RAILS = (("V_plus", VoltageSource(12.0), ("up", "0")), ("V_minus", VoltageSource(-12.0), ("down", "0")))
DRIVE = ("V_in", VoltageSource(0.5, 1.0), ("in", "0"))
BAND = (1.0, 1e5)


def circuit(*devices: tuple[str, Any, tuple[str, ...]]) -> Circuit:
    return Circuit(
        title="a small circuit",
        cell="none",
        graph_hash="",
        devices=tuple(Device(name, part, nodes, ORIGIN) for name, part, nodes in devices),
        initial={},
        states=(),
        outputs=(),
    )


def low_pass(ohms: float = 1e3, farads: float = 1e-6) -> Circuit:
    return circuit(DRIVE, ("R", Resistor(ohms), ("in", "out")), ("C", Capacitor(farads), ("out", "0")))


CASES = {
    "inverting TL074": (
        *RAILS,
        DRIVE,
        ("R_1", Resistor(1e4), ("in", "sum")),
        ("R_2", Resistor(1e5), ("sum", "out")),
        ("C", Capacitor(1e-9), ("sum", "out")),
        ("X_amp", OP_AMP, ("0", "sum", "out", "up", "down")),
        ("R_load", Resistor(2e3), ("out", "0")),
    ),
    "follower of one pole with an offset": (
        DRIVE,
        ("X", OpAmp(OnePole(), offset=0.01), ("in", "out", "out")),
        ("R", Resistor(1e3), ("out", "0")),
    ),
    "diode with resistance and charge": (
        DRIVE,
        ("R", Resistor(1e3), ("in", "out")),
        ("D", replace(D1N4148, resistance=50.0, capacitance=1e-8), ("out", "0")),
    ),
    "npn amplifier": (
        ("V_cc", VoltageSource(9.0), ("cc", "0")),
        DRIVE,
        ("R_c", Resistor(2e3), ("cc", "out")),
        ("Q", Transistor(200.0, 1e-14, 80.0), ("out", "base", "emitter")),
        ("R_e", Resistor(200.0), ("emitter", "0")),
        ("R_b", Resistor(2e4), ("in", "base")),
        ("R_up", Resistor(1e5), ("cc", "base")),
        ("C", Capacitor(1e-9), ("out", "0")),
    ),
    "line": (
        DRIVE,
        ("R_s", Resistor(100.0), ("in", "near")),
        ("T", Line(3e-6, 50.0), ("near", "0", "out", "0")),
        ("R", Resistor(200.0), ("out", "0")),
        ("C", Capacitor(1e-8), ("out", "0")),
    ),
    "OTA": (
        *RAILS,
        DRIVE,
        ("R_in", Resistor(1e5), ("in", "plus")),
        ("R_at", Resistor(1e3), ("plus", "0")),
        ("R_bias", Resistor(2e4), ("up", "bias")),
        ("X_ota", LM13700, ("plus", "0", "bias", "out", "up", "down")),
        ("R_load", Resistor(1e4), ("out", "0")),
        ("C", Capacitor(1e-9), ("out", "0")),
    ),
}


def test_the_balance_of_a_diode_is_lamberts() -> None:
    """v = V - R i with i = I_S (exp(v/nV_T) - 1): n V_T W(...) in closed form."""
    diode = Diode(saturation_current=1e-12, emission=1.5)
    found = find_balance(
        circuit(
            ("V_in", VoltageSource(5.0), ("in", "0")),
            ("R", Resistor(1e3), ("in", "out")),
            ("D", diode, ("out", "0")),
        )
    )
    n, r, i_s = 1.5 * THERMAL, 1e3, 1e-12
    exact = 5.0 + r * i_s - n * lambertw(r * i_s / n * math.exp((5.0 + r * i_s) / n)).real
    assert float(found["voltage"].sel(node="out")) == pytest.approx(exact, rel=1e-12)
    assert float(found["voltage"].sel(node="in")) == 5.0
    assert found["voltage"].dims == ("node",)
    assert found.attrs["failures"] == {}


def test_sources_are_as_at_the_start() -> None:
    for wave, volts in ((((0.5, 2.0), (1.0, 3.0)), 2.0), (((-1.0, 0.0), (1.0, 3.0)), 1.5)):
        assert float(find_balance(replace_drive(VoltageSource(wave)))["voltage"].sel(node="out")) == volts
    pulse = Pulse(0.25, 1.0, 0.0, 1e-6, 1e-3, 2e-3)
    assert float(find_balance(replace_drive(VoltageSource(pulse)))["voltage"].sel(node="out")) == 0.25


def replace_drive(part: VoltageSource) -> Circuit:
    made = low_pass()
    return replace(made, devices=(made.devices[0]._replace(part=part), *made.devices[1:]))


def test_a_low_pass_responds_as_its_formula() -> None:
    found = respond(low_pass(), (1.0, 1e4), points=7)
    f = found["frequency"].to_numpy()
    np.testing.assert_allclose(f, 10.0 ** (np.arange(29) / 7.0))
    np.testing.assert_allclose(found["voltage"].sel(node="out"), 1.0 / (1.0 + 2j * math.pi * f * 1e-3), rtol=1e-13)
    np.testing.assert_array_equal(found["voltage"].sel(node="in"), np.ones(29))


def test_a_gyrator_with_a_capacitor_resonates_as_a_coil() -> None:
    """L = C / g^2 beside a capacitor: 1 / (1 + R (j w C + 1 / (j w L))); and a source between two nodes drives it."""
    g, c = 1e-3, 1e-8
    made = circuit(
        ("V_in", VoltageSource(0.0, 2.0), ("in", "low")),
        ("R_low", Resistor(50.0), ("low", "0")),
        ("R", Resistor(1e4), ("in", "out")),
        ("C", Capacitor(c), ("out", "0")),
        ("G_1", Transconductance(g), ("0", "inner", "out", "0")),
        ("G_2", Transconductance(g), ("out", "0", "inner", "0")),
        ("C_l", Capacitor(c), ("inner", "0")),
    )
    found = respond(made, (1e3, 1e6), points=11)
    w = 2.0 * math.pi * found["frequency"].to_numpy()
    admittance = 1j * w * c + g * g / (1j * w * c)
    np.testing.assert_allclose(found["voltage"].sel(node="out"), 2.0 / (1.0 + 10050.0 * admittance), rtol=1e-12)


def test_the_noise_of_a_low_pass_is_that_of_its_resistors() -> None:
    made = circuit(
        DRIVE,
        ("R_1", Resistor(1e3), ("in", "out")),
        ("R_2", Resistor(4e3), ("out", "0")),
        ("R_none", Resistor(4e3, is_computing=True), ("out", "0")),
        ("C", Capacitor(1e-6), ("out", "0")),
    )
    found = find_noise(made, "OUT", "V_in", (1.0, 1e4), points=5)
    ohms, f = 1.0 / (1e-3 + 2.5e-4 + 2.5e-4), found["frequency"].to_numpy()
    gain = ohms / np.abs(1.0 + 2j * math.pi * f * ohms * 1e-6)
    density = np.sqrt(FOUR_K_T * 1.25e-3) * gain
    np.testing.assert_allclose(found["density"], density, rtol=1e-13)
    np.testing.assert_allclose(found["referred"], density / (1e-3 * gain), rtol=1e-13)
    np.testing.assert_allclose(found["shares"].sel(device="R_1"), 0.8, rtol=1e-13)
    assert "R_none" not in found["device"]


def test_shot_noise_of_a_diode_and_noise_of_an_op_amp_are_those_of_their_formulas() -> None:
    made = circuit(("I", CurrentSource(1e-3), ("0", "out")), ("D", Diode(saturation_current=1e-14), ("out", "0")))
    found = find_noise(made, "out", None, BAND)
    np.testing.assert_allclose(found["density"], THERMAL / 1e-3 * math.sqrt(2.0 * CHARGE * 1e-3), rtol=1e-9)
    assert "referred" not in found
    model = MacroModel(voltage_noise=1e-8, noise_corner=100.0, gain=1e7, gain_bandwidth=1e9)
    follower = circuit(*RAILS, DRIVE, ("X", OpAmp(model), ("in", "out", "out", "up", "down")))
    found = find_noise(follower, "out", "V_in", (1.0, 1e4))
    f = found["frequency"].to_numpy()
    np.testing.assert_allclose(found["density"], 1e-8 * np.sqrt(1.0 + 100.0 / f), rtol=1e-4)


def test_the_covariance_of_an_ensemble_is_k_t_by_c() -> None:
    made = [low_pass(ohms, farads) for ohms, farads in ((1e3, 1e-6), (1e6, 1e-9), (10.0, 2e-12))]
    found = find_covariance(made, ["out"])
    exact = [BOLTZMANN * ROOM_KELVIN / farads for farads in (1e-6, 1e-9, 2e-12)]
    np.testing.assert_allclose(found["covariance"].to_numpy()[:, 0, 0], exact, rtol=1e-12)
    np.testing.assert_allclose(found["rate"], [-1e3, -1e3, -5e10], rtol=1e-12)


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("devices", CASES.values(), ids=CASES)
def test_analyses_are_those_of_ngspice(devices: tuple[Any, ...]) -> None:
    made = circuit(*devices)
    ours, theirs = find_balance(made), ngspice_analyses.find_balance(made)
    names = [str(node) for node in ours["node"].to_numpy() if f"v({node})" in theirs.values]
    assert len(names) >= made.node_count - 1
    for name in names:
        assert float(ours["voltage"].sel(node=name)) == pytest.approx(theirs.voltage(name)[0], rel=1e-5, abs=1e-6)
    moved, expected = respond(made, BAND, points=4), ngspice_analyses.respond(made, BAND, points=4)
    np.testing.assert_allclose(moved["frequency"], expected.axis, rtol=1e-12)
    for name in names:
        wave = expected.voltage(name)
        off = np.abs(moved["voltage"].sel(node=name).to_numpy() - wave)
        assert np.max(off) <= 3e-5 * np.max(np.abs(wave)) + 1e-9
    if any(isinstance(part, OpAmp) and isinstance(part.model, OnePole) for _, part, _ in devices):
        return  # its resistors, which only compute, make noise in ngspice alone
    noise = find_noise(made, "out", "V_in", BAND, points=4)
    heard = np.real(ngspice_analyses.find_noise(made, "out", "V_in", BAND, points=4).voltage("out"))
    np.testing.assert_allclose(noise["density"], heard, rtol=3e-5)
    np.testing.assert_allclose(noise["shares"].sum("device"), 1.0)


def drawn(count: int) -> list[Circuit]:
    network = hh.Network(
        weights=[[0.0, -6e-5], [-6e-5, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=2.0),
        initial=[0.3, -0.1],
    )
    made = hh.lower(network, cell=hh.InvertingIntegrator(op_amp="TL074"))
    driven = [
        d._replace(part=replace(d.part, alternating=1.0)) if isinstance(d.part, VoltageSource) else d
        for d in made.devices
    ]
    made = replace(made, devices=tuple(driven))
    draws = draw_factors(vary(made, Tolerances(resistors="5%", capacitors="10%")), seed=2, samples=count)
    return [draws.circuit(k) for k in range(count)]


def test_an_ensemble_is_its_circuits_one_by_one() -> None:
    made = drawn(3)
    node = made[0].states[0].node
    source = next(d.name for d in made[0].devices if isinstance(d.part, VoltageSource))
    balances, moved = find_balance(made), respond(made, BAND, points=2)
    noise = find_noise(made, node, source, BAND, points=2)
    assert balances["voltage"].dims == ("sample", "node")
    assert float(np.std(balances["voltage"].sel(node=node))) > 1e-3
    for k, one in enumerate(made):
        np.testing.assert_allclose(balances["voltage"][k], find_balance(one)["voltage"], rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(moved["voltage"][k], respond(one, BAND, points=2)["voltage"], rtol=1e-7, atol=1e-10)
        alone = find_noise(one, node, source, BAND, points=2)
        for what in ("density", "shares", "referred"):
            np.testing.assert_allclose(noise[what][k], alone[what], rtol=1e-6, atol=1e-12)


def test_a_large_circuit_is_solved_sparse_and_to_the_same() -> None:
    """A ladder of 200 resistors and capacitors against its dense matrix."""
    n = 200
    devices: list[tuple[str, Any, tuple[str, ...]]] = [("V_in", VoltageSource(1.0, 1.0), ("n_0", "0"))]
    for k in range(n):
        devices.append((f"R_{k}", Resistor(1e3), (f"n_{k}", f"n_{k + 1}")))
        devices.append((f"C_{k}", Capacitor(1e-9), (f"n_{k + 1}", "0")))
    devices.append(("R_end", Resistor(1e5), (f"n_{n}", "0")))
    made = circuit(*devices)
    np.testing.assert_allclose(find_balance(made)["voltage"].sel(node=f"n_{n}"), 1e5 / (1e5 + n * 1e3), rtol=1e-12)
    found = respond(made, (10.0, 1e3), points=1)["voltage"]
    for k, f in enumerate((10.0, 100.0, 1e3)):
        whole = np.diag(np.full(n, 2e-3 + 2j * math.pi * f * 1e-9))
        whole -= 1e-3 * (np.eye(n, k=1) + np.eye(n, k=-1))
        whole[-1, -1] += 1e-5 - 1e-3
        exact = np.linalg.solve(whole, np.eye(n)[0] * 1e-3)
        np.testing.assert_allclose(found[k].sel(node=[f"n_{j + 1}" for j in range(n)]), exact, rtol=1e-9)


def test_a_crossbar_is_its_resistors() -> None:
    siemens = np.array([[1e-4, 2e-4], [0.0, 5e-5]])
    bar = Crossbar(
        siemens=csr_array(siemens), row_labels=("0", "1"), column_labels=("0", "1"), elements=(0, 1), loads=True
    )
    nodes = ("row_0", "row_1", "in", "column_1")
    own = [
        (f"R_{i}_{j}", Resistor(float(1.0 / siemens[i, j])), (nodes[i], nodes[2 + j]))
        for i, j in ((0, 0), (0, 1), (1, 1))
    ]
    rest = (
        DRIVE,
        ("R_row", Resistor(1e4), ("row_0", "0")),
        ("C", Capacitor(1e-9), ("row_1", "0")),
        ("R_end", Resistor(3e4), ("column_1", "0")),
    )
    whole, parts = circuit(("X_bar", bar, nodes), *rest), circuit(*own, *rest)
    names = [str(name) for name in find_balance(whole)["node"].to_numpy()]
    for found, known in (
        (find_balance(whole), find_balance(parts)),
        (respond(whole, BAND, points=2), respond(parts, BAND, points=2)),
    ):
        np.testing.assert_allclose(
            found["voltage"].sel(node=names), known["voltage"].sel(node=names), rtol=1e-12, atol=1e-15
        )
    noise, known = (find_noise(made, "row_1", "V_in", BAND, points=2) for made in (whole, parts))
    np.testing.assert_allclose(noise["density"], known["density"], rtol=1e-12)
    its = [name for name, _, _ in own]
    np.testing.assert_allclose(
        noise["shares"].sel(device="X_bar"), known["shares"].sel(device=its).sum("device"), rtol=1e-12
    )


def flip_flop() -> Circuit:
    network = hh.Network(
        weights=[[0.0, -2e-4], [-2e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=4.0),
        initial=[0.0, 0.0],
    )
    return hh.lower(network, cell="inverting_integrator")


def test_a_guess_chooses_among_balances() -> None:
    made = flip_flop()
    nodes = [probe.node for probe in made.states]
    guess = {nodes[0]: np.array([1.5, -1.5, 0.0]), nodes[1].upper(): np.array([-1.5, 1.5, 0.0])}
    found = find_balance([made] * 3, guess=guess)["voltage"].sel(node=nodes).to_numpy()
    assert found[0, 0] > 1.0 > -1.0 > found[0, 1]
    np.testing.assert_allclose(found[1], found[0, ::-1], rtol=1e-6)
    np.testing.assert_allclose(found[2], 0.0, atol=1e-9)
    rates = [linearise(made, {node: float(v) for node, v in zip(nodes, row, strict=True)}).rates[0] for row in found]
    assert rates[0] < 0.0 < rates[2]
    with pytest.raises(InputError, match=r"^noise: `balance`: node \w+ = 0.5 V: the balance that is found from there"):
        linearise(made, {nodes[0]: 0.5, nodes[1]: 0.0})
    stable = find_covariance([made] * 3, nodes, guess=guess)
    assert list(stable.attrs["failures"]) == ["2"]
    assert "its balance is not stable: a deviation grows at" in stable.attrs["failures"]["2"]


@pytest.mark.parametrize("name", ["graph_colouring", "hole_filling", "limit_cycle", "ad_converter_4bit"])
def test_balances_that_newtons_method_does_not_find_at_once(name: str) -> None:
    """A softmax that divides by 0 at first, a sheet of cells with corners, an oscillator, and steep comparators."""
    design = hh.load_design(name)
    made = hh.lower(design.network, cell="ideal").driven(design.inputs)
    found = find_balance(made)["voltage"].to_numpy()
    stamps = Stamps(build_system(Ensemble.of([made])))
    left = stamps.at(np.append(found, 0.0)[:, np.newaxis], np.array([0]))
    assert np.max(np.abs(left.residual / stamps.row_sizes(left.conductances))) < 1e-9


def test_samples_without_a_balance_are_named() -> None:
    """A current that a diode cannot carry backwards, in one sample of three."""
    made = [
        circuit(("I", CurrentSource(amperes), ("out", "0")), ("D", Diode(saturation_current=1e-9), ("out", "0")))
        for amperes in (1e-10, 1e-3, 5e-10)
    ]
    found = find_balance(made)
    assert list(found.attrs["failures"]) == ["1"]
    assert found.attrs["failures"]["1"].startswith("no balance is found: by Newton's method from the guess, by")
    volts = found["voltage"].sel(node="out").to_numpy()
    np.testing.assert_allclose(volts[[0, 2]], THERMAL * np.log1p([-0.1, -0.5]), rtol=1e-9)
    assert np.isnan(volts[1])
    heard = find_noise(made, "out", None, BAND)
    np.testing.assert_array_equal(np.isnan(heard["density"]).any("frequency"), [False, True, False])
    with pytest.raises(ConvergenceError, match=r"^find_balance: 'a small circuit': no balance is found"):
        find_balance(made[1])


@pytest.mark.parametrize(
    "devices",
    [
        (("C", Capacitor(1e-9), ("in", "float_a")), ("R", Resistor(1e3), ("float_a", "float_b"))),
        (
            ("C", Capacitor(1e-9), ("in", "float_a")),
            ("R", Resistor(3e3), ("float_a", "float_b")),
            ("R_2", Resistor(7e3), ("float_a", "float_b")),
            ("E", VoltageGain(1.0), ("float_b", "0", "float_b", "0")),
        ),
    ],
    ids=["behind a capacitor", "a follower of itself"],
)
def test_nodes_that_nothing_determines_are_named(devices: tuple[Any, ...]) -> None:
    with pytest.raises(
        ConvergenceError,
        match=r"^find_balance: 'a small circuit': at its balance nothing determines .* of node float_a, float_b$",
    ):
        find_balance(circuit(DRIVE, ("R_in", Resistor(1e3), ("in", "0")), *devices))


def test_it_needs_no_numba() -> None:
    code = (
        "import sys; sys.modules['numba'] = None; import hopfield_hw as hh; "
        "from hopfield_hw.ensemble.analyses import find_balance; "
        "made = hh.lower(hh.load_design('flip_flop').network, cell='ideal'); print(len(find_balance(made)['voltage']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "4"


BAD = {
    "no circuit": (lambda: find_balance([]), r"ensemble: `circuits` is empty: must be a Circuit, or a"),
    "a network": (
        lambda: find_balance(hh.Network),
        r"find_balance: `circuits` is a type: must be a Circuit, a list",
    ),
    "no dict": (
        lambda: find_balance(low_pass(), guess=5),
        r"find_balance: `guess` = 5: must be a dict of volts by node",
    ),
    "one frequency": (
        lambda: respond(low_pass(), 10.0),
        r"respond: `frequencies` = 10\.0: must be the first and the last",
    ),
    "a text": (
        lambda: find_covariance(low_pass(), "out"),
        r"find_covariance: `nodes` = 'out': must be a list of nodes",
    ),
    "no node": (lambda: find_covariance(low_pass(), []), r"find_covariance: `nodes` = \[\]: must be a list of nodes"),
    "a node": (lambda: find_balance(low_pass(), guess={"ouf": 1.0}), r"find_balance: `guess`: node 'ouf' is unknown"),
    "no volts": (
        lambda: find_balance(low_pass(), guess={"out": [1.0, 2.0]}),
        r"find_balance: `guess`: node out = \[1.0, 2.0\]: must be volts, one or of each sample$",
    ),
    "nan": (lambda: find_balance(low_pass(), guess={"out": np.nan}), r"find_balance: `guess`: node out = nan: must be"),
    "falling": (lambda: respond(low_pass(), (1e3, 1.0)), r"`frequencies` = 1000 Hz to 1 Hz: must increase$"),
    "points": (lambda: respond(low_pass(), BAND, points=0), r"`points` = 0: must be"),
    "no drive": (
        lambda: respond(replace_drive(VoltageSource(1.0)), BAND),
        r"respond: no voltage source drives it; set `alternating` of one, 1 V for a response$",
    ),
    "held": (
        lambda: find_noise(low_pass(), "in", "V_in", BAND),
        r"find_noise: `node` = 'in': a source holds it, so that it has no noise$",
    ),
    "no source": (
        lambda: find_noise(low_pass(), "out", "R", BAND),
        r"`source` = 'R': is a resistor, must be a voltage source$",
    ),
    "no node of noise": (
        lambda: find_noise(low_pass(), "x", None, BAND),
        r"find_noise: `node`: node 'x' is unknown: must be",
    ),
    "quiet": (
        lambda: find_noise(
            circuit(DRIVE, ("B", Behaviour(1e-3 * (Argument(0) - Argument(1)), "current"), ("out", "0", "out", "in"))),
            "out",
            None,
            BAND,
        ),
        r"find_noise: no part of the circuit makes noise$",
    ),
    "topologies": (
        lambda: find_balance([low_pass(), circuit(DRIVE, ("R", Resistor(1.0), ("in", "0")))]),
        r"ensemble: `circuits\[1\]` has R \(in 0\) where the first has R \(in out\): the circuits of an",
    ),
    "no end": (
        lambda: find_covariance(circuit(*CASES["line"]), ["out"]),
        r"noise: the circuit has transmission lines, whose equation has no end; ask for a density$",
    ),
    "no power": (
        lambda: find_covariance(
            circuit(DRIVE, ("R_1", Resistor(1.0), ("in", "a")), ("R_2", Resistor(1.0), ("a", "0"))), ["a"]
        ),
        r"noise: node a: no capacitor holds back its white noise",
    ),
}


@pytest.mark.parametrize(("act", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused(act: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        act()
