"""A refresh that is killed, or has no truth to read, makes the same tables as one clean run."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from orchestration import demo
from tests.conftest import CDP, SMALL, Run, environment, use_home
from tests.flow.state import delivered, fingerprints

pytestmark = pytest.mark.slow


def test_a_refresh_killed_in_every_stage_equals_one_clean_run(
    home: Path, refreshed_home: Path, cdp: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.prepare(SMALL)
    chance = random.Random(0)
    for step in (
        "load_pos",
        "dbt_models_3",
        "identity_refresh",
        "dbt_models_2",
        "ml__customer_clusters",
        "dbt_models",
        "activation__deliveries",
        "published__about",
    ):
        _kill_in(home, step, chance)

    done = cdp("refresh")

    killed = (done.returncode, fingerprints(), delivered(home))
    use_home(refreshed_home, monkeypatch)
    assert killed == (0, fingerprints(), delivered(refreshed_home))


ORDER = (
    "dbt_models_4",
    "load_ads",
    "load_crm",
    "load_dmp",
    "load_email",
    "load_partner",
    "load_pos",
    "load_shop",
    "load_social",
    "load_support",
    "load_web",
    "privacy__retention",
    "dbt_models_3",
    "identity_refresh",
    "identity__refreshes_few_records_changed_their_customer",
    "dbt_models_2",
    "ml__channel_credits",
    "ml__customer_clusters",
    "dbt_models",
    "activation__deliveries",
    "published__about",
)
LONGEST_WAIT = {"dbt_models_3": 6.0, "dbt_models_2": 6.0, "dbt_models": 3.5}  # seconds


def _kill_in(home: Path, step: str, chance: random.Random) -> None:
    """Start a refresh and kill -9 all of it at a random moment of this step."""
    process = subprocess.Popen(
        [CDP, "refresh"],
        env={**environment(home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    before = ORDER[ORDER.index(step) - 1]
    for line in process.stdout:
        if f" {before} " in line or line.rstrip().endswith(before):
            time.sleep(chance.uniform(0, LONGEST_WAIT.get(step, 0.3)))
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_refresh_without_the_truth_makes_the_same_tables(
    home: Path, refreshed_home: Path, cdp: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.prepare(SMALL)
    (home / "truth").rename(home.parent / "truth")

    done = cdp("refresh")

    blind = (done.returncode, fingerprints())
    use_home(refreshed_home, monkeypatch)
    assert blind == (0, fingerprints())
