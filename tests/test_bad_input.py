"""Bad input, each refused by a message that is pinned, before anything is computed or written."""

from __future__ import annotations

import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp

from hopfield_hw.circuit import Circuit, Device, Origin, Probe, Role
from hopfield_hw.equations import solve, solve_batch
from hopfield_hw.functions import Softmax, Tanh
from hopfield_hw.functions.expressions import ARGUMENT, CALLS, Operation, call
from hopfield_hw.graph import (
    Activate,
    Affine,
    Clock,
    Delay,
    Graph,
    Hold,
    Input,
    Leak,
    Output,
    Quantise,
    Stencil,
    Units,
    parse_graph,
)
from hopfield_hw.lowering import lower
from hopfield_hw.networks.network import Network
from hopfield_hw.parts import Behaviour, CurrentSource, Pulse, Resistor, VoltageSource
from hopfield_hw.values.errors import HopfieldHWError, InputError, Unrealisable
from hopfield_hw.values.signals import Signal

NAN, INF = np.nan, np.inf
MASKED = np.ma.masked_array([1.0, 2.0], [True, False])
INJECTION = "a\n.control\nshell touch injected\n.endc"


@dataclass(frozen=True)
class Case:
    """Something that is refused, and the whole of the message; (...) is what Python, NumPy or a parser adds."""

    name: str
    make: Callable[[], Any]
    message: str
    error: type[HopfieldHWError] = InputError


def pattern(message: str) -> str:
    return f"^{re.escape(message).replace(re.escape('(...)'), r'[(].+[)]')}$"


def net(**others: Any) -> Callable[[], Network]:
    fields = {"weights": [[0.0, 1.0], [1.0, 0.0]], "resistance": 1.0, "capacitance": 1.0}
    return lambda: Network(**{**fields, **others})


def finite(what: str) -> str:
    return f"`{what}`: must be finite; replace missing or infinite values"


def label(found: str, where: str = "Network.labels[0]") -> str:
    return f"`{where}` = {found!r:.80}: must be letters, digits and underscores, at most 64 characters; rename it"


def name(found: str, where: str) -> str:
    allowed = "a letter, then letters, digits and underscores"
    return f"`{where}.name` = {found!r:.80}: must be {allowed}, at most 64 characters; rename it"


SQUARE = "must be (n, n) with at least one neuron"
ONE_NAME = "are one name in SPICE, which ignores case; rename one of them"

