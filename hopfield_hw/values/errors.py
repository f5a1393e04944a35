"""One family of exceptions. Every message names the object, what was found, what is allowed, and the fix."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

PACKAGE = str(Path(__file__).parent.parent)


class HopfieldHWError(Exception):
    """Root of every error that hopfield_hw raises on purpose."""

    exit_status = 1


class InputError(HopfieldHWError, ValueError):
    """The input is wrong: refused before anything is computed or written (exit status 2)."""

    exit_status = 2


class Unrealisable(InputError):
    """The network is sound, but the chosen cell cannot realise it (exit status 2)."""


class UnusualValueWarning(UserWarning):
    """A value far outside what electronics can be built of: another unit was probably meant. What was asked runs."""


class NoEffectWarning(UserWarning):
    """Something was asked for that changes nothing, such as a spread of parts that a circuit does not have."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line that called the package."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


class MissingExtra(HopfieldHWError, ImportError):
    """An optional package is needed for what was asked; the message says what to install (exit status 2)."""

    exit_status = 2


class SimulatorError(HopfieldHWError, RuntimeError):
    """The simulator did not deliver a complete, finite waveform (exit status 3).

    `folder` is the run folder kept for inspection (deck, log, raw file), or None where there was no run.
    """

    exit_status = 3

    def __init__(self, message: str, *, folder: Path | None = None) -> None:
        self.folder = folder
        super().__init__(message if folder is None else f"{message}; run folder kept: {folder}")


class SimulatorMissing(SimulatorError):
    """The simulator is not installed, or cannot be started."""


class SimulatorTimeout(SimulatorError):
    """The simulator did not finish in the time it was given, and was stopped."""


class SimulatorCrash(SimulatorError):
    """The simulator was killed, or ended without its output."""


class ConvergenceError(SimulatorError):
    """The simulator gave up: no convergence, or a time step too small."""


class DeckError(SimulatorError):
    """The simulator did not accept the deck."""


class TruncatedOutput(SimulatorError):
    """The raw file is missing, malformed, shorter than it declares, or ends before t_stop."""


class NonFiniteOutput(SimulatorError):
    """The waveform holds NaN or infinite values."""


class DiskFull(SimulatorError):
    """There is no room for the run folder."""


class AccuracyError(SimulatorError):
    """Refinement ended before the self-check agreed to the accuracy asked for."""


class KiCadError(HopfieldHWError, RuntimeError):
    """KiCad did not do what it was asked for, or its answer cannot be read (exit status 3)."""

    exit_status = 3


class KiCadMissing(KiCadError):
    """KiCad's command line is not installed, or cannot be started."""
