"""What a pair of records weighs, on tables small enough to check by eye."""

import json
from collections.abc import Iterator
from pathlib import Path

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
from identity.likely.comparisons import TOLD_BY_A_MAILBOX, comparisons
from warehouse import Session, scratch

FIELDS = {
    "first": "given_name",
    "last": "family_name",
    "born": "date",
    "email": "email",
    "phone": "phone",
    "street": "street",
    "city": "city",
    "postcode": "postcode",
}


def levels(field: str, kind: str, one: str | None, other: str | None) -> str:
    """The level of two values of one field, by name."""
    rows = pa.table({"record_no": [0, 1], field: pa.array([one, other], pa.string())})
    comparison = comparisons({field: kind})[0]
    with scratch(rows=rows) as session:
        prepare(session, "rows", {field: kind}, "prepared")
        found = session.read(
            f"select {comparison.sql} from prepared as l"
            " inner join prepared as r on l.record_no < r.record_no"
        )
    number = found.column(0)[0].as_py()
    return comparison.names[number] if number >= 0 else "missing"


@pytest.mark.parametrize(
    ("kind", "one", "other", "level"),
    [
        ("given_name", "Anna", "ANNA ", "same"),
        ("given_name", "Robert", "Bob", "nickname"),
        ("given_name", "Anna Maria", "Anna", "nickname"),
        ("given_name", "Michael", "Micheal", "misspelt"),
        ("given_name", "J.", "John", "initial"),
        ("given_name", "Anna", "Peter", "differs"),
        ("given_name", "", "Peter", "missing"),
        ("family_name", "O'Brien", "OBrien", "same"),
        ("family_name", "Müller", "Muller", "same"),
        ("family_name", "Smith", "Smith-Jones", "misspelt"),
        ("family_name", "Smith", "Garcia", "differs"),
        ("date", "1980-02-03", "19800203", "same"),
        ("date", "1980-02-03", "1980-03-02", "misspelt"),
        ("date", "1980-02-03", "1981-02-03", "misspelt"),
        ("date", "1980-02-03", "1980-11-27", "same year"),
        ("date", "1980-02-03", "1944-11-27", "differs"),
        ("email", "Ann@Example.com", "ann@example.com", "same"),
        ("email", "ann.berg71@example.com", "ann.berg71@example.net", "same mailbox name"),
        ("email", "ann.berg@example.com", "ann.berg@example.net", "missing"),
        ("email", "ann.berg71@example.com", "annberg71@example.net", "same mailbox name"),
        ("email", "ann.berg@example.com", "annberg@example.com", "missing"),
        ("email", "ann.berg2@example.com", "ann.berg2@example.net", "missing"),
        ("email", "ann.berg@example.com", "ann.brg@example.com", "misspelt"),
        ("email", "ann.berg2@example.com", "ann.berg3@example.com", "differs"),
        ("phone", "+44 20 7946 0001", "020 7946 0001", "same"),
        ("phone", "+442079460001", "+442079460011", "misspelt"),
        ("postcode", "SW1A 1AA", "sw1a1aa", "same"),
        ("postcode", "SW1A 1AA", "SW1A 9ZZ", "same area"),
        ("postcode", "12345", "12399", "same area"),
        ("id", "123-45-6789", "123456789", "same"),
        ("id", "123456789", "123456798", "misspelt"),
        ("text", "engine driver", "engine drivr", "misspelt"),
    ],
)
def test_values_are_as_alike_as_a_reader_says(kind: str, one: str, other: str, level: str) -> None:
    assert levels("field", kind, one, other) == level


MAILBOXES = [
    ("Ann", None, "ann.berg71@x.example", "last", "berg"),
    ("Ann", None, "berg_ann@x.example", "last", "berg"),
    ("Ann", None, "aberg@x.example", "last", "berg"),
    ("A.", None, "aberg@x.example", "last", None),
    ("Ann", None, "anna@x.example", "last", None),
    ("Ann", None, "sales@x.example", "last", None),
    (None, "Van Berg", "ann.vanberg@x.example", "first", "ann"),
    (None, "Berg", "aberg@x.example", "first", None),
    ("Ann", "Lee", "ann.berg@x.example", "last", None),
    ("Ann", None, None, "last", None),
]


