"""The command demo: a board designed and verified, or a planted fault found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..designs import load_design
from ..designs.boards import board_of
from ..designs.export import design_circuit
from ..processes import TIMEOUT
from ..spice.ngspice import find
from ..values.errors import SimulatorMissing
from ..verification.faults import FORMS, Fault, Planted, parse_fault, plant
from .board import Done, draw_board, show_board, verify_design
from .checks import Checked, Job, Unverified, check, show
from .options import Json
from .reporting import check_folder, emit_result, report_error, say_table, working

MEMORY = "digit_memory"
BOARD = "letter_memory"
FOLDER = Path("build/demo")


def demo(
    broken: Annotated[
        str | None, typer.Option("--break", metavar="FAULT", help=f"Plant a fault in the digit memory: {FORMS}.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the pictures.")] = FOLDER,
    as_json: Json = False,
) -> int:
    """Design a real board of a memory, and verify it.

    A memory of letters is made of op-amps of type TL074 and parts of the series E24, checked, simulated in ngspice with
    all that those op-amps are, compared with its own equation, and drawn. With --break, a fault is planted in the
    netlist of a larger memory, detected, and located.
    """
    if broken is not None:
        return _demo_fault(parse_fault(broken), output, as_json)
    design = load_design(BOARD)
    check_folder(output)
    try:
        find()
    except SimulatorMissing:
        # Its equation is solved all the same.
        report = _run(Job(design, cell="inverting_integrator"), output / f"{BOARD}.png", as_json)
        return _conclude([report], as_json)
    with working(f"{design.name}: the board is designed, and run with op-amps without limits"):
        made = board_of(design)
    done, picture = verify_design(Done(design, made), TIMEOUT), output / f"{BOARD}.png"
    assert done.result is not None
    draw_board(design, done.result, picture)
    if as_json:
        emit_result({**done.to_json(), "picture": str(picture)})
    else:
        show_board(done)
        say_table([("picture", str(picture))])
    return 0 if done.passed else 1


def _demo_fault(fault: Fault, output: Path, as_json: bool) -> int:
    """Plant a fault in the netlist of the digit memory, verify it, and print whether the fault was located."""
    design = load_design(MEMORY)
    circuit = design_circuit(design)
    planted = plant(circuit.driven(design.inputs), fault)
    check_folder(output)
    suffix = "_".join(str(fault).replace(",", ":").split(":"))
    report = _run(Job(design, deck=planted.text), output / f"{design.name}_{suffix}.png", as_json)
    named = _find_named(report)
    verdict = _verdict(planted, report, named)
    if not as_json:
        where = f"{fault}, in {' and '.join(planted.devices)}"
        say_table([("planted fault", where), ("suspects", ", ".join(named) or "none"), ("verdict", verdict)])
    return _conclude([report], as_json, planted=planted.devices, named=named, verdict=verdict)


def _run(job: Job, picture: Path, as_json: bool) -> Checked | Unverified:
    report = check(job)
    if not as_json:
        show(report)
    if isinstance(report, Checked):
        report.draw(picture)
        if not as_json:
            say_table([("picture", str(picture)), ("", "")])
    return report


def _find_named(report: Checked | Unverified) -> tuple[str, ...]:
    suspects = report.result.suspects if isinstance(report, Checked) else ()
    return tuple(dict.fromkeys(device for suspect in suspects for device in suspect.devices))


def _verdict(planted: Planted, report: Checked | Unverified, named: tuple[str, ...]) -> str:
    if isinstance(report, Unverified):
        return "the circuit was not simulated, so the fault could not be detected"
    if report.passed:
        return "the fault was not detected"
    found = [device for device in planted.devices if device in named]
    return f"the fault was detected and located: {' and '.join(found)}" if found else "the fault was detected only"


def _conclude(reports: list[Checked | Unverified], as_json: bool, **more: Any) -> int:
    """Report what all have in common, and return the exit status."""
    missing = [report for report in reports if isinstance(report, Unverified)]
    if missing:
        error = missing[0].error
        message = f"{error}; not verified: {'; '.join(report.missing for report in missing)}"
        report_error(error, as_json=as_json, message=message, **more)
        return error.exit_status
    done = [report for report in reports if isinstance(report, Checked)]
    if as_json:
        worst = max(done, key=lambda report: report.result.nrmse / report.result.tolerance)
        emit_result({**worst.to_json(), **more})
    return 0 if all(report.passed for report in done) else 1
