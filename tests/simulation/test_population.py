from collections import Counter
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import phonenumbers
import pyarrow as pa
import pytest

from simulation.ledger import Buyers, buyers_in, read_ledger
from simulation.population import Population, make_population

SIZE = 20_000


@cache
def buyers() -> Buyers:
    return buyers_in(pa.concat_tables(read_ledger()))


@pytest.fixture(scope="module")
def population() -> Population:
    return make_population(buyers(), SIZE, seed=7)


@pytest.fixture(scope="module")
def people(population: Population) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = population.people.to_pylist()
    return rows


def test_there_are_as_many_people_as_asked(population: Population) -> None:
    assert population.people.num_rows == SIZE


def test_every_customer_of_the_ledger_has_one_account(population: Population) -> None:
    accounts = population.accounts
    real = accounts.filter(accounts["is_real"])["user_id"].to_pylist()

    assert sorted(real) == sorted(buyers().customer_id.tolist())


def test_accounts_of_the_ledger_are_of_people_of_its_country(population: Population) -> None:
    person = population.accounts["person"].to_numpy()[: len(buyers().country)]

    assert population.people["country"].take(person).to_pylist() == buyers().country.tolist()


def test_four_in_a_hundred_account_holders_signed_up_twice(population: Population) -> None:
    person = population.accounts["person"].to_numpy()

    assert len(person) / len(np.unique(person)) - 1 == pytest.approx(0.04, abs=0.002)


def test_households_have_one_to_five_people_at_one_address(people: list[dict[str, Any]]) -> None:
    sizes = Counter(row["household"] for row in people)
    homes = {(row["household"], row["street"], row["postcode"], row["country"]) for row in people}

    assert set(sizes.values()) == {1, 2, 3, 4, 5}
    assert len(homes) == len(sizes)


def test_some_households_share_a_mailbox_and_a_landline(people: list[dict[str, Any]]) -> None:
    mailboxes = Counter(row["shared_email"] for row in people if row["shared_email"])
    landlines = Counter(row["landline"] for row in people if row["landline"])

    assert max(mailboxes.values()) > 1
    assert max(landlines.values()) > 1


def test_buyers_of_a_firm_share_its_info_mailbox(people: list[dict[str, Any]]) -> None:
    buying = [row for row in people if row["is_business"]]
    boxes = Counter(row["shared_email"] for row in buying)

    assert len(buying) / SIZE == pytest.approx(0.03, abs=0.005)
    assert all(box.startswith("info@") for box in boxes)
    assert max(boxes.values()) > 1


def test_namesakes_live_in_different_households(people: list[dict[str, Any]]) -> None:
    homes: dict[tuple[str, str], set[int]] = {}
    for row in people:
        homes.setdefault((row["first_name"], row["last_name"]), set()).add(row["household"])
    namesakes = sum(len(found) for found in homes.values() if len(found) > 1)

    assert 0.03 < namesakes / SIZE < 0.30


def test_some_children_bear_the_whole_name_of_a_parent(people: list[dict[str, Any]]) -> None:
    lived = Counter((row["household"], row["first_name"], row["last_name"]) for row in people)

    assert 0 < sum(count > 1 for count in lived.values()) < SIZE * 0.02


def test_some_siblings_are_twins(people: list[dict[str, Any]]) -> None:
    born = Counter((row["household"], row["birth_date"]) for row in people)

    assert max(born.values()) > 1


def test_common_surnames_are_as_common_as_in_life(people: list[dict[str, Any]]) -> None:
    british = [row["last_name"] for row in people if row["country"] == "United Kingdom"]
    counts = Counter(british).most_common()

    assert 0.005 < counts[0][1] / len(british) < 0.03
    assert len(counts) > 1_500


def test_people_of_at_least_five_countries_write_in_four_scripts(
    people: list[dict[str, Any]],
) -> None:
    scripts = {"α": 0x0370, "ア": 0x4E00, "é": 0x00C0, "a": 0x0061}
    ends = {"α": 0x03FF, "ア": 0x9FFF, "é": 0x017F, "a": 0x007A}
    letters = {ord(letter) for row in people for letter in row["last_name"]}

    assert len({row["country"] for row in people}) >= 5
    assert all(any(scripts[s] <= letter <= ends[s] for letter in letters) for s in scripts)


def test_phones_are_valid(people: list[dict[str, Any]]) -> None:
    phones = [
        row[name]
        for row in people[:4_000]
        for name in ("phone", "old_phone", "landline")
        if row[name]
    ]

    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone)) for phone in phones)


@pytest.mark.parametrize("name", ["email", "old_email", "second_email", "shared_email"])
def test_emails_are_of_reserved_domains(people: list[dict[str, Any]], name: str) -> None:
    hosts = [row[name].partition("@")[2] for row in people if row[name]]

    assert all(".".join(h.split(".")[-2:]) in {"example.com", "example.org", "example.net"}
               for h in hosts)  # fmt: skip


def test_nobody_has_the_email_of_another(people: list[dict[str, Any]]) -> None:
    emails = [row[name] for row in people for name in ("email", "old_email", "second_email")]
    given = [email for email in emails if email]

    assert len(set(given)) == len(given)


def test_a_recycled_phone_was_given_up_before_somebody_else_got_it(
    people: list[dict[str, Any]],
) -> None:
    given_up = {row["old_phone"]: row["phone_changed_on"] for row in people if row["old_phone"]}
    again = [row for row in people if row["phone"] in given_up]

    assert 0.10 < len(again) / len(given_up) < 0.25  # not in every country did somebody need one
    assert all(given_up[row["phone"]] < row["phone_changed_on"] for row in again)


@pytest.mark.parametrize(
    ("day", "share"),
    [("email_changed_on", 0.08), ("phone_changed_on", 0.10), ("moved_on", 0.135),
     ("married_on", 0.022)],
)  # fmt: skip
def test_lives_change_at_the_rate_asked(
    people: list[dict[str, Any]], day: str, share: float
) -> None:
    days = [row[day] for row in people if row[day]]

    assert len(days) / SIZE == pytest.approx(share, abs=0.01)
    assert all(date(2009, 12, 1) < found < date(2011, 12, 9) for found in days)


def test_devices_are_browsers_apps_tablets_and_kiosks(population: Population) -> None:
    kinds = Counter(population.devices["kind"].to_pylist())

    assert set(kinds) == {"browser", "app", "tablet", "kiosk"}
    assert kinds["kiosk"] == SIZE // 2_500 + 1


def test_a_device_that_changes_hands_has_one_owner_after_the_other(
    population: Population,
) -> None:
    devices = population.devices.to_pylist()
    counts = Counter(row["anonymous_id"] for row in devices)
    twice = [row for row in devices if counts[row["anonymous_id"]] > 1]
    by_id: dict[str, list[dict[str, Any]]] = {}
    for row in twice:
        by_id.setdefault(row["anonymous_id"], []).append(row)

    assert by_id
    assert all(first["to_at"] == then["from_at"] for first, then in by_id.values())


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_the_smallest_populations_are_made(size: int) -> None:
    few = Buyers(*(getattr(buyers(), name)[:size] for name in vars(buyers())))
    population = make_population(few, size, seed=7)

    assert (population.people.num_rows, population.accounts.num_rows) == (size, size)
