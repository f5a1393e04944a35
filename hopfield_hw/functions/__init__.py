"""Functions that an Activate operator may apply. A new one is one file and one line in FUNCTIONS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from types import MappingProxyType
from typing import Any, TypeVar

from ..values.errors import InputError
from ..values.names import unknown
from .clip import Clip, Identity
from .dead_zone import DeadZone
from .function import Function, Gain, Numbers
from .hard_limiter import HardLimiter
from .polynomials import Polynomial, Rational
from .rectifiers import RECTIFIERS
from .sigmoids import SIGMOIDS, Algebraic, Arctan, Logistic, PiecewiseLinear, Sigmoid, Softsign, Tanh
from .softmax import Softmax
from .table import Table

GAINS: Mapping[str, type[Gain]] = MappingProxyType(
    {
        **{sigmoid.kind: sigmoid for sigmoid in SIGMOIDS},
        "hard_limiter": HardLimiter,
        "table": Table,
    }
)


FUNCTIONS: Mapping[str, type[Function]] = MappingProxyType(
    {
        **GAINS,
        "identity": Identity,
        "polynomial": Polynomial,
        "rational": Rational,
        "clip": Clip,
        "softmax": Softmax,
        "dead_zone": DeadZone,
        **{rectifier.kind: rectifier for rectifier in RECTIFIERS},
    }
)


F = TypeVar("F", bound=Function)


def function_from(kind: str, params: Mapping[str, Any]) -> Function:
    """Return the function of a kind from its parameters: `function_from(f.kind, f.params()) == f`.

    Raises InputError for an unknown kind or parameter, for one that is missing, and for what the class refuses.
    """
    if kind not in FUNCTIONS:
        raise InputError(f"function {unknown('kind', kind, FUNCTIONS)}")
    cls = FUNCTIONS[kind]
    known = {field.name: field for field in fields(cls)}
    for name in params:
        if name not in known:
            raise InputError(f"function {kind!r}: {unknown('parameter', name, known)}")
    missing = [name for name, field in known.items() if field.default is MISSING and name not in params]
    if missing:
        raise InputError(f"function {kind!r}: the parameter {missing[0]!r} is missing; must have {', '.join(known)}")
    return cls(**params)


def stack(functions: Sequence[F]) -> F:
    """Return B functions of one class as one, for x[B, n]: their parameters are stacked to (B, n) or (B, 1).

    Coefficients go to (B, m). The points of a Table and the groups of a Softmax must be the same in all.
    Raises InputError for no functions, for several classes, and for parameters that do not fit together.
    """
    kinds = sorted({type(function).__name__ for function in functions})
    if len(kinds) != 1:
        raise InputError(
            f"stack: found functions of the classes [{', '.join(kinds)}]: must be of one class, at least one"
        )
    first = functions[0]
    names = [field.name for field in fields(first)]
    columns = {name: [getattr(function, name) for function in functions] for name in names}
    return replace(first, **{name: first.stacked_parameter(name, column) for name, column in columns.items()})


__all__ = [
    "FUNCTIONS",
    "GAINS",
    "RECTIFIERS",
    "SIGMOIDS",
    "Algebraic",
    "Arctan",
    "Clip",
    "DeadZone",
    "Function",
    "Gain",
    "HardLimiter",
    "Identity",
    "Logistic",
    "Numbers",
    "PiecewiseLinear",
    "Polynomial",
    "Rational",
    "Sigmoid",
    "Softmax",
    "Softsign",
    "Table",
    "Tanh",
    "function_from",
    "stack",
]
