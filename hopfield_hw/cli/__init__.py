"""The command line.

Exit status: 0 done and passed, 1 ran and did not pass, 2 bad input, 3 simulator failure.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from ..values.errors import HopfieldHWError
from ..values.tables import LazyTable
from .reporting import PROGRAM, ClosedPipeError, report_error, say, warn

__all__ = ["COMMANDS", "main", "run"]

# The module of a command is imported when the command is called; its help begins with this line.
COMMANDS: LazyTable[Callable[..., int]] = LazyTable(
    __package__,
    {
        "doctor": (".doctor:doctor", "Show what is installed, and how to get what is missing."),
        "list": (".listing:show_list", "List designs, problems, families, cells, dialects, engines and solvers."),
        "demo": (".demo:demo", "Design a real board of a memory, and verify it."),
        "verify": (".verify:verify", "Compile a design, simulate it, and compare it with its equations."),
        "simulate": (".decks:simulate", "Simulate a design in ngspice."),
        "export": (".decks:export", "Write the complete netlist of a design."),
        "analyze": (".analyze:analyze", "Find energy, equilibria and certificates of stability of a design."),
        "solve": (
            ".solve:solve",
            "Solve a benchmark problem by the dynamics of a network, and judge the answer by the file.",
        ),
        "parts": (".parts:parts", "Show op-amps with data sheets, and measure their models on test benches."),
        "board": (".board:board", "Design a board of a network: its scaling, its parts, and its checks."),
        "report": (".report:report", "Write a design's board as one HTML file, which can run its circuit again."),
        "bringup": (
            ".bringup:bringup",
            "Say what a new board should measure, compare it with a measurement, and name the part at fault.",
        ),
        "montecarlo": (
            ".montecarlo:montecarlo",
            "Draw the parts of a design's board many times, and count the boards that do its task.",
        ),
        "faults": (".faults:faults", "Find what a fault of each part of a design's board does to its task."),
        "extract": (".extract:extract", "Read a deck or a measurement back into the network that it implements."),
        "trace": (".tracing:trace", "Find the weight of a netlist line, or the lines of a weight."),
        "rtl": (".digital:rtl", "Write the recurrent cells of a model as Verilog."),
        "fixed": (".digital:fixed", "Report fixed-point accuracy of the recurrent cells of a model."),
    },
)
# The base class of all that typer says about a command line; it has lain in several modules.
USAGE: type[Exception] = typer.BadParameter.__bases__[0]
INTERRUPTED = 130
CLOSED_PIPE = 141
PLAIN: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}


def main() -> NoReturn:
    """Run the command line of this process, and end it with the exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status. What is not an error of ours is raised on."""
    as_json = "--json" in arguments
    command = typer.main.get_command(_app())
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        return _run(command, arguments, as_json)


def _run(command: Any, arguments: Sequence[str], as_json: bool) -> int:
    try:
        return int(command.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False) or 0)
    except USAGE as error:
        told: Any = error
        message = f"{told.format_message().rstrip('.')}; see `{PROGRAM} --help`"
        report_error(error, as_json=as_json, message=message, kind="UsageError")
        return int(told.exit_code)
    except HopfieldHWError as error:
        report_error(error, as_json=as_json)
        return error.exit_status
    except ClosedPipeError:
        return CLOSED_PIPE
    except (KeyboardInterrupt, typer.Abort) as error:
        report_error(error, as_json=as_json, message="interrupted", kind="Interrupted")
        return INTERRUPTED


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning in one line on stderr, without the line of code that it comes from."""
    warn(str(message))


class _Commands(TyperGroup):
    """The group of all COMMANDS, which imports only the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        app = typer.Typer(**PLAIN)
        app.command(cmd_name)(COMMANDS[cmd_name])
        return typer.main.get_command(app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write name and first line of each command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.summaries.items()))


def _app() -> typer.Typer:
    names = {"help_option_names": ["-h", "--help"]}
    return typer.Typer(name=PROGRAM, cls=_Commands, callback=_common, context_settings=names, **PLAIN)


def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda asked: _print_version(asked),
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Recurrent neural networks as op-amp circuits: simulated in ngspice, verified against their equations."""


def _print_version(asked: bool) -> None:
    if asked:
        from ..version import __version__

        say(f"{PROGRAM} {__version__}")
        raise typer.Exit
