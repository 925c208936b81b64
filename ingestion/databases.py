"""Tables of SQL databases, read by dlt's `sql_table` as Arrow: rows changed since the last load.

PostgreSQL, MySQL, MariaDB and SQLite. SOURCES__<NAME>__TYPE=database makes an instance of a kind,
whose tables are mapped by settings (`own_columns.py`). Values come as the text that the database
shows: what is no number must not stop the others, it is the contract that types them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from dlt.extract.source import DltSource
from dlt.sources.sql_database import sql_table
from sqlalchemy.exc import NoSuchTableError, OperationalError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from ingestion.contracts import by_encoding
from ingestion.own_columns import Mapped, WrongMappingError, mapped_tables, nothing_named, resources
from ingestion.versions import Received, new_versions
from warehouse import RawTable, scratch

ROWS_A_BATCH = 50_000  # bounds memory; a batch is checked and written at once
ATTEMPTS = 3
WAIT = wait_exponential(multiplier=0.2, max=1)  # seconds; under two in all
DRIVERS = {  # by the names that people write
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
AS_WE_READ_TIMES = {
    "postgresql": "set datestyle to ISO; set timezone to 'UTC'",
    "mysql": "set time_zone = '+00:00'",
}
EARLIER = """
    select strftime(
        timezone('UTC', cast($1 as timestamptz)) - to_days($2), '%Y-%m-%d %H:%M:%S'
    ) as since
"""
DEFAULTS = {"since": "", "again_days": "0"}
SETTINGS = ("type", "kind", "credentials", *DEFAULTS)
Names = Callable[[list[str]], Iterable[str]]


@dataclass(frozen=True)
class Wanted:
    """What to read of which table or view, and the column that says when a row was changed.

    `names` chooses the columns; `since` is that column's value from which on rows are wanted.
    """

    place: str
    changed: str = "updated_at"
    names: Names = list
    since: str | None = None


def opened(instance: str, tables: tuple[RawTable, ...], given: Mapping[str, str]) -> DltSource:
    """The mapped tables of one database, as resources that append to the tables of its kind.

    Raises WrongMappingError.
    """
    mapped = list(mapped_tables(instance, tables, given, SETTINGS))
    if not mapped:
        raise nothing_named(instance, tables)
    if not given["again_days"].isdecimal():
        raise WrongMappingError(f"its AGAIN_DAYS are {given['again_days']}, not a number of days")

    return resources(instance, mapped, _rows, given)


def _rows(mapped: Mapped, given: Mapping[str, str]) -> Iterator[object]:
    days = int(given["again_days"])
    with database(given["credentials"]) as engine:
        yield from new_versions(
            mapped.table,
            lambda newest: _mapped_rows(
                engine, mapped, _earlier(newest, days) if newest else given["since"] or None
            ),
            origin=f"table {mapped.place}",
            again_days=days,
        )


def _earlier(newest: str, days: int) -> str:
    """From when on to ask: so many days before the newest change that we had."""
    if not days:
        return newest
    with scratch() as session:
        return str(session.read(EARLIER, [newest, days]).column("since")[0].as_py())


def _mapped_rows(engine: sa.Engine, mapped: Mapped, since: str | None) -> Iterator[Received]:
    chosen: dict[str, str] = {}

    def names(found: list[str]) -> Iterable[str]:
        chosen.update(mapped.theirs(found, needed=["updated_at"]))
        return {name for name in chosen.values() if name in found}

    changed = mapped.columns.get("updated_at", "updated_at")
    for received in changed_rows(engine, Wanted(mapped.place, changed, names, since)):
        tables = tuple(mapped.rows(rows, chosen) for rows in received.tables)
        yield Received(received.count, tables)


@contextmanager
def database(credentials: str) -> Iterator[sa.Engine]:
    """The database behind a URL, closed in the end."""
    engine = _engine(credentials)
    try:
        yield engine
    finally:
        engine.dispose()


def changed_rows(engine: sa.Engine, wanted: Wanted) -> Iterator[Received]:
    """The rows, all text; those with bytes that are no text apart. Raises LookupError."""
    schema, _, name = wanted.place.rpartition(".")

    def query(_all: Any, theirs: sa.Table, _cursor: Any, _engine: Any) -> sa.Select[Any]:
        return _query(engine, theirs, wanted)

    reading = sql_table(
        _reflectable(engine, wanted.place),
        table=name,
        schema=schema or None,
        chunk_size=ROWS_A_BATCH,
        backend="pyarrow",
        reflection_level="minimal",
        query_adapter_callback=query,
    )
    for rows in reading:
        yield Received(rows.num_rows, tuple(by_encoding(_as_text(rows))))


def _engine(credentials: str) -> sa.Engine:
    url = sa.make_url(credentials)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise FileNotFoundError(f"there is no database file {url.database}")
    engine = sa.create_engine(url.set(drivername=DRIVERS.get(url.drivername, url.drivername)))
    if statement := AS_WE_READ_TIMES.get(engine.dialect.name):
        sa.event.listen(engine, "connect", lambda made, _record: _execute(made, statement))
    return engine


def _execute(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.commit()  # or the rollback of a connection that is given back undoes it


def _reflectable(engine: sa.Engine, place: str) -> sa.Engine:
    """The engine, once it is connected and has the table; a network that hiccups is asked again."""
    schema, _, name = place.rpartition(".")
    again = Retrying(
        retry=retry_if_exception_type(OperationalError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=WAIT,
        reraise=True,
    )
    with again(engine.connect) as connection:
        try:
            sa.inspect(connection).get_columns(name, schema or None)
        except NoSuchTableError:
            raise LookupError(f"it has no table {place}") from None
    return engine


def _query(engine: sa.Engine, theirs: sa.Table, wanted: Wanted) -> sa.Select[Any]:
    found = [column.name for column in theirs.columns]
    names = wanted.names(found)
    if wanted.changed not in found:
        raise LookupError(f"its table {wanted.place} has no column {wanted.changed}")
    # SQLite does not look at what is stored as text, so its bytes are what we ask for
    kind = sa.LargeBinary if engine.dialect.name == "sqlite" else sa.Text
    columns: list[Any] = [sa.cast(sa.column(name), kind).label(name) for name in names]
    query = sa.select(*columns).select_from(theirs)
    if wanted.since is None:
        return query
    changed: sa.ColumnClause[Any] = sa.column(wanted.changed)
    since = sa.bindparam("since", wanted.since, sa.types.NullType())
    return query.where(sa.or_(changed >= since, changed.is_(None)))


def _as_text(rows: pa.Table) -> pa.Table:
    """Each column as text, whatever its bytes."""
    options = pc.CastOptions(target_type=pa.string(), allow_invalid_utf8=True)
    columns = [pc.cast(column, options=options) for column in rows.columns]
    return pa.table(columns, names=rows.column_names)
