"""A table against XPPAUT with AUTO, by xpplab: equilibria, special points, a cycle's multipliers, growth with delay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.analysis import continue_cycle, continue_equilibria, find_cycle, find_equilibria, find_spectrum
from hopfield_hw.families import generalised_hopfield
from hopfield_hw.functions import Tanh
from hopfield_hw.graph import Units
from hopfield_hw.transforms import add_delay

xpplab = pytest.importorskip("xpplab", reason="xpplab is not installed: pip install '.[test]'")

RING = -np.roll(np.eye(3), 1, axis=0)


def network(weights: Any, gain: float = 1.0, **options: Any) -> Any:
    return generalised_hopfield(weights, gain=Tanh(gain=gain), units=Units(), **options)


def model(text: str) -> Any:
    return xpplab.Model.from_text(f"{text}\ndone\n")


RING_TEXT = "par g={g}\nx'=-x-tanh(g*z)\ny'=-y-tanh(g*x)\nz'=-z-tanh(g*y)\ninit x={x},y={y},z={z}"


def test_a_hopf_point() -> None:
    auto = model(RING_TEXT.format(g=0.5, x=0, y=0, z=0)).auto.equilibria("g", parmin=0.5, parmax=4.0, dsmax=0.1)
    (theirs,) = auto.special("HB")
    (ours,) = continue_equilibria(lambda g: network(RING, g), np.zeros(3), (0.5, 4.0), step=0.1).of_kind("hopf")
    assert ours.parameter == pytest.approx(theirs.value, abs=1e-6)
    assert ours.frequency == pytest.approx(np.max(theirs.eigenvalues.imag), abs=1e-5)


def test_folds() -> None:
    theirs = model("par b=-1\nx'=-x+2*tanh(x)+b\ninit x=-3").auto.equilibria("b", parmin=-1.0, parmax=1.0, dsmax=0.05)
    ours = continue_equilibria(lambda b: network([[2.0]], bias=[b]), [-3.0], (-1.0, 1.0))
    np.testing.assert_allclose(
        [point.parameter for point in ours.of_kind("fold")], [point.value for point in theirs.special("LP")], atol=1e-6
    )


def test_a_branch_point() -> None:
    text = "par g=0.5\nx'=-x-tanh(g*y)\ny'=-y-tanh(g*x)\ninit x=0,y=0"
    theirs = model(text).auto.equilibria("g", parmin=0.5, parmax=3.0, dsmax=0.1)
    (ours,) = continue_equilibria(
        lambda g: network([[0.0, -1.0], [-1.0, 0.0]], g), np.zeros(2), (0.5, 3.0), step=0.1, switch=False
    ).of_kind("branch")
    assert ours.parameter == pytest.approx(1.0, abs=1e-10)
    assert ours.parameter == pytest.approx(theirs.special("BP")[0].value, abs=5e-5)  # AUTO stops there


def test_as_many_equilibria_as_its_search() -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        w, b = 2.0 * rng.normal(size=(2, 2)), 0.3 * rng.normal(size=2)
        text = "\n".join(
            f"{name}'=-{name}+({row[0]:.17g})*tanh(2*x)+({row[1]:.17g})*tanh(2*y)+({bias:.17g})"
            for name, row, bias in zip("xy", w, b, strict=True)
        )
        theirs = model(text).find_equilibria(400)
        ours = find_equilibria(network(w, 2.0, bias=b))
        assert len(ours) == len(theirs)
        for one in theirs:
            assert np.min(np.max(np.abs(ours.states - [one["X"], one["Y"]]), axis=1)) < 1e-4


def test_the_cycles_of_a_ring() -> None:
    m = model(RING_TEXT.format(g=1.5, x=0, y=0, z=0))
    m.auto.equilibria("g", parmin=1.5, parmax=3.0, dsmax=0.1)
    hopf = m.auto.diagram.special("HB")[0]
    orbits = [point for point in m.auto.continue_from(hopf, "periodic", ntst=60, nmax=60) if point.periodic]
    theirs = min(orbits, key=lambda point: abs(point.value - 2.5))
    start = find_cycle(network(RING, 2.6, initial=[0.1, 0.2, -0.1]), transient=60.0)
    (ours,) = continue_cycle(lambda g: network(RING, g, initial=[0.1, 0.2, -0.1]), start, [theirs.value])
    assert ours.period == pytest.approx(theirs.period, rel=1e-5)
    largest = sorted(np.abs(theirs.multipliers))[-2]
    assert np.abs(ours.multipliers[1]) == pytest.approx(largest, rel=3e-3)  # AUTO's mesh


@pytest.mark.parametrize(("tau", "decays"), [(1.15, True), (1.27, False)])
def test_a_delayed_state_decays_or_grows(tau: float, decays: bool) -> None:
    text = f"x'=-x-2*tanh(delay(x,{tau}))\nx(0)=0.01\ninit x=0.01\n@ delay=5,total=60,dt=0.005,meth=rk4"
    run = model(text).run()
    late, early = (np.max(np.abs(run["x"][(run.t > a) & (run.t < b)])) for a, b in ((50.0, 60.0), (10.0, 20.0)))
    assert (late < early) == decays
    found = find_spectrum(add_delay(network([[-2.0]]), tau), 0.0)
    assert found.stable == decays
    rate = float(np.log(late / early)) / 40.0
    assert rate == pytest.approx(float(found.values[0].real), abs=6e-3)


def test_units_do_not_matter() -> None:
    net = hh.Network(weights=1e-4 * RING, resistance=1e4, capacitance=1e-8, gain=Tanh(gain=3.0))
    theirs = model(RING_TEXT.format(g=3.0, x=0, y=0, z=0)).equilibrium()
    values = find_equilibria(net).eigenvalues[0] * 1e-4
    np.testing.assert_allclose(np.sort(values.real), np.sort(theirs.eigenvalues.real), atol=1e-5)
