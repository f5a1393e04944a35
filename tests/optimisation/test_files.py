"""From a benchmark file to an answer: judged by the file alone, against enumeration where it is small enough."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

import hopfield_hw.optimisation.travelling_salesman as travelling_salesman
from hopfield_hw.formats.instances import Clauses, WeightedGraph, read_instance
from hopfield_hw.optimisation import SOLVERS, Effort, Solution, Tours, solve
from hopfield_hw.optimisation.colouring import count_clashes, find_clique
from hopfield_hw.optimisation.linear_quadratic import duality_gap, is_within
from hopfield_hw.optimisation.max_cut import cut_bound, cut_value
from hopfield_hw.optimisation.satisfiability import write_in_threes
from hopfield_hw.pictures.solutions import plot_solution
from hopfield_hw.problems import QuadraticProgram
from hopfield_hw.values.errors import AccuracyError, InputError

LITTLE = Effort(reads=32, seed=3)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def max_cut_file(folder: Path, n: int, seed: int, *, whole: bool = True) -> Path:
    rng = np.random.default_rng(seed)
    edges = [(i, j) for i in range(n) for j in range(i) if rng.random() < 0.6]
    weights = rng.integers(-3, 6, len(edges)) if whole else rng.normal(size=len(edges))
    lines = [f"{i + 1} {j + 1} {w}" for (i, j), w in zip(edges, weights.tolist(), strict=True)]
    return written(folder, "graph.txt", f"{n} {len(edges)}\n" + "\n".join(lines) + "\n")


@pytest.mark.parametrize("whole", [True, False])
def test_a_cut_is_the_largest_of_all_and_below_its_bound(whole: bool, tmp_path: Path) -> None:
    path = max_cut_file(tmp_path, 12, 5, whole=whole)
    graph = read_instance(path)
    assert isinstance(graph, WeightedGraph)
    best = max(cut_value(graph, sides) for sides in product((0, 1), repeat=12))
    found = solve(path, LITTLE)
    assert found.value == pytest.approx(best, abs=1e-9)
    assert found.value == cut_value(graph, found.answer)
    assert found.valid
    assert best <= cut_bound(graph) + 1e-9
    assert found.values.max() == pytest.approx(best, abs=1e-4)  # single precision where weights are not whole


def test_a_cut_that_reaches_its_bound_is_optimal(tmp_path: Path) -> None:
    """An even ring, whose edges are all cut; of an odd one the bound is whole too."""
    for n, best in ((8, 8.0), (7, 6.0)):
        ring = f"{n} {n}\n" + "\n".join(f"{k + 1} {(k + 1) % n + 1}" for k in range(n)) + "\n"
        found = solve(written(tmp_path, f"ring{n}.txt", ring), LITTLE)
        assert (found.value, found.verdict, found.bound) == (best, "optimal", best)


def test_no_bound_is_below_a_cut() -> None:
    """Of weights below 0 alone, of which the largest cut is 0, and above the size from which eigsh takes over."""
    rng = np.random.default_rng(7)
    for n, low, high in ((5, -4, -1), (9, -3, 4), (450, -2, 3)):
        i, j = np.triu_indices(n, 1)
        keep = rng.random(i.size) < min(1.0, 8.0 / n)
        weights = rng.integers(low, high, int(keep.sum())).astype(float)
        edges = np.stack([i[keep], j[keep]], axis=1)
        graph = WeightedGraph(name="g", size=n, edges=edges, weights=weights)
        cuts = [cut_value(graph, rng.integers(0, 2, n)) for _ in range(200)]
        assert max(0.0, *cuts) <= cut_bound(graph)
    assert cut_bound(WeightedGraph(name="g", size=2, edges=np.array([[0, 1]]), weights=np.array([-1.0]))) == 0.0


def test_pieces_of_a_graph_are_told(tmp_path: Path) -> None:
    found = solve(written(tmp_path, "two.txt", "5 2\n1 2 1\n3 4 1\n"), LITTLE)
    assert found.more["graph"] == "in 3 pieces, solved together"
    assert found.value == 2.0


def test_a_qubo_is_the_least_of_all_states(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    q = np.triu(rng.integers(-9, 10, (10, 10)))
    entries = [f"{i + 1} {j + 1} {q[i, j]}" for i, j in zip(*np.nonzero(q), strict=True)]
    path = written(tmp_path, "q.sparse", f"10 {len(entries)}\n" + "\n".join(entries) + "\n")
    matrix = (q + q.T - np.diag(q.diagonal())).astype(float)
    best = min(float(np.array(x) @ matrix @ np.array(x)) for x in product((0, 1), repeat=10))
    found = solve(path, Effort(reads=64, seed=1))
    assert found.value == best
    assert float(found.answer @ matrix @ found.answer) == best


def test_the_fewest_colours_are_proved_by_a_clique(tmp_path: Path) -> None:
    """A wheel of five spokes needs four colours, and its largest clique is a triangle; one of six needs three."""

    def wheel(n: int) -> Path:
        edges = [(1, k + 2) for k in range(n)] + [(k + 2, (k + 1) % n + 2) for k in range(n)]
        text = "".join(f"e {i} {j}\n" for i, j in edges)
        return written(tmp_path, f"wheel{n}.col", f"p edge {n + 1} {len(edges)}\n{text}")

    five, six = solve(wheel(5), LITTLE), solve(wheel(6), LITTLE)
    assert (five.value, five.verdict, five.bound) == (4.0, "valid", 3.0)
    assert (six.value, six.verdict) == (3.0, "optimal")
    graph = read_instance(wheel(5))
    assert isinstance(graph, WeightedGraph)
    assert count_clashes(graph, five.answer) == 0
    assert len(find_clique(graph)) == 3
    few = solve(wheel(5), LITTLE, colours=3)
    assert (few.verdict, few.what, few.value) == ("invalid", "edges within one of 3 colours", 1.0)


def test_a_formula_of_any_clauses_in_threes_is_satisfied_by_the_same_values() -> None:
    formula = Clauses(name="f", size=5, clauses=((1,), (2, -3), (-1, 4, 5), (-2, -4, 3, 5, -1), (1, -1), (3, -5)))
    threes = write_in_threes(formula)
    for signs in product((-1, 1), repeat=5):
        further = product((-1, 1), repeat=threes.variables - 5)
        held = any(threes.unsatisfied(np.array([*signs, *more])) == 0 for more in further)
        assert held == bool(formula.satisfied(signs).all()), signs


def test_a_formula_is_satisfied_or_nothing_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, "a.cnf", "p cnf 5 5\n1 0\n2 -3 0\n-1 4 5 0\n-2 -4 3 5 0\n3 -5 0\n")
    found = solve(path, LITTLE)
    formula = read_instance(path)
    assert isinstance(formula, Clauses)
    assert found.verdict == "optimal"
    assert formula.satisfied(found.answer).all()
    none = solve(written(tmp_path, "b.cnf", "p cnf 1 2\n1 0\n-1 0\n"), Effort(reads=4))
    assert (none.verdict, none.best_reads, none.answer.size) == ("invalid", 0, 1)
    assert (none.value, none.what) == (1.0, "clauses satisfied of 2")
    assert ("clauses satisfied of 2", "1") in none.rows()
    assert none.rests_on == "that no run satisfied all; whether anything does is not known, try more reads"


def test_a_tour_is_the_shortest_of_all(tmp_path: Path) -> None:
    places = np.random.default_rng(4).uniform(size=(7, 2))
    path = written(tmp_path, "a.csv", "\n".join(f"{x!r},{y!r}" for x, y in places.tolist()))
    found = solve(path, LITTLE)

    def length(tour: tuple[int, ...]) -> float:
        return float(np.hypot(*(places[list(tour)] - places[np.roll(tour, -1)]).T).sum())

    assert found.value == pytest.approx(min(length((0, *rest)) for rest in permutations(range(1, 7))), rel=1e-9)
    assert (found.verdict, sorted(found.answer.tolist())) == ("optimal", list(range(7)))
    assert "2-opt beside it" in found.more


def test_a_program_is_judged_by_its_optimality_conditions(tmp_path: Path) -> None:
    """min x^2 + y^2 - 2 x - 5 y with x + y <= 2, within [0, 3]: at (1/4, 7/4), by hand; turned round, the largest."""
    rows = "ROWS\n N COST\n L SUM\nCOLUMNS\n X COST {x} SUM 1\n Y COST {y} SUM 1\nRHS\n RHS SUM 2\n"
    rest = "BOUNDS\n UP BND X 3\n UP BND Y 3\nQUADOBJ\n X X {p}\n Y Y {p}\nENDATA\n"
    least = solve(written(tmp_path, "a.mps", (rows + rest).format(x=-2, y=-5, p=2)))
    assert least.answer.tolist() == pytest.approx([0.25, 1.75], abs=1e-8)
    assert (least.verdict, least.value) == ("optimal", pytest.approx(0.25**2 + 1.75**2 - 0.5 - 8.75, abs=1e-8))
    most = solve(written(tmp_path, "b.mps", "OBJSENSE MAX\n" + (rows + rest).format(x=2, y=5, p=-2)))
    assert most.value == pytest.approx(-least.value, abs=1e-8)


def test_a_tour_that_is_not_the_shortest_is_not_called_optimal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the network ends at; here at a tour that crosses itself."""
    bad = Tours(lengths=np.array([2.0 + 2.0 * np.sqrt(2.0)]), tours=np.array([[0, 2, 1, 3]]))
    monkeypatch.setattr(travelling_salesman, "anneal_tours", lambda *_, **__: bad)
    found = solve(written(tmp_path, "a.csv", "0,0\n1,0\n1,1\n0,1\n"), LITTLE)
    assert (found.verdict, found.bound) == ("valid", 4.0)
    assert found.value == pytest.approx(2.0 + 2.0 * np.sqrt(2.0))


