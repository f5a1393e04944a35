"""A board of two neurons with a hostile title, its verification, its page, and the npm package of the engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from page_reader import TITLE

import hopfield_hw as hh
from hopfield_hw.board import Board, design_board
from hopfield_hw.board.judgement import BoardVerification
from hopfield_hw.pages import Engine, read_engine, write_report

PACKAGE = "eecircuit-engine@1.8.0"
KEPT = Path(__file__).resolve().parents[2] / "build" / "npm"


@pytest.fixture(scope="session")
def small_board(ngspice: str) -> Board:
    network = hh.Network(
        weights=[[0.0, -1e-4], [-1e-4, 0.0]],
        resistance=1e4,
        capacitance=1e-8,
        gain=hh.Tanh(gain=3.0),
        initial=[0.02, -0.02],
        bias=[1e-6, -1e-6],
        input_weights=[[2e-5], [0.0]],
    )
    return design_board(network, t_stop=1e-3, inputs=0.01, two_resistors=0.001, title=TITLE)


@pytest.fixture(scope="session")
def verified(small_board: Board) -> BoardVerification:
    return small_board.verify()


@pytest.fixture(scope="session")
def package() -> Path:
    """Return the .tgz of the engine's npm package, downloaded once for all tests; skipped where that cannot be."""
    found = sorted(KEPT.glob("eecircuit-engine-*.tgz"))
    if found:
        return found[-1]
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, which gets the engine that runs in a browser")
    part = KEPT / f"part.{os.getpid()}"
    part.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            [npm, "pack", PACKAGE], cwd=part, capture_output=True, text=True, timeout=300, check=False
        )
        packed = sorted(part.glob("*.tgz"))
        if done.returncode != 0 or not packed:
            pytest.skip(f"npm does not reach its registry: {done.stderr.strip()[-200:]}")
        return packed[0].replace(KEPT / packed[0].name)
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not reach its registry within 300 s")
    finally:
        shutil.rmtree(part, ignore_errors=True)


@pytest.fixture(scope="session")
def engine(package: Path) -> Engine:
    return read_engine(package)


@pytest.fixture(scope="session")
def page(verified: BoardVerification, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of the board, without an engine."""
    path = tmp_path_factory.mktemp("pages") / "board.html"
    write_report(verified.board, path, result=verified)
    return path


@pytest.fixture(scope="session")
def running_page(verified: BoardVerification, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of the board, with the engine in it."""
    path = tmp_path_factory.mktemp("pages") / "running.html"
    write_report(verified.board, path, result=verified, engine=engine)
    return path
