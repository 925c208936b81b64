"""What starts by itself."""

from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.refresh import daily, new_log_segments


@pytest.fixture()
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inbox of one closed segment."""
    monkeypatch.setenv("SOURCES__WEB__BUCKET_URL", tmp_path.as_uri())
    (tmp_path / "segment-1.jsonl").write_text("{}\n")
    return tmp_path


def look(cursor: str | None) -> dg.SensorEvaluationContext:
    """One look of the sensor; the context holds its new cursor."""
    return dg.build_sensor_context(cursor=cursor)


def test_a_closed_segment_starts_the_fast_lane(inbox: Path) -> None:
    first = look(None)
    list(new_log_segments(first))
    (inbox / "segment-2.jsonl").write_text("{}\n")
    assert len(list(new_log_segments(look(first.cursor)))) == 1


def test_nothing_new_starts_nothing(inbox: Path) -> None:
    first = look(None)
    list(new_log_segments(first))
    assert list(new_log_segments(look(first.cursor))) == []


def test_a_segment_that_is_still_open_starts_nothing(inbox: Path) -> None:
    first = look(None)
    list(new_log_segments(first))
    (inbox / ".open-2.jsonl").write_text("{}\n")
    assert list(new_log_segments(look(first.cursor))) == []


def test_schedule_and_sensor_run_without_being_switched_on() -> None:
    assert (daily.default_status, new_log_segments.default_status) == (
        dg.DefaultScheduleStatus.RUNNING,
        dg.DefaultSensorStatus.RUNNING,
    )
