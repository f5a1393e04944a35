"""The public face refuses what is of a wrong kind in words: only errors of the package come out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw.graph import Activate, Affine, Clock, Delay, Hold, Input, Leak, Output, Quantise, Stencil
from hopfield_hw.tolerance import Tolerances, draw

NET = hh.Network(
    weights=[[0.0, -5e-5], [-5e-5, 0.0]],
    resistance=1e4,
    capacitance=1e-8,
    initial=[0.1, 0.05],
    input_weights=[[1e-5], [2e-5]],
)
GRAPH = NET.graph()
CIRCUIT = hh.lower(NET)
MAP = hh.families.discrete_hopfield(np.array([[0.0, 1.0], [1.0, 0.0]]))

WRONG: dict[str, Any] = {
    "text": "much",
    "bytes": b"1",
    "true": True,
    "complex": 1j,
    "nan": float("nan"),
    "ragged": [[1.0], [1.0, 2.0]],
    "three rows": [[1.0, 2.0, 3.0]],
    "a class": hh.Tanh,
    "an object": object(),
    "a dict": {"a": 1.0},
    "a set": {1.0},
    "a function": len,
    "a time": np.timedelta64(5, "ms"),
    "bools": np.array([True, False]),
    "nested": [[[[1.0]]]],
    "empty": [],
    "negative": -3,
    "huge": 10**400,
}


def of(function: Callable[..., Any], /, **right: Any) -> tuple[Callable[..., Any], dict[str, Any]]:
    return function, right


NETWORK: dict[str, Any] = {"weights": [[0.0, -5e-5], [-5e-5, 0.0]], "resistance": 1e4, "capacitance": 1e-8}
SHORT: dict[str, Any] = {"t_stop": 1e-5, "accuracy": 1e-2, "points": 3}
FACE: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Network": of(
        hh.Network,
        **NETWORK,
        gain=hh.Tanh(),
        bias=0.0,
        initial=0.0,
        input_weights=[[1e-5], [1e-5]],
        labels=("a", "b"),
        input_labels=("u",),
        volts_per_unit=1.0,
        siemens_per_unit=1.0,
        seconds_per_unit=1.0,
    ),
    "dimensionless": of(hh.Network.dimensionless, weights=[[0.0]], tau=1.0, gain=hh.Tanh(), volts=1.0, seconds=1e-3),
    **{
        kind.__name__: of(kind, gain=2.0, amplitude=1.0)
        for kind in (hh.Tanh, hh.Logistic, hh.Arctan, hh.Algebraic, hh.PiecewiseLinear)
    },
    "HardLimiter": of(hh.HardLimiter, amplitude=1.0),
    "Clip": of(hh.Clip, lower=-1.0, upper=1.0),
    "Polynomial": of(hh.Polynomial, coefficients=[1.0, 2.0]),
    "Signal": of(hh.Signal, times=[0.0, 1.0], values=[[0.0], [1.0]]),
    "Signal.held": of(hh.Signal.held, values=[0.0, 1.0], period=1.0),
    "Units": of(hh.Units, volts_per_unit=1.0, siemens_per_unit=1.0, seconds_per_unit=1.0),
    "Tolerances": of(Tolerances, resistors=0.01, capacitors=0.01, offset=1e-3, matching=0.01, multipliers=1.0),
    "Leak": of(Leak, name="x", capacitance=[1e-9], resistance=[1e4], initial=[0.0], labels=("a",)),
    "Affine": of(Affine, name="w", weights=[[1.0]], bias=[0.0]),
    "Activate": of(Activate, name="v", size=1, function=hh.Tanh()),
    "Delay": of(Delay, name="d", size=1, tau=1e-6, history=[0.0]),
    "Hold": of(Hold, name="h", clock=Clock(period=1.0), initial=[0.0]),
    "Clock": of(Clock, period=1.0, phase=0.0),
    "Quantise": of(Quantise, name="q", size=1, levels=4, lower=-1.0, upper=1.0),
    "Stencil": of(Stencil, template=[[1.0]], shape=(1, 2), boundary="fixed", edge=0.0),
    "Input": of(Input, name="u", size=1, labels=("a",)),
    "Output": of(Output, name="o", size=1),
    "Graph": of(hh.Graph, operators=GRAPH.operators, edges=GRAPH.edges, units=hh.Units()),
    "lower": of(hh.lower, graph=NET, cell="ideal", title="T"),
    "reference": of(hh.reference, graph=NET, inputs=0.1, method="auto", **SHORT),
    "reference_batch": of(hh.reference_batch, graphs=NET, initial=[[0.1, 0.2]], inputs=0.1, **SHORT),
    "simulate": of(hh.simulate, circuit=CIRCUIT, inputs=0.1, timeout=60.0, **SHORT),
    "simulate a network": of(hh.simulate, circuit=NET, cell="ideal", inputs=0.1, timeout=60.0, **SHORT),
    "verify": of(
        hh.verify,
        graph=NET,
        cell="ideal",
        t_stop=1e-5,
        inputs=0.1,
        accuracy=1e-2,
        tolerance=1e-2,
        title="T",
        timeout=60.0,
    ),
    "ActiveRC": of(
        hh.ActiveRC, activation="exact", multiplier="exact", resistance=1e4, reference=10.0, capacitance=1e-9
    ),
    "Pair": of(hh.Pair, beta=200.0, early_voltage=100.0, tail_current=1e-4),
    "draw": of(draw, circuit=CIRCUIT, tolerances=Tolerances(resistors=0.01), seed=0, sample=1),
    "run_machines": of(hh.run_machines, network=NET, step=1e-5, t_stop=2e-5, inputs=0.1, accuracy=1e-2),
    "run_asynchronous": of(hh.run_asynchronous, graph=MAP, max_sweeps=5, initial=[1.0, -1.0]),
    "run_sequence": of(hh.run_sequence, machine=MAP, inputs=np.zeros((2, 1, 0))),
    "load_design": of(hh.load_design, name_or_path="flip_flop"),
    "parse_graph": of(hh.parse_graph, text=GRAPH.text),
}
CASES = [(name, argument) for name, (_, right) in FACE.items() for argument in right]


def call(name: str, /, **changed: Any) -> None:
    function, right = FACE[name]
    more = {"rng": np.random.default_rng(0)} if name == "run_asynchronous" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function(**{**right, **changed}, **more)


@pytest.mark.parametrize(("name", "argument"), CASES)
@pytest.mark.usefixtures("ngspice")
def test_wrong_kinds_are_refused_in_words(name: str, argument: str) -> None:
    """Each argument in turn; what a function can take is no fault, what else it raises is one of the package's."""
    for what, value in WRONG.items():
        try:
            call(name, **{argument: value})
        except hh.HopfieldHWError as error:
            if not str(error):
                pytest.fail(f"{name}({argument}={what}): says nothing")
        except Exception as error:  # any other error is the fault that is looked for
            pytest.fail(f"{name}({argument}={what}): {type(error).__name__}: {error}")


