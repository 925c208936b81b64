"""How right the engine is on public labelled tables, with nothing chosen for any of them."""

import random
from collections.abc import Iterator
from string import ascii_lowercase

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from identity.labelled import resolve
from identity.likely.blocking import rules
from identity.mapping import Mapping, load_mapping
from scorecard import labelled
from scorecard.partition import agreement

FLOORS = [("fake_1000", 0.94), ("febrl_1", 0.999), ("febrl_2", 0.999), ("febrl_3", 0.999)]


def f1(name: str) -> float:
    """Pairwise F1 on a set that we ship."""
    found = {row.metric: row.value for row in labelled.score(name)}
    return float(found["pairwise F1"] or 0)


@pytest.mark.parametrize(("name", "floor"), FLOORS)
def test_people_of_public_tables_are_found(name: str, floor: float) -> None:
    assert f1(name) > floor


@pytest.mark.slow
def test_historical_figures_with_errors_are_found() -> None:
    assert f1("historical_figures") > 0.92


def test_a_date_in_three_columns_tells_about_as_much_as_in_one() -> None:
    mapping = load_mapping(labelled.DATASETS / "fake_1000.yml")
    table = labelled.read(mapping)
    pieces = pc.split_pattern(table["dob"], "-")
    kinds = {name: kind for name, kind in mapping.fields.items() if name != "dob"}
    for at, piece in enumerate(("year", "month", "day")):
        table = table.append_column(piece, pc.list_element(pieces, at))
        kinds[piece] = "text"
    apart = Mapping(mapping.record_key, mapping.truth, kinds)
    found = labelled.joined(table, resolve(table, apart), apart)
    assert agreement(found["customer_id"], found["person_id"]).f1 > 0.9


def test_half_a_date_is_a_key_to_a_single_name_only_where_no_street_is_known() -> None:
    fields = {"first": "given_name", "last": "family_name", "born": "date"}
    halves = {f"{name} + born {half}" for name in ("first", "last") for half in ("year", "day")}
    assert halves <= {rule.name for rule in rules(fields)}
    assert not halves & {rule.name for rule in rules(fields | {"line": "street"})}


def test_texts_that_a_home_shares_make_a_family_nobody_one() -> None:
    home = {"family": "family_name", "line": "street", "number": "text", "flat": "text"}
    mapping = Mapping("id", "who", {"first": "given_name", "initial": "text", **home})
    table = pa.Table.from_pylist(list(families(400)))
    found = labelled.joined(table, resolve(table, mapping), mapping)
    assert agreement(found["customer_id"], found["person_id"]).f1 > 0.9


def families(homes: int) -> Iterator[dict[str, str]]:
    """Two records each of one to four people of a home, who share all but the first name."""
    draw = random.Random(homes)
    text = "".join
    firsts = [text(draw.choices(ascii_lowercase, k=6)) for _ in range(200)]
    for home in range(homes):
        shared = {"family": text(draw.choices(ascii_lowercase, k=8))}
        shared |= {"line": text(draw.choices(ascii_lowercase, k=9))}
        shared |= {"number": str(draw.randint(1, 999)), "flat": str(draw.randint(1, 99))}
        for first in draw.sample(firsts, draw.randint(1, 4)):
            initial = draw.choice(ascii_lowercase)
            for record in "ab":
                who = {"who": f"{home} {first}", "first": first, "initial": initial}
                yield {"id": f"{home} {first} {record}", **who, **shared}


def test_where_nothing_tells_people_of_one_home_apart_what_a_home_shares_tells_a_person() -> None:
    mapping = load_mapping(labelled.DATASETS / "fake_1000.yml")
    table = labelled.read(mapping)
    shared = {"surname": "family_name", "city": "city", "email": "email"}
    homely = Mapping(mapping.record_key, mapping.truth, shared)
    found = labelled.joined(table, resolve(table, homely), homely)
    assert agreement(found["customer_id"], found["person_id"]).f1 > 0.6


