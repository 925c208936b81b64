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

    The engine never sees the column with the answers. Records without one are resolved with the
    others, counted, and not scored.
    """
    mapping = load_mapping(_path(name))
    labelled = read(mapping)
    clusters = resolve(labelled.drop_columns(mapping.truth), mapping)
    area = _path(name).stem
    rows = list(agreement_rows(area, joined(labelled, clusters, mapping)))
    if unknown := labelled.column(mapping.truth).null_count:
        rows.insert(1, Row(area, "records not scored", unknown, "count", f"no {mapping.truth}"))
    return rows


def read(mapping: Mapping) -> pa.Table:
    """The columns that the mapping names, as text. Raises MappingError."""
    if mapping.data is None or not mapping.data.exists():
        raise MappingError(f"There is no file {mapping.data}; `data` is read beside the mapping.")
    names = [mapping.record_key, mapping.truth, *mapping.fields]
    try:
        rows = _texts(_file(mapping.data, names), names)
    except (pa.ArrowException, OSError) as error:
        raise MappingError(
            f"{mapping.data} cannot be read: {error}. It must be parquet, or CSV in UTF-8 with"
            " commas and one header."
        ) from error
    except MappingError as error:
        raise MappingError(f"{mapping.data} {error}") from None
    key, truth = rows.column(mapping.record_key), rows.column(mapping.truth)
    if key.null_count:
        raise MappingError(
            f"The column {mapping.record_key} is empty somewhere: each record needs a value."
        )
    if rows.num_rows and truth.null_count == rows.num_rows:
        raise MappingError(f"The column {mapping.truth} is empty: there is nothing to score by.")
    if pc.count_distinct(key).as_py() < rows.num_rows:
        raise MappingError(f"The column {mapping.record_key} names two records alike.")
    return rows


def _texts(rows: pa.Table, names: list[str]) -> pa.Table:
    """These columns as text, each of which must be there once."""
    for name in names:
        if (times := rows.column_names.count(name)) != 1:
            has = ", ".join(rows.column_names)
            raise MappingError(
                f"has {f'{times} columns' if times else 'no column'} {name}. It has: {has}."
            )
    return pa.table({name: _text(rows.column(name), name) for name in names})


def _text(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    if isinstance(column.type, pa.UuidType):
        return pa.chunked_array(
            [[value and str(value) for value in column.to_pylist()]], pa.string()
        )
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowException as error:
        raise MappingError(
            f"has a column {name} of {column.type}, which is no text: write it as text, or leave it"
            " out of the mapping."
        ) from error


def joined(labelled: pa.Table, clusters: pa.Table, mapping: Mapping) -> pa.Table:
    """One row per record whose person is known: the cluster it was put in, and its person."""
    keys, persons = labelled.column(mapping.record_key), labelled.column(mapping.truth)
    answers = pa.table({"record_key": keys, "person_id": persons}).drop_null()
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
