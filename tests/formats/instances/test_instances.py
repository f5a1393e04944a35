"""Files of benchmark problems: what they hold, the libraries' own values, and what is refused, with its line."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hopfield_hw.formats.instances import (
    INSTANCES,
    Cities,
    Clauses,
    ProgramData,
    Qubo,
    WeightedGraph,
    find_kind,
    read_instance,
)
from hopfield_hw.values.errors import InputError

DATA = os.environ.get("HOPFIELD_HW_DATA")
TRIANGLE = "3 3\n1 2 1\n2 3 -2\n1 3 4\n"
BURMA = """\
NAME: three of Burma
TYPE: TSP
DIMENSION: 3
EDGE_WEIGHT_TYPE: GEO
NODE_COORD_SECTION
1 16.47 96.10
2 16.47 94.44
3 20.09 92.54
EOF
"""
MPS = """\
NAME SMALL
OBJSENSE
    MAX
ROWS
 N COST
 L FIRST
 G SECOND
COLUMNS
 X COST 1 FIRST 1
 Y COST 4 FIRST 1
 Y SECOND -1
RHS
 RHS FIRST 4 SECOND -7
BOUNDS
 UP BND X 4
 LO BND Y -1
ENDATA
"""
QPS = """\
* free format
NAME TINY
ROWS
 N COST
 N OTHER
 E FIRST
 L SECOND
 G THIRD
COLUMNS
 X COST 1 FIRST 1
 X OTHER 5
 MARK 'MARKER' 'intorg'
 Y COST 4 SECOND 2
 Y THIRD 1
 MARK 'MARKER' 'INTEND'
 Z FIRST 3
RHS
 FIRST 1 SECOND 6
 COST 2
RANGES
 RNG FIRST -2 SECOND 4
 RNG THIRD 3
BOUNDS
 LO BND X -2
 UP BND X 4
 UI BND Y 3
 UP BND Z -1
QUADOBJ
 X X 2
 X Y 1
 Y Y 6
ENDATA
"""
QPLIB = """\
TINY
QML # quadratic objective, mixed variables, linear constraints
maximize
2 # variables
1 # constraint
2 # entries of P
1 1 2.0
2 1 3.0
0.0 # usual q
1
2 -5.0
7.0 # constant
2
1 1 1.0
1 2 1.0
1e30
-1e30 # usual low
0
4.0 # usual high
0
0.0 # lower
0
1.0 # upper
1
2 9.0
0 # usual type
1
1 1
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_kind_comes_from_the_suffix() -> None:
    found = [find_kind(Path(name)) for name in ("g05_60.0", "G1.txt", "gka1a.sparse", "huck.col", "a.cnf", "gr17.TSP")]
    assert found == ["max_cut", "max_cut", "qubo", "colouring", "satisfiability", "travelling_salesman"]
    assert find_kind(Path("a.mat")) == find_kind(Path("a.xyz"), "program") == "program"
    with pytest.raises(InputError) as refused:
        find_kind(Path("a.xyz"))
    assert str(refused.value).startswith(
        "a.xyz: its suffix says no kind of problem; name the kind, or use one of .sparse"
    )
    with pytest.raises(InputError, match=r"^kind of file 'maxcut' is unknown: must be one of max_cut, "):
        find_kind(Path("a.txt"), "maxcut")


def test_a_graph_to_be_cut(tmp_path: Path) -> None:
    graph = read_instance(written(tmp_path, "g.0", TRIANGLE))
    assert isinstance(graph, WeightedGraph)
    assert graph.couplings.toarray().tolist() == [[0.0, 1.0, 4.0], [1.0, 0.0, -2.0], [4.0, -2.0, 0.0]]
    plain = read_instance(written(tmp_path, "plain.txt", "# a comment\n4 2\n1 2\n\n4 3\n"))
    assert isinstance(plain, WeightedGraph)
    assert (plain.size, plain.edges.tolist(), plain.weights.tolist()) == (4, [[0, 1], [2, 3]], [1.0, 1.0])


