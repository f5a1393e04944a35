"""The page in a real browser: no complaint, plots drawn, links both ways, its circuit run as ngspice runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import Browser, find_chromium
from page_reader import TITLE, PageReader

from hopfield_hw.board import Board
from hopfield_hw.board.judgement import BoardVerification, output_nrmse
from hopfield_hw.board.start import start_at_rest
from hopfield_hw.circuit import Circuit
from hopfield_hw.parts import Resistor
from hopfield_hw.spice.ngspice import run
from hopfield_hw.spice.sampling import resample
from hopfield_hw.spice.transient import simulate
from hopfield_hw.values.measures import nrmse

AGREES = 1e-3


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.skip("no Chromium is installed (`apt-get install chromium`), in which pages are opened")
    with Browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.errors.clear()
    browser.requests.clear()
    browser.open(page)
    return browser


@pytest.fixture
def running(browser: Browser, running_page: Path) -> Browser:
    browser.errors.clear()
    browser.requests.clear()
    browser.open(running_page)
    return browser


COLOURED = """
[...document.querySelectorAll('#waves canvas')].map((canvas) => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let k = 0; k < data.length; k += 4) {
    const [r, g, b, a] = data.slice(k, k + 4);
    if (a > 200 && Math.max(r, g, b) - Math.min(r, g, b) > 60) found++;
  }
  return found;
})
"""


def test_the_page_opens_without_a_complaint_and_draws_its_plots(opened: Browser) -> None:
    opened.wait_for("document.querySelector('#sheet img').naturalWidth > 300")
    coloured = opened.evaluate(COLOURED)
    assert len(coloured) == 2
    assert min(coloured) > 200  # pixels of waves
    assert opened.evaluate("board.draw.look.lines") == 6  # two neurons: ngspice, own equation, ideal network
    assert opened.evaluate("document.title") == TITLE  # the script in it was not run
    opened.evaluate("document.querySelector('#quantity').value = 'output'")
    opened.evaluate("document.querySelector('#quantity').dispatchEvent(new Event('change'))")
    opened.evaluate("document.querySelector('#show-ideal').click()")
    assert opened.evaluate("[board.draw.look.quantity, board.draw.look.lines]") == ["output", 4]
    assert opened.errors == []
    assert all(url.startswith(("file:", "blob:", "data:")) for url in opened.requests)


def test_measures_of_the_page_are_those_of_the_package(opened: Browser, verified: BoardVerification) -> None:
    for name, sized, measure in (("state", "false", nrmse), ("output", "true", output_nrmse)):
        found = opened.evaluate(f"board.nrmse(board.waves.ideal.{name}, board.waves.wave.{name}, {sized}).value")
        wanted = measure(verified.ideal[name].to_numpy()[1:], verified.wave[name].to_numpy()[1:])
        assert found == pytest.approx(wanted, rel=1e-3)


def test_weights_and_lines_light_up_each_other(opened: Browser, page: Path) -> None:
    read = PageReader(page.read_text(encoding="utf-8"))
    lit = "[...document.querySelectorAll('.on')].map((one) => one.id)"
    for cell in ("weight-0-1", "input-0-0", "bias-1", "resistance-0"):
        (one,) = (one for one in read.data("elements")["elements"] if one["cell"] == cell)
        wanted = {cell, *(f"line-{line}" for line in one["lines"])}
        opened.evaluate(f"document.getElementById('{cell}').click()")
        assert set(opened.evaluate(lit)) == wanted
        for line in one["lines"]:
            opened.evaluate("document.querySelector('h1').click()")
            opened.evaluate(f"document.getElementById('line-{line}').click()")
            assert set(opened.evaluate(lit)) == wanted
        assert opened.evaluate("document.getElementById('origin').textContent").startswith(one["said"])
    opened.evaluate("document.querySelector('#parts [data-name=R_x_0]').click()")
    assert "resistance-0" in opened.evaluate(lit)
    opened.evaluate("document.querySelector('[data-block=\"1\"]').click()")
    assert "weight-1-0" in opened.evaluate(lit)
    assert "weight-0-1" not in opened.evaluate(lit)
    assert opened.errors == []


def run_again(browser: Browser, **values: float | str) -> dict[str, Any]:
    """Return what the page has of a run with its controls set."""
    for name, value in values.items():
        browser.evaluate(
            f"(() => {{ const one = document.getElementById('again-{name}'); one.value = {value!r}; "
            "one.dispatchEvent(new Event('input')); })()"
        )
    browser.evaluate("document.getElementById('again-run').click()")
    browser.wait_for("board.again.last || board.again.failed", 300.0)
    assert not browser.evaluate("board.again.failed"), browser.evaluate(
        "document.querySelector('#again-status').textContent"
    )
    found: dict[str, Any] = browser.evaluate("board.again.last")
    return found


def apart(found: dict[str, Any], wanted: tuple[np.ndarray, np.ndarray]) -> float:
    """Return how far a run of the page is from states and outputs, each (time, n): NRMSE of the worst."""
    states, outputs = (np.array(found["found"][name]).T for name in ("state", "output"))
    return max(nrmse(wanted[0][1:], states[1:]), output_nrmse(wanted[1][1:], outputs[1:]))


def heavier(circuit: Circuit, board: Board, factor: float) -> Circuit:
    """Return a circuit with T[0, 1] times a factor, by its resistors."""
    names = {device.name for device in board.circuit.devices_from("syn", (0, 1))}
    return replace(
        circuit,
        devices=tuple(
            d._replace(part=replace(d.part, resistance=d.part.resistance / factor))
            if d.name in names and isinstance(d.part, Resistor)
            else d
            for d in circuit.devices
        ),
    )


def test_a_changed_weight_runs_as_in_ngspice(running: Browser, small_board: Board, verified: BoardVerification) -> None:
    """The change is made here in the circuit, and there in the deck; the steps here are those of a verification."""
    factor = 0.6
    running.evaluate("document.getElementById('weight-0-1').click()")  # which chooses it
    found = run_again(running, factor=factor)
    assert running.errors == []
    circuit = start_at_rest(small_board.circuit, small_board.t_stop, small_board.inputs)
    wave = simulate(
        heavier(circuit, small_board, factor), t_stop=small_board.t_stop, inputs=small_board.inputs, accuracy=1e-3
    )
    wanted = wave["state"].to_numpy(), wave["output"].to_numpy()
    assert apart(found, wanted) < AGREES
    stored = verified.wave["state"].to_numpy(), verified.wave["output"].to_numpy()
    assert apart(found, stored) > 20.0 * AGREES  # the change matters
    assert found["states"] == pytest.approx(nrmse(stored[0][1:], wanted[0][1:]), rel=0.02)
    assert "NRMSE" in running.evaluate("document.querySelector('#again-status').textContent")
    assert running.evaluate("board.draw.look.lines") == 8
    assert running.evaluate("document.querySelector('#key-again').hidden") is False
    assert all(url.startswith(("file:", "blob:", "data:")) for url in running.requests)
    # As designed again, it lies on what is stored.
    running.evaluate("document.getElementById('again-reset').click()")
    assert run_again(running)["states"] < AGREES
    assert running.errors == []


def test_scattered_parts_and_another_supply_run_as_in_ngspice(
    running: Browser, running_page: Path, small_board: Board, verified: BoardVerification
) -> None:
    found = run_again(running, scatter=5, supply=80, draw=7)
    read = PageReader(running_page.read_text(encoding="utf-8"))
    before, after = read.data("deck")["lines"], found["deck"].splitlines()
    assert len(before) == len(after)
    changed = {a.split()[0]: (a.split(), b.split()) for b, a in zip(before[1:], after[1:], strict=True) if a != b}
    rails = {name: words for name, words in changed.items() if name.startswith("V_")}
    assert {name: float(new[4]) for name, (new, _) in rails.items()} == {
        "V_supply_plus": pytest.approx(9.6),
        "V_supply_minus": pytest.approx(-9.6),
    }
    parts = {device.name for device in small_board.circuit.devices if device.part.what in ("resistor", "capacitor")}
    assert set(changed) - set(rails) == parts
    ratios = np.array([float(new[3]) / float(old[3]) for name, (new, old) in changed.items() if name not in rails])
    assert np.all(np.abs(ratios - 1.0) <= 0.05)
    assert np.std(ratios) == pytest.approx(0.05 / np.sqrt(3.0), rel=0.3)
    plot = run(found["deck"], t_stop=small_board.t_stop, timeout=100.0)
    circuit, times = small_board.circuit, verified.wave["time"].to_numpy()
    probes = (*circuit.states, *circuit.outputs)
    starts = np.array(
        [verified.wave["state"].to_numpy()[0, k] / circuit.states[k].scale for k in range(2)] + [np.nan] * 2
    )
    _, _, on_grid = resample(plot, probes, starts, times, straight=False)
    assert apart(found, (on_grid[:, :2], on_grid[:, 2:])) < AGREES
    # Another draw is another board; the same draw the same one.
    assert run_again(running, draw=8)["deck"] != found["deck"]
    again = run_again(running, draw=7)["deck"].splitlines()
    assert again[1:] == after[1:]


def test_a_run_that_fails_says_so_and_shows_no_old_result(browser: Browser, running_page: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.html"
    path.write_text(running_page.read_text(encoding="utf-8").replace('".tran ', '".trax '), encoding="utf-8")
    browser.open(path)
    browser.evaluate("document.getElementById('again-run').click()")
    browser.wait_for("board.again.failed", 120.0)
    assert browser.evaluate("board.again.last") is None
    assert "gives no result" in browser.evaluate("document.querySelector('#again-status').textContent")
    assert browser.evaluate("document.querySelector('#again-status').classList.contains('bad')")
    assert browser.evaluate("document.querySelector('#again-run').disabled") is False
