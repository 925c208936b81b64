"""The names and shapes of the truth, written under `truth/` and read by the scorecard alone."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TIME = pa.timestamp("us")
DISTINCT = ("message_id", "record_key", "occurred_at")  # hardly repeat: not worth a dictionary

SCHEMAS = {
    # One row per person, as it is true on the last day.
    "people": pa.schema(
        [
            ("person_id", pa.string()),
            ("first_name", pa.string()),
            ("last_name", pa.string()),
            ("gender", pa.string()),
            ("birth_date", pa.date32()),
            ("email", pa.string()),
            ("phone", pa.string()),
            ("street", pa.string()),
            ("city", pa.string()),
            ("postcode", pa.string()),
            ("country", pa.string()),
            ("household_id", pa.string()),
            ("is_business", pa.bool_()),
        ]
    ),
    # One row per record of any source: whose it is, and what is wrong or misleading in it.
    "records": pa.schema(
        [
            ("record_key", pa.string()),
            ("source", pa.string()),
            ("record_type", pa.string()),
            ("person_id", pa.string()),
            ("dirt", pa.list_(pa.string())),
        ]
    ),
    # One row per person: what drives what they do.
    "personas": pa.schema(
        [
            ("person_id", pa.string()),
            ("interests", pa.list_(pa.string())),
            ("price_sensitivity", pa.float64()),
            ("churn_hazard", pa.float64()),
            ("channel_affinity", pa.string()),
        ]
    ),
    # One row per web event that happened.
    "events": pa.schema(
        [
            ("source", pa.string()),
            ("message_id", pa.string()),
            ("person_id", pa.string()),
            ("anonymous_id", pa.string()),
            ("occurred_at", TIME),
            ("is_bot", pa.bool_()),
            ("is_internal", pa.bool_()),
            ("deliveries", pa.int32()),
        ]
    ),
    # One row per order of the shop or receipt of a till.
    "orders": pa.schema(
        [
            ("order_id", pa.string()),
            ("source", pa.string()),
            ("person_id", pa.string()),
            ("ordered_at", TIME),
            ("gross_amount", pa.float64()),
            ("refunded_amount", pa.float64()),
            ("currency", pa.string()),
            ("is_guest", pa.bool_()),
            ("is_known", pa.bool_()),  # an account, contact or card told whose it is
        ]
    ),
    # One row per decision about a consent.
    "consents": pa.schema(
        [
            ("person_id", pa.string()),
            ("purpose", pa.string()),
            ("channel", pa.string()),
            ("is_granted", pa.bool_()),
            ("decided_at", TIME),
        ]
    ),
    # One row per planted purchase sequence.
    "sequences": pa.schema(
        [
            ("first_product", pa.string()),
            ("then_product", pa.string()),
            ("within_days", pa.int32()),
            ("base_rate", pa.float64()),
            ("lift", pa.float64()),
            ("seen_base_rate", pa.float64()),  # among purchases that tell whose they are
            ("seen_lift", pa.float64()),
            ("seen_windows", pa.float64()),  # such purchases of X, by the part of their days seen
        ]
    ),
    # One row per marketing channel: how much likelier one touch makes a purchase.
    "channel_effects": pa.schema([("channel", pa.string()), ("effect", pa.float64())]),
    # One row per person in a randomised campaign.
    "treatments": pa.schema(
        [
            ("campaign_id", pa.string()),
            ("person_id", pa.string()),
            ("is_treated", pa.bool_()),
            ("converted", pa.bool_()),
        ]
    ),
    # One row per randomised campaign.
    "campaign_effects": pa.schema([("campaign_id", pa.string()), ("effect", pa.float64())]),
    # One row per person who bought before the cut-off: what they really did after it.
    "future": pa.schema(
        [
            ("person_id", pa.string()),
            ("cut_off", TIME),
            ("orders", pa.int32()),
            ("revenue", pa.float64()),
            ("is_churned", pa.bool_()),
        ]
    ),
}


def write_truth(home: Path, name: str, table: pa.Table) -> None:
    """One table of the truth, of exactly its columns."""
    folder = home / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    schema = SCHEMAS[name]
    pq.write_table(table.select(schema.names).cast(schema), folder / f"{name}.parquet")


def write_truth_parts(home: Path, name: str, parts: Iterable[pa.Table]) -> None:
    """One table of the truth, told some rows at a time."""
    schema, path = SCHEMAS[name], home / "truth" / f"{name}.parquet"
    repeating = [name for name in schema.names if name not in DISTINCT]
    with pq.ParquetWriter(path, schema, use_dictionary=repeating) as writer:
        for part in parts:
            writer.write_table(part.select(schema.names).cast(schema))
