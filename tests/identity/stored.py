"""Six records of four people in the warehouse, with the shipped rules."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

import warehouse
from identity import refresh
from identity.changes import FIELDS
from settings import DBT_PROJECT
from tests.identity.world import IDENTIFIERS, RECORDS

NAMES = ("first_name", "last_name", "birth_date", "email", "street", "postcode")
PEOPLE = [
    ("crm:1", "Katherine", "Berg", "1971-03-04", "kate.berg7@x.example", "1 Elm Road", "AB1 2CD"),
    ("shop:1", "Kate", "Berg", "1971-04-03", None, "1 Elm Rd", "AB1 2CD"),
    ("crm:2", "Robert", "Berg", "1999-12-01", "rob@x.example", "1 Elm Road", "AB1 2CD"),
    ("shop:2", "Berg", "Robert", None, "rob@x.exampel", None, "AB1 2CE"),
    ("crm:3", "Zoe", "Ng", "1980-01-01", "zoe@y.example", None, None),
    ("shop:3", "Zoe", "Ng", "1980-01-01", "zoe@y.example", "9 Oak Street", "ZZ9 9ZZ"),
]
SEEDS = DBT_PROJECT / "seeds"


def store_people(people: Sequence[Sequence[str | None]] = PEOPLE) -> None:
    """Put the records, their identifiers and the seeds into the warehouse; nothing is resolved."""
    records = [
        {
            **dict.fromkeys(FIELDS),
            "record_key": key,
            "source": key.partition(":")[0],
            "city": "Town",
        }
        | dict(zip(NAMES, values, strict=True))
        for key, *values in people
    ]
    found = [
        {"record_key": row["record_key"], "identifier_type": "email", "identifier_value": value}
        for row in records
        if (value := row["email"])
    ]
    warehouse.replace(refresh.RECORDS, pa.Table.from_pylist(records, RECORDS))
    warehouse.replace(refresh.IDENTIFIERS, pa.Table.from_pylist(found, IDENTIFIERS))
    for seed in ("identifier_types", "source_trust", "blocked_values"):
        store_seed(SEEDS / f"{seed}.csv")


def store_seed(path: Path) -> None:
    """Put the rows of a seed into the warehouse, numbers with a fraction as dbt does."""
    types = csv.ConvertOptions(column_types={"weight": pa.float64(), "trust": pa.float64()})
    is_weighed = path.stem == "identifier_types"
    warehouse.replace(
        f"rules.{path.stem}", csv.read_csv(path, convert_options=types if is_weighed else None)
    )
