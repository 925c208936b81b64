"""The rules as people write them: seed files, read so that whatever is wrong is told with its line.

dbt loads the same files; a refresh looks here first, because dbt does not know what they mean.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from identity.phones import e164
from identity.rules import IdentifierType, Override, RulesError, normal
from settings import DBT_PROJECT

FOLDER = DBT_PROJECT / "seeds"
NEEDED = {
    "identifier_types": ("identifier_type", "priority", "weight"),
    "source_trust": ("source", "trust"),
    "identity_overrides": ("override_id", "kind", "reason", "actor", "decided_at"),
    "blocked_values": ("identifier_type", "pattern", "is_regex", "reason"),
}
OF_ONE_ROW = {
    "identifier_types": ("identifier_type", "priority"),
    "source_trust": ("source",),
    "identity_overrides": ("override_id",),
}
FLAGS = {"true": True, "false": False}
# What every engine that loads the file reads as we do.
WHOLE = re.compile(r"-?[0-9]+")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?")
ESCAPED = re.compile(r"\\(p\{\w+\}|.)")
Row = dict[str, Any]
Types = dict[str, str]  # of a seed's columns, by their names


def checked_seeds(folder: Path = FOLDER) -> dict[str, pa.Table]:
    """The rows of every seed of identity, as dbt types them. Raises RulesError."""
    types = _types()
    found = {name: _rows(folder / f"{name}.csv", types[name]) for name in NEEDED}
    known = {row["identifier_type"] for _, row in found["identifier_types"]}
    if not known:
        raise RulesError(f"{folder / 'identifier_types.csv'} has no rows: nothing would link.")
    checks: dict[str, Callable[[Row], object]] = {
        "identifier_types": lambda row: IdentifierType(**_given(row)),
        "source_trust": _check_trust,
        "identity_overrides": lambda row: _check_override(row, known),
        "blocked_values": lambda row: _check_blocked(row, known),
    }
    for name, rows in found.items():
        lines: dict[object, int] = {}
        for line, row in rows:
            path = folder / f"{name}.csv"
            _told_with(path, line, checks[name], row)
            _told_with(path, line, _refuse_doubles, OF_ONE_ROW.get(name, ()), row, line, lines)
    return {name: _table(types[name], rows) for name, rows in found.items()}


def _rows(path: Path, types: Types) -> list[tuple[int, Row]]:
    """Every row that the file has, with the number of its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return list(_read(path, types, csv.reader(lines, strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RulesError(f"{path} cannot be read: {error}") from error


def _read(path: Path, types: Types, lines: Any) -> Iterator[tuple[int, Row]]:
    header: list[str] = next(lines, [])
    if wrong := sorted(types.keys() ^ set(header)):
        has = "unknown" if wrong[0] in header else "no"
        raise RulesError(f"{path} has {has} column `{wrong[0]}`. Columns: {', '.join(types)}.")
    for cells in filter(None, lines):
        if len(cells) != len(header):
            raise RulesError(
                f"{path}, line {lines.line_num}: {len(cells)} cells, {len(header)} columns; put a"
                " text with a comma into quotes."
            )
        row = dict(zip(header, cells, strict=True))
        yield (
            lines.line_num,
            _told_with(path, lines.line_num, _typed, types, NEEDED[path.stem], row),
        )


def _told_with(path: Path, line: int, check: Callable[..., Any], *given: object) -> Any:
    """What the check gives; its error with the place."""
    try:
        return check(*given)
    except RulesError as error:
        raise RulesError(f"{path}, line {line}: {error}") from error


def _typed(types: Types, needed: Sequence[str], cells: dict[str, str]) -> Row:
    for name in needed:
        if not cells[name].strip():
            raise RulesError(f"`{name}` is empty; every row needs one.")
    return {name: _value(name, types[name], text) for name, text in cells.items()}


def _value(name: str, kind: str, text: str) -> object:
    if text != text.strip():
        raise RulesError(f"`{name}` has blanks around it, {text!r}: remove them.")
    read, told = KINDS[kind]
    try:
        return read(text) if text else None
    except (ValueError, KeyError, OverflowError):
        raise RulesError(f"`{name}` must be {told}, not {text!r}.") from None


def _form(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        raise ValueError(text)
    return text


def _whole(text: str) -> int:
    return int(pa.scalar(int(_form(WHOLE, text)), pa.int64()).as_py())


KINDS: dict[str, tuple[Callable[[str], object], str]] = {
    "string": (str, "text"),
    "bigint": (_whole, "a whole number"),
    "double": (lambda text: float(_form(NUMBER, text)), "a number"),
    "boolean": (lambda text: FLAGS[text.lower()], "true or false"),
    "timestamp": (
        lambda text: datetime.fromisoformat(_form(TIME, text)),
        "a time in UTC such as 2026-01-31 12:00",
    ),
}
ARROW = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}


def _types() -> dict[str, Types]:
    """The columns of each seed and their types, as dbt is told them."""
    declared = yaml.safe_load((FOLDER / "_seeds.yml").read_text(encoding="utf-8"))["seeds"]
    return {one["name"]: one["config"]["column_types"] for one in declared if one["name"] in NEEDED}


def _table(types: Types, rows: list[tuple[int, Row]]) -> pa.Table:
    schema = pa.schema([(name, ARROW[kind]) for name, kind in types.items()])
    return pa.Table.from_pylist([row for _, row in rows], schema)


def _given(row: Row) -> Row:
    return {name: v for name, v in row.items() if v is not None and name != "description"}


def _check_trust(row: Row) -> None:
    if row["trust"] < 0:
        raise RulesError("`trust` must be 0 or more.")


def _refuse_doubles(columns: Sequence[str], row: Row, line: int, lines: dict[object, int]) -> None:
    """Raises RulesError when a row before, whose line is in `lines`, has the same value."""
    for column in columns:
        first = lines.setdefault((column, row[column]), line)
        if first != line:
            raise RulesError(f"`{column}` {row[column]} is on line {first} already: one row each.")


def _check_override(row: Row, known: set[str]) -> None:
    Override(**row)
    if row["identifier_type"]:
        _check_type(row["identifier_type"], known)
        _check_normal(row["identifier_type"], "identifier_value", row["identifier_value"])


def _check_blocked(row: Row, known: set[str]) -> None:
    _check_type(row["identifier_type"], known)
    if not row["is_regex"]:
        _check_normal(row["identifier_type"], "pattern", row["pattern"])
        return
    try:
        pc.match_substring_regex(pa.array([""]), row["pattern"])
    except pa.ArrowInvalid as error:
        raise RulesError(f"`pattern` is no regular expression: {error}") from error
    if ESCAPED.sub("", row["pattern"]) != ESCAPED.sub("", row["pattern"]).lower():
        raise RulesError("`pattern` has capital letters, but values are compared in small ones.")


def _check_type(identifier_type: str, known: set[str]) -> None:
    if identifier_type not in known:
        types = ", ".join(sorted(known))
        raise RulesError(f"unknown identifier type {identifier_type!r}. Types: {types}.")


def _check_normal(identifier_type: str, column: str, value: str) -> None:
    if identifier_type == "phone" and not e164(value, None):
        raise RulesError(f"`{column}` {value!r} is no number such as +442079460000.")
    kept = normal(identifier_type, value)
    if kept != value:
        raise RulesError(f"`{column}` {value!r} is kept as {kept!r}: write it so.")
