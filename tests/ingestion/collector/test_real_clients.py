"""The SDKs themselves, through a proxy that errs and a collector that is killed."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from ingestion.pipeline import load
from simulation.server import Server, answering
from tests.conftest import PATIENCE, until
from tests.ingestion.collector.conftest import KEY, Process
from tests.ingestion.collector.proxy import SCRIPT, Proxy, erring
from tests.ingestion.collector.test_requests import EVENTS
from tests.ingestion.samples import seen_values

pytestmark = pytest.mark.slow
CLIENTS = Path(__file__).parent / "clients"  # the npm ones, installed by `make test`
OFFLINE = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # whoever asks another host finds nobody
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run") + (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
COUNT = 40
Send = Callable[[Proxy, Path], None]


def _counted(client: Any) -> None:
    for number in range(COUNT):
        client.track("u", "Counted", {"number": number})
    client.flush()
    client.join()


def segment_python(proxy: Proxy, _: Path) -> None:
    from segment.analytics.client import Client

    _counted(
        Client(KEY, host=proxy.url, max_retries=10, upload_size=5, upload_interval=0.1, gzip=True)
    )


def rudder_python(proxy: Proxy, _: Path) -> None:
    from rudderstack.analytics.client import Client

    _counted(Client(KEY, host=proxy.url, max_retries=10, upload_size=5, upload_interval=0.1))


def node(sdk: str, proxy: Proxy, _: Path) -> None:
    words = ["node", "node.mjs", sdk, proxy.url, KEY, str(COUNT)]
    subprocess.run(words, cwd=CLIENTS, check=True, timeout=PATIENCE, capture_output=True)


def browser(sdk: str, proxy: Proxy, folder: Path) -> None:
    with pages() as url:
        page = "&".join((f"{url}/browser.html?{sdk}", proxy.url, KEY, str(COUNT)))
        chromium = subprocess.Popen(
            ["chromium", *QUIET, f"--host-resolver-rules={OFFLINE}"]
            + [f"--user-data-dir={folder / 'profile'}", "--remote-debugging-port=0", page],
            stderr=subprocess.DEVNULL,
        )
        try:
            until(lambda: len(proxy.acknowledged) >= COUNT)
        finally:
            chromium.kill()
            chromium.wait()


class Pages(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def pages() -> AbstractContextManager[str]:
    """The web site that the browser SDKs stand on."""
    return answering(Server(partial(Pages, directory=str(CLIENTS))))


ALL: dict[str, tuple[Send, str]] = {  # how each sends, and the program it needs
    "segment in Python": (segment_python, ""),
    "RudderStack in Python": (rudder_python, ""),
    "segment in Node": (partial(node, "segment"), "node"),
    "RudderStack in Node": (partial(node, "rudder"), "node"),
    "segment in a browser": (partial(browser, "segment"), "chromium"),
    "RudderStack in a browser": (partial(browser, "rudder"), "chromium"),
}


@pytest.mark.parametrize("name", ALL)
def test_every_event_arrives_whatever_happens_on_the_way(
    process: Process, tmp_path: Path, name: str
) -> None:
    send, program = ALL[name]
    if program and not (shutil.which(program) and (CLIENTS / "node_modules").exists()):
        pytest.skip(f"`make clients` installs what this needs, {program} for one")
    process.start()
    with erring(process) as proxy:
        send(proxy, tmp_path)
    process.end()
    load("web")
    number = "cast(properties ->> '$.number' as integer)"
    messages = f"(select distinct message_id, {number} as number from {EVENTS})"  # as in staging
    arrived = Counter(seen_values(messages, "number"))

    assert proxy.taken == set(SCRIPT)
    assert arrived == Counter(range(COUNT))
