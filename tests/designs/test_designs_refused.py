"""Bad designs: each is refused by a message with the file, what was found and what is allowed; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hopfield_hw.cells import CELLS
from hopfield_hw.designs import load_design, shipped_designs
from hopfield_hw.designs.shipped import CHECKOUT
from hopfield_hw.values.errors import InputError

FLIP_FLOP = (CHECKOUT / "flip_flop" / "design.toml").read_text(encoding="utf-8")
HEAD = 'title = "T"\ncitation = "C"\n'
INLINE = "[network]\nweights = [[0.0, 1e-5], [2e-5, 0.0]]\nresistance = 1e4\ncapacitance = 1e-8\n"


def written(folder: Path, text: str, name: str = "mine") -> Path:
    (folder / name).mkdir()
    path = folder / name / "design.toml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(old: str, new: str) -> str:
    """Return the flip-flop with a piece of its text changed."""
    assert old in FLIP_FLOP
    return FLIP_FLOP.replace(old, new)


def labelled(label: str) -> str:
    return HEAD + INLINE + f"labels = [{json.dumps(label)}, 'b']\n"


def label_message(label: str) -> str:
    return (
        f"mine/design.toml: `Network.labels[0]` = {label!r}: must be letters, digits and underscores, at most 64 "
        "characters; rename it"
    )


ROW = "weights = [[0.0, -5.0e-5], [-5.0e-5, 0.0]]"
MEMORY = HEAD + '[network]\nproblem = "memory"\narguments = {recall = "3", flipped = 1, seed = 1}\n'

# What stands in mine/design.toml, and the message; one that ends in an open parenthesis is followed by details.
REFUSED: dict[str, tuple[str, str]] = {
    "unknown key": (
        changed("t_stop = 2.0e-3", "t_end = 2.0e-3"),
        "key 'analysis.t_end' is unknown: must be one of analysis.accuracy, analysis.inputs, analysis.t_stop; "
        "did you mean 'analysis.t_stop'?",
    ),
    "unknown key at the top": (
        "titel = 'T'\n" + INLINE,
        "key 'titel' is unknown: must be one of analysis, board, cases, cells, citation, delay, description, expected, "
        "network, title; did you mean 'title'?",
    ),
    "unknown key of an expectation": (
        changed("outputs = [0.9999092, -0.9999092]", "output = [1.0, -1.0]"),
        "key 'expected.output' is unknown: must be one of expected.kind, expected.outputs, expected.tolerance; "
        "did you mean 'expected.outputs'?",
    ),
    "not TOML": ("title = 'T\n[network", "is not TOML ("),
    "not text": ("\ufeff\x00", "is not TOML ("),
    "missing network": (HEAD, "`network` is missing: must have title, citation, network"),
    "empty network": (
        HEAD + "[network]\n",
        "`network`: must have one of `problem`, `family`, `file`, `weights`, has none",
    ),
    "two networks": (
        HEAD + INLINE + "problem = 'memory'\n",
        "`network`: must have one of `problem`, `family`, `file`, `weights`, has `problem` and `weights`",
    ),
    "no neuron": (
        changed(ROW, "weights = []"),
        "`Network.weights` has shape (0,): must be (n, n) with at least one neuron",
    ),
    "values beside a problem": (
        MEMORY + "resistance = 1.0\n",
        "`network.resistance`: has no meaning beside `problem`; leave it out",
    ),
    "a delay of none": (HEAD + INLINE + "[delay]\ntau = 0.0\n", "`delay`: `v_late.tau = 0.0 s`: must be positive"),
    "a delay without tau": (HEAD + INLINE + "[delay]\nhistory = 0.0\n", "`delay`: `delayed.tau` is missing"),
    "history of others": (
        HEAD + INLINE + "[delay]\ntau = 1.0\nhistory = [0.0]\n",
        "`delay`: `history of 'v'` has shape (1,): must have shape (2,)",
    ),
    "a kind of delay that is none": (
        HEAD + INLINE + "[delay]\nkind = 'late'\n",
        "`delay`: `delay.kind` 'late' is unknown: must be one of delayed, delayed_by_edge, distributed, neutral",
    ),
    "what another kind of delay has": (
        HEAD + INLINE + "[delay]\nkind = 'distributed'\nmean = 1.0\ntau = 1.0\n",
        "`delay`: `distributed`: key 'tau' is unknown: must be one of mean, order",
    ),
    "an echo that does not die out": (
        HEAD + INLINE + "[delay]\nkind = 'neutral'\nmatrices = [[[1.0, 0.0], [0.0, 1.0]]]\ntaus = [1.0]\n",
        "`delay`: the cycle through the Delays 'x_late_0' alone has a spectral radius of D = 1: must be below 1, or "
        "jumps never die out; make D smaller, or put a Leak into the cycle",
    ),
    "no capacitance": (
        changed("capacitance = 1.0e-8\n", ""),
        "`network.capacitance` is missing: `weights` need it; give one number, or one a neuron",
    ),
    "unknown problem": (
        HEAD + "[network]\nproblem = 'ad_convertor'\n",
        "problem 'ad_convertor' is unknown: must be one of ad_converter, cellular_image, decomposition, "
        "graph_colouring, max_cut, memory, program, program_by_penalty, satisfiability, sequence_memory, "
        "tour_in_valid_subspace, travelling_salesman, variational_inequality; did you mean 'ad_converter'?",
    ),
    "missing argument": (
        MEMORY,
        "problem 'memory': the argument 'patterns' is missing; must have patterns, recall, flipped, seed",
    ),
    "missing file": (
        MEMORY + "files = {patterns = 'digits.csv'}\n",
        "`network.files.patterns` = 'digits.csv': there is no such file in the design's folder",
    ),
    "file outside": (
        MEMORY + "files = {patterns = '../digits.csv'}\n",
        "`network.files.patterns` = '../digits.csv': must lie in the design's folder; put a copy of it there",
    ),
    "absolute file": (
        HEAD + "[network]\nfile = '/etc/network.json'\n",
        "`network.file` = '/etc/network.json': must lie in the design's folder; put a copy of it there",
    ),
    "missing network file": (
        HEAD + "[network]\nfile = 'network.json'\n",
        "`network.file` = 'network.json': there is no such file in the design's folder",
    ),
    "NaN weight": (
        changed(ROW, "weights = [[0.0, nan], [-5.0e-5, 0.0]]"),
        "`Network.weights[0, 1] = nan`: must be finite; replace missing or infinite values",
    ),
    "infinite weight": (
        changed(ROW, "weights = [[0.0, -5.0e-5], [-inf, 0.0]]"),
        "`Network.weights[1, 0] = -inf`: must be finite; replace missing or infinite values",
    ),
    "ragged weights": (
        changed(ROW, "weights = [[0.0], [-5.0e-5, 0.0]]"),
        "`Network.weights` = [[0.0], [-5e-05, 0.0]]: must be real numbers in a rectangular array (",
    ),
    "weights of text": (
        changed(ROW, 'weights = [[0.0, "10 kOhm"], [-5.0e-5, 0.0]]'),
        "`Network.weights` = '10 kOhm': is in ohms: must be in siemens; the conductance of 20 kOhm is '50 uS'",
    ),
    "weights not square": (
        changed(ROW, "weights = [[0.0, -5.0e-5]]"),
        "`Network.weights` has shape (1, 2): must be (n, n) with at least one neuron",
    ),
    "asymmetric": (
        changed(ROW, "weights = [[0.0, -5.0e-5], [-4.0e-5, 0.0]]"),
        "`Network.weights[0, 1]` = -5e-05 and `weights[1, 0]` = -4e-05: symmetric=True is claimed; make them equal, or "
        "drop the claim",
    ),
    "negative C": (
        changed("capacitance = 1.0e-8", "capacitance = [1e-8, -1e-8]"),
        "`Network.capacitance[1] = -1e-08 F`: must be positive",
    ),
    "zero C": (
        changed("capacitance = 1.0e-8", "capacitance = 0"),
        "`Network.capacitance[0] = 0.0 F`: must be positive",
    ),
    "negative R": (
        changed("resistance = 1.0e4", "resistance = -1.0e4"),
        "`Network.resistance[0] = -10000.0 Ohm`: must be positive",
    ),
    "unknown gain": (
        changed('kind = "tanh"', 'kind = "tan"'),
        "function kind 'tan' is unknown: must be one of tanh, logistic, piecewise_linear, arctan, algebraic, "
        "softsign, hard_limiter, table, identity, polynomial, rational, clip, softmax, dead_zone, leaky_relu, "
        "thresholded_relu, elu, softplus; did you mean 'tanh'?",
    ),
    "not a gain": (
        changed('{kind = "tanh", gain = 10.0}', '{kind = "identity"}'),
        "`network.gain` is of kind 'identity': must be a gain curve, such as 'tanh'",
    ),
    "gain without kind": (
        changed('kind = "tanh", ', ""),
        "`network.gain.kind` is missing: must have kind",
    ),
    "label with a newline": (labelled("a\n.control"), label_message("a\n.control")),
    "label that is a card": (labelled(".control"), label_message(".control")),
    "label with a space": (labelled("a b"), label_message("a b")),
    "label with a dot": (labelled("a.b"), label_message("a.b")),
    "label with a command": (labelled("a\nshell rm x"), label_message("a\nshell rm x")),
    "reserved label": (
        labelled("control"),
        "mine/design.toml: `Network.labels[0]` = 'control': is reserved in SPICE; rename it",
    ),
    "labels that collide": (
        HEAD + INLINE + "labels = ['a', 'A']\n",
        "`Network.labels`: 'a' and 'A' are one name in SPICE, which ignores case; rename one of them",
    ),
    "title of two lines": (
        changed('title = "Flip-flop', 'title = "x\\n.include /etc/passwd\\n'),
        "`title`: 'x\\n.include /etc/passwd\\n of two neurons",
    ),
    "inputs without an Input": (
        changed("[analysis]", "[analysis]\ninputs = 1.0"),
        "`analysis.inputs`: the network has no `input_weights`; leave it out",
    ),
    "inputs of another size": (
        HEAD
        + INLINE
        + "input_weights = [[1e-6], [1e-6]]\n[analysis]\ninputs = {times = [0.0], values = [[1.0, 2.0]]}\n",
        "`analysis.inputs` has 2 elements: must have 1",
    ),
    "inputs of text": (
        HEAD + INLINE + "input_weights = [[1e-6], [1e-6]]\n[analysis]\ninputs = 'sine'\n",
        "`analysis.inputs` = 'sine': must be a number, with an SI prefix and the unit V where wanted, such as '-3.3V' "
        "(m is milli, M or meg mega)",
    ),
    "t_stop": (changed("t_stop = 2.0e-3", "t_stop = 0.0"), "`analysis.t_stop = 0.0 s`: must be positive"),
    "t_stop NaN": (
        changed("t_stop = 2.0e-3", "t_stop = nan"),
        "`analysis.t_stop = nan`: must be finite; replace missing or infinite values",
    ),
    "accuracy": (
        changed("[analysis]", "[analysis]\naccuracy = -1e-4"),
        "`analysis.accuracy` = -0.0001: is an NRMSE and must be from 1e-09 to below 1, such as 1e-4",
    ),
    "unknown cell": (
        changed("[cells.inverting_integrator]", "[cells.inverting_integrater]"),
        f"`cells`: cell 'inverting_integrater' is unknown: must be one of {', '.join(CELLS)}; did you mean "
        "'inverting_integrator'?",
    ),
    "tolerance without a reason": (
        HEAD + INLINE + "[cells.ideal]\ntolerance = 1e-4\n",
        "`cells.ideal.reason` is missing: must have tolerance, reason",
    ),
    "unknown kind": (
        changed('[expected]\nkind = "settled"', '[expected]\nkind = "setled"'),
        "`expected.kind`: 'setled' is not one of ['settled', 'codes', 'recall', 'oscillation']",
    ),
    "outputs of another size": (
        changed("outputs = [0.9999092, -0.9999092]", "outputs = [1.0, -1.0, 1.0]"),
        "`expected.outputs` has shape (3,): must have shape (2,)",
    ),
    "unknown neuron": (
        HEAD
        + INLINE
        + "[expected]\nkind = 'oscillation'\nneuron = 'x_0'\nperiod = 1.0\nswing = 1.0\ntolerance = 0.1\n",
        "`expected.neuron` 'x_0' is unknown: must be one of 0, 1",
    ),
    "pieces without codes": (
        HEAD + INLINE + "[expected]\nkind = 'codes'\npieces = [[0.0, 1.0]]\nvisited = []\ndwell = 0.1\n",
        "`expected` has 1 pieces and 0 rows of visited codes: must have as many of each, at least one",
    ),
    "pieces that run backwards": (
        HEAD + INLINE + "[expected]\nkind = 'codes'\npieces = [[1.0, 0.0]]\nvisited = [[0]]\ndwell = 0.1\n",
        "`expected.pieces`: each must start before it stops",
    ),
    "case by another name": (
        changed('name = "other_state"', 'name = "other state"'),
        "`cases[0].name`: 'other state' does not match '^[A-Za-z0-9][A-Za-z0-9_]*$'",
    ),
    "case there twice": (
        FLIP_FLOP + FLIP_FLOP[FLIP_FLOP.index("[[cases]]") : FLIP_FLOP.index("[cells.ideal]")],
        "`cases[1]`: name 'other_state' is there twice: rename one",
    ),
    "case with arguments and no problem": (
        changed("initial = [0.05, 0.10]", "arguments = {seed = 1}"),
        "`cases[0]`: `arguments`: only a network by `problem` or `family` has them; leave them out, or give `initial`",
    ),
    "case with an initial state of another size": (
        changed("initial = [0.05, 0.10]", "initial = [0.05]"),
        "`cases[0]`: `Network.initial` has shape (1,): must have shape (2,)",
    ),
}


def snapshot(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is also where we are and where temporary files go."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_bad_design_is_refused_and_nothing_written(here: Path, text: str, message: str) -> None:
    path = written(here, text)
    before = snapshot(here)
    with pytest.raises(InputError) as caught:
        load_design(path)
    start = "" if message.startswith("mine/") else "mine/design.toml: "
    found = str(caught.value)
    assert found.startswith(start + message)
    assert found == start + message or message.endswith(("(", "two neurons"))
    assert caught.value.exit_status == 2
    assert snapshot(here) == before


NAMES = ", ".join(shipped_designs())
FIX = "or give the path of a folder with a design.toml, of a design.toml, or of a network .json"

NOT_THERE: dict[str, tuple[Callable[[Path], str | Path], str]] = {
    "unknown name": (
        lambda _: "flipflop",
        f"design 'flipflop' is unknown: must be one of {NAMES}; did you mean 'flip_flop'?; {FIX}",
    ),
    "name of nothing like it": (lambda _: "xyz", f"design 'xyz' is unknown: must be one of {NAMES}; {FIX}"),
    "name that is a command": (
        lambda _: "a\n.control",
        "'a\\n.control': must be a folder with a design.toml, a design.toml, or a network .json",
    ),
    "very long name": (lambda _: "x" * 5000, f"design '{'x' * 79} is unknown: must be one of {NAMES}; {FIX}"),
    "no such file": (
        lambda _: "none/design.toml",
        "'none/design.toml': there is no such file; give the path of a design.toml or of a network .json",
    ),
    "folder without a design": (
        lambda folder: _made(folder / "empty"),
        "'empty/design.toml': there is no such file; give the path of a design.toml or of a network .json",
    ),
    "other file": (
        lambda _: Path("deck.cir"),
        "'deck.cir': must be a folder with a design.toml, a design.toml, or a network .json",
    ),
    "folder whose name would be a netlist line": (
        lambda folder: written(folder, FLIP_FLOP, "x\n.include y").relative_to(folder),
        "'x\\n.include y/design.toml': the folder's name goes into netlists: must be printable; rename it",
    ),
    "JSON that is none": (
        lambda folder: _file(folder / "net.json", "{'weights': 1"),
        "net.json: is not JSON (",
    ),
    "JSON with NaN": (
        lambda folder: _file(folder / "net.json", '{"format": NaN}'),
        "net.json: is not JSON (NaN is not a JSON number)",
    ),
    "other JSON": (lambda folder: _file(folder / "net.json", "[]"), "net.json: `network`: [] is not of type 'object'"),
    "JSON whose name would be a netlist line": (
        lambda folder: _file(folder / "a\n.end.json", "{}"),
        "'a\\n.end.json': the file's name goes into netlists: must be printable; rename it",
    ),
}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return Path(folder.name)


def _file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return Path(path.name)


@pytest.mark.parametrize(("make", "message"), NOT_THERE.values(), ids=NOT_THERE)
def test_what_is_not_there_is_refused(here: Path, make: Callable[[Path], str | Path], message: str) -> None:
    given = make(here)
    before = snapshot(here)
    with pytest.raises(InputError) as caught:
        load_design(given)
    assert str(caught.value).startswith(message)
    assert str(caught.value) == message or message.endswith("(")
    assert snapshot(here) == before


def test_a_design_in_the_folder_of_a_bad_network_says_where_it_is(here: Path) -> None:
    path = written(here, HEAD + "[network]\nfile = 'network.json'\n")
    (path.parent / "network.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"^mine/design\.toml: network\.json: is not JSON \("):
        load_design(path)
