"""Sample-and-hold circuits are read back as maps: ours to rounding, drawn ones by their transient; faults are named."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from extraction.exact import GAINS

import hopfield_hw as hh
from hopfield_hw.extraction import ClockedExtraction, compare, extract
from hopfield_hw.functions import Gain
from hopfield_hw.graph import Activate, Affine, Clock, Edge, Graph, Hold, Input, Operator, Sign

COUNT, EXACT = 60, 1e-9
PERIOD = 1e-4
MODEL = ".model SWM SW(VT=2.5 VH=0.1 RON=100 ROFF=1e12)\n"
PAIR = f"""two neurons of op-amps, a master and a slave of each
.param T=1m
VCK1 ck1 0 PULSE(0 5 {{0.55*T}} 1u 1u {{0.4*T}} {{T}})
VCK2 ck2 0 PULSE(0 5 {{0.05*T}} 1u 1u {{0.4*T}} {{T}})
VIN in 0 SIN(0 1 50)
VREF ref 0 -2
R11 x1 s1 20k
R12 x2 s1 10k
R1U in s1 50k
R1B ref s1 100k
R1F y1 s1 10k
EU1 y1 0 0 s1 1e6
R21 x1 s2 15k
R2F y2 s2 10k
EU2 y2 0 0 s2 1e6
B1 z1 0 V=2*tanh(1.5*v(y1))
B2 z2 0 V=2*tanh(1.5*v(y2))
S1 z1 m1 ck1 0 SWM
CM1 m1 0 1n
EB1 b1 0 m1 b1 1e6
S2 b1 h1 ck2 0 SWM
CH1 h1 0 1n
EB2 x1 0 h1 x1 1e6
S3 z2 m2 ck1 0 SWM
CM2 m2 0 1n
EB3 b2 0 m2 b2 1e6
S4 b2 h2 ck2 0 SWM
CH2 h2 0 1n
EB4 x2 0 h2 x2 1e6
{MODEL}"""
# The complement of one clock, two masters in parallel, an inverting hold, a decoupled supply, a curve of the state.
INVERTING = f"""one neuron whose hold inverts
VCK ck 0 PULSE(0 5 0 10n 10n 50u 100u)
E2 nck 0 VALUE={{5-v(ck)}}
B1 z 0 V=atan(3*v(x))
R1 z s 10k
R2 x s 47k
R3 s 0 22k
S1 s m ck 0 SWM
CMA m 0 100p
CMB m 0 120p
EB b 0 m 0 -1
S2 b h nck 0 SWM
CH h 0 220p
EX x 0 h 0 1
VDD vdd 0 5
CD vdd 0 100n
{MODEL}"""
# A gate of a subcircuit on each phase, VSWITCH, and the buffer within the cell.
CELLS = """one neuron in cells
VA pa 0 PULSE(0 1 1u 1n 1n 8u 20u)
VB pb 0 PULSE(0 1 11u 1n 1n 8u 20u)
.subckt hold in out gate
S1 in c gate 0 GATE
C1 c 0 10p
E1 out 0 c 0 1
.ends
.model GATE VSWITCH(VON=0.8 VOFF=0.2 RON=1k ROFF=1e13)
X1 f a pa hold
X2 a x pb hold
G1 0 d x 0 -0.7
I1 0 d 0.2
R1 d 0 1
B1 f 0 V=1.5*tanh(2*v(d))
"""


def random_map(index: int, rng: np.random.Generator) -> tuple[Graph, bool]:
    """Return a map of 1 to 6 states, and whether its curves are of sums."""
    n = 1 if index % 12 == 0 else int(rng.integers(1, 7))
    family = GAINS[(index // 3) % len(GAINS)]
    gain = make_gain(family, n, rng)
    weights = rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.8)
    bias = rng.normal(size=n) * 0.3
    m = int(rng.integers(1, 4))
    operators: list[Operator] = [Hold(name="x", clock=Clock(period=PERIOD), initial=np.zeros(n))]
    given = rng.normal(size=(n, m))
    operators += [Input(name="u", size=m), Affine(name="syn_u", weights=given)]
    if index % 3 == 0:
        operators += [Affine(name="syn", weights=weights, bias=bias), Activate(name="v", size=n, function=gain)]
        edges = [Edge("x", "syn"), Edge("syn", "v"), Edge("syn_u", "v"), Edge("v", "x"), Edge("u", "syn_u")]
        return Graph(operators=tuple(operators), edges=tuple(edges)), True
    if index % 3 == 1:
        keep = np.diag(rng.uniform(0.2, 0.9, n)) + 0.1 * rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.3)
        operators += [Activate(name="v", size=n, function=gain), Affine(name="syn", weights=weights, bias=bias)]
        operators.append(Affine(name="keep", weights=keep))
        edges = [Edge("x", "v"), Edge("v", "syn"), Edge("syn", "x"), Edge("x", "keep"), Edge("keep", "x")]
        return Graph(operators=tuple(operators), edges=(*edges, Edge("u", "syn_u"), Edge("syn_u", "x"))), False
    operators += [Affine(name="syn", weights=weights, bias=bias), Sign(name="v", size=n, band=rng.uniform(0.1, 0.3, n))]
    operators[0] = replace(operators[0], initial=np.ones(n))  # type: ignore[call-arg]
    edges = [Edge("x", "syn"), Edge("syn", "v"), Edge("syn_u", "v"), Edge("v", "x"), Edge("u", "syn_u")]
    return Graph(operators=tuple(operators), edges=(*edges, Edge("x", "v", "tie"))), True


def make_gain(family: type[Gain], n: int, rng: np.random.Generator) -> Gain:
    amplitude = rng.uniform(0.5, 3.0, n)
    if family is hh.HardLimiter:
        return hh.HardLimiter(amplitude=amplitude)
    return family(amplitude=amplitude, gain=rng.uniform(0.5, 5.0, n))  # type: ignore[call-arg]


def matrix_of(graph: Graph, name: str, n: int) -> np.ndarray:
    """Return the weights of an Affine, 0 where there is none."""
    affine = {op.name: op for op in graph.operators}.get(name)
    if not isinstance(affine, Affine):
        return np.zeros((n, n))
    values, rows, columns = affine.weights.entries()
    found = np.zeros((affine.output_size, affine.input_size))
    found[rows, columns] = values
    return found


def error_of_map(found: ClockedExtraction, graph: Graph) -> float:
    """Return the largest error of any value, in parts of the largest weight, or of itself."""
    n = found.size
    operators = {op.name: op for op in graph.operators}
    synapses, curve = operators["syn"], operators["v"]
    assert isinstance(synapses, Affine)
    wanted = {name: matrix_of(graph, name, n) for name in ("syn", "syn_u", "keep")}
    size = max(float(np.max(np.abs(wanted["syn"]))), 1.0)
    errors = [
        np.max(np.abs(found.weights - wanted["syn"])) / size,
        np.max(np.abs(found.input_weights - wanted["syn_u"])) / size,
        np.max(np.abs(found.linear + np.diag(found.own) - wanted["keep"])) / size,
        np.max(np.abs(found.bias - synapses.constant)) / size,
        abs(found.clock.period / PERIOD - 1.0) + found.clock.phase / PERIOD,
    ]
    if isinstance(curve, Sign):
        errors.append(np.max(np.abs(found.bands - curve.band)))
        errors += [0.0 if isinstance(gain, hh.HardLimiter) else np.inf for gain in found.gains]
        return float(np.max(errors))
    assert isinstance(curve, Activate)
    assert isinstance(curve.function, Gain)
    for k, gain in enumerate(found.gains):
        if gain is None:
            errors.append(np.inf if np.any(wanted["syn"][:, k]) or found.is_of_sums else 0.0)
            continue
        if type(gain) is not type(curve.function):
            return float("inf")
        for name, value in curve.function.params().items():
            own = float(np.broadcast_to(value, n)[k])
            errors.append(abs(float(np.max(getattr(gain, name))) / own - 1.0))
    return float(np.max(errors))


@pytest.mark.parametrize("cell", ["ideal", "active_rc"])
def test_random_maps_are_read_back(cell: str) -> None:
    rng = np.random.default_rng(31)
    for index in range(COUNT):
        graph, is_of_sums = random_map(index, rng)
        found = extract(hh.lower(graph, cell=cell), ideal=True, verify=False)
        assert isinstance(found, ClockedExtraction)
        assert found.way == "clock phases"
        assert found.is_of_sums == is_of_sums, f"map {index}"
        assert error_of_map(found, graph) <= EXACT, f"map {index}"


def test_the_graph_is_the_map() -> None:
    rng = np.random.default_rng(7)
    for index in range(12):
        graph, _ = random_map(index, rng)
        found = extract(hh.lower(graph), ideal=True, verify=False)
        start = np.sign(rng.normal(size=found.size)) if np.any(found.bands) else rng.normal(size=found.size)
        held = graph.operators[0]
        assert isinstance(held, Hold)
        same = replace(graph, operators=(replace(held, initial=start), *graph.operators[1:]))
        inputs = rng.normal(size=found.input_weights.shape[1])
        runs = [
            hh.reference(each, t_stop=6 * PERIOD, inputs=inputs)["state"].to_numpy()
            for each in (same, found.graph(initial=start))
        ]
        assert np.max(np.abs(runs[0] - runs[1])) <= 1e-8
        with pytest.raises(hh.InputError, match="a map, which a Network has no place for"):
            _ = found.network


def test_curves_of_several_kinds_are_one_graph() -> None:
    deck = CELLS.replace(
        "B1 f 0", "X3 g b pa hold\nX4 b y pb hold\nB2 g 0 V=atan(v(x)-0.5*v(y))\nG2 0 d y 0 0.4\nB1 f 0"
    )
    found = extract(deck, ideal=True, verify=False)
    assert isinstance(found, ClockedExtraction)
    assert found.weights == pytest.approx(np.array([[-0.7, 0.4], [1.0, -0.5]]), rel=1e-9)
    x = np.array([0.3, -0.2])
    after = hh.reference(found.graph(initial=x), t_stop=found.clock.period)["state"].to_numpy()[1]
    a, b = 1.5 * np.tanh(2.0 * (-0.7 * x[0] + 0.4 * x[1] + 0.2)), np.arctan(x[0] - 0.5 * x[1])
    assert after == pytest.approx([a, b], abs=1e-9)


def test_a_drawn_pair_is_its_map() -> None:
    found = extract(PAIR)
    assert isinstance(found, ClockedExtraction)
    assert found.weights == pytest.approx(np.array([[-0.5, -1.0], [-2.0 / 3.0, 0.0]]), rel=1e-5, abs=1e-12)
    assert found.input_weights == pytest.approx(np.array([[-0.2], [0.0]]), rel=1e-5, abs=1e-12)
    assert found.bias == pytest.approx([0.2, 0.0], rel=1e-5, abs=1e-12)
    assert [gain.amplitude for gain in found.gains] == pytest.approx([2.0, 2.0])  # type: ignore[union-attr]
    assert (found.clock.period, found.clock.phase) == pytest.approx((1e-3, 51e-6))
    assert found.labels == ("ch1", "ch2")
    assert set(found.devices(0, 1)) >= {"r12"}
    assert found.agreement is not None
    assert found.agreement.passed
    assert found.agreement.nrmse < 1e-4


@pytest.mark.parametrize("deck", [INVERTING, CELLS], ids=["inverting", "cells"])
def test_a_drawn_circuit_does_what_its_map_does(deck: str) -> None:
    found = extract(deck)
    assert found.agreement is not None
    assert found.agreement.passed
    assert found.agreement.nrmse < 1e-4


def test_a_hold_that_inverts_is_counted() -> None:
    found = extract(INVERTING, ideal=True, verify=False)
    assert isinstance(found, ClockedExtraction)
    siemens = 1e-4 + 1.0 / 47e3 + 1.0 / 22e3
    assert found.weights == pytest.approx(np.array([[-1e-4 / siemens]]), rel=1e-9)
    assert found.own == pytest.approx([-1.0 / 47e3 / siemens], rel=1e-9)
    assert found.capacitance == pytest.approx([220e-12])
    assert any("cd is between fixed voltages" in note for note in found.notes)


def test_another_map_does_not_agree() -> None:
    from hopfield_hw.extraction.flatten import flatten
    from hopfield_hw.extraction.instants import compare_instants

    found = extract(PAIR, verify=False)
    assert isinstance(found, ClockedExtraction)
    wrong = replace(found, weights=found.weights * 1.05)
    assert not compare_instants(wrong, flatten(PAIR), np.random.default_rng(1), 60.0).passed


def changed(deck: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in deck
        deck = deck.replace(old, new)
    return deck


EXCHANGED = (
    ("ck1 0 PULSE(0 5 {0.55*T}", "ck1 0 PULSE(0 5 {0.00*T}"),
    ("ck2 0 PULSE(0 5 {0.05*T}", "ck2 0 PULSE(0 5 {0.55*T}"),
)
EXCHANGED = (*EXCHANGED, ("{0.00*T}", "{0.05*T}"))
FAULTS = {
    "value": ((("R12 x2 s1 10k", "R12 x2 s1 12k"),), "r12 is 12 kOhm, and should be 10 kOhm", ("r12",)),
    "missing": ((("R12 x2 s1 10k\n", ""),), "r12 (10 kOhm, x2 to s1) is missing", ("r12",)),
    "swapped": (
        (("R11 x1 s1 20k\nR12 x2 s1 10k", "R11 x1 s1 10k\nR12 x2 s1 20k"),),
        "r11 and r12 are exchanged",
        ("r11", "r12"),
    ),
    "phases": (EXCHANGED, "vck1 and vck2 are exchanged: the phases of the clock", ("vck1", "vck2")),
    "a switch on the other phase": ((("h1 ck2", "h1 ck1"),), "s2 goes to ck1, and should go to ck2", ("s2",)),
    "no hold capacitor": ((("CH1 h1 0 1n\n", ""),), "ch1 (1 nF, h1 to 0) is missing", ("ch1",)),
    "no master": ((("CM2 m2 0 1n\n", ""),), "cm2 (1 nF, m2 to 0) is missing", ("cm2",)),
    "capacitor": ((("CH1 h1 0 1n", "CH1 h1 0 2n"),), "ch1 is 2 nF, and should be 1 nF", ("ch1",)),
    "overlap": ((("{0.55*T}", "{0.25*T}"),), "vck1 has a delay of 0.00025, and should have 0.00055", ("vck1",)),
    "curve": ((("1.5*v(y1)", "1.2*v(y1)"),), "b1 is another device than it should be", ("b1",)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_against_the_deck(name: str) -> None:
    edits, words, devices = FAULTS[name]
    found = compare(changed(PAIR, *edits), PAIR)
    assert not found.agrees
    assert found.findings[0].words == words
    assert found.findings[0].devices == devices
    assert len(found.findings) == 1


def test_a_deck_is_itself() -> None:
    assert compare(PAIR, PAIR).agrees
    found = extract(PAIR, ideal=True, verify=False)
    assert isinstance(found, ClockedExtraction)
    assert found.diff(found.graph()).agrees


@pytest.mark.parametrize("name", ["value", "missing", "swapped", "phases"])
def test_a_fault_is_named_against_the_map(name: str) -> None:
    good = extract(PAIR, ideal=True, verify=False)
    edits, words, devices = FAULTS[name]
    found = extract(changed(PAIR, *edits), ideal=True, verify=False).diff(good.graph())
    first = found.findings[0]
    if name == "missing":
        said = " ".join((first.words, *first.alternatives))
        assert first.kind == "missing"
        assert "10 kOhm" in first.words
        assert "x2" in said
    elif name == "phases":
        assert first.words == "the two phases of the clock (vck1, vck2) are exchanged"
    else:
        assert (first.words, first.devices) == (words, devices)


def test_a_fault_of_a_circuit_of_ours_is_named() -> None:
    rng = np.random.default_rng(5)
    graph, _ = random_map(0, np.random.default_rng(1))
    graph = hh.transforms.discretise(
        hh.Network(weights=rng.normal(size=(3, 3)) * 1e-4, resistance=1e4, capacitance=1e-8, gain=hh.Tanh(gain=2.0)),
        step=5e-5,
    )
    circuit = hh.lower(graph, cell="active_rc")
    deck = circuit.netlist()
    line = next(line for line in deck.splitlines() if line.startswith("R_syn_0_1 "))
    name, *nodes, value = line.split()
    found = compare(deck.replace(line, f"{name} {' '.join(nodes)} {2.0 * float(value)!r}"), circuit)
    assert found.findings[0].devices == ("r_syn_0_1",)
    assert found.findings[0].kind == "value"


REFUSED = {
    "a switch that a state controls": (
        (("ck1 0 SWM\nCM1", "y2 0 SWM\nCM1"),),
        "deck line 18: switch s1 is controlled by a state of the circuit (through c#): that is hysteresis or a "
        "relaxation, and no map of a clock; drive it from a source with a PULSE",
    ),
    "a switch without a clock": (
        (("ck1 0 SWM\nCM1", "ref 0 SWM\nCM1"),),
        "deck line 18: switch s1 is controlled by a constant voltage, not by a clock: #",
    ),
    "a switch that an input controls": (
        (("ck1 0 SWM\nCM1", "in 0 SWM\nCM1"),),
        "deck line 18: switch s1 is controlled by vin, not by a clock: #",
    ),
    "phases that overlap": (
        (("{0.55*T}", "{0.25*T}"),),
        "deck line 21, deck line 18: switches s2 and s1 are closed at once for # of a period of 0.001 s: the phases "
        "of a clock must not overlap; let one open before the other closes",
    ),
    "a capacitor without a switch": (
        (("R2F y2 s2 10k", "R2F y2 s2 10k\nRX x1 q 10k\nCX q 0 100n\nRY q s2 10k"),),
        "deck line 16: cx (100 nF) is driven by no switch, and decouples no supply: it moves by itself in #, between "
        "the instants of the clock, and a map has no such state; give it a switch, or leave it out",
    ),
    "a charge that is shared": (
        (("EB1 b1 0 m1 b1 1e6\n", ""), ("S2 b1 h1", "S2 m1 h1")),
        "#: cm1 is driven in two phases, by # and by #: a map has one value of it in a period",
    ),
    "a hold capacitor that is missing": (
        (("CH1 h1 0 1n\n", ""),),
        "deck line 21: switch s2 leads to no capacitor that holds what it passes on: a hold capacitor is missing; "
        "each state of a map needs one",
    ),
    "one phase": (
        (("h1 ck2", "h1 ck1"), ("h2 ck2", "h2 ck1")),
        "#do not settle while#|#capacitors follow in 1 phases of the clock#",
    ),
    "two periods": (
        (("VCK2 ck2 0 PULSE(0 5 {0.05*T} 1u 1u {0.4*T} {T})", "VCK2 ck2 0 PULSE(0 5 0.05m 1u 1u 0.4m 2m)"),),
        "deck line 4: the clock vck2 has a period of 0.002 s and vck1 one of 0.001 s: a map has one; give them the "
        "same",
    ),
    "a switch that never closes": (
        (("VT=2.5", "VT=7"),),
        "deck line 18: switch s1 never closes: its clock goes from 0 V to 5 V, and it closes above 7.1 V and opens "
        "below 6.9 V",
    ),
    "a clock that drives the network": (
        (("R2F y2 s2 10k", "R2F y2 s2 10k\nRX ck1 s2 10k"),),
        "deck line 3: the clock vck1 also drives the network: its values would change with its phases; drive only "
        "switches with it",
    ),
    "semiconductors": (
        (("R2F y2 s2 10k", "R2F y2 s2 10k\nD1 y2 0 DD\n.model DD D(Is=1n)"),),
        "deck line 15: d1 is a semiconductor in a clocked circuit, #",
    ),
    "a missing model": ((("ck1 0 SWM\nCM1", "ck1 0 OTHER\nCM1"),), "#its model 'OTHER' is missing#"),
    "a clock that is too fast": ((("RON=100", "RON=1e7"),), "#do not settle while # are closed#"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_map_is_refused_with_its_reason(name: str) -> None:
    edits, message = REFUSED[name]
    with pytest.raises(hh.InputError) as refused:
        extract(changed(PAIR, *edits))
    said = str(refused.value)
    assert any(re.fullmatch(re.escape(each).replace(r"\#", ".*"), said) for each in message.split("|")), said


def test_two_networks_in_turn_are_refused() -> None:
    deck = changed(CELLS, ("X2 a x pb hold", "B3 t 0 V=tanh(v(a))\nX2 t x pb hold"))
    with pytest.raises(hh.InputError, match="one of two networks in turn"):
        extract(deck)


def test_a_network_that_flows_is_no_map() -> None:
    flows = hh.Network(weights=[[1e-4]], resistance=1e3, capacitance=1e-7)
    found = extract(CELLS, ideal=True, verify=False)
    with pytest.raises(hh.InputError, match="the intended network flows in time"):
        found.diff(flows)
