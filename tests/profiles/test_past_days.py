"""`cdp profile` of a past day, on a company that a refresh has run on."""

from datetime import datetime
from pathlib import Path

import warehouse
from orchestration import profile_views
from tests.conftest import Run

ONE = "select max(customer_id) from profiles.profile_conflicts where field = 'email'"


def test_the_last_day_shows_the_profile_of_now_and_a_day_before_all_loads_shows_nothing(
    company: Path,
) -> None:
    customer_id = warehouse.read(ONE).column(0)[0].as_py()
    now = warehouse.read(
        "select field, value from profiles.profile_values"
        " where customer_id = ? and preference = 1 order by field",
        [customer_id],
    )
    shown = profile_views.on(customer_id, datetime(2011, 12, 9), None)
    nothing = profile_views.on(customer_id, datetime(2011, 12, 9), datetime(2011, 12, 9))
    assert ([(row["field"], row["value"]) for row in shown], nothing) == (
        [(row["field"], row["value"]) for row in now.to_pylist()],
        [],
    )


def test_a_day_that_is_none_is_told(cdp: Run) -> None:
    done = cdp("profile", "ann@example.com", "--as-of", "yesterday")
    assert (done.returncode, "%Y-%m-%d" in done.stderr) == (2, True)
