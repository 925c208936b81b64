"""Touches whose true effects are known: what the eight models make of them, in the real SQL."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import warehouse
from ml.attribution import channel_credits
from tests.marts.conftest import Models

pytestmark = pytest.mark.slow
MONDAY = np.datetime64("2011-01-03T10:00:00")
EFFECTS = {"strong": 0.30, "weak": 0.08, "nothing": 0.0}  # added chance of an order by one touch
PEOPLE, MONTHS, BY_THEMSELVES = 4_000, 6, 0.03  # who order in a month without any touch's help


def company(rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Touches of people over half a year, and the orders: by chance, or made by a touch."""
    size = PEOPLE * MONTHS
    person, month = np.divmod(np.arange(size), MONTHS)
    owner = np.repeat(np.arange(size), rng.poisson(2, size))
    channel = rng.integers(0, len(EFFECTS), len(owner))
    touched = MONDAY + (month[owner] * 30 * 86_400 + rng.integers(0, 20 * 86_400, len(owner)))
    worked = rng.random(len(owner)) < np.array(list(EFFECTS.values()))[channel]
    ordered = np.union1d(owner[worked], np.flatnonzero(rng.random(size) < BY_THEMSELVES))
    at = MONDAY + (month[ordered] * 30 * 86_400 + rng.integers(20, 30, len(ordered)) * 86_400)
    touches = {
        "touchpoint_id": pa.array(np.arange(len(owner))).cast(pa.string()),
        "customer_id": pa.array(person[owner]).cast(pa.string()),
        "occurred_at": pa.array(touched.astype("datetime64[us]")),
        "kind": ["visit"] * len(owner),
        "marketing_channel": pa.array(list(EFFECTS)).take(pa.array(channel)),
        "campaign_key": pa.nulls(len(owner), pa.string()),
        "reference": pa.nulls(len(owner), pa.string()),
    }
    orders = {
        "order_id": pa.array(ordered).cast(pa.string()),
        "customer_id": pa.array(person[ordered]).cast(pa.string()),
        "ordered_at": pa.array(at.astype("datetime64[us]")),
        "order_amount": pa.array(
            [Decimal(pence) / 100 for pence in rng.integers(1, 10**6, len(ordered)).tolist()],
            pa.decimal128(18, 3),
        ),
    }
    return pa.table(touches), pa.table(orders)


@pytest.fixture()
def credited(models: Models) -> list[dict[str, Any]]:
    """One row per model and channel: what it is credited with."""
    touches, orders = company(np.random.default_rng(3))
    as_of = pa.table({"as_of": [date(2011, 12, 9)]})
    tables = {"fct_touchpoints": touches, "fct_orders": orders, "as_of": as_of}
    models(
        "int_marketing__paths", "channel_transitions", "int_marketing__last_non_direct", **tables
    )
    credits = channel_credits(warehouse.read("marts.channel_transitions"))
    warehouse.replace("ml.channel_credits", credits)
    models("int_marketing__touch_weights", "attribution")
    return warehouse.read("""
        select attribution_model, marketing_channel, sum(credited_revenue) as revenue
        from marts.attribution group by all
    """).to_pylist()


def test_every_model_pays_out_every_order_exactly(credited: list[dict[str, Any]]) -> None:
    wrong = warehouse.read("""
        with paid as (
            select attribution_model, order_id, sum(credited_revenue) as revenue
            from marts.attribution group by all
        ),
        models as (select distinct attribution_model from paid)
        select * from marts.fct_orders
        cross join models
        left join paid using (attribution_model, order_id)
        where paid.revenue is distinct from fct_orders.order_amount
    """)

    assert (wrong.num_rows, len({row["attribution_model"] for row in credited})) == (0, 8)


def test_every_model_ranks_the_channels_by_what_they_truly_do(
    credited: list[dict[str, Any]],
) -> None:
    ranked = {
        model: [
            row["marketing_channel"]
            for row in sorted(credited, key=lambda row: row["revenue"], reverse=True)
            if row["attribution_model"] == model and row["marketing_channel"] in EFFECTS
        ]
        for model in {row["attribution_model"] for row in credited}
    }

    assert [model for model, channels in ranked.items() if channels != list(EFFECTS)] == []
