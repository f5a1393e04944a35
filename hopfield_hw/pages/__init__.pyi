from .engine import Engine, read_engine
from .report import WrittenReport, write_report
from .schematics import Drawing, draw_neurons, export_kicad

__all__ = [
    "Drawing",
    "Engine",
    "WrittenReport",
    "draw_neurons",
    "export_kicad",
    "read_engine",
    "write_report",
]
