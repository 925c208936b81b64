"""Reading and writing the warehouse: one file, one writer at a time, everything in transactions."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import settings
from settings import ForeseenError

QueryError = duckdb.Error  # of SQL that a user wrote
UnreadableError = (duckdb.IOException, duckdb.SerializationException)  # of a file, not of SQL
PUBLISHED_STORAGE = "v1.2.0"  # the oldest file format that keeps every type we publish


class WarehouseBusyError(ForeseenError):
    """Another process writes to the warehouse."""


class NothingThereError(ForeseenError):
    """A table that was asked for does not exist."""


class WrongQuestionError(ForeseenError):
    """A query that a user wrote and nothing can answer."""


class Session:
    """One open transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run one statement."""
        self._connection.execute(sql, list(params)).fetchall()

    def read(self, query: str, params: Sequence[Any] = ()) -> pa.Table:
        """The rows of a query, or of a table by its name."""
        sql = query if len(query.split()) != 1 else f"select * from {query}"
        try:
            rows = self._connection.sql(sql, params=list(params) or None)
        except duckdb.CatalogException as error:
            reason = str(error).splitlines()[0]
            raise NothingThereError(f"{reason} If nothing was built yet: `cdp refresh`.") from error
        if rows is None:  # it was empty, or a statement that has no answer
            raise WrongQuestionError("That is no query: begin with `select` or `from`.")
        return rows.to_arrow_table()

    def run(self, statements: str) -> None:
        """Run statements that are separated by a semicolon at the end of a line."""
        for statement in statements.split(";\n"):
            self.execute(statement)

    def number(self, query: str, params: Sequence[Any] = ()) -> int:
        """The one whole number that a query gives, 0 for null."""
        return int(self.read(query, params).column(0)[0].as_py() or 0)

    def hold(self, name: str, query: str) -> None:
        """Keep the rows of a query under this name until the session ends."""
        self.execute(f"create or replace temp table {name} as {query}")

    def show(self, name: str, query: str) -> None:
        """Let queries of this session see the rows of a query, computed when they are read."""
        self.execute(f"create or replace temp view {name} as {query}")

    def register(self, name: str, rows: pa.Table) -> None:
        """Let queries of this session see the rows under this name."""
        self._connection.register(name, rows)

    def replace(self, name: str, rows: pa.Table) -> None:
        """Make the table hold these rows and no others."""
        self._write(f"create or replace table {name} as select * from incoming_rows", name, rows)

    def append(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table, which is made by the first ones."""
        if self.exists(name):
            self._write(f"insert into {name} by name select * from incoming_rows", name, rows)
        else:
            self.replace(name, rows)

    def exists(self, name: str) -> bool:
        """Whether there is a table or view of this name."""
        schema, table = name.split(".")
        found = self._connection.execute(
            "select 1 from information_schema.tables where table_schema = ? and table_name = ?",
            [schema, table],
        )
        return bool(found.fetchall())

    def columns(self, name: str) -> list[str]:
        """The column names of a table or view."""
        return list(self.read(f"select * from {name} limit 0").column_names)

    def tables(self) -> list[str]:
        """The names of all tables, views left out."""
        found = self._connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_type = 'BASE TABLE' order by all"
        )
        return [row[0] for row in found.fetchall()]

    def _write(self, sql: str, name: str, rows: pa.Table) -> None:
        self.execute(f"create schema if not exists {name.split('.', maxsplit=1)[0]}")
        self._connection.register("incoming_rows", rows)
        try:
            self.execute(sql)
        finally:
            self._connection.unregister("incoming_rows")


def path() -> Path:
    """The warehouse file."""
    return settings.home() / "warehouse.duckdb"


@contextmanager
def transaction(*, read_only: bool = False) -> Iterator[Session]:
    """A session whose writes are all kept, or none of them when the block raises.

    Raises WarehouseBusyError when another process holds the file.
    """
    connection = _connect(path(), read_only=read_only)
    try:
        connection.execute("begin")
        yield Session(connection)
        connection.execute("commit")
    finally:
        connection.close()


@contextmanager
def trial() -> Iterator[Session]:
    """A session that may write what it likes: nothing of it is kept."""
    connection = _connect(path())
    try:
        connection.execute("begin")
        yield Session(connection)
    finally:
        connection.close()


def read(query: str, params: Sequence[Any] = ()) -> pa.Table:
    """The rows of a query, or of a table by its name."""
    with transaction() as session:
        return session.read(query, params)


def replace(name: str, rows: pa.Table) -> None:
    """Make the table hold these rows and no others."""
    with transaction() as session:
        session.replace(name, rows)


def append(name: str, rows: pa.Table) -> None:
    """Add rows to a table, which is made by the first ones."""
    with transaction() as session:
        session.append(name, rows)


