"""All benches by name: each makes the circuit of an op-amp on its test bench. A new one is one line here."""

from __future__ import annotations

from collections.abc import Callable

from ..circuit import Circuit
from ..values.tables import LazyTable

BENCHES: LazyTable[Callable[..., Circuit]] = LazyTable(
    __package__,
    {
        "open_loop": (".open_loop:open_loop_circuit", "The open loop: gain, bandwidth and phase margin."),
        "slew": (".steps:slew_circuit", "A follower with a large step at its input."),
        "recovery": (".steps:recovery_circuit", "An inverting amplifier that comes back from a rail."),
        "swing": (".output:swing_circuit", "The output as far as it goes, with a load."),
        "short_circuit": (".output:short_circuit", "The output held at the middle of the supplies."),
        "supply": (".output:supply_circuit", "A follower at rest."),
        "offset": (".inputs:offset_circuit", "A noise gain of 101, and moving rails for both rejections."),
        "currents": (".inputs:currents_circuit", "A follower whose inputs are held by sources."),
        "impedance": (".inputs:impedance_circuit", "The open loop with a source at each input."),
        "common_mode": (".inputs:common_mode_circuit", "Both rails move against inputs that stand still."),
        "follower": (".inputs:follower_circuit", "A follower that is driven beyond its input range."),
        "noise": (".noise:noise_circuit", "A follower, its input held directly or through a resistor."),
    },
)
