"""Audiences against the ones that the truth gives."""

from datetime import date

import warehouse
from scorecard import audiences
from scorecard.rows import Row
from scorecard.truth import ORDERS as ORDERS_OF_MARTS
from tests.scorecard.worlds import Rows, day, make

PEOPLE = [(name, name, "X", f"{name}@x.org") for name in ("ann", "bob", "cat")]
AGREED = [(name, "marketing", "email", True, day(1)) for name in ("ann", "bob", "cat")]
# Ann buys most and last, Bob less and earlier, Cat least and first.
ORDERS = [
    ("1", "shop", "ann", day(20), 300.0, 0.0, "GBP", True),
    ("2", "shop", "ann", day(21), 300.0, 0.0, "GBP", True),
    ("3", "pos", "bob", day(10), 200.0, 0.0, "GBP", True),
    ("4", "shop", "cat", day(5), 100.0, 50.0, "GBP", True),
]
RULES = [("champions", 5, 5, 5, 5), ("at_risk", 1, 4, 1, 4)]
# Of buyers who have ordered as often, nobody has the highest value.
FOURTH = [("champions", 5, 5, 4, 4)]
LEVELS = [
    (score, level, 20.0 * level - 18, 20.0 * level - 22)
    for score in ("recency", "value")
    for level in range(1, 6)
]
RECORDS = [(f"crm:contact:{name}", name, []) for name in ("ann", "bob", "cat")]
MAP = [(f"crm:contact:{name}", f"c-{name}") for name in ("ann", "bob", "cat")]


def _rows(*members: tuple[str, str], **changed: Rows) -> dict[str, Row]:
    world: dict[str, Rows] = {
        "truth_people": PEOPLE,
        "truth_consents": AGREED,
        "truth_orders": ORDERS,
        "truth_records": RECORDS,
        "identity__identity_map": MAP,
        "rules__rfm_segments": RULES,
        "rules__segment_levels": LEVELS,
        "marts__as_of": [(date(2011, 11, 30),)],
    }
    with warehouse.transaction() as session:
        make(session, **{**world, "audiences__audience_members": members, **changed})
        session.register("true_orders", session.read(ORDERS_OF_MARTS))
        return {row.metric: row for row in audiences.rows(session)}


def _scores(rows: dict[str, Row], audience: str) -> tuple[float | None, float | None]:
    return rows[f"{audience} precision"].value, rows[f"{audience} recall"].value


def test_the_segments_are_those_of_true_orders() -> None:
    rows = _rows(("vip", "c-ann"), ("at_risk", "c-bob"), ("at_risk", "c-cat"))
    assert (_scores(rows, "vip"), _scores(rows, "at_risk")) == ((1, 1), (1, 1))


def test_a_member_who_does_not_belong_costs_precision_and_a_missing_one_recall() -> None:
    rows = _rows(("at_risk", "c-bob"), ("at_risk", "c-ann"))
    assert _scores(rows, "at_risk") == (1 / 2, 1 / 2)


def test_who_said_no_last_does_not_belong() -> None:
    later = [*AGREED, ("ann", "marketing", "email", False, day(2))]
    assert _scores(_rows(("vip", "c-ann"), truth_consents=later), "vip") == (0, None)


def test_who_has_no_address_does_not_belong() -> None:
    people = [("ann", "ann", "X", None), *PEOPLE[1:]]
    assert _scores(_rows(("vip", "c-ann"), truth_people=people), "vip") == (0, None)


def test_a_member_of_no_known_person_is_wrong() -> None:
    assert _scores(_rows(("vip", "c-ann"), ("vip", "c-ghost")), "vip") == (1 / 2, 1)


def test_who_looked_twice_and_did_not_buy_is_found_by_true_time_and_person() -> None:
    looks = [("m1", "ann"), ("m2", "ann"), ("m3", "bob"), ("m4", "bob"), ("m5", "cat")]
    rows = _rows(
        ("browsed_not_bought", "c-ann"),
        truth_events=[("web", m, who, "d", day(9), False, False) for m, who in looks],
        marts__fct_events=[(m, "Product Viewed", "P") for m, _ in looks],
        marts__fct_order_lines=[("store:3", "P", "sale")],
    )
    assert _scores(rows, "browsed_not_bought") == (1, 1)


def test_looks_of_bots_and_of_our_own_tests_do_not_count() -> None:
    looks = [(f"{who}{n}", who, who == "ann", who == "bob") for who in ("ann", "bob") for n in "12"]
    rows = _rows(
        ("browsed_not_bought", "c-ann"),
        truth_events=[
            ("web", m, who, "d", day(9), is_bot, is_ours) for m, who, is_bot, is_ours in looks
        ],
        marts__fct_events=[(m, "Product Viewed", "P") for m, *_ in looks],
    )
    assert _scores(rows, "browsed_not_bought") == (0, None)


def test_what_was_given_back_is_not_worth_anything() -> None:
    """Ann and Bob order once on a day; Ann for more, but she gives it back."""
    orders = [
        ("1", "shop", "ann", day(20), 300.0, 290.0, "GBP", True),
        ("2", "shop", "bob", day(20), 200.0, 0.0, "GBP", True),
    ]
    rows = _rows(("vip", "c-bob"), truth_orders=orders, rules__rfm_segments=FOURTH)
    assert _scores(rows, "vip") == (1, 1)


def test_a_receipt_without_a_card_is_nobodys() -> None:
    nameless = ("5", "pos", "bob", day(29), 900.0, 0.0, "GBP", False)
    rows = _rows(("vip", "c-ann"), truth_orders=[*ORDERS, nameless])
    assert _scores(rows, "vip") == (1, 1)


def test_what_was_paid_in_another_currency_is_compared_converted() -> None:
    """Bob pays more coins than Ann, of a currency worth less."""
    orders = [
        ("1", "shop", "ann", day(20), 300.0, 0.0, "GBP", True),
        ("2", "shop", "bob", day(20), 500.0, 0.0, "EUR", True),
    ]
    rates = [("EUR", date(2009, 1, 1), 0.5)]
    rules = {"rules__exchange_rates": rates, "rules__rfm_segments": FOURTH}
    rows = _rows(("vip", "c-ann"), truth_orders=orders, **rules)
    assert _scores(rows, "vip") == (1, 1)


def test_who_slips_by_little_keeps_the_segment() -> None:
    """Of twenty buyers Ann is the best by far in week one; four who order later are a wobble."""
    others = [f"x{number}" for number in range(19)]
    orders = [("a", "shop", "ann", day(2), 900.0, 0.0, "GBP", True)]
    orders += [(who, "shop", who, day(1), 100.0, 0.0, "GBP", True) for who in others]
    orders += [(f"{who}+", "shop", who, day(8), 1.0, 0.0, "GBP", True) for who in others[:4]]
    rows = _rows(("vip", "c-ann"), truth_orders=orders, rules__rfm_segments=FOURTH)
    assert _scores(rows, "vip") == (1, 1)


def test_an_audience_without_a_definition_on_the_truth_says_so() -> None:
    assert "no definition" in _rows(("new_one", "c-ann"))["new_one"].note
