"""Train the LSTM of characters: python -m hopfield_hw.trained.training.text

Dropout and steps were chosen by training on chapters I to VI and reading chapter VII.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..text import alice_text, alphabet_of
from .fit import begin, minimise, parameters, run, save

HIDDEN, BATCH, WINDOW, STEPS, DROPOUT = 96, 32, 100, 1000, 0.5


def main() -> None:
    begin(seed=1, dtype=torch.float32)
    train, test = alice_text()
    alphabet = alphabet_of(train + test)
    text = torch.as_tensor(alphabet.indices(train))
    one_hot = torch.eye(alphabet.size)
    module, readout = torch.nn.LSTM(alphabet.size, HIDDEN), torch.nn.Linear(HIDDEN, alphabet.size)
    starts = np.random.default_rng(1).integers(0, len(train) - WINDOW, size=(STEPS, BATCH))

    def loss(weights: dict[str, Any], step: int) -> Any:
        windows = torch.stack([text[k : k + WINDOW + 1] for k in starts[step].tolist()], dim=1)
        hidden = torch.nn.functional.dropout(run(module, weights, one_hot[windows[:-1]]), DROPOUT)
        logits = torch.nn.functional.linear(hidden, weights["readout.weight"], weights["readout.bias"])
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[1:].flatten())

    save("alice", minimise(loss, parameters(module, readout), steps=STEPS, rate=0.01, decay=0.0), np.float16)


if __name__ == "__main__":
    main()