def test_what_is_right_is_taken(ngspice: str) -> None:
    for name in FACE:
        if name != "load_design":
            call(name)


ODD: dict[str, tuple[Callable[[], Any], str]] = {
    "a class for a gain": (
        lambda: hh.Network(**NETWORK, gain=hh.Tanh),
        "`Network.gain` is the class Tanh: give an object",
    ),
    "a class for a cell": (
        lambda: hh.lower(NET, cell=hh.HopfieldTank),
        "cell HopfieldTank: is a class; give an object",
    ),
    "a class for a network": (lambda: hh.reference(hh.Network), "Network: is a class; give an object"),
    "no cell": (lambda: hh.lower(NET, cell=3), "cell 3: has no `name`"),
    "a bool": (
        lambda: hh.Network(**{**NETWORK, "resistance": True}),
        "`Network.resistance` = True: must be real numbers",
    ),
    "a bool in a list": (lambda: hh.Network(**NETWORK, bias=[0.0, True]), "`Network.bias` = [0.0, True]: must be real"),
    "None": (lambda: hh.Network(**{**NETWORK, "capacitance": None}), "`Network.capacitance` = None: must be real"),
    "transposed": (
        lambda: hh.Network(**NETWORK, input_weights=[[1e-5, 1e-5]]),
        "`Network.input_weights` has shape (1, 2)",
    ),
    "a cell for a circuit": (lambda: hh.simulate(CIRCUIT, cell="ideal"), "`cell`: the circuit is lowered already"),
    "another package's units": (
        lambda: hh.Network(**{**NETWORK, "resistance": SimpleNamespace(magnitude=10, units="kOhm")}),
        "`Network.resistance` = namespace(magnitude=10, units='kOhm'): has units of another package",
    ),
}


@pytest.mark.parametrize(("build", "message"), ODD.values(), ids=ODD)
def test_messages(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(hh.InputError) as caught:
        build()
    assert str(caught.value).startswith(message)


class Own:
    """Anyone's own object with a graph."""

    def graph(self) -> hh.Graph:
        return GRAPH


def test_anything_with_a_graph_runs(ngspice: str) -> None:
    own = Own()
    assert hh.lower(own).devices == CIRCUIT.devices
    wave = hh.simulate(own, **SHORT)
    assert wave.equals(hh.simulate(CIRCUIT, **SHORT))
    assert wave.attrs["cell"] == "ideal"
    assert hh.simulate(own, cell=hh.HopfieldTank(), **SHORT).attrs["cell"] == "hopfield_tank"
    assert hh.reference(own, **SHORT).equals(hh.reference(NET, **SHORT))
    assert hh.reference_batch([own, NET], **SHORT).sizes["draw"] == 2
    assert hh.verify(own, t_stop=1e-3).passed
