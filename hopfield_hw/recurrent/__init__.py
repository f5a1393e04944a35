"""Recurrent networks: RNN, LSTM and GRU cells, layers of them, recursive cells, each as the graph of one step."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
