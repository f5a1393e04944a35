"""The command line.

Exit status: 0 done and passed, 1 ran and did not pass, 2 bad input, 3 simulator failure.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, NoReturn

import typer

from ..values.errors import HopfieldHWError
from .about import doctor, show_list
from .decks import export, simulate
from .demo import demo
from .digital import fixed, rtl
from .doctor import DISTRIBUTION, package
from .reporting import PROGRAM, ClosedPipeError, report_error, say, warn
from .tracing import trace
from .verify import verify

__all__ = ["COMMANDS", "main", "run"]

COMMANDS: Mapping[str, Callable[..., int]] = MappingProxyType(
    {
        "doctor": doctor,
        "list": show_list,
        "demo": demo,
        "verify": verify,
        "simulate": simulate,
        "export": export,
        "trace": trace,
        "rtl": rtl,
        "fixed": fixed,
    }
)
# The base class of all that typer says about a command line; it has lain in several modules.
USAGE: type[Exception] = typer.BadParameter.__bases__[0]
INTERRUPTED = 130
CLOSED_PIPE = 141


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
        message = f"{told.format_message().rstrip('.')}; `{PROGRAM} --help` shows what there is"
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
    """Say a warning in one line on stderr, without the line of code that it comes from."""
    warn(str(message))


def _app() -> typer.Typer:
    app = typer.Typer(
        name=PROGRAM,
        callback=_common,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, command in COMMANDS.items():
        app.command(name)(command)
    return app


def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=lambda asked: _say_version(asked), is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Hopfield networks as op-amp circuits: simulated in ngspice, held against their differential equations."""


def _say_version(asked: bool) -> None:
    if asked:
        say(f"{PROGRAM} {package(DISTRIBUTION).version or '(not installed)'}")
        raise typer.Exit
