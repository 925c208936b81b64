"""Every test gets an empty CDP_HOME; some share one small company that a refresh has run on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import settings

SMALL = 180  # people in the shared company: enough for every segment, small enough to wait
OURS = ("SOURCES__", "DESTINATIONS__", "CDP_TODAY")  # what a demo sets
CDP = Path(sys.executable).parent / "cdp"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty CDP_HOME, and no source or destination switched on."""
    return use_home(tmp_path / "data", monkeypatch)


def use_home(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let this process work on another CDP_HOME."""
    for name in list(os.environ):
        if name.startswith(OURS) or name in settings.folders():
            monkeypatch.delenv(name)
    monkeypatch.setenv("CDP_HOME", str(path))
    settings.prepare()
    return path


def environment(home: Path) -> dict[str, str]:
    """The environment of a `cdp` process that works on this home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    return {**{k: v for k, v in kept.items() if k not in settings.folders()}, "CDP_HOME": str(home)}


@pytest.fixture()
def cdp(home: Path) -> Run:
    """Runs the command line on this test's home, as a user does."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CDP, *words], env=environment(home), capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def refreshed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company after one refresh; read it, or copy it before you change it."""
    home = tmp_path_factory.mktemp("company") / "data"
    done = subprocess.run(
        [CDP, "demo", "--people", str(SMALL)],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture()
def company(refreshed_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The refreshed company, for reading only."""
    yield use_home(refreshed_home, monkeypatch)


@pytest.fixture()
def company_copy(refreshed_home: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the refreshed company that a test may change."""
    from orchestration import demo

    shutil.copytree(refreshed_home, home, dirs_exist_ok=True)
    demo.prepare(SMALL)
    return use_home(home, monkeypatch)
