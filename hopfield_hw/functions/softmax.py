"""Softmax over groups of elements."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from ..values.arrays import Array, is_whole
from ..values.errors import InputError, Unrealisable
from .expressions import Expression
from .function import Function, Numbers
from .parameters import Parameter, factor


@dataclass(frozen=True, kw_only=True, eq=False)
class Softmax(Function):
    """f(x)_i = a exp(beta x_i) / sum_j exp(beta x_j), over the j in the group of i.

    `groups`: the sizes of the groups, one after the other along the last axis; None for one group of all.
    `beta`, `amplitude` a: positive; one for all elements ((B, 1) after `stack`).
    """

    kind: ClassVar[str] = "softmax"
    has_corners = False
    shared: ClassVar[frozenset[str]] = frozenset({"groups"})
    groups: tuple[int, ...] | None = None
    beta: Parameter = 1.0
    amplitude: Parameter = 1.0

    def __post_init__(self) -> None:
        for name, unit in (("beta", "1/V"), ("amplitude", "V")):
            self._freeze(name, unit=unit)
            shape = np.shape(getattr(self, name))
            if shape and (len(shape) != 2 or shape[1] != 1):
                raise InputError(f"`{self._label(name)}` has shape {shape}: must be one number for all elements")
        if self.groups is not None:
            groups = tuple(self.groups)
            if not groups or not all(is_whole(size) and size > 0 for size in groups):
                raise InputError(f"`Softmax.groups` = {self.groups!r:.60}: must be whole numbers, at least 1, or None")
            object.__setattr__(self, "groups", tuple(int(size) for size in groups))

    @property
    def size(self) -> int | None:
        return None if self.groups is None else sum(self.groups)

    def value(self, x: Numbers, out: Array | None = None) -> Array:
        sizes = self._sizes(x)
        starts = np.cumsum(sizes) - sizes
        y = np.asarray(np.multiply(x, self.beta, out=out))
        y -= np.repeat(np.maximum.reduceat(y, starts, axis=-1), sizes, axis=-1)
        np.exp(y, out=y)
        y *= self.amplitude / np.repeat(np.add.reduceat(y, starts, axis=-1), sizes, axis=-1)
        return y

    def derivative(self, x: Numbers) -> Array:
        """Return df_i/dx_i, the diagonal of the Jacobian."""
        y = self.value(x)
        return np.asarray(self.beta * y * (1.0 - y / self.amplitude))

    def jacobian(self, x: Array) -> Array:
        """Return J[..., i, j] = df_i/dx_j = beta f_i (delta_ij - f_j / a), 0 between groups; (..., n, n)."""
        sizes, y = self._sizes(x), self.value(x)
        group = np.repeat(np.arange(sizes.size), sizes)
        share = np.where(group[:, np.newaxis] == group, (y / self.amplitude)[..., np.newaxis, :], 0.0)
        return np.asarray((self.beta * y)[..., np.newaxis] * (np.eye(group.size) - share))

    def at(self, i: int) -> Self:
        raise Unrealisable(self._refusal())

    def curve(self) -> Expression:
        raise Unrealisable(self._refusal())

    def scale(self, volts: float) -> Self:
        volts = factor(volts, "volts", "V")
        return replace(self, beta=self.beta / volts, amplitude=self.amplitude * volts)

    def compress(self, s: float) -> Self:
        return replace(self, beta=self.beta / factor(s, "s", "V/V"))

    def _sizes(self, x: Numbers) -> npt.NDArray[np.intp]:
        shape = np.shape(x)
        sizes = np.array(shape[-1:] if self.groups is None else self.groups, dtype=np.intp)
        if not shape or sizes.sum() != shape[-1]:
            raise InputError(f"`Softmax` of groups {self.groups}: x has shape {shape}, must end in {self.size or 'n'}")
        return sizes

    def _refusal(self) -> str:
        return "Softmax: couples the elements of a group, so that one element alone has no expression; use another cell"
