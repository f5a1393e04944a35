from .agreement import check_against_circuit
from .assembly import Assembly
from .bill import list_bill, write_bill
from .component import Component, Unit
from .from_circuit import assemble
from .library import write_library

__all__ = [
    "Assembly",
    "Component",
    "Unit",
    "assemble",
    "check_against_circuit",
    "list_bill",
    "write_bill",
    "write_library",
]
