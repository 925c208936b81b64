"""Every dbt seed, model and test, as assets and checks."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import dagster_dbt

import settings
import warehouse
from ingestion import registry
from orchestration.defs.dbt.translator import Translator
from orchestration.parsing import parsed_manifest
from warehouse.catalog import manifest_path


@dagster_dbt.dbt_assets(
    manifest=parsed_manifest(),
    dagster_dbt_translator=Translator(),
    exclude="resource_type:unit_test",
    pool="warehouse",
)
def dbt_models(context: dg.AssetExecutionContext, dbt: dagster_dbt.DbtCliResource) -> Iterator[Any]:
    """Build and test the selected models on the lake as it is now."""
    warehouse.register_lake(registry.tables())
    command = ["build", "--exclude-resource-type=unit_test", "--indirect-selection=buildable"]
    target = manifest_path().parent
    yield from dbt.cli(command, context=context, target_path=target).stream()


@dg.definitions
def defs() -> dg.Definitions:
    """The dbt assets and the command line that builds them."""
    project = dagster_dbt.DbtCliResource(
        project_dir=str(settings.DBT_PROJECT),
        profiles_dir=str(settings.DBT_PROJECT),
        dbt_executable=str(Path(sys.executable).parent / "dbt"),
    )
    return dg.Definitions(assets=[dbt_models], resources={"dbt": project})
