"""Documents of people in TOML: checked against a JSON schema, with messages that name the key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .names import unknown

if TYPE_CHECKING:
    import jsonschema


def check_document(content: dict[str, Any], schema: Path) -> dict[str, Any]:
    """Return a document that meets a schema. Raises InputError for the first fault; unknown keys are named first."""
    errors = sorted(
        _validator(schema).iter_errors(content),
        key=lambda error: (error.validator != "additionalProperties", len(error.absolute_path), error.json_path),
    )
    if errors:
        raise InputError(_message(errors[0]))
    return content


@contextmanager
def prefix(where: str) -> Iterator[None]:
    """Say in an InputError where it comes from."""
    try:
        yield
    except InputError as error:
        raise type(error)(f"{where}: {error}") from None


@cache
def _validator(schema: Path) -> jsonschema.Draft202012Validator:
    import jsonschema

    return jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def _message(error: Any) -> str:
    at = error.json_path.removeprefix("$").removeprefix(".")
    before = f"{at}." if at else ""
    if error.validator == "additionalProperties":
        known = sorted(error.schema["properties"])
        return unknown("key", before + sorted(set(error.instance) - set(known))[0], [before + key for key in known])
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"`{before}{missing}` is missing: must have {', '.join(error.validator_value)}"
    if error.validator == "type":
        kinds = error.validator_value
        allowed = kinds if isinstance(kinds, str) else " or ".join(kinds)
        return f"`{at}` = {error.instance!r:.80}: must be of type {allowed}"
    return f"`{at}`: {error.message:.200}"