def test_limits_are_judged_by_their_own_terms_and_a_gap_by_weak_duality() -> None:
    program = QuadraticProgram(
        linear=np.array([-1.0, 0.0]),
        quadratic=np.eye(2),
        rows=np.array([[1.0, 1e6]]),
        rows_upper=np.array([1e6]),
        lower=np.array([0.0, 0.0]),
        upper=np.array([3.0, 5.0]),
    )
    assert is_within(program, np.array([1.0, 0.999999]))
    assert not is_within(program, np.array([1.0, 1.00001]))  # the row
    assert not is_within(program, np.array([-1e-3, 0.0]))  # a variable
    assert duality_gap(program, np.array([1.0, 0.0]), np.zeros(1)) == 0.0
    # f(2, 0) - f(1, 0) = 1/2, and the bound by the slope 1 at x = 2 over [0, 3] is 2.
    assert duality_gap(program, np.array([2.0, 0.0]), np.zeros(1)) == 2.0


@pytest.mark.parametrize(
    ("name", "text", "best"),
    [
        (
            "one slope dwarfs the other",
            " N C\nCOLUMNS\n X C 1e12\n Y C 1\nBOUNDS\n UP B X 1\n LO B Y -1e4\n UP B Y 1e4\n",
            -1e4,
        ),
        (
            "a slope of 1e-12 over 1e15",
            " N C\nCOLUMNS\n X C -1\n Y C -1e-12\nBOUNDS\n UP B X 3\n UP B Y 1e15\nQUADOBJ\n X X 1\n",
            -1000.5,
        ),
    ],
)
def test_a_program_of_unlike_scales_is_optimal_only_where_it_is(
    name: str, text: str, best: float, tmp_path: Path
) -> None:
    """What is left of the objective counts by the limits, not by the largest number in the file."""
    try:
        found = solve(written(tmp_path, "a.mps", f"ROWS\n{text}ENDATA\n"))
    except AccuracyError:
        return
    assert found.verdict != "optimal" or found.value == pytest.approx(best, rel=1e-6), name