NETWORKS = [
    Case("nan weight", net(weights=[[0.0, NAN], [1.0, 0.0]]), finite("Network.weights[0, 1] = nan")),
    Case("inf weight", net(weights=[[0.0, 1.0], [-INF, 0.0]]), finite("Network.weights[1, 0] = -inf")),
    Case("nan in sparse", net(weights=sp.csr_array([[0.0, 1.0], [NAN, 0.0]])), finite("Network.weights[1, 0] = nan")),
    Case(
        "nan resistance",
        net(resistance=[1.0, NAN]),
        "`Network.resistance[1] = nan`: must be a number (infinity allowed)",
    ),
    Case("inf capacitance", net(capacitance=INF), finite("Network.capacitance[0] = inf")),
    Case("nan bias", net(bias=[NAN, 0.0]), finite("Network.bias[0] = nan")),
    Case("nan initial", net(initial=[0.0, NAN]), finite("Network.initial[1] = nan")),
    Case("inf input weight", net(input_weights=[[1.0], [INF]]), finite("Network.input_weights[1, 0] = inf")),
    Case("negative capacitance", net(capacitance=[1.0, -2.0]), "`Network.capacitance[1] = -2.0 F`: must be positive"),
    Case("zero capacitance", net(capacitance=0.0), "`Network.capacitance[0] = 0.0 F`: must be positive"),
    Case("negative resistance", net(resistance=[-5.0, 1.0]), "`Network.resistance[0] = -5.0 Ohm`: must be positive"),
    Case("zero resistance", net(resistance=0.0), "`Network.resistance[0] = 0.0 Ohm`: must be positive"),
    Case("minus infinity", net(resistance=-INF), "`Network.resistance[0] = -inf Ohm`: must be positive"),
    Case("weights not square", net(weights=np.ones((2, 3))), f"`Network.weights` has shape (2, 3): {SQUARE}"),
    Case("weights in a row", net(weights=[1.0, 2.0]), f"`Network.weights` has shape (2,): {SQUARE}"),
    Case("sparse not square", net(weights=sp.csr_array((2, 3))), f"`Network.weights` has shape (2, 3): {SQUARE}"),
    Case("empty", net(weights=np.zeros((0, 0))), f"`Network.weights` has shape (0, 0): {SQUARE}"),
    Case("empty sparse", net(weights=sp.csr_array((0, 0))), f"`Network.weights` has shape (0, 0): {SQUARE}"),
    Case("empty list", net(weights=[]), f"`Network.weights` has shape (0,): {SQUARE}"),
    Case("three resistances", net(resistance=[1.0] * 3), "`Network.resistance` has shape (3,): must have shape (2,)"),
    Case("three initials", net(initial=np.ones((2, 1))), "`Network.initial` has shape (2, 1): must have shape (2,)"),
    Case(
        "input weights in a row",
        net(input_weights=[1.0, 2.0]),
        "`Network.input_weights` has shape (2,): must be (2, inputs)",
    ),
    Case(
        "input weights of three",
        net(input_weights=np.ones((3, 1))),
        "`Network.input_weights` has shape (3, 1): must be (2, inputs)",
    ),
    Case(
        "no inputs", net(input_weights=np.ones((2, 0))), "`Network.input_weights` has shape (2, 0): must be (2, inputs)"
    ),
    Case(
        "ragged",
        net(weights=[[1.0, 2.0], [3.0]]),
        "`Network.weights` = [[1.0, 2.0], [3.0]]: must be real numbers in a rectangular array (...)",
    ),
    Case(
        "text",
        net(bias="much"),
        "`Network.bias` = 'much': must be a number, with an SI prefix and the unit A where wanted, such as '5uA' "
        "(m is milli, M or meg mega)",
    ),
    Case(
        "complex",
        net(bias=1j),
        "`Network.bias` = 1j: must be real numbers in a rectangular array (complex numbers)",
    ),
    Case(
        "masked",
        net(bias=MASKED),
        f"`Network.bias` = {MASKED!r:.80}: must be real numbers in a rectangular array (masked values)",
    ),
    Case(
        "sparse where it must be dense",
        net(bias=sp.csr_array([[1.0, 0.0]])),
        "`Network.bias` is a sparse matrix: must be a dense one here; give its `toarray()`",
    ),
    Case(
        "complex sparse",
        net(weights=sp.csr_array([[0.0, 1j], [0.0, 0.0]])),
        "`Network.weights` is 2-dimensional complex128: must be a real matrix",
    ),
    Case(
        "huge integer",
        net(bias=[10**400, 0]),
        f"`Network.bias` = {[10**400, 0]!r:.80}: must be real numbers in a rectangular array (...)",
    ),
    Case(
        "asymmetric",
        net(weights=[[0.0, 1.0, 2.0], [1.0, 0.0, 5.0], [2.0, -5.0, 0.0]], symmetric=True),
        "`Network.weights[1, 2]` = 5.0 and `weights[2, 1]` = -5.0: symmetric=True is claimed; make them equal, or drop "
        "the claim",
    ),
    Case(
        "asymmetric sparse",
        net(weights=sp.csr_array([[0.0, 1.0], [0.0, 0.0]]), symmetric=True),
        "`Network.weights[0, 1]` = 1.0 and `weights[1, 0]` = 0.0: symmetric=True is claimed; make them equal, or drop "
        "the claim",
    ),
    Case("no gain", net(gain=np.tanh), "`Network.gain` = <ufunc 'tanh'>: must be a Gain such as Tanh(gain=50.0)"),
    Case(
        "a function that is no gain",
        net(gain=Softmax()),
        "`Network.gain` = Softmax(): must be a Gain such as Tanh(gain=50.0)",
    ),
    Case(
        "gains of three",
        net(gain=Tanh(gain=[1.0, 2.0, 3.0])),
        "`Network.gain` has parameters for 3 neurons: must have 1 or 2",
    ),
    Case("zero gain", lambda: Tanh(gain=0.0), "`Tanh.gain = 0.0 V/V`: must be positive"),
    Case("zero volts", net(volts_per_unit=0.0), "`Network.volts_per_unit = 0.0`: must be positive"),
    Case(
        "negative seconds", lambda: Units(seconds_per_unit=-1.0), "`Units.seconds_per_unit = -1.0 s`: must be positive"
    ),
    Case("nan siemens", lambda: Units(siemens_per_unit=NAN), finite("Units.siemens_per_unit = nan")),
    Case(
        "zero tau",
        lambda: Network.dimensionless([[1.0]], tau=0.0),
        "`Network.capacitance[0] = 0.0`: must be positive",
    ),
]

