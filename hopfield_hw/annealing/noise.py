"""Noise by counting: a draw is a function of the seed, the sample, the neuron and the step, and of nothing else.

A draw is mix(word(counter) xor key): `word` is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), `mix`
two multiplications, as both its arguments are random already. Both are taken as they stand by Numba and by NumPy.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Keys: TypeAlias = npt.NDArray[np.uint32]

HALF_RANGE = np.float32(2.0**-31)  # times a signed word of 32 bits: from -1 to 1
ROOT_3 = 3.0**0.5  # a uniform number from -ROOT_3 to ROOT_3 has the variance 1
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S30, S27, S31, S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
S16 = np.uint32(16)
M1, M2 = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)


def word(counter: Any) -> Any:
    """Return 32 random bits of a count, a number or an array of uint64."""
    z = (np.uint64(counter) + np.uint64(1)) * GOLDEN
    z = (z ^ (z >> S30)) * FIRST
    z = (z ^ (z >> S27)) * SECOND
    return np.uint32((z ^ (z >> S31)) >> S32)


def mix(bits: Any) -> Any:
    """Return a permutation of 32 bits, a number or an array of uint32; of what it gives the high bits are the best."""
    bits = np.uint32(bits * M1)
    return np.uint32(np.uint32(bits ^ (bits >> S16)) * M2)


def keys(seed: int, first: int, count: int) -> Keys:
    """Return the keys of samples first to first + count - 1 of a seed."""
    with np.errstate(over="ignore"):
        start = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
        wide = start + np.arange(first, first + count, dtype=np.uint64)
        return np.asarray(word(wide * GOLDEN), dtype=np.uint32)
