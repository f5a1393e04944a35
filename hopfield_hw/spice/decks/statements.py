"""The statements of a deck: its bytes decoded, comments left out, continuations joined, included files read.

A deck is read as ngspice reads it (manual, chapter 2; `inp_read` in its sources): the first line is the title; `*`, `#`
and `$` begin a line of comment, `;`, `//` and a `$` after a blank end one; `+` goes on with the statement before it,
over comments and empty lines, and so does the line after one that ends with two backslashes. Unlike ngspice, which
takes devices after `.end` for part of the circuit, reading ends there, and what follows is told of.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ...values.errors import InputError
from ..ngspice import check_deck_text

# Longer marks first: that of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What drawing programs write for a letter that a netlist has: the micro sign and the Greek mu, a hard blank, a minus.
LETTERS = str.maketrans({"\u00b5": "u", "\u03bc": "u", "\u00a0": " ", "\u2212": "-", "\ufeff": None})
OHM = re.compile(r"(?<=[\d.a-z])[\u2126\u03a9]", re.IGNORECASE)  # 10k and its unit: ngspice leaves units out
NET = re.compile(r"\b(net-)\(([^\s()=,;]+)\)", re.IGNORECASE)
WORD = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
COMMENT = re.compile(r"[;$]|//")
# A block of commands; its line ends are kept, so that lines keep their numbers.
CONTROL = re.compile(r"^[ \t]*\.control\b.*?^[ \t]*\.endc\b[^\n]*", re.IGNORECASE | re.MULTILINE | re.DOTALL)
MOST_FILES = 1000


class Statement(NamedTuple):
    """One statement: its first word, lower case; all of it on one line; its lines as written; where it begins."""

    word: str
    text: str
    lines: tuple[str, ...]
    where: str


class Source(NamedTuple):
    """A deck: its title, its statements up to `.end`, those of included files among them, and what to tell of it.

    `comments`: its own lines of comment, without the mark.
    """

    title: str
    statements: tuple[Statement, ...]
    notes: tuple[str, ...]
    comments: tuple[str, ...] = ()


class _File(NamedTuple):
    """Where statements come from: what messages call it, its folder, and the files that led to it."""

    name: str
    folder: Path
    above: tuple[Path, ...]


def read_statements(deck: str | Path, *, skip_commands: bool = False) -> Source:
    """Return the statements of a deck, given as text or as a path.

    Files that it includes are looked for beside the file that names them, then beside the deck, then in the working
    directory. `skip_commands`: leave out what stands between `.control` and `.endc`, for those who do not run the deck
    as it is. Raises InputError for what cannot be read, is not text, holds commands, or includes what is not there.
    """
    if isinstance(deck, Path) or "\n" not in deck:
        path = Path(deck)
        text = _decode(path, f"deck {str(deck)!r:.200}", "give a netlist or its path")
        file = _File("deck", path.resolve().parent, (path.resolve(),))
    else:
        text, file = deck, _File("deck", Path().resolve(), ())
    if skip_commands:
        text = CONTROL.sub(lambda match: "\n" * match[0].count("\n"), text)
    check_deck_text(text)
    title, _, rest = text.lstrip("\ufeff").partition("\n")
    statements: list[Statement] = []
    notes: tuple[str, ...] = ()
    own = _statements(rest, file.name, first=2)
    for statement in own:
        if statement.word == ".end":
            after = next(own, None)
            notes = () if after is None else (f"{after.where}: text after `.end` is not part of the circuit",)
            break
        statements += _expand(statement, file, file.folder)
    comments = tuple(line.strip()[1:].strip() for line in rest.split("\n") if line.lstrip().startswith("*"))
    return Source(plain(title).strip(), tuple(statements), notes, comments)


def deck_head(path: Path) -> str:
    """Return the first 4,000 characters of a deck. Raises InputError for what cannot be read as text."""
    return _decode(path, f"deck {str(path)!r:.200}", "give a netlist or its path")[:4000]


def plain(text: str) -> str:
    """Return a line in ASCII: a micro sign as `u`, other letters by their number, so that names stay apart.

    ngspice reads each byte of another letter as `_`, which makes one node of two, and `Net-(U1-Pad1)`, a name that
    KiCad gives, as two nodes; it becomes `Net-_U1-Pad1_`, as in the netlists that KiCad writes.
    """
    text = NET.sub(r"\1_\2_", text)
    if text.isascii():
        return text
    text = OHM.sub("", text.translate(LETTERS))
    return "".join(c if c.isascii() else f"_u{ord(c):04x}_" for c in text)


def arguments(statement: Statement) -> list[str]:
    """Return the words after the first one, without quotes; a quoted one may hold blanks."""
    return [word.strip("\"'") for word in WORD.findall(statement.text)[1:]]


def _decode(path: Path, what: str, remedy: str) -> str:
    try:
        data = path.read_bytes()
        for mark, encoding in MARKS:
            if data.startswith(mark):
                return _text(data[len(mark) :].decode(encoding))
        return _text(_drop_mark(data))
    except (OSError, UnicodeError) as error:
        raise InputError(f"{what}: cannot be read ({error}); {remedy}") from None


def _drop_mark(data: bytes) -> str:
    """Decode a file without a mark: UTF-16 has zeros in every other byte; what is not UTF-8 is Windows-1252."""
    if b"\0" in data:
        return data.decode("utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _text(text: str) -> str:
    if "\0" in text:
        raise UnicodeError("it holds zeros, so it is not text")
    return text


def _statements(text: str, name: str, *, first: int = 1) -> Iterator[Statement]:
    """Yield the statements of one file, which line `first` begins."""
    lines: list[str] = []
    begins, goes_on = 0, False
    for number, raw in enumerate(text.split("\n"), start=first):
        line = _without_comment(plain(raw))
        if not line:
            continue
        if goes_on and not line.startswith("+"):
            line = f"+ {line}"
        goes_on = line.endswith("\\\\")
        line = line.removesuffix("\\\\").rstrip()
        if line.startswith("+") and not lines:
            raise InputError(f"{name} line {number} `{line:.60}`: goes on with a statement, but none is before it")
        if not line.startswith("+") and lines:
            yield _join(lines, f"{name} line {begins}")
            lines = []
        begins = begins if lines else number
        lines.append(line)
    if lines:
        yield _join(lines, f"{name} line {begins}")


def _join(lines: list[str], where: str) -> Statement:
    text = " ".join([lines[0], *(line[1:].strip() for line in lines[1:])])
    return Statement(text.split(maxsplit=1)[0].lower() if text else "", text, tuple(lines), where)


def _without_comment(line: str) -> str:
    """Return a line without its comment and without blanks around it; empty for a line of comment."""
    if not line.isprintable():
        line = "".join(c if c.isprintable() else " " for c in line)
    line = line.strip()
    if line.startswith(("*", "#", "$", ";")):
        return ""
    if not COMMENT.search(line):
        return line
    quote = ""
    for k, c in enumerate(line):
        if quote or c in "\"'":
            quote = "" if c == quote else quote or c
        elif c == ";" or line.startswith("//", k) or (c == "$" and line[k - 1] in " ,"):
            return line[:k].rstrip()
    return line


def _expand(statement: Statement, file: _File, home: Path) -> Iterator[Statement]:
    """Yield a statement, or those of the file or the section that it names. `home`: the folder of the deck."""
    words = arguments(statement)
    if statement.word in (".include", ".incl", ".inc") or (statement.word == ".lib" and len(words) == 1):
        found, inner = _open(statement, words, file, home)
        for each in found:
            if each.word != ".end":
                yield from _expand(each, inner, home)
    elif statement.word == ".lib" and len(words) == 2:
        found, inner = _open(statement, words, file, home)
        for each in _section(found, words[1], statement):
            yield from _expand(each, inner, home)
    else:
        yield statement


def _open(statement: Statement, words: list[str], file: _File, home: Path) -> tuple[list[Statement], _File]:
    """Return the statements of the file that a statement names, and what they are read as."""
    said = f"{statement.where} `{statement.text:.80}`"
    if not words:
        raise InputError(f"{said}: must name a file")
    # Names of Windows have backslashes, which are letters elsewhere.
    names = dict.fromkeys([words[0], words[0].replace("\\", "/")])
    folders = dict.fromkeys([file.folder, home, Path().resolve()])
    paths = [folder / Path(name).expanduser() for name in names for folder in folders]
    path = next((path.resolve() for path in paths if path.is_file()), None)
    if path is None:
        raise InputError(
            f"{said}: found no such file in {file.folder}; put it beside the deck, or give its whole path (where no "
            "device needs it, remove the line)"
        )
    if path in file.above or len(file.above) > MOST_FILES:
        raise InputError(f"{said}: that file includes itself; remove one of the two lines")
    text = _decode(path, said, "give a file of statements")
    check_deck_text(text, path.name)
    return list(_statements(text, path.name)), _File(path.name, path.parent, (*file.above, path))


def _section(statements: list[Statement], section: str, call: Statement) -> Iterator[Statement]:
    """Yield what stands between `.lib SECTION` and `.endl` in a library."""
    inside = found = False
    for statement in statements:
        words = [word.lower() for word in arguments(statement)]
        if inside and statement.word == ".endl":
            return
        if inside:
            yield statement
        elif statement.word == ".lib" and words == [section.lower()]:
            inside = found = True
    missing = "has no `.endl` of that section" if found else f"has no section {section!r}"
    raise InputError(f"{call.where} `{call.text:.80}`: the library {missing}; name a section that it has")
