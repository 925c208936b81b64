"""What stands between a client and the collector, and errs by a script."""

import gzip
import itertools
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import requests

from simulation.server import Server, answering
from tests.conftest import PATIENCE
from tests.ingestion.collector.conftest import Process

SCRIPT = ("pass", "500", "429", "drop before", "pass", "drop after", "kill", "pass")
NOT_PASSED_ON = ("connection", "content-length", "date", "host", "server", "transfer-encoding")
NUMBER = re.compile(rb'"number": ?(\d+)')  # what the clients count their events by


class Proxy(Server):
    """Follows the script, then lets everything pass."""

    def __init__(self, process: Process) -> None:
        super().__init__(Handler)
        self.process = process
        self.turns = itertools.chain(SCRIPT, itertools.repeat("pass"))
        self.taken: set[str] = set()
        self.acknowledged: set[int] = set()
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_GET(self) -> None:  # noqa: N802
        with self.server.lock:
            self._reply(self._forward(b""))

    do_OPTIONS = do_GET  # noqa: N815

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            turn = next(self.server.turns)
            self.server.taken.add(turn)
            if turn.isdigit():
                self._refuse(int(turn))
            elif turn == "pass":
                self._pass(body)
            else:
                self._break(turn, body)

    def _pass(self, body: bytes) -> None:
        answer = self._forward(body)
        self._reply(answer)
        if answer.status_code == 200:
            plain = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
            self.server.acknowledged |= set(map(int, NUMBER.findall(plain)))

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
        headers = {n: v for n, v in self.headers.items() if n.lower() not in NOT_PASSED_ON}
        headers["Host"] = self.headers["host"]
        url = self.server.process.url + self.path
        return requests.request(self.command, url, data=body, headers=headers, timeout=PATIENCE)

    def _refuse(self, status: int) -> None:
        answer = requests.Response()
        answer.status_code = status
        answer._content = b'{"code": "scripted", "message": "try again"}'
        answer.headers["Retry-After"] = "1"
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["Access-Control-Expose-Headers"] = "retry-after"
        self._reply(answer)

    def _reply(self, answer: requests.Response) -> None:
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in NOT_PASSED_ON:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def erring(process: Process) -> Iterator[Proxy]:
    """A proxy at work."""
    proxy = Proxy(process)
    with answering(proxy):
        yield proxy
