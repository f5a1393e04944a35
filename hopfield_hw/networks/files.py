"""Networks in files: JSON against a published schema, and NumPy archives without pickles."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..values.errors import InputError

FORMAT = "hopfield_hw network"
VERSION = 1
ARRAYS = ("weights", "input_weights")
SCHEMA = Path(__file__).parent / "network.schema.json"


def write_json(path: Path, fields: dict[str, Any]) -> None:
    """Write the fields of a network with format and version. Raises InputError for a path that cannot be written."""
    content = json.dumps({"format": FORMAT, "version": VERSION, **fields}, indent=1, allow_nan=False)
    _write(path, f"{content}\n".encode())


def read_json(path: Path) -> dict[str, Any]:
    """Return the fields of a network. Raises InputError for what is not JSON, or does not meet the schema."""
    try:
        text = path.read_text()
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}); give the path of a network .json") from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: is not JSON (it is not text)") from None
    return _check(_parse(text, path.name), path.name)


def write_npz(path: Path, fields: dict[str, Any]) -> None:
    """Write the fields of a network as arrays; what is not numeric goes in as JSON text.

    Raises InputError for a path that cannot be written.
    """
    plain = {key: value for key, value in fields.items() if key not in ARRAYS}
    arrays = {key: np.array(fields[key]) for key in ARRAYS if fields[key] is not None}
    arrays["network"] = np.array(json.dumps({"format": FORMAT, "version": VERSION, **plain}, allow_nan=False))
    archive = io.BytesIO()
    np.savez_compressed(archive, allow_pickle=False, **arrays)
    _write(path, archive.getvalue())


def read_npz(path: Path) -> dict[str, Any]:
    """Return the fields of a network. Raises InputError for another archive, and for one that holds pickles."""
    try:
        path.open("rb").close()
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("its head is not that of one; write it with to_npz")
        with np.load(path, allow_pickle=False) as archive:
            content = {key: archive[key] for key in archive.files}
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}); give the path of a network .npz") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if "allow_pickle" in str(error):
            raise InputError(
                f"{path.name}: holds pickled objects, which can run code: refused; write the network with to_npz"
            ) from None
        raise InputError(f"{path.name}: is not a NumPy archive ({error})") from None
    unknown = sorted(set(content) - {"network", *ARRAYS})
    if "network" not in content or unknown:
        found = f"the unknown entry {unknown[0]!r:.60}" if unknown else "no entry `network`"
        raise InputError(f"{path.name}: is not a network archive (it has {found}); write it with to_npz")
    fields = _parse(str(content.pop("network")), path.name)
    arrays = {key: content[key].tolist() if key in content else None for key in ARRAYS}
    return _check({**fields, **arrays} if isinstance(fields, dict) else fields, path.name)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{str(path)!r:.200}: cannot be written ({error.strerror}); give another path") from None


def _parse(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: is not JSON ({error})") from None


def _check(content: Any, name: str) -> dict[str, Any]:
    import jsonschema

    schema = json.loads(SCHEMA.read_text())
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(content))
    if error is not None:
        raise InputError(f"{name}: `{error.json_path.replace('$', 'network', 1)}`: {error.message:.200}")
    return {key: value for key, value in content.items() if key not in ("format", "version")}


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")
