from .dimacs import read_clauses, read_colouring
from .edge_lists import read_max_cut, read_qubo
from .programs import read_program
from .table import INSTANCES, find_kind, read_instance
from .tsplib import read_cities
from .types import Cities, Clauses, Instance, ProgramData, Qubo, WeightedGraph

__all__ = [
    "INSTANCES",
    "Cities",
    "Clauses",
    "Instance",
    "ProgramData",
    "Qubo",
    "WeightedGraph",
    "find_kind",
    "read_cities",
    "read_clauses",
    "read_colouring",
    "read_instance",
    "read_max_cut",
    "read_program",
    "read_qubo",
]
