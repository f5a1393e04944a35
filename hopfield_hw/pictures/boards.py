"""The page of a board: its waveforms, its checks against their limits, one neuron with its parts, and the verdict."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..board.checks import Check
from ..board.design import Board
from ..board.judgement import BoardVerification
from ..values.arrays import Array
from ..values.errors import InputError
from ..values.measures import ranges
from ..values.si_text import format_si
from .plots import (
    DASHES,
    GOOD,
    HEADING,
    SPICE,
    STYLE,
    TABLE_WIDTH,
    Page,
    Picture,
    axis_unit,
    evenly_spread,
    line_colours,
    plot_images,
    scale_residual,
    short_label,
    wave_labels,
    write_table,
)
from .schematic import FAULT, draw_neuron

GREY = "#777777"
PAGE = (11.69, 10.8)  # inches
CUT = 1.25  # bars end here; what is beyond its limit by more is not to scale
NAME_LENGTH = 28


def plot_board(result: BoardVerification, *, picture: Picture | None = None) -> Figure:
    """Return the picture of a board's verification, one page.

    The states in ngspice under those of the board's own equation, and the ideal network's; what both are off by; each
    check as a part of its limit; one neuron with its parts and values; and the report. `picture`: a memory's outputs
    are shown as images. Raises InputError for a picture of another size than the outputs.
    """
    board = result.board
    with style.context(["default", dict(STYLE)]):
        figure = Page(figsize=PAGE)
        figure.text(0.015, 0.963, textwrap.shorten(board.title, 90, placeholder="..."), size=12, weight="bold")
        figure.text(0.015, 0.936, _verdict(result), size=9, color=GOOD if result.passed else FAULT)
        top = 0.87 if picture is None else 0.645
        if picture is not None:
            plot_images(figure, _from_start(result), picture)
        waves = figure.add_axes((0.06, 0.505, 0.42, top - 0.505))
        residual = figure.add_axes((0.06, 0.345, 0.42, 0.125), sharex=waves)
        _plot_waves(waves, residual, result)
        _plot_checks(figure.add_axes((0.67, 0.655, 0.315, 0.235)), board)
        write_table(figure.add_axes((0.55, 0.335, 0.445, 0.255)), [*board_lines(board), *result.rows()[1:]])
        _draw_schematic(figure.add_axes((0.01, 0.005, 0.98, 0.27)), result)
    return figure


def board_lines(board: Board) -> list[tuple[str, str]]:
    """Return the rows of a board without its checks."""
    return [(what, value) for what, value in board.rows() if what != "check"]


def _from_start(result: BoardVerification) -> BoardVerification:
    """Return a result whose outputs begin at what the states' start gives: op-amps begin at 0 V and are there soon."""
    outputs = result.wave["output"].to_numpy().copy()
    outputs[0] = result.ideal["output"].to_numpy()[0]
    return replace(result, wave=result.wave.assign(output=result.wave["output"].copy(data=outputs)))


def _verdict(result: BoardVerification) -> str:
    if result.reasons:
        return f"{result.verdict}: {textwrap.shorten(result.reasons[0], HEADING, placeholder=' ...')}"
    error = max(result.nrmse, result.output_nrmse)
    return (
        f"{result.verdict}: ngspice against the board's own equation NRMSE {error:.1e} "
        f"(tolerance {result.tolerance:.0e}), ends as the network: {result.decided}, checks: all passed"
    )


