"""Deliveries nobody agreed to, and traces of the erased."""

from pathlib import Path

import pytest

import warehouse
from ingestion import suppression
from scorecard import privacy
from tests.scorecard.worlds import Rows, day, make
from warehouse import Catalog, Model

META = {"audience": {"purpose": "marketing", "channel": "email"}}
CATALOG = Catalog(
    {"aud_vip": Model("aud_vip", "audiences", "audiences", "", True, (), (), META)},
)
RECORDS = [("crm:contact:1", "ann", []), ("web:visitor:device-one", "ann", [])]
YES, NO = (("ann", "marketing", "email", answer, day(1)) for answer in (True, False))


def _delivered(*operations: str, consents: Rows = (), map_: Rows = ()) -> list[float | None]:
    """Uncovered operations, and those of a customer who is exactly one person."""
    sent = [
        ("vip", "webhook", "c1", operation, "delivered", number)
        for number, operation in enumerate(operations)
    ]
    with warehouse.transaction() as session:
        make(
            session,
            truth_records=RECORDS,
            truth_consents=consents,
            identity__identity_map=map_ or [(key, "c1") for key, *_ in RECORDS],
            activation__deliveries=sent,
        )
        session.register("owners", session.read("select 'c1' as customer_id, 'ann' as person_id"))
        scored = (
            "select map.record_key, map.customer_id, truth.person_id"
            " from identity.identity_map as map join truth_records as truth using (record_key)"
        )
        session.register("scored_records", session.read(scored))
        return [row.value for row in privacy.rows(session, CATALOG)]


def test_a_yes_covers_what_was_sent() -> None:
    assert _delivered("add", consents=[YES]) == [0, 0]


@pytest.mark.parametrize("consents", [[], [NO], [YES, NO]])
def test_silence_and_a_no_cover_nothing(consents: Rows) -> None:
    assert _delivered("add", "update", consents=consents) == [1, 1]


def test_a_person_of_two_customers_excuses_a_delivery_but_it_is_counted() -> None:
    apart = [("crm:contact:1", "c1"), ("web:visitor:device-one", "c2")]
    assert _delivered("add", map_=apart) == [1, 0]


def test_who_was_removed_again_is_not_held() -> None:
    assert _delivered("add", "remove") == [0, 0]


def _erased(home: Path, left: str) -> dict[str, float | None]:
    suppression.add([suppression.tombstone("anonymous_id", "device-one")])
    suppression.add([suppression.tombstone("email", "ann@x.org")])
    (home / "left.txt").write_text(left)
    people = [("ann", "Ann", "Bell", "Ann@x.org"), ("bob", "Bob", "Bell", "bob@x.org")]
    records = [*RECORDS, ("pos:card:LC-unknown", "ann", []), ("crm:contact:2", "bob", [])]
    with warehouse.transaction() as session:
        map_ = [("pos:card:LC-unknown", "c2"), ("crm:contact:2", "c3")]
        make(session, truth_people=people, truth_records=records, identity__identity_map=map_)
        session.register("erased_records", privacy.erased_records(session))
        erased = privacy.erasure_facts(session)
    (home / "warehouse.duckdb").unlink()  # it holds the hand-made truth's own copies
    return {row.metric: row.value for row in privacy.erasure_rows(erased)}


def test_what_an_erasure_knew_is_looked_for_and_what_it_did_not_know_is_counted(
    home: Path,
) -> None:
    assert _erased(home, "nobody; bob@x.org; LC-unknown") == {privacy.TRACES: 0, privacy.LEFT: 1}


@pytest.mark.parametrize("left", ["DEVICE-ONE", "to: ann@x.org"])
def test_a_value_that_is_left_is_a_trace(home: Path, left: str) -> None:
    assert _erased(home, left)[privacy.TRACES] == 1


def test_where_nobody_was_erased_the_row_says_so() -> None:
    rows = privacy.erasure_rows(privacy.Erased(0, 0, ()))
    assert (rows[0].value, "cdp score --erase" in rows[0].note) == (None, True)
