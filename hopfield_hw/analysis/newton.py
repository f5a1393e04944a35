"""Newton's method from many starts at once, with deflation of what is found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..values.arrays import Array

ITERATIONS, DEFLATED = 60, 30
HALVINGS = 8
CONVERGED = 1e-11  # of the scale: a Newton step that is shorter
SAME = 1e-7  # of the scale: solutions that are nearer are one
# Deflation multiplies F by prod_k (1 / |x - x_k|^2 + 1), lengths in units of the scale.
SHIFT = 1.0

Values = Callable[[Array], Array]
Scale = Array | float


def newton(values: Values, jacobians: Values, starts: Array, scale: Scale, roots: Array | None = None) -> Array:
    """Return solutions of F(x) = 0, (k, n), each once, from `starts` (rows, n) by damped Newton steps.

    `values`: F, (rows, n); `jacobians`: (rows, n, n); `scale`: a length, in the units of x, or
    one for each component, (n,). With `roots`, (k, n), F is
    deflated by them (Farrell, Birkisson and Funke, SIAM J. Sci. Comput. 37:A2026, 2015), so that no start leads to one
    of them; each solution is polished on F itself.
    """
    known = np.zeros((0, starts.shape[1])) if roots is None else roots
    x, active = np.array(starts), np.arange(len(starts))
    found: list[Array] = []
    for _ in range(DEFLATED if len(known) else ITERATIONS):
        if not active.size:
            break
        at = x[active]
        f = values(at)
        step = newton_steps(jacobians(at), f)
        step = step * _deflation_factor(at, step, known, scale)[:, np.newaxis]
        finite = np.isfinite(step).all(axis=1)
        done = finite & (np.max(np.abs(step) / scale, axis=1) <= CONVERGED)
        found += list(at[done])
        go_on = finite & ~done
        active = active[go_on]
        x[active] = _damped(values, at[go_on], f[go_on], step[go_on], known, scale)
    return distinct(polish(values, jacobians, np.array(found).reshape(-1, starts.shape[1]), scale), known, scale)


def polish(values: Values, jacobians: Values, x: Array, scale: Scale) -> Array:
    """Return those of the states, (rows, n), that full Newton steps do not move any more."""
    for _ in range(6):
        if not len(x):
            break
        step = newton_steps(jacobians(x), values(x))
        good = np.isfinite(step).all(axis=1) & (np.max(np.abs(step) / scale, axis=1) <= SAME)
        x = x[good] + step[good]
    return x


def newton_steps(jacobians: Array, f: Array) -> Array:
    """Return -J^-1 F, (rows, n), NaN where J is singular."""
    try:
        return np.asarray(-np.linalg.solve(jacobians, f[..., np.newaxis])[..., 0])
    except np.linalg.LinAlgError:
        result = np.full(f.shape, np.nan)
        for k, (matrix, value) in enumerate(zip(jacobians, f, strict=True)):
            if np.isfinite(matrix).all():
                result[k] = -np.linalg.lstsq(matrix, value, rcond=None)[0]
        return result


def distinct(x: Array, known: Array, scale: Scale) -> Array:
    """Return the states, (k, n), that are neither known nor there before."""
    kept: list[Array] = []
    for row in x:
        others = np.array([*known, *kept]).reshape(-1, x.shape[1])
        if not len(others) or float(np.min(np.max(np.abs(others - row) / scale, axis=1))) > SAME:
            kept.append(row)
    return np.array(kept).reshape(-1, x.shape[1])


def _deflation_factor(x: Array, step: Array, roots: Array, scale: Scale) -> Array:
    """Return by how much deflation lengthens a Newton step: 1 / (1 - g . step), g the gradient of log M."""
    if not len(roots):
        return np.ones(len(x))
    apart = (x[:, np.newaxis] - roots) / scale
    squares = np.maximum(np.sum(apart**2, axis=2), 1e-30)
    weights = -2.0 / (squares * (1.0 + SHIFT * squares))
    along = np.einsum("rk,rki,ri->r", weights, apart, step / scale)
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(1.0 / (1.0 - along), -10.0, 10.0))


def _merit(f: Array, x: Array, roots: Array, scale: Scale) -> Array:
    with np.errstate(over="ignore"):  # beside many roots: infinite, and so no better than any
        size: Array = np.sum(f**2, axis=1)
        if len(roots):
            squares = np.maximum(np.sum(((x[:, np.newaxis] - roots) / scale) ** 2, axis=2), 1e-30)
            size = size * np.prod(1.0 / squares + SHIFT, axis=1) ** 2
    return size


def _damped(values: Values, x: Array, f: Array, step: Array, roots: Array, scale: Scale) -> Array:
    """Return the states after the longest of the steps 1, 1/2, 1/4, ... that makes F smaller; the shortest if none."""
    result = x + step
    if not len(x):
        return result
    size, pending, t = _merit(f, x, roots, scale), np.arange(len(x)), 1.0
    for _ in range(HALVINGS):
        trial = x[pending] + t * step[pending]
        result[pending] = trial
        with np.errstate(all="ignore"):
            worse = ~(_merit(values(trial), trial, roots, scale) <= (1.0 - 0.1 * t) * size[pending])
        pending, t = pending[worse], 0.5 * t
        if not pending.size:
            break
    return result
