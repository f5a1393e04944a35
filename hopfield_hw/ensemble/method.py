"""The constants of the method, which all ways of computing share; see `kernels.steps` and `kernels.newton`."""

from __future__ import annotations

from typing import Final

HIGHEST: Final = 3  # order
PAST: Final = HIGHEST + 2  # points that are kept

SAFETY: Final = 0.85
# With which growth of a step the method stays stable, by order; less than the least is not worth new factors.
GROWTH: Final = (1.0, 4.0, 2.0, 1.5)
LEAST_GROWTH, LEAST_FALL = 1.15, 0.9
BETTER: Final = 1.1  # a step of another order must be longer by this
REJECTED, FAILED = 0.2, 0.25  # of a step that is off by much, or where Newton's method failed
SHORTEST: Final = 1e-9  # of the first step
# How far a node may be from what was predicted, in units of the tolerance, where results are read within the step: they
# are off by an eighth of it at most, that of straight lines.
READ_WITHIN: Final = 80.0
SMALL: Final = 1e-10  # error that counts as none
# How a sample ended.
OK, STEPS_EXHAUSTED, NO_CONVERGENCE, PAST_LOST = 0, 1, 2, 3

ITERATIONS, MORE_ITERATIONS, FIRST_ITERATIONS = 8, 25, 200
NEGLIGIBLE: Final = 1e-3  # a move, in units of the tolerance
CONVERGED: Final = 0.05  # what an iteration may leave, where an error of 1 is allowed
# What an iteration may lower the rate of convergence to that is known of those before it, as a part of it.
RATE_KEPT: Final = 0.3
TIRED: Final = 3  # iterations of a step after which the next one has new factors
STALE: Final = 0.3  # how far alpha may be from that of the factors, as a part of it
LONGEST_MOVE: Final = 2.0  # volts, of an iteration of a first step
# What a first step may leave of a law, against what moves of a tolerance leave, and against its terms, for rounding.
BALANCED, ROUNDED = 10.0, 1e-9
SWEEPS: Final = 20  # through all laws one by one, for a start where Newton's method has led nowhere
SLOW: Final = 0.95  # what the moves fall by from one to the next where they lead nowhere

# What a divisor of 0 is taken for, where nothing is known yet at the start; and the largest exponent.
NO_DIVISOR: Final = 1e-30
LARGEST_EXPONENT: Final = 700.0
