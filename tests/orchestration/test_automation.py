"""What starts by itself."""

from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.refresh import WIDE, daily, new_log_segments
from orchestration.run import OUR_RUNS


@pytest.fixture()
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inbox of one closed segment."""
    monkeypatch.setenv("SOURCES__WEB__BUCKET_URL", tmp_path.as_uri())
    (tmp_path / "segment-1.jsonl").write_text("{}\n")
    return tmp_path


@pytest.fixture()
def refreshed() -> dg.DagsterInstance:
    """An instance that has seen a refresh."""
    instance = dg.DagsterInstance.ephemeral()
    instance.report_runless_asset_event(dg.AssetMaterialization(WIDE))
    return instance


def look(cursor: str | None, instance: dg.DagsterInstance) -> dg.SensorEvaluationContext:
    """One look of the sensor; the context holds its new cursor."""
    return dg.build_sensor_context(instance, cursor=cursor)


def start(instance: dg.DagsterInstance, **tags: str) -> None:
    """A run that does not end."""
    status = dg.DagsterRunStatus.STARTED
    instance.add_run(dg.DagsterRun(job_name="refresh", status=status, tags=tags))


def test_a_closed_segment_starts_the_fast_lane(inbox: Path, refreshed: dg.DagsterInstance) -> None:
    first = look(None, refreshed)
    list(new_log_segments(first))
    (inbox / "segment-2.jsonl").write_text("{}\n")
    assert len(list(new_log_segments(look(first.cursor, refreshed)))) == 1


def test_a_segment_closed_while_a_run_is_at_work_waits_for_its_end(
    inbox: Path, refreshed: dg.DagsterInstance
) -> None:
    first = look(None, refreshed)
    list(new_log_segments(first))
    (inbox / "segment-2.jsonl").write_text("{}\n")
    meanwhile = look(first.cursor, refreshed)
    start(refreshed)

    (skipped,) = new_log_segments(meanwhile)
    assert isinstance(skipped, dg.SkipReason)
    assert meanwhile.cursor == first.cursor


def test_a_refresh_that_was_killed_on_the_command_line_holds_nothing_up(
    inbox: Path, refreshed: dg.DagsterInstance
) -> None:
    first = look(None, refreshed)
    list(new_log_segments(first))
    (inbox / "segment-2.jsonl").write_text("{}\n")
    start(refreshed, **OUR_RUNS)

    (run,) = new_log_segments(look(first.cursor, refreshed))
    assert isinstance(run, dg.RunRequest)


def test_the_fast_lane_waits_for_the_first_refresh(inbox: Path) -> None:
    (skipped,) = new_log_segments(look("1", dg.DagsterInstance.ephemeral()))
    assert isinstance(skipped, dg.SkipReason)


def test_nothing_new_starts_nothing(inbox: Path, refreshed: dg.DagsterInstance) -> None:
    first = look(None, refreshed)
    list(new_log_segments(first))
    assert list(new_log_segments(look(first.cursor, refreshed))) == []


def test_a_segment_that_is_still_open_starts_nothing(
    inbox: Path, refreshed: dg.DagsterInstance
) -> None:
    first = look(None, refreshed)
    list(new_log_segments(first))
    (inbox / ".open-2.jsonl").write_text("{}\n")
    assert list(new_log_segments(look(first.cursor, refreshed))) == []


def test_schedule_and_sensor_run_without_being_switched_on() -> None:
    assert (daily.default_status, new_log_segments.default_status) == (
        dg.DefaultScheduleStatus.RUNNING,
        dg.DefaultSensorStatus.RUNNING,
    )
