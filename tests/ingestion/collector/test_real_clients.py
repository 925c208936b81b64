"""The Python SDKs themselves, through a proxy that errs and a collector that is killed."""

import itertools
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from ingestion.pipeline import load
from tests.ingestion.collector.conftest import KEY, Process
from tests.ingestion.collector.test_requests import EVENTS
from tests.ingestion.samples import seen_values

pytestmark = pytest.mark.slow
PASSED_ON = ("authorization", "content-type", "content-encoding")
SCRIPT = ("pass", "500", "429", "drop before", "pass", "drop after", "kill", "pass")
COUNT = 300
Client = Callable[[str], Any]


class Proxy(ThreadingHTTPServer):
    """What stands before the collector and follows the script, again and again."""

    def __init__(self, process: Process) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.process = process
        self.turns = itertools.cycle(SCRIPT)
        self.taken: set[str] = set()
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            turn = next(self.server.turns)
            self.server.taken.add(turn)
            if turn.isdigit():
                self._reply(int(turn), b'{"code": "scripted", "message": "try again"}')
            elif turn == "pass":
                answer = self._forward(body)
                self._reply(answer.status_code, answer.content)
            else:
                self._break(turn, body)

    def _break(self, turn: str, body: bytes) -> None:
        """No answer: before the collector has got it, after, or after and the collector dies."""
        if turn != "drop before":
            self._forward(body)
        if turn == "kill":
            self.server.process.end(signal.SIGKILL)
            self.server.process.start()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _forward(self, body: bytes) -> requests.Response:
        headers = {n: v for n, v in self.headers.items() if n.lower() in PASSED_ON}
        url = self.server.process.url + self.path
        return requests.post(url, data=body, headers=headers, timeout=20)

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def erring(process: Process) -> Iterator[Proxy]:
    """A proxy at work."""
    proxy = Proxy(process)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.shutdown()


def segment_client(url: str) -> Any:
    from segment.analytics.client import Client

    return Client(KEY, host=url, max_retries=10, upload_size=25, upload_interval=0.1, gzip=True)


def rudder_client(url: str) -> Any:
    from rudderstack.analytics.client import Client

    return Client(KEY, host=url, max_retries=10, upload_size=25, upload_interval=0.1)


@pytest.mark.parametrize("client_of", [segment_client, rudder_client])
def test_every_event_arrives_whatever_happens_on_the_way(
    process: Process, client_of: Client
) -> None:
    process.start()
    with erring(process) as proxy:
        client = client_of(f"http://127.0.0.1:{proxy.server_address[1]}")
        for number in range(COUNT):
            client.track(f"u{number}", "Counted", {"number": number})
        client.flush()
        client.join()
    process.end()
    load("web")
    messages = f"(select distinct message_id, user_id from {EVENTS})"  # as staging does
    arrived = Counter(seen_values(messages, "user_id"))

    assert proxy.taken == set(SCRIPT)
    assert arrived == Counter(f"u{number}" for number in range(COUNT))
