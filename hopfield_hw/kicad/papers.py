"""Papers: the smallest on which a drawing leaves its frame and its title block free."""

from __future__ import annotations

from ..values.errors import InputError
from .sexpr import Quoted, Tree
from .symbols.shapes import GRID

# In millimetres: widths and heights; the frame; what its lower right corner holds.
PAPERS = {"A4": (297, 210), "A3": (420, 297), "A2": (594, 420), "A1": (841, 594), "A0": (1189, 841)}
FRAME, TITLE_WIDTH, TITLE_HEIGHT = 12, 112, 36
MARGIN = 8


def choose_paper(name: str | None, extent: tuple[float, float]) -> Tree:
    """Return the paper of a name, or where it is None the smallest for a drawing that reaches so far, in grid units.

    Raises InputError for another name.
    """
    if name is not None:
        if name not in PAPERS:
            raise InputError(f"paper {name!r}: must be one of {', '.join(PAPERS)}")
        return ["paper", Quoted(name)]
    right, bottom = (GRID * length for length in extent)
    for paper, (width, height) in PAPERS.items():
        clear = right < width - FRAME - TITLE_WIDTH or bottom < height - FRAME - TITLE_HEIGHT
        if right < width - FRAME and bottom < height - FRAME and clear:
            return ["paper", Quoted(paper)]
    return ["paper", Quoted("User"), round(right) + FRAME + MARGIN, round(bottom) + FRAME + TITLE_HEIGHT + MARGIN]
