import csv
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import phonenumbers
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from simulation.company import make_company
from simulation.ledger import DAYS, FILES, SOURCE
from simulation.people import COUNTRIES
from simulation.records import PLACEHOLDER_PHONE, RECEIPT_COLUMNS

ROOT = Path(__file__).parents[2]
Key = tuple[str, str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("whole")
    make_company(home)
    return home


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("small")
    make_company(home, customers=60)
    return home


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    homes = {size: tmp_path_factory.mktemp(f"tiny{size}") for size in (0, 1, 2)}
    for size, home in homes.items():
        make_company(home, customers=size)
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


def truth(home: Path) -> list[tuple[Key, str]]:
    rows = pq.read_table(home / "truth/records.parquet").to_pylist()
    return [((row["source"], row["record_key"]), row["person_id"]) for row in rows]


def people(home: Path) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(home / "truth/people.parquet").to_pylist()
    return {row["person_id"]: row for row in rows}


def source_keys(home: Path) -> set[Key]:
    cards = {row["loyalty_number"] for row in receipt_lines(home)}
    held = {row["loyalty_number"] for row in contacts(home)}
    return (
        {("shop", str(row["user_id"])) for row in accounts(home)}
        | {("crm", str(row["contact_id"])) for row in contacts(home)}
        | {("pos", card) for card in cards | held if card}
        | {("web", event["anonymousId"]) for event in events(home)}
    )


def e164(phone: str, country: str) -> str:
    number = phonenumbers.parse(phone, COUNTRIES.get(country, ("", None))[1])
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def test_the_same_seed_makes_the_same_bytes(small: Path, tmp_path: Path) -> None:
    make_company(tmp_path, customers=60)

    assert hashes(tmp_path) == hashes(small)


def test_italian_cities_do_not_depend_on_the_process() -> None:
    script = "from simulation.people import pool; print(list(pool('city', 'it_IT', 20, 7)))"
    printed = {
        subprocess.check_output(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": number, "PYTHONPATH": str(ROOT)},
        )
        for number in ("1", "2")
    }

    assert len(printed) == 1


def test_another_seed_makes_other_people(tiny: dict[int, Path], tmp_path: Path) -> None:
    make_company(tmp_path, customers=2, seed=8)

    assert people(tmp_path) != people(tiny[2])


def test_a_company_already_made_is_left_alone(tiny: dict[int, Path], tmp_path: Path) -> None:
    home = Path(shutil.copytree(tiny[2], tmp_path / "home"))
    (home / "company/crm.sqlite").unlink()
    make_company(home, customers=2)

    assert not (home / "company/crm.sqlite").exists()


def test_every_record_belongs_to_exactly_one_person(whole: Path) -> None:
    keys = [key for key, _ in truth(whole)]

    assert len(keys) == len(set(keys))


def test_the_truth_knows_every_record_and_no_other(whole: Path) -> None:
    assert {key for key, _ in truth(whole)} == source_keys(whole)


def test_every_named_record_belongs_to_a_person_of_the_truth(whole: Path) -> None:
    owners = {person for (source, _), person in truth(whole) if source != "web"}

    assert owners <= set(people(whole))


def test_some_people_have_two_accounts(whole: Path) -> None:
    owners = [person for (source, _), person in truth(whole) if source == "shop"]

    assert 1 - len(set(owners)) / len(owners) == pytest.approx(0.04 / 1.04, abs=0.001)


def test_people_of_one_household_have_different_first_names(whole: Path) -> None:
    named = [(row["household_id"], row["first_name"]) for row in people(whole).values()]

    assert len(named) == len(set(named))


def test_phones_of_the_truth_are_valid(whole: Path) -> None:
    phones = [phonenumbers.parse(row["phone"]) for row in people(whole).values()]

    assert all(map(phonenumbers.is_valid_number, phones))


def test_every_spelling_of_a_phone_is_the_phone_of_its_person(whole: Path) -> None:
    person, known = dict(truth(whole)), people(whole)
    records = [(("shop", str(row["user_id"])), row) for row in accounts(whole)]
    records += [(("crm", str(row["contact_id"])), row) for row in contacts(whole)]
    wrong = [
        row["phone"]
        for key, row in records
        if row["phone"] not in (None, PLACEHOLDER_PHONE)
        and e164(row["phone"], row["country"]) != known[person[key]]["phone"]
    ]

    assert wrong == []


@pytest.mark.parametrize("name", FILES)
def test_the_whole_ledger_is_the_original_file(whole: Path, name: str) -> None:
    copied = whole / "company/shop/order_lines" / name

    assert copied.read_bytes() == (SOURCE / name).read_bytes()


def test_the_whole_ledger_keeps_its_value(whole: Path) -> None:
    lines = pq.read_table(whole / "company/shop/order_lines/2010_2011.parquet")
    value = pc.sum(pc.multiply(lines["quantity"].cast("double"), lines["price"])).as_py()

    assert round(value, 2) == 9747747.93


def test_a_share_of_the_events_is_delivered_twice(whole: Path) -> None:
    ids = [event["messageId"] for event in events(whole)]

    assert 1 - len(set(ids)) / len(ids) == pytest.approx(0.015, abs=0.003)


def test_a_share_of_the_events_is_by_bots(whole: Path) -> None:
    is_bot = ["bot" in event["context"]["userAgent"] for event in events(whole)]

    assert sum(is_bot) / len(is_bot) == pytest.approx(0.02, abs=0.003)


def test_completed_orders_are_invoices_of_the_user(small: Path) -> None:
    lines = pq.read_table(small / "company/shop/order_lines").select(["invoice", "customer_id"])
    known = {(row["invoice"], str(row["customer_id"])) for row in lines.to_pylist()}
    orders = [event for event in events(small) if event.get("event") == "Order Completed"]

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
    assert {key for key, _ in truth(tiny[size])} == source_keys(tiny[size])


@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_smallest_companies_have_the_schemas_of_large_ones(
    tiny: dict[int, Path], small: Path, size: int
) -> None:
    assert schemas(tiny[size]) == schemas(small)


def test_an_empty_company_counts_nothing(tiny: dict[int, Path]) -> None:
    facts = json.loads((tiny[0] / "company/made.json").read_text())["facts"]

    assert set(facts.values()) == {0}


def test_a_day_without_sales_is_a_drop_with_only_a_header(tiny: dict[int, Path]) -> None:
    drops = [path.read_text() for path in (tiny[0] / "inbox/pos").iterdir()]

    assert drops == [RECEIPT_COLUMNS + "\n"] * DAYS
