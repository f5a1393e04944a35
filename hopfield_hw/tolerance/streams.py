"""Random numbers by name: that of a part in a sample depends on neither the other parts nor the number of samples."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..values.arrays import Array, whole

WORDS = 4  # that one step of the counter gives
MOST_SEED = 2**64 - 1
MOST_SAMPLES = 2**60
MASK = 2**64 - 1


def uniforms(seed: int, names: Sequence[str], samples: range) -> Array:
    """Return numbers from (0, 1), (samples, names), each keyed by the seed, the name, and the number of its sample.

    A name has a generator Philox4x64 (J. K. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011),
    whose 128-bit key is the BLAKE2b hash of the seed and the name in lower case; sample k is word k mod 4 of the
    counter k div 4, so any sample is found without those before it. The number is (w + 1/2) / 2^53 of the word's upper
    53 bits w.

    Raises InputError for a seed that is not a whole number from 0 to 2^64 - 1, and samples below 0.
    """
    key = whole(seed, "seed", 0, MOST_SEED)
    found = np.empty((len(samples), len(names)))
    if not found.size:
        return found
    whole(min(samples[0], samples[-1]), "samples", 0, MOST_SAMPLES)
    first, last = min(samples[0], samples[-1]), max(samples[0], samples[-1])
    start, stop = first // WORDS, last // WORDS + 1
    places = np.asarray(samples) - start * WORDS
    bits: Any = np.random.Philox(key=0)
    # The state of one generator is set for each name, which costs far less than a new one. It steps its counter before
    # it uses it.
    state = bits.state
    state["state"]["counter"] = np.array(
        [(start - 1) % 2**256 >> shift & MASK for shift in (0, 64, 128, 192)], np.uint64
    )
    state["buffer_pos"] = WORDS
    for column, name in enumerate(names):
        digest = hashlib.blake2b(f"{key}\0{name.lower()}".encode(), digest_size=16).digest()
        state["state"]["key"] = np.frombuffer(digest, dtype="<u8").astype(np.uint64)
        bits.state = state
        words = bits.random_raw((stop - start) * WORDS)[places]
        found[:, column] = ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return found
