"""Files and Arrow tables read in memory: bulk parsing that never opens the warehouse."""

import codecs
import csv
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from warehouse.session import Session, beside, opened

FIELD = r'(?:"(?:[^"]|"")*"|[^",\n][^,\n]*|)'  # in quotes, or not beginning with one, or empty
ROWS_A_LOOK = 250_000  # bounds memory
BLOCK_BYTES = 2_147_483_647  # the most that the CSV parser takes at once
REFUSED = pa.schema([("payload", pa.string()), ("reason", pa.string()), ("origin", pa.string())])


class File(Protocol):
    """A file under a name, in a folder or elsewhere."""

    @property
    def name(self) -> str:
        """Its name."""

    def read_bytes(self) -> bytes:
        """All of it."""


class FilesUnreadableError(RuntimeError):
    """Not one row could be made out in these files."""


@dataclass(frozen=True)
class Parsed:
    """What a file holds: `rows` with its name as `origin`, and `refused` lines with a reason.

    `received` were counted when the file was cut into rows, before any of them was looked at.
    """

    rows: pa.Table
    refused: pa.Table
    received: int


@contextmanager
def scratch(**tables: pa.Table) -> Iterator[Session]:
    """A session on an empty database in memory that sees the given tables and then vanishes."""
    with opened() as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        yield Session(connection)


@contextmanager
def reading(**tables: pa.Table) -> Iterator[Session]:
    """A session that sees the given tables and may hold others, but not write.

    It is for small reads, of which there are many: an empty database takes longer to make.
    """
    with beside() as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        yield Session(connection)


def text_lines(file: File) -> Parsed:
    """Every `line` of a file that is not blank; those that are no UTF-8 are refused."""
    text, refused = _utf8(_one_line_ending(file.read_bytes()), file.name)
    lines = _not_blank(_split(text))
    received = len(lines) + refused.num_rows
    return Parsed(_with_origin(pa.table({"line": lines}), file), refused, received)


def whole_parquet(file: BinaryIO | Path) -> pq.ParquetFile:
    """The file, every page of it readable: no row shall be in when another cannot be.

    Raises ArrowException, or OSError without a number when it is the file that is broken.
    """
    parquet = pq.ParquetFile(file)
    for _batch in parquet.iter_batches(ROWS_A_LOOK):
        pass
    return parquet


def csv_rows(file: File) -> Parsed:
    """The rows of a CSV file with a header, all text; lines that are no row are refused.

    Lines are matched before they are parsed: an unclosed quote swallows no line behind it, and
    every line is in one row or refused. Raises FilesUnreadableError.
    """
    head, _, body = _one_line_ending(file.read_bytes()).partition(b"\n")
    names = next(csv.reader([head.decode(errors="backslashreplace")]), [])
    text, refused = _utf8(body.rstrip(b"\n"), file.name)
    if not names or not text.strip():
        return Parsed(_with_origin(_no_rows(names), file), refused, refused.num_rows)
    lines = _split(text)
    records, broken = _records(lines, len(names))
    if records is not None:
        text = "\n".join(records).encode()
    received = (len(lines) if records is None else len(records)) + len(broken) + refused.num_rows
    rows = _with_origin(_parsed(text, names) if text else _no_rows(names), file)
    broken_rows = _refusals(broken, f"not a row of {len(names)} columns", file.name)
    return Parsed(rows, pa.concat_tables([refused, broken_rows]), received)


def _one_line_ending(raw: bytes) -> bytes:
    raw = raw.removeprefix(codecs.BOM_UTF8)
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in raw else raw


def _utf8(raw: bytes, origin: str) -> tuple[bytes, pa.Table]:
    try:
        _as_text(raw)
    except pa.ArrowInvalid:
        lines = raw.split(b"\n")
        wrong = [line.decode(errors="backslashreplace") for line in lines if not _is_utf8(line)]
        right = b"\n".join(line for line in lines if _is_utf8(line))
        return right, _refusals(wrong, "not UTF-8 text", origin)
    return raw, REFUSED.empty_table()


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _split(text: bytes) -> pa.Array:
    return pc.list_flatten(pc.split_pattern(_as_text(text), "\n"))


def _as_text(raw: bytes) -> pa.Array:
    """The bytes as one text, not copied. Raises ArrowInvalid when they are no UTF-8."""
    ends = pa.py_buffer(struct.pack("=qq", 0, len(raw)))
    one = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(raw)])
    return one.cast(pa.large_string())


def _not_blank(lines: pa.Array) -> pa.Array:
    """Lines with something in them, copied only when some have not."""
    lines = (
        lines[:-1] if len(lines) and not lines[-1].as_py() else lines
    )  # behind the last line end
    is_blank = pc.or_(pc.ascii_is_space(lines), pc.equal(lines, ""))
    return lines.filter(pc.invert(is_blank)) if pc.any(is_blank).as_py() else lines


def _records(lines: pa.Array, width: int) -> tuple[list[str] | None, list[str]]:
    """Lines put together to rows, or None when every line is one; and those that are no row."""
    pattern = f"^{FIELD}(?:,{FIELD}){{{width - 1}}}$"
    is_row = pc.match_substring_regex(lines, pattern)
    if pc.all(is_row).as_py():
        return None, []
    texts, whole = lines.to_pylist(), is_row.to_pylist()
    records, broken, start = [], [], 0
    while start < len(texts):
        end = start + 1 if whole[start] else _end_of_record(texts, start, re.compile(pattern))
        if end:
            records.append("\n".join(texts[start:end]))
        elif texts[start].strip():
            broken.append(texts[start])
        start = end or start + 1
    return records, broken


def _end_of_record(texts: list[str], start: int, pattern: re.Pattern[str]) -> int:
    """Where the row ends whose last value is still open at the end of its line; 0 if nowhere."""
    if texts[start].count('"') % 2:
        for end in range(start + 1, len(texts)):
            if texts[end].count('"') % 2:
                is_row = pattern.match("\n".join(texts[start : end + 1]))
                return end + 1 if is_row else 0
    return 0


def _no_rows(names: list[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _parsed(text: bytes, names: list[str]) -> pa.Table:
    numbers = [str(number) for number in range(len(names))]
    size = min(len(text) + 1, BLOCK_BYTES)
    try:
        rows = arrow_csv.read_csv(
            pa.BufferReader(text),
            arrow_csv.ReadOptions(column_names=numbers, block_size=size),
            arrow_csv.ParseOptions(newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(numbers, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise FilesUnreadableError(str(error)) from error
    return rows.rename_columns(names)


def _with_origin(rows: pa.Table, file: File) -> pa.Table:
    return rows.add_column(0, "origin", pa.repeat(file.name, rows.num_rows))


def _refusals(payloads: list[str], reason: str, origin: str) -> pa.Table:
    rows = [{"payload": payload, "reason": reason, "origin": origin} for payload in payloads]
    return pa.Table.from_pylist(rows, REFUSED)
