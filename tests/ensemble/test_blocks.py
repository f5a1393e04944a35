"""Waveforms in blocks: the same values from memory, a folder, threads and a cluster, also of runs that were killed."""

from __future__ import annotations

import builtins
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("zarr")

import killed_runs
import xarray as xr

import hopfield_hw as hh
from hopfield_hw.circuit import Ensemble
from hopfield_hw.ensemble import accuracy, blocks, runs
from hopfield_hw.ensemble.blocks import simulate_in_blocks
from hopfield_hw.production import study
from hopfield_hw.values.errors import ConvergenceError, InputError, MissingExtra

HOW: dict[str, Any] = {"engine": "ensemble", "t_stop": 1e-3, "points": 51}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "TOGETHER", killed_runs.BLOCK)
    monkeypatch.setattr(study, "TOGETHER", killed_runs.BLOCK)


@pytest.fixture(scope="module")
def some() -> Ensemble:
    return killed_runs.samples().take(range(20))


@pytest.fixture(scope="module")
def kept(some: Ensemble, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three blocks of waveforms."""
    path = tmp_path_factory.mktemp("waves") / "new" / "folder"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "TOGETHER", killed_runs.BLOCK)
        hh.simulate(some, store=path, **HOW)
    return path


def copied(kept: Path, to: Path) -> Path:
    return Path(shutil.copytree(kept, to / "copy"))


def test_a_folder_holds_what_a_run_in_memory_gives(some: Ensemble, kept: Path) -> None:
    stored = hh.simulate(some, store=kept, **HOW)
    xr.testing.assert_identical(stored.load(), simulate_in_blocks(some, t_stop=1e-3, points=51, workers=3))
    xr.testing.assert_identical(stored, xr.open_zarr(kept / blocks.WAVES, chunks=None, consolidated=False).load())
    alone = hh.simulate(some.take(range(8, 16)), **HOW)
    xr.testing.assert_equal(stored.isel(sample=slice(8, 16)), alone)
    assert stored.attrs["machine"] == "ensemble"
    assert 0.0 < stored.attrs["self_check"] < 1e-4
    circuits = [some[k] for k in range(some.size)]
    xr.testing.assert_identical(stored, hh.simulate(circuits, store=kept, **HOW).load())


def test_a_run_goes_on_where_it_was(some: Ensemble, kept: Path, tmp_path: Path) -> None:
    path = copied(kept, tmp_path)
    study_of = path / blocks.STUDY
    lines = study_of.read_text().splitlines(keepends=True)
    study_of.write_text("".join(lines[:2]) + lines[2][:30])  # killed while it wrote the second block
    shutil.rmtree(path / blocks.WAVES / "state" / "1.0.0", ignore_errors=True)
    whole = hh.simulate(some, store=kept, **HOW).load()
    xr.testing.assert_identical(hh.simulate(some, store=path, **HOW).load(), whole)
    assert len(study_of.read_text().splitlines()) == 4
    shutil.rmtree(path / blocks.WAVES)
    study_of.write_text(lines[0])  # killed before the first block
    xr.testing.assert_identical(hh.simulate(some, store=path, **HOW).load(), whole)


@pytest.mark.parametrize("kind", ["waves", "margins"])
def test_a_run_that_is_killed_ten_times_ends_with_the_same_values(kind: str, ngspice: str, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    script = str(Path(killed_runs.__file__))
    ended = subprocess.run([sys.executable, script, kind, str(path), "10"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    done = json.loads(ended.stdout)
    assert len(done) == 10
    assert done == sorted(done)  # nothing is lost
    assert done[-1] < killed_runs.BLOCKS
    found, undisturbed = killed_runs.KINDS[kind](path), killed_runs.KINDS[kind](None)
    if kind == "waves":
        xr.testing.assert_identical(found.load(), undisturbed)
    else:
        for name in ("margins", "settling", "power", "energy"):
            np.testing.assert_array_equal(getattr(found, name), getattr(undisturbed, name))
    assert killed_runs.count(path) == killed_runs.BLOCKS  # nothing is doubled


def test_a_cluster_gives_the_same_waveforms(some: Ensemble, kept: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        found = hh.simulate(some, store=tmp_path / "kept", executor=client, **HOW)
    xr.testing.assert_identical(found.load(), hh.simulate(some, store=kept, **HOW).load())


def test_samples_that_fail_keep_their_numbers(some: Ensemble, monkeypatch: pytest.MonkeyPatch) -> None:
    run = accuracy.run
    place = 3

    def broken(*given: Any) -> runs.Run:
        found = run(*given)
        found.blocks[..., place:] = np.nan
        return found._replace(failures=dict.fromkeys(range(place, found.samples), "it takes too many steps"))

    monkeypatch.setattr(accuracy, "run", broken)
    found = simulate_in_blocks(some, t_stop=1e-3, points=51, workers=1)
    assert sorted(map(int, found.attrs["failures"])) == [*range(3, 8), *range(11, 16), 19]
    assert np.isnan(found["state"]).any(("time", "neuron")).to_numpy().sum() == 11
    place = 0
    with pytest.raises(ConvergenceError, match="does not run: it takes too many steps"):
        simulate_in_blocks(some, t_stop=1e-3, points=51, workers=1)


def test_other_studies_and_damaged_folders_are_refused(some: Ensemble, kept: Path, tmp_path: Path) -> None:
    path = copied(kept, tmp_path)
    named = f"`store` = {str(path)!r}"

    def refused(circuits: Any = some, **how: Any) -> str:
        with pytest.raises(InputError) as caught:
            hh.simulate(circuits, store=path, **{**HOW, **how})
        return str(caught.value)

    other = "; give a new one, or the same arguments as before"
    file = f"{named[:-1]}/study.jsonl'"
    assert refused(points=21) == f"{file}: is of another study (it differs in times){other}"
    assert refused(some.take(range(19))) == f"{file}: is of another study (it differs in samples, values){other}"
    assert refused([some[1]] * 20) == f"{file}: is of another study (it differs in circuit, values){other}"
    again = f"; remove its line from {blocks.STUDY}, and it is made again"
    chunk = path / blocks.WAVES / "state" / "1.0.0"
    whole = chunk.read_bytes()
    chunk.unlink()
    assert refused() == f"{named}: block 1 is damaged (its waveforms are not those that were written){again}"
    chunk.write_bytes(whole[: len(whole) // 2])
    assert refused().startswith(f"{named}: block 1 is damaged (")
    chunk.write_bytes(whole)
    shutil.rmtree(path / blocks.WAVES)
    assert refused().startswith(f"{named}: block 0 is damaged (")
    (path / blocks.STUDY).write_text("something else\n")
    assert (
        refused()
        == f"{named[:-1]}/study.jsonl': is no file of waveforms of samples; give the path of one, or of a new file"
    )
    (path / "notes.txt").touch()
    assert refused() == f"{named}: is a file, or a folder of other files; give a new path"
    with pytest.raises(InputError, match="is a file, or a folder of other files; give a new path"):
        hh.simulate(some, store=path / "notes.txt", **HOW)


def test_bad_arguments_are_refused_before_anything_is_written(
    some: Ensemble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept"
    for how, message in (
        ({"executor": 5}, r"^`executor` = 5: must have a method `submit`"),
        ({"accuracy": 2.0}, "`accuracy`"),
        ({"currents": ["R_syn_0_1"]}, "`currents`: device R_syn_0_1: must be a voltage source to ground"),
    ):
        with pytest.raises(InputError, match=message):
            hh.simulate(some, store=path, **{**HOW, **how})
    with pytest.raises(InputError, match=r"^simulate: `store`: is for many samples at once; take engine='ensemble'"):
        hh.simulate(some[0], store=path)
    with pytest.raises(InputError, match=r"^ensemble: `samples` = range\(15, 25\): must be of the 20 samples"):
        some.take(range(15, 25))
    plain = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "zarr":
            raise ModuleNotFoundError("No module named 'zarr'", name="zarr")
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra) as missing:
        hh.simulate(some, store=path, **HOW)
    assert (
        str(missing.value)
        == "`store` needs the package zarr (No module named 'zarr'); install it: pip install '.[zarr]'"
    )
    assert not path.exists()