def test_an_entry_off_the_diagonal_counts_twice_in_the_one_form_and_once_in_the_other(tmp_path: Path) -> None:
    matrix = np.array([[1.0, -2.0, 0.0], [-2.0, 0.0, 3.0], [0.0, 3.0, -4.0]])
    one = read_instance(written(tmp_path, "a.sparse", "3 4\n1 1 1\n1 2 -2\n2 3 3\n3 3 -4\n"))
    other = read_instance(written(tmp_path, "b.qubo", "c once\np qubo 0 3 2 2\n0 0 1\n2 2 -4\n0 1 -4\n1 2 6\n"))
    states = np.array(list(product((0.0, 1.0), repeat=3)))
    for found in (one, other):
        assert isinstance(found, Qubo)
        assert found.values(states).tolist() == [float(x @ matrix @ x) for x in states]


def test_a_graph_to_be_coloured_has_each_edge_once(tmp_path: Path) -> None:
    graph = read_instance(written(tmp_path, "a.col", "c text\np edge 3 4\nn 1 2\ne 1 2\ne 2 1\ne 3 2\n"))
    assert isinstance(graph, WeightedGraph)
    assert graph.edges.tolist() == [[0, 1], [1, 2]]


def test_a_formula_and_the_clauses_that_a_state_satisfies(tmp_path: Path) -> None:
    formula = read_instance(written(tmp_path, "a.cnf", "c text\np cnf 3 3\n1 -2 0 2\n3 0\n-1 -3 1 0\n%\n0\n"))
    assert isinstance(formula, Clauses)
    assert formula.clauses == ((1, -2), (2, 3), (-1, -3, 1))
    assert formula.satisfied([[1, 1, 1], [-1, 1, -1]]).tolist() == [[True, True, True], [False, True, True]]


def test_distances_by_the_rules_of_the_library(tmp_path: Path) -> None:
    """153 and 510, from the first city of burma14, are the values that the library's own distance program gives."""
    cities = read_instance(written(tmp_path, "a.tsp", BURMA))
    assert isinstance(cities, Cities)
    assert cities.distances[0].tolist() == [0.0, 153.0, 510.0]
    assert cities.length([2, 1, 0]) == cities.length([0, 1, 2]) == float(np.triu(cities.distances).sum())
    places = "NODE_COORD_SECTION\n1 0 0\n2 3.0 4.5\n3 10 0\n"
    rules = {"EUC_2D": 5.0, "CEIL_2D": 6.0, "ATT": 2.0}
    for rule, distance in rules.items():
        text = f"DIMENSION : 3\nEDGE_WEIGHT_TYPE : {rule}\n{places}EOF\n"
        found = read_instance(written(tmp_path, "b.tsp", text))
        assert isinstance(found, Cities)
        assert found.distances[0, 1] == distance, rule


@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        ("FULL_MATRIX", "0 1 2 1 0 3 2 3 0"),
        ("UPPER_ROW", "1 2\n3"),
        ("LOWER_ROW", "1 2 3"),
        ("UPPER_DIAG_ROW", "0 1 2 0 3 0"),
        ("LOWER_DIAG_ROW", "0 1 0 2 3 0"),
    ],
)
def test_a_matrix_of_distances_in_every_order(order: str, numbers: str, tmp_path: Path) -> None:
    head = f"DIMENSION: 3\nEDGE_WEIGHT_TYPE: EXPLICIT\nEDGE_WEIGHT_FORMAT: {order}\nEDGE_WEIGHT_SECTION\n"
    cities = read_instance(written(tmp_path, "a.tsp", f"{head}{numbers}\nEOF\n"))
    assert isinstance(cities, Cities)
    assert cities.distances.tolist() == [[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]]


def test_places_in_a_csv_file_have_plain_distances(tmp_path: Path) -> None:
    cities = read_instance(written(tmp_path, "a.csv", "0,0\n0.3,0.4\n1,0\n"))
    assert isinstance(cities, Cities)
    assert cities.distances[0, 1] == pytest.approx(0.5)
    assert not cities.rounded


def test_programs_of_mps(tmp_path: Path) -> None:
    linear = read_instance(written(tmp_path, "a.mps", MPS))
    assert isinstance(linear, ProgramData)
    assert (linear.sign, linear.linear.tolist(), linear.hessian.nnz) == (-1.0, [-1.0, -4.0], 0)
    assert linear.constraints.toarray().tolist() == [[1.0, 1.0], [0.0, -1.0]]
    assert (linear.low.tolist(), linear.high.tolist()) == ([-np.inf, -7.0], [4.0, np.inf])
    assert (linear.lower.tolist(), linear.upper.tolist()) == ([0.0, -1.0], [4.0, np.inf])


