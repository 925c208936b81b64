"""Receipts of the stores' tills, dropped as one CSV file a day: new or changed files only.

raw_pos.receipt_lines  one row per line of a receipt; a refund may name the receipt it is about

Needs SOURCES__POS__BUCKET_URL: the folder of the drops, receipts_YYYY-MM-DD.csv with a header.
"""

from collections.abc import Iterator

import dlt
from dlt.extract.resource import DltResource

from ingestion.whole_files import csv_drops
from warehouse import RawTable

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
        "currency": "string",
        "refunded_receipt_id": "string",
        "origin": "string",
    },
    key=("receipt_id", "line_number", "sold_at", "stock_code", "quantity", "unit_price"),
    identifiers={"loyalty_number": "loyalty_number"},
    erasure="anonymise",  # the till's takings stay, the card goes
)
TABLES = (RECEIPT_LINES,)


@dlt.source(name="pos")
def pos(bucket_url: str = dlt.config.value) -> Iterator[DltResource]:
    """The receipts of all stores that drop files in one folder."""
    yield dlt.resource(csv_drops, name=RECEIPT_LINES.name, write_disposition="append")(
        RECEIPT_LINES, bucket_url
    )
