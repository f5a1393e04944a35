"""Machine code, compiled by Numba, that anneals a block of samples; `plain` does the same steps in NumPy.

Arrays are (neurons, samples) in single precision: a coupling is read once for all samples of a block, and a row of
samples is a vector of the processor. A step is one pass: outputs, force, states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from .models import States
from .noise import HALF_RANGE, Keys, mix, word
from .product import write_product, write_sparse_row
from .program import (
    CLIP,
    COUPLING,
    DENSE,
    FEEDBACK,
    GAIN,
    LARGEST_FACTOR,
    LEAK,
    LEAST_FACTOR,
    NO_ENERGY,
    NOISE,
    POLYNOMIAL,
    SCHMITT,
    SIGN,
    SOFTMAX,
    SPARSE,
    Force,
    Rules,
    Single,
)

F = TypeVar("F", bound=Callable[..., Any])
f4 = np.float32
ZERO, ONE, HALF = f4(0.0), f4(1.0), f4(0.5)


def compiled(function: F) -> F:
    """Compile when first called and keep the code on disk; sums may be taken in any order, as no value is infinite.

    Numba renews the code on disk when this file changes, and not when one does whose functions are compiled into it
    (`noise`, `product`, `program`): save this one too then.
    """
    return cast(F, njit(cache=True, nogil=True, error_model="numpy", fastmath=True)(function))


def inlined(function: F) -> F:
    """Write a function into those that call it, where the compiler sees that its arrays do not overlap."""
    return cast(F, njit(inline="always", error_model="numpy", fastmath=True)(function))


draw_word, draw = inlined(word), inlined(mix)


@inlined
def write_outputs(rules: Rules, gain: Any, groups: Any, x: Single, y: Single, s: Single) -> None:
    """Write s of x; y holds the outputs of Schmitt triggers."""
    n, samples = x.shape
    lower, middle, width = rules.lower, rules.middle, rules.width
    if rules.output == SOFTMAX:
        for k in range(len(groups) - 1):
            write_softmax(groups[k], groups[k + 1], gain, x, s)
        return
    for i in range(n):
        if rules.output == CLIP:
            for b in range(samples):
                s[i, b] = min(ONE, max(lower, gain * x[i, b] + middle))
        elif rules.output == SIGN:
            for b in range(samples):
                s[i, b] = ONE if x[i, b] > ZERO else lower
        else:
            for b in range(samples):
                up = ONE if x[i, b] > width else y[i, b]
                y[i, b] = lower if x[i, b] < -width else up
                s[i, b] = y[i, b]


@compiled
def write_softmax(first: int, after: int, gain: Any, x: Single, s: Single) -> None:
    """Write s_a = exp(g x_a) / sum_b exp(g x_b) over one group."""
    for b in range(x.shape[1]):
        most = x[first, b]
        for a in range(first + 1, after):
            most = max(most, x[a, b])
        total = ZERO
        for a in range(first, after):
            s[a, b] = np.exp(gain * (x[a, b] - most))
            total += s[a, b]
        share = ONE / total
        for a in range(first, after):
            s[a, b] *= share


@inlined
def write_row(force: Force, i: int, s: Single, f: Single) -> None:
    """Write row i of a sparse force, with its field."""
    start, stop = force.starts[i], force.starts[i + 1]
    write_sparse_row(force.values, force.columns, start, stop, force.fields[i], s, i, f)


@compiled
def write_polynomial(force: Force, s: Single, f: Single, product: Single) -> None:
    """Write F_i = the sum over the terms with i of the coefficient times all other outputs in the term."""
    samples = s.shape[1]
    f[:] = ZERO
    for k in range(len(force.starts) - 1):
        start, stop = force.starts[k], force.starts[k + 1]
        for m in range(start, stop):
            for b in range(samples):
                product[b] = force.values[k]
            for other in range(start, stop):
                if other != m:
                    j = force.columns[other]
                    for b in range(samples):
                        product[b] *= s[j, b]
            i = force.columns[m]
            for b in range(samples):
                f[i, b] += product[b]


@compiled
def write_force(force: Force, s: Single, f: Single, product: Single) -> None:
    """Write the force of all neurons but those of sparse rows, which are written one by one as they are needed."""
    if force.form == DENSE:
        write_product(force.matrix, s, f)
    elif force.form == POLYNOMIAL:
        write_polynomial(force, s, f, product)


@inlined
def move_first_order(rules: Rules, row: Any, i: int, field: Any, x: Single, s: Single, f: Single) -> None:
    """x += h (-leak x - z s) + h c F, within the bound."""
    keep, feedback = ONE - row[LEAK] * rules.step, row[FEEDBACK] * rules.step
    coupling, bound, middle = row[COUPLING], rules.bound, rules.middle
    if rules.looped:
        for b in range(x.shape[1]):
            x[i, b] -= feedback * (s[i, b] - middle)
    for b in range(x.shape[1]):
        x[i, b] = min(bound, max(-bound, keep * x[i, b] + coupling * (f[i, b] + field)))


@inlined
def move_second_order(rules: Rules, row: Any, i: int, field: Any, x: Single, y: Single, f: Single) -> None:
    """y += h (-leak x + c F), then x += h y; where x would go beyond a wall it stops there, and y = 0."""
    step, leak, coupling, bound = rules.step, row[LEAK] * rules.step, row[COUPLING], rules.bound
    for b in range(x.shape[1]):
        speed = y[i, b] - leak * x[i, b] + coupling * (f[i, b] + field)
        place = x[i, b] + step * speed
        y[i, b] = ZERO if abs(place) > bound else speed
        x[i, b] = min(bound, max(-bound, place))


@inlined
def move_corrected(rules: Rules, row: Any, i: int, field: Any, x: Single, e: Single, f: Single) -> None:
    """x += h (-leak x) + h c e F, and e += h rate (target - |x|)."""
    keep, coupling, bound = ONE - row[LEAK] * rules.step, row[COUPLING], rules.bound
    rate, target = rules.rate * rules.step, rules.target
    for b in range(x.shape[1]):
        factor = e[i, b] + rate * (target - abs(x[i, b]))
        factor = min(LARGEST_FACTOR, max(LEAST_FACTOR, factor))
        e[i, b] = factor
        x[i, b] = min(bound, max(-bound, keep * x[i, b] + coupling * factor * (f[i, b] + field)))


@inlined
def add_noise(amplitude: Any, counter: int, i: int, keys: Keys, target: Single) -> None:
    """Add to a row what `noise` draws for this counter, from -amplitude to amplitude."""
    common, unit = draw_word(counter), amplitude * HALF_RANGE
    for b in range(len(keys)):
        target[i, b] += unit * f4(np.int32(draw(common ^ keys[b])))


@compiled
def write_decisions(rules: Rules, groups: Any, x: Single, y: Single, s: Single) -> None:
    """Write the digital state of x: 1 or `lower`; in a group 1 for the largest."""
    if rules.output == SOFTMAX:
        s[:] = ZERO
        for k in range(len(groups) - 1):
            for b in range(x.shape[1]):
                best = groups[k]
                for a in range(groups[k] + 1, groups[k + 1]):
                    if x[a, b] > x[best, b]:
                        best = a
                s[best, b] = ONE
        return
    source = y if rules.output == SCHMITT else x
    threshold = HALF * (ONE + rules.lower) if rules.output == SCHMITT else ZERO
    for i in range(x.shape[0]):
        for b in range(x.shape[1]):
            s[i, b] = ONE if source[i, b] > threshold else rules.lower


@compiled
def write_energies(force: Force, s: Single, f: Single, product: Single, energy: Single) -> None:
    """Write E / scale of digital states, without the offset."""
    energy[:] = ZERO
    if force.form == POLYNOMIAL:
        for k in range(len(force.starts) - 1):
            for b in range(len(energy)):
                product[b] = force.values[k]
            for m in range(force.starts[k], force.starts[k + 1]):
                for b in range(len(energy)):
                    product[b] *= s[force.columns[m], b]
            for b in range(len(energy)):
                energy[b] -= product[b]
        return
    write_force(force, s, f, product)
    for i in range(s.shape[0]):
        if force.form == SPARSE:
            write_row(force, i, s, f)
        field = force.fields[i] * (ONE if force.form == SPARSE else f4(2.0))  # a sparse row has it already once
        for b in range(len(energy)):
            energy[b] -= HALF * s[i, b] * (f[i, b] + field)


@compiled
def anneal_block(
    force: Force, rules: Rules, table: Single, keys: Keys, teeth: int, every: int, best: States, hits: Any
) -> None:
    """Anneal one block of samples; see `anneal`."""
    n, samples, steps = len(force.fields), len(keys), len(table)
    x, y = np.empty((n, samples), np.float32), np.zeros((n, samples), np.float32)
    s = np.empty((n, samples), np.float32)
    f = np.empty((max(n, force.matrix.shape[0]), samples), np.float32)
    # Between walls the place itself is the output; a sparse row still needs it as it was before the step.
    shared = rules.second and rules.output == CLIP and force.form != SPARSE
    product, energy = np.empty(samples, np.float32), np.empty(samples, np.float32)
    least = np.full(samples, NO_ENERGY, np.float32)
    counter = 0
    for tooth in range(teeth):
        x[:] = ZERO
        y[:] = ONE if rules.corrected else ZERO
        for i in range(n):
            add_noise(rules.start, counter + i, i, keys, x)
            if rules.output == SCHMITT:
                for b in range(samples):
                    y[i, b] = ONE if x[i, b] > ZERO else rules.lower
        counter += n
        for t in range(steps):
            row = table[t]
            if not shared:
                write_outputs(rules, row[GAIN], force.groups, x, y, s)
            write_force(force, x if shared else s, f, product)
            for i in range(n):
                field = force.fields[i]
                if force.form == SPARSE:
                    write_row(force, i, s, f)
                    field = ZERO
                if rules.second:
                    if rules.noisy:
                        add_noise(row[NOISE], counter + i, i, keys, y)
                    move_second_order(rules, row, i, field, x, y, f)
                    continue
                if rules.corrected:
                    move_corrected(rules, row, i, field, x, y, f)
                else:
                    move_first_order(rules, row, i, field, x, s, f)
                if rules.noisy:
                    add_noise(row[NOISE], counter + i, i, keys, x)
            counter += n
            if every and ((t + 1) % every == 0 or t + 1 == steps):
                write_decisions(rules, force.groups, x, y, s)
                write_energies(force, s, f, product, energy)
                for b in range(samples):
                    if energy[b] < least[b]:
                        least[b] = energy[b]
                        hits[b] = tooth * steps + t + 1
                        for i in range(n):
                            best[b, i] = np.int8(s[i, b])
    if not every:
        write_decisions(rules, force.groups, x, y, s)
        hits[:] = teeth * steps
        for i in range(n):
            for b in range(samples):
                best[b, i] = np.int8(s[i, b])


@compiled
def anneal(
    force: Force, rules: Rules, table: Single, keys: Keys, width: int, teeth: int, every: int, best: States, hits: Any
) -> None:
    """Anneal samples `teeth` times, `width` at once, and write their states, (samples, n), and after how many steps.

    `every`: steps between two looks of the latch, beside one at the end of each tooth; 0 for no latch: what the last
    step gives is written.
    """
    for first in range(0, len(keys), width):
        part = slice(first, min(first + width, len(keys)))
        anneal_block(force, rules, table, keys[part], teeth, every, best[part], hits[part])
