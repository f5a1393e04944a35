from .bench import Bench, Condition, Start, make_bench
from .bring_up import BringUp, bring_up
from .comparison import BringUpComparison, Outside, compare_measurement
from .measured import Reading, read_measurement
from .naming import Meter
from .points import BoardPoint, find_points
from .sheet import sheet_html, table_csv

__all__ = [
    "Bench",
    "BoardPoint",
    "BringUp",
    "BringUpComparison",
    "Condition",
    "Meter",
    "Outside",
    "Reading",
    "Start",
    "bring_up",
    "compare_measurement",
    "find_points",
    "make_bench",
    "read_measurement",
    "sheet_html",
    "table_csv",
]
