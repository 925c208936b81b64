"""The lake: append-only parquet files, seen by the warehouse as one view per raw table."""

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

import settings
from warehouse.files import reading
from warehouse.session import transaction

SQL_TYPES = {
    "string": "varchar",
    "bigint": "bigint",
    "double": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}
QUARANTINE = {
    "table_name": "string",
    "reason": "string",
    "payload": "string",
    "origin": "string",
    "format": "string",  # of a whole file that can be replayed: csv, jsonl or parquet
    "kept_file": "string",  # where its content is, when it is not the payload
}
BOOKS = {"table_name": "string", "entry": "string", "rows": "bigint"}
REPLAYS = {"table_name": "string", "refusal_id": "string", "rules": "string", "rows": "bigint"}
VIOLATIONS = {
    "source": "string",
    "table_name": "string",
    "version": "string",
    "event_name": "string",
    "property": "string",
    "rule": "string",
    "action": "string",
    "day": "date",
    "events": "bigint",
    "first_seen_at": "timestamp",
    "last_seen_at": "timestamp",
    "example_message_id": "string",
}
REPLACED = ".replaced"  # the end of a note beside a file that was made of others: their names
CAME_WITH = "refused_in_load"  # of a replayed row: the load that it came with and was refused in


@dataclass(frozen=True)
class RawTable:
    """The contract of one raw table: what a row is, and what a source must keep.

    `identifiers` names the columns that point to a person and the identifier's type; columns that
    only do so together are joined by a slash, as in network/handle. On erasure a person's rows are
    deleted, or kept without those columns (`anonymise`). `kept_until` is the SQL of the day from
    which a row must be gone from every file, where there is one. `paths` are the JSON paths at
    which a column's value stands where rows come as JSON of another shape. `feeds` names the source
    whose view of the same table shows these rows too: an instance feeds the tables of its kind.
    """

    source: str
    name: str
    grain: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    identifiers: Mapping[str, str] = field(default_factory=dict)
    erasure: Literal["delete", "anonymise"] = "delete"
    kept_until: str = ""
    paths: Mapping[str, Sequence[str]] = field(default_factory=dict)
    feeds: str = ""

    @property
    def schema(self) -> str:
        """The schema of the warehouse, which is also the folder in the lake."""
        return f"raw_{self.source}"

    @property
    def folder(self) -> Path:
        """Where its parquet files are."""
        return lake() / self.schema / self.name


def identifier_sql(columns: str) -> str:
    """The SQL of an identifier's value: a column, or several joined by the slash of their name."""
    texts = ", ".join(f'cast("{column}" as varchar)' for column in columns.split("/"))
    return f"concat_ws('/', {texts})" if "/" in columns else texts


def lake() -> Path:
    """The folder of the lake."""
    return settings.home() / "lake"


def quarantine_of(source: str) -> RawTable:
    """The table that holds what a source's contracts refused."""
    grain = "One row per refused row or file of this source"
    return RawTable(source, "quarantine", grain, QUARANTINE, key=())


def books_of(source: str) -> RawTable:
    """The table that counts what each load of a source received and where it went."""
    grain = "One row per entry of a load: so many rows of a table received, accepted, ..."
    return RawTable(source, "books", grain, BOOKS, key=())


def replays_of(source: str) -> RawTable:
    """The table that says which refusals of a source were mended and let in."""
    grain = "One row per refusal that was let in after a repair"
    return RawTable(source, "replays", grain, REPLAYS, key=())


def violations_of(source: str) -> RawTable:
    """The table that counts how often each rule of the tracking plan was broken."""
    grain = "One row per load, version of the plan, event, rule that was broken and day"
    return RawTable(source, "violations", grain, VIOLATIONS, key=())


def register_lake(tables: Iterable[RawTable]) -> None:
    """Make the warehouse see the lake as it is now: one view per table, completed loads only.

    A row that was refused and let in later is seen as if it had come right: with its first load.
    """
    known = list(tables)
    with transaction() as session, undisturbed():
        loads = {schema: completed_loads(schema) for schema in {t.schema for t in known}}
        for table in known:
            session.execute(f"create schema if not exists {table.schema}")
            fed_by = [t for t in known if (t.feeds, t.name) == (table.source, table.name)]
            files = [f for t in (table, *fed_by) for f in completed_files(t, loads[t.schema])]
            rows = _seen(table, files)
            session.execute(f"create or replace view {table.schema}.{table.name} as {rows}")


def lake_rows(
    table: RawTable, query: str = "select * from rows", params: Sequence[str] = ()
) -> pa.Table:
    """A query over `rows`, those of a table's completed loads, read without the warehouse."""
    with reading() as session, undisturbed():
        rows = _seen(table, completed_files(table, completed_loads(table.schema)))
        return session.read(f"with rows as ({rows}) {query}", params)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep the files that are there from being replaced or deleted; new ones may come."""
    with _locked(fcntl.LOCK_SH):
        yield


@contextmanager
def alone() -> Iterator[None]:
    """Wait for those who read or replace files of the lake, and keep others out."""
    with _locked(fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(how: int) -> Iterator[None]:
    """The lock of the lake's files, which dies with its process."""
    path = settings.home() / "lake.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, how)
        yield


