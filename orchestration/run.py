"""Running the asset graph without the UI: the same job, in this process, with progress."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import dagster as dg

import settings
from orchestration.definitions import defs
from orchestration.defs.refresh import BY_CLI
from orchestration.demo import apis
from orchestration.history import open_instance
from orchestration.lock import only_one
from settings import ForeseenError

DISK_FULL = (
    "No space left",
    "File too large",
    "Could not write",
    "disk I/O error",
    "disk is full",
)
DISK_ADVICE = "Free some space under CDP_HOME, then refresh again: nothing that was loaded is lost."
OUR_RUNS = {BY_CLI: "cli"}
Kind = Literal["started", "done", "problem"]
Progress = Callable[[str, Kind], None]


@dataclass(frozen=True)
class Refreshed:
    """How a refresh ended: `problems` were shown; a failed refresh published nothing new."""

    succeeded: bool
    problems: tuple[str, ...]


def refresh(show: Progress, selection: dg.AssetSelection | None = None) -> Refreshed:
    """Run the refresh job once. Raises RefreshRunningError when one is running already."""
    with only_one(), apis(), open_instance(prepare_dagster_home()) as instance:
        _clear_dead_runs(instance)
        ours = dg.Definitions(loggers={"cdp": dg.LoggerDefinition(_quiet)})
        definitions = dg.Definitions.merge(defs(), ours)
        job = definitions.resolve_job_def("refresh")
        listener = _Listener(show, _titles(job))
        logging.getLogger("cdp").handlers = [listener]
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                asset_selection=_keys(definitions, selection),
                run_config={"loggers": {"cdp": {}}},
                tags=OUR_RUNS,
            )
        return Refreshed(succeeded=result.success, problems=tuple(listener.problems))


def _quiet(_context: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.getLogger("cdp")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger


class _Listener(logging.Handler):
    """Turns Dagster's events into lines for people."""

    def __init__(self, show: Progress, titles: Mapping[str, str]) -> None:
        super().__init__()
        self.problems: list[str] = []
        self._show = show
        self._titles = titles

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None:
            return
        for line, kind in _lines(event, self._titles.get(event.step_key, "")):
            if kind == "problem":
                self.problems.append(line)
            self._show(line, kind)


def _titles(job: dg.JobDefinition) -> dict[str, str]:
    """What each step makes, in the words of the asset graph."""
    titles: dict[str, set[str]] = {}
    for key in job.asset_layer.executable_asset_keys:
        step = job.asset_layer.get_op_output_handle(key).node_handle.name
        titles.setdefault(step, set()).add(key.path[0])
    return {step: ", ".join(sorted(schemas)) for step, schemas in titles.items()}


def _lines(event: dg.DagsterEvent, title: str) -> Iterator[tuple[str, Kind]]:
    kind = event.event_type
    name = f"{event.step_key} ({title})" if title else str(event.step_key)
    if kind == dg.DagsterEventType.STEP_START:
        yield name, "started"
    elif kind == dg.DagsterEventType.STEP_SUCCESS:
        yield f"{event.step_success_data.duration_ms / 1000:5.1f} s  {name}", "done"
    elif kind == dg.DagsterEventType.STEP_FAILURE:
        yield f"{name} failed: {_reason(event)}", "problem"
    elif kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        if not check.passed:
            facts = "; ".join(f"{fact}: {value.value}" for fact, value in check.metadata.items())
            yield f"{check.asset_key.to_user_string()} {check.check_name}: {facts}", "problem"


def _reason(event: dg.DagsterEvent) -> str:
    """The cause in its own words: an error of ours, or the first one; of dbt, what it said."""
    ours = {error.__name__ for error in ForeseenError.__subclasses__()}
    error = event.step_failure_data.error
    while error and error.cause and error.cls_name not in ours:
        error = error.cause
    message = error.message.strip() if error else "unknown"
    return f"{message} {DISK_ADVICE}" if is_disk_full(message) else message


def is_disk_full(message: str) -> bool:
    """Whether an error's words say that there was no room to write."""
    return any(sign in message for sign in DISK_FULL)


def _keys(
    definitions: dg.Definitions, selection: dg.AssetSelection | None
) -> list[dg.AssetKey] | None:
    if selection is None:
        return None
    return sorted(selection.resolve(definitions.resolve_asset_graph()))


def prepare_dagster_home() -> Path:
    """Make the folder of the Dagster instance, with its settings; returns it."""
    home = settings.home() / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(settings.PROJECT / "dagster.yaml", home / "dagster.yaml")
    return home


def _clear_dead_runs(instance: dg.DagsterInstance) -> None:
    """Runs of this command that were killed: mark them, and free the slots they held.

    We hold the only lock, so no run of ours that is not finished can be alive.
    """
    unfinished = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.NOT_STARTED],
        tags=OUR_RUNS,
    )
    for run in instance.get_runs(unfinished):
        instance.report_run_failed(run, "the process was killed")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
