"""The collector as an ASGI application: a request in, its events on disk, an answer out."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ingestion.collector import sdk_settings
from ingestion.collector.events import MOST_BYTES, RefusedRequestError, Stamp, decoded, lines
from ingestion.collector.keys import KeyRing, WriteKey, iso, text_of
from ingestion.collector.log import EventLog, NotOnDiskError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

SHORT = {"b": "batch", "t": "track", "i": "identify", "p": "page"} | {
    "s": "screen",
    "g": "group",
    "a": "alias",
    "import": "batch",
}
KINDS = {f"/v1/{name}": kind for name, kind in SHORT.items()} | {
    f"{prefix}/{kind}": kind
    for prefix in ("/v1", "/api/s", "/api/s/s2s")  # the last two are Jitsu's
    for kind in SHORT.values()
}
JSON_TYPE = (b"content-type", b"application/json")
DISK_SECONDS, QUEUE_SECONDS = 30, 1  # after which a client may try again
CODES = {400: "bad_request", 401: "unauthorized", 404: "not_found", 405: "method_not_allowed"} | {
    413: "too_large",
    429: "too_busy",
    503: "not_on_disk",
}


@dataclass(frozen=True)
class Answer:
    """What goes back to the client."""

    status: int
    body: bytes
    headers: Headers = field(default_factory=lambda: [JSON_TYPE])


SUCCESS = b'{"success":true}'


@dataclass
class Collector:
    """Answers the requests of one worker."""

    log: EventLog
    keys: KeyRing
    answers: Counter[int] = field(default_factory=Counter)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            answer = await self._answer(scope, receive)
            self.answers[answer.status] += 1
            size = (b"content-length", str(len(answer.body)).encode())
            start = {"type": "http.response.start", "status": answer.status}
            await send({**start, "headers": [*answer.headers, size]})
            await send({"type": "http.response.body", "body": answer.body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self.log.start()
        except OSError as error:
            await send({"type": "lifespan.startup.failed", "message": f"cdp collect: {error}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.log.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        method, path = scope["method"], scope["path"].rstrip("/")
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        if path in KINDS:
            if method == "POST":
                return await self._collected(KINDS[path], headers, receive)
            return self._preflight(headers) if method == "OPTIONS" else _wrong_method("POST")
        asked = sdk_settings.SEGMENT.fullmatch(path)
        if asked or path == sdk_settings.RUDDERSTACK:
            return self._settings(method, headers, scope, asked[1] if asked else "")
        pages = {"/health": self._health, "/metrics": self._metrics}
        if path not in pages:
            return _problem(404, f"there is nothing at {path[:100]}")
        return pages[path]() if method in ("GET", "HEAD") else _wrong_method("GET")

    async def _collected(self, kind: str, headers: dict[str, str], receive: Receive) -> Answer:
        origin = headers.get("origin", "")
        shared = _shared_with(origin) if origin and self.keys.allows(origin) else []
        try:
            await self._collect(kind, headers, receive)
        except RefusedRequestError as error:
            wait = [(b"retry-after", str(error.retry_after).encode())] if error.retry_after else []
            return _problem(error.status, str(error), [*shared, *wait])
        except NotOnDiskError:
            return _problem(503, "the events could not be brought to disk", shared)
        return Answer(200, SUCCESS, [JSON_TYPE, *shared])

    async def _collect(self, kind: str, headers: dict[str, str], receive: Receive) -> None:
        raw = await _read(headers, receive)
        self._check_room()
        stamp = iso(datetime.now(UTC))
        early = self._key(headers, None, stamp)  # strangers with a wrong header are not parsed
        body = decoded(raw)
        key = early or self._key(headers, body.fields.get("writeKey"), stamp)
        if key is None:
            raise RefusedRequestError(401, "no valid write key for this origin")
        made = lines(body, kind, Stamp(key.source, stamp))
        if made.text:
            await self.log.append(made.text)
        self.events[(key.source, "accepted")] += made.accepted
        self.events[(key.source, "refused")] += made.refused

    def _key(self, headers: dict[str, str], given: object, now: str) -> WriteKey | None:
        text = _given_key(headers, given)
        key = self.keys.find(text, now) if text else None
        return key if key and key.allows(headers.get("origin", "")) else None

    def _settings(self, method: str, headers: dict[str, str], scope: Scope, given: str) -> Answer:
        """What a browser SDK asks for first; Segment's gives its key in the path."""
        if method == "OPTIONS":
            return self._preflight(headers)
        if method not in ("GET", "HEAD"):
            return _wrong_method("GET")
        shared = _shared_with(headers.get("origin") or "*")
        key = self._key(headers, given, iso(datetime.now(UTC)))
        if key is None:
            return _problem(401, "no valid write key for this origin", shared)
        text = _given_key(headers, given)
        is_segment = bool(given)
        body = (
            sdk_settings.segment(text, _base_url(headers, scope))
            if is_segment
            else sdk_settings.rudderstack(text, key.source)
        )
        return Answer(200, body, [JSON_TYPE, *shared])

    def _check_room(self) -> None:
        if self.log.is_disk_low:
            raise RefusedRequestError(429, "the disk is nearly full", DISK_SECONDS)
        if self.log.is_full:
            raise RefusedRequestError(429, "too many events wait", QUEUE_SECONDS)

    def _preflight(self, headers: dict[str, str]) -> Answer:
        origin = headers.get("origin", "")
        if not self.keys.allows(origin):
            return _problem(401, "no write key for this origin")
        asked = headers.get("access-control-request-headers", "authorization, content-type")
        allowed = {
            b"access-control-allow-methods": b"GET, POST",
            b"access-control-allow-headers": asked.encode("latin-1"),
            b"access-control-max-age": b"86400",
        }
        return Answer(200, b"", [*_shared_with(origin or "*"), *allowed.items()])

    def _health(self) -> Answer:
        if self.log.is_disk_low:
            return _problem(503, "the disk is nearly full")
        return Answer(200, b'{"status":"ok"}')

    def _metrics(self) -> Answer:
        text = "".join(f"{line}\n" for line in self._samples())
        return Answer(200, text.encode(), [(b"content-type", b"text/plain; version=0.0.4")])

    def _samples(self) -> list[str]:
        facts = self.log.facts
        counts = {
            "cdp_collector_syncs_total": facts.syncs,
            "cdp_collector_sync_seconds_total": round(facts.sync_seconds, 6),
            "cdp_collector_failed_syncs_total": facts.failed_syncs,
            "cdp_collector_segments_closed_total": facts.segments_closed,
            "cdp_collector_torn_bytes_total": facts.torn_bytes,
            "cdp_collector_waiting_bytes": facts.waiting_bytes,
            "cdp_collector_disk_is_low": int(self.log.is_disk_low),
        }
        return [
            *(f"{name} {value}" for name, value in counts.items()),
            *(
                f'cdp_collector_answers_total{{status="{status}"}} {count}'
                for status, count in sorted(self.answers.items())
            ),
            *(
                f"cdp_collector_events_total{{source={json.dumps(source)},"
                f'outcome="{outcome}"}} {count}'
                for (source, outcome), count in sorted(self.events.items())
            ),
        ]


