"""Graphs with Delays in the reference: several, in a row, varying, neutral; against closed forms and other solvers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import hopfield_hw as hh
from hopfield_hw.equations.delay_solver import integrate_delayed
from hopfield_hw.graph import Activate, Affine, Delay, Edge, Graph, Input, Leak, Operator, Output
from hopfield_hw.graph.neutral import check_neutral
from hopfield_hw.values.arrays import Array
from hopfield_hw.values.errors import InputError

OUT = Output(name="out", size=1)


def leak(name: str = "x", initial: float = 1.0, resistance: float = np.inf) -> Leak:
    return Leak(name=name, capacitance=[1.0], resistance=[resistance], initial=[initial])  # type: ignore[arg-type]


def times(name: str, factor: float) -> Affine:
    return Affine(name=name, weights=[[factor]])  # type: ignore[arg-type]


def delay(name: str = "d", tau: Any = 1.0, history: Any = 1.0, size: int = 1) -> Delay:
    return Delay(name=name, size=size, tau=tau, history=history if isinstance(history, hh.Signal) else [history] * size)


def graph_of(operators: Sequence[Operator], *edges: tuple[str, str]) -> Graph:
    return Graph(operators=tuple(operators), edges=tuple(Edge(*edge) for edge in edges))


def states(graph: Graph, t_stop: float, points: int, **options: Any) -> Array:
    return hh.reference(graph, t_stop=t_stop, points=points, accuracy=1e-8, **options)["state"].to_numpy()[:, 0]


LOOP = (("x", "d"), ("d", "w"), ("w", "x"))


def test_the_equation_that_every_book_begins_with() -> None:
    found = states(graph_of([leak(), delay(), times("w", -1.0)], *LOOP), 5.0, 6)
    assert np.max(np.abs(found - [1.0, 0.0, -1 / 2, -1 / 6, 5 / 24, 19 / 120])) < 1e-12


def test_what_a_delay_gives_is_an_output() -> None:
    u, d = Input(name="u", size=1), delay(tau=0.5, history=0.25)
    graph = graph_of([u, d, leak(), OUT], ("u", "d"), ("d", "out"), ("d", "x"))
    ramp = hh.Signal(times=[0.0, 1.0], values=[1.0, 2.0])  # type: ignore[arg-type]
    found = hh.reference(graph, t_stop=2.0, points=5, inputs=ramp)
    assert found["output"].to_numpy()[:, 0] == pytest.approx([0.25, 1.0, 1.5, 2.0, 2.0], abs=1e-12)
    assert found["state"].to_numpy()[:, 0] == pytest.approx([1.0, 1.125, 1.75, 2.625, 3.625], abs=1e-12)


def test_delays_without_a_state_are_answered_too() -> None:
    graph = graph_of([Input(name="u", size=1), delay(tau=0.5, history=0.25), OUT], ("u", "d"), ("d", "out"))
    ramp = hh.Signal(times=[0.0, 1.0], values=[1.0, 2.0])  # type: ignore[arg-type]
    found = hh.reference(graph, t_stop=2.0, points=5, inputs=ramp)
    assert found["output"].to_numpy()[:, 0] == pytest.approx([0.25, 1.0, 1.5, 2.0, 2.0], abs=1e-12)


def test_delays_in_a_row_are_one_delay() -> None:
    one = graph_of([leak(), delay(tau=1.5), times("w", -1.0)], *LOOP)
    row = graph_of(
        [leak(), delay("a", 0.4), delay("b", 0.4), delay("d", 0.7), times("w", -1.0)],
        *(("x", "a"), ("a", "b"), ("b", "d"), ("d", "w"), ("w", "x")),
    )
    assert np.max(np.abs(states(one, 12.0, 101) - states(row, 12.0, 101))) < 1e-9


def test_activations_sums_and_inputs_may_be_delayed(rng: np.random.Generator) -> None:
    """Two neurons; what is delayed is tanh(x), x + u, and a delayed sum of both. The same by hand."""
    w1, w2, w3 = (rng.normal(size=(2, 2)) for _ in range(3))
    x = Leak(name="x", capacitance=np.ones(2), resistance=np.ones(2), initial=np.array([0.5, -0.3]))
    operators = [
        x,
        Input(name="u", size=2),
        Activate(name="v", size=2, function=hh.Tanh(gain=2.0)),
        *(delay("a", 0.7, 0.1, size=2), delay("b", 0.3, -0.2, size=2), delay("c", 0.45, 0.0, size=2)),
        *(Affine(name=f"w{k}", weights=w) for k, w in enumerate((w1, w2, w3), start=1)),
    ]
    edges = [("x", "v"), ("v", "a"), ("x", "b"), ("u", "b"), ("a", "c"), ("b", "c")]
    edges += [("a", "w1"), ("b", "w2"), ("c", "w3"), ("w1", "x"), ("w2", "x"), ("w3", "x")]
    wave = hh.Signal(times=[0.0, 0.8, 2.0], values=[[1.0, 0.0], [-1.0, 0.5], [0.0, 0.0]])  # type: ignore[arg-type]
    found = hh.reference(graph_of(operators, *edges), t_stop=6.0, points=61, inputs=wave, accuracy=1e-8)

    def by_hand(t: float, x: Array, z: Array) -> Array:
        def a(k: int, at: float) -> Array:
            return np.tanh(2.0 * z[k]) if at >= 0.7 else np.full(2, 0.1)

        def b(k: int, at: float) -> Array:
            return z[k] + wave.at(at - 0.3) if at >= 0.3 else np.full(2, -0.2)

        c = a(2, t - 0.45) + b(3, t - 0.45) if t >= 0.45 else np.zeros(2)
        return -x + w1 @ a(0, t) + w2 @ b(1, t) + w3 @ c

    lags = [0.7, 0.3, 0.7 + 0.45, 0.3 + 0.45]
    edges_of = [0.3, 0.45, 0.7, 0.75, 1.15, *(c + lag for c in (0.8, 2.0) for lag in (0.3, 0.75))]
    pieces, values = sorted({0.0, *edges_of, 6.0}), []
    start: Any = x.initial
    past: list[Any] = []

    def history(t: float) -> Any:
        for begin, solution in reversed(past):
            if t >= begin:
                return solution.state(np.array([t]))[0]
        return x.initial

    for begin, end in pairwise(pieces):
        middle = 0.5 * (begin + end)

        def rhs(t: float, x: Array, z: Array, middle: float = middle, end: float = end, begin: float = begin) -> Array:
            side = t + 1e-9 * (middle - t)  # the limit from within the piece
            return by_hand(side, x, z)

        breaks = [b for b in pieces if b < begin]
        solution = integrate_delayed(rhs, lags, history, (begin, end), rtol=1e-10, atol=1e-10, breaks=breaks)
        past.append((begin, solution))
        at = [t for t in found["time"].values if begin <= t < end or t == end == 6.0]
        values += solution.state(np.array(at)).tolist() if at else []
    assert np.max(np.abs(found["state"].to_numpy() - values)) < 1e-7
    assert start is x.initial


def test_a_history_is_a_function() -> None:
    """x' = x(t - 3 pi / 2) with the history sin t is sin t; here the history has points, and so small corners."""
    s = np.linspace(0.0, 1.5 * math.pi, 401)
    past = hh.Signal(times=s, values=np.sin(-s))
    graph = graph_of([leak(initial=0.0), delay(tau=1.5 * math.pi, history=past), times("w", 1.0)], *LOOP)
    expected = np.sin(np.linspace(0.0, 6.0, 25))
    assert np.max(np.abs(hh.reference(graph, t_stop=6.0, points=25)["state"].to_numpy()[:, 0] - expected)) < 3e-5


