"""All sheets of an assembly, drawn."""

from __future__ import annotations

from ...assembly import Assembly
from ...assembly.assembly import POWER, ROOT
from ..sheet import Sheet
from .neuron import draw_neuron
from .page import Page
from .power import draw_power
from .root import draw_root


def draw_sheets(assembly: Assembly) -> tuple[Sheet, ...]:
    """Return the sheets of an assembly, the root first, each drawn from left to right in the order of the signal.

    Neurons have a sheet each, as fields such as a value belong to a file and not to its use.
    """
    root = Sheet(project=assembly.name, name=ROOT, title=assembly.title, supplies=assembly.supplies)
    pages: dict[str, Page] = {}
    for number, (name, title) in enumerate(((n, t) for n, t in assembly.sheets.items() if n != ROOT), 2):
        sheet = Sheet(project=assembly.name, name=name, title=f"{assembly.title}: {title}", parent=root, page=number)
        pages[name] = Page(assembly, sheet, name)
        (draw_power if name == POWER else draw_neuron)(pages[name])
    page = Page(assembly, root, ROOT)
    draw_root(page, pages)
    return (root, *(p.sheet for p in pages.values()))
