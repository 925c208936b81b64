"""The refresh: one turn of the whole graph, daily, and at once when a log segment closes.

A refresh is one run, because the warehouse has one writer: asset by asset automation would queue
many small runs for the same file.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from ingestion.drops import local_path
from ingestion.registry import SOURCES

BY_CLI = "cdp/process"  # the tag of runs of `cdp refresh`
NOT_ENDED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
AUDIENCES = dg.AssetSelection.groups("audiences", "activation")
WIDE = dg.AssetKey(["customer_360", "customer_360"])


def fast_lane() -> dg.AssetSelection:
    """The load of web events, the audiences, and what is between, as long as it has no history.

    Segments and scores do not turn with an event: audiences take them as the last refresh left
    them. Their customers, consents and contacts are those of now.
    """
    web = dg.AssetSelection.key_prefixes("raw_web")
    read = AUDIENCES.upstream(depth=1) - AUDIENCES - dg.AssetSelection.assets(WIDE)
    return (web.downstream() & (read.upstream() | AUDIENCES)).required_multi_asset_neighbors()


refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    description="Load what is new in every source, rebuild, publish and deliver.",
)
events = dg.define_asset_job(
    "events",
    selection=fast_lane(),
    executor_def=dg.in_process_executor,
    description="The fast lane: new web events to audiences and destinations, and nothing else.",
)
daily = dg.ScheduleDefinition(
    name="daily_refresh",
    job=refresh,
    cron_schedule="0 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


def closed_segments() -> list[Path]:
    """The log segments that are closed and wait in the inbox, or were loaded from it."""
    url = os.environ.get(SOURCES["web"].setting, "")
    return sorted(local_path(url).glob("[!.]*.jsonl")) if url else []


def _reason_to_wait(instance: dg.DagsterInstance) -> str:
    """Why the fast lane cannot start now, if so. `cdp refresh` has a lock of its own."""
    if instance.get_latest_materialization_event(WIDE) is None:
        return "There is no customer_360 before the first refresh."
    runs = instance.get_runs(dg.RunsFilter(statuses=NOT_ENDED))
    if any(BY_CLI not in run.tags for run in runs):
        return "A run is at work; what was closed meanwhile is loaded after it."
    return ""


@dg.sensor(
    job=events,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the fast lane when a log segment has been closed since the last look.",
)
def new_log_segments(
    context: dg.SensorEvaluationContext,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run for all segments closed since the last look, after the run that is at work."""
    newest = max((path.stat().st_mtime_ns for path in closed_segments()), default=0)
    if context.cursor and newest > int(context.cursor):
        if reason := _reason_to_wait(context.instance):
            yield dg.SkipReason(reason)
            return
        yield dg.RunRequest(run_key=str(newest))
    context.update_cursor(str(max(newest, int(context.cursor or 0))))


@dg.definitions
def defs() -> dg.Definitions:
    """The jobs, the schedule and the sensor."""
    return dg.Definitions(jobs=[refresh, events], schedules=[daily], sensors=[new_log_segments])