LABELS = [
    *(
        Case(f"label {text!r:.20}", net(labels=(text, "b")), label(text))
        for text in (
            INJECTION,
            "a b",
            "a.b",
            "a\n",
            "\n.include secret",
            "",
            "_a",
            "a-b",
            "a;b",
            "ä",
            "a" * 65,
            "${x}",
            "a)",
        )
    ),
    Case("label of a number", net(labels=(1, "b")), label(1)),  # type: ignore[arg-type]
    Case("colliding labels", net(labels=("Ab", "aB")), f"`Network.labels`: 'Ab' and 'aB' {ONE_NAME}"),
    Case("equal labels", net(labels=("a", "a")), f"`Network.labels`: 'a' and 'a' {ONE_NAME}"),
    Case("one label", net(labels=("a",)), "`Network.labels` has 1 labels: must have 2, one for each element"),
    Case("a text of labels", net(labels="ab"), "`Network.labels` = 'ab': must be a sequence of labels, not one text"),
    *(
        Case(
            f"reserved {text}",
            net(labels=("a", text)),
            f"`Network.labels[1]` = {text!r}: is reserved in SPICE; rename it",
        )
        for text in ("gnd", "GND", "Time", "all", "control", "shell")
    ),
    Case("label of an input", lambda: Input(name="u", size=1, labels=("a b",)), label("a b", "u.labels[0]")),
]

ONE = {"capacitance": [1.0], "resistance": [1.0], "initial": [0.0]}

