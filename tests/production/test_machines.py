"""The machines of a Monte Carlo: our own engine against ngspice, which one is taken and why, clusters of Dask."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import hopfield_hw as hh
from hopfield_hw.board import Board, design_board
from hopfield_hw.ensemble import accuracy, runs
from hopfield_hw.production import study
from hopfield_hw.production.engines import simulate_board
from hopfield_hw.production.monte_carlo import MonteCarlo, monte_carlo
from hopfield_hw.production.sweeps import yield_against_temperature
from hopfield_hw.production.tasks import Pattern, code_task
from hopfield_hw.tolerance import Rule, Tolerances, Uniform
from hopfield_hw.values.errors import InputError, Unrealisable

TASK = Pattern(signs=[1, -1])
HOW: dict[str, Any] = {"task": TASK, "seed": 4, "t_stop": 3e-4}
# Their effect on a curve need not be measured, which takes the equation seconds.
OUTSIDE = Tolerances(rules=[Rule(distribution=Uniform(tolerance=0.01), role="weights")])
FIGURES = ("margins", "settling", "power", "energy")


def assert_same(one: MonteCarlo, other: MonteCarlo) -> None:
    for name in FIGURES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_our_own_engine_and_ngspice_judge_the_same_boards_alike(board: Board) -> None:
    ours, theirs = (monte_carlo(board, samples=2, engine=engine, **HOW) for engine in ("ensemble", "ngspice"))
    assert np.ptp(theirs.margins) > 0.01
    np.testing.assert_allclose(ours.margins, theirs.margins, atol=1e-4)
    np.testing.assert_array_equal(ours.settling, theirs.settling)
    np.testing.assert_allclose(ours.power, theirs.power, rtol=1e-4)
    np.testing.assert_allclose(ours.energy, theirs.energy, rtol=1e-4)
    assert 0.1 < ours.power.min() < ours.power.max() < 1.0
    assert ours.failures == {}


def test_a_task_of_several_inputs_is_judged_in_both_machines_alike(ngspice: str) -> None:
    network = hh.Network(
        weights=[[0.0, -1e-4], [-1e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        input_weights=[[1e-5], [-1e-5]],
    )
    driven = design_board(network, inputs=1.0, t_stop=5e-4)
    task = code_task(driven, [-1.0, 1.0], [2, 1])
    ours, theirs = (monte_carlo(driven, task=task, samples=2, engine=engine) for engine in ("ensemble", "ngspice"))
    np.testing.assert_allclose(ours.margins, theirs.margins, atol=1e-3)
    np.testing.assert_allclose(ours.power, theirs.power, rtol=1e-3)


def test_power_is_of_the_supplies_and_not_of_the_first_instant(board: Board) -> None:
    """At the start itself capacitances are charged at once, by currents without bound."""
    _, watts = simulate_board(board, board.circuit, np.linspace(0.0, board.t_stop, 101))
    assert watts.max() < 2.0 * watts[-1]
    wave = hh.simulate(board.circuit, engine="ensemble", t_stop=board.t_stop, currents=["V_supply_plus"])
    assert wave["current"].dims == ("time", "source")
    assert wave["current"].attrs["units"] == "A"
    assert np.isnan(wave["current"][0])
    assert -0.1 < wave["current"][-1] < -0.001  # it gives what it flows out of
    with pytest.raises(InputError, match="`currents`: device R_x_0: must be a voltage source to ground"):
        hh.simulate(board.circuit, engine="ensemble", currents=["R_x_0"])


def test_the_numbers_do_not_depend_on_workers(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "TOGETHER", 8)
    alone = monte_carlo(board, samples=20, workers=1, **HOW)
    assert_same(alone, monte_carlo(board, samples=20, workers=3, **HOW))
    assert alone.engine == "ensemble"
    assert alone.why == ""


def test_samples_that_fail_are_undecided_and_named(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    run = accuracy.run

    def broken(*given: Any) -> runs.Run:
        found = run(*given)
        found.blocks[0, ..., 1] = np.nan
        return found._replace(failures={1: "it takes too many steps"})

    monkeypatch.setattr(accuracy, "run", broken)
    found = monte_carlo(board, samples=3, **HOW)
    assert found.failures == {1: "ensemble: it takes too many steps"}
    assert np.isnan(found.margins).tolist() == [False, True, False]
    assert found.yielded.undecided == 1
    assert ("not run", "1 samples: ensemble: it takes too many steps") in found.rows()


def test_what_was_in_the_way_of_our_own_engine_is_said(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    hot = monte_carlo(board, samples=4, tolerances=OUTSIDE, temperature=60.0, workers=1, **HOW)
    assert (hot.engine, hot.why) == ("equation", "the engine 'ensemble' knows parts at 27 degrees Celsius alone")
    assert ("machine", f"equation; {hot.why}") in hot.rows()
    assert hot.to_json()["why"] == hot.why
    curve = yield_against_temperature(board, TASK, temperatures=[27.0, 60.0], samples=4, tolerances=OUTSIDE)
    assert (curve.engine, curve.why) == ("equation", hot.why)  # of both points, so that they compare
    with pytest.raises(InputError, match="knows parts at 27 degrees Celsius alone"):
        monte_carlo(board, samples=4, engine="ensemble", temperature=60.0, **HOW)

    def unknown(*given: Any) -> None:
        raise Unrealisable("device X: the engine 'ensemble' has no equations of a vendor's model")

    monkeypatch.setattr(study, "build_system", unknown)
    assert study.choose_engine(board.circuit) == (
        "equation",
        "device X: the engine 'ensemble' has no equations of a vendor's model",
    )
    monkeypatch.setattr(study, "find_spec", lambda name: None if name == "numba" else importlib.util.find_spec(name))
    assert study.choose_engine(board.circuit) == (
        "equation",
        "the engine 'ensemble' is slow without the package numba; install it: pip install '.[fast]'",
    )


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as found,
    ):
        yield found


def test_a_worker_is_killed_in_the_middle_and_the_numbers_are_those_of_one_thread(
    board: Board, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "TOGETHER", 2)
    alone = monte_carlo(board, samples=16, workers=1, **HOW)
    killed: list[int] = []

    def kill(done: int, of: int) -> None:
        if not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    kept = tmp_path / "samples.jsonl"
    found = monte_carlo(board, samples=16, executor=client, progress=kill, resume=kept, **HOW)
    assert killed
    assert_same(alone, found)
    lines = kept.read_text().splitlines()
    assert len(lines) == 1 + 8  # each block once
    kept.write_text("\n".join(lines[:4]) + "\n")
    assert_same(alone, monte_carlo(board, samples=16, executor=client, resume=kept, **HOW))
