"""One set of assets per source: its raw tables, their books, its quarantine and broken rules."""

from collections.abc import Iterable, Iterator

import dagster as dg

from ingestion.books import ENTRIES, Book
from ingestion.pipeline import LoadReport, SourceUnavailableError, load
from ingestion.registry import Source, sources
from ingestion.registry import tables as raw_tables
from ingestion.tracking_plan import is_of_events, violations
from warehouse import RawTable
from warehouse.lake import books_of, quarantine_of, violations_of

Loaded = dg.MaterializeResult[None] | dg.AssetCheckResult
BALANCE = "books_balance"
VIOLATIONS = "violations"


def _spec(source: Source, table: RawTable) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=[table.schema, table.name],
        deps=[
            [fed_by.schema, fed_by.name]
            for fed_by in raw_tables()
            if (fed_by.feeds, fed_by.name) == (table.source, table.name)
        ],
        description=f"{table.grain}. {source.description}.",
        group_name="ingestion",
        owners=["team:data"],
        kinds={"dlt", "parquet"},
        tags={"party": source.party},
    )


def _assets(source: Source) -> dg.AssetsDefinition:
    specs = [_spec(source, table) for table in (*source.tables, *_ours(source))]
    checks = [
        dg.AssetCheckSpec(
            name="source_was_read",
            asset=specs[0].key,
            description="Fails when the source could not be read; what it gave before is used.",
        ),
        dg.AssetCheckSpec(
            name="nothing_was_refused",
            asset=specs[-1].key,
            description="Warns when a contract refused rows of this load.",
        ),
        *(_balance_spec(table) for table in source.tables),
    ]

    @dg.multi_asset(
        name=f"load_{source.name}",
        specs=specs,
        check_specs=checks,
        pool=f"load_{source.name}",
    )
    def _load() -> Iterator[Loaded]:
        try:
            yield from _results(source, load(source.name) if source.is_on else None)
        except SourceUnavailableError as error:
            yield from _results(source, None, problem=str(error))

    return _load


def _ours(source: Source) -> list[RawTable]:
    """The tables that we keep beside a source's own; the quarantine is the last."""
    ours = [books_of(source.name), quarantine_of(source.name)]
    counts = any(map(is_of_events, source.tables))
    return [violations_of(source.name), *ours] if counts else ours


def _balance_spec(table: RawTable) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=BALANCE,
        asset=[table.schema, table.name],
        description="received = accepted + quarantined + duplicate + suppressed, and the files of"
        " the lake hold what was accepted and quarantined. Nothing is built on a lost row.",
        blocking=True,
    )


def _results(source: Source, report: LoadReport | None, problem: str = "") -> Iterator[Loaded]:
    given, ours = source.tables, _ours(source)
    books = {"books of this load": _page(report.books if report else ())}
    refused = report.quarantined if report else 0
    for table in given:
        yield from _table_results(table, report)
    for table in ours:
        told = _broken_rules(report) if table.name == VIOLATIONS else books
        yield dg.MaterializeResult(asset_key=[table.schema, table.name], metadata=told)
    yield dg.AssetCheckResult(
        asset_key=[given[0].schema, given[0].name],
        check_name="source_was_read",
        passed=not problem,
        metadata={"problem": problem or "none"},
    )
    yield dg.AssetCheckResult(
        asset_key=[ours[-1].schema, ours[-1].name],
        check_name="nothing_was_refused",
        passed=refused == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"refused rows": refused, "what to do": "cdp quarantine list"},
    )


def _table_results(table: RawTable, report: LoadReport | None) -> Iterator[Loaded]:
    """What a load brought to one table, and whether its books balance."""
    found = [book for book in report.books if book.table == table.name] if report else []
    rows = report.rows.get(table.name, 0) if report else 0
    problems = [book.problem for book in found if book.problem]
    yield dg.MaterializeResult(
        asset_key=[table.schema, table.name],
        metadata={"new rows": rows, "books of this load": _page(found)},
    )
    yield dg.AssetCheckResult(
        asset_key=[table.schema, table.name],
        check_name=BALANCE,
        passed=not problems,
        metadata={"problem": "; ".join(problems) or "none"},
    )


def _broken_rules(report: LoadReport | None) -> dict[str, dg.MetadataValue[str] | int]:
    """How often each rule of the tracking plan was broken in a load."""
    rows = violations(report.source, report.loads).to_pylist() if report else []
    lines = ["| event | property | rule | action | times |", "|---" * 5 + "|"]
    for row in rows:
        lines.append(f"| {' | '.join(str(value).replace('|', '') for value in row.values())} |")
    return {
        "broken rules": sum(row["events"] for row in rows),
        "broken rules of this load": dg.MetadataValue.md("\n".join(lines)),
    }


def _page(books: Iterable[Book]) -> dg.MetadataValue[str]:
    lines = [f"| {' | '.join(ENTRIES)} |".replace("| ", "| table | ", 1), "|---" * 6 + "|"]
    for book in books:
        counts = [f"{getattr(book, kind):,}" for kind in ENTRIES]
        lines.append(f"| {' | '.join([book.table, *counts])} |")
    return dg.MetadataValue.md("\n".join(lines))


@dg.definitions
def defs() -> dg.Definitions:
    """The assets of every source."""
    return dg.Definitions(assets=[_assets(source) for source in sources().values()])
