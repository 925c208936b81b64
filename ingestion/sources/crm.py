"""Contacts and consents of a CRM with a SQL database: every version seen since the last load.

raw_crm.contacts  one row per version of a contact, fetched since the last updated_at
raw_crm.consents  one row per version of a consent decision, fetched since the last updated_at

Needs SOURCES__CRM__CREDENTIALS: a database URL, such as postgresql+psycopg://user:pw@host/crm.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import sqlalchemy as sa
from dlt.extract.resource import DltResource
from sqlalchemy.exc import NoSuchTableError, OperationalError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from ingestion.contracts import NOT_TEXT, REFUSED_FOR
from ingestion.versions import Received, new_versions
from warehouse import RawTable

CONTACTS = RawTable(
    source="crm",
    name="contacts",
    grain="One row per version of a contact",
    columns={
        "contact_id": "bigint",
        "first_name": "string",
        "last_name": "string",
        "email": "string",
        "phone": "string",
        "birth_date": "date",
        "gender": "string",
        "street": "string",
        "city": "string",
        "postcode": "string",
        "country": "string",
        "loyalty_number": "string",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("contact_id", "updated_at"),
    identifiers={
        "contact_id": "contact_id",
        "email": "email",
        "loyalty_number": "loyalty_number",
    },
)
CONSENTS = RawTable(
    source="crm",
    name="consents",
    grain="One row per version of a consent decision",
    columns={
        "consent_id": "bigint",
        "contact_id": "bigint",
        "purpose": "string",
        "channel": "string",
        "is_granted": "boolean",
        "decided_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("consent_id", "updated_at"),
    identifiers={"contact_id": "contact_id"},
)
TABLES = (CONTACTS, CONSENTS)


ROWS_A_BATCH = 50_000  # bounds memory; a batch is checked and written at once
ATTEMPTS = 3
WAIT = wait_exponential(multiplier=0.2, max=1)  # seconds; under two in all


@dlt.source(name="crm")
def crm(credentials: str = dlt.secrets.value) -> Iterator[DltResource]:
    """Every table of one CRM database."""
    for table in TABLES:
        yield dlt.resource(_rows, name=table.name, write_disposition="append")(table, credentials)


def _rows(table: RawTable, credentials: str) -> Iterator[object]:
    engine = _engine(credentials)
    try:
        with _connected(engine) as connection:
            yield from new_versions(
                table,
                lambda since: _batches(connection, table, since),
                origin=f"table {table.name}",
            )
    finally:
        engine.dispose()


def _engine(credentials: str) -> sa.Engine:
    url = sa.make_url(credentials)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise FileNotFoundError(f"there is no database file {url.database}")
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":  # which does not look at what is stored as text
        sa.event.listen(engine, "connect", _read_any_bytes)
    return engine


def _read_any_bytes(connection: Any, _record: object) -> None:
    connection.text_factory = lambda raw: str(raw, "utf-8", "surrogateescape")


def _connected(engine: sa.Engine) -> sa.Connection:
    """A connection; a network that hiccups is asked again."""
    again = Retrying(
        retry=retry_if_exception_type(OperationalError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=WAIT,
        reraise=True,
    )
    return again(engine.connect)


def _batches(connection: sa.Connection, table: RawTable, since: str | None) -> Iterator[Received]:
    """Rows as the text that the database shows: what is no number must not stop the others."""
    names = _column_names(connection, table.name)
    if "updated_at" not in names:
        raise LookupError(f"its table {table.name} has no column updated_at")
    columns = [sa.cast(sa.column(name), sa.Text).label(name) for name in names]
    query = sa.select(*columns).select_from(sa.table(table.name))
    if since is not None:
        newer = sa.text("updated_at >= :since or updated_at is null")
        query = query.where(newer.bindparams(sa.bindparam("since", since, sa.types.NullType())))
    result = connection.execution_options(yield_per=ROWS_A_BATCH).execute(query)
    for rows in result.partitions():
        yield Received(len(rows), tuple(_tables(names, rows)))


def _column_names(connection: sa.Connection, table: str) -> list[str]:
    try:
        return [column["name"] for column in sa.inspect(connection).get_columns(table)]
    except NoSuchTableError:
        raise LookupError(f"it has no table {table}") from None


def _tables(names: list[str], rows: Sequence[Sequence[Any]]) -> Iterator[pa.Table]:
    """The rows; those with bytes that are no text apart, the bytes escaped and the reason given."""
    try:
        yield _text_table(names, rows)
    except UnicodeEncodeError:
        right = [row for row in rows if all(map(_is_text, row))]
        wrong = [row for row in rows if not all(map(_is_text, row))]
        yield from [_text_table(names, right)] if right else []
        told = [[*map(_escaped, row), NOT_TEXT] for row in wrong]
        yield _text_table([*names, REFUSED_FOR], told)


def _is_text(value: str | None) -> bool:
    return value is None or _escaped(value) == value


def _escaped(value: str | None) -> str | None:
    if value is None:
        return None
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _text_table(names: list[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(values, pa.string()) for values in columns], names=names)