def test_a_corner_of_the_history_is_met() -> None:
    """x' = x(t - 1), x(s) = 1 + max(0, s + 0.5) before 0 (and so 1.5 there): by hand up to t = 1."""
    past = hh.Signal(times=[0.0, 0.5], values=[1.5, 1.0])  # type: ignore[arg-type]
    found = states(graph_of([leak(initial=1.5), delay(history=past), times("w", 1.0)], *LOOP), 1.0, 5)
    assert found == pytest.approx([1.5, 1.75, 2.0, 2.28125, 2.625], abs=1e-12)


def test_a_delay_that_varies() -> None:
    """x' = x(t - tau(t)), tau from 1 to 2 within a unit of time (t - tau stands still), then back to 1 in another."""
    tau = hh.Signal(times=[0.0, 1.0, 2.0], values=[1.0, 2.0, 1.0])  # type: ignore[arg-type]
    found = states(graph_of([leak(), delay(tau=tau), times("w", 1.0)], *LOOP), 2.5, 6)
    # up to 1.5 of history alone; then t - tau = 2 t - 3: x'(t) = 1 + (2 t - 3), x = 2.5 + (t - 1.5) + (t - 1.5)^2;
    # after 2: x' = x(t - 1) = x(1 + s) = 2 + s, up to s = 0.5
    assert found == pytest.approx([1.0, 1.5, 2.0, 2.5, 3.25, 3.25 + 0.5 * 2.0 + 0.125], abs=1e-12)


