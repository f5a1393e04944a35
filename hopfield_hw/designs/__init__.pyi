from .design import Design, load_design
from .shipped import shipped_designs, shipped_titles

__all__ = ["Design", "load_design", "shipped_designs", "shipped_titles"]