def test_values_that_go_together_are_no_proof_of_one_person() -> None:
    texts = {"sex": "text", "initial": "text"}
    names = {"first": "given_name", "last": "family_name", "born": "date"}
    mapping = Mapping("id", "who", {**names, **texts})
    table = pa.Table.from_pylist(list(generations(4_000)))
    found = labelled.joined(table, resolve(table, mapping), mapping)
    assert agreement(found["customer_id"], found["person_id"]).f1 > 0.5


def generations(people: int) -> Iterator[dict[str, str]]:
    """One record each, two of every fourth; a first name is of one sex and in fashion ten years."""
    draw = random.Random(people)
    firsts = [
        ("".join(draw.choices(ascii_lowercase, k=6)), draw.choice("fm"), draw.randint(192, 200))
        for _ in range(150)
    ]
    lasts = ["".join(draw.choices(ascii_lowercase, k=7)) for _ in range(people)]
    for person in range(people):
        (first, sex, decade), last = draw.choice(firsts), draw.choice(lasts)
        born = f"{decade}{draw.randint(0, 9)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        who = {"who": str(person), "first": first, "sex": sex, "born": born}
        who["initial"] = draw.choice("abcdefgh")
        for record in range(1 + (person % 4 == 0)):
            married = record and draw.random() < 0.1
            yield {
                "id": f"{person} {record}",
                "last": draw.choice(lasts) if married else last,
                **who,
            }


def test_every_record_is_in_one_cluster_and_the_order_of_rows_does_not_matter() -> None:
    mapping = load_mapping(labelled.DATASETS / "fake_1000.yml")
    table = labelled.read(mapping)
    backwards = table.take(list(range(table.num_rows - 1, -1, -1)))
    one, other = (partition(resolve(rows, mapping)) for rows in (table, backwards))
    assert len(one) == 1_000 and one == other


def test_dates_of_one_column_may_be_written_in_two_ways() -> None:
    mapping = load_mapping(labelled.DATASETS / "fake_1000.yml")
    table = labelled.read(mapping)
    iso = table["dob"].to_pylist()
    mixed = [f"{d[5:7]}/{d[8:]}/{d[:4]}" if d and row % 2 else d for row, d in enumerate(iso)]
    other = table.set_column(table.column_names.index("dob"), "dob", pa.array(mixed))
    assert partition(resolve(other, mapping)) == partition(resolve(table, mapping))


def test_the_truth_is_not_read() -> None:
    mapping = load_mapping(labelled.DATASETS / "fake_1000.yml")
    table = labelled.read(mapping).drop_columns([mapping.truth])
    assert resolve(table, mapping).num_rows == table.num_rows


@pytest.mark.parametrize(
    "values", [[None, None, None], ["", "", ""], ["x" * 10_000] * 3, ["\0"] * 3, ["山田"] * 3]
)
def test_a_table_that_tells_nothing_gives_a_result(values: list[str | None]) -> None:
    table = pa.table({"id": ["1", "2", "3"], "name": pa.array(values, pa.string())})
    mapping = Mapping("id", "who", {"name": "family_name"})
    assert resolve(table, mapping).column("record_key").to_pylist() == ["1", "2", "3"]


def partition(clusters: pa.Table) -> dict[str, str]:
    """Each record with the first record of its cluster."""
    firsts: dict[str, str] = {}
    rows = sorted(clusters.to_pylist(), key=lambda row: str(row["record_key"]))
    return {row["record_key"]: firsts.setdefault(row["cluster"], row["record_key"]) for row in rows}


@pytest.mark.parametrize("names", [("record_no", "record_key"), ('na"me', "Na me"), ("a", "A")])
def test_columns_of_a_table_may_have_any_name(names: tuple[str, str]) -> None:
    rows = {"id": ["1", "2", "3"], names[0]: ["Ann", "Ann", "Bob"], names[1]: ["Lee", "Lee", "Ng"]}
    mapping = Mapping("id", "who", dict(zip(names, ("given_name", "family_name"), strict=True)))
    first, second, third = resolve(pa.table(rows), mapping).column("cluster").to_pylist()
    assert first == second != third


def test_a_city_alone_makes_nobody_one() -> None:
    rows = pa.table({"id": ["1", "2"], "town": ["Bath", "Bath"]})
    assert resolve(rows, Mapping("id", "who", {"town": "city"})).num_rows == 2
