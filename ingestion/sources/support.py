"""Users and tickets of a help desk, from a REST API: every version.

raw_support.users    one row per version of a person who asked for help
raw_support.tickets  one row per version of a ticket

Needs SOURCES__SUPPORT__BASE_URL and SOURCES__SUPPORT__API_KEY. What the API must answer:
ingestion/rest.py.
"""

from collections.abc import Iterator

import dlt
from dlt.extract.resource import DltResource

from ingestion.rest import rest_tables
from warehouse import RawTable

USERS = RawTable(
    source="support",
    name="users",
    grain="One row per version of a person who asked for help",
    columns={
        "user_id": "string",
        "name": "string",
        "email": "string",
        "phone": "string",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("user_id", "updated_at"),
    identifiers={"user_id": "support_user_id", "email": "email"},
)
TICKETS = RawTable(
    source="support",
    name="tickets",
    grain="One row per version of a ticket",
    columns={
        "ticket_id": "string",
        "user_id": "string",
        "subject": "string",
        "channel": "string",
        "status": "string",
        "priority": "string",
        "satisfaction": "string",
        "order_id": "string",
        "created_at": "timestamp",
        "solved_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("ticket_id", "updated_at"),
    identifiers={"user_id": "support_user_id"},
)
TABLES = (USERS, TICKETS)


@dlt.source(name="support")
def support(
    base_url: str = dlt.config.value, api_key: str = dlt.secrets.value
) -> Iterator[DltResource]:
    """Every table of one help desk."""
    yield from rest_tables(TABLES, base_url, api_key)
