"""What the families refuse, with the message that says so; and designs by family that are wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import hopfield_hw as hh
from hopfield_hw import families
from hopfield_hw.analysis.cohen_grossberg_energy import cohen_grossberg_energy
from hopfield_hw.analysis.stability import critical_delay
from hopfield_hw.designs import load_design
from hopfield_hw.transforms import add_delay

EYE = np.eye(2)
CG = {"amplification": hh.Identity(), "signal": hh.Identity(), "initial": 0.1}

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "bam, vector": (lambda: families.bam([1.0, 2.0]), "`weights` has shape (2,): must be a matrix (to, from)"),
    "units": (
        lambda: families.static_field(EYE, units=1e-3),  # type: ignore[arg-type]
        "`Graph.units` = 0.001: must be Units(volts_per_unit=..., ...)",
    ),
    "bam, empty": (
        lambda: families.bam(np.zeros((0, 2))),
        "`weights` has shape (0, 2): must have at least one element",
    ),
    "bam, not finite": (lambda: families.bam([[np.inf]]), "`weights[0, 0] = inf`: must be finite"),
    "bam, initial": (
        lambda: families.bam(np.ones((2, 3)), initial_y=[0.0, 0.0]),
        "`initial_y` has shape (2,): must have shape (3,)",
    ),
    "bam, gain": (
        lambda: families.bam(EYE, gain=hh.Identity()),  # type: ignore[arg-type]
        "`gain` = Identity(): must be one Gain for all neurons, such as Tanh(gain=5.0)",
    ),
    "bam, tau": (lambda: families.bam(EYE, tau=0.0), "`x: tau[0] = 0.0 units of time`: must be positive"),
    "bam, start": (
        lambda: families.discrete_bam(EYE, initial_x=[1.0, 0.5]),
        "`initial_x` holds 0.5: each must be +1 or -1",
    ),
    "bam, pairs": (
        lambda: families.bam_weights([[1.0, -1.0]], [[1.0], [-1.0]]),
        "`pairs_x` has shape (1, 2), `pairs_y` (2, 1): must be (k, n) and (k, p), one row a pattern",
    ),
    "bam, pair of zeros": (lambda: families.bam_weights([[0.0]], [[1.0]]), "`pairs_x` holds 0: each must be +1 or -1"),
    "generalised, not square": (
        lambda: families.generalised_hopfield(np.ones((2, 3))),
        "`weights` has shape (2, 3): must be (n, n)",
    ),
    "generalised, decay": (
        lambda: families.generalised_hopfield(EYE, decay=[1.0, -0.5]),
        "`x: decay` holds -0.5: must be at least 0; put growth into the weights",
    ),
    "generalised, gain": (
        lambda: families.generalised_hopfield(EYE, gain=np.tanh),  # type: ignore[arg-type]
        "`gain` = <ufunc 'tanh'>: must be a Function such as Tanh(gain=2.0)",
    ),
    "generalised, size of gain": (
        lambda: families.generalised_hopfield(EYE, gain=hh.Tanh(gain=[1.0, 2.0, 3.0])),
        "`v.function` is for 3 elements: must be for 2",
    ),
    "chaotic, p": (lambda: families.chaotic_hopfield(p=np.nan), "`p = nan`: must be finite"),
    "static, bias": (
        lambda: families.static_field(EYE, bias=[1.0, 2.0, 3.0]),
        "`bias` has shape (3,): must have shape (2,)",
    ),
    "static, gain": (lambda: families.static_field(EYE, gain=2.0), "`gain` = 2.0: must be a Function"),  # type: ignore[arg-type]
    "box, outside": (
        lambda: families.brain_state_in_a_box(EYE, initial=[0.0, -1.5]),
        "`initial` holds -1.5: must lie in the box, from -1.0 to 1.0",
    ),
    "box, discrete": (
        lambda: families.brain_state_in_a_box(EYE, initial=0.0, discrete=np.ones(2)),  # type: ignore[arg-type]
        "`discrete` = array([1., 1.]): must be True or False",
    ),
    "box, alpha": (
        lambda: families.brain_state_in_a_box(EYE, initial=0.0, alpha=-0.1),
        "`alpha = -0.1`: must be",
    ),
    "box, limit": (
        lambda: families.brain_state_in_a_box(EYE, initial=0.0, limit=np.inf),
        "`limit = inf`: must be",
    ),
    "Cohen-Grossberg, function": (
        lambda: families.cohen_grossberg(EYE, **{**CG, "signal": 3.0}),
        "`signal` = 3.0: must be a Function such as Identity() or Tanh()",
    ),
    "Cohen-Grossberg, step": (
        lambda: families.cohen_grossberg(EYE, **CG, step=0.0),
        "`step = 0.0 units of time`: must be positive",
    ),
    "Cohen-Grossberg, step as a row": (
        lambda: families.cohen_grossberg(EYE, **CG, step=[0.1, 0.2]),  # type: ignore[arg-type]
        "`step` has shape (2,): must have shape ()",
    ),
    "Cohen-Grossberg, energy": (
        lambda: cohen_grossberg_energy(families.cohen_grossberg([[0.0, 1.0], [2.0, 0.0]], **CG), np.ones(2)),
        "cohen_grossberg_energy: the weights are not symmetric, so there is no such energy",
    ),
    "Cohen-Grossberg, energy of another": (
        lambda: cohen_grossberg_energy(families.bam(EYE), np.ones(4)),
        "cohen_grossberg_energy: the graph must be one from families.cohen_grossberg",
    ),
    "Cohen-Grossberg, energy of a number": (
        lambda: cohen_grossberg_energy(3.0, np.ones(2)),  # type: ignore[arg-type]
        "3.0: must be a Graph, or have a method graph() that gives one",
    ),
    "Cohen-Grossberg, energy with delays": (
        lambda: cohen_grossberg_energy(add_delay(families.cohen_grossberg(EYE, **CG), 1e-3), np.ones(2)),
        "cohen_grossberg_energy: the graph has delays, and with them no such energy; take them out",
    ),
    "Cohen-Grossberg, energy of another size": (
        lambda: cohen_grossberg_energy(families.cohen_grossberg(EYE, **CG), np.ones((2, 3))),
        "`state` has shape (2, 3): must be (..., 2), the states last",
    ),
    "critical delay of a graph": (
        lambda: critical_delay(families.generalised_hopfield(EYE)),  # type: ignore[arg-type]
        "critical_delay: <Graph: ode, operators 4, states 2",
    ),
    "Lotka-Volterra": (
        lambda: families.lotka_volterra(EYE, growth=1.0, initial=[0.1, -0.1]),
        "`initial` holds a negative number: must be at least 0",
    ),
    "shunting, decay": (lambda: families.shunting(EYE, decay=0.0), "`decay = 0.0 per unit of time`: must be positive"),
    "shunting, decay as text": (
        lambda: families.shunting(EYE, decay="slow"),  # type: ignore[arg-type]
        "`decay` = 'slow': must be real numbers in a rectangular array (text)",
    ),
    "shunting, no ceiling": (
        lambda: families.shunting(EYE, ceiling=None),  # type: ignore[arg-type]
        "`ceiling` = None: must be real numbers",
    ),
    "shunting, start": (
        lambda: families.shunting(EYE, initial=1.5),
        "`initial` holds 1.5: must be at most the ceiling, 1.0",
    ),
    "shunting, excitation": (
        lambda: families.shunting(EYE, excitation=[0.1, -0.1]),
        "`excitation` holds -0.1: must be at least 0",
    ),
    "softmax, patterns": (
        lambda: families.modern_hopfield([1.0, 2.0], initial=0.0),
        "`patterns` has shape (2,): must be (m, n), one row a pattern",
    ),
    "softmax, beta": (lambda: families.modern_hopfield(EYE, beta=0.0, initial=0.0), "`beta = 0.0`: must be positive"),
    "dense, degree": (
        lambda: families.dense_memory([[1.0, -1.0]], degree=1, initial=0.1),
        "`degree` = 1: must be a whole number from 2 to 12",
    ),
    "dense, patterns": (
        lambda: families.dense_memory([[1.0, 0.5]], initial=0.1),
        "`patterns` holds 0.5: each must be +1 or -1",
    ),
    "dense, start": (
        lambda: families.dense_memory([[1.0, -1.0]], initial=0.1, discrete=True),
        "`initial` holds 0.1: each must be +1 or -1",
    ),
    "winner, one": (lambda: families.winner_take_all([1.0]), "`drive` has shape (1,): must be (n,), at least two neur"),
    "winner, inhibition": (
        lambda: families.winner_take_all([1.0, 2.0], inhibition=-1.0),
        "`inhibition = -1.0`: must be positive",
    ),
    "maxnet, tie": (
        lambda: families.maxnet([0.5, 0.5, 0.1]),
        "`initial`: several neurons start at 0.5, so that none wins; change one of them",
    ),
    "maxnet, eps": (
        lambda: families.maxnet([0.5, 0.4, 0.1], inhibition=0.5),
        "`inhibition` = 0.5: must be above 0 and below 1/(n - 1) = 0.5",
    ),
    "maxnet, negative": (lambda: families.maxnet([0.5, -0.4]), "`initial` = [0.5, -0.4]: must be (n,), at least two"),
}


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_argument_is_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(hh.InputError, match="^" + re.escape(message)):
        build()


def test_a_decay_too_small_for_a_resistor_is_none() -> None:
    graph = families.generalised_hopfield(EYE, decay=1e-320)
    assert graph.by_name["x"].params()["resistance"] == [np.inf, np.inf]


HEAD = 'title = "T"\ncitation = "C"\n[network]\n'
DESIGNS = {
    "unknown family": (
        'family = "bams"\narguments = {weights = [[1.0]]}\n',
        "`network.family` 'bams' is unknown: must be one of generalised_hopfield, chaotic_hopfield, bam, ",
    ),
    "unknown argument": (
        'family = "bam"\narguments = {weight = [[1.0]]}\n',
        "family 'bam': argument 'weight' is unknown: must be one of weights, gain, tau, ",
    ),
    "missing argument": ('family = "bam"\n', "family 'bam': the argument 'weights' is missing"),
    "unknown function": (
        'family = "bam"\narguments = {weights = [[1.0]], gain = {kind = "tanhh"}}\n',
        "function kind 'tanhh' is unknown",
    ),
    "function without a kind": (
        'family = "bam"\narguments = {weights = [[1.0]], gain = {gain = 2.0}}\n',
        "`network.arguments.gain.kind` is missing: a function has a kind, such as 'tanh', and its parameters",
    ),
    "problem key": (
        'family = "projection"\narguments = {problem = {matrix = [[1.0]], vectors = 1.0}}\n',
        "`network.arguments.problem`: key 'vectors' is unknown: must be one of matrix, vector, quadratic, lower, upper",
    ),
    "problem without a vector": (
        'family = "projection"\narguments = {problem = {matrix = [[1.0]]}}\n',
        "`network.arguments.problem.vector` is missing",
    ),
    "problem without a solution": (
        'family = "projection"\narguments = {problem = {matrix = [[0.0]], vector = -1.0}}\n',
        "`matrix`, `vector`: the problem has no solution",
    ),
    "seed and arguments": (
        'family = "bam"\nseed = 3\narguments = {weights = [[1.0]]}\n',
        "`network.arguments`: has no meaning beside `seed`, which draws the network",
    ),
    "seed of what is not drawn": (
        'family = "maxnet"\nseed = 3\n',
        "`network.family`, with a seed: 'maxnet' is unknown: must be one of hopfield, generalised_hopfield, bam, ",
    ),
    "seed below 0": ('family = "bam"\nseed = -3\n', "`network.seed` = -3: must be 0 or above"),
    "files": ('family = "bam"\nseed = 3\nfiles = {a = "b"}\n', "`network.files`: has no meaning beside `family`"),
    "inputs": (
        'family = "bam"\nseed = 3\n[analysis]\ninputs = 1.0\n',
        "`analysis.inputs`: the network has no `input_weights`; leave it out",
    ),
    "initial of a case": (
        'family = "bam"\nseed = 3\n[[cases]]\nname = "a"\ninitial = 1.0\n[cases.expected]\nkind = "oscillation"\n'
        'neuron = "x_0"\nperiod = 1.0\nswing = 1.0\ntolerance = 0.1\n',
        "`cases[0]`: `initial`: a network by `family` has it among its `arguments`; give those",
    ),
}


@pytest.mark.parametrize(("text", "message"), DESIGNS.values(), ids=DESIGNS)
def test_a_wrong_design_by_family_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / "design.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    with pytest.raises(hh.InputError, match="^" + re.escape(f"mine/design.toml: {message}")):
        load_design(path)


def test_a_design_draws_the_random_network_of_a_seed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "design.toml").write_text(HEAD + 'family = "bam"\nseed = 3\n', encoding="utf-8")
    expected = families.FAMILIES["bam"](np.random.default_rng(3))
    assert load_design(tmp_path / "mine").graph().hash == expected.hash
