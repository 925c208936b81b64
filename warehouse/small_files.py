"""Small files of the lake made into larger ones, while others read it.

Every load leaves files of its own, every minute or every day. Those of loads that ended a while ago
are joined, neighbours with neighbours and their rows in the same order: who reads sees no change.

A file is written as a draft, then a note of those it is made of, then it gets its name: from this
moment it is seen and they are not. They are deleted when no view of the warehouse names them any
more, which a warehouse in use puts off. Killed anywhere, the next call goes on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from warehouse.files import reading
from warehouse.lake import (
    REPLACED,
    RawTable,
    alone,
    completed_files,
    completed_loads,
    discard_drafts,
    ended_at,
    lake,
    load_of,
    load_rows,
    parquet,
    register_lake,
    replaced,
)
from warehouse.session import settle

SMALL = 16_777_216  # bytes; of larger files, reading takes so long that opening does not matter
FEWEST = 8  # files worth joining: the largest of them is written anew each time
MOST = 500  # files joined at once: all of them are open
SETTLED = timedelta(hours=1)  # since a load ended: whoever ran it may still count its files
JOINED = ".joined.jsonl"  # the end of a file of several loads' entries


class RowsLostError(RuntimeError):
    """A file does not have all rows of those it was made of."""


@dataclass(frozen=True)
class Compacted:
    """How many small files were made into how many larger ones."""

    small_files: int
    larger_files: int


def compact_lake(tables: Iterable[RawTable], now: datetime | None = None) -> Compacted:
    """Join the small files of these tables until there are few; `now` is the clock's if not given.

    Raises WarehouseBusyError when another process reads the warehouse: nothing is undone, and the
    next call goes on.
    """
    known = list(tables)
    ended_before = (now or datetime.now(UTC)) - SETTLED
    for schema in sorted({table.schema for table in known}):
        _join_entries(lake() / schema / "_dlt_loads", ended_before)
    _delete_replaced(known)
    joined: list[int] = []
    while sizes := [size for table in known for size in _joined(table, ended_before)]:
        joined += sizes
        _delete_replaced(known)
    return Compacted(sum(joined), len(joined))


def _joined(table: RawTable, ended_before: datetime) -> Iterator[int]:
    """Of how many files each new file of the table was made."""
    for group in _groups(table, ended_before):
        with alone():
            is_free = all(file.exists() for file in group)
            if is_free and not replaced(table).intersection(file.name for file in group):
                _join(group)
                yield len(group)


def _groups(table: RawTable, ended_before: datetime) -> list[list[Path]]:
    """Small files of a table that are neighbours, as many as make a larger one."""
    ended = completed_loads(table.schema, ended_before)
    groups: list[list[Path]] = [[]]
    room = 2 * SMALL
    for file in completed_files(table, completed_loads(table.schema)):
        size = file.stat().st_size
        is_small = size < SMALL and load_of(file) in ended
        if not is_small or size > room or len(groups[-1]) == MOST:
            groups.append([])
            room = 2 * SMALL
        if is_small:
            groups[-1].append(file)
            room -= size
    return [group for group in groups if len(group) >= FEWEST]


def _join(files: Sequence[Path]) -> None:
    """Put one file in the place of these."""
    discard_drafts(files[0].parent)
    target = _joined_name(files[0])
    with reading() as session:
        rows = session.read(f"select * from {parquet(files)}")
    if rows.num_rows != sum(pq.read_metadata(file).num_rows for file in files):
        raise RowsLostError(f"{target} would not have all rows of its {len(files)} parts.")
    pq.write_table(rows, target.with_suffix(".draft"))
    _write(target.with_suffix(REPLACED), "\n".join(file.name for file in files))
    settle(target.with_suffix(".draft"), target)


def _joined_name(first: Path) -> Path:
    """A name in the place of the first file: load, job, and how often it was joined."""
    load, part, job, *times = first.stem.split(".")
    return first.with_name(f"{load}.{part}.{job}.{int(times[0]) + 1 if times else 1}.parquet")


def _delete_replaced(tables: Sequence[RawTable]) -> None:
    """Delete files that another one was made of, after the views that may name them.

    To change views is to have the warehouse alone, so nobody is reading an older one.
    """
    notes = [note for table in tables for note in sorted(table.folder.glob(f"*{REPLACED}"))]
    if not notes:
        return
    register_lake(tables)
    with alone():
        for note in notes:
            _delete_parts(note)


def _delete_parts(note: Path) -> None:
    """Delete the files that a note names if the one they make is there, and then the note."""
    if note.with_suffix(".parquet").exists() and note.exists():
        for name in note.read_text().splitlines():
            note.with_name(name).unlink(missing_ok=True)
    note.unlink(missing_ok=True)


def _join_entries(folder: Path, ended_before: datetime) -> None:
    """Put the entries of loads that ended into one file; one that stands twice does no harm."""
    with alone():
        discard_drafts(folder)
        entries = [entry for entry in sorted(folder.glob("*.jsonl")) if _is_small(entry)]
        ended = [entry for entry in entries if _ended(entry, ended_before)]
        if len(ended) >= FEWEST:
            joined = ended[0].name.removesuffix(JOINED).removesuffix(".jsonl") + JOINED
            _write(folder / joined, "\n".join(entry.read_text().strip() for entry in ended))
            for entry in ended:
                if entry.name != joined:
                    entry.unlink()


def _is_small(file: Path) -> bool:
    return file.stat().st_size < SMALL


def _ended(entry: Path, before: datetime) -> bool:
    """Whether the entry is whole and all of its loads ended before this time."""
    rows = load_rows(entry)
    return bool(rows) and all(ended_at(row) < before for row in rows)


def _write(file: Path, text: str) -> None:
    draft = file.with_name(f"{file.name}.draft")
    draft.write_text(f"{text}\n")
    settle(draft, file)
