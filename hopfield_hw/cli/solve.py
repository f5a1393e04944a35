"""The command solve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..formats.instances import INSTANCES, find_kind
from ..optimisation import Effort
from ..optimisation import solve as find_answer
from ..values.report import plain
from .options import PICTURES, Json, OutputFile, PlotFile
from .reporting import check_output, emit_result, say_table, working, written

KIND_HELP = f"What the file holds: {', '.join(INSTANCES)}; by default as its suffix says."


def solve(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A benchmark file; see --kind.")],
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help=KIND_HELP)] = None,
    reads: Annotated[int, typer.Option("--reads", metavar="N", help="Runs, each from a start of its own.")] = 256,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="All runs follow from it.")] = 0,
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="P", help="The dynamics; by default that for this kind.")
    ] = None,
    reanneal: Annotated[
        int, typer.Option("--reanneal", metavar="N", help="Anneals in each run, of which the best state counts.")
    ] = 1,
    threads: Annotated[int, typer.Option("--threads", metavar="N", help="Threads of the processor.")] = 1,
    colours: Annotated[
        int | None,
        typer.Option("--colours", metavar="K", help="Of a graph to be coloured; by default the fewest found."),
    ] = None,
    output: OutputFile = None,
    plot: PlotFile = None,
    as_json: Json = False,
) -> int:
    """Solve a benchmark problem by the dynamics of a network, and judge the answer by the file.

    Max-cut, QUBO, graph colouring, satisfiability, travelling salesman, linear and quadratic programs. -o FILE.json
    writes the answer. Exit status 1 says that no valid answer was found.
    """
    for path, suffixes in ((output, (".json",)), (plot, PICTURES)):
        if path is not None:
            check_output(path, *suffixes)
    options: dict[str, Any] = {} if colours is None else {"colours": colours}
    effort = Effort(reads=reads, seed=seed, preset=preset, reanneal=reanneal, threads=threads)
    with working(f"solving {file.name}"):
        found = find_answer(file, effort, kind=find_kind(file, kind), **options)
    if output is not None:
        import json

        with written(output) as part:
            part.write_text(json.dumps(plain(found.figures()), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if plot is not None:
        from ..pictures.solutions import plot_solution

        with written(plot) as part:
            plot_solution(found, part)
    if as_json:
        emit_result({**found.to_json(), "status": "done" if found.valid else "failed", "seconds": found.processor_time})
    else:
        files = [(what, str(path)) for what, path in (("answer in", output), ("picture in", plot)) if path is not None]
        say_table([*found.rows(), *files], title=f"{found.name}: {found.kind}")
    return 0 if found.valid else 1
