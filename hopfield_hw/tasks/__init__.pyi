from .anomaly import Anomalies, find_anomalies, largest_error
from .forecast import forecast, forecast_in_circuit, forecast_in_verilog, relative_error, roll_out
from .logic import evaluate, tree_of
from .ngrams import ngram_bits
from .text import bits_per_character, generate

__all__ = [
    "Anomalies",
    "bits_per_character",
    "evaluate",
    "find_anomalies",
    "forecast",
    "forecast_in_circuit",
    "forecast_in_verilog",
    "generate",
    "largest_error",
    "ngram_bits",
    "relative_error",
    "roll_out",
    "tree_of",
]
