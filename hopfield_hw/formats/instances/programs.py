"""Linear and quadratic programs: MPS, QPLIB, and MATLAB files as of Maros and Meszaros."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...values.arrays import ROUNDED, first_asymmetry, first_crossed
from ...values.errors import InputError
from .mps import read_mps
from .qplib import read_qplib
from .types import ProgramData, make_program

MATLAB = ("P", "q", "r", "A", "l", "u")


def read_program(path: Path) -> ProgramData:
    """Return the program of a file `.mps`, `.qps`, `.qplib`, or `.mat`.

    A `.mat` file holds P, q, r, A, l and u of x^T P x / 2 + q^T x + r with l <= A x <= u; rows of the identity at the
    end of A are bounds of variables. Raises InputError for what cannot be read, for bounds that exclude one another,
    quadratic constraints, and a matrix P that is not symmetric.
    """
    suffix = path.suffix.lower()
    if suffix == ".mat":
        return _check(_read_matlab(path))
    return _check(read_qplib(path) if suffix == ".qplib" else read_mps(path))


def _check(program: ProgramData) -> ProgramData:
    n, m = program.size, program.low.size
    if program.hessian.shape != (n, n) or program.constraints.shape != (m, n) or program.lower.size != n:
        raise InputError(
            f"{program.name}: sizes of P {program.hessian.shape}, A {program.constraints.shape} do not fit"
        )
    if first_asymmetry(program.hessian, ROUNDED) is not None:
        raise InputError(f"{program.name}: P is not symmetric; give (P + P^T) / 2")
    for what, low, high in (("row", program.low, program.high), ("variable", program.lower, program.upper)):
        if (k := first_crossed(low, high)) is not None:
            raise InputError(f"{program.name}: {what} {k + 1} must be from {low[k]:g} to {high[k]:g}: nothing is")
    return program


def _read_matlab(path: Path) -> ProgramData:
    from scipy.io import loadmat

    try:
        found: dict[str, Any] = loadmat(path)
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror or error}); give the path of a file") from None
    except Exception as error:  # loadmat raises what its parsers do
        raise InputError(f"{path.name}: is no MATLAB file that can be read ({error})") from None
    missing = [name for name in MATLAB if name not in found]
    if missing:
        raise InputError(f"{path.name}: the array {missing[0]} is missing: must hold {', '.join(MATLAB)}")
    rows = sp.csr_array(sp.csr_matrix(found["A"]))
    n = rows.shape[1]
    low, high = (np.ravel(np.asarray(found[name], dtype=np.float64)) for name in ("l", "u"))
    lower, upper = np.full(n, -np.inf), np.full(n, np.inf)
    m = rows.shape[0]
    if m >= n and (rows[m - n :] - sp.eye_array(n)).nnz == 0:
        rows, lower, upper, low, high = rows[: m - n], low[m - n :], high[m - n :], low[: m - n], high[: m - n]
    constant = float(np.ravel(found["r"])[0])
    linear = np.asarray(found["q"], dtype=np.float64)
    return make_program(path.stem, sp.csr_array(found["P"]), linear, constant, rows, (low, high, lower, upper))
