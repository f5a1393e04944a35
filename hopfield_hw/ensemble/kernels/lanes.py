"""A number for each of LANES samples, as a vector of the processor: what the kernels compute with.

Numba's own loops over lanes are not made into vector instructions, as arrays might overlap; here each row of an array
(rows, LANES) is loaded, used and stored as one vector.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils as untyped
from numba.extending import intrinsic as untyped_intrinsic
from numba.extending import models, overload, register_model

from ..equations.layout import LANES

cgutils: Any = untyped
BYTES = 8
DOUBLE = ir.DoubleType()
VECTOR = ir.VectorType(DOUBLE, LANES)
# Products and sums may be one instruction, and divisions by one number a product.
LOOSE = ("contract", "nsz", "arcp")


F = TypeVar("F", bound=Callable[..., Any])


# The modules that kernels are made of, beside those of this folder: whose constants and types they have.
OTHERS = ("method", "state", "equations/layout", "equations/programs")
HERE = Path(__file__).parent


def list_sources() -> list[Path]:
    """Return the files that kernels are made of."""
    return [*sorted(HERE.glob("*.py")), *(HERE.parent / f"{name}.py" for name in OTHERS)]


def _hash_sources() -> str:
    found = blake2b(digest_size=16)
    for path in list_sources():
        found.update(path.read_bytes())
    return found.hexdigest()


SOURCES = _hash_sources()
# Without references to arrays that are counted (`_nrt`), a call costs what it computes: counting those of all arrays
# that it is given took most of the time of a step. So kernels make no arrays.
OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": set(LOOSE),
    "_nrt": False,
}


def compiled(function: F) -> F:
    """Return a function in machine code, which is kept on disk as long as no source of the kernels changes.

    Numba itself looks at the file of a function alone, and would keep what this one calls in others.
    """
    made: Any = njit(**OPTIONS)(function)
    kept = made._cache._cache_file
    kept._source_stamp = (kept._source_stamp, SOURCES)
    return cast("F", made)


def inlined(function: F) -> F:
    """Return a function that is written into those in machine code that call it."""
    return cast("F", njit(**OPTIONS, inline="always")(function))


def intrinsic(function: Callable[..., Any]) -> Any:
    """Return a function that writes the compiler's own instructions."""
    return untyped_intrinsic(function)


class Lanes(types.Type):
    """The type of a vector."""


LANES_TYPE: Any = Lanes(name=f"Lanes{LANES}")


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """How a vector is kept: in a register."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTOR)  # type: ignore[no-untyped-call]


def _address(context: Any, builder: Any, kinds: Any, arguments: Any) -> Any:
    """Return where the row of an array is, of their kinds and themselves."""
    word = ir.IntType(64)
    row = arguments[1] if kinds[1].bitwidth == 64 else builder.sext(arguments[1], word)
    data = context.make_array(kinds[0])(context, builder, arguments[0]).data
    return builder.bitcast(builder.gep(data, [builder.mul(row, word(LANES))]), VECTOR.as_pointer())


@intrinsic
def load(typing: Any, array: Any, row: Any) -> Any:
    """Return a row of a contiguous array (rows, LANES)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        return builder.load(_address(context, builder, kinds, arguments), align=BYTES)

    return LANES_TYPE(array, row), generate


@intrinsic
def store(typing: Any, array: Any, row: Any, value: Any) -> Any:
    """Write a row of a contiguous array (rows, LANES)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        builder.store(arguments[2], _address(context, builder, kinds, arguments), align=BYTES)
        return context.get_dummy_value()

    return types.void(array, row, value), generate


def _as_vector(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return a vector, of one number in all lanes where it is a number."""
    if isinstance(kind, Lanes):
        return value
    nothing = ir.Constant(VECTOR, ir.Undefined)
    one = builder.insert_element(nothing, context.cast(builder, value, kind, types.float64), ir.IntType(32)(0))
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


@intrinsic
def spread(typing: Any, number: Any) -> Any:
    """Return a vector of one number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _as_vector(context, builder, signature.args[0], arguments[0])

    return LANES_TYPE(number), generate


def _binary(instruction: str) -> Any:
    def typed(typing: Any, left: Any, right: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pairs = zip(signature.args, arguments, strict=True)
            a, b = (_as_vector(context, builder, kind, value) for kind, value in pairs)
            return getattr(builder, instruction)(a, b, flags=LOOSE)

        return LANES_TYPE(left, right), generate

    return intrinsic(typed)


def _overload(symbol: Callable[..., Any], function: Any) -> None:
    @overload(symbol)
    def typed(left: Any, right: Any) -> Any:
        given = (left, right)
        if any(isinstance(one, Lanes) for one in given) and all(isinstance(one, Lanes | types.Number) for one in given):

            def apply(left: Any, right: Any) -> Any:
                return function(left, right)

            return apply
        return None


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _overload(_symbol, _binary(_instruction))


def _unary(name: str) -> Any:
    def typed(typing: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.FunctionType(VECTOR, [VECTOR])
            function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f64")
            return builder.call(function, arguments)

        return LANES_TYPE(value), generate

    return intrinsic(typed)


root, magnitude, round_down, round_up = (_unary(name) for name in ("sqrt", "fabs", "floor", "ceil"))


@intrinsic
def choose(typing: Any, left: Any, right: Any, above: Any, otherwise: Any) -> Any:
    """Return by lane `above` where left > right, `otherwise` elsewhere."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pairs = zip(signature.args, arguments, strict=True)
        a, b, yes, no = (_as_vector(context, builder, kind, value) for kind, value in pairs)
        return builder.select(builder.fcmp_ordered(">", a, b), yes, no)

    return LANES_TYPE(left, right, above, otherwise), generate


@intrinsic
def power_of_two(typing: Any, exponent: Any) -> Any:
    """Return 2^k by the bits of a number, of whole k from -1022 to 1023."""
    words = ir.VectorType(ir.IntType(64), LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = builder.fptosi(arguments[0], words)
        bits = builder.shl(builder.add(whole, ir.Constant(words, [1023] * LANES)), ir.Constant(words, [52] * LANES))
        return builder.bitcast(bits, VECTOR)

    return LANES_TYPE(exponent), generate
