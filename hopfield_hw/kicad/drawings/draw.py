"""All sheets of an assembly, drawn."""

from __future__ import annotations

from textwrap import shorten

from ...assembly import Assembly
from ...assembly.assembly import POWER, ROOT
from ..sheet import Sheet
from .neuron import draw_neuron
from .page import Page
from .power import draw_power
from .root import draw_root

TITLE, COMMENT = 60, 80  # characters that a title block holds in a line


def draw_sheets(assembly: Assembly) -> tuple[Sheet, ...]:
    """Return the sheets of an assembly, the root first, each drawn from left to right in the order of the signal.

    Neurons have a sheet each, as fields such as a value belong to a file and not to its use.
    """
    title, comment = _titles(assembly, assembly.title)
    root = Sheet(project=assembly.name, name=ROOT, title=title, comment=comment, supplies=assembly.supplies)
    pages: dict[str, Page] = {}
    for number, (name, said) in enumerate(((n, t) for n, t in assembly.sheets.items() if n != ROOT), 2):
        title, comment = _titles(assembly, said)
        sheet = Sheet(project=assembly.name, name=name, title=title, comment=comment, parent=root, page=number)
        pages[name] = Page(assembly, sheet, name)
        (draw_power if name == POWER else draw_neuron)(pages[name])
    page = Page(assembly, root, ROOT)
    draw_root(page, pages)
    return (root, *(p.sheet for p in pages.values()))


def _titles(assembly: Assembly, said: str) -> tuple[str, str]:
    """Return what a title block says: the title of a sheet, and that of the assembly where it is not the same."""
    whole = said if len(said) <= TITLE else assembly.name
    return whole, "" if whole == assembly.title else shorten(assembly.title, COMMENT, placeholder=" ...")
