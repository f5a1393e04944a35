from .assemble import assemble
from .assembly import Assembly
from .component import Component, Unit

__all__ = ["Assembly", "Component", "Unit", "assemble"]
