"""The forms in which a company is written: as its sources really are, or as parquet tables.

A raw table is an Arrow table under the name "<source>.<table>", the same in both forms:

sources   a SQL database (crm), REST pages (ads, email, support, social), a CSV drop a day
          (pos, dmp), folders of parquet (shop, partner) and log segments (web)
parquet   `raw_<source>/<table>.parquet` for each table: for benchmarks, of any size
"""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from simulation.ledger import Column

Form = Literal["sources", "parquet"]
ISO_UTC = "%Y-%m-%dT%H:%M:%S"
LOOKED_AT = 10_000  # rows that show whether the values of a column repeat
BATCH = 50_000  # rows turned into Python values at a time for the database


def write_parquet(path: Path, table: pa.Table) -> None:
    """The table as one parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, use_dictionary=repeating(table))


def repeating(table: pa.Table) -> list[str]:
    """The columns whose values repeat: only those are worth a dictionary."""
    head = table.slice(0, LOOKED_AT)
    return [
        name
        for name, column in zip(head.column_names, head.columns, strict=True)
        if not pa.types.is_nested(column.type)
        and pc.count_distinct(column).as_py() * 2 <= head.num_rows
    ]


def write_raw(target: Path, tables: Mapping[str, pa.Table]) -> None:
    """Every raw table as one parquet file."""
    for name, table in tables.items():
        source, resource = name.split(".")
        write_parquet(target / f"raw_{source}" / f"{resource}.parquet", table)


def write_parts(path: Path, parts: Iterable[pa.Table]) -> int:
    """One parquet file of many tables, never all in memory; the number of its rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer, rows = None, 0
    for part in parts:
        writer = writer or pq.ParquetWriter(path, part.schema, use_dictionary=repeating(part))
        writer.write_table(part)
        rows += part.num_rows
    if writer is not None:
        writer.close()
    return rows


def write_resource(path: Path, table: pa.Table, key: str) -> None:
    """What a REST source would answer: one JSON object a line, in order of change."""
    ordered = table.sort_by([("updated_at", "ascending"), (key, "ascending")])
    write_lines(path, json_objects(ordered))


def write_lines(path: Path, lines: pa.Array) -> None:
    """A text file of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = lines.to_pylist()
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def write_drops(folder: Path, name: str, table: pa.Table, column: str, days: Column) -> None:
    """One CSV file `<name>_YYYY-MM-DD.csv` a day. Raises ValueError for rows of other days."""
    folder.mkdir(parents=True, exist_ok=True)
    of_day = table[column].to_numpy(zero_copy_only=False).astype("datetime64[D]")
    order = np.argsort(of_day, kind="stable")
    rows, of_day = csv_values(table.take(pa.array(order))), of_day[order]
    starts, ends = np.searchsorted(of_day, days), np.searchsorted(of_day, days, side="right")
    if untold := len(of_day) - int((ends - starts).sum()):
        raise ValueError(f"{untold} rows of {name} are of none of the days from {days[0]} on")
    for day, start, end in zip(days, starts, ends, strict=True):
        with (folder / f"{name}_{day}.csv").open("wb") as file:
            file.write(",".join(rows.column_names).encode() + b"\n")
            options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
            pa_csv.write_csv(rows.slice(start, end - start), file, options)


def csv_values(table: pa.Table) -> pa.Table:
    """The table with its times to the second."""
    kinds = [
        pa.timestamp("s") if pa.types.is_timestamp(kind) else kind for kind in table.schema.types
    ]
    return table.cast(pa.schema(list(zip(table.column_names, kinds, strict=True))))


def write_database(path: Path, tables: Mapping[str, tuple[str, pa.Table]]) -> None:
    """An SQLite database of tables with these column definitions: same rows, same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("begin")
    for name, (definition, table) in tables.items():
        connection.execute(f"create table {name} ({definition})")
        insert = f"insert into {name} values ({', '.join('?' * table.num_columns)})"
        for batch in as_sqlite(table).to_batches(BATCH):
            columns = [column.to_pylist() for column in batch.columns]
            connection.executemany(insert, zip(*columns, strict=True))
    connection.execute("commit")
    connection.close()


def as_sqlite(table: pa.Table) -> pa.Table:
    """The table in the types of SQLite, which keeps times as text and flags as numbers."""
    return pa.table({
        name: sqlite_values(joined_chunks(column))
        for name, column in zip(table.column_names, table.columns, strict=True)
    })  # fmt: skip


def sqlite_values(column: pa.Array) -> pa.Array:
    """The values of one column as SQLite keeps them."""
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column.cast(pa.timestamp("s")), "%Y-%m-%d %H:%M:%S")
    if pa.types.is_date(column.type):
        return column.cast(pa.string())
    return column.cast(pa.int64()) if pa.types.is_boolean(column.type) else column


def json_objects(table: pa.Table, *, skip_nulls: bool = False) -> pa.Array:
    """Each row as a JSON object; struct columns become objects in it."""
    whole = table.combine_chunks()
    columns = [joined_chunks(column) for column in whole.columns]
    return object_text(table.column_names, columns, table.num_rows, skip_nulls=skip_nulls)


def joined_chunks(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def object_text(
    names: list[str], columns: list[pa.Array], size: int, *, skip_nulls: bool
) -> pa.Array:
    """One JSON object per position of these columns."""
    members = [
        member(name, column, skip_nulls=skip_nulls)
        for name, column in zip(names, columns, strict=True)
    ]
    blank = pa.repeat(pa.scalar(""), size)
    body = pc.utf8_rtrim(pc.binary_join_element_wise(blank, *members, ""), ",")
    return pc.binary_join_element_wise("{", body, "}", "")


def member(name: str, column: pa.Array, *, skip_nulls: bool) -> pa.Array:
    """The text `"name":value,` per position, or nothing for a null that is skipped."""
    text = json_text(column, skip_nulls=skip_nulls)
    known = pc.binary_join_element_wise(f'"{name}":', text, ",", "")
    return pc.fill_null(known, "" if skip_nulls else f'"{name}":null,')


def json_text(column: pa.Array, *, skip_nulls: bool) -> pa.Array:
    """Each value as JSON; null stays null."""
    kind = column.type
    if pa.types.is_struct(kind):
        inner = object_text(
            [field.name for field in kind], column.flatten(), len(column), skip_nulls=skip_nulls
        )
        return pc.if_else(column.is_valid(), inner, pa.scalar(None, pa.string()))
    if pa.types.is_timestamp(kind):
        return quoted(iso_utc(column))
    if pa.types.is_date(kind):
        return quoted(column.cast(pa.string()))
    if pa.types.is_string(kind):
        return quoted(escaped(column))
    return column.cast(pa.string())


def iso_utc(times: pa.Array) -> pa.Array:
    """Times as ISO 8601 in UTC, to the second."""
    return pc.binary_join_element_wise(pc.strftime(times.cast(pa.timestamp("s")), ISO_UTC), "Z", "")


def quoted(text: pa.Array) -> pa.Array:
    """The text between quotation marks."""
    return pc.binary_join_element_wise('"', text, '"', "")


def escaped(text: pa.Array) -> pa.Array:
    """The text with everything JSON does not allow in a string escaped."""
    for character, code in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = pc.replace_substring(text, character, code)
    return text
