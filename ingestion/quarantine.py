"""What the contracts refused: listed, and let in once a rule or a changed contract makes it right.

A replayed row lands as if it had come right: the warehouse sees it with the load it came with. Rows
and the note that they were let in (`raw_<source>.replays`) are loaded together, so that each lands
once, wherever a replay is killed and however often it is asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource
from dlt.extract.source import DltSource

from ingestion import suppression
from ingestion.books import Book, entry
from ingestion.contracts import check
from ingestion.pipeline import finish_pending, run_replay
from ingestion.registry import sources
from ingestion.repairs import Repair, mended, repairs
from ingestion.tracking_plan import judge, plan_for
from warehouse import RawTable, lake_rows, scratch
from warehouse.lake import CAME_WITH, quarantine_of, replays_of

REFUSALS = """
    select
        md5(concat_ws('|', refused.table_name, refused._dlt_load_id, refused.origin, payload))
            as refusal_id,
        refused.table_name,
        refused.reason,
        refused.payload,
        refused.origin,
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
WAITING = "select * exclude (rules) from held where table_name = ? and not is_replayed"
STILL_REFUSED = """
    select table_name, reason, count(*) as rows from waiting
    where refusal_id not in (select cdp_refusal_id from fitting)
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
    judged = [
        _judged(each, held, rules) for each in sources()[source].tables if table in ("", each.name)
    ]
    fitting = [each for each in judged if each.rows.num_rows]
    books = run_replay(source, _source(source, fitting)).books if fitting else ()
    return Replayed(source, books, pa.concat_tables(each.still_refused for each in judged))


@dataclass(frozen=True)
class _Judged:
    """The refusals of one table that wait: `rows` fit the contract now."""

    table: RawTable
    rows: pa.Table
    still_refused: pa.Table


def _judged(table: RawTable, held: pa.Table, rules: Sequence[Repair]) -> _Judged:
    with scratch(held=held) as session:
        waiting = session.read(WAITING, [table.name])
    rows = check(table, mended(table, waiting, rules)).accepted
    if plan := plan_for(table):
        rows = judge(plan, rows).accepted
    with scratch(waiting=waiting, fitting=rows) as session:
        return _Judged(table, rows, session.read(STILL_REFUSED))


def _source(source: str, judged: Sequence[_Judged]) -> DltSource:
    @dlt.source(name=source)
    def quarantined() -> Iterator[DltResource]:
        for each in judged:
            yield dlt.resource(_rows, name=each.table.name, write_disposition="append")(each)

    return quarantined()


def _rows(judged: _Judged) -> Iterator[object]:
    """Rows let in, the note of each refusal, and both in the books."""
    table, rows = judged.table, judged.rows
    with scratch(fitting=rows) as session:
        notes = session.read(NOTES, [table.name])
    kept = suppression.without_erased_people(table, rows.drop_columns(HELPERS))
    yield kept.rows.rename_columns([_landed(name) for name in kept.rows.column_names])
    yield dlt.mark.with_table_name(notes, "replays")
    yield from entry(table, "accepted", kept.rows.num_rows)
    yield from entry(table, "suppressed", kept.suppressed)
    yield from entry(table, "quarantined", -rows.num_rows)


def _landed(name: str) -> str:
    return CAME_WITH if name == LOAD else name
