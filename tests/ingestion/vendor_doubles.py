"""Doubles of ten vendors' APIs on 127.0.0.1: each lets in, filters and pages as the vendor does."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from simulation.server import Server, answering

RECORDS = Path(__file__).parents[1] / "data/vendor_exports"
PAGE = 2  # rows: so few that even small lists have pages
KEY = "right key"
BASIC = {"zendesk": "us@example.com/token", "mailchimp": "cdp"}
EXTRA = {
    "salesforce": {"client_id": "us", "client_secret": KEY},
    "zendesk": {"email": "us@example.com"},
    "facebook_ads": {"account_id": "17"},
    "mailchimp": {"list_id": "L1"},
    "google_ads": {
        "customer_id": "2121450128",
        "developer_token": "ours",
        "client_id": "us",
        "client_secret": KEY,
        "refresh_token": "kept",
    },
}
DAYS = {
    "facebook_ads": (("insights", "date_start"), ("campaigns", "updated_time")),
    "google_ads": (("ad_group_ad", "segments.date"),),
}
Row = dict[str, Any]


class RefusedError(Exception):
    """An answer that is no page."""

    def __init__(
        self, status: int, body: Any = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body or {}, headers or {}


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    given: dict[str, str]
    headers: dict[str, str]
    body: Any
    form: dict[str, str]


@dataclass
class Double:
    """One vendor's records, which a test may change, and how often it answers 429 and 500."""

    vendor: str
    lists: dict[str, list[Any]]
    trouble_every: int = 0
    retry_after: str = "0"
    goes_in_circles: bool = False
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, asked: Asked) -> tuple[Any, dict[str, str]]:
        """The body and headers of an answer. Raises RefusedError."""
        self.asked.append(asked)
        if self.trouble_every and len(self.asked) % self.trouble_every == 0:
            self._be_troubled(len(self.asked) // self.trouble_every)
        answer: Callable[[Double, Asked], Any] = globals()[f"_{self.vendor}"]
        found = answer(self, asked)
        return found if isinstance(found, tuple) else (found, {})

    def _be_troubled(self, turn: int) -> None:
        if self.vendor == "facebook_ads" and turn % 2:
            raise RefusedError(
                400, {"error": {"code": 17, "message": "User request limit reached"}}
            )
        if turn % 2:
            raise RefusedError(429, headers={"Retry-After": self.retry_after})
        raise RefusedError(500)

    def page(self, rows: list[Any], at: str | int | None) -> tuple[list[Any], str]:
        """So many rows from a place on, and the next place, or nothing at the end."""
        start = int(at or 0)
        rest = len(rows) > start + PAGE
        after = "0" if self.goes_in_circles else str(start + PAGE)
        return rows[start : start + PAGE], after if rest or self.goes_in_circles else ""


@contextmanager
def double(vendor: str) -> Iterator[Double]:
    """A double with the vendor's records, answering on a free port while the block runs."""
    made = Double(vendor, json.loads((RECORDS / f"{vendor}.json").read_text()))
    for name, key in DAYS.get(vendor, ()):  # ads are asked for until today, not from long ago
        for number, row in enumerate(made.lists[name], start=1):
            day = (datetime.now(UTC) - timedelta(days=5 * number)).date().isoformat()
            _holder(row, key)[key.rpartition(".")[2]] = day
    with answering(Server(partial(_Handler, made))) as made.url:
        yield made


def settings_of(made: Double, name: str) -> dict[str, str]:
    """What switches on an instance that reads this double."""
    given = {
        "type": made.vendor,
        "base_url": made.url,
        "api_key": KEY,
        **EXTRA.get(made.vendor, {}),
    }
    if made.vendor in DAYS:
        given["since"] = (datetime.now(UTC) - timedelta(days=50)).date().isoformat()
    if made.vendor == "google_ads":
        given["token_url"] = f"{made.url}/token"
    return {f"SOURCES__{name}__{setting}".upper(): value for setting, value in given.items()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, made: Double, *request: Any) -> None:
        self._made = made
        super().__init__(*request)

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, raw: bytes) -> None:
        url = urlsplit(self.path)
        is_json = "json" in self.headers.get("Content-Type", "")
        asked = Asked(
            path=url.path,
            given=_last(url.query),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=json.loads(raw) if raw and is_json else None,
            form={} if is_json else _last(raw.decode()),
        )
        try:
            body, headers = self._made.answer(asked)
            status = 200
        except RefusedError as refusal:
            status, body, headers = refusal.status, refusal.body, refusal.headers
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)


def _last(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query).items()}


def _let_in(asked: Asked, header: str, value: str) -> None:
    if asked.headers.get(header) != value:
        raise RefusedError(401, {"message": "the key is missing or wrong"})


def _basic(made: Double) -> str:
    return "Basic " + b64encode(f"{BASIC[made.vendor]}:{KEY}".encode()).decode()


