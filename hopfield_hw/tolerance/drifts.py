"""How the values of drawn parts move with temperature: each part by a coefficient of its own, which is drawn too."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy import special

from ..values.arrays import Array, freeze
from ..values.brief import Brief
from ..values.errors import InputError
from ..values.physics import ROOM
from .draws import Draws
from .streams import uniforms

COLDEST, HOTTEST = -55.0, 150.0
# By field of Drifts, the values of parts that it moves.
MOVED = {"resistance": "resistors", "capacitance": "capacitors", "offset": "offset"}


@dataclass(frozen=True, kw_only=True)
class Drifts(Brief):
    """Temperature coefficients of parts, by kelvin from 27 degrees Celsius, for values that are drawn.

    `resistors`, `capacitors`: the largest coefficient, 1/K; each part's is uniform within it, and all are independent.
    100 ppm/K is that of thick films, 30 ppm/K the limit of C0G (EIA-198). `offset`: of op-amps, the standard deviation
    of a normal, V/K; 18 uV/K is typical of a TL07x (Texas Instruments SLOS080), 2 uV/K of an MCP6002, and sheets state
    no distribution: that is an estimate. A coefficient that all parts share changes no ratio of them, and is left out.

    Raises InputError for negative or infinite values.
    """

    resistors: float = 100e-6
    capacitors: float = 30e-6
    offset: float = 18e-6

    def __post_init__(self) -> None:
        for one in fields(self):
            unit = "V" if one.name == "offset" else ""
            value = float(freeze(getattr(self, one.name), f"Drifts.{one.name}", shape=(), unit=unit))
            if value < 0.0:
                raise InputError(f"`Drifts.{one.name}` = {value:g}: must not be negative")
            object.__setattr__(self, one.name, value)

    def apply(self, draws: Draws, temperature: float, *, seed: int) -> Draws:
        """Return draws at a temperature, degrees Celsius: R (1 + c dT), C (1 + c dT) and V_os + c dT.

        c is of a part's own stream, whatever the temperature, so that curves over temperature are of the same boards.
        Raises InputError for coefficients with which a value would not stay positive.
        """
        change = check_temperature(temperature, "temperature") - ROOM
        for name in ("resistors", "capacitors"):
            if getattr(self, name) * abs(change) >= 1.0:
                raise InputError(
                    f"`Drifts.{name}` = {getattr(self, name):g} 1/K: {change:g} K from 27 degrees Celsius a value "
                    "would not stay positive; give a smaller one"
                )
        places = [k for k, c in enumerate(draws.variation.columns) if c.parameter.name in MOVED]
        if not places or change == 0.0:
            return draws
        columns = [draws.variation.columns[k] for k in places]
        drawn = uniforms(seed, [f"{column} drift" for column in columns], draws.samples)
        values = np.array(draws.values)
        for k, column, u in zip(places, columns, drawn.T, strict=True):
            values[:, k] = self._move(values[:, k], column.parameter.name, u, change)
        values.flags.writeable = False
        return replace(draws, values=values)

    def _move(self, values: Array, name: str, u: Array, change: float) -> Array:
        size = getattr(self, MOVED[name])
        if name == "offset":
            return np.asarray(values + size * special.ndtri(u) * change)
        return np.asarray(values * (1.0 + size * (2.0 * u - 1.0) * change))


def check_temperature(value: object, name: str) -> float:
    """Return a temperature, degrees Celsius. Raises InputError for one that no part is made for."""
    found = float(freeze(value, name, shape=(), unit=""))
    if not COLDEST <= found <= HOTTEST:
        raise InputError(
            f"`{name}` = {found:g}: must be from {COLDEST:g} to {HOTTEST:g} degrees Celsius, where parts are made for"
        )
    return found
