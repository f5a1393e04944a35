"""Waveforms of many samples in blocks: on many machines, and into a folder as they are made, from which a run goes on.

A block is what `run_samples` gives of TOGETHER samples. The folder holds `waves.zarr`, which xarray opens at any time,
NaN where a sample is not done, and `study.jsonl`, a Journal of the blocks that count: each is written there once its
waveforms are, with a hash of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..circuit import Circuit, Ensemble
from ..spice.transient import AccuracyWarning, choose_grids, stop_time
from ..values.errors import ConvergenceError, InputError, MissingExtra, warn
from ..values.executors import check_workers, run_each
from ..values.journal import Journal, fingerprint
from ..values.measures import check_accuracy
from ..values.signals import as_signal
from .backends import Backend, choose_run
from .equations.system import build_system
from .transient import run_samples

if TYPE_CHECKING:
    import xarray as xr

TOGETHER = 64
FORM = "waveforms of samples 1"
STUDY, WAVES = "study.jsonl", "waves.zarr"


def simulate_in_blocks(
    circuits: Circuit | Ensemble | Sequence[Circuit],
    *,
    store: str | os.PathLike[str] | None = None,
    executor: Any = None,
    workers: int | None = None,
    t_stop: float | None = None,
    inputs: Any = None,
    accuracy: float = 1e-4,
    points: int | None = None,
    currents: Sequence[str] = (),
    backend: Backend | None = None,
) -> xr.Dataset:
    """Return what `transient.simulate` does of several circuits, made in blocks of TOGETHER samples.

    Each block has steps of its own accuracy check, so that the numbers do not depend on where the blocks run, nor on
    whether the run was stopped. `store`: a folder that waveforms go to as they are made; a run that was stopped goes on
    from it, to the same values. What is returned then reads from it when it is used. `executor`, `workers`: see
    `run_each`.

    Raises InputError for wrong arguments, for a folder of another study and for one that is damaged, MissingExtra
    where zarr is not installed, and as `transient.simulate` and `run_each` do.
    """
    check_workers(executor, workers)
    given = Ensemble.as_samples(circuits, "simulate")
    first = given.circuit
    how: dict[str, Any] = {
        "workers": 1,
        "t_stop": stop_time(first, t_stop),
        "inputs": None if inputs is None else as_signal(inputs, "inputs", len(first.inputs)),
        "accuracy": check_accuracy(accuracy, "accuracy"),
        "points": points,
        "currents": tuple(currents),
        "backend": backend,
    }
    choose_run(backend, 1)  # refuses a name that there is not
    times, _ = choose_grids(first.clock, how["t_stop"], points)
    build_system(given.take(range(1)).driven(how["inputs"]), how["currents"])  # refuses what it does not know
    blocks = [range(k, min(k + TOGETHER, given.size)) for k in range(0, given.size, TOGETHER)]
    kept: _Memory | _Folder = _Memory(given.size)
    if store is not None:
        if not isinstance(store, str | os.PathLike):
            raise InputError(f"`store` = {store!r:.60}: must be the path of a folder")
        header = {
            "circuit": fingerprint(given[0].netlist()),
            "samples": given.size,
            "together": TOGETHER,
            "values": fingerprint([dict(sorted(one.items())) for one in (given.values, given.parts, given.initial)]),
            "times": fingerprint(times),
            "accuracy": how["accuracy"],
            "inputs": fingerprint(how["inputs"]),
            "currents": list(how["currents"]),
        }
        kept = _Folder(Path(store), header, blocks)
    left = {k: given.take(blocks[k]) for k in range(len(blocks)) if k not in kept.entries}
    if executor is None:
        how["workers"] = max(1, (workers or os.cpu_count() or 1) // max(len(left), 1))
    for k, (block, notes) in run_each(_run, how, left, executor=executor, workers=workers):
        kept.write(k, blocks[k], block, notes)
    entries = [kept.entries[k] for k in range(len(blocks))]
    failures = {
        str(samples[int(place)]): why
        for samples, entry in zip(blocks, entries, strict=True)
        for place, why in entry["failures"].items()
    }
    for note in dict.fromkeys(note for entry in entries for note in entry["notes"]):
        warn(note, AccuracyWarning)
    if len(failures) == given.size:
        raise ConvergenceError(f"ensemble: {first.title!r} does not run: {failures['0']}")
    return kept.finish(
        {
            "machine": "ensemble",
            "cell": first.cell,
            "graph": first.graph_hash,
            "accuracy": how["accuracy"],
            "self_check": max(entry["self_check"] for entry in entries),
            "tolerance": min(entry["tolerance"] for entry in entries),
            "steps": sum(entry["steps"] for entry in entries),
            "failures": failures,
        }
    )


def _run(how: dict[str, Any], samples: Ensemble) -> tuple[xr.Dataset, list[str]]:
    return run_samples(samples, **how)


def _entry(block: xr.Dataset, notes: Iterable[str]) -> dict[str, Any]:
    """Return what is kept of a block beside its waveforms."""
    told = {name: block.attrs[name] for name in ("failures", "self_check", "tolerance", "steps")}
    return {**told, "notes": list(notes), "hash": _hash(block)}


def _hash(block: Mapping[Any, Any]) -> str:
    found = blake2b(digest_size=16)
    for name in sorted(block):
        found.update(np.ascontiguousarray(block[name], dtype=np.float64).tobytes())
    return found.hexdigest()


class _Memory:
    """Waveforms of all samples in memory. `entries`: what else is known of each block that is done."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.entries: dict[int, dict[str, Any]] = {}
        self.arrays: dict[str, Any] = {}
        self.like: xr.Dataset | None = None

    def write(self, number: int, samples: range, block: xr.Dataset, notes: list[str]) -> None:
        if self.like is None:
            self.like = block.isel(sample=slice(0, 0))
            self.arrays = {str(name): np.empty((self.size, *array.shape[1:])) for name, array in block.items()}
        for name, array in self.arrays.items():
            array[samples.start : samples.stop] = block[name].to_numpy()
        self.entries[number] = _entry(block, notes)

    def finish(self, attrs: dict[str, Any]) -> xr.Dataset:
        assert self.like is not None
        found = self.like.drop_vars(self.arrays).assign_attrs(attrs)
        return found.assign({name: (self.like[name].dims, a, self.like[name].attrs) for name, a in self.arrays.items()})


