"""Every dbt seed, model and test, as assets and checks."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import dagster_dbt

import warehouse
from identity.seeds import checked_seeds
from ingestion import registry
from orchestration.defs.dbt.build import build
from orchestration.defs.dbt.translator import Translator, described
from orchestration.parsing import parsed_manifest


@dagster_dbt.dbt_assets(
    manifest=described(json.loads(parsed_manifest().read_text())),
    dagster_dbt_translator=Translator(),
    exclude="resource_type:unit_test",
    pool="warehouse",
)
def dbt_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Build and test the selected models on the lake as it is now."""
    if any(key.path[0] == "rules" for key in context.selected_asset_keys):
        checked_seeds()
    warehouse.register_lake(registry.tables())
    yield from build(context, Translator())


@dg.definitions
def defs() -> dg.Definitions:
    """The dbt assets."""
    return dg.Definitions(assets=[dbt_models])
