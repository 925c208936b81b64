"""The unit tests that stand under the models, each a rule with made-up rows."""

from pathlib import Path

import pytest

from tests.conftest import Run

pytestmark = pytest.mark.slow


def test_every_rule_of_a_model_holds(company: Path, dbt: Run) -> None:
    done = dbt("test", "--select", "test_type:unit")
    assert done.returncode == 0, done.stdout[-5_000:]
    assert "ERROR=0 SKIP=0" in done.stdout
