"""Parameters of functions: floats, arrays by element, or coefficients; checked, frozen, compared, stacked, as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np

from ..values.arrays import Array, freeze, positive
from ..values.brief import Brief
from ..values.errors import InputError

Parameter: TypeAlias = float | Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Parametric(Brief):
    """Something that its dataclass fields describe in full.

    Parameters are floats, or read-only arrays: (n,), one for each element; (B, n) or (B, 1) after `stack`.
    Two objects are equal where their class and their parameters are.
    """

    shared: ClassVar[frozenset[str]] = frozenset()  # parameters that all elements have in common

    @property
    def size(self) -> int | None:
        """The number of elements n, or None where the parameters fit any number of them."""
        shape = np.broadcast_shapes(*(np.shape(value) for value in self._by_element().values()))
        return None if shape == () or (len(shape) == 2 and shape[1] == 1) else shape[-1]

    def at(self, i: int) -> Self:
        """Return the function of element i, all of whose parameters are floats."""
        n = self.size
        if n is not None and not 0 <= i < n:
            raise InputError(f"`{type(self).__name__}.at({i})`: has {n} elements, must be from 0 to {n - 1}")
        arrays = {name: value for name, value in self._by_element().items() if isinstance(value, np.ndarray)}
        for name, value in arrays.items():
            if value.ndim == 2:
                raise InputError(f"`{self._label(name)}` is stacked, with shape {value.shape}: take `.at(i)` before")
        return replace(self, **{name: float(value[i]) for name, value in arrays.items()})

    def params(self) -> dict[str, Any]:
        """Return the arguments that build this function, as strict JSON has them: infinity is "inf" or "-inf"."""
        return {field.name: _json(getattr(self, field.name)) for field in fields(self)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parametric) and type(self) is type(other) and self.params() == other.params()

    def __hash__(self) -> int:
        return hash((type(self), repr(self.params())))

    @classmethod
    def stacked_parameter(cls, name: str, values: Sequence[Any]) -> Any:
        """Return one parameter of a batch of B functions: (B, n) or (B, 1); a shared one must be the same in all."""
        label = cls._label(name)
        if name in cls.shared:
            if not all(np.array_equal(value, values[0]) for value in values):
                raise InputError(f"`{label}` differs within a batch: must be the same; run the functions one by one")
            return values[0]
        if any(np.ndim(value) > 1 for value in values):
            raise InputError(f"`{label}` is stacked already: stack the single functions, all at once")
        try:
            return np.stack(np.broadcast_arrays(*(np.atleast_1d(value) for value in values)))
        except ValueError:
            sizes = sorted({np.size(value) for value in values})
            raise InputError(f"`{label}` has {sizes} elements within a batch: must have one number of them") from None

    @classmethod
    def _label(cls, name: str) -> str:
        return f"{cls.__name__}.{name}"

    def _by_element(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in self.shared}

    def _freeze(self, name: str, *, unit: str | None = None, allow_inf: bool = False) -> None:
        """Replace a parameter by its checked float or read-only array; positive where it has a unit."""
        label = self._label(name)
        array = freeze(getattr(self, name), label, allow_inf=allow_inf, unit=unit or "")
        if unit is not None:
            array = positive(array, label, shape=array.shape, unit=unit)
        if array.ndim > 2 or array.size == 0:
            raise InputError(f"`{label}` has shape {array.shape}: must be a number, (n,), or (B, n) for a batch")
        object.__setattr__(self, name, float(array) if array.ndim == 0 else array)

    def _check_shapes(self) -> None:
        shapes = {name: np.shape(value) for name, value in self._by_element().items()}
        try:
            np.broadcast_shapes(*shapes.values())
            fit = len({shape for shape in shapes.values() if len(shape) == 1}) < 2
        except ValueError:
            fit = False
        if not fit:
            text = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise InputError(f"`{type(self).__name__}`: the shapes differ: {text}; must be one size") from None

    def _scalar(self, name: str) -> float:
        value = getattr(self, name)
        if isinstance(value, np.ndarray):
            raise InputError(
                f"`{self._label(name)}` has shape {value.shape}: a SPICE expression needs one number; "
                "take `.at(i)` first"
            )
        return float(value)


@dataclass(frozen=True, kw_only=True, eq=False)
class Series(Parametric):
    """Something that coefficients describe, lowest order first: (m,), for all elements; (B, m) after `stack`."""

    def __post_init__(self) -> None:
        for field in fields(self):
            self._freeze(field.name)
            if np.ndim(getattr(self, field.name)) == 0:
                raise InputError(f"`{self._label(field.name)}` is one number: must be (m,), lowest order first")

    @classmethod
    def stacked_parameter(cls, name: str, values: Sequence[Any]) -> Any:
        if any(np.ndim(value) > 1 for value in values):
            raise InputError(f"`{cls._label(name)}` is stacked already: stack the single functions, all at once")
        longest = max(len(value) for value in values)
        return np.stack([np.pad(value, (0, longest - len(value))) for value in values])


def factor(value: float, name: str, unit: str) -> float:
    """Return a scale factor after checking that it is positive and finite."""
    return float(positive(value, name, shape=(), unit=unit))


def polynomial(coefficients: Array, x: Parameter) -> Array:
    """Return sum_k c_k x^k by Horner's rule; coefficients (m,), or (B, m) for x (B, n)."""
    terms = coefficients if coefficients.ndim == 1 else coefficients.T[:, :, np.newaxis]
    result = np.zeros(np.shape(x)) + terms[-1]
    for term in terms[-2::-1]:
        result = result * x + term
    return np.asarray(result)


def derived(coefficients: Array) -> Array:
    """Return the coefficients of df/dx."""
    order = coefficients.shape[-1]
    return coefficients[..., 1:] * np.arange(1.0, order) if order > 1 else np.zeros_like(coefficients)


def rescale(coefficients: Array, s: float) -> Array:
    """Return the coefficients of x -> f(x / s)."""
    return np.asarray(coefficients * s ** -np.arange(float(coefficients.shape[-1])))


def _json(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value
