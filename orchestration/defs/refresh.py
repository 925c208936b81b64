"""The refresh: one turn of the whole graph, daily, and at once when a log segment closes.

A refresh is one run, because the warehouse has one writer: asset by asset automation would queue
many small runs for the same file.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from ingestion.registry import SOURCES

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    description="Load what is new in every source, rebuild, publish and deliver.",
)
events = dg.define_asset_job(
    "events",
    selection=dg.AssetSelection.groups("ingestion").required_multi_asset_neighbors()
    & dg.AssetSelection.key_prefixes("raw_web")
    | dg.AssetSelection.key_prefixes("raw_web").downstream()
    - dg.AssetSelection.groups("scorecard")
    - dg.AssetSelection.key_prefixes("lake"),
    description="The fast lane: new web events to audiences, without asking the other sources.",
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
    inbox = Path(url.removeprefix("file://"))
    return sorted(inbox.glob("[!.]*.jsonl")) if url else []


@dg.sensor(
    job=events,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the fast lane when a log segment has been closed since the last look.",
)
def new_log_segments(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest]:
    """One run for all segments closed since the last look."""
    newest = max((path.stat().st_mtime_ns for path in closed_segments()), default=0)
    if context.cursor and newest > int(context.cursor):
        yield dg.RunRequest(run_key=str(newest))
    context.update_cursor(str(max(newest, int(context.cursor or 0))))


@dg.definitions
def defs() -> dg.Definitions:
    """The jobs, the schedule and the sensor."""
    return dg.Definitions(jobs=[refresh, events], schedules=[daily], sensors=[new_log_segments])
