"""Models run alone, over tables that a test makes up."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pytest

import settings
import warehouse

Models = Callable[..., None]
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


@pytest.fixture()
def models() -> Models:
    """Builds these models and seeds over these tables of marts, as a refresh would."""

    def build(*names: str, **tables: pa.Table) -> None:
        _replace(tables)
        dbt = Path(sys.executable).parent / "dbt"
        done = subprocess.run(
            [dbt, "build", "-q", *NO_TESTS, "--project-dir", settings.DBT_PROJECT, "-s", *names],
            env={**os.environ, "DBT_PROFILES_DIR": str(settings.DBT_PROJECT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return build


def _replace(tables: Mapping[str, pa.Table]) -> None:
    with warehouse.transaction() as session:
        for name, rows in tables.items():
            session.replace(f"marts.{name}", rows)
