from .dialect import Analysis, Dialect
from .table import DIALECTS, find_dialect, write

__all__ = ["DIALECTS", "Analysis", "Dialect", "find_dialect", "write"]
