from .expressions import Expression, parse_expression, random_expression
from .forecaster import Forecaster, Scale
from .latch import LatchModel, latch, latch_sequences
from .logic import LogicModel, logic
from .mackey_glass import mackey_glass, mackey_glass_series
from .sunspots import Sunspots, sunspot_numbers, sunspots
from .text import Alphabet, TextModel, alice, alice_text

__all__ = [
    "Alphabet",
    "Expression",
    "Forecaster",
    "LatchModel",
    "LogicModel",
    "Scale",
    "Sunspots",
    "TextModel",
    "alice",
    "alice_text",
    "latch",
    "latch_sequences",
    "logic",
    "mackey_glass",
    "mackey_glass_series",
    "parse_expression",
    "random_expression",
    "sunspot_numbers",
    "sunspots",
]
