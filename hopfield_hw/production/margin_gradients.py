"""The gradient of a task's margin by all values of a board that vary: of runs of the whole circuit."""

from __future__ import annotations

import numpy as np

from ..board.design import Board
from ..ensemble.gradients import find_gradients
from ..tolerance.draws import Variation
from ..tolerance.sensitivity import Sensitivities
from ..values.arrays import Array, freeze
from ..values.errors import InputError
from .tasks import Task, Waves

POINTS = 201
ACCURACY = 1e-4  # of what relative changes do, as a part of the largest


def margin_gradients(
    board: Board, task: Task, variation: Variation, *, points: int = POINTS, accuracy: float = ACCURACY
) -> Sensitivities:
    """Return how the least margin of a task's runs changes with the values of a variation; see `find_gradients`.

    Raises InputError for a value that has no derivative, and Unrealisable for a margin that has none.
    """
    gain = board.scaled.gain
    swing = float(np.max(np.asarray(gain.upper)) - np.min(np.asarray(gain.lower)))
    nominal = variation.nominal
    found: list[tuple[float, Array, Array]] = []
    for run, signal in enumerate(task.runs(board)):

        def margin(times: Array, states: Array, outputs: Array, run: int = run) -> tuple[float, Array, Array]:
            waves = Waves(times, states[:, np.newaxis], outputs[:, np.newaxis], swing)
            return float(task.margins(waves, run)[0]), np.zeros_like(states), task.slopes(waves, run)

        gradient = find_gradients(
            variation.circuit,
            margin,
            t_stop=board.t_stop,
            inputs=signal,
            accuracy=accuracy,
            points=points,
            parameters=variation.names,
        )
        if gradient.attrs["left_out"]:
            raise InputError(f"margin_gradients: {gradient.attrs['left_out'][0]}: the margin has no derivative by it")
        # What is not there changes nothing.
        slopes = gradient.reindex(parameter=list(variation.names), fill_value=0.0).to_numpy()
        scaled = float(np.max(np.abs(slopes * nominal))) * accuracy
        error = np.divide(scaled, np.abs(nominal), out=np.zeros_like(nominal), where=nominal != 0.0)
        found.append((gradient["value"].item(), slopes, error))
    least, slopes, error = min(found, key=lambda one: one[0])
    return Sensitivities(
        names=variation.names,
        nominal=nominal,
        margin=least,
        derivative=freeze(slopes, "derivative"),
        error=freeze(error, "error"),
    )
