"""Labelled tables: read as the mapping says, and refused with a reason."""

from pathlib import Path

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
        ("id,who,name\n1,,Ann\n", "who is empty somewhere"),
        ("", "cannot be read: Empty CSV file"),
        ("id,who,name\n1,7\n", "cannot be read: .* Expected 3 columns, got 2"),
        ("id,who,name,name\n1,7,Ann,Bob\n", "has 2 column name"),
    ],
)
def test_a_table_that_does_not_fit_is_told_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MappingError, match=told):
        labelled.read(_mapping(tmp_path, text))


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
