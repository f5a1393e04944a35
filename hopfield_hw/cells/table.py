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
        "active_sum": (".active_sum:ActiveSum", "one op-amp integrator a neuron, resistors into its virtual ground"),
        "op_amps": (".op_amps:OpAmps", "every operator in op-amps: summers, curves, multipliers, sample-and-holds"),
        "summing_stage": (
            ".summing_stage:SummingStage",
            "an op-amp adder, its gain before R and C (static field) or after",
        ),
        "ota_c": (".ota_c:OtaC", "gm-C: transconductors that saturate, and a capacitor"),
        "winner_take_all": (".winner_take_all:WinnerTakeAll", "active_sum with one common line for uniform inhibition"),
        "cellular": (".cellular:Cellular", "Chua and Yang's cell: transconductors, the output clamped by diodes"),
    },
    make=lambda cell: cell(),
)
