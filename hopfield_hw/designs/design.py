"""Worked designs: a folder with a design.toml says which network, how it is run, and what its answer must be."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..annealing import AnnealingCircuit
from ..cells import CELLS
from ..graph import Graph, Input, Leak, Output, as_graph
from ..networks.network import Network
from ..problems import Answer, Expected, Oscillation, Recall, Settled, Visited, read_patterns
from ..values.arrays import freeze, positive
from ..values.brief import brief, shorten
from ..values.documents import check_document, prefix
from ..values.errors import InputError
from ..values.measures import check_accuracy
from ..values.names import unknown
from ..values.signals import Signal, as_signal
from .networks import add_delays, design_file, design_network
from .shipped import FILE, shipped_designs, shipped_file

if TYPE_CHECKING:
    import xarray as xr

SCHEMA = Path(__file__).parent / "design.schema.json"
ACCURACY = 1e-4


class CellTolerance(NamedTuple):
    """How close a cell comes to the reference: the NRMSE allowed, why that much, and whether it needs `rescale`."""

    tolerance: float
    reason: str
    rescale: bool

    def __repr__(self) -> str:
        return brief(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """A network, how it is run, and what its answer must be.

    `delay`: of the feedback, as `add_delays` takes it; None where there is none. `t_stop`:
    seconds; None for the default, 20 max(R C). `accuracy`: NRMSE that the engines are asked for. `inputs`: volts; None
    where there are none. `expected`: None where nothing is. `cells`: by name, the cells that the design states a
    tolerance for. `board`: how its board is made, arguments of `design_board`; what is not there is as by default.
    `cases`: by name, the same network run in other ways, each a Design without cases. `folder`: where its files are.
    """

    name: str
    title: str
    citation: str
    description: str
    network: Network | Graph
    delay: Mapping[str, Any] | None
    t_stop: float | None
    accuracy: float
    inputs: Signal | None
    expected: Expected | None
    cells: Mapping[str, CellTolerance]
    cases: Mapping[str, Design]
    folder: Path
    board: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __repr__(self) -> str:
        return shorten(f"<Design {self.name}: {self.title}>", "...>")

    def graph(self) -> Graph:
        """Return the network's graph, its feedback delayed where the design says so."""
        graph = as_graph(self.network)
        return graph if self.delay is None else add_delays(graph, self.delay)


def check_answer(design: Design, wave: xr.Dataset) -> tuple[Answer, ...]:
    """Return what was expected of a design, what a waveform gives, and whether it is that; () for no expectation."""
    return () if design.expected is None else design.expected.check(wave)


def load_design(name_or_path: str | Path) -> Design:
    """Return a shipped design by its name; or that of a folder, of a design.toml, or of a network .json, by its path.

    A path has a separator or a suffix, or is not a shipped name. Raises InputError, which names the file and the key,
    for a name that is not there, for what is not TOML or JSON, for unknown keys, and for whatever Network refuses.
    """
    if not isinstance(name_or_path, str | Path):
        raise InputError(f"design {name_or_path!r:.60}: must be a name or a path; `shipped_designs` has the names")
    path = _locate(name_or_path)
    if path.suffix == ".json":
        return _from_network(path)
    with _about(path):
        content = check_document(_read(path), SCHEMA)
        name = path.resolve().parent.name
        design = _design(name, content, path.parent)
        cases: dict[str, Design] = {}
        for k, case in enumerate(content.get("cases", ())):
            with prefix(f"`cases[{k}]`"):
                if case["name"] in cases:
                    raise InputError(f"name {case['name']!r} is there twice: rename one")
                cases[case["name"]] = _case(name, content, case, path.parent)
        return replace(design, cases=MappingProxyType(cases))


def _locate(name_or_path: str | Path) -> Path:
    text = os.fspath(name_or_path)
    path = Path(text)
    is_name = isinstance(name_or_path, str) and path.name == text and not path.suffix
    if is_name and text in shipped_designs():
        return shipped_file(text)
    if os.path.isdir(path):
        path = path / FILE
    elif is_name:
        fix = f"; or give the path of a folder with a {FILE}, of a {FILE}, or of a network .json"
        raise InputError(unknown("design", text, shipped_designs()) + fix)
    if path.suffix not in (".toml", ".json"):
        raise InputError(f"{text!r:.200}: must be a folder with a {FILE}, a {FILE}, or a network .json")
    if not os.path.isfile(path):
        raise InputError(f"{str(path)!r:.200}: there is no such file; give the path of a {FILE} or of a network .json")
    if not path.resolve().parent.name.isprintable():
        raise InputError(f"{str(path)!r:.200}: the folder's name goes into netlists: must be printable; rename it")
    return path


def _from_network(path: Path) -> Design:
    if not path.stem.isprintable():
        raise InputError(f"{path.name!r:.200}: the file's name goes into netlists: must be printable; rename it")
    return Design(
        name=path.stem,
        title=path.stem,
        citation="",
        description="",
        network=Network.from_json(path),
        delay=None,
        t_stop=None,
        accuracy=ACCURACY,
        inputs=None,
        expected=None,
        cells=MappingProxyType({}),
        cases=MappingProxyType({}),
        folder=path.parent,
    )


