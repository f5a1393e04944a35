"""Pictures in files."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from ..values.errors import InputError


def save_figure(figure: Figure, path: Path | str | None) -> Figure:
    """Write a figure where a path is given, and return it.

    The suffix of `path` says in which format (.png, .pdf, .svg). Raises InputError otherwise.
    """
    if path is None:
        return figure
    try:
        figure.savefig(path)
    except ValueError as error:
        raise InputError(f"{Path(path).name}: {error}; give the picture a suffix such as .png") from None
    except OSError as error:
        raise InputError(f"{Path(path).name}: cannot be written ({error.strerror}); give another path") from None
    return figure
