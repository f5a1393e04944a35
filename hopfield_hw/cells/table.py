"""The table of cells. A new one is one file and one line here; the conformance suite runs over the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..values.tables import LazyTable

if TYPE_CHECKING:
    from .cell import Cell

CELLS: LazyTable[Cell] = LazyTable(
    __package__,
    {
        "ideal": (".ideal:Ideal", "controlled sources that load nothing; realises any network"),
        "hopfield_tank": (
            ".hopfield_tank:HopfieldTank",
            "resistors from both rails of the amplifiers into a passive summing node (Hopfield and Tank 1985)",
        ),
        "inverting_integrator": (
            ".inverting_integrator:InvertingIntegrator",
            "one op-amp integrator a neuron, resistors into its virtual ground",
        ),
        "winner_take_all": (
            ".inverting_integrator:with_common_line",
            "inverting_integrator with one common line for uniform inhibition",
        ),
        "active_rc": (
            ".active_rc:ActiveRC",
            "every operator in op-amps: summers, curves, multipliers, sample-and-holds",
        ),
        "summing_amplifier": (
            ".summing_amplifier:SummingAmplifier",
            "an op-amp adder, its gain before R and C (static field) or after",
        ),
        "gm_c": (".gm_c:GmC", "transconductors, which may saturate, and a capacitor"),
        "chua_yang": (
            ".chua_yang:ChuaYang",
            "the cell of Chua and Yang: transconductors, a clamped output",
        ),
    },
    make=lambda cell: cell(),
)
