"""What both kernels run: couplings as a force in single precision, the rules of a dynamics, and its table of steps."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from ..values.errors import InputError
from .models import GroupedModel, Model, Quadratic, dense_of, entries_of
from .polynomial import PolynomialModel

Single: TypeAlias = npt.NDArray[np.float32]
Integers: TypeAlias = npt.NDArray[np.int32]

# How the force is computed, and how a state gives an output.
DENSE, SPARSE, POLYNOMIAL = 0, 1, 2
CLIP, SIGN, SCHMITT, SOFTMAX = 0, 1, 2, 3

# A product of sparse rows does a tenth of the multiplications a second that a dense one does.
SPARSE_BELOW = 0.1
ROWS = 6  # of a product, in registers at once
SMALL = 32  # neurons up to which the dense product is always faster

# Columns of the table of steps.
LEAK, GAIN, COUPLING, NOISE, FEEDBACK = range(5)
COLUMNS = 5

SMALLEST, LARGEST = 1e-15, 1e15  # of the largest coefficient of a model
NO_ENERGY = np.float32(3e38)  # above every energy
LEAST_FACTOR, LARGEST_FACTOR = np.float32(0.05), np.float32(20.0)  # of amplitude correction


class Force(NamedTuple):
    """F(s) = -(dE/ds) / scale, with the model's energy E.

    `form`: DENSE: F = matrix s + fields; the matrix has rows of zeros below, to a multiple of ROWS. SPARSE: row i of
    the matrix has values[starts[i]:starts[i + 1]] in `columns`.
    POLYNOMIAL: term k has the neurons columns[starts[k]:starts[k + 1]] and the coefficient values[k].
    `groups`: where each group starts, and n; one element where there are none.
    """

    form: int
    matrix: Single
    starts: Integers
    columns: Integers
    values: Single
    fields: Single
    groups: Integers


class Rules(NamedTuple):
    """What a step does, beside its coefficients. See `dynamics` for the equations.

    `output`: CLIP, SIGN, SCHMITT or SOFTMAX, with outputs from `lower` to 1, s = clip(g x + middle). `second`: two
    integrators with walls. `corrected`: each neuron has a factor e on its force. `noisy`, `looped`: with noise, with
    self-feedback.
    `step`: of time. `bound`: on |x|. `start`: |x(0)| at most. `rate`, `target`: of e. `width`: of the hysteresis.
    """

    output: int
    second: bool
    corrected: bool
    noisy: bool
    looped: bool
    step: np.float32
    bound: np.float32
    start: np.float32
    lower: np.float32
    middle: np.float32
    rate: np.float32
    target: np.float32
    width: np.float32


class Program(NamedTuple):
    """`table`: (steps, COLUMNS), the coefficients of each step, those of coupling and noise times what a step needs."""

    rules: Rules
    table: Single


def scale_of(model: Model) -> float:
    """Return the root mean square over neurons of sqrt(sum_j J_ij^2), by which forces are divided.

    Where there are no couplings it is that of the fields, and 1 where there are none either. Raises InputError for
    numbers whose squares single precision does not hold.
    """
    if model.size == 0:
        return 1.0
    if isinstance(model, PolynomialModel):
        sizes = {True: [0.0], False: [0.0]}
        for term, coefficient in model.terms.items():
            sizes[len(term) > 1] += [coefficient] * len(term)
        numbers = [np.array(sizes[True]), np.array(sizes[False])]
    else:
        couplings, fields = _quadratic(model)
        numbers = [entries_of(couplings), fields]
    for each in numbers:
        largest = float(np.max(np.abs(each), initial=0.0))
        if largest > 0.0 and not SMALLEST <= largest <= LARGEST:
            raise InputError(
                f"the largest coefficient of the model is {largest:g}: must be from {SMALLEST:g} to {LARGEST:g}; "
                "multiply all of them by one number, which changes no least state"
            )
    found = float(np.sum(np.square(numbers[0]))) or float(np.sum(np.square(numbers[1])))
    return math.sqrt(found / model.size) or 1.0


def force_of(model: Model) -> Force:
    """Return the force of a model, dense or sparse as is faster."""
    scale, n = scale_of(model), model.size
    starts, columns, values = np.zeros(1, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32)
    groups, matrix = np.zeros(1, np.int32), np.zeros((0, 0), np.float32)
    if isinstance(model, PolynomialModel):
        starts, columns, coefficients = model.flattened()
        single = (-coefficients / scale).astype(np.float32)
        return Force(POLYNOMIAL, matrix, starts, columns, single, np.zeros(n, np.float32), groups)
    couplings, fields = _quadratic(model)
    if isinstance(model, GroupedModel):
        groups = model.starts
    entries = int(np.count_nonzero(entries_of(couplings)))
    form = SPARSE if n > SMALL and entries < SPARSE_BELOW * n * n else DENSE
    if form == DENSE:
        matrix = np.zeros((-(-n // ROWS) * ROWS, n), np.float32)
        matrix[:n] = -dense_of(couplings) / scale
    else:
        rows = sp.csr_array(couplings)
        starts, columns = rows.indptr.astype(np.int32), rows.indices.astype(np.int32)
        values = (-rows.data / scale).astype(np.float32)
    return Force(form, matrix, starts, columns, values, (-fields / scale).astype(np.float32), groups)


def _quadratic(model: Model) -> Any:
    """Return the couplings and fields of any model but a polynomial."""
    assert isinstance(model, Quadratic | GroupedModel)
    return model.couplings, model.fields