def _design(name: str, content: Mapping[str, Any], folder: Path) -> Design:
    made = design_network(content["network"], folder)
    if isinstance(made, AnnealingCircuit):
        network: Network | Graph = made.graph
        inputs, t_stop = made.inputs, made.t_stop
    else:
        network, inputs, t_stop = made, None, None
    graph = as_graph(network)
    if "delay" in content:
        with prefix("`delay`"):
            graph = add_delays(graph, content["delay"])
    analysis = content.get("analysis", {})
    return Design(
        name=name,
        title=content["title"],
        citation=content["citation"],
        description=content.get("description", "").strip(),
        network=network,
        delay=MappingProxyType(content["delay"]) if "delay" in content else None,
        t_stop=_positive(analysis["t_stop"], "analysis.t_stop", "s") if "t_stop" in analysis else t_stop,
        accuracy=check_accuracy(analysis.get("accuracy", ACCURACY), "analysis.accuracy"),
        inputs=_inputs(analysis["inputs"], graph) if "inputs" in analysis else inputs,
        expected=_parse_expected(content["expected"], graph, folder) if "expected" in content else None,
        cells=MappingProxyType({cell: _tolerance(cell, table) for cell, table in content.get("cells", {}).items()}),
        cases=MappingProxyType({}),
        folder=folder,
        board=MappingProxyType(content.get("board", {})),
    )


def _case(name: str, content: Mapping[str, Any], case: Mapping[str, Any], folder: Path) -> Design:
    """Return the design of a case: its own inputs, t_stop, delay, arguments, start and expectation, and the rest."""
    network = content["network"]
    if "arguments" in case:
        if "problem" not in network and "family" not in network:
            raise InputError(
                "`arguments`: only a network by `problem` or `family` has them; leave them out, or give `initial`"
            )
        network = {**network, "arguments": {**network.get("arguments", {}), **case["arguments"]}}
    own = {key: case[key] for key in ("inputs", "t_stop") if key in case}
    merged = {
        **content,
        "network": network,
        "analysis": {**content.get("analysis", {}), **own},
        "expected": case["expected"],
    }
    if "delay" in case:
        merged["delay"] = case["delay"]
    design = _design(f"{name}_{case['name']}", merged, folder)
    if "initial" not in case:
        return design
    if not isinstance(design.network, Network):
        raise InputError("`initial`: a network by `family` has it among its `arguments`; give those")
    return replace(design, network=replace(design.network, initial=case["initial"]))


def _inputs(value: Any, graph: Graph) -> Signal:
    size = sum(source.output_size for source in graph.of_type(Input))
    if size == 0:
        raise InputError("`analysis.inputs`: the network has no `input_weights`; leave it out")
    signal = Signal(**value) if isinstance(value, dict) else value
    return as_signal(signal, "analysis.inputs", size)


def _parse_expected(table: Mapping[str, Any], graph: Graph, folder: Path) -> Expected:
    return EXPECTATIONS[table["kind"]](table, graph, folder)


def _outputs(graph: Graph) -> int:
    return sum(output.output_size for output in graph.of_type(Output))


def _parse_settled(table: Mapping[str, Any], graph: Graph, folder: Path) -> Settled:
    outputs = freeze(table["outputs"], "expected.outputs", shape=(_outputs(graph),), unit="V")
    return Settled(tuple(outputs.tolist()), _positive(table["tolerance"], "expected.tolerance", "V"))


def _codes(table: Mapping[str, Any], graph: Graph, folder: Path) -> Visited:
    pieces = freeze(table["pieces"], "expected.pieces", unit="s")
    if len(pieces) != len(table["visited"]) or not len(pieces):
        found = f"{len(pieces)} pieces and {len(table['visited'])} rows of visited codes"
        raise InputError(f"`expected` has {found}: must have as many of each, at least one")
    if not bool((pieces[:, 0] < pieces[:, 1]).all()):
        raise InputError("`expected.pieces`: each must start before it stops")
    return Visited(
        pieces=tuple((start, stop) for start, stop in pieces.tolist()),
        codes=tuple(tuple(codes) for codes in table["visited"]),
        dwell=_positive(table["dwell"], "expected.dwell", "s"),
    )


def _recall(table: Mapping[str, Any], graph: Graph, folder: Path) -> Recall:
    patterns = read_patterns(design_file(table["patterns"], "expected.patterns", folder))
    pixels = patterns.values.shape[1]
    if pixels != _outputs(graph):
        raise InputError(f"`expected.patterns` has {pixels} pixels: must have {_outputs(graph)}, one a neuron")
    right, wrong = table["pattern"], table["nearest_wrong"]
    if patterns.index(right) == patterns.index(wrong):
        raise InputError(f"`expected.nearest_wrong` = {wrong!r}: must be another pattern than `pattern`")
    return Recall(patterns, right, wrong)


def _oscillation(table: Mapping[str, Any], graph: Graph, folder: Path) -> Oscillation:
    labels = graph.labels_of(Leak)
    if table["neuron"] not in labels:
        raise InputError(unknown("`expected.neuron`", table["neuron"], labels))
    return Oscillation(
        neuron=table["neuron"],
        period=_positive(table["period"], "expected.period", "s"),
        swing=_positive(table["swing"], "expected.swing", "V"),
        tolerance=_positive(table["tolerance"], "expected.tolerance", "(relative)"),
    )


EXPECTATIONS: Mapping[str, Callable[[Mapping[str, Any], Graph, Path], Expected]] = MappingProxyType(
    {"settled": _parse_settled, "codes": _codes, "recall": _recall, "oscillation": _oscillation}
)


def _tolerance(cell: str, table: Mapping[str, Any]) -> CellTolerance:
    if cell not in CELLS:
        raise InputError(unknown("`cells`: cell", cell, CELLS))
    tolerance = check_accuracy(table["tolerance"], f"cells.{cell}.tolerance")
    return CellTolerance(tolerance, table["reason"], table.get("rescale", False))


def _positive(value: Any, name: str, unit: str) -> float:
    return float(positive(value, name, shape=(), unit=unit))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise InputError(f"is not TOML ({error})") from None


@contextmanager
def _about(path: Path) -> Iterator[None]:
    with prefix(f"{path.resolve().parent.name}/{path.name}"):
        yield
