"""Every setting, read in one place: the environment, then `.env`, the demo, and the defaults.

CDP_HOME    the only folder a run writes to; default `data`
CDP_TARGET  the dbt target, which is also the warehouse's engine; default `duckdb`
CDP_TODAY   the day by which licences end and retention is kept; default the calendar's
CDP_PLAN    the tracking plan; default `ingestion/tracking_plan.yml`
CDP_REPAIRS the rules that mend refused rows; default `ingestion/repairs.yml`
CDP_SECRET  the key of all keyed hashes; made once under CDP_HOME when not given
"""

import os
import secrets
import warnings
from datetime import UTC, date, datetime
from pathlib import Path

from dotenv import load_dotenv

PROJECT = Path(__file__).resolve().parent
DBT_PROJECT = PROJECT / "dbt_project"

QUIET = {
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "PYTHONWARNINGS": (  # of a pin that we cannot move yet, and of a command that has no other
        "ignore::UserWarning:sqlglot.tokens,ignore:Function `dev_command` is superseded"
    ),
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}
DLT_BEHAVIOUR = {
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
    "DATA_WRITER__ARROW_CONCAT_PROMOTE_OPTIONS": "default",
    "LOAD__DELETE_COMPLETED_JOBS": "true",  # a loaded file lives in the lake and nowhere else
    "LOAD__RAISE_ON_FAILED_JOBS": "true",
    "RUNTIME__LOG_LEVEL": "ERROR",
}


class ForeseenError(Exception):
    """An error whose message says what to do; the command line shows that and nothing else."""


def home() -> Path:
    """The folder of lake, warehouse, published copies and every other thing that a run writes."""
    return (PROJECT / (os.environ.get("CDP_HOME") or "data")).resolve()


def target() -> str:
    """The dbt target this process works on."""
    return os.environ.get("CDP_TARGET", "duckdb")


def today() -> date:
    """The day by which licences end and retention is kept, in UTC. Raises ForeseenError."""
    given = os.environ.get("CDP_TODAY")
    try:
        return date.fromisoformat(given) if given else datetime.now(UTC).date()
    except ValueError:
        raise ForeseenError(f"CDP_TODAY is no date such as 2011-12-09: {given}") from None


def repairs() -> Path:
    """The file of rules by which refused rows are mended."""
    return PROJECT / os.environ.get("CDP_REPAIRS", "ingestion/repairs.yml")


def tracking_plan() -> Path:
    """The file that says which events are expected."""
    return PROJECT / os.environ.get("CDP_PLAN", "ingestion/tracking_plan.yml")


def secret() -> bytes:
    """The key of all keyed hashes: CDP_SECRET, or a random one kept readable by the owner only."""
    if given := os.environ.get("CDP_SECRET"):
        return given.encode()
    path = home() / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        draft.replace(path)
    return path.read_bytes()


def prepare() -> None:
    """Load `.env` and the demo's settings, and give every tool its folder; safe to call twice.

    Raises ForeseenError.
    """
    _load(PROJECT / ".env")
    _load(home() / "demo.env")
    os.environ["CDP_HOME"] = str(home())
    warnings.filterwarnings("ignore", module="sqlglot")
    for name, value in {**QUIET, **DLT_BEHAVIOUR, **folders()}.items():
        os.environ.setdefault(name, value)


def _load(file: Path) -> None:
    try:
        load_dotenv(file)
    except ValueError as error:
        raise ForeseenError(f"{file} holds what is no setting: {error}. Mend it.") from None


def folders() -> dict[str, str]:
    """Where each tool keeps its own files, all of them under CDP_HOME."""
    return {
        "DAGSTER_HOME": str(home() / "dagster"),
        "DBT_PROJECT_DIR": str(DBT_PROJECT),
        "DBT_PROFILES_DIR": str(DBT_PROJECT),
        "DBT_TARGET_PATH": str(home() / "dbt" / "target"),
        "DBT_LOG_PATH": str(home() / "dbt" / "logs"),
        "DLT_DATA_DIR": str(home() / "dlt"),
        "MPLCONFIGDIR": str(home() / "matplotlib"),
    }
