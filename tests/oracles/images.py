"""Images to work on, and what the templates of cellular networks must make of them, by plain algorithms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cbook import get_sample_data
from matplotlib.figure import Figure
from matplotlib.image import imread
from scipy import ndimage


def written(text: str, *, rows: int = 28, columns: int = 72) -> Any:
    """Return text in black on white, +1 and -1: letters with holes, thin strokes and corners."""
    figure = Figure(figsize=(columns / 10, rows / 10), dpi=10)
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=0.9 * rows / 10 * 72, weight="bold")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.where(np.asarray(canvas.buffer_rgba())[..., 0] < 128, 1.0, -1.0)


def photograph(step: int = 10) -> Any:
    """Return a portrait in grey, from -1 (white) to +1 (black): every `step`-th pixel of a photograph."""
    path = get_sample_data("grace_hopper.jpg", asfileobj=False)
    light = np.asarray(imread(path), dtype=float) @ [0.299, 0.587, 0.114]
    return 1.0 - 2.0 * ndimage.uniform_filter(light, step)[step // 2 :: step, step // 2 :: step] / 255.0


def white_beside(black: Any, template: Any) -> Any:
    """Return how many pixels of the template are white, pixel by pixel; outside all is white."""
    return ndimage.correlate(1 - black.astype(int), np.asarray(template), mode="constant", cval=1)


def edge(black: Any) -> Any:
    return black & ~ndimage.binary_erosion(black, np.ones((3, 3)))


def corner(black: Any) -> Any:
    return black & (white_beside(black, [[1, 1, 1], [1, 0, 1], [1, 1, 1]]) >= 5)


def shadow(black: Any) -> Any:
    return np.maximum.accumulate(black[:, ::-1], axis=1)[:, ::-1]


def connected_components(black: Any) -> Any:
    result = np.zeros_like(black)
    for row, out in zip(black, result, strict=True):
        runs = ndimage.label(row)[1]
        out[out.size - 1 - 2 * np.arange(runs)] = True
    return result


def noise_removal(black: Any) -> Any:
    """Change the first pixel with three or four of the other colour beside it, until there is none."""
    result = black.copy()
    while True:
        white = white_beside(result, [[0, 1, 0], [1, 0, 1], [0, 1, 0]])
        unlike = np.flatnonzero(np.where(result, white, 4 - white) >= 3)
        if not unlike.size:
            return result
        result.flat[unlike[0]] ^= True


EXPECTED: dict[str, Callable[[Any], Any]] = {
    "edge": edge,
    "corner": corner,
    "noise_removal": noise_removal,
    "hole_filling": ndimage.binary_fill_holes,
    "connected_components": connected_components,
    "shadow": shadow,
}
