"""HTML in which every text is escaped, numbers and compressed files in script elements, and what a page may load."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterable
from typing import Any

VOID = frozenset({"input", "br", "hr", "meta", "link", "img"})
NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
# What ends a script element, and what older scripts take for the end of a line, as JSON may write it.
IN_JSON = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class Html(str):
    """Text that is HTML already. `element` and `join` make it; whoever calls it vouches for its text."""

    __slots__ = ()


def element(name: str, /, *children: str | Iterable[str], **attributes: str | int | bool | None) -> Html:
    """Return an element; children that are not Html are escaped, as attributes are.

    An underscore at the end of an attribute's name is left out, others become hyphens: `class_`, `data_line`. One that
    is True has no value, and one that is False or None is left out.
    """
    words = [name]
    for key, value in attributes.items():
        label = key.rstrip("_").replace("_", "-")
        assert NAME.fullmatch(label), label
        if value is True:
            words.append(label)
        elif value is not None and value is not False:
            words.append(f'{label}="{html.escape(str(value))}"')
    start = f"<{' '.join(words)}>"
    return Html(start if name in VOID else f"{start}{join(*children)}</{name}>")


def join(*children: str | Iterable[str]) -> Html:
    """Return children one after another, those that are not Html escaped."""
    parts = (part for child in children for part in ((child,) if isinstance(child, str) else child))
    return Html("".join(part if isinstance(part, Html) else html.escape(part, quote=False) for part in parts))


def table(rows: Iterable[Iterable[str]], *, head: Iterable[str] = (), class_: str = "") -> Html:
    """Return a table; the first cell of each row is its heading."""
    heading = [element("th", cell, scope="col") for cell in head]
    body = []
    for row in rows:
        first, *others = row
        body.append(element("tr", element("th", first, scope="row"), [element("td", cell) for cell in others]))
    top = element("thead", element("tr", heading)) if heading else Html("")
    return element("table", top, element("tbody", body), class_=class_ or None)


def data(identity: str, value: Any) -> Html:
    """Return a script element of JSON, which no browser runs, and which no text in it can end."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).translate(IN_JSON)
    return Html(f'<script type="application/json" id="data-{html.escape(identity)}">{text}</script>')


def packed(content: bytes) -> str:
    """Return bytes compressed by gzip, in base64; the same for the same bytes."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")


def script(code: str) -> tuple[Html, str]:
    """Return a script element of code, and the word with which a policy allows it."""
    assert "</script" not in code.lower()
    return Html(f"<script>{code}</script>"), _hash(code)


def style(code: str) -> tuple[Html, str]:
    """Return a style element, and the word with which a policy allows it."""
    assert "</style" not in code.lower()
    return Html(f"<style>{code}</style>"), _hash(code)


def policy(scripts: Iterable[str], styles: Iterable[str]) -> Html:
    """Return the element by which a page runs its own scripts alone, and reaches no network.

    Beside them: images and workers that these scripts make, and WebAssembly that they compile.
    """
    content = (
        f"default-src 'none'; script-src {' '.join(scripts)} 'wasm-unsafe-eval'; style-src {' '.join(styles)}; "
        "img-src blob: data:; worker-src blob:; base-uri 'none'; form-action 'none'"
    )
    return element("meta", http_equiv="Content-Security-Policy", content=content)


def _hash(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode('ascii')}'"
