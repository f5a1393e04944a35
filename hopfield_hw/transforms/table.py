"""The table of delayed forms: a design names one beside any network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..values.tables import LazyTable

if TYPE_CHECKING:
    from ..graph import Graph

DELAYS: LazyTable[Callable[..., Graph]] = LazyTable(
    __package__,
    {
        "delayed": (".delays:add_delay", "one delay in the feedback: v_j(t) becomes v_j(t - tau)"),
        "delayed_by_edge": (".delays:add_delay_by_edge", "a delay for each weight: v_j(t) becomes v_j(t - tau_ij)"),
        "distributed": (".delays:distribute_delay", "gamma-distributed delay: v_j becomes a mean over its past"),
        "neutral": (".delays:add_neutral_delays", "neutral form: C dx/dt becomes C d/dt [x - sum_k D_k x(t - tau_k)]"),
    },
)
