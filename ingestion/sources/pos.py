"""Receipts of the stores' tills, dropped as one CSV file a day: new or changed files only.

raw_pos.receipt_lines  one row per line of a receipt

Needs SOURCES__POS__BUCKET_URL: the folder of the drops, receipts_YYYY-MM-DD.csv with a header.
"""

from collections.abc import Iterator
from pathlib import Path

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource

from ingestion.contracts import checked_rows, refused, refused_file
from ingestion.drops import new_files
from warehouse import FilesUnreadableError, RawTable, csv_rows
from warehouse.files import Parsed

RECEIPT_LINES = RawTable(
    source="pos",
    name="receipt_lines",
    grain="One row per line of a receipt",
    columns={
        "receipt_id": "string",
        "line_number": "bigint",
        "store": "string",
        "sold_at": "timestamp",
        "loyalty_number": "string",
        "stock_code": "string",
        "description": "string",
        "quantity": "bigint",
        "unit_price": "double",
        "origin": "string",
    },
    key=("receipt_id", "line_number", "sold_at", "stock_code", "quantity", "unit_price"),
    identifiers={"loyalty_number": "loyalty_number"},
    erasure="anonymise",  # the till's takings stay, the card goes
)
TABLES = (RECEIPT_LINES,)
SAMPLE = 2_000  # bytes of an unreadable file kept in the quarantine


@dlt.source(name="pos")
def pos(bucket_url: str = dlt.config.value) -> Iterator[DltResource]:
    """The receipts of all stores that drop files in one folder."""
    yield dlt.resource(_rows, name=RECEIPT_LINES.name, write_disposition="append")(bucket_url)


def _rows(bucket_url: str) -> Iterator[object]:
    for paths in new_files(bucket_url, "*.csv"):
        alike: dict[tuple[str, ...], list[pa.Table]] = {}
        for path in paths:
            try:
                parsed = _parsed(path)
            except FilesUnreadableError as error:
                yield from refused_file(RECEIPT_LINES, path.name, str(error), _sample(path))
                continue
            alike.setdefault(tuple(parsed.rows.column_names), []).append(parsed.rows)
            yield from refused(RECEIPT_LINES, parsed.refused)
        for tables in alike.values():
            yield from checked_rows(RECEIPT_LINES, pa.concat_tables(tables))


def _parsed(path: Path) -> Parsed:
    parsed = csv_rows(path)
    if set(RECEIPT_LINES.columns) & set(parsed.rows.column_names[1:]) or not _sample(path):
        return parsed
    raise FilesUnreadableError(f"its header names none of {', '.join(RECEIPT_LINES.columns)}")


def _sample(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(SAMPLE).decode(errors="backslashreplace").strip()
