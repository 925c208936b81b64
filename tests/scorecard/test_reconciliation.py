"""Events and orders that were lost, doubled or invented."""

from datetime import date

import pytest

import warehouse
from scorecard import reconciliation
from scorecard.truth import ORDERS
from tests.scorecard.worlds import Rows, day, make

EVENTS = [("web", "e1", "ann", "d1"), ("app", "e2", "bob", "d2"), ("email", "e3", "bob", None)]
TRUE_ORDERS = [("1", "shop", "ann", day(1), 10.0), ("1", "pos", None, day(1), 20.0)]


def _broken(**tables: Rows) -> dict[str, float | None]:
    world: dict[str, Rows] = {
        "truth_events": EVENTS,
        "truth_orders": TRUE_ORDERS,
        "marts__fct_events": [("e1",), ("e2",)],
        "marts__fct_orders": [("shop:1", 10.0), ("store:1", 20.0)],
    }
    with warehouse.transaction() as session:
        make(session, **{**world, **tables})
        session.register("true_orders", session.read(ORDERS))
        return {row.metric: row.value for row in reconciliation.rows(session) if row.is_broken}


def test_everything_once_is_nothing_broken() -> None:
    assert _broken() == {}


def test_a_lost_a_doubled_and_an_invented_event_are_each_counted() -> None:
    kept = [("e1",), ("e1",), ("e1",), ("e9",)]
    assert _broken(marts__fct_events=kept) == {
        "events lost": 1,
        "events doubled": 2,
        "events invented": 1,
    }


def test_orders_of_shop_and_store_are_told_apart() -> None:
    assert _broken(marts__fct_orders=[("shop:1", 10.0), ("shop:2", 20.0)]) == {
        "orders lost": 1,
        "orders invented": 1,
    }


def test_an_order_whose_line_came_twice_has_another_amount() -> None:
    orders = [("shop:1", 20.0), ("store:1", 20.0)]
    assert _broken(marts__fct_orders=orders) == {"orders with another amount": 1}


@pytest.mark.parametrize(("booked", "broken"), [(17.01, 0), (20.0, 1), (34.0, 1)])
def test_another_currency_is_converted_before_it_is_compared(booked: float, broken: int) -> None:
    rates = [("EUR", date(2011, 10, 1), 0.85), ("EUR", date(2011, 11, 20), 0.5)]
    found = _broken(
        rules__exchange_rates=rates,
        truth_orders=[("1", "shop", "ann", day(1), 20.0, 0.0, "EUR")],
        marts__fct_orders=[("shop:1", booked)],
    )
    assert found.get("orders with another amount", 0) == broken


def test_what_an_erased_person_did_is_not_lost() -> None:
    gone = [("ann", "web:visitor:d1", "web:visitor", "d1")]
    assert _broken(marts__fct_events=[("e2",)], erased_records=gone) == {}
