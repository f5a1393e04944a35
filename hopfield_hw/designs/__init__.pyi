from .boards import board_of, board_task
from .design import Design, load_design
from .shipped import shipped_designs, shipped_titles

__all__ = ["Design", "board_of", "board_task", "load_design", "shipped_designs", "shipped_titles"]
