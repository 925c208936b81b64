"""What training finds out about records whose errors are known."""

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from identity.likely import (
    LinkModel,
    block_keys,
    candidate_pairs,
    count_namesakes,
    key_caps,
    prepare,
    score,
    train,
)
from warehouse import scratch

FIELDS = {"first": "given_name", "last": "family_name", "born": "date", "phone": "phone"}
PEOPLE = 4_000
MOVED = 0.2  # of second records have another phone
UNEQUAL = 0.1  # of second records have another birth date


def records(seed: int = 5) -> pa.Table:
    """Two records per person, the second with another phone or birth date at known rates."""
    rng = np.random.default_rng(seed)
    firsts, lasts = (
        np.array(["".join(rng.choice(list("abcdefghijklmnop"), 6)) for _ in range(size)], object)
        for size in (200, 900)
    )
    first, last = rng.choice(firsts, PEOPLE), rng.choice(lasts, PEOPLE)
    born, other_born = (
        (np.datetime64("1940-01-01") + rng.integers(0, 22_000, PEOPLE)).astype(str)
        for _ in range(2)
    )
    phone, other_phone = (
        np.array([f"+44{number}" for number in rng.integers(10**9, 10**10, PEOPLE)])
        for _ in range(2)
    )
    second_phone = np.where(rng.random(PEOPLE) < MOVED, other_phone, phone)
    second_born = np.where(rng.random(PEOPLE) < UNEQUAL, other_born, born)
    return pa.table(
        {
            "record_no": pa.array(range(2 * PEOPLE), pa.int64()),
            "person": pa.array(np.tile(np.arange(PEOPLE), 2)),
            "first": pa.array(np.tile(first, 2), pa.string()),
            "last": pa.array(np.tile(last, 2), pa.string()),
            "born": pa.array(np.concatenate([born, second_born]), pa.string()),
            "phone": pa.array(np.concatenate([phone, second_phone]), pa.string()),
        }
    )


def couples() -> pa.Table:
    """The records, every second person with surname and phone of the one before."""
    people = records()
    partner = pa.array(np.arange(2 * PEOPLE) // 2 * 2)
    shared = {name: people[name].take(partner) for name in ("last", "phone")}
    for name, column in {**shared, "born": pa.nulls(2 * PEOPLE, pa.string())}.items():
        people = people.set_column(people.column_names.index(name), name, column)
    return people


def weight_without_first_name(people: pa.Table) -> float:
    """What an equal surname and phone say of two records, one of them without a first name."""
    model = trained(people, has_labels=False)
    one = people.slice(0, 1)
    other = one.set_column(0, "record_no", pa.array([1], pa.int64()))
    other = other.set_column(other.column_names.index("first"), "first", pa.nulls(1, pa.string()))
    with scratch(people=pa.concat_tables([one, other])) as session:
        prepare(session, "people", FIELDS, "prepared")
        block_keys(session, "prepared", FIELDS, "keys")
        count_namesakes(session, "prepared", "keys", FIELDS, "counted")
        session.execute("create temp table pairs as select 0 as a, 1 as b")
        score(session, "pairs", "counted", model, "scored")
        return float(session.read("scored").column("weight")[0].as_py())


def trained(people: pa.Table, *, has_labels: bool, threads: int = 2) -> LinkModel:
    """The model of these records."""
    with scratch(people=people) as session:
        session.execute(f"set threads = {threads}")
        prepare(session, "people", FIELDS, "prepared")
        block_keys(session, "prepared", FIELDS, "keys")
        count_namesakes(session, "prepared", "keys", FIELDS, "counted")
        candidate_pairs(session, "keys", key_caps(FIELDS), "pairs")
        session.execute(
            "create temp table known as select l.record_no as a, r.record_no as b"
            " from people as l inner join people as r on l.person = r.person"
            " and l.record_no < r.record_no and l.person % 4 = 0"
        )
        return train(session, "counted", FIELDS, "pairs", "known" if has_labels else None)


@cache
def model_of_records(has_labels: bool) -> LinkModel:
    """The model of the records as they are, which several tests look at."""
    return trained(records(), has_labels=has_labels)


@pytest.mark.parametrize("has_labels", [True, False], ids=["from unique ids", "from nothing"])
def test_training_finds_the_rates_of_errors(has_labels: bool) -> None:
    model = model_of_records(has_labels)
    phone, born = (model.comparisons[name].levels[-1].m for name in ("phone", "born"))
    assert (phone, born) == (
        pytest.approx(1 - MOVED, abs=0.03),
        pytest.approx(1 - UNEQUAL, abs=0.03),
    )


def test_training_finds_how_often_random_values_agree() -> None:
    last = model_of_records(False).comparisons["last"].levels[-1]
    assert last.u == pytest.approx(1 / 900, rel=0.2)


def test_training_finds_how_many_pairs_are_one_person() -> None:
    size = 2 * PEOPLE
    prior = model_of_records(False).prior
    assert prior == pytest.approx(PEOPLE / (size * (size - 1) / 2), rel=0.05)


def test_two_records_of_a_name_are_rather_one_person_than_two_of_many() -> None:
    many, *_, two = model_of_records(False).comparisons["namesakes"].levels
    assert many.weight < 0 < two.weight


def test_the_model_depends_neither_on_threads_nor_on_the_order_of_rows() -> None:
    people = records()
    shuffled = people.take(np.random.default_rng(1).permutation(people.num_rows))
    one, other = (
        trained(table, has_labels=False, threads=threads).version
        for table, threads in ((people, 1), (shuffled, 4))
    )
    assert one == other


def test_a_model_names_no_value_that_few_records_hold() -> None:
    model = model_of_records(False)
    counts = records().column("last").value_counts().to_pylist()
    rare = {entry["values"] for entry in counts if entry["counts"] < 5}
    assert not rare & set(model.frequencies["last"].common)


def test_couples_do_not_teach_that_one_person_has_two_first_names() -> None:
    assert trained(couples(), has_labels=False).comparisons["first"].is_veto


def test_surname_and_phone_prove_one_person_only_where_no_couples_share_them() -> None:
    strangers = records().set_column(4, "born", pa.nulls(2 * PEOPLE, pa.string()))
    assert weight_without_first_name(couples()) < 3  # bits: 8 to 1
    assert weight_without_first_name(strangers) > 6  # noqa: PLR2004  bits: 64 to 1
