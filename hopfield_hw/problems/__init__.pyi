from .ad_converter import ad_converter
from .answers import Answer, Expected, Oscillation, Recall, Settled, Visited
from .cellular_image import cellular_image
from .complementarity import fathi, kojima_shindo, murty, tridiagonal
from .decomposition import decomposition, planted_signal
from .equilibrium_problems import cournot, matrix_game, traffic
from .graph_colouring import graph_colouring
from .learning_rules import PAIR_RULES, RULES, learn, learn_pairs
from .max_cut import max_cut
from .memory import Patterns, memory, read_patterns
from .mixed_binary import MixedProgram, mixed_network
from .nearest_points import Ball
from .program_networks import multiplier_network, penalty_network
from .programs import LinearProgram, QuadraticProgram, as_program
from .satisfiability import Formula, cubic_network, quadratise
from .sequence_memory import sequence_memory, visited_patterns
from .table import PROBLEMS, build_problem
from .travelling_salesman import TravellingSalesman, hopfield_tank, valid_subspace
from .variational_inequalities import VariationalInequality
from .variational_networks import variational_network

__all__ = [
    "PAIR_RULES",
    "PROBLEMS",
    "RULES",
    "Answer",
    "Ball",
    "Expected",
    "Formula",
    "LinearProgram",
    "MixedProgram",
    "Oscillation",
    "Patterns",
    "QuadraticProgram",
    "Recall",
    "Settled",
    "TravellingSalesman",
    "VariationalInequality",
    "Visited",
    "ad_converter",
    "as_program",
    "build_problem",
    "cellular_image",
    "cournot",
    "cubic_network",
    "decomposition",
    "fathi",
    "graph_colouring",
    "hopfield_tank",
    "kojima_shindo",
    "learn",
    "learn_pairs",
    "matrix_game",
    "max_cut",
    "memory",
    "mixed_network",
    "multiplier_network",
    "murty",
    "penalty_network",
    "planted_signal",
    "quadratise",
    "read_patterns",
    "sequence_memory",
    "traffic",
    "tridiagonal",
    "valid_subspace",
    "variational_network",
    "visited_patterns",
]
