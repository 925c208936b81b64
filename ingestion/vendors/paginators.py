"""Ways to page that dlt has no class for."""

from datetime import datetime
from typing import Any

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import BasePaginator, BaseReferencePaginator
from requests import Request, Response

SEARCH_DEPTH = 10_000  # HubSpot's search gives no more rows of one question


class LastRowPaginator(BaseReferencePaginator):
    """The next page begins after the id of the last row, for as long as the answer has more."""

    def __init__(self, param: str, more: str) -> None:
        super().__init__()
        self._param = param
        self._more = more

    def update_state(self, response: Response, _data: list[Any] | None = None) -> None:
        """Remember the last id."""
        body = response.json()
        rows = body.get("data") or []
        self._next_reference = str(rows[-1]["id"]) if body.get(self._more) and rows else None

    def update_request(self, request: Request) -> None:
        """Ask for what comes after it."""
        request.params = {**(request.params or {}), self._param: self._next_reference}


class CursorWhilePaginator(BaseReferencePaginator):
    """A cursor that is always given: the flag, or the link, beside it tells when to stop."""

    def __init__(self, cursor: str, param: str, *, until: str = "", while_there: str = "") -> None:
        super().__init__()
        self._cursor, self._param = cursor, param
        self._until, self._while_there = until, while_there

    def update_state(self, response: Response, _data: list[Any] | None = None) -> None:
        """Remember the cursor unless this was the last page."""
        body = response.json()
        is_last = bool(self._until and _at(body, self._until)) or bool(
            self._while_there and not _at(body, self._while_there)
        )
        self._next_reference = None if is_last else _at(body, self._cursor)

    def update_request(self, request: Request) -> None:
        """Ask for the page at the cursor."""
        request.params = {**(request.params or {}), self._param: self._next_reference}


class SearchPaginator(BasePaginator):
    """HubSpot's search, sorted by a time: past its depth the question begins anew at the last row.

    Its first filter must be the one on that time; times are milliseconds since 1970 there.
    """

    def __init__(self, changed: str) -> None:
        super().__init__()
        self._changed = changed
        self._after: str | None = None
        self._since: str | None = None

    def update_state(self, response: Response, _data: list[Any] | None = None) -> None:
        """Remember where the next page is, or from which time on to ask anew."""
        body = response.json()
        self._after, self._since = _at(body, "paging.next.after"), None
        if self._after and int(self._after) >= SEARCH_DEPTH:
            newest = body["results"][-1]["properties"][self._changed]
            self._after, self._since = None, _milliseconds(newest)
        self._has_next_page = bool(self._after or self._since)

    def update_request(self, request: Request) -> None:
        """Go on after the last row, or ask from its time on."""
        body = dict(request.json or {})
        body.pop("after", None)
        if self._after:
            body["after"] = self._after
        if self._since:
            group = body["filterGroups"][0]
            first, *others = group["filters"]
            body["filterGroups"] = [{"filters": [{**first, "value": self._since}, *others]}]
        request.json = body


def _milliseconds(moment: str) -> str:
    """A time in ISO 8601 as milliseconds since 1970."""
    return str(int(datetime.fromisoformat(moment).timestamp() * 1000))


def _at(body: Any, path: str) -> Any:
    found = jsonpath.find_values(path, body)
    return found[0] if found else None