@pytest.mark.parametrize(("first", "last", "email", "missing", "told"), MAILBOXES)
def test_a_mailbox_tells_the_name_that_is_missing(
    first: str | None, last: str | None, email: str | None, missing: str, told: str | None
) -> None:
    fields = {"first": "given_name", "last": "family_name", "email": "email"}
    rows = pa.table(
        {
            "record_no": [0],
            **{
                name: pa.array([value], pa.string())
                for name, value in zip(fields, (first, last, email), strict=True)
            },
        }
    )
    with scratch(rows=rows) as session:
        prepare(session, "rows", fields, "prepared")
        found = session.read(f"select {missing}__told from prepared")
    assert found.column(0)[0].as_py() == told


@pytest.fixture()
def session(people: pa.Table) -> Iterator[Session]:
    """A session with people, prepared, and their candidate pairs."""
    with scratch(people=people) as opened:
        prepare(opened, "people", FIELDS, "prepared")
        block_keys(opened, "prepared", FIELDS, "keys")
        count_namesakes(opened, "prepared", "keys", FIELDS, "counted")
        candidate_pairs(opened, "keys", key_caps(FIELDS), "pairs")
        yield opened


HOSTILE = ["", "\0", "x" * 10_000, "山田太郎", "' or 1=1 --", "👩‍👩‍👧", None, " "]


@pytest.fixture()
def people() -> pa.Table:
    """Every field of every person hostile."""
    rows = {name: pa.array(HOSTILE * 3, pa.string()) for name in FIELDS}
    return pa.table({"record_no": pa.array(range(len(HOSTILE) * 3), pa.int64()), **rows})


def test_hostile_values_get_a_weight(session: Session) -> None:
    model = train(session, "counted", FIELDS, "pairs")
    score(session, "pairs", "counted", model, "scored")
    scored = session.read("select * from scored")
    assert scored.num_rows and scored.column("weight").null_count == 0


def test_a_saved_model_is_the_same_model(session: Session, tmp_path: Path) -> None:
    model = train(session, "counted", FIELDS, "pairs")
    model.save(tmp_path / "model.json")
    assert LinkModel.load(tmp_path / "model.json") == model


def test_a_level_that_a_model_was_not_trained_for_says_nothing(
    session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "model.json"
    train(session, "counted", FIELDS, "pairs").save(path)
    old = json.loads(path.read_text())
    levels = old["comparisons"]["last"]["levels"]
    levels[:] = [level for level in levels if level["name"] != TOLD_BY_A_MAILBOX]
    path.write_text(json.dumps(old))
    known = {level.name: level.weight for level in LinkModel.load(path).comparisons["last"].levels}
    assert (known[TOLD_BY_A_MAILBOX], known["same"]) == (
        0.0,
        pytest.approx(levels[-1]["weight"], abs=0.001),
    )


def judged(first: list[str | None], last: list[str | None], email: list[str]) -> list[float]:
    """The weight of two records that meet, by the default model."""
    fields = {"first": "given_name", "last": "family_name", "email": "email"}
    people = pa.table(
        {
            "record_no": pa.array([0, 1], pa.int64()),
            "first": pa.array(first, pa.string()),
            "last": pa.array(last, pa.string()),
            "email": email,
        }
    )
    with scratch(people=people) as session:
        prepare(session, "people", fields, "prepared")
        block_keys(session, "prepared", fields, "keys")
        count_namesakes(session, "prepared", "keys", fields, "counted")
        candidate_pairs(session, "keys", key_caps(fields), "pairs")
        model = train(session, "counted", fields, "pairs")
        score(session, "pairs", "counted", model, "scored")
        assert session.number("select count(*) from pairs") == 1
        return [row["weight"] for row in session.read("scored").to_pylist()]


def test_a_table_of_two_is_judged_by_the_default_model() -> None:
    (weight,) = judged(["Robert", "Bob"], ["Hill", "Hill"], ["bob@example.com"] * 2)
    assert weight > 0


def test_a_pair_of_which_nothing_can_be_compared_speaks_neither_for_nor_against() -> None:
    boxes = ["ann.berg@x.example", "ann.berg@y.example"]
    assert judged(["Ann", None], ["Berg", None], boxes) == []
