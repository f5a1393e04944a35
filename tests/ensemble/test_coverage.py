"""The short form of `verify_ensemble.py`: random circuits of many kinds and benches of one op-amp against ngspice."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

pytest.importorskip("numba")

import verify_ensemble
from verify_ensemble import Case, benches, compare, random_circuits

CASES = [*islice(random_circuits(), 15), *islice(benches(), 0, 13, 3)]


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_circuit_is_that_of_ngspice(case: Case) -> None:
    found = compare(case)
    assert found.verdict == "agrees", found


@pytest.mark.usefixtures("ngspice")
def test_what_differs_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is off by a hundredth, tight or not, is no other's fault."""
    run = verify_ensemble.run

    def off(circuit: Any, engine: Any, accuracy: float, how: dict[str, Any]) -> list[Any]:
        return [(1.01 if engine == "ensemble" else 1.0) * wave for wave in run(circuit, engine, accuracy, how)]

    monkeypatch.setattr(verify_ensemble, "run", off)
    assert compare(CASES[0]).verdict == "FAILED"
    assert compare(Case("none", "the cell does not build it", {})).verdict == "not compared"
