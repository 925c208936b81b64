"""What a vendor's API is, as data: where its rows are, how it pages, and what each row means to us.

A part says by which SQL over one answered row the columns of a raw table are made. The functions at
the end write such SQL: JSON pointers into `item`, the row or the element of a list in it, into
`holder`, the element that the list is in, and into `root`, the whole answered row. What is of the
wrong type stays as it came, so that the contract of the table refuses it and nothing is guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dlt.sources.helpers.rest_client.paginators import BasePaginator

from warehouse import RawTable

ZERO_DECIMAL = (  # currencies that payment APIs give in whole units: nothing to divide
    "bif,clp,djf,gnf,jpy,kmf,krw,mga,pyg,rwf,ugx,vnd,vuv,xaf,xof,xpf"
)


@dataclass(frozen=True)
class Part:
    """How one answered row becomes rows of a raw table: one, or one per element of nested lists."""

    columns: Mapping[str, str]
    each: tuple[str, ...] = ()
    where: str = "true"


@dataclass(frozen=True)
class Endpoint:
    """One list of an API, and the raw table that it fills.

    `{since}`, `{before}` (a second earlier, for APIs that leave out the moment itself), `{until}`
    and settings in braces are filled in where they stand in the path, the parameters or the body,
    which makes it a POST. `again_days` before the newest change are asked
    for anew by each load, for rows that are restated and do not say so. `window_days` cuts long
    histories into requests of so many days, and nothing is asked for beyond `history_days`.
    With `per` it is asked once for each row of that list, whose id is `{each}`: for those that are
    not older than the list's own `again_days` before what is asked for.
    """

    name: str
    table: RawTable
    path: str
    rows: str
    pages: Callable[[], BasePaginator]
    parts: tuple[Part, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    since: Literal["iso", "unix", "unix_ms", "date"] = "iso"
    again_days: int = 0
    window_days: int = 0
    history_days: int = 0
    per: "Endpoint | None" = None


@dataclass(frozen=True)
class Vendor:
    """A system that many companies have: the kind of source it is, how it lets us in, its lists.

    `settings` must be given unless they have a default. `busy_codes` are those of errors that mean
    "ask later" under a status that does not.
    """

    name: str
    kind: Literal["shop", "crm", "ads", "email", "support"]
    description: str
    endpoints: tuple[Endpoint, ...]
    defaults: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    basic: tuple[str, str] | None = None
    token_url: str = ""
    token_request: Mapping[str, str] = field(default_factory=dict)
    busy_codes: frozenset[int] = frozenset()
    settings: tuple[str, ...] = ("base_url", "api_key")


def text(pointer: str, of: str = "item") -> str:
    """The value at a pointer."""
    return f"json_extract_string({of}, '{pointer}')"


def own(pointer: str, of: str = "item") -> str:
    """An id of this system, which no other instance has: it begins with the instance's name."""
    return f"instance || ':' || nullif(trim({text(pointer, of)}), '')"


def first(*values: str) -> str:
    """The first of these values that is not empty."""
    return f"coalesce({', '.join(f'''nullif(trim({value}), '')''' for value in values)})"


def day(pointer: str, of: str = "item") -> str:
    """The day of a time written as text."""
    return f"left({text(pointer, of)}, 10)"


def from_unix(pointer: str, of: str = "item") -> str:
    """A time that is given in seconds since 1970."""
    value = text(pointer, of)
    return f"coalesce(cast(to_timestamp(try_cast({value} as double)) as varchar), {value})"


def divided(pointer: str, by: str, of: str = "item") -> str:
    """A number that is given in small units."""
    value = text(pointer, of)
    return f"coalesce(cast(try_cast({value} as double) / ({by}) as varchar), {value})"


def money(pointer: str, currency: str, of: str = "item") -> str:
    """An amount that is given in cents, or in whole units where a currency has none."""
    is_whole = f"list_contains(string_split('{ZERO_DECIMAL}', ','), lower({text(currency, of)}))"
    return divided(pointer, f"case when {is_whole} then 1 else 100 end", of)
