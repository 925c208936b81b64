"""Every test gets an empty CDP_HOME; some share one small company that a refresh has run on."""

import fcntl
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import hypothesis
import pytest

import settings
from tests import warm

SMALL = 180  # people in the shared company: enough for every segment, small enough to wait
OURS = ("SOURCES__", "DESTINATIONS__", "CDP_TODAY")  # what a demo sets
CDP = Path(sys.executable).parent / "cdp"
PATIENCE = 600  # seconds that a test waits for what must come: machines stand still for minutes
Run = Callable[..., subprocess.CompletedProcess[str]]
hypothesis.settings.load_profile("ci")  # the same examples each time, and no limit of time


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of slow tests come first: at the end, short ones keep every worker busy."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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


@pytest.fixture(scope="session")
def warm_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The server whose forks run what a test runs in another process."""
    with pytest.MonkeyPatch.context() as patch:
        use_home(tmp_path_factory.mktemp("server") / "data", patch)
        warm.open_server()


@pytest.fixture()
def cdp(home: Path, warm_server: None, tmp_path: Path) -> Run:
    """Runs the command line on this test's home, as a user does."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return warm.run(warm.verb, words, env=environment(home), folder=tmp_path)

    return run


@pytest.fixture()
def dbt(warm_server: None, tmp_path: Path) -> Run:
    """Runs dbt on the home of this moment."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return warm.run(warm.dbt, words, env=environment(settings.home()), folder=tmp_path)

    return run


@pytest.fixture(scope="session")
def refreshed_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A small company after one refresh; read it, or copy it before you change it.

    One worker makes it, from nothing as a user does, and each has a copy, which it alone opens.
    """
    own = tmp_path_factory.getbasetemp()
    made = (own if worker_id == "master" else own.parent) / "company"
    with _alone(made.with_suffix(".lock")):
        if not (made / "done").exists():
            shutil.rmtree(made, ignore_errors=True)
            _demo(made / "data")
            (made / "done").touch()
    home = tmp_path_factory.mktemp("company") / "data"
    with pytest.MonkeyPatch.context() as patch:
        _copy(made / "data", use_home(home, patch))
    return home


def until(is_so: Callable[[], object]) -> None:
    """Wait for what must come."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"it did not come in {PATIENCE} seconds"
        time.sleep(0.01)


def free_port() -> int:
    """A port that nobody listens on, below those that clients get: it stays free for a while."""
    while True:
        with suppress(OSError):
            port = random.SystemRandom().randrange(12_000, 32_000)
            socket.create_server(("127.0.0.1", port)).close()
            return port


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _demo(home: Path) -> None:
    done = subprocess.run(
        [CDP, "demo", "--people", str(SMALL)],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _copy(refreshed: Path, home: Path) -> None:
    """Copy a refreshed company into the home of this process."""
    from orchestration import demo

    shutil.copytree(refreshed, home, dirs_exist_ok=True)
    demo.prepare(SMALL)


@pytest.fixture()
def company(refreshed_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The refreshed company, for reading only."""
    yield use_home(refreshed_home, monkeypatch)


@pytest.fixture()
def company_copy(refreshed_home: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the refreshed company that a test may change."""
    _copy(refreshed_home, home)
    return use_home(home, monkeypatch)
