"""Reads one instance of a vendor: asks for what changed, maps it to our tables, checks it.

Retries, versions and contracts are those of every other REST source: `rest.py`, `versions.py` and
`contracts.py`. What is asked for, and what an answer means, is the vendor's definition.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource
from dlt.extract.source import DltSource
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client.auth import (
    AuthConfigBase,
    HttpBasicAuth,
    OAuth2ClientCredentials,
)
from dlt.sources.helpers.rest_client.client import RESTClient
from requests import Response

from ingestion.mapping import mapped_rows
from ingestion.rest import ROWS_A_BATCH, NotAPageError, each_once
from ingestion.vendors import Endpoint, Vendor
from ingestion.versions import Received, new_versions
from warehouse import RawTable, scratch

BEGINNING = "2010-01-01"  # nothing older is asked for, unless SOURCES__<NAME>__SINCE says so
SECONDS = "select epoch(cast($1 as timestamptz)) as seconds"


@dataclass(frozen=True)
class _Door:
    """An instance of a vendor, its settings, and a client that it lets in."""

    instance: str
    vendor: Vendor
    given: Mapping[str, str]
    client: RESTClient


def opened(
    vendor: Vendor, instance: str, tables: Iterable[RawTable], given: Mapping[str, str]
) -> DltSource:
    """Every list of one instance, as resources that append to its tables."""
    door = _Door(instance, vendor, given, _client(vendor, given))
    named = {table.name: table for table in tables}

    @dlt.source(name=instance)
    def resources() -> Iterator[DltResource]:
        for endpoint in vendor.endpoints:
            table = named[endpoint.table.name]
            resource = dlt.resource(_rows, name=endpoint.name, write_disposition="append")
            yield resource(door, endpoint, table)

    return resources()


def _client(vendor: Vendor, given: Mapping[str, str]) -> RESTClient:
    requests = Client(raise_for_status=False, retry_condition=partial(_is_busy, vendor.busy_codes))
    requests.configure()  # RUNTIME__REQUEST_MAX_ATTEMPTS and its like
    headers = {name: _filled(value, given) for name, value in vendor.headers.items()}
    return RESTClient(
        base_url=given["base_url"],
        session=requests.session,
        headers={name: value for name, value in headers.items() if value},
        auth=_auth(vendor, given, requests),
        data_selector="$",
    )


def _auth(vendor: Vendor, given: Mapping[str, str], requests: Client) -> AuthConfigBase | None:
    if vendor.basic:
        username, password = _filled(list(vendor.basic), given)
        return HttpBasicAuth(username, password)
    if not vendor.token_url:
        return None
    return OAuth2ClientCredentials(
        access_token_url=_filled(vendor.token_url, given),
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        access_token_request_data=_filled(dict(vendor.token_request), given),
        session=requests.session,
    )


def _is_busy(
    codes: frozenset[int], response: Response | None, _error: BaseException | None
) -> bool:
    """Whether an answer says by the code in its body alone that there were too many requests."""
    if not codes or response is None or response.ok:
        return False
    try:
        return int(response.json()["error"]["code"]) in codes
    except (ValueError, KeyError, TypeError):
        return False


def _rows(door: _Door, endpoint: Endpoint, table: RawTable) -> Iterator[object]:
    read = partial(_answered, door, endpoint, table)
    origin = f"{door.instance}: {endpoint.name}"
    for rows in new_versions(table, read, origin, endpoint.again_days):
        is_accepted = isinstance(rows, pa.Table)  # others say their table themselves
        yield dlt.mark.with_table_name(rows, table.name) if is_accepted else rows


def _answered(
    door: _Door, endpoint: Endpoint, table: RawTable, newest: str | None
) -> Iterator[Received]:
    """The rows that were answered, as rows of ours: one order is received as so many lines."""
    lines: list[str] = []
    for tokens in _asked(door, endpoint, _since(door, endpoint, newest)):
        for rows in _answers(door.client, endpoint, tokens):
            lines += map(json.dumps, rows)
            if len(lines) >= ROWS_A_BATCH:
                yield _received(door, endpoint, table, lines)
                lines = []
    if lines:
        yield _received(door, endpoint, table, lines)


def _asked(door: _Door, endpoint: Endpoint, since: datetime) -> Iterator[dict[str, str]]:
    """What to fill in, once for each time that an endpoint is asked."""
    each = _ids(door, endpoint.per, since) if endpoint.per else [{}]
    for times in _questions(endpoint, since):
        yield from ({**door.given, **times, **one} for one in each)


def _ids(door: _Door, endpoint: Endpoint, since: datetime) -> list[dict[str, str]]:
    """The ids of a list; a row without one is refused where the list itself is read."""
    start = since - timedelta(days=endpoint.again_days)
    rows = [
        row
        for tokens in _asked(door, endpoint, start)
        for page in _answers(door.client, endpoint, tokens)
        for row in page
    ]
    return [{"each": str(row["id"])} for row in rows if isinstance(row, dict) and row.get("id")]


def _received(door: _Door, endpoint: Endpoint, table: RawTable, lines: list[str]) -> Received:
    made = tuple(mapped_rows(table, endpoint.parts, door.instance, lines))
    return Received(sum(rows.num_rows for rows in made), made)


def _since(door: _Door, endpoint: Endpoint, newest: str | None) -> datetime:
    """From when on to ask: the newest change we had, less the days that are asked for again."""
    starts = [_midnight(door.given["since"] or BEGINNING)]
    if endpoint.history_days:
        starts.append(datetime.now(UTC) - timedelta(days=endpoint.history_days))
    if newest:
        with scratch() as session:
            seconds = session.read(SECONDS, [newest]).column("seconds")[0].as_py()
        again = timedelta(days=endpoint.again_days)
        starts.append(datetime.fromtimestamp(seconds // 1, UTC) - again)
    return max(starts)


def _midnight(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    except ValueError:
        raise ValueError(f"SINCE must be a date such as 2020-01-31, not {day}") from None


def _questions(endpoint: Endpoint, since: datetime) -> Iterator[dict[str, str]]:
    """The times to fill in, once for each window of days from then until now."""
    now = datetime.now(UTC)
    start, days = min(since, now), endpoint.window_days
    while True:
        end = min(start + timedelta(days=days), now) if days else now
        yield {
            "since": _written(start, endpoint),
            "before": _written(start - timedelta(seconds=1), endpoint),
            "until": _written(end, endpoint),
        }
        if end >= now:
            return
        start = end + timedelta(days=endpoint.since == "date")  # both days of a span are in it


def _written(moment: datetime, endpoint: Endpoint) -> str:
    """A time as this list wants it; seconds are cut off, so that nothing is left out."""
    match endpoint.since:
        case "unix":
            return str(int(moment.timestamp()))
        case "unix_ms":
            return str(int(moment.timestamp()) * 1000)
        case "date":
            return moment.date().isoformat()
        case _:
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _answers(
    client: RESTClient, endpoint: Endpoint, tokens: Mapping[str, str]
) -> Iterator[list[Any]]:
    """The rows of each page."""
    body = _filled(endpoint.body, tokens) if endpoint.body is not None else None
    pages = client.paginate(
        _filled(endpoint.path, tokens),
        method="POST" if body is not None else "GET",
        params=_filled(dict(endpoint.params), tokens) or None,
        json=body,
        paginator=endpoint.pages(),
    )
    return each_once(pages, partial(_list_of, endpoint), endpoint.name)


def _list_of(endpoint: Endpoint, body: Any) -> list[Any]:
    """The rows of an answer, each with what the answer includes beside them (JSON:API)."""
    rows = body.get(endpoint.rows) if isinstance(body, dict) else None
    if rows is None and isinstance(body, dict) and endpoint.rows == "results":
        return []  # Google leaves an empty list out
    if not isinstance(rows, list):
        raise NotAPageError(
            f"its answer at {endpoint.name} is no page: it has no list named {endpoint.rows}"
        )
    included = {
        (thing.get("type"), thing.get("id")): thing.get("attributes")
        for thing in body.get("included") or []
    }
    return [_with_included(row, included) for row in rows] if included else rows


def _with_included(row: Any, included: Mapping[tuple[Any, Any], Any]) -> Any:
    for relation in row.get("relationships", {}).values():
        things = relation.get("data") or []
        for thing in things if isinstance(things, list) else [things]:
            thing["attributes"] = included.get((thing.get("type"), thing.get("id")))
    return row


def _filled(value: Any, tokens: Mapping[str, str]) -> Any:
    """The value with the tokens in braces filled in, wherever they stand in it."""
    if isinstance(value, Mapping):
        return {key: _filled(inner, tokens) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, tokens) for inner in value]
    if isinstance(value, str):
        for name, given in tokens.items():
            value = value.replace(f"{{{name}}}", given)
    return value