class _Folder:
    """Waveforms of all samples in a folder; see the head of this module."""

    def __init__(self, path: Path, header: Mapping[str, Any], blocks: list[range]) -> None:
        _find_zarr()
        self.path, self.blocks, self.named = path, blocks, f"`store` = {str(path)!r:.200}"
        if path.exists() and (not path.is_dir() or {p.name for p in path.iterdir()} - {f"{STUDY}.part", STUDY, WAVES}):
            raise InputError(f"{self.named}: is a file, or a folder of other files; give a new path")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.named}: cannot be made ({error.strerror}); give another path") from None
        self.journal = Journal(path / STUDY, header, form=FORM, option="store")
        self.entries = self.journal.read(len(blocks), lambda entry: dict(entry))
        self.group: Any = None
        if self.entries:
            self._check()

    def _check(self) -> None:
        """Open the waveforms. Raises InputError where those of a block that is done are not as they were."""
        import zarr

        number = min(self.entries)
        try:
            self.group = zarr.open_group(self.path / WAVES, mode="r+")
            arrays = {name: array for name, array in self.group.arrays() if array.ndim == 3}
            for number, entry in self.entries.items():
                samples = self.blocks[number]
                if (
                    _hash({name: array[samples.start : samples.stop] for name, array in arrays.items()})
                    != entry["hash"]
                ):
                    raise ValueError("its waveforms are not those that were written")
        except Exception as error:
            raise InputError(
                f"{self.named}: block {number} is damaged ({error!s:.120}); remove its line from {STUDY}, and it is "
                "made again"
            ) from None

    def write(self, number: int, samples: range, block: xr.Dataset, notes: list[str]) -> None:
        """Write the waveforms of a block, and then that they are there."""
        if self.group is None:
            self.group = self._create(block)
        for name in block:
            self.group[name][samples.start : samples.stop] = block[name].to_numpy()
        entry = _entry(block, notes)
        self.journal.add(number, entry)
        self.entries[number] = entry

    def _create(self, block: xr.Dataset) -> Any:
        """Return new arrays for all samples, NaN, in place of what a run that was stopped may have left."""
        import zarr

        path = self.path / WAVES
        coordinates = block.drop_vars(list(block)).assign_attrs({})
        coordinates.to_zarr(path, mode="w", zarr_format=2, consolidated=False)
        group = zarr.open_group(path, mode="r+")
        for name, array in block.items():
            group.create_array(
                str(name),
                shape=(self.blocks[-1].stop, *array.shape[1:]),
                chunks=(TOGETHER, *array.shape[1:]),
                dtype="float64",
                fill_value=np.nan,
                attributes={"_ARRAY_DIMENSIONS": list(array.dims), **array.attrs},
            )
        return group

    def finish(self, attrs: dict[str, Any]) -> xr.Dataset:
        import xarray as xr

        self.group.attrs.update(attrs)
        found: xr.Dataset = xr.open_zarr(self.path / WAVES, chunks=None, consolidated=False)
        return found


def _find_zarr() -> None:
    try:
        import zarr  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra(f"`store` needs the package zarr ({error}); install it: pip install '.[zarr]'") from None
