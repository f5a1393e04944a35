from .clocking import discretise, hold_outputs, remove_clock
from .delays import add_delay, add_delay_by_edge, add_neutral_delays, distribute_delay
from .rescale import rescale_states
from .si import in_si
from .table import DELAYS

__all__ = [
    "DELAYS",
    "add_delay",
    "add_delay_by_edge",
    "add_neutral_delays",
    "discretise",
    "distribute_delay",
    "hold_outputs",
    "in_si",
    "remove_clock",
    "rescale_states",
]
