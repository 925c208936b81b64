import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulation.consents import CARELESS, make_wishes
from simulation.dirt import NICKNAMES, Dirt
from simulation.ledger import buyers_in, read_ledger
from simulation.population import Population, make_population, moments
from simulation.records import MISSING, Records, make_records

SIZE = 30_000
NOTHING = Dirt(**dict.fromkeys(vars(Dirt()), 0.0))
NAMED = [name for name in MISSING if name != "social.profiles"]


@pytest.fixture(scope="module")
def population() -> Population:
    return make_population(buyers_in(pa.concat_tables(read_ledger())), SIZE, seed=7)


@pytest.fixture(scope="module")
def records(population: Population) -> dict[str, Records]:
    return make_records(population, orders(), Dirt(), seed=7)


@pytest.fixture(scope="module")
def clean(population: Population) -> dict[str, Records]:
    return make_records(population, orders(), NOTHING, seed=7)


def orders() -> pa.Table:
    rng = np.random.default_rng(1)
    return pa.table({
        "invoice": pa.array([f"G{number}" for number in range(SIZE)]),
        "person": pa.array(rng.integers(0, SIZE, SIZE), pa.int32()),
        "ordered_at": pa.array(moments(SIZE, rng).astype("datetime64[us]")),
    })  # fmt: skip


def has(part: Records, name: str) -> np.ndarray:
    """Whether each record has this dirt."""
    lists = part.truth["dirt"].combine_chunks()
    hit = pc.equal(lists.flatten(), name)
    found = np.zeros(len(lists), bool)
    found[pc.list_parent_indices(lists).filter(hit).to_numpy()] = True
    return found


def known(part: Records, field: str) -> np.ndarray:
    """Whether each record says anything in this field."""
    return part.table[field].is_valid().to_numpy()


def share(hit: np.ndarray, among: np.ndarray) -> float:
    return float(hit[among].mean())


RATES = [
    ("placeholder_email", "email", 0.015),
    ("placeholder_phone", "phone", 0.012),
    ("email_typo", "email", 0.02),
    ("phone_typo", "phone", 0.02 * 0.9),  # one in ten wrong digits is the right one
    ("wrong_email", "email", 0.0015),
    ("placeholder_name", "first_name", 0.004),
    ("swapped_name", "first_name", 0.008),
    ("initial", "first_name", 0.02),
]


@pytest.mark.parametrize(("kind", "field", "rate"), RATES)
def test_each_kind_of_dirt_occurs_at_the_rate_asked(
    records: dict[str, Records], kind: str, field: str, rate: float
) -> None:
    parts = [records[name] for name in ("shop.order_contacts", "shop.accounts", "crm.contacts")]
    hit = np.concatenate([has(part, kind) for part in parts])
    among = np.concatenate([known(part, field) for part in parts])

    assert share(hit, among) == pytest.approx(
        rate, abs=4 * (rate / among.sum()) ** 0.5 + 0.1 * rate
    )


@pytest.mark.parametrize("name", list(MISSING))
def test_values_are_missing_at_the_rate_of_their_source(
    records: dict[str, Records], name: str
) -> None:
    part = records[name]
    found = {field: has(part, f"missing_{field}").mean() for field in MISSING[name]}

    assert found == pytest.approx(MISSING[name], abs=0.02)


def test_one_nickname_in_seven_names_that_have_one(
    population: Population, records: dict[str, Records]
) -> None:
    part = records["shop.accounts"]
    first = population.people["first_name"].take(part.person)
    among = pc.is_in(first, value_set=pa.array(list(NICKNAMES))).to_numpy()

    assert share(has(part, "nickname"), among) == pytest.approx(0.14, abs=0.03)


def test_typos_are_of_three_kinds(records: dict[str, Records]) -> None:
    part = records["shop.accounts"]
    found = [has(part, f"{kind}_typo").mean() for kind in ("keyboard", "phonetic", "ocr")]

    # Names twice, and with streets a third time where an address is given.
    assert found == pytest.approx([0.02 * 2.88, 0.015 * 2, 0.01 * 2.88], rel=0.2)


