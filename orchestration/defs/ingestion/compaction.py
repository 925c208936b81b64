"""Joining the small files of the lake as a step of every refresh."""

import dagster as dg

from ingestion import registry
from warehouse import compact_lake


def _loaded() -> list[list[str]]:
    known = registry.sources().values()
    return [[table.schema, table.name] for source in known for table in source.tables]


@dg.asset(
    key=["lake", "compaction"],
    deps=_loaded(),
    description="Small files of loads that ended an hour ago or earlier, joined into larger ones.",
    group_name="ingestion",
    owners=["team:data"],
    kinds={"parquet"},
    pool="warehouse",
)
def compaction() -> dg.MaterializeResult[None]:
    """The lake in few files, with the same rows."""
    done = compact_lake(registry.tables())
    return dg.MaterializeResult(
        metadata={"small files joined": done.small_files, "larger files": done.larger_files}
    )
