"""What of the network a part realises, in words: its weight, its bias."""

from __future__ import annotations

from ..circuit import Circuit, Device, Role
from ..graph import Affine, Graph, Input, Leak

DIGITS = 4


class Weights:
    """The weights of a circuit's graph, in SI units, by Affine and element."""

    def __init__(self, circuit: Circuit) -> None:
        self._graph = circuit.graph
        self._values: dict[tuple[str, int, int], float] = {}
        if circuit.graph is not None:
            for affine in circuit.graph.of_type(Affine):
                values, rows, columns = affine.weights.entries()
                for value, i, j in zip(values.tolist(), rows.tolist(), columns.tolist(), strict=True):
                    self._values[affine.name, i, j] = value

    def text(self, device: Device) -> str:
        """Return `T[2, 5] = -4.55e-05 S`, `inputs[2, 0] = ...` or `bias[2] = 1e-05 A`; "" for any other device."""
        operator, role, element = device.origin
        graph = self._graph
        affine = None if graph is None else graph.by_name.get(operator)
        if graph is None or not isinstance(affine, Affine):
            return ""
        factor, unit = _unit(graph, affine)
        if role == Role.BIAS and element:
            amperes = float(affine.constant[element[0]]) * factor * (graph.units.volts_per_unit if unit else 1.0)
            return f"bias[{element[0]}] = {amperes:.{DIGITS}g}{' A' if unit else ''}"
        if role != Role.WEIGHT or len(element) != 2:
            return ""
        value = self._values.get((operator, *element))
        if value is None:
            return ""
        name = "inputs" if all(isinstance(driver, Input) for driver in graph.drivers(affine)) else "T"
        return f"{name}[{element[0]},{element[1]}] = {value * factor:.{DIGITS}g}{unit}"


def _unit(graph: Graph, affine: Affine) -> tuple[float, str]:
    """Return the factor that takes weights of an Affine to siemens, and the unit; none where it drives no Leak."""
    if all(isinstance(target, Leak) for target in graph.targets(affine)):
        return graph.units.siemens_per_unit, " S"
    return 1.0, ""
