"""The page of a board: what stands on it, that nothing of its texts runs, that it loads nothing, and its links."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from page_reader import TITLE, PageReader
from pair_design import PAIR

from hopfield_hw.board import Board, error_budget
from hopfield_hw.board.judgement import BoardVerification
from hopfield_hw.cli import run
from hopfield_hw.pages import Engine, export_kicad, read_engine, write_report
from hopfield_hw.pages.markup import Html, data, element, join, packed
from hopfield_hw.production import monte_carlo
from hopfield_hw.production.tasks import Pattern
from hopfield_hw.values.errors import InputError, KiCadError

WASM = b"\0asm\1\0\0\0"


@pytest.fixture(scope="module")
def read(page: Path) -> PageReader:
    return PageReader(page.read_text(encoding="utf-8"))


def test_the_page_says_the_verdict_its_reason_and_every_part(read: PageReader, verified: BoardVerification) -> None:
    board = verified.board
    text = read.by_id("verdict").text
    assert f"NRMSE {verified.nrmse:.2e} of states" in text
    assert "Coverage" in text
    (badge,) = (node for node in read.nodes if "badge" in (node.attributes.get("class") or ""))
    assert badge.text == verified.verdict == "passed"
    checks = read.by_id("checks").text
    assert all(str(check) in checks for check in board.checks)
    parts = read.by_id("parts").text
    assert all(device.name in parts for device in board.circuit.devices if device.part.physical)
    assert "eecircuit-engine" in read.by_id("again").text  # how to get what is missing
    assert {"budget", "yield", "schematic"} <= {node.attributes.get("id") for node in read.named("section")}


def test_no_text_of_the_design_is_markup_or_script(read: PageReader) -> None:
    (heading,) = read.named("h1")
    (title,) = read.named("title")
    assert heading.text == title.text == TITLE
    assert read.data("deck")["lines"][0] == f"* {TITLE}"
    assert not any(name.startswith("on") for node in read.nodes for name in node.attributes)
    assert not any("style" in node.attributes for node in read.nodes)
    assert [node.attributes.get("src") for node in read.named("img")] == [None]


def test_a_page_loads_nothing(read: PageReader, page: Path) -> None:
    for node in read.nodes:
        for name in ("src", "href", "action", "data", "srcset", "poster", "xlink:href"):
            value = node.attributes.get(name)
            assert value is None or re.fullmatch(r"#[\w-]+", value), (node.name, name, value)
    assert not list(read.named("link", "iframe", "object", "embed", "base", "form"))
    assert page.stat().st_size < 1_000_000
    styles = "".join(node.text for node in read.named("style"))
    assert "url(" not in styles
    assert "@import" not in styles


def test_the_policy_allows_the_scripts_of_the_page_alone(read: PageReader) -> None:
    (policy,) = (node.attributes["content"] for node in read.named("meta") if "http-equiv" in node.attributes)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    code = [node.text for node in read.named("script") if node.attributes.get("type") != "application/json"]
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in code]
    assert rules["script-src"].split() == [*hashes, "'wasm-unsafe-eval'"]


def test_stored_waveforms_are_those_of_the_verification(read: PageReader, verified: BoardVerification) -> None:
    stored = read.data("waves")
    for machine in ("wave", "equation", "ideal"):
        for name in ("state", "output"):
            numbers = np.frombuffer(base64.b64decode(stored[machine][name]), dtype="<f4").reshape(2, -1)
            wanted = getattr(verified, machine)[name].to_numpy().T
            np.testing.assert_allclose(numbers, wanted, rtol=1e-6, atol=1e-6 * np.ptp(wanted))
    assert stored["points"] == verified.wave.sizes["time"]


def test_every_link_between_weight_and_line_resolves_both_ways(read: PageReader, small_board: Board) -> None:
    elements, lines = read.data("elements")["elements"], read.data("deck")["lines"]
    circuit = small_board.circuit
    linked = {
        node.attributes["id"]: node.attributes["data-element"]
        for node in read.nodes
        if "data-element" in node.attributes
    }
    for k, one in enumerate(elements):
        for line, name in zip(one["lines"], one["devices"], strict=True):
            assert lines[line - 1].split()[0].lower() == name.lower()
            assert one["said"].startswith(str(circuit.origin(name)).removesuffix("[]"))
            assert linked[f"line-{line}"] == str(k)
            assert read.by_id(f"line-{line}").text == lines[line - 1]
        if one["cell"]:
            assert linked[one["cell"]] == str(k)
    # From the network: each weight that is not 0, and nothing else, leads to its devices.
    weights = np.asarray(small_board.realised.weights)
    cells = {one["cell"]: one for one in elements if one["cell"].startswith("weight-")}
    assert set(cells) == {f"weight-{i}-{j}" for i, j in np.argwhere(weights != 0.0)}
    for cell, one in cells.items():
        _, i, j = cell.split("-")
        assert one["devices"] == [d.name for d in circuit.devices_from("syn", (int(i), int(j)))]
    assert {"input-0-0", "bias-0", "bias-1", "resistance-0", "capacitance-1"} <= set(linked)
    # From the netlist: every device has a line with its element.
    assert sorted(name for one in elements for name in one["devices"]) == sorted(d.name for d in circuit.devices)
    names = {node.attributes["data-name"] for node in read.nodes if "data-name" in node.attributes}
    assert names <= {d.name for d in circuit.devices}


def test_drawings_unpack_to_svg_without_scripts(read: PageReader) -> None:
    drawings = read.data("drawings")
    assert [one["title"] for one in drawings] == ["neuron 0", "neuron 1"]
    svg = gzip.decompress(base64.b64decode(drawings[1]["svg"])).decode()
    assert "R_x_1" in svg
    assert "<script" not in svg


def test_the_same_board_gives_the_same_bytes(page: Path, verified: BoardVerification, tmp_path: Path) -> None:
    written = write_report(verified.board, tmp_path / "again.html", result=verified)
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()
    assert written.size == page.stat().st_size
    assert not written.runs_again


def test_budget_and_yield_are_shown_where_they_are_given(verified: BoardVerification, tmp_path: Path) -> None:
    board = verified.board
    budget = error_budget(board, only=["offset", "gain"])
    task = Pattern(signs=np.sign(verified.wave["output"].to_numpy()[-1]), middle=0.0)
    study = monte_carlo(board, task=task, samples=12, seed=3, engine="equation")
    path = tmp_path / "full.html"
    write_report(board, path, result=verified, budget=budget, study=study, drawings=())
    read = PageReader(path.read_text(encoding="utf-8"))
    assert f"{budget.dominating.states:.2e}" in read.by_id("budget").text
    assert budget.cure in read.by_id("budget").text
    shown = read.by_id("yield").text
    assert f"{study.yielded.count} of 12" in shown
    assert "margin" in shown
    assert "No drawing was given" in read.by_id("schematic").text


def test_markup_escapes_everything_but_its_own() -> None:
    hostile = "<b a='1'>&\"</b>"
    assert element("p", hostile, title=hostile) == (
        '<p title="&lt;b a=&#x27;1&#x27;&gt;&amp;&quot;&lt;/b&gt;">&lt;b a=\'1\'&gt;&amp;"&lt;/b&gt;</p>'
    )
    assert join(Html("<i>"), [hostile]) == "<i>&lt;b a='1'&gt;&amp;\"&lt;/b&gt;"
    text = data("x", {"</script>": "<!--\u2028&"})
    assert "<" not in text[text.index(">") + 1 : text.rindex("<")]
    assert json.loads(text[text.index(">") + 1 : text.rindex("<")]) == {"</script>": "<!--\u2028&"}
    assert gzip.decompress(base64.b64decode(packed(b"abc"))) == b"abc"


def fake_package(folder: Path, *, name: str = "eecircuit-engine", binary: bytes = WASM) -> Path:
    """Write what the npm package has, small, and return its folder."""
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": name, "version": "9.9.9"}))
    (folder / "LICENSE").write_text("MIT License <&>")
    address = f"data:application/wasm;base64,{base64.b64encode(binary).decode()}"
    (folder / "dist" / "eecircuit-engine.umd.js").write_text(f"load(`{address}`);load(`{address}`);")
    return folder


def test_an_engine_is_read_from_a_folder_or_an_archive(tmp_path: Path) -> None:
    folder = fake_package(tmp_path / "node_modules" / "eecircuit-engine")
    archive = tmp_path / "eecircuit-engine-9.9.9.tgz"
    with tarfile.open(archive, "w:gz") as content:
        content.add(folder, arcname="package")
    engines = [read_engine(place) for place in (folder, archive, tmp_path)]
    assert engines[0] == engines[1] == engines[2]
    engine = engines[0]
    assert (engine.version, engine.licence) == ("9.9.9", "MIT License <&>")
    assert gzip.decompress(base64.b64decode(engine.binary)) == WASM
    code = gzip.decompress(base64.b64decode(engine.script)).decode()
    assert code == "load(`data:application/wasm;base64,`);load(`data:application/wasm;base64,`);"


def test_what_is_no_engine_is_refused_with_how_to_get_it(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tgz"
    broken.write_bytes(b"no archive")
    other = io.BytesIO()
    with tarfile.open(fileobj=other, mode="w:gz"):
        pass
    (tmp_path / "empty.tgz").write_bytes(other.getvalue())
    for place, said in (
        (tmp_path / "none", "no such file or folder"),
        (tmp_path, "has no package.json"),
        (broken, "no .tgz of npm"),
        (tmp_path / "empty.tgz", "has no package.json"),
        (fake_package(tmp_path / "other", name="leftpad"), "is the package 'leftpad'"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            read_engine(place)
        assert "npm pack eecircuit-engine" in str(caught.value)
    with pytest.raises(InputError, match="does not hold its WebAssembly"):
        read_engine(fake_package(tmp_path / "changed", binary=b"other"))


def test_what_does_not_fit_is_refused(verified: BoardVerification, small_board: Board, tmp_path: Path) -> None:
    large = Engine(version="1", licence="", script="A" * 4_900_000, binary="")
    with pytest.raises(InputError, match=r"would have 5\.\d MB.*leave out `engine`"):
        write_report(small_board, tmp_path / "x.html", result=verified, engine=large)
    assert not (tmp_path / "x.html").exists()
    with pytest.raises(InputError, match="of another board"):
        write_report(small_board.with_circuit(small_board.circuit), tmp_path / "x.html", result=verified)
    with pytest.raises(InputError, match=r"must be the \.kicad_sch"):
        export_kicad(tmp_path / "missing.kicad_sch")


def test_sheets_of_kicad_are_exported_where_it_is_there(tmp_path: Path) -> None:
    if shutil.which("kicad-cli") is None:
        pytest.skip("kicad-cli is not installed, which exports the sheets of a KiCad project")
    path = tmp_path / "small.kicad_sch"
    path.write_text(
        '(kicad_sch (version 20250114) (generator "test") (uuid "6f0a1e4e-2f0c-4a0a-9f6b-1c2d3e4f5a6b") (paper "A4")\n'
        '(text "a note" (at 50 50 0) (effects (font (size 2 2))) (uuid "6f0a1e4e-2f0c-4a0a-9f6b-1c2d3e4f5a6c"))\n'
        '(sheet_instances (path "/" (page "1"))))\n'
    )
    (drawing,) = export_kicad(path)
    assert drawing.title == "small"
    assert b"<svg" in drawing.svg
    path.write_text("(kicad_sch")
    with pytest.raises(KiCadError, match="kicad-cli sch export svg: ended with status"):
        export_kicad(path)


@pytest.mark.usefixtures("ngspice")
def test_the_command_writes_a_page_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pair").mkdir()
    design = tmp_path / "pair" / "design.toml"
    design.write_text(PAIR, encoding="utf-8")
    path = tmp_path / "board.html"
    assert run(["report", str(design), "-o", str(path), "--json"]) == 0
    said, err = capsys.readouterr()
    told = json.loads(said)
    assert err == ""
    assert (told["status"], told["design"], told["runs_again"], told["size"]) == (
        "passed",
        "pair",
        False,
        path.stat().st_size,
    )
    assert PageReader(path.read_text(encoding="utf-8")).data("waves")["labels"] == ["0", "1"]
    for words, message in (
        (["-o", str(tmp_path / "board.pdf")], "must be one of .html"),
        (["-o", str(path), "--engine", str(tmp_path / "none")], "npm pack eecircuit-engine"),
        (["-o", str(path), "--samples", "0"], "must be at least 1"),
        (["-o", str(path), "--samples", "9"], "expects no answer"),
        (["-o", str(path), "--kicad", str(tmp_path / "x.sch")], "must be the .kicad_sch"),
    ):
        assert run(["report", str(design), *words]) == 2
        assert message in capsys.readouterr().err


def test_the_shipped_plotter_is_the_one_that_npm_has() -> None:
    """The script is shipped as it was published: its banner names the version, and its licence lies beside it."""
    folder = Path(__file__).resolve().parents[2] / "hopfield_hw" / "pages" / "static" / "uplot"
    assert (
        (folder / "uPlot.iife.min.js")
        .read_text(encoding="utf-8")
        .startswith("/*! https://github.com/leeoniya/uPlot (v1.6.32)")
    )
    assert "Copyright (c)" in (folder / "LICENSE").read_text(encoding="utf-8")
