"""Vendors that show ads: Facebook and Google. They fill the tables of the kind `ads`.

Campaigns keep the platform's own id: no two accounts share one, and the links of ads carry it.
"""

from functools import partial

from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

from ingestion.sources.ads import CAMPAIGNS, INSIGHTS
from ingestion.vendors.definition import Endpoint, Part, Vendor, day, divided, text
from ingestion.vendors.paginators import CursorWhilePaginator

RESTATED_DAYS = 28  # platforms correct their results of the last weeks without saying so


def _insight(ad: str, reported: str) -> str:
    return f"instance || ':' || {text(ad)} || ':' || {text(reported)}"


facebook_list = partial(
    Endpoint,
    rows="data",
    pages=lambda: CursorWhilePaginator("paging.cursors.after", "after", while_there="paging.next"),
)
FACEBOOK_ADS = Vendor(
    name="facebook_ads",
    kind="ads",
    description="Campaigns and daily results of one Facebook ad account",
    settings=("base_url", "api_key", "account_id"),
    defaults={"base_url": "https://graph.facebook.com/v23.0"},
    headers={"Authorization": "Bearer {api_key}"},
    busy_codes=frozenset({4, 17, 32, 613, 80000, 80003, 80004, 80014}),
    endpoints=(
        facebook_list(
            name="campaigns",
            table=CAMPAIGNS,
            path="act_{account_id}/campaigns",
            params={
                "fields": "id,name,objective,start_time,stop_time,updated_time",
                "filtering": '[{"field":"campaign.updated_time","operator":"GREATER_THAN",'
                '"value":{before}}]',
                "limit": "200",
            },
            since="unix",
            parts=(
                Part(
                    columns={
                        "campaign_id": text("/id"),
                        "name": text("/name"),
                        "platform": "'facebook'",
                        "channel": "'paid_social'",
                        "objective": text("/objective"),
                        "started_on": day("/start_time"),
                        "ended_on": day("/stop_time"),
                        "updated_at": text("/updated_time"),
                    },
                ),
            ),
        ),
        facebook_list(
            name="insights",
            table=INSIGHTS,
            path="act_{account_id}/insights",
            params={
                "level": "ad",
                "time_increment": "1",
                "time_range": '{"since":"{since}","until":"{until}"}',
                "fields": "ad_id,campaign_id,impressions,clicks,spend,account_currency,date_start",
                "limit": "500",
            },
            since="date",
            again_days=RESTATED_DAYS,
            window_days=30,
            history_days=1_100,  # it refuses to look back more than 37 months
            parts=(
                Part(
                    columns={
                        "insight_id": _insight("/ad_id", "/date_start"),
                        "campaign_id": text("/campaign_id"),
                        "ad_id": text("/ad_id"),
                        "date": text("/date_start"),
                        "platform": "'facebook'",
                        "impressions": text("/impressions"),
                        "clicks": text("/clicks"),
                        "spend": text("/spend"),
                        "currency": text("/account_currency"),
                        "updated_at": text("/date_start"),
                    },
                ),
            ),
        ),
    ),
)
google_search = partial(
    Endpoint,
    path="customers/{customer_id}/googleAds:search",
    rows="results",
    pages=lambda: JSONResponseCursorPaginator(
        cursor_path="nextPageToken", cursor_body_path="pageToken"
    ),
    since="date",
)
GOOGLE_CHANNEL = (
    f"case when {text('/campaign/advertisingChannelType')} in ('SEARCH', 'SHOPPING')"
    " then 'paid_search' else 'display' end"
)
GOOGLE_ADS = Vendor(
    name="google_ads",
    kind="ads",
    description="Campaigns and daily results of one Google Ads account",
    settings=(
        "base_url",
        "customer_id",
        "login_customer_id",
        "developer_token",
        "client_id",
        "client_secret",
        "refresh_token",
        "token_url",
    ),
    defaults={
        "base_url": "https://googleads.googleapis.com/v26",
        "token_url": "https://oauth2.googleapis.com/token",
        "login_customer_id": "",
    },
    headers={"developer-token": "{developer_token}", "login-customer-id": "{login_customer_id}"},
    token_url="{token_url}",
    token_request={"grant_type": "refresh_token", "refresh_token": "{refresh_token}"},
    endpoints=(
        google_search(
            name="campaigns",
            table=CAMPAIGNS,
            body={
                "query": "SELECT campaign.id, campaign.name, campaign.advertising_channel_type,"
                " customer.currency_code FROM campaign"
            },
            parts=(
                Part(
                    columns={
                        "campaign_id": text("/campaign/id"),
                        "name": text("/campaign/name"),
                        "platform": "'google'",
                        "channel": GOOGLE_CHANNEL,
                        "objective": text("/campaign/advertisingChannelType"),
                        "currency": text("/customer/currencyCode"),
                        "updated_at": "'1970-01-01'",  # it does not say: the last load wins
                    },
                ),
            ),
        ),
        google_search(
            name="insights",
            table=INSIGHTS,
            body={
                "query": "SELECT campaign.id, ad_group_ad.ad.id, segments.date,"
                " metrics.impressions, metrics.clicks, metrics.cost_micros,"
                " customer.currency_code FROM ad_group_ad"
                " WHERE segments.date BETWEEN '{since}' AND '{until}' ORDER BY segments.date"
            },
            again_days=RESTATED_DAYS,
            window_days=30,
            parts=(
                Part(
                    columns={
                        "insight_id": _insight("/adGroupAd/ad/id", "/segments/date"),
                        "campaign_id": text("/campaign/id"),
                        "ad_id": text("/adGroupAd/ad/id"),
                        "date": text("/segments/date"),
                        "platform": "'google'",
                        "impressions": text("/metrics/impressions"),
                        "clicks": text("/metrics/clicks"),
                        "spend": divided("/metrics/costMicros", "1000000"),
                        "currency": text("/customer/currencyCode"),
                        "updated_at": text("/segments/date"),
                    },
                ),
            ),
        ),
    ),
)
