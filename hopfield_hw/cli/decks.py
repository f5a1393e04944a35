"""Commands about one circuit: simulate and export."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..circuit import Circuit
from ..designs import Design
from ..designs.export import design_circuit, export_deck
from ..spice.export import Options
from ..spice.transient import AccuracyWarning
from ..spice.transient import simulate as run_ngspice
from ..values.si_text import format_si
from .inputs import accuracy_given, check_timeout, load
from .options import (
    PICTURES,
    Accuracy,
    Case,
    CellName,
    DesignName,
    Json,
    OpAmpName,
    OutputFile,
    PlotFile,
    Rescale,
    Timeout,
)
from .reporting import check_output, emit_result, say, say_table, warn, working, written

if TYPE_CHECKING:
    import xarray as xr

WAVES = ".nc"


def simulate(
    design: DesignName,
    cell: CellName = "ideal",
    case: Case = None,
    output: OutputFile = None,
    plot: PlotFile = None,
    accuracy: Accuracy = None,
    op_amp: OpAmpName = None,
    rescale: Rescale = False,
    timeout: Timeout = None,
    as_json: Json = False,
) -> int:
    """Simulate a design in ngspice.

    -o FILE.nc writes the waveforms (netCDF), --plot FILE.png plots them.
    """
    goal, limit = accuracy_given(accuracy), check_timeout(timeout)
    for path, suffixes in ((output, (WAVES,)), (plot, PICTURES)):
        if path is not None:
            check_output(path, *suffixes)
    chosen = load(design, case)
    circuit = design_circuit(chosen, cell, op_amp=op_amp, rescale=rescale)
    wave, warned = _simulate(chosen, circuit, chosen.accuracy if goal is None else goal, limit)
    if output is not None:
        with written(output) as part:
            wave.to_netcdf(part, engine="scipy")
    if plot is not None:
        from ..pictures.plots import plot_waves

        with written(plot) as part:
            plot_waves(wave, part)
    for message in warned:
        warn(message)
    files = {"output": output, "plot": plot}
    if as_json:
        content = _to_json(chosen, circuit, wave, files)
        emit_result({**content, "status": "failed" if warned else "done", "warnings": warned})
    else:
        say_table(_rows(circuit, wave, files), title=chosen.title)
    return 1 if warned else 0


def export(
    design: DesignName,
    dialect: Annotated[str, typer.Option("--to", metavar="DIALECT", help="The dialect: ngspice, ltspice or xyce.")],
    cell: CellName = "ideal",
    case: Case = None,
    output: OutputFile = None,
    op_amp: OpAmpName = None,
    rescale: Rescale = False,
    everyday: Annotated[
        bool, typer.Option("--everyday", help="Steps and tolerances of common use; by default those of a verification.")
    ] = False,
) -> int:
    """Write the complete netlist of a design.

    A simulator runs it unchanged; ngspice by `ngspice -b -r waves.raw FILE`.
    """
    if output is not None:
        check_output(output)
    options: Options = "everyday" if everyday else "tight"
    deck = export_deck(load(design, case), dialect, cell, op_amp=op_amp, rescale=rescale, options=options)
    if output is None:
        say(deck)
        return 0
    with written(output) as part:
        part.write_text(deck, encoding="utf-8", newline="\n")
    return 0


def _simulate(design: Design, circuit: Circuit, accuracy: float, timeout: float) -> tuple[xr.Dataset, list[str]]:
    """Return the waveforms, and the warnings of the engine."""
    with warnings.catch_warnings(record=True) as caught, working(f"{design.name}, cell {circuit.cell} in ngspice"):
        warnings.simplefilter("always", AccuracyWarning)
        wave = run_ngspice(circuit, t_stop=design.t_stop, inputs=design.inputs, accuracy=accuracy, timeout=timeout)
    return wave, [str(item.message) for item in caught]


def _to_json(design: Design, circuit: Circuit, wave: xr.Dataset, files: dict[str, Path | None]) -> dict[str, object]:
    return {
        "design": design.name,
        "cell": circuit.cell,
        "neurons": len(circuit.states),
        "devices": len(circuit.devices),
        "engine": wave.attrs["machine"],
        "version": wave.attrs["version"],
        "accuracy": wave.attrs["accuracy"],
        "self_check": wave.attrs["self_check"],
        **{name: None if path is None else str(path) for name, path in files.items()},
    }


def _rows(circuit: Circuit, wave: xr.Dataset, files: dict[str, Path | None]) -> list[tuple[str, str]]:
    end, attrs = wave["output"][-1], wave.attrs
    labels = end[end.dims[0]].to_numpy()
    outputs = ", ".join(f"{label}: {format_si(float(v), 'V')}" for label, v in zip(labels, end.to_numpy(), strict=True))
    rows = [
        ("circuit", f"cell {circuit.cell}, neurons {len(circuit.states)}, devices {len(circuit.devices)}"),
        ("time", f"{format_si(float(wave['time'][-1]), 's')}, {wave.sizes['time']} points"),
        ("outputs at the end", outputs),
        ("self-check", f"{attrs['self_check']:.1e} (requested accuracy {attrs['accuracy']:.0e})"),
        ("engine", f"{attrs['machine']} {attrs['version']}"),
    ]
    return rows + [(name, str(path)) for name, path in files.items() if path is not None]
