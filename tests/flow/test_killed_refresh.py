"""A refresh that is killed, wherever it is, leaves nothing that the next one does not make good."""

import random
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import dagster as dg
import pytest

from orchestration import demo
from tests import warm
from tests.conftest import SMALL, Run, environment, use_home
from tests.flow.state import delivered, fingerprints

pytestmark = pytest.mark.slow
STEPS = {  # one of each kind that keeps something, and the longest wait in it in seconds
    "load_pos": 0.3,
    "dbt_models_3": 5.0,
    "identity_refresh": 0.5,
    "dbt_models": 3.0,
    "activation__deliveries": 0.3,
    "published__about": 0.4,
}
AFTER_ML = dg.AssetSelection.groups("ml").downstream(include_self=False)
ALONE = {  # of the steps before, only what the last kill left undone runs anew
    "activation__deliveries": AFTER_ML,
    "published__about": dg.AssetSelection.assets(["published", "about"]),
}


def test_a_refresh_killed_in_every_stage_and_without_the_truth_equals_one_clean_run(
    home: Path, refreshed_home: Path, cdp: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.prepare(SMALL)
    (home / "truth").rename(home.parent / "truth")
    chance = random.Random(0)
    for step, longest in STEPS.items():
        _kill_in(step, chance.uniform(0, longest), home)

    done = cdp("refresh")

    killed, sent = fingerprints(), delivered(home)
    use_home(refreshed_home, monkeypatch)
    clean = fingerprints()
    differing = sorted(table for table in clean | killed if clean.get(table) != killed.get(table))
    assert (done.returncode, differing, sent) == (0, [], delivered(refreshed_home))


def _kill_in(step: str, wait: float, home: Path) -> None:
    """Start a refresh and kill -9 it so many seconds after this step began."""
    told, tells = Pipe(duplex=False)
    process = warm.start(_refresh, tells, step, env=environment(home))
    tells.close()
    while step != told.recv().split()[0]:  # EOFError: the refresh ended before
        pass
    time.sleep(wait)
    process.kill()
    process.join()


def _refresh(tells: Connection, step: str) -> None:
    from orchestration.run import refresh

    refresh(lambda line, kind: tells.send(line) if kind == "started" else None, ALONE.get(step))
