"""The unit tests that stand under the models, each a rule with made-up rows."""

import subprocess
import sys
from pathlib import Path

import pytest

import settings

pytestmark = pytest.mark.slow


def test_every_rule_of_a_model_holds(company: Path) -> None:
    dbt = Path(sys.executable).parent / "dbt"
    done = subprocess.run(
        [dbt, "test", "--select", "test_type:unit", "--project-dir", settings.DBT_PROJECT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5_000:]
    assert "ERROR=0 SKIP=0" in done.stdout
