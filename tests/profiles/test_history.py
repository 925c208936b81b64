"""Asking what was believed on a day gives what was believed on that day."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

import warehouse
from tests.marts.conftest import Models

pytestmark = pytest.mark.slow
START, DAYS, CUSTOMERS = date(2011, 1, 1), 40, 25
NAMES = {"first_name": ("Bill", "William", "BILL", "Fred"), "email": ("a@x", "b@x", "c@x")}
RULES = {"first_name": ("votes", None), "email": ("votes", 20.0)}
EVIDENCE = pa.schema(
    [
        *((name, pa.string()) for name in ("customer_id", "record_key", "source", "field")),
        *((name, pa.string()) for name in ("value", "value_key", "street", "city", "postcode")),
        *((name, pa.timestamp("us")) for name in ("told_at", "loaded_at")),
        *((name, pa.date32()) for name in ("told_on", "known_on")),
        *(("method", pa.string()), ("half_life_days", pa.float64()), ("max_age_days", pa.int64())),
        *(("trust", pa.int64()), ("quality", pa.string()), ("defect", pa.int64())),
        ("is_mixed_case", pa.bool_()),
    ]
)
VARIANTS = pa.schema(
    [(n, pa.string()) for n in ("customer_id", "field", "value_key", "fuller_key", "kind")]
)
SHORT = {"field": "first_name", "value_key": "bill", "fuller_key": "william", "kind": "short form"}
Row = dict[str, Any]


def claims(chance: random.Random) -> Iterator[Row]:
    """Records in several versions, loaded late and out of order; some take back what they gave."""
    for customer in range(CUSTOMERS):
        for number in range(chance.randint(1, 5)):
            for field in NAMES:
                for version in range(chance.randint(1, 3)):
                    yield claim(chance, f"c{customer}", f"c{customer}:{number}", field, version)


def claim(chance: random.Random, customer: str, record: str, field: str, version: int) -> Row:
    """One version of what a record says of a field; only a later one says nothing."""
    told = START + timedelta(days=chance.randint(0, DAYS))
    known = told + timedelta(days=chance.choice([0, 0, 1, 1, 12]))
    value = chance.choice(NAMES[field]) if version == 0 or chance.random() > 0.2 else None
    return {
        "customer_id": customer,
        "record_key": record,
        "source": "crm",
        "field": field,
        "value": value,
        "value_key": value and value.lower(),
        "told_at": datetime(told.year, told.month, told.day, version),
        "loaded_at": datetime(known.year, known.month, known.day),
        "told_on": told,
        "known_on": known,
        "method": RULES[field][0],
        "half_life_days": RULES[field][1],
        "max_age_days": 999_999,
        "trust": chance.randint(1, 3),
        "quality": None,
        "defect": 0,
        "is_mixed_case": value in ("Bill", "William", "Fred"),
    }


def replayed(rows: list[Row], valid: date, known: date) -> Iterator[Row]:
    """The claims of a refresh on the day `known`, told until `valid`, under ids of that moment."""
    for row in rows:
        if row["told_on"] <= valid and row["known_on"] <= known:
            mark = f"/{valid}/{known}"
            yield row | {name: row[name] + mark for name in ("customer_id", "record_key")}


def believed(table: str, condition: str) -> list[Row]:
    """The rows of chosen values."""
    return warehouse.read(f"select * from profiles.{table} where {condition}").to_pylist()


def facts(row: Row, mark: str = "") -> tuple[Any, ...]:
    """What must be equal: customer, field, value and votes."""
    return row["customer_id"] + mark, row["field"], row["value"], row["votes"]


def held(row: Row, valid: date, known: date) -> bool:
    """Whether it was believed to hold on a day, by what was known on another."""
    is_valid = row["valid_from"] <= valid < row["valid_to"]
    return is_valid and row["known_from"] <= known < row["known_to"]


def test_a_replay_day_by_day_equals_asking_as_of_the_day(models: Models) -> None:
    chance = random.Random(4)
    rows = list(claims(chance))
    days = [START + timedelta(days=number) for number in range(DAYS + 14)]
    moments = [(day, day) for day in days] + [
        (min(pair), max(pair)) for pair in ((chance.choice(days), days[-1]) for _ in range(12))
    ]
    everything = rows + [r for valid, known in moments for r in replayed(rows, valid, known)]
    variants = [SHORT | {"customer_id": c} for c in {row["customer_id"] for row in everything}]
    names = pa.Table.from_pylist(variants, VARIANTS)
    warehouse.replace("profiles.int_profiles__name_variants", names)
    for known_of in (everything[::2], everything):  # what differs is made anew, by customer
        evidence = pa.Table.from_pylist(known_of, EVIDENCE)
        warehouse.replace("profiles.int_profiles__evidence", evidence)
        models("int_profiles__evidence_reach", "profile_values", "profile_history")

    history = believed("profile_history", "customer_id not like '%/%'")
    asked = {
        facts(row, f"/{valid}/{known}")
        for valid, known in moments
        for row in history
        if held(row, valid, known)
    }
    shown = set(map(facts, believed("profile_values", "preference = 1 and customer_id like '%/%'")))
    assert (len(shown) > 1_000, asked ^ shown) == (True, set())