OPERATORS = [
    *(
        Case(f"name {text!r:.20}", lambda text=text: Output(name=text, size=1), name(text, "Output"))
        for text in (INJECTION, "1x", "a b", "a.b", "a\n", "x\t", "", "_x", "x" * 65, None)
    ),
    Case("reserved name", lambda: Leak(name="Gnd", **ONE), "`Leak.name` = 'Gnd': is reserved in SPICE; rename it"),  # type: ignore[arg-type]
    Case("size zero", lambda: Output(name="o", size=0), "`o.size` = 0: must be a whole number, at least 1"),
    Case("size a half", lambda: Output(name="o", size=1.5), "`o.size` = 1.5: must be a whole number, at least 1"),  # type: ignore[arg-type]
    Case("size true", lambda: Output(name="o", size=True), "`o.size` = True: must be a whole number, at least 1"),
    Case(
        "scalar capacitance",
        lambda: Leak(name="x", **{**ONE, "capacitance": 1.0}),  # type: ignore[arg-type]
        "`x.capacitance` has shape (): must be one row of at least one element",
    ),
    Case(
        "two initials for one",
        lambda: Leak(name="x", **{**ONE, "initial": [1.0, 2.0]}),  # type: ignore[arg-type]
        "`x.initial` has shape (2,): must have shape (1,)",
    ),
    Case(
        "negative leak",
        lambda: Leak(name="x", **{**ONE, "resistance": [-1.0]}),  # type: ignore[arg-type]
        "`x.resistance[0] = -1.0 Ohm`: must be positive",
    ),
    Case(
        "weights of a cube",
        lambda: Affine(name="w", weights=np.ones((2, 2, 2))),
        "`w.weights` has shape (2, 2, 2): must be a matrix (to, from)",
    ),
    Case(
        "no weights",
        lambda: Affine(name="w", weights=np.ones((0, 2))),
        "`w.weights` has shape (0, 2): must not be empty",
    ),
    Case(
        "bias of three",
        lambda: Affine(name="w", weights=np.eye(2), bias=np.ones(3)),
        "`w.bias` has shape (3,): must have shape (2,)",
    ),
    Case("nan stencil", lambda: Stencil(template=[[NAN]], shape=(2, 2)), finite("Stencil.template[0, 0] = nan")),
    Case(
        "even stencil",
        lambda: Stencil(template=np.ones((2, 3)), shape=(2, 2)),
        "`Stencil.template` has shape (2, 3): both sides must be odd, as in 3 x 3",
    ),
    *(
        Case(
            f"stencil on {shape}",
            lambda shape=shape: Stencil(template=np.ones((3, 3)), shape=shape),
            f"`Stencil.shape` = {shape}: must be (rows, columns), whole numbers of at least 1",
        )
        for shape in ((0, 3), (2.5, 3), 4, (3,), (2, 2, 2))
    ),
    Case(
        "stencil boundary",
        lambda: Stencil(template=np.ones((3, 3)), shape=(2, 2), boundary="mirror"),  # type: ignore[arg-type]
        "`Stencil.boundary` = 'mirror': must be one of zero, fixed, periodic, zero_flux",
    ),
    Case(
        "stencil edge",
        lambda: Stencil(template=np.ones((3, 3)), shape=(2, 2), edge=1.0),
        '`Stencil.edge` = 1.0: only boundary="fixed" has an edge value',
    ),
    Case(
        "no function",
        lambda: Activate(name="v", size=1, function=np.tanh),  # type: ignore[arg-type]
        "`v.function` = <ufunc 'tanh'>: must be a Gain or a Function",
    ),
    Case(
        "function of two",
        lambda: Activate(name="v", size=3, function=Tanh(gain=[1.0, 2.0])),
        "`v.function` is for 2 elements: must be for 3",
    ),
    Case(
        "no delay",
        lambda: Delay(name="d", size=1, tau=0.0, history=np.zeros(1)),
        "`d.tau = 0.0 s`: must be positive",
    ),
    Case(
        "a delay that vanishes",
        lambda: Delay(name="d", size=1, tau=Signal(times=[0, 1], values=[1, 0]), history=np.zeros(1)),  # type: ignore[arg-type]
        "`d.tau` has 1 elements, the least 0.0: must have one, positive at every time",
    ),
    Case(
        "history of two",
        lambda: Delay(name="d", size=1, tau=1.0, history=Signal(times=[0], values=[[1, 2]])),  # type: ignore[arg-type]
        "`d.history` has 2 elements: must have 1",
    ),
    Case("no period", lambda: Clock(period=0.0), "`Clock.period = 0.0 s`: must be positive"),
    Case(
        "late phase",
        lambda: Clock(period=1.0, phase=1.0),
        "`Clock.phase` = 1.0 s: must be from 0 to below the period, 1.0 s",
    ),
    Case(
        "no clock",
        lambda: Hold(name="h", clock=1.0, initial=[0.0]),  # type: ignore[arg-type]
        "`h.clock` = 1.0: must be a Clock(period=..., phase=...)",
    ),
    Case(
        "one level",
        lambda: Quantise(name="q", size=1, levels=1, lower=0.0, upper=1.0),
        "`q.levels` = 1: must be a whole number, at least 2",
    ),
    Case(
        "range upside down",
        lambda: Quantise(name="q", size=1, levels=2, lower=1.0, upper=1.0),
        "`q` ranges from 1.0 to 1.0: lower must be below upper",
    ),
    Case(
        "times that fall",
        lambda: Signal(times=[0.0, 1.0, 1.0], values=[0.0, 1.0, 2.0]),  # type: ignore[arg-type]
        "`Signal.times` = [0.0, 1.0, 1.0]: must be one row of strictly increasing times from 0 on",
    ),
    Case(
        "times before zero",
        lambda: Signal(times=[-1.0, 1.0], values=[0.0, 1.0]),  # type: ignore[arg-type]
        "`Signal.times` = [-1.0, 1.0]: must be one row of strictly increasing times from 0 on",
    ),
    Case(
        "values of another length",
        lambda: Signal(times=[0.0, 1.0], values=[[0.0, 1.0]]),  # type: ignore[arg-type]
        "`Signal.values` has shape (1, 2): must be (2, n), one row a time",
    ),
    Case("nan in a signal", lambda: Signal(times=[0.0], values=[NAN]), finite("Signal.values[0] = nan")),  # type: ignore[arg-type]
    Case(
        "an edge of one",
        lambda: Graph(operators=(Leak(name="x", **ONE),), edges=(("x",),)),  # type: ignore[arg-type]
        "`Graph.edges` holds ('x',): must be (source, target) or with a port",
    ),
    Case(
        "an operator that is none",
        lambda: Graph(operators=("x",), edges=()),  # type: ignore[arg-type]
        "`Graph.operators` holds 'x': must be operators such as Leak and Affine",
    ),
]


def circuit(
    part: Any = Resistor(1.0),  # noqa: B008 - frozen
    name: str = "R_1",
    nodes: tuple[str, ...] = ("a", "0"),
    **others: Any,
) -> Callable[[], Circuit]:
    fields: dict[str, Any] = {"title": "t", "cell": "c", "graph_hash": "0", "initial": {}, "states": (), "outputs": ()}
    devices = (Device(name, part, nodes, Origin("x", Role.RESISTANCE, (0,))),)
    return lambda: Circuit(devices=devices, **{**fields, **others})


FLOAT = "must be a float (of Python, not of NumPy)"
POINTS = "must be increasing (time, volts) points of finite floats, or a Pulse with edges"

