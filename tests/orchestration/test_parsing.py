"""When the dbt project is parsed anew."""

import json
from pathlib import Path

import pytest

from orchestration.parsing import parsed_manifest
from tests.conftest import use_home

OLD = json.dumps({"metadata": {"generated_at": "2011-12-09T12:00:00.000000Z"}, "nodes": {}})


@pytest.mark.parametrize("found", [OLD, OLD[:50]], ids=["of a copied home", "half written"])
def test_a_manifest_of_another_time_or_none_is_not_believed(
    found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is new, what is in it is not."""
    target = use_home(tmp_path / "data", monkeypatch) / "dbt" / "target"
    target.mkdir(parents=True, exist_ok=True)
    (target / "manifest.json").write_text(found)

    assert json.loads(parsed_manifest().read_bytes())["nodes"]
