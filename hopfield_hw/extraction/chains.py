"""One fault after another, until what is left is what the spread of parts does.

A chain of edits costs the chi-square that it leaves, what its edits may choose, and what is still to be seen without
any value: op-amps with positive feedback, and resistors that should not be there. The values that its edits fit are
fitted together, by Gauss and Newton. The cheapest chain is taken; no edit at all is one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..values.errors import InputError
from .comparison import Frame, Reading
from .devices import FlatDeck
from .edits import Edit, find_edits, find_turned, is_stranger, missing_words, value_words
from .findings import Finding, Kind
from .spread import BY_CHANCE, Spread

# How many faults may be there at once, and how many chains of them are followed.
MOST_FAULTS, BEAM = 3, 3
# What a fault may choose costs as much chi-square as it gains by chance: an edit without a number is likelier than one
# with a fitted number (an Occam factor; MacKay, Information Theory, chapter 28).
PENALTIES: dict[Kind, float] = {
    "inputs": 6.0,
    "extra": 8.0,
    "exchanged": 12.0,
    "rewired": 14.0,
    "value": 4.0,
    "capacitor": 4.0,
    "source": 5.0,
    "missing": 8.0,
    "load": 8.0,
}
# An op-amp with positive feedback, or a resistor that should not be there.
ODD = 40.0
# Two faults are one where they score the same to this much.
SAME = 1.0
# So many changes are weighed with the whole covariance.
WEIGHED = 16
# Rounds of a joint fit, its longest step as a logarithm, and the step at which it ends, in standard deviations.
ROUNDS, LONGEST, SHORTEST = 4, 0.5, 1e-3


class Chain(NamedTuple):
    """Edits, the deck after them as it is read, what is odd in it still, and what the chain costs."""

    edits: tuple[Edit, ...]
    spread: Spread
    odd: int
    cost: float

    @property
    def unexplained(self) -> float:
        """Chi-square of what is left, and of what is odd."""
        return self.spread.chi + ODD * self.odd

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to be explained."""
        return not self.odd and self.spread.explains


class Search(NamedTuple):
    """What a search found: the cheapest chain, as findings, and the single faults that were weighed."""

    findings: tuple[Finding, ...]
    candidates: tuple[Finding, ...]
    spread: Spread


