"""A collector on a free port, in this process or in one that can be killed."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
import uvicorn

from ingestion.collector import keys
from ingestion.collector.app import Collector
from ingestion.collector.log import EventLog, Limits
from tests.conftest import CDP, PATIENCE, environment, free_port, until

KEY = "WK_test"
QUICK = Limits(segment_seconds=3600, free_bytes=0)
Serve = Callable[..., "Running"]


@dataclass
class Running:
    """A collector that answers at `url`."""

    url: str
    inbox: Path
    stop: Callable[[], None]

    def post(self, path: str = "/v1/batch", key: str = KEY, **words: object) -> requests.Response:
        """The answer to one request."""
        words = {"auth": (key, ""), "timeout": PATIENCE, **words}
        return requests.post(self.url + path, **words)  # type: ignore[arg-type]


@pytest.fixture()
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty inbox of the web source, which is switched on; and one write key."""
    folder = tmp_path / "data" / "inbox" / "web"
    folder.mkdir(parents=True)
    monkeypatch.setenv("SOURCES__WEB__BUCKET_URL", folder.as_uri())
    keys.add("site", key=KEY)
    return folder


@pytest.fixture()
def serve(inbox: Path) -> Iterator[Serve]:
    """Starts a collector in this process."""
    running: list[Running] = []

    def start(limits: Limits = QUICK, sync: Callable[[int], None] = os.fdatasync) -> Running:
        application = Collector(EventLog(inbox, limits, sync), keys.KeyRing())
        running.append(_in_a_thread(application, inbox))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture()
def collector(serve: Serve) -> Running:
    """A collector at work."""
    return serve()


def _in_a_thread(application: Collector, inbox: Path) -> Running:
    config = uvicorn.Config(application, port=0, log_level="error", ws="none")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()

    def stop() -> None:
        server.should_exit = True
        thread.join()

    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    until(lambda: _answers(url))
    return Running(url, inbox, stop)


@dataclass
class Process:
    """`cdp collect` as a user runs it, on one port; it may be started again."""

    home: Path
    inbox: Path
    port: int
    prefix: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Process":
        """Wait until it answers."""
        given = {"SOURCES__WEB__BUCKET_URL": self.inbox.as_uri(), "COLLECTOR__KEEP_FREE_MB": "0"}
        self._process = subprocess.Popen(
            [*self.prefix, CDP, "collect", "--port", str(self.port)],
            env={**environment(self.home), **given, **self.settings},
            start_new_session=True,
        )
        until(lambda: _answers(self.url) or self._process.poll() is not None)
        assert self._process.poll() is None, "the collector ended as soon as it was started"
        return self

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal to its group and wait."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            os.killpg(self._process.pid, how)
        return self._process.wait(PATIENCE)


@pytest.fixture()
def process(home: Path, inbox: Path) -> Iterator[Process]:
    """A collector of its own process, not started yet."""
    one = Process(home, inbox, free_port())
    yield one
    one.end(signal.SIGKILL)


def _answers(url: str) -> bool:
    try:
        requests.get(f"{url}/health", timeout=PATIENCE)
    except requests.ConnectionError:
        return False
    return True
