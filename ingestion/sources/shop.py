"""Orders and accounts of a web shop that exports parquet files: append-only, new files only.

raw_shop.order_lines     one row per invoice line, as the ledger wrote it
raw_shop.accounts        one row per version of a customer account
raw_shop.order_contacts  one row per order of a guest, with the contact that was given for it

Needs SOURCES__SHOP__BUCKET_URL: a folder with order_lines/*.parquet, accounts/*.parquet and, where
guests can buy, order_contacts/*.parquet.
"""

from collections.abc import Iterator

import dlt
from dlt.extract.resource import DltResource

from ingestion.drops import new_files
from ingestion.whole_files import parquet_rows
from warehouse import RawTable

ORDER_LINES = RawTable(
    source="shop",
    name="order_lines",
    grain="One row per invoice line of one exported file; a line may stand in two files",
    columns={
        "invoice": "string",
        "line_id": "string",
        "stock_code": "string",
        "description": "string",
        "quantity": "bigint",
        "invoice_date": "timestamp",
        "price": "double",
        "customer_id": "bigint",
        "country": "string",
        "currency": "string",
        "updated_at": "timestamp",
        "origin": "string",
    },
    key=("invoice", "stock_code", "quantity", "invoice_date", "price"),
    identifiers={"customer_id": "user_id"},
    erasure="anonymise",  # the books must still add up: the line stays, the buyer goes
)
ACCOUNTS = RawTable(
    source="shop",
    name="accounts",
    grain="One row per version of a customer account",
    columns={
        "user_id": "bigint",
        "email": "string",
        "first_name": "string",
        "last_name": "string",
        "phone": "string",
        "street": "string",
        "city": "string",
        "postcode": "string",
        "country": "string",
        "accepts_marketing": "boolean",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "origin": "string",
    },
    key=("user_id", "updated_at"),
    identifiers={"user_id": "user_id", "email": "email"},
)
ORDER_CONTACTS = RawTable(
    source="shop",
    name="order_contacts",
    grain="One row per order of a guest and exported file",
    columns={
        "invoice": "string",
        "email": "string",
        "phone": "string",
        "first_name": "string",
        "last_name": "string",
        "street": "string",
        "city": "string",
        "postcode": "string",
        "country": "string",
        "ordered_at": "timestamp",
        "origin": "string",
    },
    key=("invoice", "ordered_at"),
    identifiers={"invoice": "order_id", "email": "email"},
)
TABLES = (ORDER_LINES, ACCOUNTS, ORDER_CONTACTS)


@dlt.source(name="shop")
def shop(bucket_url: str = dlt.config.value) -> Iterator[DltResource]:
    """Every table of one shop."""
    for table in TABLES:
        yield dlt.resource(_rows, name=table.name, write_disposition="append")(table, bucket_url)


def _rows(table: RawTable, bucket_url: str) -> Iterator[object]:
    for paths in new_files(bucket_url, f"{table.name}/*.parquet"):
        for path in paths:
            yield from parquet_rows(table, path)