CIRCUITS = [
    *(
        Case(
            f"value {value}",
            circuit(Resistor(value)),
            f"device R_1: resistance = {value} Ohm: must be positive and finite",
        )
        for value in (0.0, -1.0, NAN, INF)
    ),
    Case("nan amperes", circuit(CurrentSource(NAN), "I_1"), "device I_1: current = nan A: must be finite"),
    *(
        Case(
            f"value {value!r:.20}",
            circuit(Resistor(value)),  # type: ignore[arg-type]
            f"device R_1: resistance = {value!r:.60}: {FLOAT}",
        )
        for value in (0, -5, True, None, "1k", np.float64(1.0), np.float32(1.0), ((0.0, 1.0),))
    ),
    *(
        Case(
            f"expression {text!r:.20}",
            circuit(Behaviour(text), "B_1"),  # type: ignore[arg-type]
            f"expression {text!r:.60}: must be made of numbers, arguments, operations and calls",
        )
        for text in ("v(a)\n.control\nshell touch injected", "", "v(a)\r.include x", "v(ä)", 1)
    ),
    *(
        Case(
            f"function {name!r:.20}",
            lambda name=name: call(name, 1.0),
            f"expression: function {name!r:.40}: must be one of {', '.join(CALLS)}",
        )
        for name in ("v(a)\n.control\nshell touch injected", "", "cosh")
    ),
    *(
        Case(
            f"operation {symbol!r:.20}",
            lambda symbol=symbol: Operation(symbol, ARGUMENT, ARGUMENT),
            f"expression: operation {symbol!r:.40}: must be one of +, -, *, /",
        )
        for symbol in ("**", "\n.control\n", "")
    ),
    *(
        Case(f"points {points}", circuit(VoltageSource(points), "V_1"), f"device V_1 = {points!r:.80}: {POINTS}")
        for points in ((), ((0.0, NAN),), ((1.0, 0.0), (0.0, 1.0)), ((0.0, 0.0), (0.0, 1.0)), ((0, 1),))
    ),
    *(
        Case(
            f"waveform {wave}",
            circuit(VoltageSource(wave), "V_1"),  # type: ignore[arg-type]
            f"device V_1: voltage = {wave!r}: {FLOAT}",
        )
        for wave in ("SIN(0 1 1)", None, 1)
    ),
    *(
        Case(
            f"a pulse {what}",
            circuit(VoltageSource(pulse), "V_1"),
            f"device V_1 = {pulse!r:.80}: {POINTS}",
        )
        for what, pulse in (
            ("of a negative width", Pulse(0.0, 1.0, 0.0, 1e-6, -1e-3, 1e-3)),
            ("without edges", Pulse(0.0, 1.0, 0.0, 0.0, 1e-3, 2e-3)),
            ("without a period", Pulse(0.0, 1.0, 0.0, 1e-6, 1e-3, 0.0)),
        )
    ),
    *(
        Case(
            f"{field} on two lines",
            circuit(**{field: INJECTION}),
            f"`Circuit.{field}` = {INJECTION!r:.80}: must be one line of printable text",
        )
        for field in ("title", "cell", "graph_hash")
    ),
    Case("title on a return", circuit(title="a\r.x"), "`Circuit.title` = 'a\\r.x': must be one line of printable text"),
    Case(
        "a start that is a line",
        circuit(initial={"a)=1\n.control": 1.0}),
        "`Circuit` starts or probes node 'a)=1\\n.control', which no device has",
    ),
    Case(
        "a probe of nothing",
        circuit(states=(Probe("0", "b"),)),
        "`Circuit` starts or probes node 'b', which no device has",
    ),
    Case("an input of nothing", circuit(inputs=("V_u",)), "`Circuit.inputs` names 'V_u', which is not a device"),
]


def graph() -> Graph:
    return net(input_weights=[[1.0], [1.0]])().graph()


