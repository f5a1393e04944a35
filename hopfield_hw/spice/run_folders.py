"""Folders of failed runs, which are kept for inspection: which there are, and how to be rid of them."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
from pathlib import Path

from .ngspice import FOLDERS

# As `tempfile` names them.
NAME = re.compile(rf"{re.escape(FOLDERS)}[a-z0-9_]{{8}}", re.ASCII)
# One in which nothing has changed for so many seconds belongs to no run that goes on.
OLD = 3600.0


def old_folders() -> tuple[Path, ...]:
    """Return the run folders of this user that are old: real folders in the one for temporary files, by their names."""
    owner = os.getuid() if hasattr(os, "getuid") else None
    found = []
    for path in sorted(Path(tempfile.gettempdir()).iterdir()):
        if NAME.fullmatch(path.name) is None:
            continue
        try:
            said = path.lstat()
            ours = stat.S_ISDIR(said.st_mode) and (owner is None or said.st_uid == owner)
            if (
                ours
                and time.time() - max(said.st_mtime, *(part.lstat().st_mtime for part in path.iterdir()), 0.0) > OLD
            ):
                found.append(path)
        except OSError:
            continue  # it went away, or cannot be read
    return tuple(found)


def remove_old_folders() -> tuple[Path, ...]:
    """Remove the run folders that are old, and return those that are gone."""
    folders = old_folders()
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)
    return tuple(path for path in folders if not path.exists())
