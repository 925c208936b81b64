"""Rows of a system that say when they were last changed: which versions of them are new."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import dlt
import pyarrow as pa

from ingestion.books import entry
from ingestion.contracts import checked_rows
from warehouse import RawTable, scratch

CHANGED = 'try_cast("updated_at" as timestamptz)'
VERSIONS = """
    create table versions as
    select *, md5(cast(json_merge_patch('{}', to_json(incoming_rows)) as varchar)) as version
    from incoming_rows
"""  # the patch drops nulls: a column that only other rows have must not make a version
NEWEST = f"""
    select max_by("updated_at", {CHANGED}) as newest
    from (select "updated_at" from versions union all select cast($1 as varchar)) as read
    where {CHANGED} between '0001-01-01' and now()
"""
NEW = "select * exclude (version) from versions where version not in (select version from had)"
KNOWN = "select count(*) from versions where version in (select version from had)"
READ_AGAIN = f"""
    select version, "updated_at" from (from again union all by name from versions) as read
    where coalesce({CHANGED} >= cast($1 as timestamptz) - to_days($2), true) or "updated_at" >= $1
"""
NOTHING = pa.table({"version": pa.array([], pa.string()), "updated_at": pa.array([], pa.string())})


@dataclass(frozen=True)
class Received:
    """What one call of a system gave: how many rows, and the tables, all text, made of them."""

    count: int
    tables: tuple[pa.Table, ...]


def new_versions(
    table: RawTable,
    read: Callable[[str | None], Iterable[Received]],
    origin: str,
    again_days: int = 0,
) -> Iterator[object]:
    """What dlt shall load of the rows that `read` gives from an `updated_at` on.

    What a load has had before is left out, and booked as duplicate when anything is new: a refresh
    without news leaves no file. A time in the future, or no time at all, never becomes the newest
    one: it would keep later rows out. Such rows, and those of the newest time or up to `again_days`
    before it, are read again, so their digests are remembered.
    """
    state = dlt.current.resource_state()
    newest: str | None = state.get("newest")
    had = pa.table({"version": pa.array(state.get("had", []), pa.string())})
    again = NOTHING
    received = duplicate = accepted = 0
    for answer in read(newest):
        received += answer.count
        for batch in answer.tables:
            with scratch(incoming_rows=batch, had=had, again=again) as session:
                session.execute(VERSIONS)
                newest = session.read(NEWEST, [newest]).column("newest")[0].as_py()
                again = session.read(READ_AGAIN, [newest, again_days])
                new = session.read(NEW)
                duplicate += session.number(KNOWN)
            accepted += new.num_rows
            if new.num_rows:
                yield from checked_rows(table, new, origin)
    if accepted:
        yield from entry(table, "received", received)
        yield from entry(table, "duplicate", duplicate)
    state.update(newest=newest, had=again.column("version").to_pylist())
