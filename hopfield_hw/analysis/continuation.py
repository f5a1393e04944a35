"""Branches of equilibria as a parameter changes: pseudo-arclength continuation, with unstable branches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from ..values.arrays import Array, freeze, whole
from ..values.errors import InputError
from .arc import Arc, Family
from .branches import Branch, Diagram, PointKind, SpecialPoint
from .newton import newton
from .root_paths import Paths, deepest_dip, exchange, matched, paths

STEP, SHORTEST = 0.01, 1e-7  # of the arc, in units of the states and of the range
LONGEST = 6.0  # times the first step
STRAIGHT = 0.97  # the cosine of the largest angle between two tangents
DIP = 0.2  # of what a root is off the border at the nearer end of a step: where it may come so near, the step is halved
HALVINGS, MOST_HALVINGS = 8, 24  # at most, and where it seems to cross and come back
CLOSE = 2e-4  # of the arc: two roots that cross in opposite ways within it are not told apart
STRAIGHT_LENGTH = 1e-3  # of the arc: roots that seem to cross in opposite ways within it do so
MOST_BRANCHES = 24
SAME = 1e-4
KERNEL = 1e-4
JUMP = 1e-3


class _Node(NamedTuple):
    """A point of an arc with its tangent, its roots to the right, the sign of the branch test, and the roots' paths."""

    u: Array
    tangent: Array
    unstable: int
    determinant: float
    paths: Paths


class _Event(NamedTuple):
    kind: PointKind
    u: Array
    tangent: Array
    frequency: float
    off: float


def continue_equilibria(
    family: Family,
    start: Any,
    bounds: tuple[float, float],
    *,
    at: float | None = None,
    inputs: Any = None,
    switch: bool = True,
    step: float = STEP,
    most_points: int = 2000,
) -> Diagram:
    """Follow an equilibrium of F(x, p) = 0 over a range of the parameter p, stable or not.

    Pseudo-arclength continuation (H. B. Keller 1977): each point is a tangent step, corrected by Newton's method in
    the plane across it, so that a branch is followed around its folds. Test functions are followed to their zeros along
    the arc: the tangent's part in p at folds, det [dF/d(x, p); t] at branch points, and the real part of the pair of
    roots nearest the imaginary axis at Hopf points. Equilibria of a delay equation are those of the equation without
    delays; its characteristic roots tell their stability, so p may be a delay.

    Within a step two crossings may cancel, as at two folds next to each other, where a pair of roots crosses and comes
    back, or where one root crosses to the right and another to the left. So the roots are looked at again a little
    further along the tangent at each point, and each is followed to where the tangents at both ends of a step lead it.
    A step over which the cubic through growth and slope at its ends comes near 0 is halved, up to 8 times, and up to 24
    times where that crosses 0; one over which two roots cross in opposite ways, down to a length of 2e-4. What is not
    told by then is an "unresolved" point. What leaves no trace at the ends of a step is not seen; `Branch.resolution`
    says how long the steps were, and a shorter `step` looks closer.

    `family`: p -> graph (or what has one), smooth in p, with the same states (at a corner of a gain where it
    turns sharply a branch ends). `start`: (n,), volts, near an equilibrium at the parameter `at` (the lower bound by
    default). `bounds`: (low, high) of p. `switch`: whether the other branches at branch points are followed as well.
    `step`: the first length of arc, and a sixth of the longest. `most_points`: of one branch.

    Raises InputError for bounds out of order, no equilibrium near the start, and a graph as `find_equilibria` does.
    """
    if not isinstance(bounds, list | tuple) or len(bounds) != 2:
        raise InputError(f"`bounds` = {bounds!r:.60}: must be (low, high) of the parameter")
    low, high = (float(freeze(end, f"bounds[{k}]", shape=())) for k, end in enumerate(bounds))
    if not low < high:
        raise InputError(f"`bounds` = ({low:g}, {high:g}): low must be below high")
    first = low if at is None else float(freeze(at, "at", shape=()))
    if not low <= first <= high:
        raise InputError(f"`at` = {first:g}: must be from {low:g} to {high:g}, the bounds")
    length = float(freeze(step, "step", shape=()))
    if not 0.0 < length <= 1.0:
        raise InputError(f"`step` = {length:g}: must be above 0 and at most 1, the range of the parameter")
    most = whole(most_points, "most_points", 2, 1_000_000)
    arc = Arc(family, low, high, inputs)
    x = freeze(start, "start", shape=(arc.n,))
    q = (first - low) / (high - low)
    balance = arc.balance(q)
    found = newton(balance.values, balance.jacobians, x[np.newaxis], arc.scale)
    if not len(found):
        raise InputError(
            f"`start`: Newton's method finds no equilibrium from it at the parameter {first:g}; start at one that "
            "`find_equilibria` gives"
        )
    u = np.append(found[0] / arc.scale, q)
    up = np.append(np.zeros(arc.n), 1.0)
    tangent = arc.tangent(u, up)
    forward, backward = (_follow(arc, u, way * tangent, length, most) for way in (1.0, -1.0))
    branches = [_join(arc, backward, forward)]
    pending = [(0, event) for event in (*backward.events, *forward.events) if event.kind == "branch"]
    seen: list[Array] = []
    while switch and pending and len(branches) < MOST_BRANCHES:
        parent, event = pending.pop(0)
        if any(float(np.max(np.abs(event.u - other))) < SAME for other in seen):
            continue
        seen.append(event.u)
        for way in _directions(arc, event):
            run = _switch(arc, event, way, length, most, branches)
            if run is None:
                continue
            branches.append(_as_branch(arc, run, parent=parent))
            pending += [(len(branches) - 1, other) for other in run.events if other.kind == "branch"]
    return Diagram(branches=tuple(branches))