def _seen(table: RawTable, files: Sequence[Path]) -> str:
    """The SQL of the rows in a table's files; a replayed row stands with the load it came with."""
    sql = _empty(table)
    if files:
        sql += f" union all by name select * from {parquet(files)}"
    landed = f"coalesce({CAME_WITH}, _dlt_load_id) as _dlt_load_id"
    return f"select * exclude ({CAME_WITH}) replace ({landed}) from ({sql})"


def _empty(table: RawTable) -> str:
    """The SQL of no rows with every declared column: files may be older than a column."""
    columns = {**table.columns, "_dlt_load_id": "string", CAME_WITH: "string"}
    nulls = (f"cast(null as {SQL_TYPES[kind]}) as {name}" for name, kind in columns.items())
    return f"select {', '.join(nulls)} where false"


def parquet(files: Iterable[Path], *options: str) -> str:
    """The SQL of the rows in these files; a column that a file lacks is null."""
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return f"read_parquet({', '.join([f'[{listed}]', 'union_by_name = true', *options])})"


def completed_files(table: RawTable, loads: set[str]) -> list[Path]:
    """The files of these loads, in their order: half a load, or half a file, is never seen.

    A file's name begins with the id of its load, or of the first one that it was made of. Files
    that were made into one are not seen from the moment when that one is there.
    """
    files = sorted(table.folder.glob("*.parquet"))
    gone = replaced(table)
    return [file for file in files if load_of(file) in loads and file.name not in gone]


def load_of(file: Path) -> str:
    """The id of the load that a file's name begins with: a number with one point."""
    return ".".join(file.name.split(".")[:2])


def replaced(table: RawTable) -> set[str]:
    """The names of files that another one was made of, and that are not deleted yet."""
    notes = table.folder.glob(f"*{REPLACED}")
    made = [note for note in notes if note.with_suffix(".parquet").exists()]
    return {name for note in made for name in note.read_text().splitlines()}


def completed_loads(schema: str, ended_before: datetime | None = None) -> set[str]:
    """The ids of the loads of a raw schema that are whole, and ended before a time if given."""
    entries = (lake() / schema / "_dlt_loads").glob("*.jsonl")
    return {
        row["load_id"]
        for entry in entries
        for row in load_rows(entry)
        if row["status"] == 0 and (ended_before is None or ended_at(row) < ended_before)
    }


def load_rows(entry: Path) -> list[dict[str, Any]]:
    """The loads that a file of dlt's names; half a line is none."""
    return [json.loads(line) for line in entry.read_text().splitlines() if line.endswith("}")]


def ended_at(row: Mapping[str, Any]) -> datetime:
    """When a load was completed."""
    return datetime.fromisoformat(row["inserted_at"])


def rewrite_rows(
    table: RawTable, condition: str, params: Sequence[str], *, keep_without: Sequence[str] | None
) -> int:
    """Take the rows that meet the condition out of the table's files; returns how many files.

    With `keep_without` the rows stay and lose only those columns' values. All files are looked
    through at once, for the condition's columns alone; one that has such rows is replaced whole, by
    rename. Drafts of somebody who was killed go too: they may hold such rows.
    """
    with alone():
        discard_drafts(table.folder)
        for path in (found := _files_with(table, condition, params)):
            _rewrite(path, condition, params, keep_without)
    return len(found)


def discard_drafts(folder: Path) -> None:
    """Delete what was being written when its process was killed."""
    for draft in folder.glob("*.draft"):
        draft.unlink()


def _files_with(table: RawTable, condition: str, params: Sequence[str]) -> list[Path]:
    files = sorted(table.folder.glob("*.parquet"))
    if not files:
        return []
    rows = f"select *, cast(null as varchar) as filename from ({_empty(table)})"
    read = f"select * from {parquet(files, 'filename = true')}"
    with reading() as session:
        found = session.read(
            f"select distinct filename from ({rows} union all by name {read})"
            f" where {condition} order by filename",
            params,
        )
    return [Path(name) for name in found.column("filename").to_pylist()]


def _rewrite(
    path: Path, condition: str, params: Sequence[str], keep_without: Sequence[str] | None
) -> None:
    rows = pq.ParquetFile(path).read()
    with reading(rows=rows) as session:
        if keep_without is None:
            kept = session.read(f"select * from rows where not ({condition})", params)
        else:
            emptied = ", ".join(
                f'case when not ({condition}) then "{column}" end as "{column}"'
                for column in keep_without
            )
            kept = session.read(
                f"select * replace ({emptied}) from rows", [*params] * len(keep_without)
            )
    draft = path.with_suffix(".draft")
    pq.write_table(kept, draft)
    draft.replace(path)
