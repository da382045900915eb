"""Reads an export: CSV (by comma or semicolon) or JSON lines, in UTF-8; each row by its number, as people count."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payments.moving_in.values import UNSTORABLE, Column, Unreadable

# A cell of more is no cell.
MAX_CELL = 100_000
# The name under which the reader of CSV keeps cells for which the header has none.
NO_FIT = None
Cells = Mapping[Any, Any]


class WrongFile(Exception):
    """The file is none that can be imported; the sentence says why. Nothing was done."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a row cannot be taken. `column` "": it is the row as a whole."""

    column: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number`: its line in a spreadsheet, or among the JSON lines. `values` by column, all of them."""

    number: int
    values: Mapping[str, Any]
    trouble: Trouble | None = None

    def __getitem__(self, column: str) -> Any:
        return self.values[column]

    @property
    def id(self) -> str:
        """What the old system calls it; as it was written, where it cannot be read."""
        return str(self.values.get("id") or "")


def read_rows(path: Path, columns: Sequence[Column]) -> list[Row]:
    """All rows of the file, those too that cannot be taken. Raises WrongFile."""
    content = _content(path)
    given = list(_json_lines(content) if content.lstrip().startswith("{") else _csv_rows(content))
    if not given:
        raise WrongFile(f"{path.name} has no rows.")
    _require_columns(path, {name for _number, cells in given for name in cells}, columns)
    seen: dict[tuple[str, Any], int] = {}
    return [_row(number, cells, columns, seen) for number, cells in given]


def _content(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WrongFile(f"{path} cannot be read: {error.strerror}.") from None
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise WrongFile(f"{path.name} is not UTF-8 (line {line}): save or export it as UTF-8.") from None
    if not content.strip():
        raise WrongFile(f"{path.name} is empty.")
    return content


def _csv_rows(content: str) -> Iterator[tuple[int, Cells]]:
    """The header is row 1."""
    first = content.lstrip("\r\n").partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    csv.field_size_limit(MAX_CELL)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
        if len({*names}) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise WrongFile(f"The column {twice!r} stands there twice.")
        reader.fieldnames = names
        for number, cells in enumerate(reader, start=2):
            if not any(value and str(value).strip() for value in cells.values()):
                continue
            is_short = any(value is None for value in cells.values())
            yield number, {**cells, NO_FIT: []} if is_short else cells
    except csv.Error as error:
        raise WrongFile(f"Line {reader.line_num} is no CSV: {error}.") from None


def _json_lines(content: str) -> Iterator[tuple[int, Cells]]:
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except ValueError as error:
            raise WrongFile(f"Line {number} is no JSON: {error}.") from None
        if not isinstance(cells, dict):
            raise WrongFile(f"Line {number} is no JSON object.")
        yield number, cells


def _require_columns(path: Path, given: set[Any], columns: Sequence[Column]) -> None:
    known = [column.name for column in columns]
    if unknown := sorted(str(name) for name in given - {*known, None}):
        told = ", ".join(map(repr, unknown))
        raise WrongFile(f"{path.name} has columns that are not known here: {told}. Known are: {', '.join(known)}.")
    if missing := [column.name for column in columns if column.is_needed and column.name not in given]:
        raise WrongFile(f"{path.name} lacks columns that are needed: {', '.join(missing)}.")


def _row(number: int, cells: Cells, columns: Sequence[Column], seen: dict[tuple[str, Any], int]) -> Row:
    if NO_FIT in cells:
        return Row(number, {"id": cells.get("id")}, Trouble("", "It has not as many cells as the header."))
    values: dict[str, Any] = {}
    for column in columns:
        try:
            values[column.name] = _value(cells.get(column.name), column)
        except Unreadable as why:
            return Row(number, {"id": _plain(cells.get("id"))}, Trouble(column.name, _sentence(str(why))))
        key = (column.name, values[column.name])
        if column.is_unique and key[1] and seen.setdefault(key, number) != number:
            return Row(number, values, Trouble(column.name, f"{key[1]} stands in row {seen[key]} already."))
    return Row(number, values)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _value(given: Any, column: Column) -> Any:
    plain = _plain(given)
    if UNSTORABLE & {*plain}:
        raise Unreadable("it contains characters that cannot be stored")
    if plain:
        return column.read(plain)
    if column.is_needed:
        raise Unreadable("it is empty, and it is needed")
    return column.fallback


def _plain(given: Any) -> str:
    """A cell as text; JSON has words of its own for what CSV writes."""
    if given is None or isinstance(given, bool):
        return "" if given is None else str(given).lower()
    if isinstance(given, dict | list):
        raise Unreadable("it is no plain value")
    return str(given).strip()
