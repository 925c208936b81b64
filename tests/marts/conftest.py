"""Models run alone, over tables that a test makes up."""

from collections.abc import Callable, Mapping

import pyarrow as pa
import pytest

import warehouse
from tests.conftest import Run

Models = Callable[..., None]
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


@pytest.fixture()
def models(dbt: Run) -> Models:
    """Builds these models and seeds over these tables of marts, as a refresh would."""

    def build(*names: str, **tables: pa.Table) -> None:
        _replace(tables)
        done = dbt("build", "-q", *NO_TESTS, "-s", *names)
        assert done.returncode == 0, done.stdout + done.stderr

    return build


def _replace(tables: Mapping[str, pa.Table]) -> None:
    with warehouse.transaction() as session:
        for name, rows in tables.items():
            session.replace(f"marts.{name}", rows)
