"""The books of every load: what came in at a source's door, and where each row of it went.

received = accepted + quarantined + duplicate + suppressed

Each count is an entry in `raw_<source>.books`, written where its rows pass and loaded together with
them: `received` by the reader, before anything looks at a row, the others by who let the row in,
refused it, had it already, or left it out because its person was erased. A file that cannot be read
is one row, received and refused. A replay takes rows out of the quarantine, which its entry
therefore counts as less; it receives nothing, but of a whole file the rows that it turned out to
have.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import dlt
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse import RawTable, lake_rows, reading
from warehouse.lake import books_of, quarantine_of

Entry = Literal["received", "accepted", "quarantined", "duplicate", "suppressed"]
ENTRIES: tuple[Entry, ...] = ("received", "accepted", "quarantined", "duplicate", "suppressed")
SCHEMA = pa.schema([("table_name", pa.string()), ("entry", pa.string()), ("rows", pa.int64())])
COUNTS = ", ".join(
    f"cast(coalesce(sum(rows) filter (where entry = '{kind}'), 0) as bigint) as {kind}"
    for kind in ENTRIES
)
LOADS = f"""
    select table_name, to_timestamp(cast(_dlt_load_id as double)) as loaded_at, {COUNTS}
    from booked group by table_name, _dlt_load_id order by loaded_at desc, table_name
"""


@dataclass(frozen=True)
class Book:
    """One table's rows of one or more loads, as booked and as they stand in the lake's files."""

    table: str
    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    suppressed: int = 0
    let_go: int = 0  # rows that a replay took out of the quarantine; no file shrinks
    accepted_in_lake: int = 0
    refused_in_lake: int = 0

    @property
    def problem(self) -> str:
        """What does not add up; nothing when the books balance."""
        accounted = self.accepted + self.quarantined + self.duplicate + self.suppressed
        refused = self.quarantined + self.let_go
        for told, rows, but, others in (
            ("received", self.received, "are accounted for", accounted),
            ("accepted", self.accepted, "are in the lake", self.accepted_in_lake),
            ("refused", refused, "are in the quarantine", self.refused_in_lake),
        ):
            if rows != others:
                return f"{self.table}: {rows} rows were {told}, but {others} {but}"
        return ""


def entry(table: RawTable, kind: Entry, rows: int) -> Iterator[object]:
    """An entry on its way into the books of the table's source; none for no rows."""
    if rows:
        row = pa.table([[table.name], [kind], [rows]], schema=SCHEMA)
        yield dlt.mark.with_table_name(row, "books")


def books(source: str, tables: Iterable[RawTable], loads: Iterable[str]) -> tuple[Book, ...]:
    """The books of these loads, one per table that anything was booked for or written to."""
    loads = list(loads)
    booked = _booked(source, loads)
    refused = _refused(source, loads)
    found = [
        Book(
            table=table.name,
            **{kind: rows for (name, kind), rows in booked.items() if name == table.name},
            accepted_in_lake=sum(pq.read_metadata(f).num_rows for f in _files(table, loads)),
            refused_in_lake=refused[table.name],
        )
        for table in tables
    ]
    return tuple(book for book in found if book != Book(table=book.table))


def loads(source: str) -> pa.Table:
    """One row per table and load of a source, the newest first."""
    with reading(booked=lake_rows(books_of(source))) as session:
        return session.read(LOADS)


def _booked(source: str, loads: list[str]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for file in _files(books_of(source), loads):
        for row in pq.ParquetFile(file).read().to_pylist():
            counts[row["table_name"], row["entry"]] += row["rows"]
            if row["entry"] == "quarantined" and row["rows"] < 0:
                counts[row["table_name"], "let_go"] -= row["rows"]
    return counts


def _refused(source: str, loads: list[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for file in _files(quarantine_of(source), loads):
        names = pq.ParquetFile(file).read(columns=["table_name"]).column("table_name")
        for name in names.value_counts().to_pylist():
            counts[name["values"]] += name["counts"]
    return counts


def _files(table: RawTable, loads: Iterable[str]) -> Iterator[Path]:
    for load in loads:
        yield from sorted(table.folder.glob(f"{load}.*.parquet"))
