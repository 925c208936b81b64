"""One person's rights, on a company that a refresh has run on."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import warehouse
from ingestion import registry
from privacy import access, inventory, scan
from privacy.person import Person, PersonNotFoundError, find
from tests import warm
from tests.conftest import SMALL, Run, environment, until, use_home

KNOWN_TO_ALL = """
select customer_id from identity.identity_map
group by customer_id
having count(distinct case when source in ('crm', 'pos', 'shop', 'web') then source end) = 4
order by customer_id
"""


def person_known_to_all_sources() -> Person:
    """Somebody with an account, a contact, a card and a browser."""
    return find(warehouse.read(KNOWN_TO_ALL).column(0)[0].as_py())


def others(person: Person) -> dict[str, list[dict[str, Any]]]:
    """What the marts say of everybody else."""
    return {
        table: warehouse.read(
            f"select * exclude (as_of) from {table} where customer_id <> ? order by customer_id",
            [person.customer_id],
        ).to_pylist()
        for table in ("marts.customer_features", "customer_360.customer_360")
    }


def test_any_identifier_finds_the_person(company: Path) -> None:
    person = person_known_to_all_sources()
    assert {find(value).customer_id for _, value in person.identifiers} == {person.customer_id}


def test_a_stranger_is_not_found_and_the_error_says_what_to_give(company: Path) -> None:
    with pytest.raises(PersonNotFoundError, match="Give a customer id, e-mail, phone"):
        find("nobody@nowhere.example")


def test_a_shared_mailbox_finds_nobody_but_names_the_customers(company: Path) -> None:
    shared = warehouse.read(
        "select identifier_value, min(customer_id) as one from identity.customer_identifiers"
        " group by identifier_value having count(distinct customer_id) > 1 order by 1"
    ).to_pylist()[0]
    with pytest.raises(PersonNotFoundError, match=shared["one"]):
        find(shared["identifier_value"])


def test_an_access_answer_holds_every_raw_row_of_the_person(company: Path) -> None:
    person = person_known_to_all_sources()
    columns = {
        "shop.order_lines": ("customer_id", "user_id"),
        "shop.accounts": ("user_id", "user_id"),
        "crm.contacts": ("contact_id", "contact_id"),
        "web.events": ("anonymous_id", "anonymous_id"),
    }
    there = {
        f"raw_{table}": warehouse.read(
            f"select * from raw_{table} where lower(cast({column} as varchar)) in"
            f" (select unnest(?))",
            [person.values([kind])],
        ).num_rows
        for table, (column, kind) in columns.items()
    }

    answer = access.access(person.customer_id, registry.tables()) / "person.json"

    held = json.loads(answer.read_text())["held"]
    assert {table: len(held[table]) for table in there} == there


def test_an_access_answer_names_nobody_else(company: Path) -> None:
    person = person_known_to_all_sources()
    folder = access.access(person.customer_id, registry.tables())
    ids = {
        row["customer_id"]
        for path in folder.glob("*.csv")
        for row in csv.DictReader(path.open())
        if not path.name.startswith("raw_") and "customer_id" in row
    }
    assert ids == {person.customer_id}


def test_the_inventory_lists_every_tagged_column_with_what_erasure_does(company: Path) -> None:
    rows = inventory.inventory(warehouse.catalog(), registry.tables()).to_pylist()
    found = {(row["table_name"], row["column_name"]): row["erasure"] for row in rows}
    assert found[("raw_shop.order_lines", "customer_id")] == "anonymise"


def test_no_public_column_without_a_tag_holds_an_identifier(company: Path) -> None:
    """The data itself is searched: whatever a tag forgot would be found here."""
    known = pq.read_table(company / "truth" / "people.parquet")
    values = [v for name in ("email", "phone") for v in known.column(name).to_pylist() if v]
    with warehouse.transaction() as session:
        session.register("known", pa.table({"value": values}))
        leaks = [
            f"{model.table}.{column}"
            for model in warehouse.catalog().public()
            for column in _columns_that_hold_known(session, model)
        ]
    assert leaks == []


def _columns_that_hold_known(session: warehouse.Session, model: warehouse.Model) -> list[str]:
    columns = [column.name for column in model.columns if not column.pii]
    counts = ", ".join(
        f"count(*) filter (cast({column} as varchar) in (select value from known)) as {column}"
        for column in columns
    )
    (found,) = session.read(f"select {counts} from {model.table}").to_pylist()
    return [column for column, rows in found.items() if rows]


def test_the_scan_finds_a_person_in_every_kind_of_store(company: Path) -> None:
    person = person_known_to_all_sources()
    kinds = {Path(hit.path).suffix for hit in scan.scan(person.values(["email", "anonymous_id"]))}
    assert {".parquet", ".duckdb", ".jsonl"} <= kinds


def test_insights_show_no_direct_identifier_and_contacts_do(
    company: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = pq.read_table(company / "truth" / "people.parquet")
    emails = [value.lower() for value in people.column("email").to_pylist() if value][:10]
    published = use_home(tmp_path / "published", monkeypatch) / "serving"
    shutil.copytree(company / "serving", published)
    assert {hit.path for hit in scan.scan(emails)} == {"serving/contacts.duckdb"}


@pytest.mark.slow
def test_an_erasure_that_was_killed_leaves_no_trace_once_it_is_asked_for_again(
    company_copy: Path, cdp: Run
) -> None:
    """Nor does anything else change, then or at a refresh that reads the CRM again.

    That one which nobody kills leaves no trace is what `cdp score --erase` counts.
    """
    person = person_known_to_all_sources()
    before = others(person)
    access.access(person.customer_id, registry.tables())
    ledger = "select sum(amount) as total from marts.ledger_reconciliation"
    booked = warehouse.read(ledger).to_pylist()
    _kill_in_the_midst(("erase", person.customer_id, "--yes"), company_copy)

    erased = cdp("erase", person.values(["email"])[0], "--yes")  # as people ask for it
    again = cdp("demo", "--people", str(SMALL))

    values = person.values(["email", "phone", "loyalty_number", "anonymous_id"])
    assert {
        "erased": (erased.returncode, erased.stdout[-2000:] if erased.returncode else ""),
        "pending": list((company_copy / "privacy" / "pending").glob("*.json")),
        "after a refresh that reads the CRM again": again.returncode,
        "traces": scan.scan(values),
        "the books": warehouse.read(ledger).to_pylist() == booked,
        "somebody else changed": _changed(before, others(person)),
    } == {
        "erased": (0, ""),
        "pending": [],
        "after a refresh that reads the CRM again": 0,
        "traces": [],
        "the books": True,
        "somebody else changed": [],
    }


def _kill_in_the_midst(words: tuple[str, ...], home: Path) -> None:
    """Kill -9 an erasure a second after it has begun its journal."""
    process = warm.start(warm.verb, words, env=environment(home))
    pending = home / "privacy" / "pending"
    until(lambda: list(pending.glob("*.json")) or not process.is_alive())
    process.join(1)
    process.kill()
    process.join()


def _changed(
    before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]
) -> list[str]:
    """Customers whose own facts differ; ranks among all customers may move by one person."""
    ranks = (
        *("recency_score", "frequency_score", "monetary_score", "value_score"),
        *("rfm_segment", "rfm_segment_since", "cluster_label"),
    )
    return [
        str(old["customer_id"])
        for table in before
        for old, new in zip(before[table], after[table], strict=True)
        if {k: v for k, v in old.items() if k not in ranks}
        != {k: v for k, v in new.items() if k not in ranks}
    ]
