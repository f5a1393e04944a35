"""The tables of families. A new one is one file and a line in each table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..values.tables import LazyTable

if TYPE_CHECKING:
    import numpy as np

    from ..graph import Graph
    from ..networks import Network

# What draws a random instance in continuous time, to verify machines against each other.
FAMILIES: LazyTable[Callable[[np.random.Generator], Graph | Network]] = LazyTable(
    __package__,
    {
        "hopfield": (".random_network:random_network", "2 to 64 neurons, gains from 1 to 100, six gain curves"),
        "generalised_hopfield": (
            ".generalised_hopfield:random_generalised_hopfield",
            "2 to 16 neurons, unequal decays, any gain curve, a matrix that is not symmetric",
        ),
        "bam": (".bam:random_bam", "two layers of 2 to 12 neurons, gains from 1 to 20, bistable"),
        "cohen_grossberg": (
            ".cohen_grossberg:random_cohen_grossberg",
            "2 to 10 neurons: amplification 1 + x^2/4, Lotka-Volterra, or shunting",
        ),
        "static_field": (
            ".static_field:random_static_field",
            "2 to 16 neurons, any gain curve, unequal time constants",
        ),
        "brain_state_in_a_box": (
            ".box:random_brain_state_in_a_box",
            "2 to 16 neurons that store up to n/2 random corners by Hebb's rule, in continuous time",
        ),
        "projection": (
            ".projection:random_projection",
            "2 to 12 variables, F strongly monotone and not symmetric, a random box",
        ),
        "modern_hopfield": (
            ".modern_hopfield:random_modern_hopfield",
            "3 to 16 neurons, 2 to 12 patterns on the unit sphere, started near one",
        ),
        "dense_memory": (
            ".modern_hopfield:random_dense_memory",
            "4 to 16 neurons, at most as many patterns, degree 2 to 5, started near one",
        ),
        "winner_take_all": (
            ".winner_take_all:random_winner_take_all",
            "2 to 16 neurons, drives from 0 to 1 at least 0.02 apart, gains from 5 to 20",
        ),
        "cellular": (
            ".cellular.random_cellular:random_cellular_graph",
            "2 to 6 rows and columns, random templates, the image in the bias",
        ),
        "delayed": (".random_delayed:random_delayed", "a network with one delay"),
        "delayed_by_edge": (".random_delayed:random_delayed_by_edge", "a network with a delay for each weight"),
        "delayed_varying": (
            ".random_delayed:random_delayed_varying",
            "a network with one delay that varies, linear between 3 to 8 corners",
        ),
        "distributed": (
            ".random_delayed:random_distributed",
            "a network with a gamma-distributed delay of order 1 to 6",
        ),
        "neutral": (".random_delayed:random_neutral", "a neutral network with a delay in its feedback besides"),
    },
)

# What builds a network from its arguments, as a design gives them.
BUILDERS: LazyTable[Callable[..., Graph | Network]] = LazyTable(
    __package__,
    {
        "generalised_hopfield": (
            ".generalised_hopfield:generalised_hopfield",
            "dx_i/dt = -c_i x_i + sum_j a_ij g_j(x_j) + I_i, any matrix A",
        ),
        "chaotic_hopfield": (
            ".generalised_hopfield:chaotic_hopfield",
            "three chaotic neurons: dx/dt = -x + W tanh(x), W = [2 -1.2 0; 1.9 + p 1.71 1.15; -4.75 0 1.1]",
        ),
        "bam": (".bam:bam", "continuous bidirectional associative memory: T = [[0, M], [M^T, 0]]"),
        "discrete_bam": (".bam:discrete_bam", "discrete one: y' = sign(M^T x + J), then x' = sign(M y' + I)"),
        "cohen_grossberg": (
            ".cohen_grossberg:cohen_grossberg",
            "dx_i/dt = a_i(x_i) [ b_i(x_i) + I_i - sum_j c_ij d_j(x_j) ]",
        ),
        "lotka_volterra": (".cohen_grossberg:lotka_volterra", "dx_i/dt = x_i (r_i - sum_j A_ij x_j)"),
        "shunting": (
            ".cohen_grossberg:shunting",
            "dx_i/dt = -A x_i + (B - x_i) [f(x_i) + I_i] - x_i [J_i + sum_j F_ij f(x_j)]",
        ),
        "static_field": (
            ".static_field:static_field",
            "tau_i dx_i/dt = -x_i + g_i(sum_j W_ij x_j + q_i), or x[k+1] = g(W x[k] + q)",
        ),
        "brain_state_in_a_box": (".box:brain_state_in_a_box", "x[k+1] = clip(x[k] + alpha W x[k])"),
        "projection": (
            ".projection:projection",
            "tau dx/dt = P(x - alpha F(x)) - x, whose equilibria solve a variational inequality",
        ),
        "forward_backward_forward": (
            ".forward_backward_forward:forward_backward_forward",
            "tau dx/dt = p - x + step (F(x) - F(p)), p = P(x - step F(x)): the same for every monotone F",
        ),
        "modern_hopfield": (
            ".modern_hopfield:modern_hopfield",
            "tau dx/dt = X softmax(beta X^T x) - x, or x[k+1] = X softmax(beta X^T x[k])",
        ),
        "dense_memory": (
            ".modern_hopfield:dense_memory",
            "tau dx/dt = -x + sum_m X_m f(X_m^T g(x) / n), f(h) = h^(degree - 1)",
        ),
        "winner_take_all": (
            ".winner_take_all:winner_take_all",
            "dx_i/dt = -x_i + e g(x_i) - w sum_(j != i) g(x_j) + I_i: the largest I_i wins",
        ),
        "maxnet": (
            ".winner_take_all:maxnet",
            "x_i[k+1] = max(0, x_i[k] - eps sum_(j != i) x_j[k]): the largest start wins",
        ),
    },
)
