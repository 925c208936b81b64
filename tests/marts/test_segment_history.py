"""Segments told day after day are those told at once: what is over does not change.

Two builds of a dozen models take some twenty seconds: it is the one test of the whole chain.
"""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import warehouse
from ml.cluster_history import SCHEMA as CLUSTER_CHANGES
from tests.marts.conftest import Models

pytestmark = pytest.mark.slow
CUSTOMERS, PRODUCTS, DAYS = 60, 30, 500
FIRST = np.datetime64("2010-03-01T10:00:00")
SEGMENTS = (
    *("segment_dimensions", "segment_levels", "rfm_segments", "buyer_days"),
    *(f"int_customer_360__{name}" for name in ("bought_products", "activity", "readings")),
    *(f"int_customer_360__{name}" for name in ("interest_readings", "rfm_reviews")),
    *(f"int_customer_360__{name}" for name in ("crossings", "levels", "rfm_changes", "rfm")),
    *("int_customer_360__cluster_stays", "int_customer_360__stays", "segment_changes"),
)
NOTHING_TOLD = pa.schema(
    [(name, pa.string()) for name in ("customer_id", "segment_kind", "dimension", "segment")]
    + [(f"{change}_because", pa.string()) for change in ("entered", "left")]
    + [(f"{change}_on", pa.date32()) for change in ("entered", "left")]
).empty_table()


def company(rng: np.random.Generator) -> dict[str, pa.Table]:
    """Visits, orders and refunds of people of whom some do much and some hardly anything."""
    zeal = rng.lognormal(0, 1, CUSTOMERS)
    customer = rng.choice(CUSTOMERS, 2_000, p=zeal / zeal.sum())
    at = FIRST + rng.integers(0, DAYS * 86_400, len(customer)).astype("timedelta64[s]")
    customer_id = pa.array(customer).cast(pa.string())
    product_id = pa.array(rng.integers(0, PRODUCTS, len(customer))).cast(pa.string())
    moment = pa.array(at.astype("datetime64[us]"))
    amount = pa.array([Decimal(int(p)) / 100 for p in rng.integers(500, 60_000, len(customer))])
    amount = amount.cast(pa.decimal128(18, 3))
    no, yes = (pa.array([flag] * len(customer)) for flag in (False, True))
    who = {"customer_id": customer_id, "product_id": product_id}
    number = pa.array(np.arange(len(customer))).cast(pa.string())
    views = pa.array(rng.integers(0, 6, len(customer)))
    kind = pa.array(["Product Viewed"] * len(customer))
    social, sale = pa.array(["social"] * len(customer)), pa.array(["sale"] * len(customer))
    bought = {"order_id": number, "line_class": sale, "is_counted": yes, "unit_price": amount}
    sent = {"opened_at": moment, "clicked_at": pa.nulls(len(customer), pa.timestamp("us"))}
    flags = {"is_bot": no, "is_internal": no}
    order = {"order_amount": amount, "items": views, "channel": social}
    refund = {"refunded_at": moment, "refund_amount": amount, "is_counted": yes}
    return {
        "fct_sessions": pa.table({**who, "started_at": moment, "product_views": views}),
        "fct_events": pa.table({**who, "occurred_at": moment, "event_name": kind, **flags}),
        "fct_orders": pa.table({**who, **order, "ordered_at": moment}).slice(700),
        "fct_order_lines": pa.table({**who, **bought, "ordered_at": moment}).slice(700),
        "fct_refunds": pa.table({**who, **refund}).slice(1_900),
        "fct_email_engagement": pa.table({**who, **sent}).slice(1_500),
        "fct_touchpoints": pa.table({**who, "occurred_at": moment, "kind": social}).slice(1_800),
    }


def catalogue() -> pa.Table:
    """Products of four categories, one of them sensitive."""
    number = np.arange(PRODUCTS)
    return pa.table(
        {
            "product_id": pa.array(number).cast(pa.string()),
            "category": pa.array(["kitchen", "toys", "garden", "health"]).take(
                pa.array(number % 4)
            ),
            "is_sensitive": number % 4 == 3,
            "usual_price": pa.array([Decimal(int(n) + 1) * 15 for n in number]),
        }
    )


def known_on(day: date, table: pa.Table) -> pa.Table:
    """The rows of that day and before."""
    moment = next(name for name in table.column_names if name.endswith("_at"))
    end = pa.scalar(day + timedelta(days=1)).cast(pa.timestamp("us"))
    return table.filter(pc.less(table[moment], end))


def changes(models: Models, company: dict[str, pa.Table], day: date) -> set[tuple[object, ...]]:
    """The changes that a refresh on that day tells."""
    tables = {name: known_on(day, table) for name, table in company.items()}
    warehouse.replace("customer_360.int_customer_360__told_stays", NOTHING_TOLD)
    warehouse.replace("ml.cluster_changes", CLUSTER_CHANGES.empty_table())  # tests/ml has theirs
    models(*SEGMENTS, **tables, dim_products=catalogue(), as_of=pa.table({"as_of": [day]}))
    rows = warehouse.read("customer_360.segment_changes").to_pylist()
    return {tuple(row.values()) for row in rows}


def test_a_refresh_of_a_past_day_told_what_one_of_today_tells_of_it(models: Models) -> None:
    world = company(np.random.default_rng(5))
    last = date(2011, 7, 13)
    told_at_once = changes(models, world, last)
    names = warehouse.read("customer_360.segment_changes").column_names
    changed_on, dimension = names.index("changed_on"), names.index("dimension")

    day = date(2011, 3, 4)
    so_far = {row for row in told_at_once if row[changed_on] <= day}

    assert len({row[dimension] for row in so_far}) == 11  # every dimension, and RFM
    assert changes(models, world, day) == so_far
