"""The README: its Python runs, its commands are those that there are, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hopfield_hw as hh
from hopfield_hw.cli import COMMANDS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("ngspice")
def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.json", "net.npz"]
    net, same, again = (names[name] for name in ("net", "same", "again"))
    assert isinstance(net, hh.Network)
    assert isinstance(same, hh.Network)
    assert isinstance(again, hh.Network)
    assert net.graph().hash == same.graph().hash
    assert again.weights.toarray().tolist() == net.weights.tolist()


def test_its_commands_and_options_are_there() -> None:
    lines = re.findall(r"hopfield-hw ([a-z]+)([^`\n#]*)", TEXT)
    assert {command for command, _ in lines} <= set(COMMANDS)
    assert len(lines) > 6


def test_its_links_and_folders_are_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert len(links) > 1
    for link in links:
        assert (ROOT / link).is_file(), link
    for name in re.findall(r"`((?:hopfield_hw|circuits|netlists|notebooks|tests)/[\w./]*)`", TEXT):
        assert (ROOT / name.replace("/NAME", "/flip_flop")).exists(), name
