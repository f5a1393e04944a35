from .amplifier import Amplifier
from .differential_pair import DifferentialPair
from .diode_clamp import DiodeClamp
from .exact import Exact
from .piecewise_linear import ThreeOpAmps
from .table import AMPLIFIERS, as_amplifier
from .transconductance import TransconductanceAmplifier
from .zener_clamp import ZenerClamp

__all__ = [
    "AMPLIFIERS",
    "Amplifier",
    "DifferentialPair",
    "DiodeClamp",
    "Exact",
    "ThreeOpAmps",
    "TransconductanceAmplifier",
    "ZenerClamp",
    "as_amplifier",
]
