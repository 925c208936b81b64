"""What profiles believe, against what is true."""

import warehouse
from scorecard import profiles
from scorecard.rows import Row
from tests.scorecard.worlds import Rows, make

ANN = ("ann", "Ánn", "O'Bell", "Ann@x.org", "+44 20 7946 0123", "1 High St", "Ely", "CB7 4AA")
RECORDS = (("crm:contact:1", "ann", []), ("shop:account:1", "ann", []), ("pos:card:1", "ann", []))
MAP = (
    ("crm:contact:1", "c1"),
    ("shop:account:1", "c1"),
    ("pos:card:1", "c2"),
    ("web:visitor:x", "c3"),
)


def _rows(*believed: tuple[str | None, ...], records: Rows = RECORDS) -> dict[str, Row]:
    with warehouse.transaction() as session:
        make(
            session,
            truth_people=[ANN],
            truth_records=records,
            identity__identity_map=MAP,
            profiles__customer_profiles=believed,
        )
        return {row.metric: row for row in profiles.rows(session)}


def test_spelling_does_not_make_a_value_wrong() -> None:
    believed = ("c1", "ann", "obell", "ann@x.org", "+442079460123", "1, high st.", "ELY", "cb74aa")
    assert {row.value for row in _rows(believed).values()} == {1}


def test_wrong_and_missing_are_told_apart() -> None:
    rows = _rows(("c1", "Ann", "Carr", None, "+442079460124", "1 High St", None, "CB7 4AA"))
    assert {metric: (row.value, row.note) for metric, row in rows.items()} == {
        "e-mail right": (0, "0 wrong and 1 missing of 1"),
        "phone right": (0, "1 wrong and 0 missing of 1"),
        "name right": (0, "1 wrong and 0 missing of 1"),
        "address right": (0, "1 wrong and 0 missing of 1"),
    }


def test_the_customer_with_most_records_speaks_for_the_person() -> None:
    right = ("c1", "Ann", "O'Bell", "ann@x.org", None, None, None, None)
    wrong = ("c2", "Ann", "O'Bell", "old@x.org", None, None, None, None)
    assert _rows(right, wrong)["e-mail right"].value == 1


def test_somebody_known_by_a_browser_alone_has_no_profile_to_be_right() -> None:
    rows = _rows(records=[("web:visitor:x", "ann", [])])
    assert {row.value for row in rows.values()} == {None}
