"""A part of `make verify-full`: ideal cells of 100 random networks of each family, at 1e-4 (1e-3 where delays vary)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hopfield_hw.families import FAMILIES
from hopfield_hw.random_check import RandomReport, Trial, verify_random

SEED = 1986
NETWORKS = 100
REPORT = Path("build/verify_families.json")


def _say(trial: Trial) -> None:
    if trial.cut or not trial.passed:
        print(f"  {trial.index}: {trial}", flush=True)


def _summary(report: RandomReport) -> str:
    found = report.to_json()
    return (
        f"{report.family}: {found['status']} at {report.tolerance:g}; "
        f"NRMSE worst {found['nrmse']:.2e}, median {found['nrmse_median']:.1e}; "
        f"fell short {len(report.fallen_short)}; self-amplifying {len(report.self_amplifying)}, cut {len(report.cut)}; "
        f"settled {found['settled']}"
    )


def main(families: list[str]) -> int:
    """Run the families named, all by default, write the report, and return 0 where everything holds."""
    reports = []
    for family in families or list(FAMILIES):
        reports.append(verify_random(NETWORKS, seed=SEED, family=family, progress=_say))
        print(_summary(reports[-1]), flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([report.to_json() for report in reports], indent=1) + "\n")
    return 0 if all(report.passed for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
