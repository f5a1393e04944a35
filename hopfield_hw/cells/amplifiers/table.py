"""The table of amplifiers. A new one is one file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...values.errors import InputError
from ...values.names import unknown
from ...values.tables import LazyTable
from .amplifier import Amplifier as _Amplifier

if TYPE_CHECKING:
    from .amplifier import Amplifier

AMPLIFIERS: LazyTable[Amplifier] = LazyTable(
    __package__,
    {
        "exact": (".exact:Exact", "a behavioural source: any gain curve; ideal"),
        "differential_pair": (
            ".differential_pair:DifferentialPair",
            "two matched transistors and an op-amp: tanh or logistic, compensated for temperature",
        ),
        "ota": (
            ".transconductance:TransconductanceAmplifier",
            "half an LM13700 and an op-amp: tanh, compensated for temperature",
        ),
        "piecewise_linear": (
            ".piecewise_linear:ThreeOpAmps",
            "a gain and two precision clamps, buffered: piecewise linear, no drift",
        ),
        "diode_clamp": (".diode_clamp:DiodeClamp", "diodes in feedback: tanh to some 5%, which drifts"),
        "zener_clamp": (".zener_clamp:ZenerClamp", "zener diodes in feedback: piecewise linear to some percent"),
    },
    make=lambda amplifier: amplifier(),
)


def as_amplifier(value: Any, name: str = "amplifier") -> Amplifier:
    """Return an amplifier: as it is, or by a name of AMPLIFIERS. Raises InputError for anything else."""
    if isinstance(value, str):
        if value not in AMPLIFIERS:
            raise InputError(f"`{name}`: {unknown('amplifier', value, AMPLIFIERS)}; or give an Amplifier")
        return AMPLIFIERS[value]
    if isinstance(value, type) or not isinstance(value, _Amplifier):
        raise InputError(f"`{name}` = {value!r:.60}: must be one of {', '.join(AMPLIFIERS)}, or an Amplifier")
    return value
