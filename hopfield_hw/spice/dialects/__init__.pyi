from .table import DIALECTS, write

__all__ = ["DIALECTS", "write"]
