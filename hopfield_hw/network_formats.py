"""Networks in files: JSON against a published schema, and NumPy archives without pickles."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np

from .errors import InputError

FORMAT = "hopfield_hw network"
VERSION = 1
SCHEMA = Path(__file__).parent / "schemas" / "network.schema.json"


def write_json(path: Path, fields: dict[str, Any]) -> None:
    """Write the fields of a network with format and version."""
    content = {"format": FORMAT, "version": VERSION, **fields}
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return the fields of a network. Raises InputError for what is not JSON, or does not meet the schema."""
    try:
        content = json.loads(path.read_text(), parse_constant=_refuse_constant)
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}); give the path of a network .json") from None
    except ValueError as error:
        raise InputError(f"{path.name}: is not JSON ({error})") from None
    return _checked(content, path.name)


def write_npz(path: Path, fields: dict[str, Any]) -> None:
    """Write the fields of a network as arrays; what is not numeric goes in as JSON text."""
    plain = {key: value for key, value in fields.items() if key not in ("weights", "input_weights")}
    arrays = {key: np.array(fields[key]) for key in ("weights", "input_weights") if fields[key] is not None}
    head = json.dumps({"format": FORMAT, "version": VERSION, **plain}, allow_nan=False)
    np.savez_compressed(path, allow_pickle=False, network=np.array(head), **arrays)


def read_npz(path: Path) -> dict[str, Any]:
    """Return the fields of a network. Raises InputError for another archive, and for one that holds pickles."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {key: archive[key] for key in archive.files}
        if "network" not in content:
            raise InputError(f"{path.name}: is not a network archive (no entry `network`); write it with to_npz")
        fields = json.loads(str(content.pop("network")))
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error})") from None
    except (ValueError, zipfile.BadZipFile) as error:
        if "allow_pickle" in str(error) or "pickle" in str(error):
            raise InputError(
                f"{path.name}: holds pickled objects, which can run code: refused; write the network with to_npz"
            ) from None
        raise InputError(f"{path.name}: is not a NumPy archive ({error})") from None
    weights = {key: content[key].tolist() if key in content else None for key in ("weights", "input_weights")}
    return _checked({**fields, **weights}, path.name)


def _checked(content: Any, name: str) -> dict[str, Any]:
    schema = json.loads(SCHEMA.read_text())
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(content))
    if error is not None:
        raise InputError(f"{name}: `{error.json_path.replace('$', 'network', 1)}`: {error.message:.200}")
    return {key: value for key, value in content.items() if key not in ("format", "version")}


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")
