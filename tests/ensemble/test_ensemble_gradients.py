"""Gradients by the adjoint: closed forms, central differences, samples, margins, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from verify_gradients import GOAL, changed, compare, tight

import hopfield_hw as hh
from hopfield_hw.circuit import Circuit, Device, Ensemble, Origin, Probe, Role
from hopfield_hw.ensemble.equations.layout import plan
from hopfield_hw.ensemble.equations.system import build_system
from hopfield_hw.ensemble.gradients import find_gradients, gradients
from hopfield_hw.ensemble.gradients.objectives import Weighted
from hopfield_hw.ensemble.gradients.part_values import Value, slopes_of, values_of, with_elements
from hopfield_hw.functions.expressions import ARGUMENT, call
from hopfield_hw.parts import (
    D1N4148,
    Behaviour,
    Capacitor,
    CurrentSource,
    IdealGain,
    Line,
    OnePole,
    OpAmp,
    Pulse,
    Resistor,
    Subcircuit,
    VoltageGain,
    VoltageSource,
    as_op_amp,
)
from hopfield_hw.parts.parameters import Parameter
from hopfield_hw.spice.transient import AccuracyWarning
from hopfield_hw.values.errors import ConvergenceError, InputError, Unrealisable

ORIGIN = Origin("x", Role.FUNCTION, (0,))
OHMS, FARADS, START, VOLTS = 1e3, 1e-6, 0.2, 1.0
TAU = OHMS * FARADS


def circuit(*devices: tuple[str, Any, tuple[str, ...]], initial: dict[str, float] | None = None) -> Circuit:
    return Circuit(
        title="a small circuit",
        cell="none",
        graph_hash="",
        devices=tuple(Device(name, part, nodes, ORIGIN) for name, part, nodes in devices),
        initial={} if initial is None else initial,
        states=(Probe("0", "out"),),
        outputs=(Probe("twice", "out", 2.0),),
    )


def charging(source: Any = VOLTS, ohms: float = OHMS, start: float = START) -> Circuit:
    return circuit(
        ("V_in", VoltageSource(source), ("in", "0")),
        ("R", Resistor(ohms), ("in", "out")),
        ("C", Capacitor(FARADS), ("out", "0")),
        initial={"out": start},
    )


def exact(t: float) -> dict[str, float]:
    """The derivatives of V + (v_0 - V) e^(-t/RC)."""
    left = np.exp(-t / TAU)
    by_rate = (START - VOLTS) * left * t / TAU
    found = {"R.resistance": by_rate / OHMS, "C.capacitance": by_rate / FARADS}
    return found | {"V_in.voltage": 1.0 - left, "out.initial": left}


def test_a_charging_capacitor_has_the_derivatives_of_its_exponential() -> None:
    found = find_gradients(charging(), ("0", 1.5e-3), t_stop=2e-3)
    assert found.dims == ("parameter",)
    assert found["unit"].to_numpy().tolist() == ["Ohm", "F", "V", "V"]
    assert found["value"].item() == pytest.approx(VOLTS + (START - VOLTS) * np.exp(-1.5), abs=1e-6)
    for name, value in exact(1.5e-3).items():
        assert found.sel(parameter=name).item() == pytest.approx(value, rel=1e-5)
    assert 0.0 < found.attrs["self_check"] < 5e-6
    assert found.attrs["left_out"] == []


def test_several_objectives_are_one_run() -> None:
    """Ten at once, more than there are lanes; an output is twice the state; and a weighted sum of them."""
    times = np.linspace(1e-4, 2e-3, 9)
    found = find_gradients(charging(), [*(("0", t) for t in times), ("twice", 1e-3, "output")], t_stop=2e-3)
    assert found.dims == ("objective", "parameter")
    for k, t in enumerate(times):
        for name, value in exact(t).items():
            assert found.sel(parameter=name)[k].item() == pytest.approx(value, rel=2e-5)
    for name, value in exact(1e-3).items():
        assert found.sel(parameter=name)[-1].item() == pytest.approx(2.0 * value, rel=2e-5)
    weights = np.arange(1.0, 10.0)[:, np.newaxis]
    total = find_gradients(charging(), Weighted(times=times, states=weights, outputs=-weights / 4.0), t_stop=2e-3)
    for name in exact(0.0):
        expected = weights[:, 0] @ found.sel(parameter=name).to_numpy()[:9] / 2.0
        assert total.sel(parameter=name).item() == pytest.approx(expected, rel=2e-5)


def test_a_margin_is_that_of_its_active_entry() -> None:
    def least(times: Any, states: Any, outputs: Any) -> Any:
        k = int(np.argmin(states[:, 0] + 1e3 * times * (times > 1e-3)))
        slope = np.zeros_like(states)
        slope[k, 0] = 3.0
        return 3.0 * states[k, 0], slope, np.zeros_like(outputs)

    found = find_gradients(charging(start=1.5), least, t_stop=1e-3, points=11)
    assert found["value"].item() == pytest.approx(3.0 * (1.0 + 0.5 * np.exp(-1.0)), rel=1e-5)
    assert found.sel(parameter="out.initial").item() == pytest.approx(3.0 * np.exp(-1.0), rel=1e-5)
    with pytest.raises(InputError, match=r"^find_gradients: `objective` must give a value and its derivatives by"):
        find_gradients(charging(), lambda times, states, outputs: 1.0, t_stop=1e-3)  # type: ignore[arg-type,return-value]
    with pytest.raises(InputError, match=r"derivatives \[\(2,\), \(11, 1\)\]: must give one number and \[\(11, 1\)"):
        find_gradients(charging(), lambda t, x, y: (1.0, np.ones(2), y), t_stop=1e-3, points=11)


@pytest.mark.parametrize("wave", [((1e-4, 0.0), (1.3e-3, 2.0), (2e-3, -1.0)), Pulse(-0.2, 1.0, 1e-4, 5e-5, 3e-4, 1e-3)])
def test_corners_of_sources_have_derivatives(wave: Any) -> None:
    """The response is linear in the volts of a source, so two runs give them."""
    made = charging(wave)
    found = find_gradients(made, ("0", 1.7e-3), t_stop=2e-3, parameters="v_in.*")
    assert len(found["parameter"]) == (2 if isinstance(wave, Pulse) else 3)
    before = tight([made], 1.7e-3)[0, 0]
    for k, name in enumerate(found["parameter"].to_numpy().tolist()):
        moved = tight([changed(made, name, float(found["nominal"][k]) + 1.0)], 1.7e-3)[0, 0]
        assert found[k].item() == pytest.approx(moved - before, abs=5e-6)


@pytest.mark.parametrize("model", [IdealGain(1e5), OnePole()], ids=["ideal", "one pole"])
def test_an_offset_of_zero_has_a_derivative(model: Any) -> None:
    """An op-amp without an offset has no element for it; at the output of a follower it appears as it is."""
    made = circuit(
        ("V_in", VoltageSource(0.5), ("in", "0")),
        ("X", OpAmp(model), ("in", "out", "out")),
        ("R", Resistor(1e4), ("out", "0")),
        ("C", Capacitor(1e-12), ("out", "0")),
    )
    found = find_gradients(made, ("0", 1e-4), t_stop=1e-4)
    assert found.sel(parameter="X.offset").item() == pytest.approx(1.0, rel=1e-4)
    assert found.sel(parameter="X.gain").item() == pytest.approx(0.5 / model.gain**2, rel=1e-3)


# Ideal cells, op-amp cells of each level, an amplifier at its rails; all 100 are in `make verify-full`.
@pytest.mark.parametrize("index", [4, 6, 16, 28, 38, 61])
def test_gradients_are_central_differences(index: int) -> None:
    trial = compare(index, most=3)
    assert trial.failure == ""
    assert trial.error() <= GOAL
    assert trial.unresolved() == []
    assert len(trial.comparisons) == 3
    assert max(abs(one.differences) for one in trial.comparisons) > 1e-3 * trial.largest


def test_factors_that_lack_entries_give_the_same_gradients() -> None:
    """Twelve neurons with a crossbar, with separate weights whose factors lack them, and with all of them."""
    rng = np.random.default_rng(2)
    network = hh.Network(
        weights=rng.normal(size=(12, 12)) * 2e-5,
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=rng.uniform(-0.4, 0.4, 12),
    )
    how: dict[str, Any] = {"t_stop": 3e-4, "parameters": ["C_*", "*.initial", "G_*", "R_*"]}
    whole, crossed = hh.lower(network), hh.lower(network, crossbars=True)
    found = [find_gradients(made, ("0", 3e-4), **how) for made in (whole, crossed)]
    assert not plan(build_system(Ensemble.of([whole])), 1.0).is_whole
    assert len(found[1].attrs["left_out"]) == 1
    common = [name for name in found[1]["parameter"].to_numpy().tolist() if "initial" in name or name.startswith("C_")]
    assert len(common) == 24
    sizes = np.abs(found[0].sel(parameter=common)["nominal"].to_numpy())
    one, other = (gradient.sel(parameter=common).to_numpy() * sizes for gradient in found)
    np.testing.assert_allclose(one, other, atol=1e-5 * np.max(np.abs(one)))
    weight = max(found[0]["parameter"].to_numpy().tolist(), key=lambda name: abs(found[0].sel(parameter=name).item()))
    at = found[0].sel(parameter=weight)["nominal"].item()
    ends = [tight([changed(whole, weight, at * (1.0 + part))], 3e-4)[0, 0] for part in (1e-3, -1e-3)]
    scale = whole.states[0].scale
    assert found[0].sel(parameter=weight).item() * at == pytest.approx((ends[0] - ends[1]) * scale / 2e-3, rel=1e-4)


def test_a_wrong_derivative_is_seen() -> None:
    trial = compare(6, most=4)
    wrong = tuple(one._replace(adjoint=one.adjoint * (1.0 + 1e-3)) for one in trial.comparisons)
    assert replace(trial, comparisons=wrong).error() > GOAL


def test_samples_are_the_circuits_alone_and_one_that_fails_is_named() -> None:
    ohms = np.linspace(500.0, 2000.0, 9).tolist()
    found = find_gradients([charging(ohms=r) for r in ohms], [("0", 5e-4), ("0", 1e-3)], t_stop=1e-3, workers=2)
    assert found.dims == ("sample", "objective", "parameter")
    for k in (0, 8):
        alone = find_gradients(charging(ohms=ohms[k]), [("0", 5e-4), ("0", 1e-3)], t_stop=1e-3)
        np.testing.assert_allclose(found[k].to_numpy(), alone.to_numpy(), rtol=2e-5)
        assert found["nominal"].sel(parameter="R.resistance")[k] == ohms[k]
    small = [
        circuit(
            ("I_in", CurrentSource(current), ("0", "out")),
            ("D", D1N4148, ("out", "0")),
            ("C", Capacitor(1e-9), ("out", "0")),
        )
        for current in (1e-4, 1e300)
    ]
    both = find_gradients(small, ("0", 1e-4), t_stop=1e-4, parameters=["C.*", "I_in.*"])
    assert list(both.attrs["failures"]) == ["1"]
    assert np.all(np.isfinite(both[0].to_numpy()))
    assert np.all(np.isnan(both[1].to_numpy()))
    with pytest.raises(ConvergenceError, match=r"^find_gradients: 'a small circuit' does not run"):
        find_gradients(small[1], ("0", 1e-4), t_stop=1e-4, parameters="C.*")


def test_a_formula_that_jumps_is_warned_of() -> None:
    """A comparator on a ramp, behind it an RC: when it switches depends on the ramp, which no step sees."""
    made = circuit(
        ("V_in", VoltageSource(((0.0, -1.0), (1e-3, 1.1))), ("in", "0")),
        ("B", Behaviour(call("sign", ARGUMENT), "voltage"), ("high", "0", "in")),
        ("R", Resistor(1e4), ("high", "out")),
        ("C", Capacitor(1e-8), ("out", "0")),
    )
    with pytest.warns(AccuracyWarning, match=r"^find_gradients: a formula of B jumps; that the time of a jump moves"):
        find_gradients(made, ("0", 6e-4), t_stop=1e-3)


def test_an_accuracy_that_is_not_reached_is_warned_of() -> None:
    with pytest.warns(AccuracyWarning, match=r"^find_gradients: with a tolerance of 1e-11 of a step sensitivities"):
        find_gradients(charging(), ("0", 1e-3), t_stop=2e-3, accuracy=1e-9)


def test_a_path_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "ROOM", 2000)
    with pytest.raises(ConvergenceError, match=r"^find_gradients: \d+ steps of 1 voltages do not fit into 1\.862"):
        find_gradients(charging(), ("0", 1e-3), t_stop=2e-3)


def test_numbers_change_with_the_values_of_parts() -> None:
    """Of a macro-model: the slopes of all its figures are finite, and that of the input capacitance is exact."""
    device = Device("X", as_op_amp("TL074"), ("a", "b", "c", "d", "e"), ORIGIN)
    known = {}
    for value in values_of(device.part):
        known[value.parameter.name] = slopes_of(device._replace(part=with_elements(device, value)), value)
    assert all(slopes is not None for slopes in known.values())
    assert [one.slope for one in known["input_capacitance"] or ()] == pytest.approx([1.0, 1.0], rel=1e-9)
    assert known["voltage_noise"] == []
    assert len(known["source_current"] or ()) > 3


def test_a_factor_of_one_has_a_number() -> None:
    device = Device("E", VoltageGain(1.0), ("a", "b", "c", "d"), ORIGIN)
    (value,) = values_of(device.part)
    assert value == Value(Parameter("gain"), "V/V")
    slopes = slopes_of(device._replace(part=with_elements(device, value)), value)
    assert [one.slope for one in slopes or ()] == pytest.approx([1.0], rel=1e-9)


def test_bad_input() -> None:
    made = charging()
    wrong: list[tuple[Any, str]] = [
        (("1", 1e-3), r"^find_gradients: state '1' is unknown: must be one of 0"),
        (("0", 5e-3), r"^find_gradients: time 0\.005 s of the objective is after the run's end, 0\.002 s$"),
        (("0", -1.0), r"^find_gradients: time -1 s of the objective: must not be negative$"),
        (("0", 1e-3, "current"), r"^find_gradients: `objective` is of 'current': must be of 'state' or 'output'$"),
        ([], r"^find_gradients: `objective` is empty: must be \(label, time\), or a list of them$"),
        ([3.0], r"^find_gradients: `objective` holds 3\.0: must be \(label, time\), or with 'output'$"),
        (Weighted(times=[1e-3], states=[[1.0, 2.0]]), r"^`Weighted\.states` has shape \(1, 2\): must be \(1, 1\)$"),
    ]
    for objective, message in wrong:
        with pytest.raises(InputError, match=message):
            find_gradients(made, objective, t_stop=2e-3)
    with pytest.raises(InputError, match=r"^`Weighted\.times` = .*: must increase, from 0 s on, and be one at least$"):
        Weighted(times=[1e-3, 1e-4])
    with pytest.raises(InputError, match=r"^`Weighted\.outputs` has shape \(1, 1\): must be \(times, neurons\)$"):
        Weighted(times=[1e-4, 1e-3], outputs=[[1.0]])
    with pytest.raises(InputError, match=r"^find_gradients: `parameters`: no value of 'a small circuit' that changes"):
        find_gradients(made, ("0", 1e-3), t_stop=2e-3, parameters="Q*")
    with pytest.raises(InputError, match=r"^find_gradients: `points` are of an objective that is a function; leave"):
        find_gradients(made, ("0", 1e-3), t_stop=2e-3, points=11)
    with pytest.raises(InputError, match=r"^ensemble: `circuits` is empty: must be a Circuit, or a list with at least"):
        find_gradients([], ("0", 1e-3))
    with pytest.raises(InputError, match=r"^find_gradients: `circuits` is a NoneType: must be a Circuit, a list of"):
        find_gradients(None, ("0", 1e-3))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^find_gradients: `objective` = None: must be \(label, time\), a list of"):
        find_gradients(made, None, t_stop=2e-3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^find_gradients: `parameters` = 5: must be patterns of text, such as 'R_\*"):
        find_gradients(made, ("0", 1e-3), t_stop=2e-3, parameters=5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^find_gradients: `parameters`: no value that changes a waveform fits 'zz';"):
        find_gradients(made, ("0", 1e-3), t_stop=2e-3, parameters=["R*", "zz"])
    vendor = Subcircuit(
        library=".subckt one 1 2 3\nR1 1 2 1k\nR2 3 0 1k\n.ends\n",
        name="one",
        pins=("plus", "minus", "output"),
        supplies={},
    )
    refused: list[tuple[tuple[str, Any, tuple[str, ...]], str]] = [
        (("T", Line(1e-4, 50.0), ("in", "0", "out", "0")), r"device T: a transmission line has no derivatives yet$"),
        (("X", OpAmp(vendor), ("in", "out", "out")), r"device X: a vendor's model has no derivatives yet$"),
    ]
    for device, message in refused:
        with pytest.raises(Unrealisable, match=r"^find_gradients: " + message):
            find_gradients(circuit(("V_in", VoltageSource(1.0), ("in", "0")), device), ("0", 1e-3), t_stop=1e-3)
    clocked = hh.lower(hh.families.discrete_hopfield(np.array([[0.0, 1.0], [1.0, 0.0]])))
    with pytest.raises(Unrealisable, match=r"has a clock, whose edges have no derivatives yet$"):
        find_gradients(clocked, ("0", 1e-3), t_stop=1e-3)
