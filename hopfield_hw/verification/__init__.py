"""Verification: evidence that a circuit does what its equations say, its limits, and which device is at fault."""

from .coverage import Coverage
from .diagnosis import Suspect
from .entry import verify, verify_circuit
from .evidence import Error, Settled, Verdict
from .report import EnergyReport, Verification, Worst

__all__ = [
    "Coverage",
    "EnergyReport",
    "Error",
    "Settled",
    "Suspect",
    "Verdict",
    "Verification",
    "Worst",
    "verify",
    "verify_circuit",
]