@dataclass(frozen=True, kw_only=True, eq=False)
class Weigher:
    """How chains are weighed: against what was intended, and by how much parts may be off."""

    original: FlatDeck
    frame: Frame
    tolerance: float
    known: FlatDeck | None

    def start(self, reading: Reading) -> Chain:
        """Return the chain of no edit."""
        spread = Spread(reading, self.tolerance)
        odd = self._count_odd(reading)
        return Chain((), spread, odd, spread.chi + ODD * odd)

    def extend(self, chain: Chain, edit: Edit) -> Chain | None:
        """Return a chain with one more edit, all its values fitted; None where its deck has no solution."""
        edits = (*chain.edits, edit)
        try:
            spread = self._fit(edit.deck, [each.fitted for each in edits if each.fitted])
        except InputError:
            return None
        odd = self._count_odd(spread.reading)
        return Chain(edits, spread, odd, spread.chi + ODD * odd + sum(self._choice(each, spread) for each in edits))

    def _fit(self, deck: FlatDeck, names: Sequence[str]) -> Spread:
        """Return a deck as it is read where the values of some devices leave the least chi-square."""
        best = spread = Spread(Reading(deck, self.frame), self.tolerance)
        names = [name for name in dict.fromkeys(names) if name in spread.parts.names]
        for _ in range(ROUNDS if names else 0):
            columns = spread.moved[:, [spread.parts.names.index(name) for name in names]]
            step = -np.linalg.lstsq(columns, spread.off, rcond=None)[0]
            if not np.all(np.isfinite(step)) or float(np.max(np.abs(step))) < SHORTEST * spread.sigma:
                break
            for name, log in zip(names, np.clip(step, -LONGEST, LONGEST).tolist(), strict=True):
                device = deck.by_name[name]
                deck = deck.with_device(replace(device, value=(device.value or 1.0) * math.exp(log)))
            spread = Spread(Reading(deck, self.frame), self.tolerance)
            if spread.chi < best.chi:
                best = spread
        return best

    def _choice(self, edit: Edit, spread: Spread) -> float:
        """Return what an edit costs for what it may choose."""
        cost = PENALTIES[edit.kind]
        if edit.fitted:
            cost += 2.0 * math.log(3.0 / self.tolerance)
        if edit.kind == "missing":
            cost += 2.0 * math.log(len(spread.reading.nodal.places) ** 2 / 2.0)
        return cost

    def _count_odd(self, reading: Reading) -> int:
        known = self.known
        strangers = () if known is None else (d for d in reading.deck.of("R") if is_stranger(d, known))
        return len(find_turned(reading)) + sum(1 for _ in strangers)

    def finding(self, chain: Chain, place: int, before: float) -> Finding:
        """Return an edit of a chain as a finding, in words of the values that were fitted in the end.

        `before`: the squares of what differed without it.
        """
        edit, deck = chain.edits[place], chain.spread.reading.deck
        words = edit.words
        if edit.fitted:
            device = deck.by_name[edit.fitted]
            given = self.original.by_name.get(edit.fitted)
            words = missing_words(device) if given is None else value_words(given, device)
        left = chain.spread.beyond / before if before > 0.0 else 0.0
        score = chain.unexplained + self._choice(edit, chain.spread)
        return Finding(edit.kind, words, edit.devices, edit.nodes, left, score)

    def step(self, path: Chain) -> list[Chain]:
        """Return a chain with each of the edits that may come next, the cheapest first."""
        edits = find_edits(path.spread, self.known)
        edits.sort(key=lambda edit: edit.left + self._choice(edit, path.spread))
        chosen = [edit for edit in edits if edit.kind in ("inputs", "load")]
        chosen += [edit for edit in edits if edit.kind not in ("inputs", "load")][:WEIGHED]
        found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Chain] = {}
        for edit in chosen:
            chain = self.extend(path, edit)
            key = (edit.kind, tuple(sorted(edit.devices)), tuple(sorted(edit.nodes)))
            if chain is not None and (key not in found or chain.cost < found[key].cost):
                found[key] = chain
        return sorted(found.values(), key=lambda chain: chain.cost)


def search_chains(reading: Reading, tolerance: float, known: FlatDeck | None) -> Search:
    """Return the faults that explain what differs, beside what parts within a tolerance do."""
    weigher = Weigher(original=reading.deck, frame=reading.frame, tolerance=tolerance, known=known)
    start = weigher.start(reading)
    if start.is_whole:
        return Search((), (), start.spread)
    best = start
    candidates: tuple[Finding, ...] = ()
    paths: list[tuple[Chain, tuple[Finding, ...]]] = [(start, ())]
    chosen: tuple[Finding, ...] = ()
    for depth in range(MOST_FAULTS):
        further: list[tuple[Chain, tuple[Finding, ...]]] = []
        for path, alternatives in paths:
            chains = weigher.step(path)
            findings = [weigher.finding(chain, depth, path.spread.beyond) for chain in chains]
            if depth == 0:
                candidates = tuple(findings)
            for chain, finding in list(zip(chains, findings, strict=True))[:BEAM]:
                further.append((chain, (*alternatives, _with_alternatives(finding, findings))))
        further.sort(key=lambda each: each[0].cost)
        if not further:
            break
        paths = further[:BEAM]
        chain, findings_here = paths[0]
        # That there is a fault is known where chance does not explain what one does; which one it is, and whether
        # there are more of them, is for what they cost.
        if chain.cost < best.cost or (best is start and chain.unexplained < start.unexplained - BY_CHANCE):
            best, chosen = chain, findings_here
        if any(each.is_whole for each, _ in paths):
            break
    named = tuple(
        weigher.finding(best, place, 0.0)._replace(left=given.left, score=given.score, alternatives=given.alternatives)
        for place, given in enumerate(chosen)
    )
    return Search(named, candidates, best.spread)


def _with_alternatives(finding: Finding, candidates: Sequence[Finding]) -> Finding:
    """Return a finding with the others that leave as little and choose as much."""
    others = tuple(
        other.words for other in candidates if other.words != finding.words and abs(other.score - finding.score) <= SAME
    )
    return finding._replace(alternatives=others)
