"""Attribution models against what the channels truly brought."""

from decimal import Decimal

import pytest

import warehouse
from scorecard import attribution
from scorecard.rows import Row
from tests.scorecard.worlds import Rows, day, make

EFFECTS = [("paid_search", 0.2), ("email", 0.1), ("direct", 0.0), ("display", 0.0)]
# 10 visits bring 2 purchases, 20 opened messages 2 as well, the other visits none.
TOUCHES = [("paid_search",)] * 10 + [("email",)] * 3 + [("direct",)] * 30 + [("display",)] * 5
MESSAGES = [(day(1),)] * 20 + [(None,)] * 50
CAMPAIGNS = [("paid_search",), ("email",), ("email",), ("display",)]
TRUE = {"paid_search": 50, "email": 50}


def _rows(effects: Rows = EFFECTS, **models: dict[str, int]) -> dict[str, Row]:
    credited = [
        (model, channel, Decimal(revenue))
        for model, channels in models.items()
        for channel, revenue in channels.items()
    ]
    with warehouse.transaction() as session:
        make(
            session,
            truth_channel_effects=effects,
            marts__attribution=credited,
            marts__dim_campaigns=CAMPAIGNS,
            marts__fct_touchpoints=TOUCHES,
            marts__fct_email_engagement=MESSAGES,
        )
        return {row.metric: row for row in attribution.rows(session)}


def _measures(**channels: int) -> list[float | None]:
    """Distance over all channels, over those of campaigns, and rank correlation over these."""
    values = [row.value for row in _rows(linear=channels).values()]
    return [None if value is None else round(value, 9) for value in values]


def test_credit_in_proportion_to_effect_times_touches_is_perfect() -> None:
    assert _measures(**TRUE) == [0, 0, 1]


def test_credit_for_a_channel_that_brings_nothing_is_all_wrong() -> None:
    assert _measures(display=7) == [1, 1, -1]


def test_half_of_what_is_misplaced_by_both_sides_is_the_distance() -> None:
    assert _measures(paid_search=80, display=20)[0] == 0.5


def test_what_direct_visits_are_credited_with_does_not_disturb_the_shares_of_campaigns() -> None:
    assert _measures(**TRUE, direct=300)[:2] == [0.75, 0]


def test_a_model_that_ranks_backwards_half_way_has_no_correlation() -> None:
    """E-mail and search share the top in truth; search is first by credit, and e-mail last."""
    assert _measures(paid_search=3, display=2, email=1)[2] == 0


def test_channels_unknown_to_the_truth_do_not_count() -> None:
    assert _measures(**TRUE, unattributed=900, store=300)[0] == 0


@pytest.mark.parametrize("channels", [{"unattributed": 5}, {"store": 5}])
def test_without_credit_there_is_nothing_to_compare(channels: dict[str, int]) -> None:
    assert _measures(**channels) == [None, None, None]


def test_channels_without_any_effect_leave_nothing_to_compare() -> None:
    rows = _rows([("direct", 0.0), ("email", 0.0)], linear={"direct": 5})
    assert [row.value for row in rows.values()] == [None, None, None]


def test_equal_credit_for_all_ranks_nothing() -> None:
    assert _measures(paid_search=1, email=1, display=1)[2] is None


def test_the_nearest_model_comes_first_and_says_where_it_errs_most() -> None:
    rows = _rows(last_touch={"direct": 1}, shapley={"paid_search": 70, "email": 20, "direct": 10})
    assert list(rows)[:2] == ["distance: shapley", "distance: last_touch"]
    assert rows["distance: shapley"].note == "paid_search +0.20, email -0.30"