def test_tours_of_three_cities_are_all_one(tmp_path: Path) -> None:
    found = solve(written(tmp_path, "a.csv", "0,0\n3,0\n0,4\n"), Effort(reads=4))
    assert (found.verdict, found.value) == ("optimal", 12.0)


REFUSED: dict[str, tuple[str, str, dict[str, object], str]] = {
    "an option": (
        "a.txt",
        "2 1\n1 2\n",
        {"colours": 3},
        "`colours`: a problem of the kind 'max_cut' has no such option",
    ),
    "a preset": ("a.txt", "2 1\n1 2\n", {"preset": "none"}, "preset 'none' is unknown: must be one of ballistic, "),
    "a preset of another kind": (
        "a.col",
        "p edge 2 1\ne 1 2\n",
        {"preset": "ballistic"},
        "`BallisticBifurcation` does not anneal models of kind 'grouped': must be one of ising",
    ),
    "no presets": ("a.csv", "0,0\n1,0\n0,1\n", {"preset": "ballistic"}, "`preset` = 'ballistic': a tour is found by"),
    "infeasible": (
        "a.mps",
        "ROWS\n N C\n G A\n L B\nCOLUMNS\n X C 1 A 1\n X B 1\nRHS\n R A 2 B 1\nENDATA\n",
        {},
        "a: QuadraticProgram: is infeasible, as no x lies within all its limits",
    ),
    "unbounded": (
        "a.mps",
        "ROWS\n N C\nCOLUMNS\n X C -1\nENDATA\n",
        {},
        "a: QuadraticProgram: is unbounded, as its objective has no least value within the limits; add a limit",
    ),
    "indefinite": (
        "a.mps",
        "ROWS\n N C\nCOLUMNS\n X C 1\nBOUNDS\n UP B X 1\nQUADOBJ\n X X -2\nENDATA\n",
        {},
        "a: `QuadraticProgram.quadratic` has the eigenvalue -2: is indefinite, so that there may be many local minima",
    ),
    "whole": (
        "a.mps",
        "ROWS\n N C\nCOLUMNS\n X C 1\nBOUNDS\n BV B X\nENDATA\n",
        {},
        "a: 1 variables must be whole numbers: must be continuous; drop the condition, or write the program as a QUBO",
    ),
    "always true": (
        "a.cnf",
        "p cnf 1 1\n1 -1 0\n",
        {},
        "a: all its clauses are always true; there is nothing to solve",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_solved_is_refused(case: str, tmp_path: Path) -> None:
    name, text, given, message = REFUSED[case]
    options = dict(given)
    effort = Effort(reads=4, preset=options.pop("preset", None))  # type: ignore[arg-type]
    with pytest.raises(InputError) as refused:
        solve(written(tmp_path, name, text), effort, **options)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(("name", "value"), [("reads", 0), ("seed", -1), ("reads", 2.5)])
def test_an_effort_is_checked(name: str, value: object) -> None:
    with pytest.raises(InputError, match=f"^`{name}` = "):
        Effort(**{name: value})  # type: ignore[arg-type]


def test_all_follows_from_the_seed(tmp_path: Path) -> None:
    path = max_cut_file(tmp_path, 30, 1)
    one, again, other = (solve(path, Effort(reads=16, seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.values, again.values)
    assert not np.array_equal(one.values, other.values)


def test_pictures_of_every_kind(tmp_path: Path) -> None:
    problems = {
        "a.txt": "3 3\n1 2 1\n2 3 1\n1 3 2\n",
        "a.sparse": "2 2\n1 1 -1\n1 2 2\n",
        "a.col": "p edge 3 2\ne 1 2\ne 2 3\n",
        "a.cnf": "p cnf 3 1\n1 2 3 0\n",
        "a.csv": "0,0\n1,0\n0,1\n1,1\n",
        "a.mps": "ROWS\n N C\nCOLUMNS\n X C 1\nENDATA\n",
    }
    kinds = set()
    for name, text in problems.items():
        found = solve(written(tmp_path, name, text), Effort(reads=8))
        assert isinstance(found, Solution)
        plot_solution(found, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
        kinds.add(found.kind)
    assert kinds == set(SOLVERS)
