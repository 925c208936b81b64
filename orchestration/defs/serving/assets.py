"""The published copies, made only when every blocking check has passed."""

import dagster as dg

import warehouse
from orchestration.parsing import parsed_manifest
from serving import publish


def _public_models() -> list[list[str]]:
    parsed_manifest()
    return [[model.schema, model.name] for model in warehouse.catalog().public()]


@dg.asset(
    key=["published", "about"],
    deps=_public_models(),
    description="One row: when the copies for BI tools were last published.",
    group_name="serving",
    owners=["team:data"],
    kinds={"duckdb"},
    pool="warehouse",
)
def published() -> dg.MaterializeResult[None]:
    """Both editions of the public tables, each put in place by one rename."""
    editions = publish.publish(warehouse.catalog())
    return dg.MaterializeResult(
        metadata={edition.edition: f"{edition.tables} tables" for edition in editions}
    )
