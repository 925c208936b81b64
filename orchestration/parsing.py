"""The dbt manifest, parsed anew when a file of the dbt project is newer than its parsing."""

import json
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

import settings
from settings import ForeseenError
from warehouse.catalog import manifest_path


class DbtParseError(ForeseenError):
    """The dbt project does not parse."""


def parsed_manifest() -> Path:
    """The path of a manifest that fits the project. Raises DbtParseError with dbt's own words."""
    if _parsed_at(manifest_path()) < _newest_source():
        _parse(manifest_path(), _newest_source())
    return manifest_path()


@cache
def loaded_manifest() -> Manifest:
    """The project as this process first read it: who edits a model disturbs no refresh at work."""
    return _parse(manifest_path(), _newest_source())


def _parsed_at(manifest: Path) -> float:
    """By its own word: a home that was copied or restored has files younger than their content.

    One that is not there, or was killed while it was written, is of no time.
    """
    try:
        told = json.loads(manifest.read_bytes())["metadata"]["generated_at"]
    except (FileNotFoundError, ValueError):
        return 0
    return datetime.fromisoformat(told).timestamp()


def _newest_source() -> float:
    return max(path.stat().st_mtime for path in settings.DBT_PROJECT.rglob("*.*"))


@lru_cache(maxsize=1)
def _parse(target: Path, newest: float) -> Manifest:
    """The project as it is; written to the target unless what is there fits."""
    here = str(settings.DBT_PROJECT)
    words = ["parse", "--quiet", "--project-dir", here, "--profiles-dir", here]
    if _parsed_at(target) >= newest:
        words.append("--no-write-json")
    done = dbtRunner().invoke(words)
    if not isinstance(done.result, Manifest):
        raise DbtParseError(str(done.exception))
    return done.result
