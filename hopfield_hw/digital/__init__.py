"""Digital networks: recurrent cells and discrete Hopfield networks as graphs of one step."""

from .hopfield import discrete_hopfield, free_running, held, stepped
from .layers import Layer, Stack
from .onnx_export import to_onnx
from .onnx_model import Model, from_onnx
from .onnx_step import Step
from .readout import Readout
from .recurrent import GRU, LSTM, RNN, SIGMOID, RecurrentCell
from .torch_weights import from_torch, to_torch
from .tree import RecursiveCell, TreeLSTM

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "SIGMOID",
    "Layer",
    "Model",
    "Readout",
    "RecurrentCell",
    "RecursiveCell",
    "Stack",
    "Step",
    "TreeLSTM",
    "discrete_hopfield",
    "free_running",
    "from_onnx",
    "from_torch",
    "held",
    "stepped",
    "to_onnx",
    "to_torch",
]
