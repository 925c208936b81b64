"""The scorecard of a whole company after one refresh, and of one whom somebody has left."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run

pytestmark = pytest.mark.slow


def kept(home: Path) -> list[dict[str, Any]]:
    """The rows of the newest score."""
    newest = max((home / "scores").glob("*.json"))
    rows: list[dict[str, Any]] = json.loads(newest.read_text())["rows"]
    return rows


def values(rows: list[dict[str, Any]]) -> dict[tuple[str, str], float | None]:
    """Each figure by its area and metric."""
    return {(row["area"], row["metric"]): row["value"] for row in rows}


def test_what_must_be_0_is_0_and_the_same_company_scores_the_same(
    company_copy: Path, cdp: Run
) -> None:
    by_the_refresh = kept(company_copy)

    done = cdp("score")

    again = kept(company_copy)
    changed = {key for key, value in values(again).items() if value != values(by_the_refresh)[key]}
    broken = [row["metric"] for row in again if row["must_be_zero"] and row["value"]]
    assert (done.returncode, broken) == (0, []), done.stdout
    assert changed <= {("identity", "records whose id changed")}, "known from the second on"
    assert "last run" in done.stdout


def test_every_part_that_is_built_has_figures(company: Path) -> None:
    areas = {row["area"] for row in kept(company) if row["value"] is not None}
    assert areas >= {
        *("identity", "identity with browsers", "profiles", "audiences"),
        *("sequences", "attribution", "reconciliation", "privacy"),
    }


def test_an_erased_person_leaves_no_trace(company_copy: Path, cdp: Run) -> None:
    done = cdp("score", "--erase")

    rows = values(kept(company_copy))
    assert (done.returncode, rows["privacy", "traces after an erase"]) == (0, 0), done.stdout


def test_an_erasure_that_crashes_is_told_and_not_scored(company_copy: Path, cdp: Run) -> None:
    before = kept(company_copy)
    for file in (company_copy / "lake").rglob("*.parquet"):
        file.write_bytes(b"no parquet")

    done = cdp("score", "--erase")

    assert (done.returncode, "`cdp erase` stopped" in done.stdout) == (1, True), done.stdout
    assert kept(company_copy) == before
