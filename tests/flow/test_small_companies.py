"""Companies of hardly anybody: no pairs, no model, no segment of more than one."""

from pathlib import Path

import pytest

from tests.conftest import Run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("people", ["0", "1", "2"])
def test_a_company_of_hardly_anybody_ends_green_and_is_scored(
    people: str, home: Path, cdp: Run
) -> None:
    made = cdp("demo", "--people", people)
    assert (made.returncode, len(list((home / "scores").glob("*.json")))) == (0, 1), made.stdout
