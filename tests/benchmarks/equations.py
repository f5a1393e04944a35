"""How fast many initial states of one differential equation are solved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from measuring import ROUNDS, interleaved, row
from scipy.integrate import solve_ivp

import hopfield_hw as hh
from hopfield_hw.equations import OdeProgram
from hopfield_hw.equations.runge_kutta import integrate


def batched_ode(n: int = 128, batch: int = 512, t_stop: float = 20.0) -> Iterable[dict[str, Any]]:
    """Time many initial states in one call against the floor, a loop of solve_ivp, and one stacked solve_ivp."""
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(size=(n, n)) * 1.8 / np.sqrt(n), rng.normal(size=n) * 0.5
    start = rng.normal(size=(batch, n))
    units = {"volts": 1.0, "siemens": 1.0, "seconds": 1.0}
    program = OdeProgram([hh.Network.dimensionless(weights, gain=hh.Tanh(), bias=bias, **units).graph()])
    times = np.linspace(0.0, t_stop, 5)
    tolerances = {"rtol": 1e-6, "atol": 1e-8}
    transposed = np.ascontiguousarray(weights.T)
    calls: list[int] = []

    def counted(t: Any, x: Any, rows: Any, out: Any) -> None:
        calls.append(len(x))
        program.batch_rhs(t, x, rows, out)

    middle = 0.5 * (integrate(counted, start, times, **tolerances).states[:, -1] + start)

    def floor() -> None:
        for rows in calls:
            np.tanh(middle[:rows]) @ transposed

    def stacked(method: Any) -> None:
        def rhs(_: float, y: Any) -> Any:
            x = y.reshape(batch, n)
            return (np.tanh(x) @ transposed + bias - x).reshape(-1)

        solve_ivp(rhs, (0.0, t_stop), start.reshape(-1), method=method, t_eval=times, **tolerances)

    def loop(count: int = 32) -> None:
        for k in range(count):
            solve_ivp(
                lambda _, x: weights @ np.tanh(x) + bias - x,
                (0.0, t_stop),
                start[k],
                method="DOP853",
                t_eval=times,
                **tolerances,
            )

    medians = interleaved(
        {
            "ours": lambda: integrate(program.batch_rhs, start, times, **tolerances),
            "floor": floor,
            "stacked": lambda: stacked("DOP853"),
            "stacked RK45": lambda: stacked("RK45"),
            "loop": loop,
        },
        rounds=ROUNDS,
    )
    ours = medians["ours"]
    about = f"batched ODE, N = {n}, {batch} states, rtol 1e-6"
    yield row(f"{about}, against its own products and tanh", ours / medians["floor"], 1.8, "lower")
    yield row(f"{about}, solve_ivp per state against ours", medians["loop"] * batch / 32 / ours, 4.0, "higher")
    yield row(f"{about}, one stacked solve_ivp (DOP853) against ours", medians["stacked"] / ours, 1.3, "higher")
    yield row(f"{about}, one stacked solve_ivp (RK45) against ours", medians["stacked RK45"] / ours, 1.3, "higher")
