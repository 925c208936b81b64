"""Retention: data that may be kept for a time only is deleted from our files when it is over."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import settings
from ingestion import refused_files
from ingestion.contracts import check
from warehouse import (
    FilesUnreadableError,
    RawTable,
    csv_rows,
    lake_rows,
    reading,
    rewrite_rows,
)
from warehouse.lake import quarantine_of

QUARANTINE_DAYS = 30  # a refused row may hold what the contract could not read a date from
REFUSED_LONG_AGO = (
    f"to_timestamp(cast(_dlt_load_id as double)) < cast(? as timestamptz)"
    f" - interval '{QUARANTINE_DAYS}' day"
)
NEWEST = """
    select origin, bool_and({is_over}) as is_over
    from (select *, max(_dlt_load_id) over (partition by origin) as newest from rows) as rows
    where _dlt_load_id = newest group by origin
"""


@dataclass(frozen=True)
class Retained:
    """What one round of retention did: lake files rewritten, dropped files deleted."""

    lake_files: int
    inbox_files: int


def keep_retention(raw_tables: Iterable[RawTable]) -> Retained:
    """Take the rows whose time is up out of the lake, the quarantine and the inbox.

    Lake files are rewritten whole. A dropped file goes when none of its rows may be kept; it goes
    first, because the lake is what tells.
    """
    tables = [table for table in raw_tables if table.kept_until]
    return Retained(
        inbox_files=sum(_delete(path) for table in tables for path in _drops_over(table)),
        lake_files=sum(_rewritten(table) for table in tables),
    )


def _rewritten(table: RawTable) -> int:
    today = [settings.today().isoformat()]
    refused = quarantine_of(table.source)
    kept = refused_files.named(table.source)
    rewritten = rewrite_rows(table, _is_over(table), today, keep_without=None) + rewrite_rows(
        refused, REFUSED_LONG_AGO, today, keep_without=None
    )
    gone = kept - refused_files.named(table.source)
    return rewritten + refused_files.forget(table.source, gone)


def _is_over(table: RawTable) -> str:
    return f"coalesce({table.kept_until} <= cast(? as date), false)"


def _delete(path: Path) -> bool:
    path.unlink()
    return True


def _drops_over(table: RawTable) -> list[Path]:
    """The files in the inbox of which no row may be kept, by the rows they gave the lake last.

    Only a file that has no row in the lake is read itself.
    """
    inbox = settings.home() / "inbox" / table.source
    drops = {
        path.relative_to(inbox).as_posix(): path
        for path in sorted(inbox.rglob("*"))
        if path.suffix in (".csv", ".jsonl", ".parquet")
    }
    told = _told_by_the_lake(table) if drops else {}
    return [
        path
        for origin, path in drops.items()
        if (told[origin] if origin in told else _told_by_itself(table, path))
    ]


def _told_by_the_lake(table: RawTable) -> dict[str, bool]:
    """Whether all rows of a file's newest load are over, by the name of the file."""
    today = [settings.today().isoformat()]
    rows = lake_rows(table, NEWEST.format(is_over=_is_over(table)), today)
    return dict(zip(*(rows.column(name).to_pylist() for name in rows.column_names), strict=True))


def _told_by_itself(table: RawTable, path: Path) -> bool:
    if path.suffix != ".csv":
        return False
    try:
        rows = check(table, csv_rows(path).rows).accepted
    except FilesUnreadableError:
        return False
    with reading(rows=rows) as session:
        today = [settings.today().isoformat()]
        is_over = session.read(f"select bool_and({_is_over(table)}) as all_of_it from rows", today)
    return bool(is_over.column("all_of_it")[0].as_py())
