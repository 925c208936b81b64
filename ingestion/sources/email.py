"""Profiles, campaigns and events of an e-mail tool, from a REST API: every version.

raw_email.profiles   one row per version of a profile, an address that may be written to
raw_email.campaigns  one row per version of a campaign
raw_email.events     one row per version of what happened to one message

Needs SOURCES__EMAIL__BASE_URL and SOURCES__EMAIL__API_KEY. What the API must answer:
ingestion/rest.py.
"""

from collections.abc import Iterator

import dlt
from dlt.extract.resource import DltResource

from ingestion.rest import rest_tables
from warehouse import RawTable

PROFILES = RawTable(
    source="email",
    name="profiles",
    grain="One row per version of a profile",
    columns={
        "profile_id": "string",
        "email": "string",
        "first_name": "string",
        "last_name": "string",
        "phone": "string",
        "country": "string",
        "is_subscribed": "boolean",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("profile_id", "updated_at"),
    identifiers={"profile_id": "profile_id", "email": "email"},
)
CAMPAIGNS = RawTable(
    source="email",
    name="campaigns",
    grain="One row per version of an e-mail campaign",
    columns={
        "campaign_id": "string",
        "name": "string",
        "subject": "string",
        "sent_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("campaign_id", "updated_at"),
)
EVENTS = RawTable(
    source="email",
    name="events",
    grain="One row per version of what happened to one message",
    columns={
        "event_id": "string",
        "profile_id": "string",
        "campaign_id": "string",
        "kind": "string",
        "url": "string",
        "occurred_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("event_id", "updated_at"),
    identifiers={"profile_id": "profile_id"},
)
TABLES = (PROFILES, CAMPAIGNS, EVENTS)


@dlt.source(name="email")
def email(
    base_url: str = dlt.config.value, api_key: str = dlt.secrets.value
) -> Iterator[DltResource]:
    """Every table of one account."""
    yield from rest_tables(TABLES, base_url, api_key)
