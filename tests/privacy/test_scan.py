"""Reading files back: what names a person, and what only looks like it."""

from pathlib import Path

import pyarrow as pa
import pytest

import warehouse
from ingestion import quarantine, refused_files
from ingestion.pipeline import load
from privacy.erasure import _forget_in_lake
from privacy.person import Person
from privacy.scan import scan
from warehouse.lake import quarantine_of

COLE, NICOLE = "cole@x.org", "nicole@x.org"


@pytest.mark.parametrize(
    ("written", "paths"),
    [
        (f"to: {NICOLE}", []),
        (f"to: {NICOLE}, {COLE}", ["mail.txt"]),
        (f"{NICOLE}{COLE}", ["mail.txt"]),
        ("to: unknowncole@x.org", ["mail.txt"]),
    ],
)
def test_a_part_of_somebody_elses_identifier_names_nobody(
    home: Path, written: str, paths: list[str]
) -> None:
    identifiers = pa.table({"identifier_value": [NICOLE, "+442071838750"]})
    warehouse.replace("identity.int_identity__identifiers", identifiers)
    (home / "mail.txt").write_text(written)

    assert [hit.path for hit in scan([COLE])] == paths


def test_of_two_people_who_left_neither_hides_the_other(home: Path) -> None:
    warehouse.replace(
        "identity.int_identity__identifiers", pa.table({"identifier_value": [NICOLE]})
    )
    (home / "mail.txt").write_text(NICOLE)
    assert "mail.txt" in {hit.path for hit in scan([COLE, NICOLE])}


def test_a_file_that_cannot_be_read_is_a_trace(home: Path) -> None:
    home.mkdir()
    (home / "torn.parquet").write_bytes(b"PAR1 torn")
    (hit,) = scan([COLE])

    assert (hit.path, hit.found) == ("torn.parquet", "it cannot be read")


def test_an_erasure_takes_out_refused_files_that_name_the_person_or_hide_whom_they_name(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_files, "MOST_KEPT", 1)  # byte: all of them are kept beside
    warehouse.replace(
        "identity.int_identity__identifiers", pa.table({"identifier_value": [NICOLE]})
    )
    for name, form in (("texts", "csv"), ("torn", "parquet")):
        settings = {"TYPE": "files", "KIND": "pos", "RECEIPT_LINES": f"*.{form}"}
        for setting, value in {**settings, "BUCKET_URL": str(tmp_path)}.items():
            monkeypatch.setenv(f"SOURCES__{name}__{setting}".upper(), value)
    (tmp_path / "cole.csv").write_text(f"mail\n{COLE}\n")
    (tmp_path / "nicole.csv").write_text(f"mail\n{NICOLE}\n")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 torn")
    refused = [load(source).quarantined for source in ("texts", "torn")]
    for source in ("texts", "torn"):
        _forget_in_lake(Person("c", (), (("email", COLE),)), quarantine_of(source), [])

    left = [path.read_text() for path in refused_files.folder_of("texts").iterdir()]
    assert (refused, left) == ([2, 1], [f"mail\n{NICOLE}\n"])
    assert [quarantine.refusals(source).num_rows for source in ("texts", "torn")] == [1, 0]
    assert list(refused_files.folder_of("torn").iterdir()) == []
