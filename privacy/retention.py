"""Retention: data that may be kept for a time only is deleted from our files when it is over."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import settings
from ingestion.contracts import check
from warehouse import FilesUnreadableError, RawTable, csv_rows, reading, rewrite_rows
from warehouse.lake import quarantine_of

QUARANTINE_DAYS = 30  # a refused row may hold what the contract could not read a date from
REFUSED_LONG_AGO = (
    f"to_timestamp(cast(_dlt_load_id as double)) < cast(? as timestamptz)"
    f" - interval '{QUARANTINE_DAYS}' day"
)


@dataclass(frozen=True)
class Retained:
    """What one round of retention did: lake files rewritten, dropped files deleted."""

    lake_files: int
    inbox_files: int


def keep_retention(raw_tables: Iterable[RawTable]) -> Retained:
    """Take the rows whose time is up out of the lake, the quarantine and the inbox.

    Lake files are rewritten whole. A dropped file goes when none of its rows may be kept.
    """
    tables = [table for table in raw_tables if table.kept_until]
    return Retained(
        lake_files=sum(_rewritten(table) for table in tables),
        inbox_files=sum(_deleted(path, table) for table in tables for path in _drops(table)),
    )


def _rewritten(table: RawTable) -> int:
    today = [settings.today().isoformat()]
    refused = quarantine_of(table.source)
    return rewrite_rows(table, _is_over(table), today, keep_without=None) + rewrite_rows(
        refused, REFUSED_LONG_AGO, today, keep_without=None
    )


def _is_over(table: RawTable) -> str:
    return f"coalesce({table.kept_until} <= cast(? as date), false)"


def _drops(table: RawTable) -> list[Path]:
    return sorted((settings.home() / "inbox" / table.source).glob("*.csv"))


def _deleted(path: Path, table: RawTable) -> bool:
    try:
        rows = check(table, csv_rows(path).rows).accepted
    except FilesUnreadableError:
        return False
    with reading(rows=rows) as session:
        today = [settings.today().isoformat()]
        is_over = session.read(f"select bool_and({_is_over(table)}) as all_of_it from rows", today)
    if not is_over.column("all_of_it")[0].as_py():
        return False
    path.unlink()
    return True
