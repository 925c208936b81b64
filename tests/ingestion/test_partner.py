import json
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.pipeline import load
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