RUNS = [
    *(
        Case(
            f"{run.__name__} {setting}",
            lambda run=run, setting=setting: run(graph(), **setting),
            message,
        )
        for run in (solve, solve_batch)
        for setting, message in (
            *(
                (
                    {"accuracy": value},
                    f"`accuracy` = {value}: is an NRMSE and must be from 1e-09 to below 1, such as 1e-4",
                )
                for value in (0.0, -1e-4, 1e-30, 1.0, NAN)
            ),
            *(
                ({"points": value}, f"`points` = {value}: must be a whole number of times, at least 2")
                for value in (1, 0, -3, 2.5)
            ),
            ({"t_stop": 0.0}, "`t_stop = 0.0 s`: must be positive"),
            ({"t_stop": INF}, finite("t_stop = inf")),
            ({"inputs": [1.0, 2.0]}, "`inputs` has shape (2,): must have shape (1,)"),
            ({"inputs": NAN}, finite("inputs[0] = nan")),
        )
    ),
    Case(
        "unknown method",
        lambda: solve(graph(), method="Euler"),  # type: ignore[arg-type]
        "`method` = 'Euler': must be one of auto, RK45, DOP853, Radau, BDF, LSODA",
    ),
    Case(
        "inputs of none", lambda: solve(net()().graph(), inputs=1.0), "`inputs`: the graph has no Input; leave it out"
    ),
    Case(
        "no time constant",
        lambda: solve(net(resistance=INF)().graph()),
        "`t_stop`: the graph has no finite time constant R C; say for how long to run, in seconds",
    ),
    Case("no draws", lambda: solve_batch([]), "`graphs` is empty: give at least one graph"),
    Case(
        "one row of states",
        lambda: solve_batch(graph(), initial=[1.0, 2.0]),
        "`initial` has shape (2,): must be (draws, 2)",
    ),
    Case(
        "no rows of states",
        lambda: solve_batch(graph(), initial=np.ones((0, 2))),
        "`initial` has shape (0, 2): must be (draws, 2)",
    ),
    Case(
        "three rows for two draws",
        lambda: solve_batch([graph(), graph()], initial=np.ones((3, 2))),
        "`initial` has shape (3, 2): must be (2, 2)",
    ),
    Case(
        "title that injects",
        lambda: lower(graph(), title=INJECTION),
        f"`Circuit.title` = {INJECTION!r:.80}: must be one line of printable text",
    ),
]


def edges(**attributes: Any) -> Callable[[], Network]:
    def make() -> Network:
        drawn = nx.DiGraph()
        drawn.add_edge("a", "b", **attributes)
        return Network.from_graph(drawn, resistance=1.0, capacitance=1.0)

    return make


def some_nodes() -> Network:
    drawn = nx.path_graph(["a", "b"], create_using=nx.DiGraph)
    nx.set_edge_attributes(drawn, 1.0, "weight")
    drawn.nodes["b"]["bias"] = 1.0
    return Network.from_graph(drawn, resistance=1.0, capacitance=1.0)


def spaced_nodes() -> Network:
    return Network.from_graph(nx.DiGraph([("a b", "c", {"weight": 1.0})]), resistance=1.0, capacitance=1.0)


DRAWN = [
    Case("no weight", edges(), "edge 'a' -> 'b': `weight` is None: must be a number, siemens"),
    Case("weight in words", edges(weight="big"), "edge 'a' -> 'b': `weight` is 'big': must be a number, siemens"),
    Case("nan on an edge", edges(weight=NAN), finite("Network.weights[1, 0] = nan")),
    Case("some nodes", some_nodes, "node 'a': has no `bias`, which other nodes carry; give it one"),
    Case("node with a blank", spaced_nodes, label("a b")),
    Case("no nodes", lambda: Network.from_graph(nx.DiGraph()), f"`Network.weights` has shape (0, 0): {SQUARE}"),
]

TEXTS = [
    Case("no header", lambda: parse_graph("leak x {}"), "graph text, line 1: must be 'hopfield_hw graph 1'"),
    Case("no text", lambda: parse_graph(""), "graph text, line 1: must be 'hopfield_hw graph 1'"),
    *(
        Case(
            line,
            lambda line=line: parse_graph(f"hopfield_hw graph 1\nunits 1.0 1.0 1.0\n{line}\n"),
            f"graph text, line 3: {line[:60]!r} is not a line of a graph",
        )
        for line in (
            "resistor x {}",
            "leak x []",
            "leak x 3",
            "leak x {",
            "leak x",
            'leak x {"capacitance":[1.0]}',
            'affine w {"weights":3}',
            'affine w {"weights":{"cubic":[]}}',
            'affine w {"weights":{"dense":[[1.0]],"sparse":{}}}',
            'activate v {"function":3,"size":1}',
            'activate v {"function":{"gain":3},"size":1}',
            'hold h {"clock":3,"initial":[0.0]}',
            "edge a b",
            "units 1.0",
            f'leak x {{"a":{"[" * 100_000}',
        )
    ),
    Case(
        "a bad value on a line",
        lambda: parse_graph('hopfield_hw graph 1\nleak x {"capacitance":[-1.0],"initial":[0.0],"resistance":[1.0]}'),
        "graph text, line 2: `x.capacitance[0] = -1.0 F`: must be positive",
    ),
    Case(
        "an unknown curve on a line",
        lambda: parse_graph('hopfield_hw graph 1\nactivate v {"function":{"kind":"tanh","slope":1.0},"size":1}'),
        "graph text, line 2: function 'tanh': parameter 'slope' is unknown: must be one of gain, amplitude",
    ),
]

