"""Members that a partner shares under a contract, as revisions of a file, each with a manifest.

raw_partner.members  one row per member of one revision, with the terms it came under

Needs SOURCES__PARTNER__BUCKET_URL: a folder with one folder per revision that holds members.parquet
or members.csv, and manifest.json with provider, licence, purpose, revision, valid_from and
expires_on. Without a whole manifest nothing of a revision is loaded: we would not know what we may
do with it. The terms stand on every row; when they expire it goes from the lake (`cdp retention`).
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.extract.resource import DltResource

from ingestion.books import entry
from ingestion.contracts import checked_rows, refused, refused_file
from ingestion.csv_drops import parsed_csv
from ingestion.drops import new_files
from warehouse import FilesUnreadableError, RawTable

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
        "origin": "string",
    },
    key=("partner_member_id", "provider", "revision", "expires_on"),
    identifiers={"email_sha256": "email_sha256", "loyalty_number": "loyalty_number"},
    kept_until="expires_on",
)
TABLES = (MEMBERS,)
ROWS_A_BATCH = 250_000  # bounds memory; a batch is checked and written at once


class ManifestInvalidError(RuntimeError):
    """A revision does not say, or not clearly, what may be done with it."""


@dlt.source(name="partner")
def partner(bucket_url: str = dlt.config.value) -> Iterator[DltResource]:
    """The revisions in one folder."""
    yield dlt.resource(_rows, name=MEMBERS.name, write_disposition="append")(bucket_url)


def _rows(bucket_url: str) -> Iterator[object]:
    changed = [path for paths in new_files(bucket_url, "*/*") for path in paths]
    for folder in sorted({path.parent for path in changed}):
        yield from _revision(folder)


def _revision(folder: Path) -> Iterator[object]:
    """A revision as it is now: a change of its manifest alone loads its members anew."""
    manifest = folder / "manifest.json"
    try:
        terms = _terms(manifest)
    except ManifestInvalidError as error:
        text = manifest.read_bytes().decode(errors="replace") if manifest.exists() else ""
        yield from refused_file(MEMBERS, f"{folder.name}/manifest.json", str(error), text)
        return
    for path in sorted(folder.glob("members.*")):
        yield from _members(path, terms)


def _members(path: Path, terms: Mapping[str, str]) -> Iterator[object]:
    origin = f"{path.parent.name}/{path.name}"
    try:
        if path.suffix == ".csv":
            parsed = parsed_csv(MEMBERS, path)
            yield from entry(MEMBERS, "received", parsed.received)
            yield from refused(MEMBERS, parsed.refused)
            yield from checked_rows(
                MEMBERS, _under(parsed.rows.drop_columns("origin"), terms), origin
            )
            return
        for batch in pq.ParquetFile(path).iter_batches(ROWS_A_BATCH):
            yield from entry(MEMBERS, "received", batch.num_rows)
            yield from checked_rows(MEMBERS, _under(pa.Table.from_batches([batch]), terms), origin)
    except (pa.ArrowException, FilesUnreadableError, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # the disk is broken, not the file
            raise
        yield from refused_file(MEMBERS, origin, f"not a readable file: {error}")


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