def test_a_quadratic_program_of_mps_with_ranges_and_whole_numbers(tmp_path: Path) -> None:
    found = read_instance(written(tmp_path, "a.qps", QPS))
    assert isinstance(found, ProgramData)
    assert found.hessian.toarray().tolist() == [[2.0, 1.0, 0.0], [1.0, 6.0, 0.0], [0.0, 0.0, 0.0]]
    assert (found.linear.tolist(), found.constant) == ([1.0, 4.0, 0.0], -2.0)
    assert found.constraints.toarray().tolist() == [[1.0, 0.0, 3.0], [0.0, 2.0, 0.0], [0.0, 1.0, 0.0]]
    assert (found.low.tolist(), found.high.tolist()) == ([-1.0, 2.0, 0.0], [1.0, 6.0, 3.0])
    assert (found.lower.tolist(), found.upper.tolist()) == ([-2.0, 0.0, -np.inf], [4.0, 3.0, -1.0])
    assert found.whole.tolist() == [False, True, False]


def test_a_program_of_qplib(tmp_path: Path) -> None:
    found = read_instance(written(tmp_path, "a.qplib", QPLIB))
    assert isinstance(found, ProgramData)
    assert (found.name, found.sign, found.constant) == ("TINY", -1.0, -7.0)
    assert found.hessian.toarray().tolist() == [[-2.0, -3.0], [-3.0, 0.0]]
    assert found.linear.tolist() == [0.0, 5.0]
    assert (found.low.tolist(), found.high.tolist()) == ([-np.inf], [4.0])
    assert (found.lower.tolist(), found.upper.tolist(), found.whole.tolist()) == ([0.0, 0.0], [1.0, 9.0], [True, False])


def test_rows_of_the_identity_at_the_end_are_bounds(tmp_path: Path) -> None:
    from scipy.io import savemat

    rows = np.array([[1.0, 2.0], [1.0, 0.0], [0.0, 1.0]])
    arrays: dict[str, Any] = {"P": np.eye(2), "q": np.zeros((2, 1)), "r": [[3.0]], "A": rows}
    savemat(tmp_path / "a.mat", arrays | {"l": [[1.0], [-1e20], [0.0]], "u": [[1e20], [5.0], [1e21]]})
    found = read_instance(tmp_path / "a.mat")
    assert isinstance(found, ProgramData)
    assert found.constraints.toarray().tolist() == [[1.0, 2.0]]
    assert (found.lower.tolist(), found.upper.tolist()) == ([-np.inf, 0.0], [5.0, np.inf])
    assert (found.low.tolist(), found.high.tolist(), found.constant) == ([1.0], [np.inf], 3.0)