CASES = [*NETWORKS, *LABELS, *OPERATORS, *CIRCUITS, *RUNS, *DRAWN, *TEXTS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:40])
def test_refused(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(case.error, match=pattern(case.message)) as caught:
        case.make()
    assert caught.value.exit_status == 2
    assert list(tmp_path.iterdir()) == []


def test_unrealisable_is_bad_input() -> None:
    with pytest.raises(Unrealisable) as caught:
        lower(net(weights=[[0.0, 9.0], [9.0, 0.0]])().graph(), cell="hopfield_tank")
    assert isinstance(caught.value, InputError)
    assert caught.value.exit_status == 2


# Files


def json_with(**changes: Any) -> bytes:
    """A good network file with some fields changed; None takes a field out."""
    content = {"format": "hopfield_hw network", "version": 1, **net(labels=("a", "b"))().to_dict(), **changes}
    return json.dumps({key: value for key, value in content.items() if value is not ...}).encode()


SPARSE = {"weights": None}

JSON_FILES: dict[str, tuple[bytes, str]] = {
    "toml": (b"weights = 3", "net.json: is not JSON (...)"),
    "nothing": (b"", "net.json: is not JSON (...)"),
    "binary": (b"\xff\xfe\x00", "net.json: is not JSON (it is not text)"),
    "nan": (b'{"a": NaN}', "net.json: is not JSON (NaN is not a JSON number)"),
    "infinity": (b"[-Infinity]", "net.json: is not JSON (-Infinity is not a JSON number)"),
    "list": (b"[1, 2]", "net.json: `network`: [1, 2] is not of type 'object'"),
    "another format": (json_with(format="netlist"), "net.json: `network.format`: 'hopfield_hw network' was expected"),
    "a later version": (json_with(version=2), "net.json: `network.version`: 1 was expected"),
    "unknown key": (
        json_with(leak=1.0),
        "net.json: `network`: Additional properties are not allowed ('leak' was unexpected)",
    ),
    "missing key": (json_with(capacitance=...), "net.json: `network`: 'capacitance' is a required property"),
    "text for a number": (json_with(bias=["1", 0]), "net.json: `network.bias[0]`: '1' is not of type 'number'"),
    "true for a number": (json_with(bias=[True, 0]), "net.json: `network.bias[0]`: True is not of type 'number'"),
    "no neurons": (json_with(size=0), "net.json: `network.size`: 0 is less than the minimum of 1"),
    "symmetric in words": (json_with(symmetric="no"), "net.json: `network.symmetric`: 'no' is not of type 'boolean'"),
    "size of three": (json_with(size=3), "network: `size` is 3 and `weights` has 2 rows: must be the same"),
    "both forms": (
        json_with(entries=[[0, 1, 1.0]]),
        "network: must have either `weights` or `entries`, not both and not neither",
    ),
    "neither form": (
        json_with(weights=None),
        "network: must have either `weights` or `entries`, not both and not neither",
    ),
    "entry outside": (
        json_with(**SPARSE, entries=[[0, 2, 1.0]]),
        "network: `entries` name neuron 2: must be from 0 to 1",
    ),
    "entry below": (
        json_with(**SPARSE, entries=[[-1, 0, 1.0]]),
        "network: `entries` name neuron -1: must be from 0 to 1",
    ),
    "entry twice": (
        json_with(**SPARSE, entries=[[0, 1, 1.0], [0, 1, 2.0]]),
        "network: `entries` give [0, 1] twice: give each weight once",
    ),
    "entry of two": (json_with(**SPARSE, entries=[[0, 1]]), "net.json: `network.entries[0]`: [0, 1] is too short"),
    "overflow": (
        json_with(bias=[1.5, 0]).replace(b"1.5", b"1e999"),
        finite("Network.bias[0] = inf"),
    ),
    "negative capacitance": (json_with(capacitance=[1, -1]), "`Network.capacitance[1] = -1.0 F`: must be positive"),
    "unknown gain": (
        json_with(gain={"kind": "relu"}),
        "function kind 'relu' is unknown: must be one of tanh, logistic, piecewise_linear, arctan, algebraic, "
        "softsign, hard_limiter, table, identity, polynomial, rational, clip, softmax, dead_zone, leaky_relu, "
        "thresholded_relu, elu, softplus; did you mean 'elu'?",
    ),
    "unknown parameter": (
        json_with(gain={"kind": "tanh", "slope": 3}),
        "function 'tanh': parameter 'slope' is unknown: must be one of gain, amplitude",
    ),
    "a function that is no gain": (
        json_with(gain={"kind": "identity"}),
        "`Network.gain` = Identity(): must be a Gain such as Tanh(gain=50.0)",
    ),
    "label that injects": (json_with(labels=[INJECTION, "b"]), label(INJECTION)),
    "labels that collide": (json_with(labels=["A", "a"]), f"`Network.labels`: 'A' and 'a' {ONE_NAME}"),
}


@pytest.mark.parametrize("case", JSON_FILES)
def test_json_is_refused(case: str, tmp_path: Path) -> None:
    content, message = JSON_FILES[case]
    (tmp_path / "net.json").write_bytes(content)
    with pytest.raises(InputError, match=pattern(message)):
        Network.from_json(tmp_path / "net.json")


def test_json_of_no_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"^net\.json: is not JSON \("):
        Network.from_json(tmp_path / "net.json")


