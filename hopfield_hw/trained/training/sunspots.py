"""Train the forecaster of sunspot numbers: python -m hopfield_hw.trained.training.sunspots

Size, noise, decay and steps were chosen by training on 1700 to 1879 and forecasting 1880 to 1920.
"""

from __future__ import annotations

import torch

from ..sunspots import LAST_TRAINING_YEAR, SCALE, sunspot_numbers
from .fit import begin, save
from .forecasters import fit_forecaster


def main() -> None:
    begin(seed=1)
    years, numbers = sunspot_numbers()
    series = SCALE.normalise(numbers[years <= LAST_TRAINING_YEAR])
    weights = fit_forecaster(torch.nn.GRU, series, hidden=4, window=60, washout=10, steps=1000, noise=0.08, decay=1e-3)
    save("sunspots", weights)


if __name__ == "__main__":
    main()
