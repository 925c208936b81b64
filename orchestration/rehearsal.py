"""An erasure rehearsed on a copy of CDP_HOME: what `cdp erase` leaves of one random person."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import settings
import warehouse
from scorecard import privacy, truth
from scorecard.rows import Row
from settings import ForeseenError

CDP = Path(sys.executable).parent / "cdp"
OURS = ("SOURCES__", "DESTINATIONS__", "CDP_HOME")  # the copy has its own


class RehearsalError(ForeseenError):
    """The erasure, or the score of what it left, stopped before its end."""


def rehearse() -> list[Row]:
    """The rows of the scorecard about one person erased in a copy of CDP_HOME."""
    with warehouse.transaction() as session:
        truth.register(session)
        customer = privacy.someone(session, random.Random())
    with TemporaryDirectory(prefix="cdp-") as folder:
        home = _copied(Path(folder) / "data")
        erased = _cdp(home, "erase", customer, "--yes")
        if erased.returncode:
            raise RehearsalError(f"`cdp erase` stopped: {_last_words(erased)}")
        rows = _scored(home)
    return [row for row in rows if row.metric in (privacy.TRACES, privacy.LEFT)]


def _scored(home: Path) -> list[Row]:
    """The rows of a score that is made now."""
    before = set((home / "scores").glob("*.json"))
    done = _cdp(home, "score")
    made = set((home / "scores").glob("*.json")) - before
    if not made:
        raise RehearsalError(f"`cdp score` stopped: {_last_words(done)}")
    return [Row(**row) for row in json.loads(made.pop().read_text())["rows"]]


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stdout + done.stderr).strip()[-500:]


def _copied(home: Path) -> Path:
    """The copy, whose demo reads and writes the copy alone."""
    shutil.copytree(settings.home(), home)
    demo = home / "demo.env"
    if demo.exists():
        demo.write_text(demo.read_text().replace(str(settings.home()), str(home)))
    return home


def _cdp(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    given = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    environment = {k: v for k, v in given.items() if k not in settings.folders()}
    return subprocess.run(
        [CDP, *words],
        env={**environment, "CDP_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
