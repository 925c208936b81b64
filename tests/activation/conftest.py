"""A webhook that answers by a script, and audiences of made-up people to send to it."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pyarrow as pa
import pytest

import warehouse
from activation.destinations import webhook
from activation.syncs import Sync
from simulation import server as local

Answer = tuple[int, Mapping[str, str], bytes]
OK: Answer = (200, {}, b"{}")
MEMBERS = pa.schema([(c, pa.string()) for c in ("audience", "customer_id", "reason")])
CONTACTS = pa.schema(
    [
        (c, pa.string())
        for c in (
            *("customer_id", "first_name", "last_name", "email", "phone"),
            *("street", "postcode", "city", "country_code"),
        )
    ]
)


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    key: str
    body: bytes
    headers: Mapping[str, str]
    arrived: float

    @property
    def people(self) -> list[dict[str, Any]]:
        """The operations it carries."""
        people: list[dict[str, Any]] = json.loads(self.body)["people"]
        return people


@dataclass
class Server:
    """What was received, and what is answered: first the script, then OK."""

    url: str
    requests: list[Request] = field(default_factory=list)
    script: list[Answer] = field(default_factory=list)
    always: Answer = OK
    on_request: Callable[[int], None] = lambda _: None
    on_answer: Callable[[int], None] = lambda _: None

    def operations(self) -> list[tuple[str, str]]:
        """What took effect: operation and customer of each key the first time it was seen."""
        first = {request.key: request for request in reversed(self.requests)}
        return [
            (person["operation"], person["customer_id"])
            for request in reversed(first.values())
            for person in request.people
        ]


@pytest.fixture()
def server() -> Iterator[Server]:
    """A webhook on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            key = self.headers["Idempotency-Key"]
            state.requests.append(Request(key, body, dict(self.headers), time.monotonic()))
            number = len(state.requests)
            state.on_request(number)
            status, headers, content = state.script.pop(0) if state.script else state.always
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
            state.on_answer(number)

        def log_message(self, *_: object) -> None:
            return

    with local.answering(local.Server(Handler)) as url:
        state = Server(url=f"{url}/hook")
        yield state


@pytest.fixture()
def hook(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The webhook, switched on, with batches of two and retries that do not wait."""
    monkeypatch.setenv("DESTINATIONS__WEBHOOK__URL", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(webhook, "RETRIES", webhook.RETRIES.new(backoff_factor=0))
    monkeypatch.setattr(webhook.Webhook, "batch_size", 2)
    return server


@pytest.fixture()
def sync() -> Sync:
    """The best customers, kept at the webhook."""
    return Sync(audience="vip", destination="webhook", channel="email")


@pytest.fixture()
def people() -> Callable[..., None]:
    """Makes an audience hold these customers, and everybody have the e-mail addresses given."""

    def members(*customers: str, audience: str = "vip", **emails: str) -> None:
        others = []
        if warehouse.exists("audiences.audience_members"):
            others = warehouse.read(
                "select * from audiences.audience_members where audience <> ?", [audience]
            ).to_pylist()
        rows = [{"audience": audience, "customer_id": c, "reason": "spends"} for c in customers]
        known = (
            set(warehouse.read("customer_360.customer_contacts")["customer_id"].to_pylist())
            if warehouse.exists("customer_360.customer_contacts")
            else set()
        )
        contacts = [
            {
                "customer_id": c,
                "first_name": c.title(),
                "email": emails.get(c, f"{c}@example.com"),
                "country_code": "DE",
            }
            for c in sorted(known | set(customers))
        ]
        warehouse.replace(
            "audiences.audience_members", pa.Table.from_pylist(others + rows, schema=MEMBERS)
        )
        warehouse.replace(
            "customer_360.customer_contacts", pa.Table.from_pylist(contacts, schema=CONTACTS)
        )

    return members
