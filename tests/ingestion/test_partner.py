import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.pipeline import SourceUnavailableError, load
from ingestion.registry import sources
from tests.ingestion.samples import Drops, seen, seen_values

MEMBERS, REFUSED = "raw_partner.members", "raw_partner.quarantine"
MANIFEST = {
    "provider": "acme",
    "licence": "2011/7",
    "purpose": "marketing",
    "revision": "1",
    "valid_from": "2011-01-01",
    "expires_on": "2012-01-01",
}
MEMBER: dict[str, Any] = {"partner_member_id": "m1", "interests": "tea, cake", "home_owner": True}


def revision(
    partner: Drops, name: str = "1", rows: list[dict[str, Any]] | None = None, **terms: object
) -> None:
    (partner.folder / name).mkdir(exist_ok=True)
    manifest = {k: v for k, v in {**MANIFEST, "revision": name, **terms}.items() if v is not None}
    partner.drop(f"{name}/manifest.json", json.dumps(manifest))
    pq.write_table(
        pa.Table.from_pylist([MEMBER] if rows is None else rows),
        partner.folder / name / "members.parquet",
    )


def test_loading_twice_adds_nothing(partner: Drops) -> None:
    revision(partner)

    counts = [load("partner").accepted for _ in range(2)]

    assert (counts, seen_values(MEMBERS, "partner_member_id")) == ([1, 0], ["m1"])


def test_the_terms_stand_on_every_row_whatever_the_file_says(partner: Drops) -> None:
    revision(partner, rows=[{**MEMBER, "Licence": "free for all", "expires_on": "2099-01-01"}])
    load("partner")
    (row,) = seen(MEMBERS)

    assert {name: row[name] for name in [*MANIFEST, "origin"]} == {
        **MANIFEST,
        "valid_from": date(2011, 1, 1),
        "expires_on": date(2012, 1, 1),
        "origin": "1/members.parquet",
    }


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"licence": None}, "manifest.json: licence is missing"),
        ({"purpose": " "}, "manifest.json: purpose is missing"),
        ({"provider": 7}, "manifest.json: provider is not text"),
        ({"expires_on": "soon"}, "manifest.json: expires_on is not a date"),
        ({"expires_on": "20120101"}, "manifest.json: expires_on is not a date"),
        ({"expires_on": "2011-01-01"}, "manifest.json: expires_on is not after valid_from"),
    ],
)
def test_a_revision_without_clear_terms_is_refused_and_keeps_no_other_out(
    partner: Drops, terms: dict[str, object], reason: str
) -> None:
    revision(partner, "bad", **terms)
    revision(partner, "good")

    report = load("partner")

    assert (report.accepted, seen(f"select reason, origin from {REFUSED}")) == (
        1,
        [{"reason": reason, "origin": "bad/manifest.json"}],
    )


@pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff{"])
def test_a_manifest_that_is_none_refuses_its_revision(
    partner: Drops, content: bytes | None
) -> None:
    revision(partner)
    manifest = partner.folder / "1/manifest.json"
    manifest.unlink() if content is None else manifest.write_bytes(content)

    report = load("partner")

    assert (report.accepted, report.quarantined) == (0, 1)


def test_a_manifest_that_is_repaired_lets_its_revision_in(partner: Drops) -> None:
    revision(partner, licence=None)
    load("partner")
    revision(partner)

    assert load("partner").accepted == 1


def test_members_may_come_as_csv(partner: Drops) -> None:
    revision(partner)
    (partner.folder / "1/members.parquet").unlink()
    partner.drop("1/members.csv", "partner_member_id,home_owner\nm1,true\nm2,maybe\nm3\n")

    report = load("partner")

    assert (report.accepted, report.quarantined) == (1, 2)


def test_a_file_that_is_no_parquet_keeps_no_other_out(partner: Drops) -> None:
    revision(partner, "torn")
    partner.drop("torn/members.parquet", b"PAR1 not really")
    revision(partner, "whole")

    report = load("partner")

    assert (report.accepted, seen_values(REFUSED, "origin")) == (1, ["torn/members.parquet"])


@pytest.fixture()
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drops:
    """A second data set of the same provider, with columns of its own, that is switched on."""
    (tmp_path / "panel").mkdir()
    settings = {
        "TYPE": "partner",
        "BUCKET_URL": str(tmp_path / "panel"),
        "MEMBERS": "panel*.csv",
        "MEMBERS__PARTNER_MEMBER_ID": "no",
        "MEMBERS__INTERESTS": "likes",
    }
    for setting, value in settings.items():
        monkeypatch.setenv(f"SOURCES__PANEL__{setting}", value)
    return Drops(tmp_path / "panel")


def panel_revision(panel: Drops, content: str) -> None:
    (panel.folder / "7").mkdir(exist_ok=True)
    panel.drop("7/manifest.json", json.dumps({**MANIFEST, "revision": "7"}))
    panel.drop("7/panel_july.csv", content)


def test_two_data_sets_of_one_partner_stand_side_by_side(partner: Drops, panel: Drops) -> None:
    revision(partner)
    panel_revision(panel, "no,likes,secret\nm1,rum,x\nm2,,x\n")
    counts = [load(name).accepted for name in ("partner", "panel", "panel")]

    columns = "data_set, partner_member_id, interests, provider"
    assert counts == [1, 2, 0]
    assert [
        tuple(row.values()) for row in seen(f"select {columns} from {MEMBERS} order by all")
    ] == [
        ("panel", "panel:m1", "rum", "acme"),
        ("panel", "panel:m2", None, "acme"),
        ("partner", "m1", "tea, cake", "acme"),
    ]
    assert sources()["panel"].party == "second"


def test_a_file_without_the_mapped_columns_is_refused(panel: Drops) -> None:
    panel_revision(panel, "number,likes\nm1,rum\n")

    assert (load("panel").accepted, seen_values("raw_panel.quarantine", "reason")) == (
        0,
        ["panel*.csv has no column no, which SOURCES__PANEL__MEMBERS__PARTNER_MEMBER_ID names"],
    )


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("MEMBERS__EXPIRES_ON", "MEMBERS__EXPIRES_ON: that is said by manifest.json alone"),
        ("MEMBER", "it has no setting MEMBER; there are TYPE, BUCKET_URL, MEMBERS"),
    ],
)
def test_a_setting_that_cannot_be_followed_is_told(
    panel: Drops, monkeypatch: pytest.MonkeyPatch, setting: str, told: str
) -> None:
    monkeypatch.setenv(f"SOURCES__PANEL__{setting}", "'2099-01-01'")

    with pytest.raises(SourceUnavailableError, match=told):
        load("panel")
