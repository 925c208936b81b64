"""Small worlds made by hand: what a refresh would have written, and the truth about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from simulation.truth import SCHEMAS
from warehouse import Session

TEXT = pa.string()
TRUTH = {
    "people": (
        *("person_id", "first_name", "last_name", "email", "phone"),
        *("street", "city", "postcode", "household_id", "is_business"),
    ),
    "records": ("record_key", "person_id", "dirt"),
    "events": (
        *("source", "message_id", "person_id", "anonymous_id"),
        *("occurred_at", "is_bot", "is_internal"),
    ),
    "orders": (
        *("order_id", "source", "person_id"),
        *("ordered_at", "gross_amount", "refunded_amount", "currency", "is_known"),
    ),
    "consents": ("person_id", "purpose", "channel", "is_granted", "decided_at"),
    "sequences": (
        *("first_product", "then_product", "within_days"),
        *("seen_lift", "seen_base_rate", "seen_windows"),
    ),
    "channel_effects": ("channel", "effect"),
    "campaign_effects": ("campaign_id", "effect"),
}
TABLES: Mapping[str, Mapping[str, pa.DataType]] = {
    **{
        f"truth_{name}": {column: SCHEMAS[name].field(column).type for column in columns}
        for name, columns in TRUTH.items()
    },
    "erased_records": dict.fromkeys(("person_id", "record_key", "kind", "source_key"), TEXT),
    "identity.identity_map": {"record_key": TEXT, "customer_id": TEXT},
    "identity.customer_identifiers": dict.fromkeys(
        ("customer_id", "identifier_type", "identifier_value"), TEXT
    ),
    "profiles.customer_profiles": dict.fromkeys(
        ("customer_id", "first_name", "last_name", "email", "phone", "street", "city", "postcode"),
        TEXT,
    ),
    "audiences.audience_members": {"audience": TEXT, "customer_id": TEXT},
    "activation.deliveries": {
        **dict.fromkeys(("audience", "destination", "customer_id", "operation", "state"), TEXT),
        "sequence": pa.int64(),
    },
    "marts.fct_events": dict.fromkeys(("event_id", "event_name", "product_id"), TEXT),
    "marts.fct_orders": {"order_id": TEXT, "gross_amount": pa.float64()},
    "marts.fct_order_lines": dict.fromkeys(("order_id", "product_id", "line_class"), TEXT),
    "marts.as_of": {"as_of": pa.date32()},
    "marts.product_sequences": {
        **dict.fromkeys(("first_product_id", "then_product_id"), TEXT),
        "within_days": pa.int64(),
        **dict.fromkeys(("lift", "lift_low", "lift_high"), pa.float64()),
    },
    "marts.int_marketing__judged_sequences": {"pairs_tested": pa.int64()},
    "marts.attribution": {
        **dict.fromkeys(("attribution_model", "marketing_channel"), TEXT),
        "credited_revenue": pa.decimal128(18, 3),
    },
    "marts.fct_touchpoints": {"marketing_channel": TEXT},
    "marts.dim_campaigns": {"marketing_channel": TEXT},
    "marts.fct_email_engagement": {"opened_at": pa.timestamp("us")},
    "rules.exchange_rates": {"currency": TEXT, "valid_from": pa.date32(), "rate": pa.float64()},
    "rules.segment_levels": {
        **{"dimension": TEXT, "level": pa.int64()},
        **dict.fromkeys(("enter_from", "leave_below"), pa.float64()),
    },
    "rules.rfm_segments": {
        "segment": TEXT,
        **dict.fromkeys(("recency_from", "recency_to", "value_from", "value_to"), pa.int64()),
    },
}
Rows = Sequence[Sequence[Any]]


def make(session: Session, **tables: Rows) -> None:
    """Write or register every table, `a__b` for a.b; those not given are empty."""
    given = {name.replace("__", ".", 1): rows for name, rows in tables.items()}
    for name, columns in TABLES.items():
        rows = [dict(zip(columns, row, strict=False)) for row in given.get(name, ())]
        table = pa.Table.from_pylist(rows, pa.schema(list(columns.items())))
        (session.replace if "." in name else session.register)(name, table)


def day(number: int) -> datetime:
    """A day of November 2011."""
    return datetime(2011, 11, number)
