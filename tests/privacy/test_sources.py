"""What an erasure takes out of the sources that know a person by a handle or by a hash."""

import hashlib
import json
from pathlib import Path

import pytest

from ingestion import registry, suppression
from ingestion.pipeline import load
from privacy import erasure, inbox
from privacy.person import Person
from simulation.server import serving
from tests.ingestion.samples import CHANGED, seen, seen_values

ANN = Person(
    customer_id="c1",
    record_keys=("social:profile:chirp/ann",),
    identifiers=(("email", "ann@example.com"), ("social_handle", "chirp/ann")),
)
HASH = hashlib.sha256(b"ann@example.com").hexdigest()


@pytest.fixture()
def social(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people named Ann on two networks, each with a good and a bad interaction, loaded."""
    folder = tmp_path / "rest" / "social"
    folder.mkdir(parents=True)
    lines = [
        {"interaction_id": f"{network}{time}", "network": network, "handle": "Ann", "text": "hi",
         "occurred_at": time, "updated_at": CHANGED}
        for network in ("chirp", "pics")
        for time in (CHANGED, "soon")
    ]  # fmt: skip
    (folder / "interactions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "profiles.jsonl").touch()
    with serving(tmp_path / "rest", "key") as url:
        monkeypatch.setenv("SOURCES__SOCIAL__BASE_URL", f"{url}/social")
        monkeypatch.setenv("SOURCES__SOCIAL__API_KEY", "key")
        load("social")


@pytest.mark.usefixtures("social")
def test_a_handle_is_erased_on_its_network_alone_from_lake_and_quarantine() -> None:
    tables = registry.tables()
    for table in tables:
        erasure._forget_in_lake(ANN, table, tables)

    refused = seen_values("raw_social.quarantine", "payload")
    assert seen("select network, handle from raw_social.interactions") == [
        {"network": "pics", "handle": "Ann"}
    ]
    assert [json.loads(payload)["network"] for payload in refused] == ["pics"]


def test_a_hashed_email_of_an_erased_person_does_not_come_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = home / "inbox" / "dmp" / "segments_2011-12-01.csv"
    drop.parent.mkdir(parents=True)
    lines = [f"d{n},{hashed},x,1,2011-12-01" for n, hashed in enumerate([HASH.upper(), "other"])]
    drop.write_text("\n".join(["dmp_id,email_sha256,segment,score,collected_on", *lines]))
    monkeypatch.setenv("SOURCES__DMP__BUCKET_URL", drop.parent.as_uri())
    suppression.add([suppression.tombstone(kind, value) for kind, value in ANN.pointers])

    load("dmp")

    assert seen_values("raw_dmp.segments", "email_sha256") == ["other"]
    assert (inbox.forget(ANN), HASH in drop.read_text().lower()) == (1, False)
    assert load("dmp").books == ()  # the file that was rewritten is not loaded again
