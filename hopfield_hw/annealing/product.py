"""Products of a matrix with one of few columns: on such sizes about twice as fast as a general library's.

Blocks of the result stay in registers of the processor, which Numba's own loops do not reach, so the two inner loops
are written in the compiler's terms. Sums are taken in the order of the left matrix's columns, whatever the number of
samples, so that a sample does not depend on those beside it.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils as untyped
from numba.extending import intrinsic

from .program import ROWS

cgutils: Any = untyped

LANES: Final = 8  # of a vector
COLUMNS: Final = 2 * LANES  # of a block of ROWS rows
WIDE: Final = 4 * LANES  # of a block of one row

SINGLE = ir.FloatType()
VECTOR = ir.VectorType(SINGLE, LANES)
WORD = ir.IntType(64)
BYTES = 4
FUSED = ("contract",)  # one multiply-add, where the processor has it


class Block:
    """Sums in registers, `rows` by `vectors`, and how the compiler is told to fill them."""

    def __init__(self, builder: Any, rows: int, vectors: int, column: Any) -> None:
        self.builder, self.column = builder, column
        self.sums = [[cgutils.alloca_once(builder, VECTOR) for _ in range(vectors)] for _ in range(rows)]

    def vector_at(self, array: Any, row: Any, k: int) -> Any:
        """The address of vector k of a row of an array, from the block's first column on."""
        width = cgutils.unpack_tuple(self.builder, array.shape)[1]
        place = self.builder.add(self.builder.mul(row, width), self.builder.add(self.column, WORD(LANES * k)))
        return self.builder.bitcast(self.builder.gep(array.data, [place]), VECTOR.as_pointer())

    def set(self, row: int, value: Any) -> None:
        """All sums of a row are this number."""
        for one in self.sums[row]:
            self.builder.store(self.spread(value), one)

    def load(self, array: Any, row: Any) -> list[Any]:
        """The vectors of a row of an array."""
        return [self.builder.load(self.vector_at(array, row, k), align=BYTES) for k in range(len(self.sums[0]))]

    def add(self, row: int, weight: Any, vectors: list[Any]) -> None:
        """Add weight times vectors to the sums of a row."""
        spread = self.spread(weight)
        for one, vector in zip(self.sums[row], vectors, strict=True):
            product = self.builder.fmul(spread, vector, flags=FUSED)
            self.builder.store(self.builder.fadd(product, self.builder.load(one), flags=FUSED), one)

    def spread(self, value: Any) -> Any:
        """A vector of one number."""
        nothing, lanes = ir.Constant(VECTOR, ir.Undefined), ir.VectorType(ir.IntType(32), LANES)
        one = self.builder.insert_element(nothing, value, ir.IntType(32)(0))
        return self.builder.shuffle_vector(one, nothing, ir.Constant(lanes, [0] * LANES))

    def store(self, array: Any, row: Any, r: int) -> None:
        """Write the sums of row r to a row of an array."""
        for k, one in enumerate(self.sums[r]):
            self.builder.store(self.builder.load(one), self.vector_at(array, row, k), align=BYTES)


def _arrays(context: Any, builder: Any, signature: Any, arguments: Any, count: int) -> list[Any]:
    pairs = zip(signature.args[:count], arguments[:count], strict=True)
    return [context.make_array(kind)(context, builder, value) for kind, value in pairs]


@intrinsic
def write_block(typing: Any, left: Any, right: Any, result: Any, i: Any, b: Any) -> Any:
    """Write ROWS x COLUMNS of result = left @ right, from result[i, b] on; all are float32, and no end is checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, s, f = _arrays(context, builder, signature, arguments, 3)
        block = Block(builder, ROWS, COLUMNS // LANES, arguments[4])
        inner = cgutils.unpack_tuple(builder, a.shape)[1]
        rows = [builder.add(arguments[3], WORD(r)) for r in range(ROWS)]
        starts = [builder.mul(row, inner) for row in rows]
        for r in range(ROWS):
            block.set(r, SINGLE(0.0))
        with cgutils.for_range(builder, inner) as loop:
            vectors = block.load(s, loop.index)
            for r in range(ROWS):
                block.add(r, builder.load(builder.gep(a.data, [builder.add(starts[r], loop.index)])), vectors)
        for r in range(ROWS):
            block.store(f, rows[r], r)
        return context.get_dummy_value()

    return types.void(left, right, result, types.int64, types.int64), generate


def _row_writer(vectors: int) -> Any:
    """Return what writes `vectors` vectors of result[i] from b on: c + sum_k values[k] right[columns[k]]."""

    def typed(
        typing: Any, values: Any, columns: Any, right: Any, result: Any, i: Any, b: Any, start: Any, stop: Any, c: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            v, j, s, f = _arrays(context, builder, signature, arguments, 4)
            i, column, start, stop, constant = arguments[4:]
            block = Block(builder, 1, vectors, column)
            block.set(0, constant)
            with cgutils.for_range(builder, stop, start=start) as loop:
                row = builder.sext(builder.load(builder.gep(j.data, [loop.index])), WORD)
                block.add(0, builder.load(builder.gep(v.data, [loop.index])), block.load(s, row))
            block.store(f, i, 0)
            return context.get_dummy_value()

        words = (types.int64,) * 4
        return types.void(values, columns, right, result, *words, types.float32), generate

    return intrinsic(typed)


write_wide, write_narrow = _row_writer(WIDE // LANES), _row_writer(COLUMNS // LANES)


@njit(cache=True, nogil=True, error_model="numpy")
def write_product(left: Any, right: Any, result: Any) -> None:
    """Write left @ right, (m, k) @ (k, n), float32; m is a multiple of ROWS, n of COLUMNS."""
    for i in range(0, left.shape[0], ROWS):
        for b in range(0, right.shape[1], COLUMNS):
            write_block(left, right, result, i, b)  # type: ignore[call-arg]  # the compiler gives its context


@njit(cache=True, nogil=True, error_model="numpy")
def write_sparse_row(values: Any, columns: Any, start: int, stop: int, c: Any, right: Any, i: int, result: Any) -> None:
    """Write result[i] = c + sum of values[k] right[columns[k]], k from start to stop; n is a multiple of COLUMNS."""
    b = 0
    while b + WIDE <= right.shape[1]:
        write_wide(values, columns, right, result, i, b, start, stop, c)
        b += WIDE
    while b < right.shape[1]:
        write_narrow(values, columns, right, result, i, b, start, stop, c)
        b += COLUMNS
