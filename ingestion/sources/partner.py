"""Members that a partner shares under a contract, as revisions of a file, each with a manifest.

raw_partner.members  one row per member of one revision, with the terms it came under

Needs SOURCES__PARTNER__BUCKET_URL: a folder with one folder per revision that holds members.parquet
or members.csv, and manifest.json with provider, licence, purpose, revision, valid_from and
expires_on. Without a whole manifest nothing of a revision is loaded: we would not know what we may
do with it. The terms stand on every row; when they expire it goes from the lake (`cdp retention`).

SOURCES__<NAME>__TYPE=partner makes a data set beside it, whose columns settings map
(`own_columns.py`) and whose revisions take no place of another's.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource
from dlt.extract.source import DltSource

from ingestion.contracts import Kept, refused_file
from ingestion.drops import Drop, new_files
from ingestion.own_columns import Mapped, WrongMappingError, mapped_tables
from ingestion.whole_files import parquet_rows, parsed_csv, text_rows
from warehouse import File, RawTable, csv_rows
from warehouse.files import Parsed

TERMS = {
    "provider": "string",
    "licence": "string",
    "purpose": "string",
    "revision": "string",
    "valid_from": "date",
    "expires_on": "date",
}
MEMBERS = RawTable(
    source="partner",
    name="members",
    grain="One row per member of one revision",
    columns={
        "partner_member_id": "string",
        "email_sha256": "string",
        "loyalty_number": "string",
        "household_income_band": "string",
        "interests": "string",
        "home_owner": "boolean",
        "as_of": "date",
        **TERMS,
        "data_set": "string",  # the source or instance that its revisions belong to
        "origin": "string",
    },
    key=("partner_member_id", "provider", "revision", "expires_on"),
    identifiers={"email_sha256": "email_sha256", "loyalty_number": "loyalty_number"},
    kept_until="expires_on",
)
TABLES = (MEMBERS,)
MEMBERS_FILES = "members.*"
SETTINGS = ("type", "bucket_url")


class ManifestInvalidError(RuntimeError):
    """A revision does not say, or not clearly, what may be done with it."""


@dataclass(frozen=True)
class _DataSet:
    """A partner's folder: the table that it fills, its files and how columns are mapped, if so."""

    table: RawTable
    files: str = MEMBERS_FILES
    mapped: Mapped | None = None

    def parsed(self, file: File, terms: Mapping[str, str]) -> Parsed:
        """The rows of a CSV file. Raises FilesUnreadableError and WrongMappingError."""
        parsed = csv_rows(file) if self.mapped else parsed_csv(self.table, file)
        rows = parsed.rows.drop_columns("origin")
        rows = self.rows(rows, terms) if rows.column_names else rows
        return replace(
            parsed, rows=rows.add_column(0, "origin", pa.repeat(file.name, parsed.rows.num_rows))
        )

    def rows(self, given: pa.Table, terms: Mapping[str, str]) -> pa.Table:
        """Rows under their terms, by our names."""
        rows = _under(given, {**terms, "data_set": self.table.source})
        return (
            self.mapped.rows(rows, self.mapped.theirs(rows.column_names)) if self.mapped else rows
        )


@dlt.source(name="partner")
def partner(bucket_url: str = dlt.config.value) -> Iterator[DltResource]:
    """The revisions in one folder."""
    resource = dlt.resource(_rows, name=MEMBERS.name, write_disposition="append")
    yield resource(_DataSet(MEMBERS), bucket_url)


def opened(instance: str, tables: tuple[RawTable, ...], given: Mapping[str, str]) -> DltSource:
    """The revisions of one more data set. Raises WrongMappingError."""
    named = {MEMBERS.name: MEMBERS_FILES, **given}
    (mapped,) = mapped_tables(instance, tables, named, SETTINGS)
    if of_manifest := {*TERMS, "data_set"} & mapped.columns.keys():
        column = min(of_manifest)
        raise WrongMappingError(f"{mapped.named(column)}: that is said by manifest.json alone")

    @dlt.source(name=instance)
    def resources() -> Iterator[DltResource]:
        resource = dlt.resource(_rows, name=MEMBERS.name, write_disposition="append")
        yield resource(_DataSet(mapped.table, mapped.place, mapped), given["bucket_url"])

    return resources()


def _rows(data_set: _DataSet, bucket_url: str) -> Iterator[object]:
    changed = [path for paths in new_files(bucket_url, "*/*") for path in paths]
    for folder in sorted({path.parent for path in changed}):
        yield from _revision(data_set, folder)


def _revision(data_set: _DataSet, folder: Path) -> Iterator[object]:
    """A revision as it is now: a change of its manifest alone loads its members anew."""
    manifest = folder / "manifest.json"
    try:
        terms = _terms(manifest)
    except ManifestInvalidError as error:
        text = manifest.read_bytes().decode(errors="replace") if manifest.exists() else ""
        origin = f"{folder.name}/manifest.json"
        yield from refused_file(data_set.table, origin, str(error), Kept(text))
        return
    for path in sorted(folder.glob(data_set.files)):
        yield from _members(data_set, path, terms)


def _members(data_set: _DataSet, path: Path, terms: Mapping[str, str]) -> Iterator[object]:
    file = Drop(f"{path.parent.name}/{path.name}", str(path), path.stat().st_size, version="")
    if path.suffix == ".csv":
        yield from text_rows(data_set.table, [file], partial(data_set.parsed, terms=terms))
    else:
        yield from parquet_rows(data_set.table, file, partial(data_set.rows, terms=terms))


def _under(rows: pa.Table, terms: Mapping[str, str]) -> pa.Table:
    """The rows with the manifest's terms, which no column of the file overrules."""
    rows = rows.drop_columns([name for name in rows.column_names if name.lower() in terms])
    for name, value in terms.items():
        rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
    return rows


def _terms(manifest: Path) -> dict[str, str]:
    given = _json_object(manifest)
    problems = [problem for name in TERMS if (problem := _problem(name, given.get(name)))]
    if not problems and given["valid_from"] >= given["expires_on"]:
        problems = ["expires_on is not after valid_from"]
    if problems:
        raise ManifestInvalidError(f"manifest.json: {'; '.join(problems)}")
    return {name: given[name] for name in TERMS}


def _json_object(manifest: Path) -> dict[str, Any]:
    if not manifest.is_file():
        raise ManifestInvalidError("manifest.json is missing")
    try:
        given = json.loads(manifest.read_bytes())
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ManifestInvalidError("manifest.json is not a JSON object")
    return given


def _problem(name: str, value: object) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        return f"{name} is missing"
    if not isinstance(value, str):
        return f"{name} is not text"
    return f"{name} is not a date" if TERMS[name] == "date" and not _is_date(value) else ""


def _is_date(text: str) -> bool:
    """Whether it is a date as 2011-12-09: in that form alone they compare as text."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