class _Run(NamedTuple):
    nodes: list[_Node]
    events: list[_Event]
    places: list[int]  # of the events: the node after each
    end: str


def _follow(arc: Arc, u: Array, tangent: Array, step: float, most: int) -> _Run:
    """Follow an arc from a point along a tangent, up to the range's end."""
    run = _Run([_node(arc, u, tangent)], [], [], "")
    longest, length, start = LONGEST * step, step, u
    while len(run.nodes) < most:
        last = run.nodes[-1]
        guess = last.u + length * last.tangent
        if not 0.0 <= guess[-1] <= 1.0:
            end = 0.0 if guess[-1] < 0.0 else 1.0
            if abs(end - last.u[-1]) < 1e-12:
                return run._replace(end="the end of the range")
            part = (end - last.u[-1]) / last.tangent[-1]
            found = arc.at_parameter(last.u + part * last.tangent, end)
            if found is not None and float(np.linalg.norm(found - last.u)) <= 2.0 * length:
                _append(arc, run, found)
                return run._replace(end="the end of the range")
            corrected = None
        else:
            corrected = arc.correct(guess, last.tangent)
        if corrected is not None:
            new = arc.tangent(corrected[0], last.tangent)
            far = float(np.linalg.norm(corrected[0] - guess)) > length
            if not far and (float(new @ last.tangent) >= STRAIGHT or length <= 1e-4):
                _append(arc, run, corrected[0])
                if corrected[1] <= 4:
                    length = min(1.5 * length, longest)
                if len(run.nodes) > 5 and _closes(run, start, length):
                    return run._replace(end="it closes")
                continue
        length *= 0.5
        if length < SHORTEST:
            return run._replace(end="no step goes on")
    return run._replace(end="as many points as asked for")


def _closes(run: _Run, start: Array, length: float) -> bool:
    """Whether the arc has come back to where it began, in the same direction."""
    first, last = run.nodes[0], run.nodes[-1]
    return float(np.linalg.norm(last.u - start)) < length and float(first.tangent @ last.tangent) > STRAIGHT


def _node(arc: Arc, u: Array, tangent: Array) -> _Node:
    found = paths(arc, u, tangent, arc.roots(u))
    return _Node(u, tangent, int(np.sum(found.growth > 0.0)), arc.determinant(u, tangent), found)


def _append(arc: Arc, run: _Run, u: Array) -> None:
    """Put a point at the end of a run, and what happened on the way to it."""
    last = run.nodes[-1]
    _between(arc, run, last, _node(arc, u, arc.tangent(u, last.tangent)), 0)


def _between(arc: Arc, run: _Run, last: _Node, node: _Node, halvings: int) -> None:
    """Put a point at the end of a run, and one in the middle before it where a root may cross and come back."""
    length = float(np.linalg.norm(node.u - last.u))
    first, second = matched(last.paths, node.paths, length)
    dip, exchanged = deepest_dip(first[:2], second[:2], length), exchange(first, second)
    halve = dip < DIP and halvings < (HALVINGS if dip > 0.0 else MOST_HALVINGS)
    if halve or (exchanged and halvings < MOST_HALVINGS and length > CLOSE):
        found = arc.correct(0.5 * (last.u + node.u), last.tangent)
        if found is not None:
            before = len(run.events)
            middle = _node(arc, found[0], arc.tangent(found[0], last.tangent))
            _between(arc, run, last, middle, halvings + 1)
            _between(arc, run, middle, node, halvings + 1)
            if exchanged and length <= STRAIGHT_LENGTH and len(run.events) == before:
                _leave(run, node)
            return
    _put(arc, run, last, node)
    if (dip <= 0.0 or exchanged) and run.places[-1:] != [len(run.nodes) - 1]:
        _leave(run, node)