def archive(**entries: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **entries)
    return file.getvalue()


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def header(**changes: Any) -> Any:
    content = json.loads(json_with(**changes))
    return np.array(
        json.dumps({key: value for key, value in content.items() if key not in ("weights", "input_weights")})
    )


class Bomb:
    """A pickle that leaves a file when it is loaded."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("injected"),)


def corrupt() -> bytes:
    content = archive(network=header(), weights=np.eye(2))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        start = file.getinfo("weights.npy").header_offset
    return content[: start + 60] + b"\x00" * 40 + content[start + 100 :]


NOT_ONE = "net.npz: is not a NumPy archive (its head is not that of one; write it with to_npz)"
PICKLE = "net.npz: holds pickled objects, which can run code: refused; write the network with to_npz"

NPZ_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": (lambda: b"hello", NOT_ONE),
    "nothing": (lambda: b"", NOT_ONE),
    "one array": (npy, NOT_ONE),
    "a bare pickle": (lambda: pickle.dumps(Bomb()), NOT_ONE),
    "truncated": (lambda: archive(network=header())[:-30], NOT_ONE),
    "a pickle in it": (lambda: archive(network=header(), weights=np.array([Bomb()])), PICKLE),
    "a pickle for a header": (lambda: archive(network=np.array([Bomb()])), PICKLE),
    "no header": (
        lambda: archive(weights=np.eye(2)),
        "net.npz: is not a network archive (it has no entry `network`); write it with to_npz",
    ),
    "unknown array": (
        lambda: archive(network=header(), weights=np.eye(2), extra=np.zeros(1)),
        "net.npz: is not a network archive (it has the unknown entry 'extra'); write it with to_npz",
    ),
    "a list for a header": (lambda: archive(network=np.array("[]")), "net.npz: `network`: [] is not of type 'object'"),
    "no JSON in it": (
        lambda: archive(network=np.array("x = 3")),
        "net.npz: is not JSON (...)",
    ),
    "unknown key": (
        lambda: archive(network=header(leak=1.0), weights=np.eye(2)),
        "net.npz: `network`: Additional properties are not allowed ('leak' was unexpected)",
    ),
    "nan weights": (
        lambda: archive(network=header(), weights=np.full((2, 2), NAN)),
        finite("Network.weights[0, 0] = nan"),
    ),
    "text for weights": (
        lambda: archive(network=header(), weights=np.array([["a"]])),
        "net.npz: `network.weights[0][0]`: 'a' is not of type 'number'",
    ),
}


@pytest.mark.parametrize("case", NPZ_FILES)
def test_npz_is_refused(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make, message = NPZ_FILES[case]
    (tmp_path / "net.npz").write_bytes(make())
    with pytest.raises(InputError, match=pattern(message)):
        Network.from_npz(tmp_path / "net.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


def test_a_corrupt_npz_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.npz").write_bytes(corrupt())
    with pytest.raises(InputError, match=r"^net\.npz: is not a NumPy archive \("):
        Network.from_npz(tmp_path / "net.npz")


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_a_file_that_is_not_there_is_refused(suffix: str, tmp_path: Path) -> None:
    fix = f"give the path of a network .{suffix}"
    for where, reason in ((tmp_path / "gone", "No such file or directory"), (tmp_path, "Is a directory")):
        message = f"{where.name}: cannot be read ({reason}); {fix}"
        with pytest.raises(InputError, match=pattern(message)):
            getattr(Network, f"from_{suffix}")(where)