async def _read(headers: dict[str, str], receive: Receive) -> bytes:
    """The whole body, as long as it is not too large."""
    too_large = RefusedRequestError(413, f"the request is larger than {MOST_BYTES} bytes")
    said = headers.get("content-length", "0")
    if said.isdigit() and int(said) > MOST_BYTES:
        raise too_large
    raw = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedRequestError(400, "the client left before its request was whole")
        raw += message.get("body", b"")
        more = message.get("more_body", False)
        if len(raw) > MOST_BYTES:
            raise too_large
    return bytes(raw)


def _given_key(headers: dict[str, str], given: object) -> str:
    return text_of(headers.get("authorization", ""), headers.get("x-write-key", ""), given)


def _base_url(headers: dict[str, str], scope: Scope) -> str:
    """Where the client reached us: a page under https could not have asked without TLS."""
    is_secure = headers.get("origin", "").startswith("https:") or scope["scheme"] == "https"
    return f"{'https' if is_secure else 'http'}://{headers.get('host', '')}"


def _shared_with(origin: str) -> Headers:
    """The answer for the page's scripts, and with it how long they are to wait."""
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", b"retry-after"),
        (b"vary", b"Origin"),
    ]


def _problem(status: int, message: str, headers: Headers | None = None) -> Answer:
    body = json.dumps({"code": CODES[status], "message": message}).encode()
    return Answer(status, body, [JSON_TYPE, *(headers or [])])


def _wrong_method(allowed: str) -> Answer:
    return _problem(405, f"use {allowed}", [(b"allow", allowed.encode())])
