"""Digital networks: recurrent cells and discrete Hopfield networks as graphs of one step."""

from .layers import Layer, Stack
from .recurrent import GRU, LSTM, RNN, SIGMOID, RecurrentCell

__all__ = ["GRU", "LSTM", "RNN", "SIGMOID", "Layer", "RecurrentCell", "Stack"]
