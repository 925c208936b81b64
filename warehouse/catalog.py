"""What dbt says about its models: layers, descriptions, tags; read from its manifest."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.session import NothingThereError


@dataclass(frozen=True)
class Column:
    """One described column; `pii` names the kind of personal data it holds, if any."""

    name: str
    description: str
    pii: str | None


@dataclass(frozen=True)
class Model:
    """One dbt model: where it stands and what it promises."""

    name: str
    schema: str
    layer: str
    description: str
    is_public: bool
    columns: tuple[Column, ...]
    parents: tuple[str, ...]
    meta: Mapping[str, Any]

    @property
    def table(self) -> str:
        """Its full name in the warehouse."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Catalog:
    """All models by name."""

    models: Mapping[str, Model]

    def public(self) -> list[Model]:
        """The models that other stages and BI tools may read."""
        return [model for model in self.models.values() if model.is_public]


def manifest_path() -> Path:
    """Where dbt leaves its manifest."""
    return Path(os.environ["DBT_TARGET_PATH"]) / "manifest.json"


def catalog() -> Catalog:
    """The models of the last `dbt parse` or build.

    Raises NothingThereError, saying what to run, when dbt has never parsed the project.
    """
    if not manifest_path().exists():
        raise NothingThereError("dbt has not parsed the project yet: run `cdp refresh`.")
    nodes = json.loads(manifest_path().read_text())["nodes"]
    models = [_model(node) for node in nodes.values() if node["resource_type"] == "model"]
    return Catalog(models={model.name: model for model in models})


def _model(node: Mapping[str, Any]) -> Model:
    return Model(
        name=node["name"],
        schema=node["schema"],
        layer=node["fqn"][1],
        description=node["description"],
        is_public=node["access"] == "public",
        columns=tuple(_column(column) for column in node["columns"].values()),
        parents=tuple(node["depends_on"]["nodes"]),
        meta=node["config"].get("meta", {}),
    )


def _column(column: Mapping[str, Any]) -> Column:
    meta = column.get("config", {}).get("meta", {})
    return Column(column["name"], column["description"], meta.get("pii"))