def _plot_waves(waves: Axes, residual: Axes, result: BoardVerification) -> None:
    """Draw the states of the three, and below them what ngspice is off the other two by."""
    factor, unit = axis_unit(result.wave)
    time = result.wave["time"].to_numpy() * factor
    found, own, ideal = (data["state"].to_numpy() for data in (result.wave, result.equation, result.ideal))
    worst = _worst(result)
    chosen, labels = evenly_spread(found.shape[1], worst), wave_labels(result.wave, "state")
    apart = np.abs(found - own) / ranges(own)
    off = np.max(np.abs(found - ideal) / ranges(ideal), axis=1)
    for k, colour in zip(chosen, line_colours(len(chosen)), strict=True):
        look = FAULT if k == worst else colour
        waves.plot(time, found[:, k], color=look, lw=2.6, label=labels[k])
        residual.semilogy(time, np.where(apart[:, k] > 0.0, apart[:, k], np.nan), color=look, lw=0.8)
    (dotted,) = waves.plot(time, ideal[:, worst], color=GREY, lw=1.2, ls=":")
    waves.plot(time, ideal[:, [k for k in chosen if k != worst]], color=GREY, lw=1.0, ls=":")
    waves.plot(time, own[:, chosen], color="black", lw=0.9, ls=DASHES)
    waves.legend(loc="upper left", bbox_to_anchor=(0.99, 1.03), title="neuron", handlelength=1.0)
    waves.set(ylabel="state (V)", xlim=(time[0], time[-1]))
    waves.set_title(
        "states: ngspice in colour, the board's own equation in black dashes\n"
        f"grey dots: the ideal network; orange: neuron {short_label(labels[worst])}, the worst"
    )
    waves.tick_params(labelbottom=False)
    dotted.set_zorder(1.5)
    residual.semilogy(time, np.where(off > 0.0, off, np.nan), color=GREY, lw=1.0, ls=":")
    scale_residual(residual, float(max(np.max(apart[1:]), np.max(off[1:]))), result.tolerance)
    residual.set(xlabel=f"time ({unit})", ylabel="deviation / range")
    residual.set_title("in colour: |ngspice - own equation|; grey dots: |ngspice - ideal network|, the largest")


def _worst(result: BoardVerification) -> int:
    found, own = (data["state"].to_numpy()[1:] for data in (result.wave, result.equation))
    errors: Array = np.sqrt(np.mean((found - own) ** 2, axis=0)) / ranges(own)
    return int(np.argmax(errors))


def _plot_checks(axes: Axes, board: Board) -> None:
    """Draw what each check uses of its limit; a bar beyond 1 has failed."""
    half = 0.5 * (board.model.supply_plus - board.model.supply_minus)
    used = [check_share(check, half) for check in board.checks]
    places = np.arange(len(used))[::-1]
    for y, part, check in zip(places, used, board.checks, strict=True):
        axes.barh(y, min(max(part, 0.0), CUT), 0.62, color=SPICE if check.passed else FAULT)
        axes.text(-0.02, y + 0.02, _name(check), transform=axes.get_yaxis_transform(), ha="right", va="center")
        inside = part > 0.55
        axes.text(
            min(max(part, 0.0), CUT) + (-0.012 if inside else 0.012),
            y,
            _said(check),
            ha="right" if inside else "left",
            va="center",
            color="white" if inside else "black",
            size=6.5,
        )
    axes.axvline(1.0, color="black", lw=0.9, ls="-.")
    axes.set(xlim=(0.0, CUT), ylim=(-0.6, len(used) - 0.4), yticks=[], xlabel="part of the limit that is used")
    failed = sum(not check.passed for check in board.checks)
    said = "all passed" if not failed else f"{failed} of {len(board.checks)} failed, in orange"
    axes.set_title(f"checks: {said}", x=-0.32)


def check_share(check: Check, half_supply: float) -> float:
    """Return the part of its limit that a check uses, below 1 where it holds; of volts beyond, in half supplies."""
    if check.limit == 0.0:
        return 1.0 + check.found / half_supply
    return check.found / check.limit if check.sense == "at most" else check.limit / max(check.found, 1e-12)


def _name(check: Check) -> str:
    return textwrap.shorten(check.name, NAME_LENGTH, placeholder="...")


def _said(check: Check) -> str:
    found, limit = (format_si(x, check.unit) if check.unit else f"{x:.3g}" for x in (check.found, check.limit))
    if check.limit == 0.0:
        room = format_si(abs(check.found), check.unit)
        return f"{room} of room" if check.passed else f"{room} beyond"
    return f"{found}, {check.sense} {limit}"


def _draw_schematic(axes: Axes, result: BoardVerification) -> None:
    board = result.board
    label = wave_labels(result.wave, "state")[_worst(result)]
    axes.set_title(f"neuron {label} with its parts: integrator, {board.amplifier.name.replace('_', ' ')}, inverter")
    try:
        draw_neuron(axes, board.circuit, board.scaled.graph(), label)
    except InputError as error:
        axes.text(0.0, 0.5, textwrap.fill(str(error), TABLE_WIDTH), transform=axes.transAxes, va="center")
        axes.axis("off")
