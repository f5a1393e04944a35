"""An image in a cellular network, as a network of neurons: the inputs are a part of the bias."""

from __future__ import annotations

from pathlib import Path

from ..families.cellular import TEMPLATES
from ..families.cellular.images import binary, read_image
from ..families.cellular.network import CellularNetwork
from ..networks.network import Network
from ..values.errors import InputError
from ..values.names import unknown


def cellular_image(*, template: str, image: Path, resistance: float = 1e3, capacitance: float = 1e-9) -> Network:
    """Return a cellular network at work on a PNG file, made black and white (Chua and Yang 1988, eq. 2).

    T = A / R, sparse; I_i = (z + sum_j B_ij u_j + what lies outside) / R; y = (|x+1| - |x-1|) / 2; neurons are labelled
    `row_column`. `template`: a name of `families.TEMPLATES`.

    Raises InputError for an unknown template, a file that is not a PNG, and values that are not positive.
    """
    if not isinstance(template, str) or template not in TEMPLATES:
        raise InputError(unknown("cellular_image: template", template, TEMPLATES))
    if not isinstance(image, Path):
        raise InputError(f"`cellular_image.image` = {image!r:.60}: must be a Path; in a design.toml, in network.files")
    pixels = binary(read_image(image))
    cells = CellularNetwork(template=TEMPLATES[template], image=pixels, resistance=resistance, capacitance=capacitance)
    return cells.network()
