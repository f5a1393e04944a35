"""Images in and out: PNG files as tables from -1 (white) to +1 (black), the signs of cellular networks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ...values.arrays import Array, freeze
from ...values.errors import InputError

LUMA = (0.299, 0.587, 0.114)  # red, green, blue (ITU-R BT.601)


def checked_image(value: Any, name: str) -> Array:
    """Return an image, (rows, columns), frozen. Raises InputError for another form, or levels not finite."""
    image = freeze(value, name, unit="V")
    if image.ndim != 2 or image.size == 0:
        raise InputError(f"`{name}` has shape {image.shape}: must be a table (rows, columns) of at least one pixel")
    return image


def read_image(path: Path | str) -> Array:
    """Return a PNG file as grey levels, (rows, columns), from -1 (white) to +1 (black).

    Colours count by their luma, and what is transparent as white. Raises InputError for a file that cannot be read, or
    is not a PNG.
    """
    from matplotlib.image import imread

    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            pixels = np.asarray(imread(file, format="png"), dtype=np.float64)
    except OSError as error:
        raise InputError(f"image {name!r:.200}: cannot be read ({error.strerror or error}); give a whole PNG") from None
    except (SyntaxError, ValueError, EOFError) as error:
        raise InputError(f"image {name!r:.200}: is not a PNG ({error}); convert it to one") from None
    if pixels.ndim == 3:
        light = pixels[..., :3] @ np.array(LUMA)
        opaque = pixels[..., 3] if pixels.shape[2] == 4 else 1.0
        pixels = 1.0 - opaque * (1.0 - light)
    return freeze(1.0 - 2.0 * pixels, name)


def write_image(path: Path | str, image: Any) -> None:
    """Write an image, (rows, columns), as an 8-bit grey PNG; -1 is white, +1 black, and what lies beyond is cut off.

    Raises InputError for another form, levels that are not finite, and a file that cannot be written.
    """
    from PIL import Image

    levels = np.clip(0.5 - 0.5 * checked_image(image, "image"), 0.0, 1.0)
    try:
        Image.fromarray(np.rint(255.0 * levels).astype(np.uint8)).save(path, format="png")
    except OSError as error:
        raise InputError(f"image {os.fspath(path)!r:.200}: cannot be written ({error.strerror or error})") from None


def binary(image: Any, threshold: float = 0.0) -> Array:
    """Return +1 (black) where an image is at the threshold or darker, and -1 (white) elsewhere."""
    level = float(freeze(threshold, "threshold", shape=()))
    return freeze(np.where(checked_image(image, "image") >= level, 1.0, -1.0), "image")
