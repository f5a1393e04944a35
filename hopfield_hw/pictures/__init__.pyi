from .bifurcations import plot_bifurcation
from .boards import plot_board
from .plots import Picture, plot_verification, plot_waves, save_figure
from .portraits import plot_basins, plot_energy_landscape, plot_phase_plane
from .schematic import draw_neuron
from .solutions import plot_solution

__all__ = [
    "Picture",
    "draw_neuron",
    "plot_basins",
    "plot_bifurcation",
    "plot_board",
    "plot_energy_landscape",
    "plot_phase_plane",
    "plot_solution",
    "plot_verification",
    "plot_waves",
    "save_figure",
]