def neutral(d: float, drive: float, tau: float = 1.0, history: float = 1.0) -> Graph:
    """d/dt [x - d x(t - tau)] = drive x: z is the Leak's state, x = z + d x(t - tau) what is delayed."""
    total = Activate(name="total", size=1, function=hh.Identity())
    operators = [leak("z"), delay(tau=tau, history=history), times("dd", d), total, times("f", drive), OUT]
    edges = [("z", "total"), ("dd", "total"), ("z", "d"), ("dd", "d"), ("d", "dd"), ("total", "f"), ("f", "z")]
    return graph_of(operators, *edges, ("total", "out"))


def test_jumps_of_a_neutral_equation_are_exact() -> None:
    found = hh.reference(neutral(0.5, 0.0), t_stop=4.0, points=9)["output"].to_numpy()[:, 0]
    assert found == pytest.approx([1.5, 1.5, 1.75, 1.75, 1.875, 1.875, 1.9375, 1.9375, 1.9375], abs=1e-14)


def test_a_neutral_equation_by_hand() -> None:
    """[x - d x(t - 1)]' = -x by parts of length 1: z' = -x, x = z + d x(t - 1), and 1 before."""
    d = 0.5
    found = hh.reference(neutral(d, -1.0), t_stop=2.0, points=9, accuracy=1e-8)
    s = np.linspace(0.0, 0.75, 4)
    z1 = (1.0 + d) * math.exp(-1.0) - d
    first = (1.0 + d) * np.exp(-s)  # z' = -(z + d): x = z + d
    second = np.exp(-s) * (z1 + d * (1.0 + d)) - d * (1.0 + d) * s * np.exp(-s)  # x = z + d x(t - 1), z' = -x
    assert found["output"].to_numpy()[:8, 0] == pytest.approx([*first, *second], abs=1e-9)


def test_several_neutral_delays_against_a_series() -> None:
    """x = z + sum_k d_k x(t - tau_k) with z = 1 and nothing before: x counts the weighted ways to come to t."""
    taus, ds = (0.7, 1.1), (0.5, -0.3)
    operators: list[Operator] = [leak("z"), OUT]
    edges = [("z", "out")]
    for k, (tau, d) in enumerate(zip(taus, ds, strict=True)):
        operators += [delay(f"d{k}", tau, 0.0), times(f"w{k}", d)]
        edges += [("z", f"d{k}"), (f"d{k}", f"w{k}"), (f"w{k}", "d0"), (f"w{k}", "d1"), (f"w{k}", "sum")]
    operators.append(Activate(name="sum", size=1, function=hh.Identity()))
    edges = [edge for edge in edges if edge != ("z", "out")] + [("z", "sum"), ("sum", "out")]
    found = hh.reference(graph_of(operators, *edges), t_stop=5.05, points=102)

    def expected(t: float) -> float:
        return 1.0 + sum(d * expected(t - tau) for tau, d in zip(taus, ds, strict=True) if t - tau >= -1e-9)

    assert found["output"].to_numpy()[:, 0] == pytest.approx([expected(t) for t in found["time"].values], abs=1e-12)


def test_the_units_of_a_graph() -> None:
    plain = hh.parse_graph(graph_of([leak(resistance=1.0), delay(), times("w", -1.5)], *LOOP).text)
    scaled = Graph(
        operators=plain.operators, edges=plain.edges, units=hh.Units(siemens_per_unit=1e-4, seconds_per_unit=1e-3)
    )
    assert states(scaled, 5e-3, 11) == pytest.approx(states(plain, 5.0, 11), abs=1e-9)


def test_corners_of_a_gain_are_met() -> None:
    kinked = Activate(name="v", size=1, function=hh.PiecewiseLinear(gain=3.0))
    graph = graph_of(
        [leak(resistance=1.0), delay(), kinked, times("w", -1.5)], *LOOP[:1], ("d", "v"), ("v", "w"), LOOP[2]
    )
    found = hh.reference(graph, t_stop=20.0, points=21)
    solution = integrate_delayed(
        lambda t, x, z: -x - 1.5 * np.clip(3.0 * z[0], -1.0, 1.0),
        [1.0],
        lambda t: 1.0,
        (0.0, 20.0),
        rtol=1e-11,
        atol=1e-11,
        max_step=1e-2,
    )
    assert np.max(np.abs(found["state"].to_numpy() - solution.state(found["time"].to_numpy()))) < 1e-6


# u' = -u + a tanh(u(t - tau)): above tau_c it oscillates (Marcus and Westervelt, Phys. Rev. A 39:347, 1989).
CRITICAL = {-1.5: 2.05765, -2.0: 1.20920, -4.0: 0.47082}


