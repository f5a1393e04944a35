from .bifurcations import plot_bifurcation
from .boards import plot_board
from .budgets import plot_budget
from .extractions import plot_extraction
from .files import save_figure
from .plots import Picture, plot_verification, plot_waves
from .portraits import plot_basins, plot_energy_landscape, plot_phase_plane
from .schematic import draw_neuron
from .solutions import plot_solution
from .yields import plot_monte_carlo, plot_yields

__all__ = [
    "Picture",
    "draw_neuron",
    "plot_basins",
    "plot_bifurcation",
    "plot_board",
    "plot_budget",
    "plot_energy_landscape",
    "plot_extraction",
    "plot_monte_carlo",
    "plot_phase_plane",
    "plot_solution",
    "plot_verification",
    "plot_waves",
    "plot_yields",
    "save_figure",
]
