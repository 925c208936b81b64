"""Sources in small that a test fills, rows for them, and what the warehouse sees after a load."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import warehouse
from ingestion.books import Book, books
from ingestion.registry import sources, tables
from warehouse.lake import completed_loads

RECEIPT_HEADER = (
    "receipt_id,line_number,store,sold_at,loyalty_number,stock_code,description,quantity,unit_price"
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """A folder of parquet exports."""

    folder: Path

    def export(self, table: str, name: str, rows: list[Row] | pa.Table) -> None:
        path = self.folder / table / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows), path)


@dataclass(frozen=True)
class Crm:
    """A SQLite database with the columns of ours."""

    path: Path

    def run(self, sql: str, rows: Sequence[Sequence[object]] = ((),)) -> None:
        connection = sqlite3.connect(self.path)
        connection.executemany(sql, rows)
        connection.commit()
        connection.close()

    def contact(self, **values: object) -> None:
        row = {**CONTACT, **values}
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        self.run(f"insert into contacts ({names}) values ({marks})", [list(row.values())])


@dataclass(frozen=True)
class Drops:
    """A folder of files."""

    folder: Path

    def drop(self, name: str, content: bytes | str) -> None:
        raw = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(raw)


@dataclass(frozen=True)
class Api:
    """Files of rows that a server pages, with empty ones for every table of the four sources."""

    folder: Path
    url: str

    def __post_init__(self) -> None:
        for source, resources in API_ROWS.items():
            for resource in resources:
                self.rows(source, resource)

    def rows(self, source: str, resource: str, *rows: object) -> None:
        """Let a resource have these rows and no others."""
        self.lines(source, resource, *map(json.dumps, rows))

    def lines(self, source: str, resource: str, *lines: str) -> None:
        """Let a resource have these lines, JSON or not."""
        path = self.folder / source / f"{resource}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))


CHANGED = "2011-09-10T06:01:00Z"
API_ROWS: dict[str, dict[str, Row]] = {
    "ads": {
        "campaigns": {"campaign_id": "c1", "name": "Autumn", "updated_at": CHANGED},
        "insights": {"insight_id": "i1", "date": "2011-09-09", "spend": 7.5, "updated_at": CHANGED},
    },
    "email": {
        "profiles": {"profile_id": "p1", "email": "ann@example.com", "updated_at": CHANGED},
        "campaigns": {"campaign_id": "c1", "subject": "Hello", "updated_at": CHANGED},
        "events": {"event_id": "e1", "profile_id": "p1", "kind": "sent", "updated_at": CHANGED},
    },
    "support": {
        "users": {"user_id": "u1", "name": "Ann Wood", "updated_at": CHANGED},
        "tickets": {"ticket_id": "t1", "user_id": "u1", "updated_at": CHANGED},
    },
    "social": {
        "profiles": {"network": "chirp", "handle": "ann", "updated_at": CHANGED},
        "interactions": {"interaction_id": "x1", "text": "Lovely!", "updated_at": CHANGED},
    },
}
CONTACT: Row = {
    "contact_id": 1,
    "first_name": "Ann",
    "last_name": "Wood",
    "email": "ann@example.com",
    "birth_date": "1980-02-29",
    "loyalty_number": "L1",
    "created_at": "2020-01-01 08:00:00",
    "updated_at": "2020-01-02 08:00:00",
}
CONSENT: Row = {
    "consent_id": 1,
    "contact_id": 1,
    "purpose": "marketing",
    "channel": "email",
    "is_granted": 1,
    "decided_at": "2020-01-01 08:00:00",
    "updated_at": "2020-01-01 08:00:00",
}
CRM_TABLES = (
    "create table contacts (contact_id integer, first_name text, last_name text, email text,"
    " phone text, birth_date {date}, gender text, job_title text, street text, city text,"
    " postcode text, country text, loyalty_number text,"
    " created_at {timestamp}, updated_at {timestamp})",
    "create table consents (consent_id integer, contact_id integer, purpose text, channel text,"
    " is_granted {boolean}, decided_at {timestamp}, updated_at {timestamp})",
)
ORDER_LINE: Row = {
    "invoice": "536365",
    "stock_code": "85123A",
    "description": "LANTERN",
    "quantity": 6,
    "invoice_date": "2010-12-01 08:26:00",
    "price": 2.55,
    "customer_id": 17850,
    "country": "United Kingdom",
}


def receipt_line(receipt: str = "R1", **values: object) -> str:
    row = {
        "receipt_id": receipt,
        "line_number": 1,
        "store": "Leeds",
        "sold_at": "2011-09-10 09:01:20",
        "loyalty_number": "L1",
        "stock_code": "90168",
        "description": "COMB",
        "quantity": 1,
        "unit_price": 2.95,
    }
    return ",".join(str(value) for value in {**row, **values}.values())


def receipts(*lines: str) -> str:
    return "\n".join([RECEIPT_HEADER, *lines]) + "\n"


def event(message: str = "m1", **fields: object) -> str:
    return json.dumps(
        {
            "messageId": message,
            "type": "track",
            "event": "Product Viewed",
            "anonymousId": "a1",
            "timestamp": "2011-09-10T06:01:00.000Z",
            "sentAt": "2011-09-10T06:01:01.951Z",
            "receivedAt": "2011-09-10T06:01:02.111Z",
            **fields,
        }
    )


def seen(query: str) -> list[Row]:
    """The rows of a query over the lake as the warehouse sees it now; a table name will do."""
    warehouse.register_lake(tables())
    rows: list[Row] = warehouse.read(query).to_pylist()
    return rows


def seen_values(table: str, column: str) -> list[Any]:
    """One column of a raw table, in order."""
    return [row[column] for row in seen(f"select {column} from {table} order by all")]


def all_books() -> list[Book]:
    """The books of every completed load of every source, load by load."""
    return [
        book
        for source in sources().values()
        for load in sorted(completed_loads(source.tables[0].schema))
        for book in books(source.name, source.tables, [load])
    ]