def grows(a: float, tau: float) -> bool:
    """Whether a small start grows, by the swings of two windows."""
    tanh = Activate(name="v", size=1, function=hh.Tanh())
    operators = [leak(initial=1e-3, resistance=1.0), delay(tau=tau, history=1e-3), tanh, times("w", a)]
    graph = graph_of(operators, ("x", "d"), ("d", "v"), ("v", "w"), ("w", "x"))
    found = hh.reference(graph, t_stop=45.0, points=451, accuracy=1e-3)["state"].to_numpy()[:, 0]
    return bool(np.ptp(found[300:]) > np.ptp(found[150:300]))


@pytest.mark.parametrize("a", CRITICAL)
def test_delay_at_which_it_begins_to_oscillate(a: float) -> None:
    low, high = 0.97 * CRITICAL[a], 1.03 * CRITICAL[a]
    assert grows(a, high)
    assert not grows(a, low)
    while high / low > 1.005:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if grows(a, middle) else (middle, high)
    assert 0.5 * (low + high) == pytest.approx(CRITICAL[a], rel=0.01)


def test_neutral_networks_whose_jumps_never_die_are_refused() -> None:
    head = "the cycle through the Delays 'd' alone has a spectral radius of D = 1: must be below 1"
    with pytest.raises(InputError, match=f"^{re.escape(head)}"):
        hh.reference(neutral(1.0, 0.0), t_stop=1.0)
    check_neutral(neutral(-0.999, 0.0))
    rotation = Affine(name="dd", weights=[[0.0, -2.0], [0.3, 0.0]])  # type: ignore[arg-type]
    z = Leak(name="z", capacitance=np.ones(2), resistance=np.full(2, np.inf), initial=np.ones(2))
    check_neutral(graph_of([z, delay(size=2), rotation], ("z", "d"), ("dd", "d"), ("d", "dd")))  # sqrt(0.6)


def test_of_several_neutral_delays_the_sum_of_sizes_counts() -> None:
    def two(first: float, second: float) -> Graph:
        operators = [leak("z"), delay("a", 0.5), delay("b", 0.7), times("wa", first), times("wb", second)]
        sums = [(w, d) for w in ("wa", "wb") for d in ("a", "b")]
        return graph_of(operators, ("a", "wa"), ("b", "wb"), ("z", "a"), ("z", "b"), *sums)

    check_neutral(two(0.5, -0.49))
    with pytest.raises(
        InputError, match=re.escape("the Delays 'a', 'b' alone has a spectral radius of sum |D_k| = 1.05")
    ):
        check_neutral(two(0.55, -0.5))


def test_cycles_with_functions_are_not_judged() -> None:
    bounded = Activate(name="f", size=1, function=hh.Tanh(gain=5.0))
    graph = graph_of([leak("z"), delay(), bounded], ("d", "f"), ("f", "d"), ("z", "d"))
    check_neutral(graph)
    assert np.all(np.isfinite(states(graph, 3.0, 5)))


def test_bad_requests_are_refused() -> None:
    graph = graph_of([leak(), delay(), times("w", -1.0)], *LOOP)
    with pytest.raises(InputError, match="a graph of the kind 'dde' takes 'DOP853' or 'auto'; leave it out"):
        hh.reference(graph, t_stop=1.0, method="Radau")
    with pytest.raises(InputError, match="the graph has no finite time constant"):
        hh.reference(graph)
    with pytest.raises(InputError, match=re.escape("`d.tau = 0.0 s`: must be positive")):
        delay(tau=0.0)
    with pytest.raises(InputError, match=re.escape("`d.tau = -1.0 s`: must be positive")):
        delay(tau=-1.0)


@pytest.mark.parametrize(("part", "stable"), [(0.99, True), (1.01, False)])
def test_many_echoes_are_judged_without_a_dense_matrix(part: float, stable: bool) -> None:
    """A random sparse matrix of 600 rows, scaled to a spectral radius of its sizes just below and above 1."""
    rng = np.random.default_rng(3)
    matrix = sp.csr_array(sp.random_array((600, 600), density=0.01, rng=rng))
    echo = matrix * (part / float(np.max(np.abs(np.linalg.eigvals(matrix.toarray())))))
    plain = hh.Network(weights=sp.csr_array((600, 600)), resistance=1.0, capacitance=1.0)
    if stable:
        assert hh.transforms.add_neutral_delays(plain, [echo], [1.0]).kind == "dde"
    else:
        with pytest.raises(InputError, match=re.escape("alone has a spectral radius of D = 1.01")):
            hh.transforms.add_neutral_delays(plain, [echo], [1.0])
