"""The commands solve and analyze: what they print, their exit statuses, and what they write."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hopfield_hw.cli import run
from hopfield_hw.cli.reporting import RESULT_KEYS

ERROR = "hopfield-hw: error: "


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line in this process; return its status, and what stood on stdout and stderr."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        status = run([str(argument) for argument in arguments])
        return (status, *capsys.readouterr())

    return command


@pytest.fixture
def triangle(tmp_path: Path) -> Path:
    path = tmp_path / "triangle.col"
    path.write_text("p edge 3 3\ne 1 2\ne 2 3\ne 1 3\n")
    return path


def test_solve_says_what_its_verdict_rests_on(cli: Any, triangle: Path, tmp_path: Path) -> None:
    answer, picture = tmp_path / "answer.json", tmp_path / "answer.png"
    status, out, err = cli("solve", triangle, "--reads", "8", "-o", answer, "--plot", picture)
    assert (status, err) == (0, "")
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert lines[:4] == [
        ["triangle:", "colouring"],
        ["result", "optimal"],
        ["colours", "3"],
        ["rests", "on    the edges of the file, and a clique of 3 nodes"],
    ]
    content = json.loads(answer.read_text())
    assert sorted(content["answer"]) == [0, 1, 2]
    assert picture.stat().st_size > 10_000


def test_an_answer_that_is_none_ends_with_1(cli: Any, triangle: Path) -> None:
    status, out, _ = cli("solve", triangle, "--reads", "8", "--colours", "2", "--json")
    content = json.loads(out)
    assert status == 1
    assert set(RESULT_KEYS) <= set(content)
    assert (content["status"], content["result"], content["value"]) == ("failed", "invalid", 1.0)
    assert content["what"] == "edges within one of 2 colours"
    assert content["rests_on"] == ("the edges of the file, and a clique of 3 nodes: no colouring with 2 colours exists")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.col"], "none.col: cannot be read (No such file or directory); give the path of a file"),
        (
            ["a.xyz"],
            "a.xyz: its suffix says no kind of problem; name the kind, or use one of .sparse, .qubo, .bqp, .col",
        ),
        (["a.col", "--kind", "cut"], "kind of file 'cut' is unknown: must be one of max_cut, qubo, colouring"),
        (["a.col", "--reads", "0"], "`reads` = 0: must be a whole number from 1 to 1000000"),
        (["a.col", "-o", "a.txt"], "'a.txt': has the suffix '.txt'; must be one of .json"),
    ],
)
def test_bad_input_of_solve_ends_with_2(
    arguments: list[str], message: str, cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = cli("solve", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(ERROR + message)
    assert not list(tmp_path.iterdir())


def test_analyze_tells_energy_equilibria_and_stability(cli: Any, tmp_path: Path) -> None:
    picture = tmp_path / "plane.png"
    status, out, err = cli("analyze", "flip_flop", "--json", "--plot", picture)
    content = json.loads(out)
    assert (status, err, content["status"], content["kind"]) == (0, "", "done", "ode")
    assert content["energy"]["falls"]
    assert [one["stability"] for one in content["equilibria"]["equilibria"]] == ["stable", "saddle", "stable"]
    tried = content["stability"].pop("why")
    assert content["stability"] == {"told": False}
    assert tried.startswith("not told: no criterion of stability holds, of ")
    assert tried.endswith(" tried; convergence is proved")
    assert content["convergence"]["criterion"] == "Cohen-Grossberg"
    assert content["convergence"]["proved"]
    assert picture.stat().st_size > 10_000


def test_analyze_shows_a_certificate_under_the_name_of_what_it_proves(cli: Any) -> None:
    """Two stable states: solutions approach them, which is not the stability of one."""
    _, out, _ = cli("analyze", "flip_flop")
    rows = [line for line in out.splitlines() if line.startswith(("stability", "convergence"))]
    assert [row.split()[0] for row in rows] == ["stability", "convergence"]
    assert "no criterion of stability holds" in rows[0]
    assert "Cohen-Grossberg: an energy never rises along any solution" in rows[1]
    _, out, _ = cli("analyze", "delayed_inhibition")
    assert not any(line.startswith("convergence") for line in out.splitlines())


def test_analyze_says_where_a_delay_begins_to_matter_and_what_it_cannot_tell(cli: Any) -> None:
    status, out, _ = cli("analyze", "delayed_inhibition")
    assert status == 0
    assert "energy                                 not told: energy: the graph is not a Hopfield network" in out
    assert "nothing is proved" in out
    assert "from 0 s to 112.8 us" in out
    _, out, _ = cli("analyze", "digit_memory")
    assert "not looked for: 64 states; ask for it with --equilibria" in out


def test_bad_input_of_analyze_ends_with_2(cli: Any) -> None:
    assert cli("analyze", "flipflop")[0] == 2


@pytest.mark.parametrize(
    ("design", "why"),
    {
        "delayed_inhibition": "--plot: delayed_inhibition is a delay equation of 3 states: must be a differential "
        "equation of at least two; leave --plot out",
        "max_cut": "--plot: the inputs of max_cut change with time, and a plane of states is of constant ones; leave "
        "--plot out",
    }.items(),
)
def test_an_analysis_without_its_picture_is_printed_all_the_same(
    cli: Any, tmp_path: Path, design: str, why: str
) -> None:
    picture = tmp_path / "a.png"
    status, out, err = cli("analyze", design, "--plot", picture)
    assert (status, err) == (1, f"{ERROR}{why}\n")
    assert "\nstability " in out
    assert "picture" not in out
    assert not picture.exists()
    if design == "max_cut":
        status, out, err = cli("analyze", design, "--plot", picture, "--json")
        content = json.loads(out)
        assert (status, err) == (1, f"{ERROR}{why}\n")
        assert (content["status"], content["plot"], content["no_plot"]) == ("failed", None, why)
        assert content["stability"]["told"] is False


def test_the_picture_of_many_states_is_a_section_through_an_equilibrium(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: list[Any] = []
    monkeypatch.setattr("hopfield_hw.pictures.files.save_figure", lambda figure, path: figures.append(figure))
    monkeypatch.setattr("hopfield_hw.pictures.save_figure", lambda figure, path: figures.append(figure), raising=False)
    cli("analyze", "matrix_game", "--plot", tmp_path / "a.png")
    (axes,) = figures[0].axes
    assert axes.get_title(loc="left") == "phase plane: a section of 6 states, solutions seen from above"
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [*("d x0/dt = 0", "d x1/dt = 0", "solutions", "stable")]
    # Both nullclines pass through the equilibrium.
    from matplotlib.contour import ContourSet

    lines = [one for one in axes.collections if isinstance(one, ContourSet)]
    assert len(lines) == 2
    for one in lines:
        vertices = np.concatenate([path.vertices for path in one.get_paths()])
        assert np.min(np.max(np.abs(vertices - [0.25, 0.75]), axis=1)) < 2e-3
