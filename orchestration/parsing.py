"""The dbt manifest, parsed anew when a file of the dbt project is newer than it."""

import subprocess
import sys
from pathlib import Path

import settings
from settings import ForeseenError
from warehouse.catalog import manifest_path


class DbtParseError(ForeseenError):
    """The dbt project does not parse."""


def parsed_manifest() -> Path:
    """The path of a manifest that fits the project. Raises DbtParseError with dbt's own words."""
    sources = settings.DBT_PROJECT.rglob("*.*")
    newest = max(path.stat().st_mtime for path in sources)
    if not manifest_path().exists() or manifest_path().stat().st_mtime < newest:
        _parse()
    return manifest_path()


def _parse() -> None:
    dbt = Path(sys.executable).parent / "dbt"
    run = subprocess.run(
        [dbt, "parse", "--quiet"],
        cwd=settings.DBT_PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise DbtParseError(run.stdout or run.stderr)
