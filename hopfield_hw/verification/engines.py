"""One circuit verified in two simulators, which must agree with the equation, and with each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ..values.measures import nrmse
from .evidence import Verdict
from .report import Verification

Engine = Literal["ngspice", "ensemble", "both"]
SINGLE: tuple[Literal["ngspice", "ensemble"], ...] = ("ngspice", "ensemble")
# How far both may be apart, in tolerances: each may be off by one.
APART = 2.0


def compare_engines(one: Verification, other: Verification) -> Verification:
    """Return the verification of a circuit in both: passed where both are, and their waveforms agree.

    What both say is of the first; its verdict, reasons and warnings are of both.
    """
    both = (one, other)
    apart = nrmse(one.wave["state"].to_numpy()[1:], other.wave["state"].to_numpy()[1:])
    reasons = [f"{each.engine}: {reason}" for each in both for reason in each.reasons]
    verdicts = {each.verdict for each in both}
    verdict: Verdict = next(each for each in ("failed", "undecided", "passed") if each in verdicts)
    amplifies = one.restarted or other.restarted
    if verdict == "passed" and not amplifies and not apart <= APART * one.tolerance:
        verdict = "failed"
        reasons.append(f"both follow the equation, but are {apart:.1e} NRMSE apart, above {APART * one.tolerance:.0e}")
    seconds = {f"{name} of {each.engine}": value for each in both for name, value in each.seconds.items()}
    warning = "; ".join(f"{each.engine}: {each.warning}" for each in both if each.warning)
    return replace(
        one,
        verdict=verdict,
        reasons=tuple(reasons),
        engine=" and ".join(f"{each.engine} {each.version}" for each in both),
        version="",
        apart=apart,
        seconds=seconds,
        warning=warning,
        suspects=(*one.suspects, *(suspect for suspect in other.suspects if suspect not in one.suspects)),
    )
