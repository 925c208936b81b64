"""Rows of files: one that cannot be read, or not as ours, is refused whole, with its content."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa

from ingestion.books import entry
from ingestion.contracts import by_encoding, checked_rows, refused, refused_file
from ingestion.drops import Drop, new_files
from ingestion.own_columns import WrongMappingError
from ingestion.refused_files import PARQUET, kept, opened
from warehouse import File, FilesUnreadableError, RawTable, csv_rows
from warehouse.files import Parsed, whole_parquet

ROWS_A_BATCH = 250_000  # of parquet; bounds memory; a batch is checked and written at once


def csv_drops(table: RawTable, bucket_url: str) -> Iterator[object]:
    """What dlt shall load of the new CSV files in a folder."""
    for paths in new_files(bucket_url, "*.csv"):
        yield from text_rows(table, paths, partial(parsed_csv, table))


def parsed_csv(table: RawTable, file: File) -> Parsed:
    """The rows of one file. Raises FilesUnreadableError when its header names none of ours."""
    parsed = csv_rows(file)
    if set(table.columns) & set(parsed.rows.column_names[1:]) or not file.read_bytes().strip():
        return parsed
    raise FilesUnreadableError(f"its header names none of {', '.join(table.columns)}")


def text_rows(
    table: RawTable, files: Iterable[Path | Drop], parsed_of: Callable[[File], Parsed]
) -> Iterator[object]:
    """What dlt shall load of text files; those of one shape are checked and written together."""
    alike: dict[tuple[str, ...], list[pa.Table]] = {}
    for file in files:
        try:
            parsed = parsed_of(file)
        except (FilesUnreadableError, WrongMappingError) as error:
            content = kept(table, file, file.name.rpartition(".")[2].lower())
            yield from refused_file(table, file.name, str(error), content)
            continue
        yield from entry(table, "received", parsed.received)
        yield from refused(table, parsed.refused)
        alike.setdefault(tuple(parsed.rows.column_names), []).append(parsed.rows)
    for tables in alike.values():
        yield from checked_rows(table, pa.concat_tables(tables))


def parquet_rows(
    table: RawTable, file: Path | Drop, ours: Callable[[pa.Table], pa.Table] = lambda rows: rows
) -> Iterator[object]:
    """What dlt shall load of a parquet file, whose rows `ours` makes into rows of ours."""
    try:
        with opened(file) as content:
            parquet = whole_parquet(content)
            ours(parquet.schema_arrow.empty_table())  # a file without rows has columns, too
            for batch in parquet.iter_batches(ROWS_A_BATCH):
                parts = [ours(part) for part in by_encoding(pa.Table.from_batches([batch]))]
                yield from entry(table, "received", batch.num_rows)
                for rows in parts:
                    yield from checked_rows(table, rows, file.name)
    except (pa.ArrowException, OSError, WrongMappingError) as error:
        if isinstance(error, OSError) and error.errno:  # the disk is broken, not the file
            raise
        is_read = isinstance(error, WrongMappingError)
        reason = str(error) if is_read else f"not a readable parquet file: {error}"
        yield from refused_file(table, file.name, reason, kept(table, file, PARQUET))
