"""Rules of survivorship that make no sense stop a refresh before anything is built on them."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

import warehouse
from tests.conftest import Run

pytestmark = pytest.mark.slow


def test_rules_that_make_no_sense_are_named(home: Path, dbt: Run) -> None:
    with warehouse.transaction() as session:
        fields = {"field": ["email", "email", "shoe"], "method": ["votes", "luck", None]}
        days = {"half_life_days": [0, 1, 1], "max_age_days": [None, -1, 1]}
        session.replace("rules.survivorship", pa.table(fields | days))
        trusted = {"field": ["email", "hat"], "source": ["crm", "nobody"], "trust": [-1, 1]}
        session.replace("rules.survivorship_trust", pa.table(trusted))
        session.replace("rules.source_trust", pa.table({"source": ["crm"], "trust": [1]}))
        uses = {"field": ["tie"], "quality": ["red"], "use": ["sometimes"]}
        session.replace("rules.value_qualities", pa.table(uses))
    done = dbt("test", "--select", "survivorship", "survivorship_trust", "value_qualities")
    told = re.findall(
        r"Failure in test ([a-z_]+?)_(survivorship_trust|survivorship|value_qualities)", done.stdout
    )
    assert sorted(told) == [
        ("accepted_range", "survivorship"),
        ("accepted_range", "survivorship"),
        ("accepted_range", "survivorship_trust"),
        ("accepted_values", "survivorship"),
        ("accepted_values", "survivorship"),
        ("accepted_values", "value_qualities"),
        ("not_null", "survivorship"),
        ("relationships", "survivorship_trust"),
        ("relationships", "survivorship_trust"),
        ("relationships", "value_qualities"),
        ("unique", "survivorship"),
    ]
