"""Labelled tables: read as the mapping says, and refused with a reason."""

from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from identity.mapping import Mapping, MappingError, load_mapping
from scorecard import labelled

SETS = sorted(path.stem for path in labelled.DATASETS.glob("*.yml"))


def _mapping(folder: Path, text: str, name: str = "people.csv") -> Mapping:
    (folder / name).write_text(text)
    return Mapping("id", "who", {"name": "full_name"}, folder / name)


def test_a_table_is_read_as_text_and_what_is_not_mapped_is_left(tmp_path: Path) -> None:
    rows = labelled.read(_mapping(tmp_path, "id,who,name,age\n01,7,NA,3\n02,7,,4\n"))
    assert rows.to_pydict() == {"id": ["01", "02"], "who": ["7", "7"], "name": ["NA", None]}


def test_a_parquet_file_is_read_alike(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "who": [7], "name": ["Ann"]}), tmp_path / "p.parquet")
    mapping = Mapping("id", "who", {"name": "full_name"}, tmp_path / "p.parquet")
    assert labelled.read(mapping).to_pylist() == [{"id": "1", "who": "7", "name": "Ann"}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,name\n1,Ann\n", "has no column who. It has: id, name"),
        ("id,who,name\n1,7,Ann\n1,7,Bob\n", "id names two records alike"),
        ("id,who,name\n1,7,Ann\n,7,Bob\n", "id is empty somewhere"),
        ("id,who,name\n1,,Ann\n", "who is empty: there is nothing to score by"),
        ("", "cannot be read: Empty CSV file"),
        ("id;who;name\n1;7;Ann\n", "has no column id. It has: id;who;name"),
        ("id,who,name\n1,7\n", "cannot be read: .* Expected 3 columns, got 2"),
        ("id,who,name,name\n1,7,Ann,Bob\n", "has 2 columns name"),
    ],
)
def test_a_table_that_does_not_fit_is_told_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MappingError, match=told):
        labelled.read(_mapping(tmp_path, text))


def test_keys_may_be_uuids(tmp_path: Path) -> None:
    key = UUID(int=7)
    ids = pa.array([key.bytes], pa.uuid())
    pq.write_table(pa.table({"id": ids, "who": [7], "name": ["Ann"]}), tmp_path / "p.parquet")
    mapping = Mapping("id", "who", {"name": "full_name"}, tmp_path / "p.parquet")
    assert labelled.read(mapping)["id"].to_pylist() == [str(key)]


def test_a_column_that_is_no_text_is_named(tmp_path: Path) -> None:
    table = pa.table({"id": [1], "who": [7], "name": [["Ann", "Lee"]]})
    pq.write_table(table, tmp_path / "p.parquet")
    mapping = Mapping("id", "who", {"name": "full_name"}, tmp_path / "p.parquet")
    with pytest.raises(MappingError, match="a column name of list.* leave it out of the mapping"):
        labelled.read(mapping)


def test_a_file_in_another_encoding_is_told_what_it_must_be(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes("id,who,name\n1,7,Zoë\n".encode("latin-1"))
    mapping = Mapping("id", "who", {"name": "full_name"}, tmp_path / "people.csv")
    with pytest.raises(MappingError, match="must be parquet, or CSV in UTF-8"):
        labelled.read(mapping)


def test_records_of_unknown_truth_are_resolved_and_counted_not_scored(tmp_path: Path) -> None:
    columns = {"id": [1, 2, 3], "who": [7, 7, None], "first": ["Ann"] * 3, "last": ["Lee"] * 3}
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    (tmp_path / "p.yml").write_text(
        "{data: p.parquet, record_key: id, truth: who,"
        " fields: {first: given_name, last: family_name}}"
    )
    rows = {row.metric: row.value for row in labelled.score(str(tmp_path / "p.yml"))}
    assert (rows["records scored"], rows["records not scored"]) == (2, 1)


def test_clusters_find_their_records_in_whatever_order_they_come(tmp_path: Path) -> None:
    mapping = _mapping(tmp_path, "id,who,name\n1,a,Ann\n2,a,Ann\n3,b,Ann\n")
    rows = labelled.read(mapping)
    clusters = pa.table({"record_key": ["3", "2", "1"], "cluster": ["x", "x", "y"]})
    records = labelled.joined(rows, clusters, mapping).sort_by("record_key")
    assert records.to_pylist() == [
        {"record_key": "1", "person_id": "a", "customer_id": "y"},
        {"record_key": "2", "person_id": "a", "customer_id": "x"},
        {"record_key": "3", "person_id": "b", "customer_id": "x"},
    ]


@pytest.mark.parametrize("name", SETS)
def test_the_sets_that_we_ship_can_be_read(name: str) -> None:
    rows = labelled.read(load_mapping(labelled.DATASETS / f"{name}.yml"))
    assert rows.num_rows in (1_000, 5_000, 50_578)


@pytest.mark.slow
def test_a_set_that_we_ship_is_scored_by_its_name(home: Path) -> None:
    rows = {row.metric: row.value for row in labelled.score("fake_1000")}
    assert (rows["records scored"], (rows["pairwise F1"] or 0) > 0.9) == (1_000, True)
