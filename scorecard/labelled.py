"""Identity on one labelled table, through the engine and the measures of the platform."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from identity.labelled import resolve
from identity.mapping import Mapping, MappingError, load_mapping
from scorecard.identity import agreement_rows
from scorecard.rows import Row

DATASETS = Path(__file__).with_name("datasets")


def score(name: str) -> list[Row]:
    """How right identity is on a set that we ship, by its name, or on a mapping, by its path.

    The engine never sees the column with the answers.
    """
    mapping = load_mapping(_path(name))
    labelled = read(mapping)
    clusters = resolve(labelled.drop_columns(mapping.truth), mapping)
    return list(agreement_rows(_path(name).stem, joined(labelled, clusters, mapping)))


def read(mapping: Mapping) -> pa.Table:
    """The columns that the mapping names, as text. Raises MappingError."""
    if mapping.data is None or not mapping.data.exists():
        raise MappingError(f"There is no file {mapping.data}; `data` is read beside the mapping.")
    names = [mapping.record_key, mapping.truth, *mapping.fields]
    try:
        rows = _texts(_file(mapping.data, names), names)
    except (pa.ArrowException, OSError) as error:
        raise MappingError(f"{mapping.data} cannot be read: {error}") from error
    except MappingError as error:
        raise MappingError(f"{mapping.data} {error}") from None
    for name in (mapping.record_key, mapping.truth):
        if rows.column(name).null_count:
            raise MappingError(f"The column {name} is empty somewhere: each record needs a value.")
    if pc.count_distinct(rows.column(mapping.record_key)).as_py() < rows.num_rows:
        raise MappingError(f"The column {mapping.record_key} names two records alike.")
    return rows


def _texts(rows: pa.Table, names: list[str]) -> pa.Table:
    """These columns as text, each of which must be there once."""
    for name in names:
        if (times := rows.column_names.count(name)) != 1:
            has = ", ".join(rows.column_names)
            raise MappingError(f"has {times or 'no'} column {name}. It has: {has}.")
    return pa.table({name: pc.cast(rows.column(name), pa.string()) for name in names})


def joined(labelled: pa.Table, clusters: pa.Table, mapping: Mapping) -> pa.Table:
    """One row per record: the cluster it was put in, and its person."""
    keys, persons = labelled.column(mapping.record_key), labelled.column(mapping.truth)
    answers = pa.table({"record_key": keys, "person_id": persons})
    found = clusters.select(["record_key", "cluster"])
    return answers.join(found.rename_columns(["record_key", "customer_id"]), "record_key")


def _file(path: Path, names: list[str]) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    types = dict.fromkeys(names, pa.string())
    convert = csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
    return csv.read_csv(path, convert_options=convert)


def _path(name: str) -> Path:
    ours = DATASETS / f"{name}.yml"
    return ours if ours.exists() else Path(name)
