from .images import binary, read_image, write_image
from .network import CellularNetwork
from .random_cellular import random_cellular, random_cellular_graph
from .table import TEMPLATES
from .templates import Template

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
