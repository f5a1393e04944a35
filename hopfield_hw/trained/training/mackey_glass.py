"""Train the Mackey-Glass forecaster: python -m hopfield_hw.trained.training.mackey_glass"""

from __future__ import annotations

import torch

from ..mackey_glass import SCALE, TEST, TRAIN, mackey_glass_series
from .fit import begin, save
from .forecasters import fit_forecaster


def main() -> None:
    begin(seed=1)
    series = SCALE.normalise(mackey_glass_series(TRAIN + TEST)[:TRAIN])
    weights = fit_forecaster(torch.nn.LSTM, series, hidden=4, window=120, washout=20, steps=3000, noise=0.0, decay=1e-5)
    save("mackey_glass", weights)


if __name__ == "__main__":
    main()
