"""Train the network of logical expressions: python -m hopfield_hw.trained.training.logic"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..expressions import WORDS, Expression, random_expression
from .fit import begin, minimise, save

HIDDEN, DEPTHS, EACH, STEPS = 8, (1, 2, 3, 4), 200, 1500
NOISE = 0.1  # the deviation of what is added to each state, so that small errors die out on the way up a deep tree


def main() -> None:
    begin(seed=1)
    rng = np.random.default_rng(1)
    nodes = [node for d in DEPTHS for _ in range(EACH) for node in random_expression(d, rng).nodes()]
    levels = _levels(nodes)
    wanted = torch.tensor([float(node.truth) for level in levels for node in level])
    place = {id(node): k + 1 for k, node in enumerate(node for level in levels for node in level)}
    tables = [_table(level, place) for level in levels]

    def loss(weights: dict[str, Any], step: int) -> Any:
        states = torch.zeros(1, HIDDEN)  # of a part that is not there
        for words, left, right in tables:
            driven = words @ weights["input_weights"].T + weights["bias"]
            driven = driven + states[left] @ weights["left"].T + states[right] @ weights["right"].T
            states = torch.cat([states, torch.tanh(driven) + NOISE * torch.randn(driven.shape)])
        logits = torch.nn.functional.linear(states[1:], weights["readout.weight"], weights["readout.bias"])
        return torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], wanted)

    shapes = {"input_weights": (HIDDEN, len(WORDS)), "left": (HIDDEN, HIDDEN), "right": (HIDDEN, HIDDEN)}
    shapes |= {"readout.weight": (1, HIDDEN)}
    free = {name: 0.5 * torch.randn(shape) for name, shape in shapes.items()}
    free |= {"bias": torch.zeros(HIDDEN), "readout.bias": torch.zeros(1)}
    for value in free.values():
        value.requires_grad_(True)
    save("logic", minimise(loss, free, steps=STEPS, rate=0.02, decay=1e-4))


def _levels(nodes: list[Expression]) -> list[list[Expression]]:
    """Return the nodes by their depth, each once."""
    depth = max(node.depth for node in nodes)
    return [[node for node in nodes if node.depth == d] for d in range(depth + 1)]


def _table(level: list[Expression], place: dict[int, int]) -> tuple[Any, Any, Any]:
    """Return the words, one-hot, and where the parts of each node stand; 0 where there is none."""
    words = torch.eye(len(WORDS))[[WORDS.index(node.word) for node in level]]
    parts = [[*(place[id(part)] for part in node.parts), 0, 0][:2] for node in level]
    left, right = torch.tensor(parts).T
    return words, left, right


if __name__ == "__main__":
    main()
