"""How dbt's names appear in Dagster: asset key = schema and table, group = layer."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

SEEDS = "rules"


class Translator(DagsterDbtTranslator):
    """Schema, layer, owner and kinds of every dbt node."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetSpec:
        """The node's spec under our names."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = {**manifest["nodes"], **manifest["sources"]}[unique_id]
        return spec.replace_attributes(
            key=dg.AssetKey([node["schema"], node["name"]]),
            group_name=layer(node),
            owners=[f"team:{owner(node)}"],
            description=node["description"],
            kinds={"dbt", "duckdb"},
        )


def layer(node: Mapping[str, Any]) -> str:
    """The folder under models/, which is also the schema; seeds are rules."""
    return SEEDS if node["resource_type"] == "seed" else str(node["fqn"][1])


def owner(node: Mapping[str, Any]) -> str:
    """Who answers for the model: the audience's owner, or else its folder's (`dbt_project.yml`)."""
    meta = node["config"].get("meta", {})
    return str(meta.get("audience", meta).get("owner", "data"))
