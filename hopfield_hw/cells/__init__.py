"""Neuron topologies: parts for a summing node, a leak and a gain curve. The table CELLS names them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
