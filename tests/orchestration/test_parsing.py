"""When the dbt project is parsed anew."""

import json
from pathlib import Path

import pytest

from orchestration.parsing import parsed_manifest
from tests.conftest import use_home


def test_a_manifest_that_came_with_a_copied_home_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is new, what is in it is not."""
    target = use_home(tmp_path / "data", monkeypatch) / "dbt" / "target"
    target.mkdir(parents=True, exist_ok=True)
    old = {"metadata": {"generated_at": "2011-12-09T12:00:00.000000Z"}, "nodes": {}}
    (target / "manifest.json").write_text(json.dumps(old))

    assert json.loads(parsed_manifest().read_bytes())["nodes"]