def exists(name: str) -> bool:
    """Whether there is a table or view of this name."""
    with transaction() as session:
        return session.exists(name)


def ask(file: Path, query: str) -> pa.Table:
    """The rows of a query over a published copy, which touches no other file.

    Raises NothingThereError, or WrongQuestionError when it is no query or does not run.
    """
    if not file.exists():
        raise NothingThereError(f"{file} is not published yet: run `cdp refresh`.")
    with opened(str(file), read_only=True) as connection:
        connection.execute("set enable_external_access = false")
        try:
            return Session(connection).read(query)
        except duckdb.PermissionException as error:
            raise WrongQuestionError(
                f"A question only reads the published copy, and no other file. To read or write"
                f" others, open {file} with a DuckDB client of your own."
            ) from error
        except QueryError as error:
            raise WrongQuestionError(str(error)) from error


def tables() -> list[str]:
    """The names of all tables, views left out."""
    with transaction() as session:
        return session.tables()


def export(
    selections: Mapping[str, Sequence[str]], target: Path, *, mode: int, base: Path | None = None
) -> None:
    """Write columns of tables to a new database file at `target`, whole or not at all.

    The file appears by rename, so readers see the old one or the new one. Its storage format is
    an older one, so that clients of earlier versions open it; `mode` are its permissions. It begins
    as a copy of the file `base`, of which tables with these very columns are not written again.
    """
    draft = target.with_name(f".{target.name}.draft")
    _discard(draft)
    target.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path())
    mask = os.umask(0o077)  # a draft is for nobody's eyes
    try:
        if base:
            shutil.copyfile(base, draft)
        connection.execute(f"attach '{draft}' as draft (storage_version '{PUBLISHED_STORAGE}')")
        written = _columns_of_draft(connection)
        for name, columns in selections.items():
            if written.get(name) == columns:
                continue
            connection.execute(f"create schema if not exists draft.{name.split('.')[0]}")
            connection.execute(
                f"create or replace table draft.{name} as select {', '.join(columns)} from {name}"
            )
        connection.execute("checkpoint draft")
        connection.execute("detach draft")
    finally:
        os.umask(mask)
        connection.close()
    draft.chmod(mode)
    settle(draft, target)


def _columns_of_draft(connection: duckdb.DuckDBPyConnection) -> Mapping[str, list[str]]:
    found = connection.execute(
        "select schema_name || '.' || table_name, list(column_name order by column_index)"
        " from duckdb_columns() where database_name = 'draft' group by all"
    )
    return dict(found.fetchall())


def texts(file: Path) -> Iterator[str]:
    """The distinct values of every column of a database file, a column at a time, as text."""
    with opened(str(file), read_only=True) as connection:
        session = Session(connection)
        for name in session.tables():
            for column in session.columns(name):
                values = session.read(
                    f'select string_agg(distinct cast("{column}" as varchar), chr(10)) as text'
                    f" from {name}"
                )
                yield values.column("text")[0].as_py() or ""


def compact() -> None:
    """Rewrite the warehouse file, so that no byte of a deleted row is left in it."""
    draft = path().with_name(f".{path().name}.draft")
    _discard(draft)
    with opened() as connection:
        connection.execute(f"attach '{path()}' as old")
        connection.execute(f"attach '{draft}' as new")
        connection.execute("copy from database old to new")
    settle(draft, path())
    path().with_suffix(".duckdb.wal").unlink(missing_ok=True)


def opened(file: str = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection that reads times without an offset as UTC, as dbt's profile does."""
    return _set_up(duckdb.connect(file, read_only=read_only))


@contextmanager
def beside() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the one empty database of this process; no other sees what it holds."""
    connection = _set_up(_memory().cursor())
    try:
        yield connection
    finally:
        connection.close()


@cache
def _memory() -> duckdb.DuckDBPyConnection:
    return opened()


def _set_up(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it would mix with what a verb prints
    return connection


def _connect(file: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        return opened(str(file), read_only=read_only)
    except duckdb.IOException as error:
        if "set lock" not in str(error):
            raise
        raise WarehouseBusyError(
            f"The warehouse is in use by another process ({_holder(str(error))}). Wait for it to"
            " end, or stop it. BI tools read the published copy, never this file."
        ) from error


def _holder(message: str) -> str:
    return message.partition("held in ")[2].partition(". See")[0] or "unknown"


def settle(draft: Path, target: Path) -> None:
    """Let a file that was written whole take its name; a power cut leaves one or the other."""
    _sync(draft)
    draft.replace(target)
    _sync(target.parent)


def _sync(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _discard(draft: Path) -> None:
    for leftover in (draft, draft.with_name(draft.name + ".wal")):
        leftover.unlink(missing_ok=True)
