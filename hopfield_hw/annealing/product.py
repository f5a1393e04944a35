"""A product of matrices whose right one has few columns: on such sizes about twice as fast as a general library's.

Blocks of ROWS x COLUMNS of the result stay in registers of the processor, which Numba's own loops do not reach; so this
one loop is written in the compiler's terms. Sums are in the order of the columns of the left matrix, whatever the
number of samples, so that a sample does not depend on those beside it.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .program import ROWS

LANES: Final = 8
VECTORS: Final = 2
COLUMNS: Final = LANES * VECTORS

SINGLE = ir.FloatType()
VECTOR = ir.VectorType(SINGLE, LANES)
WORD = ir.IntType(64)
BYTES = 4


@intrinsic
def write_block(typing: Any, left: Any, right: Any, result: Any, i: Any, b: Any) -> Any:
    """Write result[i : i + ROWS, b : b + COLUMNS] = (left @ right) there; all are float32 in rows, and no end is checked."""
    signature = types.void(left, right, result, types.int64, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
        ]
        a, s, f = arrays
        first, column = arguments[3:]
        inner = cgutils.unpack_tuple(builder, a.shape)[1]
        width = cgutils.unpack_tuple(builder, s.shape)[1]

        def vector_at(array: Any, row: Any, k: int) -> Any:
            place = builder.add(builder.mul(row, width), builder.add(column, WORD(LANES * k)))
            return builder.bitcast(builder.gep(array.data, [place]), VECTOR.as_pointer())

        sums = [[cgutils.alloca_once(builder, VECTOR) for _ in range(VECTORS)] for _ in range(ROWS)]
        for each in sums:
            for one in each:
                builder.store(ir.Constant(VECTOR, [0.0] * LANES), one)
        rows = [builder.mul(builder.add(first, WORD(r)), inner) for r in range(ROWS)]
        fused = ("contract",)  # one multiply-add, where the processor has it
        with cgutils.for_range(builder, inner) as loop:
            vectors = [builder.load(vector_at(s, loop.index, k), align=BYTES) for k in range(VECTORS)]
            for r in range(ROWS):
                weight = builder.load(builder.gep(a.data, [builder.add(rows[r], loop.index)]))
                one = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), weight, ir.IntType(32)(0))
                spread = builder.shuffle_vector(
                    one,
                    ir.Constant(VECTOR, ir.Undefined),
                    ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES),
                )
                for k in range(VECTORS):
                    product = builder.fmul(spread, vectors[k], flags=fused)
                    total = builder.fadd(product, builder.load(sums[r][k]), flags=fused)
                    builder.store(total, sums[r][k])
        for r in range(ROWS):
            for k in range(VECTORS):
                builder.store(builder.load(sums[r][k]), vector_at(f, builder.add(first, WORD(r)), k), align=BYTES)
        return context.get_dummy_value()

    return signature, generate


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def write_product(left: Any, right: Any, result: Any) -> None:
    """Write left @ right, (m, k) @ (k, n), float32 in rows; m is a multiple of ROWS, n of COLUMNS."""
    for i in range(0, left.shape[0], ROWS):
        for b in range(0, right.shape[1], COLUMNS):
            write_block(left, right, result, i, b)
