"""Representations in one short line, whatever an object holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

LINE = 120
FEW = 4  # elements of a sequence are shown up to so many
LONG = 40  # characters of a text
LONG_NUMBER = 10  # characters of a number


class Brief:
    """Gives its dataclasses a `repr` of one line, at most LINE characters: large arrays by their shapes.

    Fields that have their default value, and those with `repr=False`, are left out.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Without one in the class itself, `dataclass` would write its own.
        type.__setattr__(cls, "__repr__", cls.__repr__)

    def __repr__(self) -> str:
        return brief(self)


def brief(value: Any) -> str:
    """Return the representation of a dataclass or a NamedTuple in one line of at most LINE characters."""
    if is_dataclass(value) and not isinstance(value, type):
        shown = [(field.name, getattr(value, field.name)) for field in fields(value) if _is_shown(field, value)]
    else:
        shown = [(name, getattr(value, name)) for name in value._fields]
    return shorten(f"{type(value).__name__}({', '.join(f'{name}={_short(each)}' for name, each in shown)})")


def shorten(line: str, end: str = "...)") -> str:
    """Return a line cut to LINE characters."""
    return line if len(line) <= LINE else line[: LINE - len(end)] + end


def _is_shown(field: Field[Any], owner: object) -> bool:
    if not field.repr:
        return False
    value = getattr(owner, field.name, None)
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return not (value is default or (type(value) is type(default) and _plain(value) and value == default))


def _plain(value: object) -> bool:
    return isinstance(value, bool | int | float | str | tuple)


def _short(value: Any) -> str:
    """Return a value as text: numbers and short texts as they are, anything larger by what it is and its size."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and hasattr(value, "dtype"):
        if len(shape) == 0:
            return str(value.item() if hasattr(value, "item") else value)
        if len(shape) == 1 and shape[0] <= FEW and hasattr(value, "tolist"):
            return f"[{', '.join(f'{each:.6g}' if isinstance(each, float) else str(each) for each in value.tolist())}]"
        return f"<{' x '.join(str(size) for size in shape)}>"
    if isinstance(value, Mapping):
        return f"<{len(value)} entries>" if len(value) else "{}"
    if isinstance(value, str):
        return repr(value) if len(value) <= LONG else f"{value[:LONG]!r}..."
    if isinstance(value, list | tuple | set | frozenset) and not hasattr(value, "_fields"):
        if len(value) > FEW or sum(len(repr(each)) for each in value) > LONG:
            return f"<{len(value)} {'entry' if len(value) == 1 else 'entries'}>"
        return repr(value)
    if isinstance(value, float):
        return f"{value:.6g}" if len(repr(value)) > LONG_NUMBER else repr(value)
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    text = brief(value) if hasattr(value, "_fields") else repr(value)
    return text if len(text) <= LINE and "\n" not in text else f"<{type(value).__name__}>"
