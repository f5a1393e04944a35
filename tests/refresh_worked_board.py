"""Write the files of the worked board, netlists/ad_converter_board/, again: python tests/refresh_worked_board.py"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from hopfield_hw import Board
from hopfield_hw.designs import load_design
from hopfield_hw.designs.boards import board_of

NAME = "ad_converter_board"
FOLDER = Path(__file__).parent.parent / "netlists" / NAME


def worked_board() -> Board:
    """Return the board whose files are committed."""
    return board_of(load_design(NAME))


def write_worked_board(folder: Path) -> None:
    """Write what `hopfield-hw board` writes, without what simulations give: another ngspice has other last digits."""
    worked_board().write(folder, name=NAME, with_bring_up=False)


if __name__ == "__main__":
    if FOLDER.exists():
        shutil.rmtree(FOLDER)  # what is there may be of another drawing, whose places would be kept
    write_worked_board(FOLDER)
    sys.exit(0)
