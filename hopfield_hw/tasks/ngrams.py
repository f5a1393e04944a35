"""What a network of characters has to beat: counts of how often a character follows others."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ..values.errors import InputError


def ngram_bits(train: str, text: str, *, order: int, context: str) -> float:
    """Return the bits per character of an n-gram model of a training text, over another; `order`: n, 1 for unigrams.

    p(c | h) = (N(h c) + D(h) p(c | h')) / (N(h) + D(h)), with N the counts in `train`, D(h) how many different
    characters follow h there, and h' one character shorter; at the end of the chain all characters of both texts are
    alike (Witten and Bell, IEEE Trans. Inf. Theory 37:1085, 1991). `context`: what stands before the text.

    Raises InputError for an order below 1, an empty text, and a context shorter than order - 1.
    """
    if order < 1 or len(context) < order - 1 or not text:
        raise InputError(
            f"`order` = {order}, `context` of {len(context)} and `text` of {len(text)} characters: must have an order "
            f"from 1, a context of order - 1 characters or more, and a text"
        )
    counts: Counter[str] = Counter()
    for n in range(1, order + 1):
        counts.update(train[k : k + n] for k in range(len(train) - n + 1))
    followers, totals = Counter(gram[:-1] for gram in counts), Counter[str]()
    for gram, count in counts.items():
        totals[gram[:-1]] += count
    uniform = 1.0 / len(set(train) | set(text))
    read, bits = context + text, 0.0
    for k in range(len(context), len(read)):
        p = uniform
        for n in range(order):
            before = read[k - n : k]
            weight = followers[before]
            p = (counts[before + read[k]] + weight * p) / (totals[before] + weight) if weight else p
        bits -= float(np.log2(p))
    return bits / len(text)
