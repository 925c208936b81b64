"""Reading files back: what names a person, and what only looks like it."""

from pathlib import Path

import pyarrow as pa
import pytest

import warehouse
from privacy.scan import scan

COLE, NICOLE = "cole@x.org", "nicole@x.org"


@pytest.mark.parametrize(
    ("written", "paths"),
    [
        (f"to: {NICOLE}", []),
        (f"to: {NICOLE}, {COLE}", ["mail.txt"]),
        (f"{NICOLE}{COLE}", ["mail.txt"]),
        ("to: unknowncole@x.org", ["mail.txt"]),
    ],
)
def test_a_part_of_somebody_elses_identifier_names_nobody(
    home: Path, written: str, paths: list[str]
) -> None:
    identifiers = pa.table({"identifier_value": [NICOLE, "+442071838750"]})
    warehouse.replace("identity.int_identity__identifiers", identifiers)
    (home / "mail.txt").write_text(written)

    assert [hit.path for hit in scan([COLE])] == paths


def test_of_two_people_who_left_neither_hides_the_other(home: Path) -> None:
    warehouse.replace(
        "identity.int_identity__identifiers", pa.table({"identifier_value": [NICOLE]})
    )
    (home / "mail.txt").write_text(NICOLE)
    assert "mail.txt" in {hit.path for hit in scan([COLE, NICOLE])}
