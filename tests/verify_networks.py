"""A part of `make verify-full`: random networks of every family in ideal cells against their equations.

1,000 Hopfield networks at accuracy 1e-4 and 100 at 1e-5; 100 of each other family at 1e-4, or 1e-3 where delays vary.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hopfield_hw.families import FAMILIES
from hopfield_hw.verification.random_set import RandomReport, Trial, verify_random

SEED = 1986
SETS: tuple[tuple[str, int, float | None], ...] = (
    ("hopfield", 1000, 1e-4),
    ("hopfield", 100, 1e-5),
    *((family, 100, None) for family in FAMILIES if family != "hopfield"),
)
REPORT = Path("build/verify_networks.json")


def _say(trial: Trial) -> None:
    if trial.restarted or trial.verdict != "passed":
        print(f"  {trial.index}: {trial}", flush=True)


def _summary(report: RandomReport) -> str:
    found = report.to_json()
    return (
        f"{found['networks']} of {report.family} at {report.tolerance:g}: {found['status']}; "
        f"NRMSE worst {found['nrmse']:.2e}, median {found['nrmse_median']:.1e}; "
        f"step by step {found['steps']:.1e}; {found['verdicts']}; judged step by step alone {len(report.restarted)}; "
        f"settled {found['settled']}; {found['seconds']:.0f} s"
    )


def main(families: list[str]) -> int:
    """Run the sets of the families named, all by default, write the report, and return 0 where everything holds."""
    reports = []
    for family, count, accuracy in SETS:
        if not families or family in families:
            reports.append(verify_random(count, seed=SEED, family=family, accuracy=accuracy, progress=_say))
            print(_summary(reports[-1]), flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([report.to_json() for report in reports], indent=1) + "\n")
    return 0 if all(report.passed for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
