"""One `dbt build` in this process: dbt is imported and the project parsed once, not per step."""

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt_common.events.base_types import EventMsg
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

import settings
from orchestration.parsing import loaded_manifest
from settings import ForeseenError
from warehouse.catalog import manifest_path

OPTIONS = (
    *("--exclude-resource-type", "unit_test", "--indirect-selection", "buildable"),
    *("--quiet", "--log-level-file", "info"),  # a file of every query takes a tenth of the time
    "--no-write-json",  # the manifest is written when it is parsed, not by each step again
)


class DbtBuildError(ForeseenError):
    """A model failed, or a test that guards what stands downstream."""


def build(context: dg.AssetExecutionContext, translator: DagsterDbtTranslator) -> Iterator[Any]:
    """Dagster's events of building and testing the selected nodes, each as it happens.

    Raises DbtBuildError with dbt's own words when one of them failed.
    """
    manifest = manifest_path()
    problems: list[str] = []
    for event in _events(["build", *OPTIONS, "--select", *_selected(context)]):
        problems += _problems(event)
        message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
        yield from message.to_default_asset_events(manifest, translator, context)
    if problems:
        raise DbtBuildError("\n".join(problems))


def _selected(context: dg.AssetExecutionContext) -> list[str]:
    """The nodes of this step by their whole path: a name alone is a folder's name too."""
    nodes = loaded_manifest().nodes.values()
    wanted = {tuple(key.path) for key in context.selected_asset_keys}
    return sorted(
        f"fqn:{'.'.join(node.fqn)}" for node in nodes if (node.schema, node.name) in wanted
    )


def _events(command: list[str]) -> Iterator[dict[str, Any]]:
    """What dbt tells while it runs the command in a thread."""
    told: SimpleQueue[EventMsg | dbtRunnerResult] = SimpleQueue()
    dbt = dbtRunner(manifest=loaded_manifest(), callbacks=[told.put])
    words = [*command, "--project-dir", str(settings.DBT_PROJECT)]
    thread = Thread(target=lambda: told.put(dbt.invoke(words)))
    thread.start()
    try:
        while not isinstance(event := told.get(), dbtRunnerResult):
            yield MessageToDict(event, preserving_proto_field_name=True)
    finally:
        thread.join()
        let_go()
    if event.exception:
        raise DbtBuildError(str(event.exception))


def let_go() -> None:
    """dbt keeps the warehouse open in this process: an erasure could not rewrite the file."""
    if environment := DuckDBConnectionManager._ENV:
        environment.close()


def _problems(event: dict[str, Any]) -> list[str]:
    return [event["info"]["msg"]] if event["info"]["level"] == "error" else []
