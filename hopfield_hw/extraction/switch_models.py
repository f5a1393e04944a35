"""The models of switches: resistances and thresholds of SPICE's SW and PSpice's VSWITCH."""

from __future__ import annotations

from collections.abc import Mapping

from ..ensemble.devices.libraries import Scope
from ..values.errors import InputError

# What a model leaves out, in ngspice.
USUAL: Mapping[str, float] = {"ron": 1.0, "roff": 1e12, "vt": 0.0, "vh": 0.0}


def read_switch_model(name: str, scope: Scope) -> dict[str, float]:
    """Return `ron`, `roff`, ohms, and `vt`, `vh`, volts: closed above vt + vh, open below vt - vh.

    Raises InputError for a model that is missing, or is none of a switch.
    """
    model = scope.model(name)
    if model is None:
        raise InputError(f"its model {name!r} is missing: add its `.model`, or include its file")
    if model.kind not in ("sw", "vswitch"):
        raise InputError(f"its model {name!r} is of kind {model.kind}: must be SW or VSWITCH")
    given = model.numbers(scope)
    if model.kind == "vswitch":
        on, off = given.get("von", 1.0), given.get("voff", 0.0)
        if on <= off:
            raise InputError(f"its model {name!r} has VON {on:g} V and VOFF {off:g} V: VON must be the larger one")
        given |= {"vt": 0.5 * (on + off), "vh": 0.5 * (on - off)}
    values = {key: given.get(key, usual) for key, usual in USUAL.items()}
    if not 0.0 < values["ron"] < values["roff"]:
        raise InputError(
            f"its model {name!r} has RON {values['ron']:g} and ROFF {values['roff']:g} Ohm: must be 0 < RON < ROFF"
        )
    return values
