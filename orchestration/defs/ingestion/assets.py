"""One set of assets per source: its raw tables and its quarantine."""

from collections.abc import Iterator

import dagster as dg

from ingestion.pipeline import LoadReport, SourceUnavailableError, load
from ingestion.registry import SOURCES, Source
from warehouse import RawTable
from warehouse.lake import quarantine_of

Loaded = dg.MaterializeResult[None] | dg.AssetCheckResult


def _spec(source: Source, table: RawTable) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=[table.schema, table.name],
        description=f"{table.grain}. {source.description}.",
        group_name="ingestion",
        owners=["team:data"],
        kinds={"dlt", "parquet"},
        tags={"party": source.party},
    )


def _assets(source: Source) -> dg.AssetsDefinition:
    tables = [*source.tables, quarantine_of(source.name)]
    specs = [_spec(source, table) for table in tables]
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
    ]

    @dg.multi_asset(
        name=f"load_{source.name}",
        specs=specs,
        check_specs=checks,
        pool=f"load_{source.name}",
    )
    def _load() -> Iterator[Loaded]:
        try:
            yield from _results(load(source.name) if source.is_on else None, tables)
        except SourceUnavailableError as error:
            yield from _results(None, tables, problem=str(error))

    return _load


def _results(
    report: LoadReport | None, tables: list[RawTable], problem: str = ""
) -> Iterator[Loaded]:
    rows = report.rows if report else {}
    refused = report.quarantined if report else 0
    *given, quarantine = tables
    for table in given:
        yield dg.MaterializeResult(
            asset_key=[table.schema, table.name],
            metadata={"new rows": rows.get(table.name, 0)},
        )
    yield dg.MaterializeResult(
        asset_key=[quarantine.schema, quarantine.name], metadata={"new rows": refused}
    )
    yield dg.AssetCheckResult(
        asset_key=[given[0].schema, given[0].name],
        check_name="source_was_read",
        passed=not problem,
        metadata={"problem": problem or "none"},
    )
    yield dg.AssetCheckResult(
        asset_key=[quarantine.schema, quarantine.name],
        check_name="nothing_was_refused",
        passed=refused == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "refused rows": refused,
            "what to do": "look at staging.stg_ingestion__quarantine",
        },
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The assets of every source."""
    return dg.Definitions(assets=[_assets(source) for source in SOURCES.values()])
