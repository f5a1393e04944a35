from .cells import GRU, LSTM, RNN, SIGMOID, RecurrentCell
from .layers import Layer, Stack
from .readout import Readout
from .tree import RecursiveCell, TreeLSTM

__all__ = ["GRU", "LSTM", "RNN", "SIGMOID", "Layer", "Readout", "RecurrentCell", "RecursiveCell", "Stack", "TreeLSTM"]
