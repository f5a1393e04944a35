"""Good boards and bad decks of them, one after another, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from extraction.planted import FAMILIES, KINDS, Board, Fault, NoPlaceError, draw_board, plant

from hopfield_hw.extraction import extract
from hopfield_hw.extraction.comparison import Frame, Reading
from hopfield_hw.extraction.devices import FlatDeck
from hopfield_hw.extraction.differences import find_faults, make_frame
from hopfield_hw.extraction.findings import Differences
from hopfield_hw.extraction.flatten import flatten
from hopfield_hw.extraction.spread import Spread
from hopfield_hw.values.errors import HopfieldHWError


class Known(NamedTuple):
    """A good board, how its decks are read, and its deck."""

    board: Board
    frame: Frame
    flat: FlatDeck


class Case(NamedTuple):
    """A bad deck of a board, and the faults in it."""

    known: Known
    text: str
    faults: tuple[Fault, ...]


def read_board(family: str, rng: np.random.Generator, least: int) -> Known:
    """Draw a board and read it; one that cannot be read stops the section: all are good."""
    board = draw_board(family, rng, least)
    found = extract(board.deck, ideal=True, verify=False)
    return Known(board, make_frame(found, found), flatten(board.deck))


def cases(count: int, seed: int, faults: int = 1) -> Iterator[Case | str]:
    """Yield boards with faults, all kinds and families in turn; or, in words, why there is none.

    A board of each family is drawn for every 12 kinds, and other ones where it has no place for a fault.
    """
    rng = np.random.default_rng([seed, faults])
    given: dict[str, Known] = {}
    for index in range(count):
        kind = KINDS[index // len(FAMILIES) % len(KINDS)]
        family = tuple(FAMILIES)[index % len(FAMILIES)]
        if kind == KINDS[0] and index // len(FAMILIES) % len(KINDS) == 0:
            given.pop(family, None)
        if kind == "inputs" and family == "hopfield_tank":
            yield f"{kind} in {family}: this cell has no op-amp"
            continue
        for _ in range(10):
            known = given.get(family) or read_board(family, rng, 2)
            try:
                yield _planted(known, kind, faults, rng)
            except NoPlaceError:
                given.pop(family, None)
                continue
            given[family] = known
            break
        else:
            yield f"{kind} in {family}: no place in 10 boards"


def _planted(known: Known, kind: str, count: int, rng: np.random.Generator) -> Case:
    text = known.board.deck
    planted: list[Fault] = []
    for k in range(count):
        taken = [name for fault in planted for name in fault.devices]
        text, fault = plant(text, kind if k == 0 else str(rng.choice(KINDS)), rng, taken)
        if any(fault.kind == "load" == other.kind for other in planted):
            raise NoPlaceError(fault.kind)
        planted.append(fault)
    return Case(known, text, tuple(planted))


def look(case: Case, deck: FlatDeck, tolerance: float) -> Differences | str:
    """Return what is found in a deck, or in words why nothing is."""
    try:
        return find_faults(deck, case.known.frame, tolerance, case.known.flat, by_name=False)
    except HopfieldHWError as error:
        return f"{type(error).__name__}: {str(error)[:150]}"


def show(case: Case, found: Differences | str) -> None:
    """Print a miss: what was planted, what was found, and where the true fault stands among the candidates."""
    board = case.known.board
    print(f"  MISS {board.family}, n={board.size}: {'; '.join(fault.words for fault in case.faults)}")
    if isinstance(found, str):
        print(f"       {found}")
        return
    for each in found.findings:
        print(f"       found {each.words} (left {each.left:.2g}, score {each.score:.1f})")
    for fault in case.faults:
        place = next((k for k, each in enumerate(found.candidates) if fault.is_named_by(each)), None)
        where = (
            "not among the candidates"
            if place is None
            else f"candidate {place}, score {found.candidates[place].score:.1f}"
        )
        print(f"       {fault.kind}: {where}; {len(found.deviations)} values are off", flush=True)


def size_of(deck: FlatDeck, frame: Frame) -> float:
    """Return by how much a fault moves the value that it moves most."""
    try:
        return float(np.max(np.abs(Reading(deck, frame).residual)))
    except HopfieldHWError:
        return float("inf")


def sigmas_of(known: Known, deck: FlatDeck, tolerance: float) -> float:
    """Return by how much a fault moves values, in standard deviations of what parts within a tolerance do."""
    try:
        moved = Reading(deck, known.frame).residual
    except HopfieldHWError:
        return float("inf")
    off = Spread(Reading(known.flat, known.frame), tolerance).whiten(moved)
    return float(np.sqrt(off @ off))
