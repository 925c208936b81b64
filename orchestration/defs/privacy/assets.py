"""Retention as a step of every refresh."""

import dagster as dg

from ingestion import registry
from privacy.retention import keep_retention


def _limited() -> list[list[str]]:
    tables = [table for table in registry.tables() if table.kept_until]
    return [[table.schema, name] for table in tables for name in (table.name, "quarantine")]


@dg.asset(
    key=["privacy", "retention"],
    deps=_limited(),
    description="Data that may be kept for a time only, deleted from our files when it is over.",
    group_name="privacy",
    owners=["team:data"],
    kinds={"parquet"},
    pool="warehouse",
)
def retention() -> dg.MaterializeResult[None]:
    """The lake and the inbox without rows whose time is up."""
    done = keep_retention(registry.tables())
    return dg.MaterializeResult(
        metadata={"lake files rewritten": done.lake_files, "drops deleted": done.inbox_files}
    )
