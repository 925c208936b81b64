"""Profiles and interactions on social networks, from a REST API: every version.

raw_social.profiles      one row per version of a profile on one network
raw_social.interactions  one row per version of a comment, like, mention, message or share

Needs SOURCES__SOCIAL__BASE_URL and SOURCES__SOCIAL__API_KEY. What the API must answer:
ingestion/rest.py.
"""

from collections.abc import Iterator

import dlt
from dlt.extract.resource import DltResource

from ingestion.rest import rest_tables
from warehouse import RawTable

PROFILES = RawTable(
    source="social",
    name="profiles",
    grain="One row per version of a profile on one network",
    columns={
        "network": "string",
        "handle": "string",
        "display_name": "string",
        "email": "string",
        "url": "string",
        "updated_at": "timestamp",
    },
    key=("network", "handle", "updated_at"),
    identifiers={"network/handle": "social_handle", "email": "email"},
)
INTERACTIONS = RawTable(
    source="social",
    name="interactions",
    grain="One row per version of a comment, like, mention, message or share",
    columns={
        "interaction_id": "string",
        "network": "string",
        "handle": "string",
        "kind": "string",
        "post_id": "string",
        "text": "string",
        "occurred_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("interaction_id", "updated_at"),
    identifiers={"network/handle": "social_handle"},
)
TABLES = (PROFILES, INTERACTIONS)


@dlt.source(name="social")
def social(
    base_url: str = dlt.config.value, api_key: str = dlt.secrets.value
) -> Iterator[DltResource]:
    """Every table of all networks behind one account."""
    yield from rest_tables(TABLES, base_url, api_key)