def test_one_contact_in_twenty_is_a_second_entry(records: dict[str, Records]) -> None:
    part = records["crm.contacts"]

    assert has(part, "duplicate").mean() == pytest.approx(0.05, abs=0.006)
    assert has(part, "duplicate").sum() == len(part.person) - len(np.unique(part.person))


def test_a_hard_world_is_twice_as_dirty(
    population: Population, records: dict[str, Records]
) -> None:
    hard = make_records(population, orders(), Dirt().doubled(), seed=7)
    name = "shop.order_contacts"

    for kind in ("placeholder_email", "swapped_name", "missing_phone", "email_typo"):
        ratio = has(hard[name], kind).mean() / has(records[name], kind).mean()
        assert ratio == pytest.approx(2, abs=0.5), kind


def test_without_dirt_records_say_what_is_true_at_their_time(
    population: Population, clean: dict[str, Records]
) -> None:
    part = clean["shop.order_contacts"]
    truth = population.people.take(pa.array(part.person))
    changed = pc.fill_null(
        pc.greater(truth["email_changed_on"].cast(pa.timestamp("us")), part.table["ordered_at"]),
        False,
    )
    emails = pc.if_else(changed, truth["old_email"], truth["email"])

    assert part.table["email"].to_pylist() == emails.to_pylist()
    assert part.table["first_name"].to_pylist() == truth["first_name"].to_pylist()


def test_without_dirt_only_what_changed_is_old(clean: dict[str, Records]) -> None:
    kinds = {
        kind
        for part in clean.values()
        for kind in pc.unique(part.truth["dirt"].combine_chunks().flatten()).to_pylist()
    }

    assert kinds == {
        "maiden_name", "odd_phone_form", "old_address", "old_email", "old_phone",
        "recycled_phone", "second_account", "second_card",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["shop.order_contacts", "crm.contacts"])
def test_a_record_that_differs_from_the_truth_says_why(
    population: Population, records: dict[str, Records], name: str
) -> None:
    part = records[name]
    truth = population.people.take(pa.array(part.person))
    blameless = pc.equal(pc.list_value_length(part.truth["dirt"]), 0).to_numpy()
    for field in ("first_name", "last_name", "email", "phone", "street", "city"):
        same = pc.equal(part.table[field], truth[field]).to_numpy(zero_copy_only=False)
        assert same[blameless].all(), field


def test_every_record_has_its_own_key_and_a_person(
    population: Population, records: dict[str, Records]
) -> None:
    keys = [key for part in records.values() for key in part.truth["record_key"].to_pylist()]
    people = set(population.people["person_id"].to_pylist())

    assert len(set(keys)) == len(keys)
    assert {p for r in records.values() for p in r.truth["person_id"].to_pylist()} <= people


@pytest.mark.parametrize("name", list(MISSING))
def test_emails_reach_nobody(records: dict[str, Records], name: str) -> None:
    emails = [
        email.strip().lower() for email in records[name].table["email"].drop_null().to_pylist()
    ]
    hosts = {".".join(email.partition("@")[2].split(".")[-2:]) for email in emails}

    assert hosts - {"test.com"} == {"example.com", "example.org", "example.net"}
    assert {email for email in emails if email.endswith("@test.com")} == {"test@test.com"}


def test_a_box_follows_the_wish_of_its_owner(
    population: Population, records: dict[str, Records]
) -> None:
    told = records["shop.accounts"]
    wishes = make_wishes(population.people.num_rows, 7)["marketing", "email"]
    wish = wishes.at(told.person, told.table["created_at"].to_numpy())
    box = told.table["accepts_marketing"].to_numpy(zero_copy_only=False)

    assert (box != wish).mean() == pytest.approx(CARELESS, abs=0.02)
