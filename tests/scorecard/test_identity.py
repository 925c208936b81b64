"""Who was glued together, who was missed, and why; whether ids stay."""

from collections.abc import Iterable

import pytest

import warehouse
from scorecard import identity
from tests.scorecard.worlds import Rows, make

PEOPLE = (
    ("ann", "Ann", "Bell", "ann@x.org", None, None, None, None, "home-1", False),
    ("bob", "Bob", "Bell", "bob@x.org", None, None, None, None, "home-1", False),
    ("cat", "Cat", "Carr", "cat@x.org", None, None, None, None, "home-2", False),
    ("cat2", "CAT", "Carr", "cat2@x.org", None, None, None, None, "home-3", False),
    ("dan", "Dan", "Dorn", "info@dorn.com", None, None, None, None, "home-4", True),
    ("eve", "Eve", "Dorn", "info@dorn.com", None, None, None, None, "home-5", True),
)


def _rows(*records: tuple[str, str | None, str, list[str]], identifiers: Rows = ()) -> dict:
    """The figures of these records: key, person, customer, dirt."""
    with warehouse.transaction() as session:
        make(
            session,
            truth_people=PEOPLE,
            truth_records=[(key, person, dirt) for key, person, _, dirt in records],
            identity__identity_map=[(key, customer) for key, _, customer, _ in records],
            identity__customer_identifiers=identifiers,
        )
        return {(row.area, row.metric): row for row in identity.rows(session)}


def _causes(rows: dict, what: str) -> dict[str, float]:
    found = {m.removeprefix(what): r.value for (a, m), r in rows.items() if a == "identity"}
    return {cause: cases for cause, cases in found.items() if rows and cases and cause[0] == ":"}


def _glued(first: str, second: str, dirt: Iterable[str] = ()) -> dict[str, float]:
    rows = _rows(
        ("crm:contact:1", first, "c1", list(dirt)),
        ("crm:contact:2", first, "c1", []),
        ("crm:contact:3", second, "c1", list(dirt)),
    )
    return _causes(rows, "over-merged")


@pytest.mark.parametrize(
    ("first", "second", "dirt", "cause"),
    [
        ("ann", "bob", ["shared_email"], "household"),
        ("ann", "cat", ["kiosk"], "shared device"),
        ("ann", "tablet:device-one", [], "shared device"),
        ("ann", "cat", ["recycled_phone"], "recycled phone"),
        ("cat", "cat2", [], "namesake"),
        ("ann", "cat", ["shared_email"], "shared mailbox"),
        ("dan", "eve", [], "shared mailbox"),
        ("ann", "cat", ["typo"], "other"),
    ],
)
def test_two_persons_in_one_customer_have_a_cause(
    first: str, second: str, dirt: list[str], cause: str
) -> None:
    assert _glued(first, second, dirt) == {f": {cause}": 1}


@pytest.mark.parametrize(
    ("dirt", "identifiers", "cause"),
    [
        (["nickname"], (), "typo"),
        (["old_address"], (), "move"),
        (["old_email"], (), "changed contact"),
        ([], (), "no shared identifier"),
        ([], (("c1", "email", "a@x.org"), ("c2", "email", "a@x.org")), "other"),
        ([], (("c1", "email", "a@x.org"), ("c2", "email", "b@x.org")), "no shared identifier"),
    ],
)
def test_a_part_apart_from_the_rest_of_a_person_has_a_cause(
    dirt: list[str], identifiers: Rows, cause: str
) -> None:
    rows = _rows(
        ("crm:contact:1", "ann", "c1", ["typo"]),
        ("crm:contact:2", "ann", "c1", []),
        ("pos:card:3", "ann", "c2", dirt),
        identifiers=identifiers,
    )
    assert _causes(rows, "missed") == {f": {cause}": 1}


def test_browsers_count_only_where_it_says_so() -> None:
    rows = _rows(
        ("crm:contact:1", "ann", "c1", []),
        ("shop:account:1", "ann", "c1", []),
        ("web:visitor:x", "ann", "c2", []),
    )
    recalls = [rows[area, "pairwise recall"].value for area in identity.SETS]
    assert recalls == [1, pytest.approx(1 / 3)]


def test_records_of_nobody_are_not_scored_but_counted() -> None:
    rows = _rows(("crm:contact:1", "ann", "c1", []), ("web:visitor:kiosk", None, "c1", []))
    told = rows["identity", "records not scored"].note
    assert (rows["identity with browsers", "records scored"].value, told) == (
        1,
        "0 not in the truth, 0 not in the map, 1 of nobody",
    )


def test_nobody_at_all_gives_no_figures() -> None:
    rows = _rows()
    assert (rows["identity", "pairwise F1"].value, rows["identity", "customers"].value) == (None, 0)


def _moved(before: Rows, now: Rows) -> float | None:
    with warehouse.transaction() as session:
        make(session, identity__identity_map=before)
        identity.remember(session)
        make(session, identity__identity_map=now)
        return identity.stability(session).value


def test_a_record_with_another_id_is_counted_and_a_new_one_is_not() -> None:
    before = [(f"crm:contact:{number}", f"c{number}") for number in (1, 2, 3, 4)]
    now = [*before[:2], ("crm:contact:3", "c1"), ("crm:contact:5", "c5")]
    assert _moved(before, now) == pytest.approx(1 / 3)


def test_the_first_score_does_not_know_how_stable_ids_are() -> None:
    with warehouse.transaction() as session:
        make(session)
        assert identity.stability(session).value is None
