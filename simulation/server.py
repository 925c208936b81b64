"""The REST APIs of the simulated company, on 127.0.0.1, so that the demo runs the real connectors.

GET /<source>/<resource>?updated_since=<time>&cursor=<opaque>&limit=<n> answers a page of the rows
in <folder>/<source>/<resource>.jsonl changed at or after that time, and the next page's cursor.
"""

import json
import sys
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

MOST_ROWS = 1_000  # a page has no more, whatever the limit asked for
TROUBLES = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR)  # in turn


class Server(ThreadingHTTPServer):
    """A server on a free port, whose clients may go away at any time without a word from it.

    To print a traceback is to parse source, which CPython 3.11 can do in one thread only.
    """

    daemon_threads = True

    def __init__(self, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class RefusedError(Exception):
    """A request that is answered with this status."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def serving(folder: Path, api_key: str, *, trouble_every: int = 0) -> Iterator[str]:
    """The base URL of a server on a free port, for as long as the block runs.

    With `trouble_every` each so-many-th request is answered by 429 or 500, in turn.
    """
    handler = partial(_Handler, folder, api_key, trouble_every, count(1))
    with answering(Server(handler)) as url:
        yield url


@contextmanager
def answering(server: Server) -> Iterator[str]:
    """The base URL of this server, which answers for as long as the block runs."""
    threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True).start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open between pages

    def __init__(
        self, folder: Path, api_key: str, trouble_every: int, number: "count[int]", *request: Any
    ) -> None:
        self._folder = folder
        self._api_key = api_key
        self._trouble_every = trouble_every
        self._number = number
        super().__init__(*request)

    def do_GET(self) -> None:
        """Answer one page, or say why not."""
        try:
            self._be_troubled()
            self._answer(HTTPStatus.OK, self._page())
        except RefusedError as error:
            body = json.dumps({"code": error.status.value, "message": str(error)})
            self._answer(error.status, body.encode())

    def log_message(self, *_: Any) -> None:
        """Nothing: requests hold times and cursors, and nobody reads them."""

    def _be_troubled(self) -> None:
        number = next(self._number)
        if self._trouble_every and number % self._trouble_every == 0:
            turn = number // self._trouble_every % len(TROUBLES)
            raise RefusedError(TROUBLES[turn], "try again")

    def _page(self) -> bytes:
        if self.headers.get("Authorization") != f"Bearer {self._api_key}":
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "the bearer token is missing or wrong")
        url = urlsplit(self.path)
        given = {name: values[-1] for name, values in parse_qs(url.query).items()}
        rows = _rows(self._file(url.path), _time(given.get("updated_since", "")))
        start, limit = _start(given.get("cursor", "")), _limit(given.get("limit", str(MOST_ROWS)))
        end = start + limit
        cursor = urlsafe_b64encode(str(end).encode()).decode() if end < len(rows) else None
        data = b",".join(rows[start:end])
        return b'{"data": [' + data + b'], "next_cursor": ' + json.dumps(cursor).encode() + b"}"

    def _file(self, path: str) -> Path:
        """The file of a resource, looked up among those there are: no path leads elsewhere."""
        files = {f"/{p.parent.name}/{p.stem}": p for p in self._folder.glob("*/*.jsonl")}
        if path not in files:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such resource")
        return files[path]

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)


def _time(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat() and text if text else ""
    except ValueError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "updated_since is no ISO 8601 time") from None


def _start(cursor: str) -> int:
    try:
        return abs(int(urlsafe_b64decode(cursor))) if cursor else 0
    except ValueError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the cursor is not one of ours") from None


def _limit(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "limit is no positive number")
    return min(int(text), MOST_ROWS)


def _rows(path: Path, since: str) -> tuple[bytes, ...]:
    return _changed(path, path.stat().st_mtime_ns, since)


@lru_cache(maxsize=16)  # the pages of one load are cut from one list
def _changed(path: Path, _version: int, since: str) -> tuple[bytes, ...]:
    """The rows changed at or after a time, and those that do not say when they were."""
    lines = path.read_bytes().splitlines()
    return tuple(line for line in lines if line.strip() and _is_changed(line, since))


def _is_changed(line: bytes, since: str) -> bool:
    if not since:
        return True
    try:
        row = json.loads(line)
    except ValueError:
        return True
    changed = row.get("updated_at") if isinstance(row, dict) else None
    return not isinstance(changed, str) or changed >= since
