"""Tables of a REST API that pages by cursor: every version of a row changed since the last load.

GET <base_url>/<table>?updated_since=<time>&limit=<n>&cursor=<opaque> with a bearer token answers
{"data": [...], "next_cursor": "..." or null}. Asked again after 429, 5xx and broken connections.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.client import PageData, RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

from ingestion.contracts import REFUSED_FOR
from ingestion.json_schema import literal, pointer
from ingestion.versions import Received, new_versions
from warehouse import RawTable, reading

ROWS_A_PAGE = 1_000
ROWS_A_BATCH = 20_000  # pages are checked and written together up to this many
IS_ROW = "coalesce(json_type(try_cast(line as json)), '') = 'OBJECT'"
BROKEN = f"""
    select
        cast(null as varchar) as updated_at,
        line as unreadable,
        'not a JSON object' as {REFUSED_FOR}
    from lines where not {IS_ROW}
"""
KEYS = f"""
    select distinct unnest(json_keys(try_cast(line as json))) as key
    from lines where {IS_ROW} order by key
"""


class NotAPageError(RuntimeError):
    """The API answered, but not with a page of rows."""


class EndlessPagesError(RuntimeError):
    """The API's pages lead in a circle: reading on would never end."""


def rest_tables(tables: Iterable[RawTable], base_url: str, api_key: str) -> Iterator[DltResource]:
    """One appended resource per table of the API."""
    requests = Client(raise_for_status=False)
    requests.configure()  # RUNTIME__REQUEST_MAX_ATTEMPTS and its like
    client = RESTClient(
        base_url=base_url,
        session=requests.session,
        auth=BearerTokenAuth(api_key),
        paginator=JSONResponseCursorPaginator(cursor_path="next_cursor", cursor_param="cursor"),
        data_selector="$",
    )
    for table in tables:
        yield dlt.resource(_rows, name=table.name, write_disposition="append")(table, client)


def _rows(table: RawTable, client: RESTClient) -> Iterator[object]:
    yield from new_versions(
        table, lambda since: _batches(client, table, since), origin=f"endpoint {table.name}"
    )


def _batches(client: RESTClient, table: RawTable, since: str | None) -> Iterator[Received]:
    params = {"limit": ROWS_A_PAGE} | ({"updated_since": since} if since else {})
    lines: list[str] = []
    pages = client.paginate(table.name, params=params)
    for rows in each_once(pages, partial(_data, endpoint=table.name), table.name):
        lines += map(json.dumps, rows)
        if len(lines) >= ROWS_A_BATCH:
            yield Received(len(lines), tuple(text_rows(table, lines)))
            lines = []
    if lines:
        yield Received(len(lines), tuple(text_rows(table, lines)))


def each_once(
    pages: Iterable[PageData[Any]], rows_of: Callable[[Any], list[Any]], endpoint: str
) -> Iterator[list[Any]]:
    """The rows of each page.

    Raises EndlessPagesError when a page is asked for twice, or brings the rows of the one before.
    """
    asked: set[tuple[str | None, object]] = set()
    before: list[Any] = []
    for page in pages:
        request = page.response.request
        rows = rows_of(page[0])
        if (request.url, request.body) in asked or (rows and rows == before):
            raise EndlessPagesError(
                f"its pages at {endpoint} lead in a circle: page {len(asked) + 1} was read before"
            )
        asked.add((request.url, request.body))
        before = rows
        yield rows


def _data(body: Any, endpoint: str) -> list[Any]:
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list):
        raise NotAPageError(f"its answer at {endpoint} is no page: it has no list named data")
    return data


def text_rows(table: RawTable, rows: list[str]) -> Iterator[pa.Table]:
    """The fields of rows of JSON as text, and apart from them what is no JSON object.

    Values stay text until the contract: what is no number must not stop the others.
    """
    with reading(lines=pa.table({"line": pa.array(rows, pa.string())})) as session:
        found = session.read(KEYS).column("key").to_pylist()
        names = [*table.columns, *(key for key in found if key not in table.columns)]
        names.remove("origin") if "origin" in table.columns else None
        values = ", ".join(
            f"json_extract_string(line, {literal(pointer(name))}) as column_{number}"
            for number, name in enumerate(names)
        )
        read = session.read(f"select {values} from lines where {IS_ROW}").rename_columns(names)
        yield from (part for part in (read, session.read(BROKEN)) if part.num_rows)
