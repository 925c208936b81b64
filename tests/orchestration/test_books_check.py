"""The check that guards every load."""

import dataclasses
from pathlib import Path

import dagster as dg
import pytest

from ingestion import contracts
from ingestion.registry import SOURCES
from orchestration.defs.ingestion.assets import _assets
from tests.ingestion.samples import receipt_line, receipts

WHOLE = contracts.check


def losing_one(*given: object) -> contracts.Checked:
    """A step with a mistake: it loses the first row of a batch."""
    checked = WHOLE(*given)  # type: ignore[arg-type]
    return dataclasses.replace(checked, accepted=checked.accepted.slice(1))


@pytest.mark.parametrize(("check", "builds"), [(WHOLE, 1), (losing_one, 0)])
def test_nothing_is_built_on_a_load_that_lost_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: object, builds: int
) -> None:
    (tmp_path / "a.csv").write_text(receipts(receipt_line("R1"), receipt_line("R2")))
    monkeypatch.setenv("SOURCES__POS__BUCKET_URL", tmp_path.as_uri())
    monkeypatch.setattr(contracts, "check", check)
    built = []

    @dg.asset(deps=[["raw_pos", "receipt_lines"]])
    def model() -> None:
        built.append("model")

    done = dg.materialize([_assets(SOURCES["pos"]), model], raise_on_error=False)

    assert (done.success, len(built)) == (bool(builds), builds)
