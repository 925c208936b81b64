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


@pytest.fixture()
def models() -> Models:
    """Builds these models over these tables of the schema marts, as a refresh would."""

    def build(*names: str, **tables: pa.Table) -> None:
        _replace(tables)
        dbt = Path(sys.executable).parent / "dbt"
        done = subprocess.run(
            [dbt, "run", "-q", "--project-dir", settings.DBT_PROJECT, "--select", *names],
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
