"""All op-amps with data sheets on all test benches: every figure within 5% of its sheet.

    python tests/verify_parts.py

Each part is measured on its sheet's supplies, typical and in its worst corner, and on lower supplies; two are compared
with a model of another structure, of bipolar transistors (Boyle and others 1974).
"""

from __future__ import annotations

import sys
import time

from oracles.boyle import boyle

from hopfield_hw.benches import Measurement, measure
from hopfield_hw.parts.data_sheet import find_data_sheet, shipped_sheets

LOWER = {"LM358": (5.0, 0.0), "MCP6002": (3.3, 0.0)}
USUAL = (12.0, -12.0)
WITH_TRANSISTORS = ("OP07", "NE5532")
# What the bipolar structure has not, or has of its own: limits of common mode, noise, capacitances, supply rejection.
NOT_ITS_OWN = ("common mode", "beyond", "voltage_noise", "noise_corner", "current_noise", "input_", "differential_")


def main() -> int:
    """Run the comparisons; return 1 where a figure is more than 5% off."""
    start, failed = time.process_time(), False
    for name, sheet in shipped_sheets().items():
        worst = max(sheet.model().supply_plus, 0.0)
        cases = {f"+-{worst:g} V": sheet.model(), "worst corner": sheet.model(corner="worst")}
        rails = LOWER.get(name, USUAL)
        cases[f"{rails[0]:g} V, {rails[1]:g} V"] = sheet.model(rails)
        for case, model in cases.items():
            failed |= _report(f"{name}, {case}", measure(model, sheet=sheet), ())
    for name in WITH_TRANSISTORS:
        sheet = find_data_sheet(name)
        found = measure(boyle(sheet.model()), sheet=sheet)
        failed |= _report(f"{name}, bipolar transistors", found, (*NOT_ITS_OWN, "supply_rejection"))
    print(f"{'FAILED' if failed else 'passed'}, {time.process_time() - start:.1f} s of this process")
    return int(failed)


def _report(what: str, found: Measurement, left_out: tuple[str, ...]) -> bool:
    compared = [row for row in found.compared if not row.figure.startswith(left_out)] if left_out else found.compared
    worst = max(compared, key=lambda row: abs(row.deviation or 0.0))
    beyond = [row.figure for row in compared if not row.ok]
    text = f"{what:<32} {len(compared):>2} figures, worst {worst.figure} {100.0 * (worst.deviation or 0.0):+.2f}%"
    print(text + (f"; beyond 5%: {', '.join(beyond)}" if beyond else ""), flush=True)
    return bool(beyond) or not compared


if __name__ == "__main__":
    sys.exit(main())
