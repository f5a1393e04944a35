"""A circuit's waveforms, from whichever simulator is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from .circuit import Circuit, Ensemble
from .graph import Affine, Graph, HasGraph, as_graph
from .lowering import lower
from .spice import transient
from .values.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from .cells import Cell

Engine = Literal["ngspice", "ensemble"]
# From so many weights of an Affine on, our own engine takes them as one device.
DENSE = 10_000
BLOCKWISE = ("store", "executor")


def simulate(
    circuit: Circuit | Graph | HasGraph | Ensemble | Sequence[Circuit],
    *,
    engine: Engine = "ngspice",
    cell: str | Cell | None = None,
    **how: Any,
) -> xr.Dataset:
    """Return state and output of a circuit over (time, neuron), volts.

    A network (a Graph, or anything with a method `graph`) is lowered before, in the cell `ideal` or in `cell`.
    `engine`: "ngspice", see `hopfield_hw.spice.transient.simulate`, or "ensemble", our own, which runs a list of
    circuits of one topology at once, over (sample, time, neuron), see `hopfield_hw.ensemble.transient.simulate`; with
    `store` or `executor` in blocks, on many machines and into a folder, see `hopfield_hw.ensemble.blocks`. `how`:
    `t_stop`, seconds, 20 max(R C) by default; `inputs`: a Signal, a number, or (m,) constants, volts; `accuracy`:
    NRMSE, 1e-4 by default; `points`: uniform times, 2,001 by default; and what each engine has beside.

    Raises InputError for wrong arguments, Unrealisable for what an engine does not know, and a SimulatorError where it
    does not deliver.
    """
    if engine not in get_args(Engine):
        raise InputError(f"simulate: `engine` = {engine!r:.40}: must be {' or '.join(get_args(Engine))}")
    if engine == "ngspice":
        if isinstance(circuit, Ensemble | Sequence):
            raise InputError("simulate: ngspice runs one circuit at a time; take engine='ensemble' for a list of them")
        for name in BLOCKWISE:
            if how.pop(name, None) is not None:
                raise InputError(f"simulate: `{name}`: is for many samples at once; take engine='ensemble' with a list")
        return transient.simulate(circuit, cell=cell, **how)
    from .ensemble.blocks import simulate_in_blocks
    from .ensemble.transient import simulate as simulate_ensemble

    if isinstance(circuit, Circuit | Ensemble | Sequence):
        if cell is not None:
            raise InputError("`cell`: the circuit is lowered already; leave it out, or give the network")
    else:
        if not isinstance(circuit, Graph) and not hasattr(circuit, "graph"):
            Ensemble.as_samples(circuit, "simulate")  # says what it must be
        graph = as_graph(circuit)
        dense = any(affine.weights.entries().values.size > DENSE for affine in graph.of_type(Affine))
        circuit = lower(graph, cell="ideal" if cell is None else cell, crossbars=dense)
    if any(how.get(name) is not None for name in BLOCKWISE):
        return simulate_in_blocks(circuit, **how)
    return simulate_ensemble(circuit, **how)
