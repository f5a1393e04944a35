"""ngspice as WebAssembly, from the npm package eecircuit-engine that a user has: read, taken apart, compressed.

The package (MIT; ngspice in it under the BSD licence) holds one script with the WebAssembly in it as base64, twice.
Here the script and the WebAssembly are stored once each, and joined in the browser.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import tarfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..values.errors import InputError
from .markup import packed

PACKAGE = "eecircuit-engine"
SCRIPT = "dist/eecircuit-engine.umd.js"
FILES = ("package.json", SCRIPT, "LICENSE")
HOW = f"get it with `npm pack {PACKAGE}`, and name the .tgz, or the folder that it unpacks to"
INSIDE = re.compile(r"data:application/wasm;base64,([A-Za-z0-9+/=]+)")
EMPTY = "data:application/wasm;base64,"
MAGIC = b"\0asm"
LARGEST = 64 << 20  # bytes of a file of the package


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The engine as a page holds it. `script`, `binary`: gzip in base64. `licence`: its text, which goes with it."""

    version: str
    licence: str = field(repr=False)
    script: str = field(repr=False)
    binary: str = field(repr=False)


def read_engine(path: Path | str) -> Engine:
    """Return the engine of an npm package: its .tgz, its folder, or a folder with `node_modules` or the .tgz in it.

    Raises InputError, with how to get the package, where there is none, or another one.
    """
    place = Path(path)
    found = _read(place)
    missing = [name for name in FILES if name not in found]
    if missing:
        raise InputError(f"--engine {str(path)!r:.200}: has no {missing[0]} of {PACKAGE}; {HOW}")
    try:
        about = json.loads(found["package.json"])
        name, version = str(about["name"]), str(about["version"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"--engine {str(path)!r:.200}: its package.json tells no name and version; {HOW}") from None
    if name != PACKAGE:
        raise InputError(f"--engine {str(path)!r:.200}: is the package {name!r:.60}, must be {PACKAGE}; {HOW}")
    code = found[SCRIPT].decode("utf-8", errors="replace")
    binaries = set(INSIDE.findall(code))
    try:
        (text,) = binaries
        binary = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        binary = b""
    if not binary.startswith(MAGIC):
        raise InputError(
            f"--engine {str(path)!r:.200}: {PACKAGE} {version:.20} does not hold its WebAssembly as 1.8.0 does; "
            f"`npm pack {PACKAGE}@1.8.0` gets that"
        )
    return Engine(
        version=version,
        licence=found["LICENSE"].decode("utf-8", errors="replace"),
        script=packed(INSIDE.sub(EMPTY, code).encode()),
        binary=packed(binary),
    )


def _read(place: Path) -> dict[str, bytes]:
    """Return the files of the package by name. Raises InputError where there is no such file or folder."""
    if place.is_file():
        return _unpack(place)
    if not place.is_dir():
        raise InputError(f"--engine {str(place)!r:.200}: there is no such file or folder; {HOW}")
    for folder in (place, place / "package", place / "node_modules" / PACKAGE, place / PACKAGE):
        if (folder / SCRIPT).is_file():
            files = (folder / name for name in FILES)
            return {name: file.read_bytes() for name, file in zip(FILES, files, strict=True) if file.is_file()}
    archives = sorted(place.glob(f"{PACKAGE}-*.tgz"))
    return _unpack(archives[-1]) if archives else {}


def _unpack(archive: Path) -> dict[str, bytes]:
    """Return the files of the package in a .tgz, read in memory. Raises InputError for what is none."""
    found = {}
    try:
        with tarfile.open(archive, "r:gz") as content:
            for member in content:
                name = str(PurePosixPath(*PurePosixPath(member.name).parts[1:]))
                if name in FILES and member.isfile() and member.size <= LARGEST:
                    file = content.extractfile(member)
                    found[name] = b"" if file is None else file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InputError(f"--engine {str(archive)!r:.200}: is no .tgz of npm ({error!s:.80}); {HOW}") from None
    return found
