"""Random maps of every operator, for the tests of machines that step them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from hopfield_hw.functions import Clip, Function, HardLimiter, Identity, Logistic, PiecewiseLinear, Tanh
from hopfield_hw.graph import (
    Activate,
    Affine,
    Clock,
    Edge,
    Graph,
    Hadamard,
    Hold,
    Input,
    Operator,
    Output,
    Quantise,
    Sign,
)

CURVES: tuple[Function, ...] = (
    Tanh(),
    Tanh(gain=2.0, amplitude=0.5),
    Logistic(gain=0.25),
    Logistic(gain=0.7, amplitude=1.5),
    PiecewiseLinear(),
    Clip(lower=-0.75, upper=0.5),
    Identity(),
)
JUMPS: tuple[Function, ...] = (HardLimiter(), HardLimiter(amplitude=0.3))


def random_map(rng: np.random.Generator, *, jumps: bool = False) -> Graph:
    """Inputs `u0`, `u1`, some Holds, and operators that read any of them and of those before; Outputs of anything.

    Every Hold takes a bounded function, so that no state grows. `jumps`: also HardLimiters and Quantise.
    """
    sizes = (3, 5)
    operators: list[Operator] = [Input(name="u0", size=3), Input(name="u1", size=5)]
    holds = [f"s{k}" for k in range(int(rng.integers(1, 4)))]
    for name in holds:
        start = rng.uniform(-1.0, 1.0, size=int(rng.choice(sizes)))
        operators.append(Hold(name=name, clock=Clock(period=1.0), initial=start))
    edges: list[Edge] = []

    def drive(target: str, size: int, port: str = "in", most: int = 3) -> None:
        of_size = [op.name for op in operators if op.output_size == size and op.kind != "output"]
        count = min(int(rng.integers(1, most + 1)), len(of_size))
        edges.extend(Edge(str(name), target, port) for name in rng.choice(of_size, size=count, replace=False))

    curves = (*CURVES, *JUMPS) if jumps else CURVES
    for k in range(int(rng.integers(4, 14))):
        size, kind = int(rng.choice(sizes)), rng.choice(["affine", "affine", "sparse", "diagonal", "f", "f", "product"])
        operator: Operator
        if kind == "affine":
            inputs = int(rng.choice(sizes))
            operator = Affine(name=f"o{k}", weights=rng.normal(size=(size, inputs)), bias=_bias(rng, size))
        elif kind in ("sparse", "diagonal"):
            weights: Any = sp.diags_array(rng.normal(size=size))
            if kind == "sparse":
                weights = sp.random_array((size, size), density=0.5, rng=rng) + 0.1 * sp.eye_array(size)
            operator = Affine(name=f"o{k}", weights=sp.csr_array(weights), bias=_bias(rng, size))
        elif kind == "product":
            operator = Hadamard(name=f"o{k}", size=size)
        elif jumps and rng.random() < 0.25:
            operator = Sign(name=f"o{k}", size=size, band=rng.uniform(0.05, 1.0, size), amplitude=rng.uniform(0.3, 1.2))
        elif jumps and rng.random() < 0.3:
            operator = Quantise(name=f"o{k}", size=size, levels=int(rng.integers(2, 9)), lower=-0.9, upper=0.7)
        else:
            operator = Activate(name=f"o{k}", size=size, function=curves[int(rng.integers(len(curves)))])
        for port in operator.ports:
            drive(operator.name, operator.input_size, port)
        operators.append(operator)
    for name in holds:
        size = next(op.output_size for op in operators if op.name == name)
        bound = Activate(name=f"bound_{name}", size=size, function=Clip(lower=-1.5, upper=1.5))
        drive(bound.name, size)
        operators.append(bound)
        others = [other for other in holds if other != name]
        same = [op.name for op in operators if op.name in others and op.output_size == size]
        edges.append(Edge(same[0] if same and rng.random() < 0.4 else bound.name, name))
    for k in range(int(rng.integers(1, 4))):
        size = int(rng.choice(sizes))
        drive(f"y{k}", size, most=2)
        operators.append(Output(name=f"y{k}", size=size))
    return Graph(operators=tuple(operators), edges=tuple(edges))


def _bias(rng: np.random.Generator, size: int) -> Any:
    return rng.normal(size=size) if rng.random() < 0.5 else None
