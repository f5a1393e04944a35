"""Analysis: energy, equilibria and their branches, cycles, stability with delay, how errors grow.

A function that has the name of its module is imported from there: `from hopfield_hw.analysis.lyapunov import lyapunov`,
and likewise `energy`, `amplification` and `cohen_grossberg_energy`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
