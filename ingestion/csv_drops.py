"""Rows of CSV files with a header that a source drops in a folder: new or changed files only."""

from collections.abc import Iterator

import pyarrow as pa

from ingestion.books import entry
from ingestion.contracts import checked_rows, refused, refused_file
from ingestion.drops import new_files
from ingestion.refused_files import kept
from warehouse import File, FilesUnreadableError, RawTable, csv_rows
from warehouse.files import Parsed


def csv_drops(table: RawTable, bucket_url: str) -> Iterator[object]:
    """What dlt shall load of the new files; files and lines that are no rows are refused."""
    for paths in new_files(bucket_url, "*.csv"):
        alike: dict[tuple[str, ...], list[pa.Table]] = {}
        for path in paths:
            try:
                parsed = parsed_csv(table, path)
            except FilesUnreadableError as error:
                yield from refused_file(table, path.name, str(error), kept(table, path, "csv"))
                continue
            yield from entry(table, "received", parsed.received)
            alike.setdefault(tuple(parsed.rows.column_names), []).append(parsed.rows)
            yield from refused(table, parsed.refused)
        for tables in alike.values():
            yield from checked_rows(table, pa.concat_tables(tables))


def parsed_csv(table: RawTable, file: File) -> Parsed:
    """The rows of one file. Raises FilesUnreadableError when its header names none of ours."""
    parsed = csv_rows(file)
    if set(table.columns) & set(parsed.rows.column_names[1:]) or not file.read_bytes().strip():
        return parsed
    raise FilesUnreadableError(f"its header names none of {', '.join(table.columns)}")
