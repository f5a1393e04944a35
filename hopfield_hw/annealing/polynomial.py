"""Energies with terms of any degree, over +-1 or over 0/1: Hopfield networks with products of outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array, freeze, is_whole, whole
from ..values.errors import InputError
from .models import LARGEST, Model


@dataclass(frozen=True, kw_only=True, eq=False)
class PolynomialModel(Model):
    """E = sum_k c_k prod_{i in term k} s_i + offset, over s_i = +-1, or over 0 and 1 where `binary`.

    `terms`: the neurons of each term (none twice) and its coefficient; a term of no neurons adds to the offset.
    A neuron's field is -dE/ds_i with every other output in its place (cubic terms are products of two outputs).
    Raises InputError for a neuron outside 0 to n - 1, and for one that is twice in a term.
    """

    neurons: int
    terms: Mapping[tuple[int, ...], float]
    binary: bool = False
    offset: float = 0.0

    def __post_init__(self) -> None:
        n = whole(self.neurons, "PolynomialModel.neurons", 0, LARGEST)
        if not isinstance(self.binary, bool):
            raise InputError(f"`PolynomialModel.binary` = {self.binary!r:.40}: must be True (0/1) or False (+-1)")
        offset = float(freeze(self.offset, "PolynomialModel.offset", shape=()))
        together: dict[tuple[int, ...], float] = {}
        for term, coefficient in self.terms.items():
            key = tuple(sorted(term))
            for i in key:
                if not is_whole(i) or not 0 <= i < n:
                    raise InputError(f"`PolynomialModel.terms`: {term}: must hold neurons from 0 to {n - 1}")
            if len(set(key)) != len(key):
                power = "x^2 = x" if self.binary else "s^2 = 1"
                raise InputError(f"`PolynomialModel.terms`: {term}: must hold no neuron twice; shorten it by {power}")
            number = float(freeze(coefficient, f"PolynomialModel.terms[{term}]", shape=()))
            if key:
                together[key] = together.get(key, 0.0) + number
            else:
                offset += number
        object.__setattr__(self, "neurons", n)
        object.__setattr__(self, "terms", MappingProxyType(together))
        object.__setattr__(self, "offset", offset)

    @property
    def kind(self) -> str:
        return "binary" if self.binary else "ising"

    @property
    def size(self) -> int:
        return self.neurons

    @property
    def degree(self) -> int:
        """The most neurons in a term."""
        return max((len(term) for term in self.terms), default=0)

    @classmethod
    def from_poly(cls, poly: Any) -> Self:
        """Return the model of a dimod.BinaryPolynomial, its variables in the order of `poly.variables`."""
        place = {variable: k for k, variable in enumerate(poly.variables)}
        terms = {tuple(place[v] for v in term): float(coefficient) for term, coefficient in poly.items()}
        return cls(neurons=len(place), terms=terms, binary=poly.vartype.name == "BINARY")

    def energies_of(self, states: npt.NDArray[Any]) -> Array:
        values = states.astype(np.float64)
        energy = np.full(len(values), self.offset)
        for term, coefficient in self.terms.items():
            energy += coefficient * np.prod(values[:, term], axis=1)
        return energy

    def flattened(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Array]:
        """Return (starts, neurons, coefficients): neurons[starts[k]:starts[k + 1]] are those of term k."""
        lengths = [len(term) for term in self.terms]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return starts, np.array([i for term in self.terms for i in term], np.int32), np.array(list(self.terms.values()))
