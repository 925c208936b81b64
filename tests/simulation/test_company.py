import csv
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from simulation.company import make_company
from simulation.forms import write_drops
from simulation.ledger import DAYS, FILES, SOURCE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("whole")
    make_company(home)
    return home


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("small")
    make_company(home, people=60)
    return home


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    homes = {size: tmp_path_factory.mktemp(f"tiny{size}") for size in (0, 1, 2)}
    for size, home in homes.items():
        make_company(home, people=size)
    return homes


def schemas(home: Path) -> dict[str, Any]:
    return {str(p.relative_to(home)): pq.read_schema(p) for p in home.rglob("*.parquet")}


def hashes(home: Path) -> dict[str, str]:
    files = sorted(path for path in home.rglob("*") if path.is_file())
    return {str(p.relative_to(home)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def accounts(home: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(home / "company/shop/accounts").to_pylist()
    return rows


def contacts(home: Path) -> list[dict[str, Any]]:
    connection = sqlite3.connect(home / "company/crm.sqlite")
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute("select * from contacts")]
    connection.close()
    return rows


def receipt_lines(home: Path) -> list[dict[str, str]]:
    drops = [path.read_text().splitlines() for path in sorted((home / "inbox/pos").iterdir())]
    return [row for drop in drops for row in csv.DictReader(drop)]


@cache
def events(home: Path) -> list[dict[str, Any]]:
    segments = sorted((home / "inbox/web").iterdir())
    return [json.loads(line) for path in segments for line in path.read_text().splitlines()]


def rest(home: Path, resource: str) -> list[dict[str, Any]]:
    text = (home / f"company/rest/{resource}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def truth(home: Path) -> list[tuple[str, str]]:
    rows = pq.read_table(home / "truth/records.parquet").to_pylist()
    return [(row["record_key"], row["person_id"]) for row in rows]


def people(home: Path) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(home / "truth/people.parquet").to_pylist()
    return {row["person_id"]: row for row in rows}


def source_keys(home: Path) -> set[str]:
    """The keys of all records in what the sources would hand over, but for cards never shown."""
    orders = pq.read_table(home / "company/shop/order_contacts")["invoice"].to_pylist()
    cards = {row["loyalty_number"] for row in receipt_lines(home)}
    held = {row["loyalty_number"] for row in contacts(home)}
    return (
        {f"shop:account:{row['user_id']}" for row in accounts(home)}
        | {f"shop:order:{invoice}" for invoice in orders}
        | {f"crm:contact:{row['contact_id']}" for row in contacts(home)}
        | {f"pos:card:{card.lower()}" for card in cards | held if card}
        | {f"web:visitor:{event['anonymousId']}" for event in events(home)}
        | {f"web:user:{event['userId']}" for event in events(home) if event.get("userId")}
        | {f"email:profile:{row['profile_id']}" for row in rest(home, "email/profiles")}
        | {f"support:user:{row['user_id']}" for row in rest(home, "support/users")}
        | {
            f"social:profile:{row['network']}/{row['handle']}"
            for row in rest(home, "social/profiles")
        }
    )


def test_the_same_seed_makes_the_same_bytes_in_another_process_and_twice_in_one(
    small: Path, tmp_path: Path
) -> None:
    """The other process has another order of sets; the second company there finds a first one."""
    script = """
import sys, pathlib
from simulation.company import make_company
for home in sys.argv[1:]:
    make_company(pathlib.Path(home), people=60)
"""
    homes = [tmp_path / name for name in ("one", "another")]
    subprocess.run(
        [sys.executable, "-c", script, *homes],
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)},
        check=True,
    )

    assert [hashes(home) for home in homes] == [hashes(small)] * 2


def test_another_seed_makes_other_people(tiny: dict[int, Path], tmp_path: Path) -> None:
    make_company(tmp_path, people=2, seed=8)

    assert people(tmp_path) != people(tiny[2])


def test_a_company_already_made_is_left_alone(tiny: dict[int, Path], tmp_path: Path) -> None:
    home = Path(shutil.copytree(tiny[2], tmp_path / "home"))
    (home / "company/crm.sqlite").unlink()
    make_company(home, people=2)

    assert not (home / "company/crm.sqlite").exists()


def test_every_record_belongs_to_exactly_one_person(whole: Path) -> None:
    keys = [key for key, _ in truth(whole)]

    assert len(keys) == len(set(keys))


def test_the_truth_knows_every_record_and_no_other(whole: Path) -> None:
    told = {key for key, _ in truth(whole)}

    assert source_keys(whole) <= told
    assert {key for key in told - source_keys(whole) if not key.startswith("pos:card:")} == set()


def test_every_named_record_belongs_to_a_person_of_the_truth(whole: Path) -> None:
    owners = {person for key, person in truth(whole) if not key.startswith("web:")}

    assert owners <= set(people(whole))


def test_the_truth_has_every_decision_that_a_source_keeps(whole: Path) -> None:
    owner = dict(truth(whole))
    kept = pq.read_table(whole / "truth/consents.parquet").to_pylist()
    told = {(row["person_id"], row["is_granted"], row["decided_at"]) for row in kept
            if (row["purpose"], row["channel"]) == ("marketing", "email")}  # fmt: skip
    boxes = {
        (owner[f"shop:account:{row['user_id']}"], row["accepts_marketing"], row["created_at"])
        for row in accounts(whole)
    }
    gone = {
        (owner[f"email:profile:{row['profile_id']}"], False)
        for row in rest(whole, "email/profiles")
        if not row["is_subscribed"]
    }

    assert boxes - told == set()
    assert gone - {row[:2] for row in told} == set()


def test_the_whole_company_has_all_customers_of_the_ledger(whole: Path) -> None:
    assert len(accounts(whole)) == 5_942


@pytest.mark.parametrize("name", FILES)
def test_the_whole_ledger_is_the_original_file(whole: Path, name: str) -> None:
    copied = whole / "company/shop/order_lines" / name

    assert copied.read_bytes() == (SOURCE / name).read_bytes()


def test_the_whole_ledger_keeps_its_value(whole: Path) -> None:
    lines = pq.read_table(whole / "company/shop/order_lines/2010_2011.parquet")
    value = pc.sum(pc.multiply(lines["quantity"].cast("double"), lines["price"])).as_py()

    assert round(value, 2) == 9747747.93


def test_completed_orders_are_invoices_of_the_user(small: Path) -> None:
    lines = pq.read_table(small / "company/shop/order_lines").select(["invoice", "customer_id"])
    known = {(row["invoice"], str(row["customer_id"])) for row in lines.to_pylist()}
    completed = [event for event in events(small) if event.get("event") == "Order Completed"]
    orders = [event for event in completed if event.get("userId")]

    assert orders
    assert {(o["properties"]["order_id"], o["userId"]) for o in orders} <= known


def test_a_sample_keeps_all_bad_debt(small: Path) -> None:
    lines = pq.read_table(small / "company/shop/order_lines")

    assert pc.sum(pc.starts_with(lines["invoice"], "A")).as_py() == 6


@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_smallest_companies_have_every_file(
    tiny: dict[int, Path], small: Path, size: int
) -> None:
    assert hashes(tiny[size]).keys() == hashes(small).keys()


@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_smallest_companies_have_as_many_accounts_as_asked(
    tiny: dict[int, Path], size: int
) -> None:
    assert len(accounts(tiny[size])) == size


@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_truth_of_the_smallest_companies_is_complete(tiny: dict[int, Path], size: int) -> None:
    assert source_keys(tiny[size]) <= {key for key, _ in truth(tiny[size])}


@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_smallest_companies_have_the_schemas_of_large_ones(
    tiny: dict[int, Path], small: Path, size: int
) -> None:
    assert schemas(tiny[size]) == schemas(small)


def test_an_empty_company_counts_nothing(tiny: dict[int, Path]) -> None:
    facts = json.loads((tiny[0] / "company/made.json").read_text())["facts"]

    assert set(facts.values()) == {0}


def test_a_day_without_sales_is_a_drop_with_only_a_header(tiny: dict[int, Path]) -> None:
    drops = [path.read_text().splitlines() for path in (tiny[0] / "inbox/pos").iterdir()]

    assert [len(drop) for drop in drops] == [1] * DAYS


def test_every_receipt_line_is_in_the_drop_of_its_day(whole: Path) -> None:
    wrong = [
        row
        for path in (whole / "inbox/pos").iterdir()
        for row in csv.DictReader(path.read_text().splitlines())
        if path.stem != f"receipts_{row['sold_at'][:10]}"
    ]
    facts = json.loads((whole / "company/made.json").read_text())["facts"]

    assert (wrong, len(receipt_lines(whole))) == ([], facts["receipt_lines"])


def test_a_row_of_another_day_than_the_drops_is_an_error(tmp_path: Path) -> None:
    rows = pa.table({"sold_on": pa.array([date(2011, 12, 8), date(2011, 12, 9)])})
    with pytest.raises(ValueError, match="1 rows of receipts are of none of the days"):
        write_drops(tmp_path, "receipts", rows, "sold_on", np.array(["2011-12-09"], "M8[D]"))


def test_both_forms_hold_the_same_rows(small: Path, tmp_path: Path) -> None:
    make_company(tmp_path, people=60, form="parquet")
    tables = {
        "crm/contacts": len(contacts(small)),
        "support/users": len(rest(small, "support/users")),
        "email/events": len(rest(small, "email/events")),
        "pos/receipt_lines": len(receipt_lines(small)),
        "web/events": len(events(small)),
    }

    found = {name: pq.read_metadata(tmp_path / f"raw_{name}.parquet").num_rows for name in tables}
    assert found == tables
    assert truth(tmp_path) == truth(small)
