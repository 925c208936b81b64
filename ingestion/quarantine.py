"""What the contracts refused: listed, and let in once a rule or a changed contract makes it right.

A replayed row lands as if it had come right: the warehouse sees it with the load it came with. Rows
and the note that they were let in (`raw_<source>.replays`) are loaded together, so that each lands
once, wherever a replay is killed and however often it is asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource
from dlt.extract.source import DltSource

from ingestion import suppression
from ingestion.books import Book, entry
from ingestion.contracts import check, refused
from ingestion.own_columns import WrongMappingError
from ingestion.pipeline import finish_pending, run_replay
from ingestion.refused_files import PARQUET, Content, folder_of
from ingestion.registry import Source, sources
from ingestion.repairs import Repair, mended, mended_files, repairs
from ingestion.tracking_plan import judge, plan_for
from warehouse import FilesUnreadableError, RawTable, lake_rows, scratch
from warehouse.lake import CAME_WITH, quarantine_of, replays_of

REFUSALS = """
    select
        md5(concat_ws('|', refused.table_name, refused._dlt_load_id, refused.origin, payload))
            as refusal_id,
        refused.table_name,
        refused.reason,
        refused.payload,
        refused.origin,
        refused.format,
        refused.kept_file,
        refused._dlt_load_id as load_id
    from refused
"""
SEEN = f"""
    select
        refusals.*,
        replays.refusal_id is not null as is_replayed,
        replays.rules,
        to_timestamp(cast(min(load_id) over same_again as double)) as first_seen_at,
        to_timestamp(cast(max(load_id) over same_again as double)) as last_seen_at
    from ({REFUSALS}) as refusals
    left join replays on refusals.refusal_id = replays.refusal_id
    window same_again as (partition by refusals.table_name, refusals.origin, refusals.payload)
"""
WAITING = """
    select * exclude (rules) from held where table_name = ? and not is_replayed
"""
ROWS = "select * from waiting where format is null"
FILES = "select * from waiting where format is not null"
STILL_REFUSED = """
    select table_name, reason, count(*) as rows from waiting
    where refusal_id not in (select cdp_refusal_id from fitting)
        and not list_contains($1, refusal_id)
    group by table_name, reason order by table_name, reason
"""
NOTES = """
    select
        cast(? as varchar) as table_name,
        cdp_refusal_id as refusal_id,
        any_value(cdp_rules) as rules,
        count(*) as rows
    from fitting group by cdp_refusal_id
"""
NEWEST = "select origin, max(cast(_dlt_load_id as double)) as load_id from rows group by origin"
LOADED_AGAIN = """
    select whole.* from whole inner join newest
        on whole.origin = newest.origin and newest.load_id > cast(whole.load_id as double)
