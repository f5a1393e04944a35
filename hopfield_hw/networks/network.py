"""Network: the weights, capacitances, resistances and gain curves of a continuous Hopfield network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from ..functions import Gain, Tanh, function_from
from ..graph import Activate, Affine, Edge, Graph, Input, Leak, Operator, Output, Units
from ..values.arrays import Array, freeze, freeze_sparse, positive
from ..values.brief import shorten
from ..values.errors import InputError
from ..values.labels import match_labels
from ..values.names import check_labels
from .files import read_json, read_npz, write_json, write_npz

if TYPE_CHECKING:
    import networkx as nx

# What the axes of each field stand for, where tables have names along them; the unit of each.
AXES = {
    "weights": ("neurons", "neurons"),
    "resistance": ("neurons",),
    "capacitance": ("neurons",),
    "bias": ("neurons",),
    "initial": ("neurons",),
    "input_weights": ("neurons", "inputs"),
}
UNITS = {"weights": "S", "resistance": "Ohm", "capacitance": "F", "bias": "A", "initial": "V", "input_weights": "S"}
SCALES = ("volts_per_unit", "siemens_per_unit", "seconds_per_unit")


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A continuous network of n neurons (Hopfield, PNAS 81:3088, 1984, eq. 5).

    C_i dx_i/dt = -x_i / R_i + sum_j T_ij g_j(x_j) + sum_k B_ik u_k(t) + I_i

    `weights`: T, (n, n) dense or scipy.sparse, siemens; `weights[i, j]` drives i from j.
    `resistance`: R, (n,) or one for all, ohms, positive (infinite: no leak); the total at the summing node.
    `capacitance`: C, (n,) or one for all, farads, positive.
    `gain`: g, a Gain for all neurons, or one whose parameters are (n,).
    `bias`: I, (n,) or one for all, amperes. `initial`: x(0), (n,) or one for all, volts.
    `input_weights`: B, (n, m), siemens, from the m inputs u(t), volts; None where there is no input.
    `labels`: a name for each neuron; the indices where not given. `input_labels`: one for each input.
    `symmetric`: claim that T_ij = T_ji; refused where it is not so.
    `volts_per_unit`, `siemens_per_unit`, `seconds_per_unit`: what one unit is, for a network that is not in SI units.

    A quantity may be a text, "10k", "4.7nF", "2k2" or "20 uS" (m is milli, M or meg is mega), or a value of PySpice.
    Tables of pandas and xarray are matched by their names: rows and columns of `weights` may be in any order, and
    their names become the labels. Values that nobody can build with are warned of where the network is lowered.

    Raises InputError for wrong shapes, NaN or infinite values, C or R not positive, a broken claim of symmetry,
    labels that a netlist could not hold, names of tables that do not match, another unit, and an empty network.
    """

    weights: Any
    resistance: Any
    capacitance: Any
    gain: Gain = field(default_factory=Tanh)
    bias: Any = 0.0
    initial: Any = 0.0
    input_weights: Any = None
    labels: tuple[str, ...] | None = None
    symmetric: bool = False
    input_labels: tuple[str, ...] | None = None
    volts_per_unit: float = 1.0
    siemens_per_unit: float = 1.0
    seconds_per_unit: float = 1.0

    def __post_init__(self) -> None:
        fields: dict[str, Any] = {
            unit: float(positive(getattr(self, unit), f"Network.{unit}", shape=(), unit="")) for unit in SCALES
        }
        in_si = all(value == 1.0 for value in fields.values())
        units = UNITS if in_si else dict.fromkeys(UNITS, "")
        given, names = match_labels(
            {name: getattr(self, name) for name in AXES},
            AXES,
            {"neurons": self.labels, "inputs": self.input_labels},
            "Network",
        )
        weights = _square(given["weights"], units["weights"])
        n = int(weights.shape[0])
        if isinstance(self.gain, type):
            name = self.gain.__name__
            raise InputError(f"`Network.gain` is the class {name}: give an object of it, such as {name}()")
        if not isinstance(self.gain, Gain):
            raise InputError(f"`Network.gain` = {self.gain!r:.60}: must be a Gain such as Tanh(gain=50.0)")
        if self.gain.size not in (None, n):
            raise InputError(f"`Network.gain` has parameters for {self.gain.size} neurons: must have 1 or {n}")
        fields["weights"] = weights
        for name, allow_inf in (("resistance", True), ("capacitance", False)):
            options: dict[str, Any] = {"shape": (n,), "unit": units[name], "allow_inf": allow_inf}
            values = freeze(given[name], f"Network.{name}", **options)
            fields[name] = positive(values, f"Network.{name}", **options)
        for name in ("bias", "initial"):
            fields[name] = freeze(given[name], f"Network.{name}", shape=(n,), unit=units[name])
        if self.input_weights is not None:
            inputs = freeze(given["input_weights"], "Network.input_weights", unit=units["input_weights"])
            if inputs.ndim != 2 or inputs.shape[0] != n or inputs.shape[1] == 0:
                raise InputError(f"`Network.input_weights` has shape {inputs.shape}: must be ({n}, inputs)")
            fields["input_weights"] = inputs
            input_labels = names.get("inputs", self.input_labels)
            if input_labels is not None:
                fields["input_labels"] = check_labels(input_labels, "Network.input_labels", inputs.shape[1])
        elif self.input_labels is not None:
            raise InputError("`Network.input_labels`: has no meaning without `input_weights`; leave it out")
        labels = names.get("neurons", self.labels)
        if labels is not None:
            fields["labels"] = check_labels(labels, "Network.labels", n)
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        if self.symmetric and not self.is_symmetric:
            i, j = _first_asymmetry(weights)
            raise InputError(
                f"`Network.weights[{i}, {j}]` = {weights[i, j]} and `weights[{j}, {i}]` = {weights[j, i]}: "
                "symmetric=True is claimed; make them equal, or drop the claim"
            )

    @classmethod
    def dimensionless(
        cls,
        weights: Any,
        *,
        tau: Any = 1.0,
        gain: Gain | None = None,
        bias: Any = 0.0,
        initial: Any = 0.0,
        volts: float = 1.0,
        siemens: float = 1e-4,
        seconds: float = 1e-3,
        **others: Any,
    ) -> Network:
        """Return tau_i dx_i/dt = -x_i + sum_j W_ij g_j(x_j) + b_i, the entry without siemens.

        `weights`: W, (n, n), no unit. `tau`: (n,) or one, in units of `seconds`. `bias`: b and `initial`: x(0), in
        units of `volts`. In a circuit one unit of weight is `siemens`, one of time `seconds`, one of state `volts`:
        the defaults make neurons of 10 kOhm and 100 nF.
        """
        return cls(
            weights=weights,
            resistance=1.0,
            capacitance=tau,
            gain=Tanh() if gain is None else gain,
            bias=bias,
            initial=initial,
            volts_per_unit=volts,
            siemens_per_unit=siemens,
            seconds_per_unit=seconds,
            **others,
        )

    def __repr__(self) -> str:
        inputs = 0 if self.input_weights is None else self.input_weights.shape[1]
        return shorten(f"<Network: neurons {self.size}, inputs {inputs}, {self.gain!r}>", "...>")

    @property
    def size(self) -> int:
        """The number of neurons, n."""
        return int(self.weights.shape[0])

    @property
    def is_symmetric(self) -> bool:
        """Whether T_ij = T_ji to rounding (1e-12 of the largest weight)."""
        difference = abs(self.weights - self.weights.T)
        largest = float(abs(self.weights).max())
        return bool(difference.max() <= 1e-12 * largest)

    def graph(self) -> Graph:
        """Return the graph: x (Leak) -> v (Activate) -> syn (Affine) -> x, and u (Input) -> syn_u -> x."""
        n = self.size
        operators: list[Operator] = [
            Leak(
                name="x",
                capacitance=self.capacitance,
                resistance=self.resistance,
                initial=self.initial,
                labels=self.labels,
            ),
            Activate(name="v", size=n, function=self.gain),
            Affine(name="syn", weights=self.weights, bias=self.bias),
            Output(name="output", size=n),
        ]
        edges = [Edge("x", "v"), Edge("v", "syn"), Edge("syn", "x"), Edge("v", "output")]
        if self.input_weights is not None:
            operators.append(Input(name="u", size=self.input_weights.shape[1], labels=self.input_labels))
            operators.append(Affine(name="syn_u", weights=self.input_weights))
            edges += [Edge("u", "syn_u"), Edge("syn_u", "x")]
        units = Units(
            volts_per_unit=self.volts_per_unit,
            siemens_per_unit=self.siemens_per_unit,
            seconds_per_unit=self.seconds_per_unit,
        )
        return Graph(operators=tuple(operators), edges=tuple(edges), units=units)

    @classmethod
    def from_graph(cls, graph: nx.DiGraph, **others: Any) -> Network:
        """Return the network of a networkx graph whose edge j -> i carries `weight`, siemens.

        Nodes may carry `resistance`, `capacitance`, `bias` and `initial`; their names become the labels. An
        undirected graph is symmetric. `others` are arguments of Network (`gain`, or values common to all nodes).
        Raises InputError for an edge without a weight, and for an attribute that only some of the nodes carry.
        """
        import networkx as nx

        nodes = list(graph.nodes)
        for source, target, data in graph.edges(data=True):
            if not isinstance(data.get("weight"), int | float | np.number):
                found = f"{data.get('weight')!r:.40}"
                raise InputError(f"edge {source!r} -> {target!r}: `weight` is {found}: must be a number, siemens")
        if not nodes:
            raise InputError("`Network.weights` has shape (0, 0): must be (n, n) with at least one neuron")
        weights = sp.csr_array(nx.to_scipy_sparse_array(graph, nodelist=nodes, weight="weight", dtype=np.float64).T)
        fields: dict[str, Any] = dict(others)
        for name in ("resistance", "capacitance", "bias", "initial"):
            carried = nx.get_node_attributes(graph, name)
            if carried:
                missing = [node for node in nodes if node not in carried]
                if missing:
                    raise InputError(f"node {missing[0]!r}: has no `{name}`, which other nodes carry; give it one")
                fields[name] = [carried[node] for node in nodes]
        fields.setdefault("labels", tuple(str(node) for node in nodes))
        return cls(weights=weights, **fields)

    def to_networkx(self) -> nx.DiGraph:
        """Return a directed graph: nodes (labels) with resistance, capacitance, bias, initial; edges with weight.

        Values are in the network's own units; gain, inputs and units are not part of a networkx graph.
        """
        import networkx as nx

        graph = nx.DiGraph()
        names = self.labels if self.labels is not None else tuple(str(k) for k in range(self.size))
        for k, name in enumerate(names):
            values = {key: float(getattr(self, key)[k]) for key in ("resistance", "capacitance", "bias", "initial")}
            graph.add_node(name, **values)
        matrix = sp.coo_array(self.weights)
        for value, i, j in zip(matrix.data, *matrix.coords, strict=True):
            graph.add_edge(names[int(j)], names[int(i)], weight=float(value))
        return graph

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-able values; an infinite resistance is None, sparse weights are entries."""
        sparse = sp.issparse(self.weights)
        coo = sp.coo_array(self.weights)
        return {
            "size": self.size,
            "weights": None if sparse else self.weights.tolist(),
            "entries": [[int(i), int(j), float(w)] for i, j, w in zip(*coo.coords, coo.data, strict=True)]
            if sparse
            else None,
            "resistance": [None if np.isinf(value) else float(value) for value in self.resistance],
            "capacitance": self.capacitance.tolist(),
            "gain": {"kind": self.gain.kind, **self.gain.params()},
            "bias": self.bias.tolist(),
            "initial": self.initial.tolist(),
            "input_weights": None if self.input_weights is None else self.input_weights.tolist(),
            "labels": None if self.labels is None else list(self.labels),
            **({} if self.input_labels is None else {"input_labels": list(self.input_labels)}),
            "symmetric": self.symmetric,
            "volts_per_unit": self.volts_per_unit,
            "siemens_per_unit": self.siemens_per_unit,
            "seconds_per_unit": self.seconds_per_unit,
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Network:
        """Return the network of `to_dict`. Raises InputError as the constructor does."""
        fields = dict(fields)
        size = fields.pop("size")
        weights, given = fields.pop("weights"), fields.pop("entries")
        if (weights is None) == (given is None):
            raise InputError("network: must have either `weights` or `entries`, not both and not neither")
        if weights is not None and len(weights) != size:
            raise InputError(f"network: `size` is {size} and `weights` has {len(weights)} rows: must be the same")
        if given is not None:
            weights = _from_entries(given, size)
        gain = dict(fields.pop("gain"))
        curve = function_from(gain.pop("kind"), gain)
        resistance = [np.inf if value is None else value for value in fields.pop("resistance")]
        labels = fields.pop("labels")
        return cls(
            weights=weights,
            gain=curve,  # type: ignore[arg-type]  # the constructor refuses a Function that is not a Gain
            resistance=resistance,
            labels=None if labels is None else tuple(labels),
            **fields,  # input_labels too, where there are some
        )

    def to_json(self, path: Path | str) -> None:
        """Write the network as versioned JSON (schema: hopfield_hw/networks/network.schema.json).

        Raises InputError for a path that cannot be written.
        """
        write_json(Path(path), self.to_dict())

    @classmethod
    def from_json(cls, path: Path | str) -> Network:
        """Read a network; raises InputError for what is not JSON or does not meet the schema."""
        return cls.from_dict(read_json(Path(path)))

    def to_npz(self, path: Path | str) -> None:
        """Write the network as a NumPy archive, without pickles. Raises InputError as `to_json` does."""
        write_npz(Path(path), self.to_dict())

    @classmethod
    def from_npz(cls, path: Path | str) -> Network:
        """Read a network from a NumPy archive; an archive that holds pickles is refused."""
        return cls.from_dict(read_npz(Path(path)))


def _square(weights: Any, unit: str) -> Any:
    name = "Network.weights"
    matrix = freeze_sparse(weights, name) if sp.issparse(weights) else freeze(weights, name, unit=unit)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise InputError(f"`Network.weights` has shape {matrix.shape}: must be (n, n) with at least one neuron")
    return matrix


def _first_asymmetry(weights: Any) -> tuple[int, int]:
    difference = sp.coo_array(abs(weights - weights.T))
    k = int(np.argmax(difference.data))
    i, j = int(difference.coords[0][k]), int(difference.coords[1][k])
    return min(i, j), max(i, j)


def _from_entries(given: Iterable[tuple[int, int, float]], size: int) -> Any:
    rows, columns, values = (list(part) for part in zip(*given, strict=True)) if given else ([], [], [])
    outside = [index for index in [*rows, *columns] if not 0 <= index < size]
    if outside:
        raise InputError(f"network: `entries` name neuron {outside[0]}: must be from 0 to {size - 1}")
    pairs = list(zip(rows, columns, strict=True))
    if len(set(pairs)) != len(pairs):
        twice = next(pair for k, pair in enumerate(pairs) if pair in pairs[:k])
        raise InputError(f"network: `entries` give {list(twice)} twice: give each weight once")
    data: Array = np.asarray(values, dtype=np.float64)
    return sp.coo_array((data, (rows, columns)), shape=(size, size)).tocsr()
