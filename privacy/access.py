"""The right of access (GDPR, articles 15 and 20): everything we hold about one person."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

import settings
import warehouse
from privacy.person import Person, find, owns
from warehouse import RawTable, Session

LEDGERS = ("activation.deliveries", "identity.record_customers")


def folder(person: Person) -> Path:
    """Where the answer to an access request is written."""
    return settings.home() / "privacy" / "access" / person.customer_id


def access(identifier: str, raw_tables: Iterable[RawTable]) -> Path:
    """Write everything about one person, and nothing of anyone else, as JSON and as CSV files.

    Returns the folder, readable by its owner only. Raises PersonNotFoundError.
    """
    person = find(identifier)
    with warehouse.transaction() as session:
        held = {**_raw_rows(session, person, raw_tables), **_derived_rows(session, person)}
    _write(folder(person), person, {name: rows for name, rows in held.items() if rows.num_rows})
    return folder(person)


def _raw_rows(
    session: Session, person: Person, raw_tables: Iterable[RawTable]
) -> Mapping[str, pa.Table]:
    return {
        f"{table.schema}.{table.name}": session.read(
            f"select * from {table.schema}.{table.name} where {condition}", params
        )
        for table in raw_tables
        if not table.feeds  # its rows are seen in the table that it feeds
        for condition, params in [owns(table, person)]
        if session.exists(f"{table.schema}.{table.name}")
    }


def _derived_rows(session: Session, person: Person) -> Mapping[str, pa.Table]:
    public = [model.table for model in warehouse.catalog().public()]
    tables = [*public, "profiles.profile_values", *LEDGERS]
    keyed = [n for n in tables if session.exists(n) and "customer_id" in session.columns(n)]
    return {
        name: session.read(f"select * from {name} where customer_id = ?", [person.customer_id])
        for name in keyed
    }


def _write(target: Path, person: Person, held: Mapping[str, pa.Table]) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True, mode=0o700)
    document = {
        "customer_id": person.customer_id,
        "records": list(person.record_keys),
        "held": {name: rows.to_pylist() for name, rows in held.items()},
    }
    (target / "person.json").write_text(
        json.dumps(document, indent=1, default=str, ensure_ascii=False)
    )
    for name, rows in held.items():
        pa_csv.write_csv(rows, target / f"{name}.csv")
