from pathlib import Path

import pytest

from ingestion.pipeline import load
from ingestion.registry import sources
from tests.ingestion.samples import Drops, seen_values

HEADER = "dmp_id,email_sha256,segment,score,collected_on,expires_on\n"


def test_loading_twice_adds_nothing(dmp: Drops) -> None:
    dmp.drop("segments_2011-12-01.csv", f"{HEADER}d1,ab,travel,0.7,2011-12-01,2011-12-31\n")

    counts = [load("dmp").accepted for _ in range(2)]

    assert (counts, seen_values("raw_dmp.segments", "score")) == ([1, 0], [0.7])


def test_a_bad_line_keeps_only_itself_out(dmp: Drops) -> None:
    good, bad = "d1,,travel,0.7,2011-12-01,\n", "d2,,travel,high,2011-12-01,\n"
    dmp.drop("segments_2011-12-01.csv", HEADER + bad + good + "d3,,travel\n")

    report = load("dmp")

    assert (report.accepted, report.quarantined) == (1, 2)


def test_another_platform_s_files_are_mapped_and_stand_beside(
    dmp: Drops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "TYPE": "files",
        "KIND": "dmp",
        "BUCKET_URL": str(tmp_path),
        "SEGMENTS": "taste*.jsonl",
        "SEGMENTS__DMP_ID": "cookie",
        "SEGMENTS__COLLECTED_ON": "day",
    }
    for setting, value in settings.items():
        monkeypatch.setenv(f"SOURCES__TASTES__{setting}", value)
    dmp.drop("segments_2011-12-01.csv", f"{HEADER}d1,ab,travel,0.7,2011-12-01,\n")
    (tmp_path / "taste.jsonl").write_text('{"cookie":"d1","segment":"tea","day":"2011-12-01"}\n')

    assert [load(name).accepted for name in ("dmp", "tastes")] == [1, 1]
    assert seen_values("raw_dmp.segments", "dmp_id") == ["d1", "tastes:d1"]
    assert sources()["tastes"].party == "third"
