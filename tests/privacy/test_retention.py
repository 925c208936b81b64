import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingestion import refused_files, registry
from ingestion.pipeline import load
from privacy.retention import Retained, keep_retention
from privacy.scan import scan

HEADER = "dmp_id,email_sha256,segment,score,collected_on,expires_on\n"
OVER = (
    f"{HEADER}gone-for-good-1,,travel,1,2011-11-01,2011-12-09\ngone-for-good-2,,x,1,2011-11-09,\n"
)
MIXED = f"{HEADER}gone-for-good-3,,x,1,2011-11-09,\nstill-here,,x,1,2011-11-10,\n"


@pytest.fixture()
def inbox(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Loaded drops, of which the first is over by today."""
    monkeypatch.setenv("CDP_TODAY", "2011-12-09")
    folder = home / "inbox" / "dmp"
    folder.mkdir(parents=True)
    monkeypatch.setenv("SOURCES__DMP__BUCKET_URL", folder.as_uri())
    (folder / "segments_2011-11-01.csv").write_text(OVER)
    load("dmp")
    (folder / "segments_2011-11-10.csv").write_text(MIXED)
    load("dmp")
    return folder


def lake_values(home: Path) -> list[str]:
    files = (home / "lake" / "raw_dmp" / "segments").glob("*.parquet")
    return sorted(value for path in files for value in pq.read_table(path)["dmp_id"].to_pylist())


def test_expired_rows_are_in_no_file_of_the_lake(home: Path, inbox: Path) -> None:
    before = lake_values(home)
    keep_retention(registry.tables())

    assert (len(before), lake_values(home)) == (4, ["still-here"])
    assert scan(["gone-for-good-1", "gone-for-good-2"]) == []


def test_a_drop_goes_when_none_of_its_rows_may_be_kept(home: Path, inbox: Path) -> None:
    keep_retention(registry.tables())

    assert [path.name for path in inbox.iterdir()] == ["segments_2011-11-10.csv"]


def test_keeping_retention_twice_does_nothing_more(home: Path, inbox: Path) -> None:
    rounds = [keep_retention(registry.tables()) for _ in range(2)]

    assert rounds == [Retained(lake_files=2, inbox_files=1), Retained(0, 0)]


def test_a_refused_row_of_long_ago_goes_too(
    home: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "segments_2011-11-11.csv").write_text(f"{HEADER}refused-one,,x,high,2011-12-01,\n")
    load("dmp")
    monkeypatch.setenv("CDP_TODAY", "2999-01-01")
    keep_retention(registry.tables())
    quarantine = (home / "lake" / "raw_dmp" / "quarantine").glob("*.parquet")

    assert [pq.read_table(path).num_rows for path in quarantine] == [0]


def test_a_refused_file_of_long_ago_goes_with_its_refusal(
    home: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_files, "MOST_KEPT", 1)  # byte
    (inbox / "segments_2011-11-11.csv").write_text("id;mail\nd1;ab\n")
    load("dmp")
    kept = [len(list(refused_files.folder_of("dmp").iterdir()))]
    monkeypatch.setenv("CDP_TODAY", "2999-01-01")
    keep_retention(registry.tables())

    assert [*kept, len(list(refused_files.folder_of("dmp").iterdir()))] == [1, 0]


def test_a_drop_that_gave_the_lake_nothing_is_judged_by_its_own_rows(
    home: Path, inbox: Path
) -> None:
    for name, day in (("over", "2011-11-01"), ("kept", "2011-12-01")):
        (inbox / f"{name}.csv").write_text(f"{HEADER}{name},,x,1,{day},\n")
    keep_retention(registry.tables())

    left = sorted(path.name for path in inbox.iterdir())
    assert left == ["kept.csv", "segments_2011-11-10.csv"]


@pytest.mark.parametrize(("name", "prefix"), [("partner", ""), ("panel", "panel:")])
def test_partner_members_leave_lake_and_inbox_when_their_licence_ends(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, prefix: str
) -> None:
    folder = home / "inbox" / name
    monkeypatch.setenv(f"SOURCES__{name}__BUCKET_URL".upper(), folder.as_uri())
    if name != "partner":
        monkeypatch.setenv(f"SOURCES__{name}__TYPE".upper(), "partner")
    for revision, end in (("1", "2011-12-09"), ("2", "2011-12-10")):
        (folder / revision).mkdir(parents=True)
        terms = {"provider": "acme", "licence": "1", "purpose": "marketing", "revision": revision}
        dates = {"valid_from": "2011-01-01", "expires_on": end}
        (folder / revision / "manifest.json").write_text(json.dumps({**terms, **dates}))
        (folder / revision / "members.csv").write_text(f"partner_member_id\nm{revision}\n")
    load(name)
    monkeypatch.setenv("CDP_TODAY", "2011-12-09")
    keep_retention(registry.tables())

    files = (home / "lake" / f"raw_{name}" / "members").glob("*.parquet")
    members = [v for path in files for v in pq.read_table(path)["partner_member_id"].to_pylist()]
    drops = [path.parent.name for path in folder.rglob("members.csv")]
    assert (members, drops, load(name).accepted) == ([f"{prefix}m2"], ["2"], 0)
