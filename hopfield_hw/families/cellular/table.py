"""The table of templates: what each makes of an image. A new one is a Template and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...values.tables import LazyTable

if TYPE_CHECKING:
    from .templates import Template

TEMPLATES: LazyTable[Template] = LazyTable(
    __package__,
    {
        "edge": (".templates:EDGE", "black pixels with a white one among the eight around them"),
        "corner": (".templates:CORNER", "black pixels with five or more white ones among the eight around them"),
        "noise_removal": (
            ".templates:NOISE_REMOVAL",
            "removes pixels, and ends of lines, that have three or four others of the other colour beside them",
        ),
        "hole_filling": (".templates:HOLE_FILLING", "fills the holes of black objects"),
        "connected_components": (
            ".templates:CONNECTED_COMPONENTS",
            "the black runs of each row, one pixel each, moved to the right with one white pixel between them",
        ),
        "shadow": (".templates:SHADOW", "makes black all that lies to the left of a black pixel"),
        "diffusion": (".templates:DIFFUSION", "blurs, the more the longer it runs; opposite sides are neighbours"),
    },
)