def _leave(run: _Run, node: _Node) -> None:
    """Say that a step, which ends at this point, is not resolved."""
    run.events.append(_Event("unresolved", node.u, node.tangent, np.nan, np.nan))
    run.places.append(len(run.nodes) - 1)


def _put(arc: Arc, run: _Run, last: _Node, node: _Node) -> None:
    found: list[_Event] = []
    real = 0
    if last.tangent[-1] * node.tangent[-1] < 0.0:
        found.append(_locate(arc, last, node, "fold", lambda u, t: float(t[-1])))
        real += 1
    if last.determinant * node.determinant < 0.0:
        found.append(_locate(arc, last, node, "branch", arc.determinant))
        real += 1
    change = abs(node.unstable - last.unstable)
    if change > real:
        found = _locate_crossings(arc, last, node, found)
    elif arc.is_map and change != real:
        found.append(_locate_hidden(arc, last, node))
    for event in sorted(found, key=lambda one: float((one.u - last.u) @ last.tangent)):
        run.events.append(event)
        run.places.append(len(run.nodes))
    run.nodes.append(node)


def _along(arc: Arc, last: _Node, node: _Node) -> tuple[Callable[[float], tuple[Array, Array]], float]:
    """Return what gives point and tangent at a length along the first one's tangent, and the length of the second."""
    total = float((node.u - last.u) @ last.tangent)

    def place(s: float) -> tuple[Array, Array]:
        guess = last.u + (node.u - last.u) * (s / total)
        guess = guess + (s - float((guess - last.u) @ last.tangent)) * last.tangent
        found = arc.correct(guess, last.tangent)
        u = guess if found is None else found[0]
        return u, arc.tangent(u, last.tangent)

    return place, total


def _locate(arc: Arc, last: _Node, node: _Node, kind: PointKind, test: Callable[[Array, Array], float]) -> _Event:
    """Follow a test function to its zero between two points."""
    place, total = _along(arc, last, node)
    ends = test(last.u, last.tangent), test(node.u, node.tangent)
    if ends[0] * ends[1] >= 0.0:
        s = 0.0 if abs(ends[0]) <= abs(ends[1]) else total
    else:

        def at(s: float) -> float:
            if s <= 0.0 or s >= total:
                return ends[0] if s <= 0.0 else ends[1]
            return test(*place(s))

        s = float(brentq(at, 0.0, total, xtol=1e-15 * max(total, 1e-3), rtol=1e-14, maxiter=200))
    u, tangent = place(s) if 0.0 < s < total else ((last.u, last.tangent) if s <= 0.0 else (node.u, node.tangent))
    off = abs(test(u, tangent)) / max(abs(ends[0]), abs(ends[1]), 1e-300)
    return _Event("corner" if off > JUMP else kind, u, tangent, np.nan, off)


def _locate_crossings(arc: Arc, last: _Node, node: _Node, known: list[_Event]) -> list[_Event]:
    """Follow each root that changes sides to the border: with real parts in descending order, each in its place."""
    found = list(known)
    first, end = sorted((last.unstable, node.unstable))
    k = first
    while k < end:

        def test(u: Array, tangent: Array, k: int = k) -> float:
            growth = np.sort(arc.growth(arc.roots(u)))[::-1]
            return float(growth[k]) if k < growth.size else -1.0

        event = _locate(arc, last, node, "hopf", test)
        roots = arc.roots(event.u)
        order = np.argsort(-arc.growth(roots), kind="stable")
        event, is_pair = _named(arc, event, complex(roots[order[min(k, roots.size - 1)]]))
        k += 2 if is_pair else 1
        # A real root is at the fold or branch point that is known; of several at once, one tells all.
        same = event.kind in ("branch", "corner")
        if not (same and any(float(np.max(np.abs(event.u - other.u))) < SAME for other in found)):
            found.append(event)
    return found


def _locate_hidden(arc: Arc, last: _Node, node: _Node) -> _Event:
    """Follow the multiplier nearest the border, where one at 1 hides its crossing in the count."""

    def test(u: Array, tangent: Array) -> float:
        return arc.crossing(arc.roots(u))[0]

    if test(last.u, last.tangent) * test(node.u, node.tangent) > 0.0:
        return _Event("unresolved", node.u, node.tangent, np.nan, np.nan)
    event = _locate(arc, last, node, "hopf", test)
    return _named(arc, event, arc.crossing(arc.roots(event.u))[1])[0]


