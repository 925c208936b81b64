"""How dbt's names appear in Dagster: asset key = schema and table, group = layer."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

SEEDS = "rules"
CHECKS = {  # what each kind of dbt test says, where it says nothing of its own
    "accepted_range": "{column_name} is inside its bounds.",
    "accepted_values": "{column_name} is one of the known values.",
    "not_null": "{column_name} is in every row.",
    "relationships": "Every {column_name} is one that {to} knows.",
    "same_total": "{expression}, added up, is what {other_expression} is in {other_model}.",
    "unique": "{column_name} is in one row only.",
    "unique_combination": "{columns} together are in one row only.",
}


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


def described(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The manifest with a sentence in every test, where Dagster looks for it."""
    nodes = {
        name: {**node, "meta": {"description": check(node), **node["meta"]}}
        if node["resource_type"] == "test"
        else node
        for name, node in manifest["nodes"].items()
    }
    return {**manifest, "nodes": nodes}


def check(node: Mapping[str, Any]) -> str:
    """What a dbt test makes sure of."""
    kind = node.get("test_metadata") or {"name": node["name"], "kwargs": {}}
    sentence = CHECKS.get(kind["name"], f"{kind['name'].replace('_', ' ').capitalize()}.")
    return str(node["description"] or sentence.format(**kind["kwargs"]))


def layer(node: Mapping[str, Any]) -> str:
    """The folder under models/, which is also the schema; seeds are rules."""
    return SEEDS if node["resource_type"] == "seed" else str(node["fqn"][1])


def owner(node: Mapping[str, Any]) -> str:
    """Who answers for the model: the audience's owner, or else its folder's (`dbt_project.yml`)."""
    meta = node["config"].get("meta", {})
    return str(meta.get("audience", meta).get("owner", "data"))
