"""Text by characters: an alphabet, and an LSTM that says what comes next in Alice's Adventures in Wonderland."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..graph import Graph
from ..recurrent import Readout, RecurrentCell
from ..values.arrays import Array
from ..values.brief import Brief
from ..values.errors import InputError
from .weights import DATA, load_cell

HELD_OUT = "chapter viii\n"


@dataclass(frozen=True)
class Alphabet(Brief):
    """The characters that a network knows, each once, in the order of its inputs and outputs.

    Raises InputError for no characters, and for one that is there twice.
    """

    characters: str

    def __post_init__(self) -> None:
        if not self.characters or len(set(self.characters)) != len(self.characters):
            raise InputError(f"`Alphabet.characters` = {self.characters!r:.60}: must hold each character once")

    @property
    def size(self) -> int:
        """How many characters."""
        return len(self.characters)

    def indices(self, text: str) -> npt.NDArray[np.intp]:
        """Return the index of each character, (T,). Raises InputError for one that is not in the alphabet."""
        unknown = next((c for c in text if c not in self.characters), None)
        if unknown is not None:
            raise InputError(f"`text` holds {unknown!r}: must be of the characters {self.characters!r}")
        return np.array([self.characters.index(c) for c in text], dtype=np.intp)

    def one_hot(self, text: str) -> Array:
        """Return a row for each character, (T, size): 1 at its index, else 0."""
        rows: Array = np.eye(self.size)[self.indices(text)]
        return rows


@dataclass(frozen=True, kw_only=True, eq=False)
class TextModel(Brief):
    """A cell that reads characters, one-hot; its readout gives the logit of each as the next one.

    `train`, `test`: the text that it was trained on, and what follows it, which it has not seen.
    """

    cell: RecurrentCell
    readout: Readout
    alphabet: Alphabet
    train: str
    test: str

    def graph(self) -> Graph:
        """Return the graph of one step: Input `x`, one-hot; the Holds of the cell; Output `y`, the logits."""
        return self.readout.after(self.cell.graph(), "y")


def alice() -> TextModel:
    """Return an LSTM (H = 96) that has read chapters I to VII; chapter VIII is held out. Training: training/text.py."""
    train, test = alice_text()
    cell, readout = load_cell("alice")
    return TextModel(cell=cell, readout=readout, alphabet=alphabet_of(train + test), train=train, test=test)


def alice_text() -> tuple[str, str]:
    """Return chapters I to VII, and chapter VIII, in small letters, a paragraph a line.

    Alice's Adventures in Wonderland (Lewis Carroll, 1865; in the public domain), from the Millennium Fulcrum edition
    2.9 of Project Gutenberg, which is `alice29.txt` of the Canterbury corpus.
    """
    text = (DATA / "alice.txt").read_text(encoding="ascii")
    at = text.index(HELD_OUT)
    return text[:at], text[at:]


def alphabet_of(text: str) -> Alphabet:
    """Return the alphabet of a text, in the order of the character codes."""
    return Alphabet("".join(sorted(set(text))))