def _named(arc: Arc, event: _Event, root: complex) -> tuple[_Event, bool]:
    """Return a crossing with what it is, by the root that crosses, and whether that is one of a pair."""
    size = max(float(np.max(np.abs(arc.roots(event.u)))), 1e-300)
    is_pair = abs(root.imag) > 1e-6 * (1.0 if arc.is_map else size)
    if event.kind == "corner":
        smooth = not arc.balance(float(event.u[-1])).has_jumps
        return event._replace(kind="unresolved" if smooth else "corner"), is_pair
    if arc.is_map:
        # A real multiplier at 1 beside those of folds and branch points: of a symmetric network.
        kind: PointKind = "torus" if is_pair else "flip" if root.real < 0.0 else "branch"
        return event._replace(kind=kind, frequency=np.nan), is_pair
    if not is_pair:
        return event._replace(kind="branch"), False  # several real roots at once: of a symmetric network
    return event._replace(frequency=abs(root.imag)), True


def _directions(arc: Arc, event: _Event) -> list[Array]:
    """Return the directions across the branch at a branch point, both ways of each."""
    _, values, vt = np.linalg.svd(arc.slope(event.u))
    values = np.append(values, 0.0)
    kernel = vt[values <= KERNEL * values[0]]
    across = kernel - np.outer(kernel @ event.tangent, event.tangent)
    found = []
    _, sizes, basis = np.linalg.svd(across, full_matrices=False)
    for direction in basis[sizes > 0.1]:
        found += [direction, -direction]
    return found


def _switch(arc: Arc, event: _Event, way: Array, step: float, most: int, branches: list[Branch]) -> _Run | None:
    """Follow the branch that leaves a branch point; None where there is none, or it was followed already."""
    for size in (step, 0.3 * step, 3.0 * step, 0.1 * step):
        found = arc.correct(event.u + size * way, way)
        if found is None or _is_known(arc, found[0], branches, 0.2 * size):
            continue
        tangent = arc.tangent(found[0], found[0] - event.u)
        run = _follow(arc, found[0], tangent, step, most)
        first = run.nodes[0]._replace(u=event.u, tangent=tangent)
        places = [place + 1 for place in run.places]
        return _Run([first, *run.nodes], run.events, places, run.end)
    return None


def _is_known(arc: Arc, u: Array, branches: list[Branch], near: float) -> bool:
    """Whether a point lies on one of the branches."""
    for branch in branches:
        points = np.column_stack([branch.states / arc.scale, (branch.parameters - arc.low) / arc.width])
        if len(points) < 2:
            continue
        chords = np.diff(points, axis=0)
        along = np.einsum("ij,ij->i", u - points[:-1], chords) / np.maximum(np.sum(chords**2, axis=1), 1e-300)
        feet = points[:-1] + np.clip(along, 0.0, 1.0)[:, np.newaxis] * chords
        if float(np.min(np.linalg.norm(feet - u, axis=1))) < near:
            return True
    return False


def _points(arc: Arc, run: _Run, shift: Callable[[int], int]) -> list[SpecialPoint]:
    return [
        SpecialPoint(
            kind=event.kind,
            parameter=arc.parameter(event.u),
            state=freeze(arc.state(event.u), "state"),
            frequency=event.frequency,
            step=shift(place),
            off=event.off,
        )
        for event, place in zip(run.events, run.places, strict=True)
    ]


def _as_branch(arc: Arc, run: _Run, *, parent: int | None, nodes: list[_Node] | None = None, start: str = "") -> Branch:
    listed = run.nodes if nodes is None else nodes
    u = np.array([node.u for node in listed])
    return Branch(
        parameters=freeze(arc.low + arc.width * u[:, -1], "parameters"),
        states=freeze(u[:, :-1] * arc.scale, "states"),
        unstable=np.array([node.unstable for node in listed], dtype=np.intp),
        points=tuple(_points(arc, run, lambda place: place)),
        parent=parent,
        ends=(start or "a branch point", run.end),
        resolution=float(np.max(np.linalg.norm(np.diff(u, axis=0), axis=1), initial=0.0)),
    )


def _join(arc: Arc, backward: _Run, forward: _Run) -> Branch:
    """Return the branch of the start: what was followed backward, turned round, and what was followed forward."""
    before = len(backward.nodes) - 1
    nodes = [*reversed(backward.nodes[1:]), *forward.nodes]
    first = _points(arc, backward, lambda place: before - place + 1)[::-1]
    then = _points(arc, forward, lambda place: before + place)
    branch = _as_branch(arc, forward, parent=None, nodes=nodes, start=backward.end)
    return replace(branch, points=(*first, *then))