"""
LOAD = "cdp_load_id"
HELPERS = ["cdp_reason", "cdp_rules", "cdp_refusal_id"]


@dataclass(frozen=True)
class Replayed:
    """What a replay of one source did: rows let in by table, and refusals that stay, by reason."""

    source: str
    books: tuple[Book, ...]
    still_refused: pa.Table


def refusals(source: str) -> pa.Table:
    """One row per refused row, line or file of a source, let in later or not."""
    tables = {"refused": quarantine_of(source), "replays": replays_of(source)}
    with scratch(**{name: lake_rows(table) for name, table in tables.items()}) as session:
        return session.read(SEEN)


def replay(source: str, table: str = "") -> Replayed:
    """Mend the refused rows of a source, or of one table, by the rules; let in those that fit.

    Raises RepairRuleError when a rule cannot be used; then nothing is let in.
    """
    rules = repairs()
    finish_pending(source)
    held = refusals(source)
    known = sources()[source]
    judged = [
        _judged(known, each, held, rules) for each in known.tables if table in ("", each.name)
    ]
    fitting = [each for each in judged if each.is_anything]
    books = run_replay(source, _source(source, fitting)).books if fitting else ()
    return Replayed(source, books, pa.concat_tables(each.still_refused for each in judged))


@dataclass(frozen=True)
class _File:
    """A refused file of which rows fit now: `refused` are those of its rows that do not."""

    refusal: Mapping[str, str]
    received: int
    suppressed: int
    rows: pa.Table
    refused: tuple[pa.Table, ...]


@dataclass(frozen=True)
class _Judged:
    """The refusals of one table that wait: `rows`, and rows of `files`, fit the contract now.

    `loaded_again` are files that came in since, from their folder.
    """

    table: RawTable
    rows: pa.Table
    still_refused: pa.Table
    files: tuple[_File, ...] = ()
    loaded_again: tuple[Mapping[str, str], ...] = ()

    @property
    def is_anything(self) -> bool:
        """Whether there is something to load."""
        return bool(self.rows.num_rows or self.files or self.loaded_again)


def _judged(source: Source, table: RawTable, held: pa.Table, rules: Sequence[Repair]) -> _Judged:
    with scratch(held=held) as session:
        waiting = session.read(WAITING, [table.name])
    with scratch(waiting=waiting) as session:
        single, whole = session.read(ROWS), session.read(FILES)
    rows = check(table, mended(table, single, rules)).accepted
    if plan := plan_for(table):
        rows = judge(plan, rows).accepted
    again = _loaded_again(table, whole) if whole.num_rows else []
    done = [refusal["refusal_id"] for refusal in again]
    left = [refusal for refusal in whole.to_pylist() if refusal["refusal_id"] not in done]
    files = tuple(_fitting_files(source, table, left, rules))
    done += [file.refusal["refusal_id"] for file in files]
    with scratch(waiting=waiting, fitting=rows) as session:
        return _Judged(table, rows, session.read(STILL_REFUSED, [done]), files, tuple(again))


def _loaded_again(table: RawTable, whole: pa.Table) -> list[Mapping[str, str]]:
    """The files of which rows came in by a later load: somebody put them right in their folder."""
    with scratch(whole=whole, newest=lake_rows(table, NEWEST)) as session:
        found: list[Mapping[str, str]] = session.read(LOADED_AGAIN).to_pylist()
        return found


def _fitting_files(
    source: Source, table: RawTable, waiting: Sequence[Mapping[str, str]], rules: Sequence[Repair]
) -> Iterator[_File]:
    for given in waiting:
        refusal, content = _content(source.name, table, given, rules)
        try:
            parsed = source.reread(table, content)
        except (FilesUnreadableError, WrongMappingError):
            continue
        named = suppression.without_erased_people(table, _from(refusal["origin"], parsed.rows))
        result = check(table, named.rows)
        if result.accepted.num_rows:
            refused = (result.quarantined, _from(refusal["origin"], parsed.refused))
            yield _File(refusal, parsed.received, named.suppressed, result.accepted, refused)


def _content(
    source: str, table: RawTable, given: Mapping[str, str], rules: Sequence[Repair]
) -> tuple[Mapping[str, Any], Content]:
    """A refusal with the rules applied to it, and the content that they make of the file."""
    path = folder_of(source) / given["kept_file"] if given["kept_file"] else None
    text = given["payload"]
    if path and given["format"] != PARQUET:
        text, path = path.read_bytes().decode(errors="backslashreplace").strip(), None
    rows = pa.Table.from_pylist([{**given, "payload": ""}])
    place = rows.column_names.index("payload")
    rows = rows.set_column(place, "payload", pa.array([text], pa.large_string()))
    (refusal,) = mended_files(table, rows, rules).to_pylist()
    name = f"{given['origin']}.{given['format']}"
    return refusal, Content(name, refusal["payload"], path, refusal["is_salvaged"])


def _from(origin: str, rows: pa.Table) -> pa.Table:
    place = rows.column_names.index("origin")
    return rows.set_column(place, "origin", pa.repeat(origin, rows.num_rows))


def _source(source: str, judged: Sequence[_Judged]) -> DltSource:
    @dlt.source(name=source)
    def quarantined() -> Iterator[DltResource]:
        for each in judged:
            yield dlt.resource(_rows, name=each.table.name, write_disposition="append")(each)

    return quarantined()


def _rows(judged: _Judged) -> Iterator[object]:
    """Rows let in, the note of each refusal, and both in the books."""
    table, rows = judged.table, judged.rows
    if rows.num_rows:
        with scratch(fitting=rows) as session:
            notes = session.read(NOTES, [table.name])
        yield from _let_in(table, rows.drop_columns(HELPERS))
        yield dlt.mark.with_table_name(notes, "replays")
        yield from entry(table, "quarantined", -rows.num_rows)
    for file in judged.files:
        yield from _file_rows(table, file)
    for refusal in judged.loaded_again:
        yield from _noted({**refusal, "rules": "loaded again"}, rows=0)
        yield from entry(table, "received", -1)
        yield from entry(table, "quarantined", -1)


def _file_rows(table: RawTable, file: _File) -> Iterator[object]:
    """What a refused file turned out to hold: until now it counted as one row."""
    load = pa.repeat(file.refusal["load_id"], file.rows.num_rows)
    yield from _let_in(table, file.rows.append_column(LOAD, load))
    for rows in file.refused:
        yield from refused(table, rows)
    yield from _noted(file.refusal, rows=1)
    yield from entry(table, "suppressed", file.suppressed)
    yield from entry(table, "received", file.received - 1)
    yield from entry(table, "quarantined", -1)


def _noted(refusal: Mapping[str, str], rows: int) -> Iterator[object]:
    note = {name: refusal[name] for name in ("table_name", "refusal_id", "rules")}
    yield dlt.mark.with_table_name(pa.Table.from_pylist([{**note, "rows": rows}]), "replays")


def _let_in(table: RawTable, rows: pa.Table) -> Iterator[object]:
    kept = suppression.without_erased_people(table, rows)
    yield kept.rows.rename_columns([_landed(name) for name in kept.rows.column_names])
    yield from entry(table, "accepted", kept.rows.num_rows)
    yield from entry(table, "suppressed", kept.suppressed)


def _landed(name: str) -> str:
    return CAME_WITH if name == LOAD else name
