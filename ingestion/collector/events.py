"""What a request's body says, as lines for the log: pure functions, without clock or disk.

An accepted event is a JSON object a line. A refused one is an array of reason and payload, which
no event can be, and which the web source takes to its quarantine.
"""

import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MOST_BYTES = 500 * 1024  # of a request, before and after inflating
MOST_EVENT_BYTES = 32 * 1024
MOST_EVENTS = 2_500  # in a batch
GZIP = b"\x1f\x8b"  # no JSON begins so, and SDKs do not agree on headers
TYPES = frozenset({"track", "identify", "page", "screen", "group", "alias"})
NOT_KEPT = ("writeKey", "_metadata")  # the key is a secret, the other one the SDK's own affair


class RefusedRequestError(Exception):
    """A request of which nothing is kept: the client is told the status and the reason."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        """Status, reason and, where it makes sense, after how many seconds to try again."""
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True)
class Body:
    """A decoded request; `is_strict` when every value of it can be written as it was read."""

    fields: dict[str, Any]
    size: int
    is_strict: bool = True


@dataclass(frozen=True)
class Stamp:
    """What the collector adds to each event of a request."""

    source: str
    received_at: str


@dataclass(frozen=True)
class Lines:
    """The log lines of one request."""

    text: bytes
    accepted: int
    refused: int


def decoded(raw: bytes) -> Body:
    """The JSON object in a body, inflated when it is gzip."""
    plain = _inflated(raw) if raw.startswith(GZIP) else raw
    try:
        body = Body(orjson.loads(plain), len(plain))
    except orjson.JSONDecodeError:
        body = Body(_leniently(plain), len(plain), is_strict=False)
    if not isinstance(body.fields, dict):
        raise RefusedRequestError(400, "the body is not a JSON object")
    return body


def lines(body: Body, kind: str, stamp: Stamp) -> Lines:
    """One line for each event of a body of this kind: a type of event, or `batch`."""
    events, shared = _events(body.fields, kind)
    accepted, refused = [], []
    for event in events:
        reason = _objection(event, body)
        if reason:
            refused.append(orjson.dumps([reason, _text(event)]))
        else:
            accepted.append(_line(event, shared, stamp, body.is_strict))
    text = b"\n".join([*accepted, *refused, b""])
    return Lines(text if events else b"", len(accepted), len(refused))


def _inflated(raw: bytes) -> bytes:
    inflater = zlib.decompressobj(31)  # 31: gzip with its header
    try:
        plain = inflater.decompress(raw, MOST_BYTES + 1)
    except zlib.error:
        raise RefusedRequestError(400, "the body is not gzip") from None
    if len(plain) > MOST_BYTES:
        raise RefusedRequestError(413, f"the body inflates to more than {MOST_BYTES} bytes")
    if not inflater.eof or inflater.unused_data:
        raise RefusedRequestError(400, "the body is not one whole gzip member")
    return plain


def _leniently(plain: bytes) -> Any:
    """What strict JSON forbids but Python reads (NaN, half characters): refused event by event."""
    try:
        return json.loads(plain)
    except (ValueError, RecursionError):
        raise RefusedRequestError(400, "the body is not JSON") from None


def _events(fields: dict[str, Any], kind: str) -> tuple[list[Any], Mapping[str, Any]]:
    """The events of a body, and what the batch says for all of them."""
    if kind != "batch":
        fields["type"] = kind
        return [fields], {}
    events = fields.get("batch")
    if not isinstance(events, list):
        raise RefusedRequestError(400, "the body has no list named batch")
    if len(events) > MOST_EVENTS:
        raise RefusedRequestError(413, f"the batch has more than {MOST_EVENTS} events")
    return events, fields


def _objection(event: Any, body: Body) -> str:
    """Why an event is refused; nothing when it is fine."""
    if not isinstance(event, dict):
        return "not a JSON object"
    kind = event.get("type")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        return "type is none of " + ", ".join(sorted(TYPES))
    if not body.is_strict and not _is_writable(event):
        return "not a JSON object"
    if body.size > MOST_EVENT_BYTES and len(orjson.dumps(event)) > MOST_EVENT_BYTES:
        return f"larger than {MOST_EVENT_BYTES} bytes"
    return ""


def _is_writable(event: Any) -> bool:
    try:
        orjson.loads(json.dumps(event))
        orjson.dumps(event)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def _line(event: dict[str, Any], shared: Mapping[str, Any], stamp: Stamp, is_strict: bool) -> bytes:
    for name in NOT_KEPT:
        event.pop(name, None)
    if not event.get("messageId"):
        event["messageId"] = str(uuid.uuid4())
    if "sentAt" in shared and not event.get("sentAt"):
        event["sentAt"] = shared["sentAt"]
    if isinstance(shared.get("context"), dict):
        context = event.get("context") or {}
        if isinstance(context, dict):
            event["context"] = {**shared["context"], **context}
    event["receivedAt"] = stamp.received_at
    event["projectId"] = stamp.source
    return orjson.dumps(event) if is_strict else json.dumps(event).encode()


def _text(event: Any) -> str:
    """The event as text that any reader can take, half characters as escapes."""
    try:
        return orjson.dumps(event).decode() if _is_writable(event) else json.dumps(event)
    except (ValueError, TypeError, RecursionError):
        return "an event that cannot be written down"
