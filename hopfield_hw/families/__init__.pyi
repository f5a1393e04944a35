from .bam import bam, bam_weights, discrete_bam
from .box import brain_state_in_a_box
from .cellular import TEMPLATES, CellularNetwork, Template, binary, random_cellular, read_image, write_image
from .cohen_grossberg import cohen_grossberg, lotka_volterra, shunting
from .discrete_hopfield import discrete_hopfield
from .forward_backward_forward import forward_backward_forward
from .generalised_hopfield import chaotic_hopfield, generalised_hopfield
from .modern_hopfield import dense_memory, modern_hopfield
from .projection import BoxProblem, box_problem, projection
from .random_network import random_gain, random_network
from .static_field import static_field
from .tables import BUILDERS, FAMILIES
from .winner_take_all import maxnet, winner_take_all

__all__ = [
    "BUILDERS",
    "FAMILIES",
    "TEMPLATES",
    "BoxProblem",
    "CellularNetwork",
    "Template",
    "bam",
    "bam_weights",
    "binary",
    "box_problem",
    "brain_state_in_a_box",
    "chaotic_hopfield",
    "cohen_grossberg",
    "dense_memory",
    "discrete_bam",
    "discrete_hopfield",
    "forward_backward_forward",
    "generalised_hopfield",
    "lotka_volterra",
    "maxnet",
    "modern_hopfield",
    "projection",
    "random_cellular",
    "random_gain",
    "random_network",
    "read_image",
    "shunting",
    "static_field",
    "winner_take_all",
    "write_image",
]