TSP = "DIMENSION: 3\nEDGE_WEIGHT_TYPE: EXPLICIT\nEDGE_WEIGHT_FORMAT: FULL_MATRIX\nEDGE_WEIGHT_SECTION\n"
REFUSED: dict[str, tuple[str, str, str]] = {
    "empty": ("a.txt", " \n", "a.txt: is empty; give a file that holds a problem"),
    "comments": ("a.txt", "# one\n", "a.txt: holds comments alone; give a file that holds a problem"),
    "no counts": ("a.txt", "1 2 3\n", "a.txt line 1 `1 2 3`: the first line must be `NODES ENTRIES`"),
    "a node": ("a.txt", "3 1\n1 4 1\n", "a.txt line 2 `1 4 1`: a node 4: must be from 1 to 3"),
    "not whole": ("a.txt", "3 1\n1 x 1\n", "a.txt line 2 `1 x 1`: word 2 must be a node, a whole number"),
    "not finite": ("a.txt", "3 1\n1 2 nan\n", "a.txt line 2 `1 2 nan`: a weight nan: must be finite"),
    "twice": (
        "a.txt",
        "3 2\n1 2 1\n2 1 1\n",
        "a.txt line 3 `2 1 1`: this pair of nodes is there twice, in either order; leave one out",
    ),
    "cut short": ("a.txt", "3 2\n1 2 1\n", "a.txt: has 1 entries and states 2; is the file whole?"),
    "a loop": ("a.txt", "3 1\n2 2 1\n", "a.txt: an edge joins node 2 with itself; read a matrix as kind 'qubo'"),
    "no edge": ("a.txt", "3 0\n", "a.txt: the graph has no edge; there is nothing to solve"),
    "a qubo": (
        "a.qubo",
        "p qubo 1 2 1 1\n",
        "a.qubo line 1 `p qubo 1 2 1 1`: must be `p qubo 0 NODES DIAGONALS COUPLERS`",
    ),
    "edges that are missing": (
        "a.col",
        "p edge 3 99\ne 1 2\n",
        "a.col: has 1 edges and states 99; is the file whole?",
    ),
    "no header": ("a.col", "e 1 2\n", "a.col line 1 `e 1 2`: the first line must be `p edge NODES EDGES`"),
    "a loop to colour": (
        "a.col",
        "p edge 2 1\ne 1 1\n",
        "a.col line 2 `e 1 1`: an edge joins a node with itself, so that no colouring exists",
    ),
    "a literal": ("a.cnf", "p cnf 2 1\n1 3 0\n", "a.cnf line 2 `1 3 0`: a literal 3: must be from -2 to 2"),
    "no end": (
        "a.cnf",
        "p cnf 2 1\n1 2\n",
        "a.cnf line 2 `1 2`: the last clause has no 0 at its end; is the file whole?",
    ),
    "nothing satisfies": (
        "a.cnf",
        "p cnf 2 1\n0\n",
        "a.cnf line 2 `0`: an empty clause, which nothing satisfies; leave it out",
    ),
    "clauses": ("a.cnf", "p cnf 2 2\n1 0\n", "a.cnf: has 1 clauses and states 2; is the file whole?"),
    "both ways": (
        "a.tsp",
        f"{TSP}0 1 2 1 0 3 2 4 0\n",
        "a.tsp: distances 2 to 3 and back are 3 and 4: must be the same both ways",
    ),
    "distances": ("a.tsp", f"{TSP}0 1 2\n", "a.tsp: has 3 distances: must have 9; is the file whole?"),
    "an asymmetric type": (
        "a.tsp",
        "TYPE: ATSP\n",
        "a.tsp: TYPE ATSP: must be TSP, distances that are the same both ways",
    ),
    "a rule": (
        "a.tsp",
        "DIMENSION: 3\nEDGE_WEIGHT_TYPE: XRAY1\n",
        "a.tsp: EDGE_WEIGHT_TYPE XRAY1: must be one of EXPLICIT, EUC_2D, CEIL_2D, ATT, GEO",
    ),
    "a missing city": (
        "a.tsp",
        "DIMENSION: 3\nEDGE_WEIGHT_TYPE: EUC_2D\nNODE_COORD_SECTION\n1 0 0\n3 1 1\n",
        "a.tsp: city 2 has no place; is the file whole?",
    ),
    "two cities": ("a.csv", "0,0\n1,1\n", "a.csv: has 2 cities: must have at least 3"),
    "no place": ("a.csv", "0,0\n1\n", "a.csv line 2 `1`: must be `x,y`"),
    "quadratic constraints": (
        "a.qplib",
        "A\nQCQ\n",
        "a.qplib line 2 `QCQ`: has quadratic constraints: must be linear",
    ),
    "no variables": ("a.mps", "ROWS\n N COST\nENDATA\n", "a.mps: has no variables; there is nothing to solve"),
    "no end of data": ("a.mps", "ROWS\n N COST\n", "a.mps: has no ENDATA; is the file whole?"),
    "no section": (
        "a.mps",
        "hello\n",
        "a.mps line 1 `hello`: must stand in a section of ROWS, COLUMNS, RHS, RANGES, BOUNDS, QUADOBJ",
    ),
    "a row": ("a.mps", "ROWS\n X COST\n", "a.mps line 2 `X COST`: the kind of a row must be N, L, G or E"),
    "an unknown row": (
        "a.mps",
        "ROWS\n N COST\nCOLUMNS\n X FIRST 1\n",
        "a.mps line 4 `X FIRST 1`: the row FIRST is not in the section ROWS",
    ),
    "a bound": (
        "a.mps",
        "ROWS\n N COST\nCOLUMNS\n X COST 1\nBOUNDS\n SC B X 1\n",
        "a.mps line 6 `SC B X 1`: the kind of a bound must be FR, BV, or one of LO, UP, FX, MI, PL, LI, UI",
    ),
    "a marker": (
        "a.mps",
        "ROWS\n N COST\nCOLUMNS\n M 'MARKER' 'INT'\n",
        "a.mps line 4 `M 'MARKER' 'INT'`: a marker must be 'INTORG' or 'INTEND'",
    ),
    "a cost twice": (
        "a.mps",
        "ROWS\n N COST\nCOLUMNS\n X COST 1\n X COST 2\n",
        "a.mps line 5 `X COST 2`: this entry is there twice",
    ),
    "a second set": (
        "a.mps",
        "ROWS\n N COST\n L A\nCOLUMNS\n X A 1\nRHS\n R A 5\n S A 1\n",
        "a.mps line 8 `S A 1`: a second set of RHS, S: must be one; leave the others out",
    ),
    "a row twice": (
        "a.mps",
        "ROWS\n N COST\n L A\nCOLUMNS\n X A 1\nRHS\n R A 5\n R A 1\n",
        "a.mps line 8 `R A 1`: the row A is there twice",
    ),
    "half a matrix": (
        "a.mps",
        "ROWS\n N COST\nCOLUMNS\n X COST 1\n Y COST 1\nQMATRIX\n X Y 1\nENDATA\n",
        "a.mps: QMATRIX has X Y 1 times: must have an entry and its mirror image; write QUADOBJ for one triangle",
    ),
    "a lower bound above an upper one": (
        "a.mps",
        "ROWS\n N COST\nCOLUMNS\n X COST 1\nBOUNDS\n LO B X 0\n UP B X -5\nENDATA\n",
        "a: variable 1 must be from 0 to -5: nothing is",
    ),
    "fixed edges": (
        "a.tsp",
        f"{TSP}0 1 2 1 0 3 2 3 0\nFIXED_EDGES_SECTION\n1 3\n-1\n",
        "a.tsp line 6 `FIXED_EDGES_SECTION`: must be a section of NODE_COORD_SECTION, EDGE_WEIGHT_SECTION, "
        "DISPLAY_DATA_SECTION",
    ),
    "a huge weight": (
        "a.txt",
        "2 1\n1 2 1e300\n",
        "a.txt line 2 `1 2 1e300`: a weight 1e+300: must be within 1e+100; scale all of them down",
    ),
    "an asymmetric matrix": (
        "a.qps",
        "ROWS\n N COST\nCOLUMNS\n X COST 1\n Y COST 1\nQMATRIX\n X Y 1\n Y X 2\nENDATA\n",
        "a.qps line 8 `Y X 2`: this entry and its mirror image differ: P must be symmetric",
    ),
    "bounds": (
        "a.mps",
        "ROWS\n N COST\nCOLUMNS\n X COST 1\nBOUNDS\n LO B X 3\n UP B X 2\nENDATA\n",
        "a: variable 1 must be from 3 to 2: nothing is",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_such_file_is_refused_with_its_line(case: str, tmp_path: Path) -> None:
    name, text, message = REFUSED[case]
    with pytest.raises(InputError) as refused:
        read_instance(written(tmp_path, name, text))
    assert str(refused.value) == message


def test_what_is_no_text_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "a.mat").write_bytes(b"MATLAB?")
    for name, start in (
        ("a.txt", "a.txt: is not a text file in UTF-8; give"),
        ("b.txt", "b.txt: cannot be read (No such"),
    ):
        with pytest.raises(InputError) as refused:
            read_instance(tmp_path / name)
        assert str(refused.value).startswith(start)
    with pytest.raises(InputError, match=r"^a\.mat: is no MATLAB file that can be read"):
        read_instance(tmp_path / "a.mat")


KNOWN: dict[str, Callable[[Any], float]] = {
    "tsp/ulysses16.tsp": lambda cities: (
        6859.0 - cities.length(np.array([1, 14, 13, 12, 7, 6, 15, 5, 11, 9, 10, 16, 3, 2, 4, 8]) - 1)
    ),
    "tsp/hopfield_tank10.csv": lambda cities: round(2.690670637 - cities.length([0, 2, 1, 9, 8, 7, 6, 5, 4, 3]), 8),
}


@pytest.mark.skipif(DATA is None, reason="HOPFIELD_HW_DATA names no folder of benchmark files")
@pytest.mark.parametrize("name", KNOWN)
def test_the_best_known_tours_have_their_lengths(name: str) -> None:
    assert KNOWN[name](read_instance(Path(str(DATA)) / name)) == 0.0


def test_every_kind_has_a_test() -> None:
    assert set(INSTANCES) == {"max_cut", "qubo", "colouring", "satisfiability", "travelling_salesman", "program"}
