"""Cellular neural networks: a cell for each pixel, templates, and images in and out."""

from .images import binary, read_image, write_image
from .network import CellularNetwork
from .random_cellular import random_cellular, random_cellular_graph
from .templates import TEMPLATES, Template

__all__ = [
    "TEMPLATES",
    "CellularNetwork",
    "Template",
    "binary",
    "random_cellular",
    "random_cellular_graph",
    "read_image",
    "write_image",
]
