"""Mappings of labelled tables: what is understood, and what a wrong one is told."""

from pathlib import Path

import pytest

from identity.mapping import Mapping, MappingError, load_mapping

GOOD = """
data: people.csv
record_key: record_id
truth: person_id
fields:
  given: given_name
  born: date
"""


def _load(folder: Path, text: str) -> Mapping:
    path = folder / "people.yml"
    path.write_text(text)
    return load_mapping(path)


def test_a_mapping_says_what_each_column_means(tmp_path: Path) -> None:
    assert _load(tmp_path, GOOD) == Mapping(
        record_key="record_id",
        truth="person_id",
        fields={"given": "given_name", "born": "date"},
        data=tmp_path / "people.csv",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("born: date", "born: birthday"), "unknown kind 'birthday'. Kinds: given_n"),
        (GOOD.replace("truth: person_id", ""), "`truth` is missing"),
        (GOOD.replace("born:", "person_id:"), "person_id has two meanings"),
        (GOOD.replace("record_id", "person_id"), "person_id has two meanings"),
        (GOOD + "treshold: 3", "unknown entry `treshold`. Entries: data"),
        (GOOD.partition("fields")[0] + "fields: {}", "`fields` is empty"),
        (GOOD.partition("fields")[0] + "fields: [given]", "`fields` must be a list of"),
        ("", "expected the entries data"),
        ("a: [", "is no YAML"),
    ],
)
def test_a_wrong_mapping_is_told_what_is_wrong(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MappingError) as error:
        _load(tmp_path, text)
    assert told in str(error.value) and "people.yml" in str(error.value)


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"There is no mapping .*none\.yml"):
        load_mapping(tmp_path / "none.yml")
