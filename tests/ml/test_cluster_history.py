from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import warehouse
from ml import clusters
from ml.cluster_history import MARGIN, NONE, SCHEMA, changes, held
from tests.ml.test_clusters import buyers, trained

FIRST, LAST = date(2010, 1, 1), date(2011, 12, 9)
# What customer_features would have said at the end of the day on which somebody's cluster changed.
AS_OF_THEN = """
with dated as (
    select c.customer_id, c.changed_on, o.order_amount as gross, 0 as refunded,
        cast(o.ordered_at as date) as on_day
    from ml.cluster_changes as c
    join marts.fct_orders as o on c.customer_id = o.customer_id and o.order_amount > 0
    where cast(o.ordered_at as date) <= c.changed_on
    union all
    select c.customer_id, c.changed_on, 0, r.refund_amount, null
    from ml.cluster_changes as c
    join marts.fct_refunds as r on c.customer_id = r.customer_id and r.is_counted
    where cast(r.refunded_at as date) <= c.changed_on
)
select customer_id, changed_on, changed_on - max(on_day) as days_since_last_order,
    count(on_day) as orders, sum(gross) - sum(refunded) as net_amount,
    cast(sum(gross) as double) / count(on_day) as average_order_amount,
    changed_on - min(on_day) as days_since_first_order,
    count(case when on_day > changed_on - interval '90' day then 1 end) as orders_90_days
from dated group by customer_id, changed_on
"""


@pytest.fixture(scope="module")
def days() -> pa.Table:
    """What 200 customers bought and gave back on some days of two years, some of them much."""
    rng = np.random.default_rng(3)
    zeal = rng.lognormal(0, 1.2, 200)
    span = (LAST - FIRST).days
    drawn = np.column_stack(
        [rng.choice(200, 1_500, p=zeal / zeal.sum()), rng.integers(0, span, 1_500)]
    )
    who, day = np.unique(drawn, axis=0).T
    orders = rng.integers(0, 3, len(who))
    money = rng.lognormal(4, 1, (2, len(who))).round(3)
    return pa.table(
        {
            "customer_id": [f"cus_{number:03}" for number in who],
            "active_on": [FIRST + timedelta(days=int(number)) for number in day],
            "orders": orders,
            "gross_amount": money[0] * orders,
            "refund_amount": np.where(orders == 0, money[1], 0),
        }
    )


@pytest.fixture(scope="module")
def model() -> clusters.Model:
    return trained(buyers())


def rows(table: pa.Table) -> set[tuple[object, ...]]:
    """The rows in no order."""
    return {tuple(row.values()) for row in table.to_pylist()}


@pytest.mark.parametrize("day", [FIRST, date(2010, 6, 7), date(2011, 3, 4)])
def test_a_past_day_was_told_as_today_tells_of_it(
    model: clusters.Model, days: pa.Table, day: date
) -> None:
    known = days.filter(pc.less_equal(days["active_on"], pa.scalar(day)))
    told = changes(model, days, LAST)
    so_far = told.filter(pc.less_equal(told["changed_on"], pa.scalar(day)))

    assert rows(changes(model, known, day)) == rows(so_far)


def test_buyers_come_into_a_cluster_on_the_day_of_their_first_order(
    model: clusters.Model, days: pa.Table
) -> None:
    bought = days.filter(pc.greater(days["orders"], 0))
    first_orders = bought.group_by("customer_id").aggregate([("active_on", "min")])
    entries = changes(model, days, LAST).group_by("customer_id").aggregate([("changed_on", "min")])

    assert rows(entries) == rows(first_orders)


def test_time_alone_moves_a_buyer_on_a_monday(model: clusters.Model) -> None:
    once = pa.table(
        {
            "customer_id": ["ann"],
            "active_on": [date(2011, 1, 5)],
            "orders": [1],
            "gross_amount": [40.0],
            "refund_amount": [0.0],
        }
    )
    entry, *moves = changes(model, once, LAST)["changed_on"].to_pylist()

    assert (entry, len(moves) > 0, {day.weekday() for day in moves}) == (
        date(2011, 1, 5),
        True,
        {0},
    )


def test_a_model_trained_anew_moves_nobody_on_its_day_and_tells_the_past(
    model: clusters.Model, days: pa.Table
) -> None:
    again = trained(buyers(seed=1), previous=model)
    told = changes(again, days, LAST)

    assert set(told["model_version"].to_pylist()) == {"2"}
    assert min(told["changed_on"].to_pylist()) == min(days["active_on"].to_pylist())
    assert LAST not in told["changed_on"].to_pylist()


@pytest.mark.parametrize(
    ("own", "other", "before", "now"),
    [
        (0.50, 0.50 - MARGIN / 2, 0, 0),  # another is nearer, but not clearly
        (0.50, 0.49 - MARGIN, 0, 1),
        (0.50, 0.49, NONE, 1),  # who was in none goes to the nearest
    ],
)
def test_a_wobble_flips_nobody(own: float, other: float, before: int, now: int) -> None:
    far = np.array([[own, other]])

    assert held(far, np.array([before])).tolist() == [now]


def test_without_a_model_nobody_changes(days: pa.Table) -> None:
    assert changes(None, days, LAST).equals(SCHEMA.empty_table())


def test_without_a_buyer_nobody_changes(model: clusters.Model, days: pa.Table) -> None:
    nobody = days.filter(pc.equal(days["orders"], 0))

    assert changes(model, nobody, LAST).equals(SCHEMA.empty_table())
    assert changes(model, days.slice(0, 0), LAST).equals(SCHEMA.empty_table())


@pytest.mark.slow
def test_a_change_is_judged_by_what_had_happened_until_then(company: Path) -> None:
    key = [("customer_id", "ascending"), ("changed_on", "ascending")]
    then = warehouse.read(AS_OF_THEN).sort_by(key)
    told = warehouse.read("ml.cluster_changes").select(then.column_names).sort_by(key)
    exact = [name for name in then.column_names if name != "average_order_amount"]
    averages = [table["average_order_amount"].cast(pa.float64()) for table in (told, then)]

    assert told.num_rows > 0
    assert told.select(exact).to_pylist() == then.select(exact).to_pylist()
    assert np.allclose(*averages, rtol=0, atol=0.001)  # of two ways to round a half
