"""Ways to page that dlt has no class for."""

from datetime import datetime
from typing import Any

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import BasePaginator, JSONResponseCursorPaginator
from requests import Request, Response

from ingestion.rest import NotAPageError

SEARCH_DEPTH = 10_000  # HubSpot's search gives no more rows of one question


class CursorWhilePaginator(JSONResponseCursorPaginator):
    """A cursor that is always given: the flag, or the link, beside it tells when to stop.

    Raises NotAPageError where neither tells.
    """

    def __init__(self, cursor: str, param: str, *, until: str = "", while_there: str = "") -> None:
        super().__init__(cursor, param)
        self._cursor, self._until, self._while_there = cursor, until, while_there

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Remember the cursor unless this was the last page."""
        super().update_state(response, data)
        body = response.json()
        is_over = self._until and _at(body, self._until)
        if is_over or (self._while_there and not _at(body, self._while_there)):
            self._next_reference = None
        elif not self._next_reference:
            raise NotAPageError(f"its answer has neither an end nor {self._cursor}")


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