def _moment(value: Any) -> float:
    """A time as any of them writes it; what is no time has always just changed."""
    try:
        if isinstance(value, int | float) or str(value).isdecimal():
            number = float(value)
            return number / 1000 if number > 1e11 else number
        at = datetime.fromisoformat(str(value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        return float("inf")


def _since(rows: list[Row], key: str, since: Any, *, strictly: bool = False) -> list[Row]:
    """The rows that changed from a time on, in that order."""
    start = _moment(since)
    found = [
        row
        for row in rows
        if _moment(_at(row, key)) > start or (not strictly and _moment(_at(row, key)) == start)
    ]
    return sorted(found, key=lambda row: _moment(_at(row, key)))


def _until(rows: list[Row], key: str, until: str) -> list[Row]:
    """The rows of days up to one; what says no day is in all spans."""
    ends = (_moment(until), float("inf"))
    return [
        row
        for row in rows
        if _moment(_at(row, key)) <= ends[0] or _moment(_at(row, key)) == ends[1]
    ]


def _holder(row: Row, key: str) -> Row:
    """The object that a field is in."""
    way, _, _ = key.rpartition(".")
    return _at(row, way) if way else row


def _at(row: Any, key: str) -> Any:
    for name in key.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _named(made: Double, name: str) -> list[Any]:
    if name not in made.lists:
        raise RefusedError(404)
    return made.lists[name]


def _shopify(made: Double, asked: Asked) -> tuple[Any, dict[str, str]]:
    _let_in(asked, "x-shopify-access-token", KEY)
    name = asked.path.removeprefix("/").removesuffix(".json")
    if "page_info" in asked.given:
        if set(asked.given) != {"limit", "page_info"}:
            raise RefusedError(
                400, {"errors": {"page_info": "page_info cannot be passed with others"}}
            )
        since, at = asked.given["page_info"].split("|")
    else:
        if name == "orders" and asked.given.get("status") != "any":
            raise RefusedError(400, {"errors": "closed orders would be left out"})
        since, at = asked.given["updated_at_min"], "0"
    rows, after = made.page(_since(_named(made, name), "updated_at", since), at)
    query = urlencode({"limit": "250", "page_info": f"{since}|{after}"})
    link = {"Link": f'<{made.url}{asked.path}?{query}>; rel="next"'} if after else {}
    return {name: rows}, link


def _hubspot(made: Double, asked: Asked) -> Any:
    _let_in(asked, "authorization", f"Bearer {KEY}")
    if asked.path != "/crm/v3/objects/contacts/search":
        raise RefusedError(404)
    ((changed, *others),) = [group["filters"] for group in asked.body["filterGroups"]]
    if changed["operator"] != "GTE" or not changed["value"].isdecimal():
        raise RefusedError(400, {"message": "no time"})
    rows = _since(made.lists["contacts"], "properties.lastmodifieddate", changed["value"])
    for other in others:
        rows = [
            row for row in rows if _at(row, f"properties.{other['propertyName']}") == other["value"]
        ]
    rows, after = made.page(rows, asked.body.get("after"))
    kept = asked.body["properties"]
    results = [
        {**row, "properties": {k: v for k, v in row["properties"].items() if k in kept}}
        if isinstance(row.get("properties"), dict)
        else row
        for row in rows
    ]
    return {"results": results, **({"paging": {"next": {"after": after}}} if after else {})}


def _salesforce(made: Double, asked: Asked) -> Any:
    if asked.path == "/services/oauth2/token":
        if asked.form.get("grant_type") != "client_credentials":
            raise RefusedError(400, {"error": "unsupported_grant_type"})
        return {"access_token": KEY if asked.form["client_secret"] == KEY else "wrong"}
    _let_in(asked, "authorization", f"Bearer {KEY}")
    if "q" in asked.given:
        query, at = asked.given["q"], "0"
    else:
        _, _, at, query = asked.path.removeprefix("/services/data/v60.0/query/").split("-", 3)
        query = bytes.fromhex(query).decode()
    words = query.split()
    sobject, since = words[words.index("FROM") + 1], words[words.index(">=") + 1]
    rows = _since(made.lists[sobject], "SystemModstamp", since)
    if "HasOptedOutOfEmail = TRUE" in query:
        rows = [row for row in rows if row["HasOptedOutOfEmail"]]
    rows, after = made.page(rows, at)
    url = f"/services/data/v60.0/query/a-b-{after}-{query.encode().hex()}"
    return {"records": rows, "done": not after, **({"nextRecordsUrl": url} if after else {})}


def _zendesk(made: Double, asked: Asked) -> Any:
    _let_in(asked, "authorization", _basic(made))
    name = asked.path.removeprefix("/incremental/").removesuffix("/cursor.json")
    since, _, at = asked.given.get("cursor", asked.given["start_time"] + "|0").partition("|")
    rows, after = made.page(_since(_named(made, name), "updated_at", since), at)
    return {
        name: rows,
        "after_cursor": f"{since}|{after or at}",  # always given: the flag tells the end
        "end_of_stream": not after,
    }


def _klaviyo(made: Double, asked: Asked) -> Any:
    _let_in(asked, "authorization", f"Klaviyo-API-Key {KEY}")
    if not asked.headers.get("revision"):
        raise RefusedError(400)
    name = asked.path.removeprefix("/")
    key = {"profiles": "updated", "campaigns": "updated_at", "events": "datetime"}[name]
    filtered = asked.given["filter"]
    if name == "campaigns" and "equals(messages.channel,'email')" not in filtered:
        raise RefusedError(400, {"errors": [{"detail": "A channel filter is required"}]})
    operator = "greater-than" if name == "profiles" else "greater-or-equal"
    since = filtered.partition(f"{operator}({key},")[2].rstrip(")")
    rows = _since(
        _named(made, name), f"attributes.{key}", since, strictly=operator == "greater-than"
    )
    rows, after = made.page(rows, asked.given.get("page[cursor]"))
    query = urlencode({**asked.given, "page[cursor]": after})
    wanted = asked.given.get("include", "none").removesuffix("s")
    return {
        "data": rows,
        "included": [thing for thing in made.lists["included"] if thing["type"] == wanted],
        "links": {"next": f"{made.url}{asked.path}?{query}" if after else None},
    }


def _stripe(made: Double, asked: Asked) -> Any:
    _let_in(asked, "authorization", f"Bearer {KEY}")
    rows = _since(
        _named(made, asked.path.removeprefix("/")), "created", asked.given["created[gte]"]
    )
    rows = rows[::-1]  # newest first
    ids = [row["id"] for row in rows]
    after = asked.given.get("starting_after")
    start = ids.index(after) + 1 if after and not made.goes_in_circles else 0
    return {
        "object": "list",
        "data": rows[start : start + PAGE],
        "has_more": len(rows) > start + PAGE or made.goes_in_circles,
    }


def _facebook_ads(made: Double, asked: Asked) -> Any:
    _let_in(asked, "authorization", f"Bearer {KEY}")
    name = asked.path.removeprefix("/act_17/")
    if name == "campaigns":
        (condition,) = json.loads(asked.given["filtering"])
        rows = _since(made.lists[name], "updated_time", condition["value"], strictly=True)
    else:
        span = json.loads(asked.given["time_range"])
        rows = _since(_named(made, name), "date_start", span["since"])
        rows = _until(rows, "date_start", span["until"])
    rows, after = made.page(rows, asked.given.get("after"))
    cursors = {"after": after or asked.given.get("after", "0")}  # given on the last page too
    link = {"next": f"{made.url}{asked.path}?access_token={KEY}&after={after}"} if after else {}
    return {"data": rows, "paging": {"cursors": cursors, **link}}


def _google_ads(made: Double, asked: Asked) -> Any:
    if asked.path == "/token":
        if asked.form.get("refresh_token") != "kept":
            raise RefusedError(400, {"error": "invalid_grant"})
        return {"access_token": KEY, "expires_in": 3599}
    _let_in(asked, "authorization", f"Bearer {KEY}")
    _let_in(asked, "developer-token", "ours")
    words = asked.body["query"].split()
    rows = _named(made, words[words.index("FROM") + 1])
    if "BETWEEN" in words:
        since, until = (words[words.index(word) + 1].strip("'") for word in ("BETWEEN", "AND"))
        rows = _until(_since(rows, "segments.date", since), "segments.date", until)
    rows, after = made.page(rows, asked.body.get("pageToken"))
    return {**({"results": rows} if rows else {}), **({"nextPageToken": after} if after else {})}


def _mailchimp(made: Double, asked: Asked) -> Any:
    _let_in(asked, "authorization", _basic(made))
    name = asked.path.rpartition("/")[2]
    if name == "email-activity":
        return _activity(made, asked)
    key = {"members": "last_changed", "campaigns": "send_time"}[name]
    since = asked.given["since_last_changed" if name == "members" else "since_send_time"]
    rows = _since(made.lists[name], key, since, strictly=True)
    start = 0 if made.goes_in_circles else int(asked.given.get("offset", 0))
    total = 10**9 if made.goes_in_circles else len(rows)
    return {name: rows[start : start + int(asked.given["count"])], "total_items": total}


def _activity(made: Double, asked: Asked) -> Any:
    """What members did with one campaign after a moment, members who did nothing among them."""
    campaign, since = asked.path.split("/")[-2], asked.given["since"]
    rows = [row for row in made.lists["email_activity"] if row["campaign_id"] == campaign]
    start = int(asked.given.get("offset", 0))
    page = rows[start : start + int(asked.given["count"])]
    done = [_since(row["activity"], "timestamp", since, strictly=True) for row in page]
    emails = [{**row, "activity": some} for row, some in zip(page, done, strict=True)]
    return {"emails": emails, "total_items": len(rows)}


def _intercom(made: Double, asked: Asked) -> Any:
    _let_in(asked, "authorization", f"Bearer {KEY}")
    name = asked.path.removeprefix("/").removesuffix("/search")
    query = asked.body["query"]
    midnight = int(query["value"]) // 86_400 * 86_400  # it compares days, not seconds
    rows = _since(_named(made, name), query["field"], midnight + 86_400)
    rows, after = made.page(rows, asked.body["pagination"].get("starting_after"))
    pages = {"type": "pages", "next": {"starting_after": after} if after else None}
    return {"data" if name == "contacts" else name: rows, "pages": pages}
