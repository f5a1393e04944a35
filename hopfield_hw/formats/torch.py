"""Weights with the names and the order of gates of PyTorch's LSTM, GRU and RNN."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..functions import Clip, Function, Tanh
from ..recurrent.cells import GRU, LSTM, RNN, RecurrentCell
from ..recurrent.layers import Layer, Stack
from ..values.arrays import Array
from ..values.errors import InputError, MissingExtra

# The names of a module of layers, and those of one cell (nn.LSTMCell, GRUCell and RNNCell), which have no layer.
NAME = re.compile(r"(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)(?:_l(\d{1,3})(_reverse)?)?")
# Rows of PyTorch's weights, in H, by kind; and its gates in the order of ours: i f g o -> i o f c, r z n -> z r h.
ORDER: Mapping[str, tuple[int, ...]] = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
KINDS: Mapping[int, str] = {4: "LSTM", 3: "GRU", 1: "RNN"}


def from_torch(
    weights: Mapping[str, Any] | Path | str, *, prefix: str = "", nonlinearity: Literal["tanh", "relu"] = "tanh"
) -> Stack:
    """Return the layers of a PyTorch `state_dict`: a mapping of arrays, or the path of an .npz or .safetensors file.

    The names are those of nn.LSTM, GRU and RNN ("weight_ih_l0", "bias_hh_l1_reverse"), or of one nn.LSTMCell, GRUCell
    or RNNCell ("weight_ih").
    `prefix`: what stands before the names of the recurrent module, such as "lstm."; other names are left alone.
    `nonlinearity`: of an RNN, which its weights do not tell.

    Raises MissingExtra for .safetensors without that package, and InputError for a file of another kind, for pickles,
    and for names and shapes that are not those of one LSTM, GRU or RNN.
    """
    arrays = _read(Path(weights)) if isinstance(weights, str | Path) else dict(weights)
    own = {name.removeprefix(prefix): np.asarray(a) for name, a in arrays.items() if name.startswith(prefix)}
    if not own:
        found = ", ".join(sorted(arrays)[:6]) or "nothing"
        raise InputError(f"weights: nothing begins with the prefix {prefix!r:.60}; there is {found}")
    matches = {name: NAME.fullmatch(name) for name in own}
    by_cell: dict[tuple[int, bool], dict[str, Any]] = {}
    for name, match in matches.items():
        if match is None:
            raise InputError(
                f"weight {prefix + name!r:.80}: no LSTM, GRU or RNN has this name; give its `prefix`{_prefixes(arrays)}"
            )
        by_cell.setdefault((int(match[2] or 0), match[3] is not None), {})[match[1]] = own[name]
    bare = [name for name, match in matches.items() if match is not None and match[2] is None]
    if bare and len(bare) < len(own):
        other = next(name for name in own if name not in bare)
        raise InputError(f"weights: {prefix + bare[0]!r:.80} is of one cell and {prefix + other!r:.80} of a layer")
    suffix = "" if bare else "_l{}"
    count = max(layer for layer, _ in by_cell) + 1
    layers = []
    for k in range(count):
        ends = {back: suffix.format(k) + "_reverse" * back for back in (False, True) if (k, back) in by_cell}
        cells = {back: _cell(by_cell[k, back], end, nonlinearity) for back, end in ends.items()}
        if False not in cells:
            raise InputError(f"weights: layer {k} of {count} is missing (weight_ih_l{k})")
        layers.append(Layer(forward=cells[False], backward=cells.get(True)))
    return Stack(layers=tuple(layers))


def to_torch(layers: Layer | Stack) -> dict[str, Array]:
    """Return the `state_dict` of layers, float64. Raises InputError for what PyTorch has not: see the message."""
    stack = layers if isinstance(layers, Stack) else Stack(layers=(layers,))
    found: dict[str, Array] = {}
    for k, layer in enumerate(stack.layers):
        if layer.forward is None:
            raise InputError("to_torch: PyTorch has no layer that reads backward alone")
        for cell in layer.cells:
            _refuse(cell)
            suffix = f"_l{k}_reverse" if cell is layer.backward else f"_l{k}"
            back = np.argsort(ORDER[type(cell).__name__])
            input_bias, recurrent_bias = np.split(cell.bias, 2)
            found[f"weight_ih{suffix}"] = _reorder(cell.input_weights, back)
            found[f"weight_hh{suffix}"] = _reorder(cell.recurrent_weights, back)
            found[f"bias_ih{suffix}"] = _reorder(input_bias, back)
            found[f"bias_hh{suffix}"] = _reorder(recurrent_bias, back)
            if isinstance(cell, LSTM) and cell.projection is not None:
                found[f"weight_hr{suffix}"] = cell.projection
    return found


def _reorder(array: Any, order: Any) -> Array:
    blocks = np.split(np.asarray(array, dtype=np.float64), len(order))
    return np.concatenate([blocks[k] for k in order])


def _prefixes(arrays: Mapping[str, Any]) -> str:
    """Return the prefixes under which there are such names, as the end of a message."""
    parts = [name.rpartition(".") for name in arrays]
    found = sorted({f"{before}{dot}" for before, dot, last in parts if NAME.fullmatch(last) is not None})
    return f": {', '.join(repr(prefix) for prefix in found[:6])}" if found else ""


def _cell(arrays: Mapping[str, Any], suffix: str, nonlinearity: str) -> RecurrentCell:
    """`suffix`: what the names of this cell end in."""
    missing = [name for name in ("weight_ih", "weight_hh") if name not in arrays]
    if missing:
        raise InputError(f"weights: {missing[0]}{suffix} is missing")
    w, r = arrays["weight_ih"], arrays["weight_hh"]
    matrices = [arrays[name] for name in ("weight_ih", "weight_hh", "weight_hr") if name in arrays]
    whole = all(matrix.ndim == 2 and matrix.size for matrix in matrices)
    size = matrices[-1].shape[1] if whole else 1
    kind = KINDS.get(w.shape[0] // size) if whole and w.shape[0] % size == 0 else None
    if kind is None or w.shape[0] != r.shape[0]:
        raise InputError(
            f"weight_ih{suffix} and weight_hh{suffix}: shapes {w.shape} and {r.shape} are not those of an LSTM, GRU "
            "or RNN"
        )
    for name in ("bias_ih", "bias_hh"):
        if name in arrays and arrays[name].shape != w.shape[:1]:
            raise InputError(f"{name}{suffix}: has shape {arrays[name].shape}: must have shape {w.shape[:1]}")
    order = ORDER[kind]
    none = np.zeros(w.shape[0])
    bias = [_reorder(arrays.get(name, none), order) for name in ("bias_ih", "bias_hh")]
    fields: dict[str, Any] = {
        "input_weights": _reorder(w, order),
        "recurrent_weights": _reorder(r, order),
        "bias": np.concatenate(bias),
    }
    if kind == "LSTM":
        return LSTM(**fields, projection=arrays.get("weight_hr"))
    if kind == "GRU":
        return GRU(**fields, linear_before_reset=True)
    if nonlinearity not in ("tanh", "relu"):
        raise InputError(f"`nonlinearity` = {nonlinearity!r:.40}: must be tanh or relu")
    function: Function = Tanh() if nonlinearity == "tanh" else Clip(lower=0.0, upper=np.inf)
    return RNN(**fields, activations=(function,))


def _refuse(cell: RecurrentCell) -> None:
    allowed = cell.activations == cell.defaults or (isinstance(cell, RNN) and cell.activations[0] == _RELU)
    refused = {
        "activations other than its own": not allowed,
        "a clip": cell.clip is not None,
        "peepholes": isinstance(cell, LSTM) and cell.peepholes is not None,
        "coupled gates": isinstance(cell, LSTM) and cell.input_forget,
        "a GRU that resets before the product": isinstance(cell, GRU) and not cell.linear_before_reset,
        "output weights": isinstance(cell, RNN) and cell.output_weights is not None,
    }
    for what, found in refused.items():
        if found:
            raise InputError(f"to_torch: PyTorch has no {type(cell).__name__} with {what}; keep it as ONNX")


_RELU = Clip(lower=0.0, upper=np.inf)


def _read(path: Path) -> dict[str, Any]:
    if path.suffix not in (".npz", ".safetensors"):
        raise InputError(f"{path.name}: must be an .npz or a .safetensors file; other files of PyTorch hold pickles")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        try:
            from safetensors.numpy import load_file
        except ImportError as error:
            needs = f"{path.name} needs the package safetensors ({error})"
            raise MissingExtra(f"{needs}; install it: pip install safetensors") from None
        return dict(load_file(path))
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror or error})") from None
    except MissingExtra:
        raise
    except Exception as error:  # each reader has its own classes
        raise InputError(f"{path.name}: is not a readable archive of arrays ({error!s:.120})") from None
