"""People who were erased stay out: their rows are dropped before they reach the lake.

The list holds keyed hashes only, in a file of its own that loading can read without the warehouse.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import settings
from warehouse import RawTable, reading
from warehouse.lake import identifier_sql

BLOCK = 64  # bytes, the block size of SHA-256 in HMAC (RFC 2104)
BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"  # what exports leave around a value


def path() -> Path:
    """The append-only list, one row per suppressed identifier: kind and tombstone."""
    return settings.home() / "privacy" / "suppressions.parquet"


def tombstone(kind: str, value: str) -> str:
    """The keyed hash under which one identifier of an erased person is remembered.

    HMAC-SHA-256, computed where rows are filtered: no other engine trims and folds quite alike.
    """
    return str(tombstones(kind, pa.chunked_array([[value]]))[0])


def tombstones(kind: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The tombstone of each value."""
    with reading(given=pa.table({"value": values})) as session:
        rows = session.read(f"select {_tombstone_sql(kind, 'value')} as tombstone from given")
    return rows.column("tombstone")


def suppressed() -> pa.Table:
    """Every tombstone, one row each."""
    if path().exists():
        return pq.read_table(path())
    return pa.table({"tombstone": pa.array([], pa.string())})


def add(tombstones: list[str]) -> None:
    """Remember erased identifiers; those already known are kept once."""
    known = set(suppressed().column("tombstone").to_pylist())
    rows = pa.table({"tombstone": sorted(known | set(tombstones))})
    path().parent.mkdir(parents=True, exist_ok=True)
    draft = path().with_suffix(".draft")
    pq.write_table(rows, draft)
    draft.replace(path())


@dataclass(frozen=True)
class Kept:
    """What is left of a batch: rows without erased people, and how many rows were left out."""

    rows: pa.Table
    suppressed: int = 0


def without_erased_people(table: RawTable, rows: pa.Table) -> Kept:
    """The rows that no erased person is named in, or with their identifiers taken out."""
    tombstones = suppressed()
    there = set(rows.column_names)
    named = {c: kind for c, kind in table.identifiers.items() if there.issuperset(c.split("/"))}
    if not tombstones.num_rows or not named:
        return Kept(rows)
    hits = " or ".join(
        f"{_tombstone_sql(kind, identifier_sql(column))} in (select tombstone from tombstones)"
        for column, kind in named.items()
    )
    with reading(rows=rows, tombstones=tombstones) as session:
        if table.erasure == "delete":
            session.hold("judged", f"select *, coalesce({hits}, false) as is_erased from rows")
            kept = session.read("select * exclude (is_erased) from judged where not is_erased")
            return Kept(kept, session.number("select count(*) from judged where is_erased"))
        emptied = ", ".join(
            f"case when coalesce({hits}, false) then null else {column} end as {column}"
            for column in named
        )
        return Kept(session.read(f"select * replace ({emptied}) from rows"))


def _tombstone_sql(kind: str, column: str) -> str:
    """HMAC-SHA-256 in SQL, of the value without blanks around it and in lower case."""
    key = settings.secret()
    key = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner = bytes(byte ^ 0x36 for byte in key).hex()
    outer = bytes(byte ^ 0x5C for byte in key).hex()
    message = f"encode('{kind}:' || lower(trim(cast({column} as varchar), {BLANKS})))"
    return f"sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || {message})))"
