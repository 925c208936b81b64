"""Campaigns and their daily results on advertising platforms, from a REST API: every version.

raw_ads.campaigns  one row per version of a campaign
raw_ads.insights   one row per version of an ad's results of one day; platforms restate them later

Needs SOURCES__ADS__BASE_URL and SOURCES__ADS__API_KEY. What the API must answer: ingestion/rest.py.
"""

from collections.abc import Iterator

import dlt
from dlt.extract.resource import DltResource

from ingestion.rest import rest_tables
from warehouse import RawTable

CAMPAIGNS = RawTable(
    source="ads",
    name="campaigns",
    grain="One row per version of an advertising campaign",
    columns={
        "campaign_id": "string",
        "name": "string",
        "platform": "string",
        "channel": "string",
        "objective": "string",
        "currency": "string",
        "started_on": "date",
        "ended_on": "date",
        "updated_at": "timestamp",
    },
    key=("campaign_id", "updated_at"),
)
INSIGHTS = RawTable(
    source="ads",
    name="insights",
    grain="One row per version of an ad's results of one day",
    columns={
        "insight_id": "string",
        "campaign_id": "string",
        "ad_id": "string",
        "date": "date",
        "platform": "string",
        "impressions": "bigint",
        "clicks": "bigint",
        "spend": "double",
        "currency": "string",
        "updated_at": "timestamp",
    },
    key=("insight_id", "updated_at"),
)
TABLES = (CAMPAIGNS, INSIGHTS)


@dlt.source(name="ads")
def ads(
    base_url: str = dlt.config.value, api_key: str = dlt.secrets.value
) -> Iterator[DltResource]:
    """Every table of one account."""
    yield from rest_tables(TABLES, base_url, api_key)
