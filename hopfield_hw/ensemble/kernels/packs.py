"""Named tuples of arrays as kernels take them: the address of one block of words, with where each array is.

Given to a function as it is, a tuple of eighty arrays would be six hundred arguments; a call would take longer than
what it computes, and each function seconds to compile.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import extending as untyped_extending
from numba import from_dtype, types
from numba.core import imputils as untyped_imputils
from numba.core import typing as untyped_typing
from numba.extending import models, register_model, typeof_impl
from numba.np import arrayobj as untyped_arrays

# What Numba has without types.
extending: Any = untyped_extending
imputils: Any = untyped_imputils
templates: Any = untyped_typing.templates
arrays: Any = untyped_arrays
WORD, FLOAT = ir.IntType(64), ir.DoubleType()


class Field(NamedTuple):
    """A field: its name, its type, and the first of its words."""

    name: str
    kind: Any
    word: int


class PackType(types.Type):
    """The type of a pack: that of its tuple, and the types of its fields."""

    def __init__(self, tuple_name: str, fields: tuple[Field, ...]) -> None:
        self.fields = fields
        super().__init__(name=f"{tuple_name}({', '.join(f'{field.name}: {field.kind}' for field in fields)})")

    def field(self, name: str) -> Field | None:
        """Return the field of a name, or None."""
        return next((field for field in self.fields if field.name == name), None)


class Pack:
    """A named tuple of contiguous arrays, numbers and such tuples; it keeps them as long as it is there itself.

    Of an array its words are where it is, its shape and its strides; of a number they are itself.
    """

    def __init__(self, values: Any) -> None:
        self.address: int
        self.kind: PackType
        self.inner: list[Pack] = []
        words: list[int] = []
        fields = []
        self.values = values
        for name, value in zip(values._fields, values, strict=True):
            at = len(words)
            kind: Any
            if isinstance(value, np.ndarray):
                assert value.flags.c_contiguous, f"{type(values).__name__}.{name}"
                kind = types.Array(from_dtype(value.dtype), value.ndim, "C")
                words += [value.ctypes.data, *value.shape, *value.strides]
            elif isinstance(value, tuple):
                self.inner.append(Pack(value))
                kind = self.inner[-1].kind
                words.append(self.inner[-1].address)
            elif isinstance(value, float):
                kind = types.float64
                words.append(int(np.float64(value).view(np.int64)))
            else:
                kind = types.int64
                words.append(int(value))
            fields.append(Field(name, kind, at))
        self.words = np.array(words, dtype=np.int64)
        self.address = int(self.words.ctypes.data)
        self.kind = PackType(type(values).__name__, tuple(fields))


@typeof_impl.register(Pack)
def _find_type(pack: Pack, context: Any) -> PackType:
    return pack.kind


@register_model(PackType)
class PackModel(models.PrimitiveModel):
    """How a pack is kept: as its address."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, WORD.as_pointer())  # type: ignore[no-untyped-call]


def _take_address(kind: Any, pack: Any, context: Any) -> Any:
    address = context.pyapi.object_getattr_string(pack, "address")
    word = context.pyapi.long_as_ulonglong(address)
    context.pyapi.decref(address)
    return extending.NativeValue(context.builder.inttoptr(word, WORD.as_pointer()))


@templates.infer_getattr
class PackAttributes(templates.AttributeTemplate):  # type: ignore[misc]
    """The types of the fields."""

    key = PackType

    def generic_resolve(self, kind: PackType, name: str) -> Any:
        """Return the type of a field; None where there is none."""
        field = kind.field(name)
        return None if field is None else field.kind


def _read_field(context: Any, builder: Any, kind: PackType, address: Any, name: str) -> Any:
    field = kind.field(name)
    assert field is not None

    def read(k: int) -> Any:
        # Words never change during a call, whatever is written to arrays.
        word = builder.load(builder.gep(address, [WORD(field.word + k)]))
        word.set_metadata("invariant.load", builder.module.add_metadata([]))
        return word

    if isinstance(field.kind, types.Array):
        n = field.kind.ndim
        made = arrays.make_array(field.kind)(context, builder)
        data = builder.inttoptr(read(0), context.get_data_type(field.kind.dtype).as_pointer())
        shape, strides = [read(1 + k) for k in range(n)], [read(1 + n + k) for k in range(n)]
        size = context.get_abi_sizeof(context.get_data_type(field.kind.dtype))
        arrays.populate_array(made, data, shape, strides, size, None)
        return made._getvalue()
    if isinstance(field.kind, PackType):
        return builder.inttoptr(read(0), WORD.as_pointer())
    return builder.bitcast(read(0), FLOAT) if field.kind == types.float64 else read(0)


extending.unbox(PackType)(_take_address)
imputils.lower_getattr_generic(PackType)(_read_field)
