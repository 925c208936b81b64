"""Vendors that send e-mail: Klaviyo and Mailchimp. They fill the tables of the kind `email`."""

from functools import partial

from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator, OffsetPaginator

from ingestion.sources.email import CAMPAIGNS, EVENTS, PROFILES
from ingestion.vendors.definition import Endpoint, Part, Vendor, first, own, text

METRIC = "/relationships/metric/data/attributes/name"
KINDS = {
    "Received Email": "delivered",
    "Opened Email": "opened",
    "Clicked Email": "clicked",
    "Bounced Email": "bounced",
    "Dropped Email": "bounced",
    "Unsubscribed from Email Marketing": "unsubscribed",
    "Marked Email as Spam": "marked_spam",
}
KIND = " ".join(
    ["case", text(METRIC), *(f"when '{metric}' then '{kind}'" for metric, kind in KINDS.items())]
)
SUBSCRIPTION = "/attributes/subscriptions/email/marketing/can_receive_email_marketing"
klaviyo_list = partial(
    Endpoint,
    rows="data",
    pages=lambda: JSONLinkPaginator("links.next"),
)
KLAVIYO = Vendor(
    name="klaviyo",
    kind="email",
    description="Profiles, e-mail campaigns and e-mail events of a Klaviyo account",
    defaults={"base_url": "https://a.klaviyo.com/api", "revision": "2025-10-15"},
    headers={"Authorization": "Klaviyo-API-Key {api_key}", "revision": "{revision}"},
    endpoints=(
        klaviyo_list(
            name="profiles",
            table=PROFILES,
            path="profiles",
            params={
                "filter": "greater-than(updated,{before})",
                "sort": "updated",
                "page[size]": "100",
                "additional-fields[profile]": "subscriptions",
            },
            parts=(
                Part(
                    columns={
                        "profile_id": own("/id"),
                        "email": text("/attributes/email"),
                        "first_name": text("/attributes/first_name"),
                        "last_name": text("/attributes/last_name"),
                        "phone": text("/attributes/phone_number"),
                        "country": text("/attributes/location/country"),
                        "is_subscribed": text(SUBSCRIPTION),
                        "created_at": text("/attributes/created"),
                        "updated_at": text("/attributes/updated"),
                    },
                ),
            ),
        ),
        klaviyo_list(
            name="campaigns",
            table=CAMPAIGNS,
            path="campaigns",
            params={
                "filter": "and(equals(messages.channel,'email'),"
                "greater-or-equal(updated_at,{since}))",
                "sort": "updated_at",
                "include": "campaign-messages",
            },
            parts=(
                Part(
                    each=("/relationships/campaign-messages/data",),  # events name the message
                    columns={
                        "campaign_id": own("/id"),
                        "name": text("/attributes/name", "root"),
                        "subject": first(
                            text("/attributes/definition/content/subject"),
                            text("/attributes/content/subject"),
                        ),
                        "sent_at": text("/attributes/send_time", "root"),
                        "updated_at": text("/attributes/updated_at", "root"),
                    },
                ),
            ),
        ),
        klaviyo_list(
            name="events",
            table=EVENTS,
            path="events",
            params={
                "filter": "greater-or-equal(datetime,{since})",
                "sort": "datetime",
                "include": "metric",
            },
            again_days=2,  # openings may come late
            parts=(
                Part(
                    where=f"{text(METRIC)} is null or {KIND} end is not null",
                    columns={
                        "event_id": own("/id"),
                        "profile_id": own("/relationships/profile/data/id"),
                        "campaign_id": own("/attributes/event_properties/$message"),
                        "kind": f"{KIND} end",
                        "url": text("/attributes/event_properties/URL"),
                        "occurred_at": text("/attributes/datetime"),
                        "updated_at": text("/attributes/datetime"),
                    },
                ),
            ),
        ),
    ),
)
mailchimp_list = partial(
    Endpoint,
    pages=lambda: OffsetPaginator(
        limit=1000, offset_param="offset", limit_param="count", total_path="total_items"
    ),
)
mailchimp_campaigns = partial(
    mailchimp_list,
    name="campaigns",
    table=CAMPAIGNS,
    path="campaigns",
    rows="campaigns",
    params={"since_send_time": "{before}", "status": "sent"},
    parts=(
        Part(
            columns={
                "campaign_id": own("/id"),
                "name": first(text("/settings/title"), text("/settings/subject_line")),
                "subject": text("/settings/subject_line"),
                "sent_at": text("/send_time"),
                "updated_at": text("/send_time"),
            },
        ),
    ),
)
ACTIONS = {"open": "opened", "click": "clicked", "bounce": "bounced"}
ACTION = " ".join(
    [
        "case",
        text("/action"),
        *(f"when '{action}' then '{kind}'" for action, kind in ACTIONS.items()),
    ]
)
ACTIVITY = (  # has no id of its own
    f"{own('/campaign_id', 'root')} || ':' || md5(concat({text('/email_id', 'root')}, '|',"
    f" {text('/action')}, '|', {text('/timestamp')}, '|', {text('/url')}))"
)
MAILCHIMP = Vendor(
    name="mailchimp",
    kind="email",
    description="Members of one Mailchimp audience, and the campaigns of the account with what"
    " became of them",
    settings=("base_url", "api_key", "list_id"),
    basic=("cdp", "{api_key}"),
    endpoints=(
        mailchimp_list(
            name="members",
            table=PROFILES,
            path="lists/{list_id}/members",
            rows="members",
            params={"since_last_changed": "{before}", "sort_field": "last_changed"},
            parts=(
                Part(
                    columns={
                        "profile_id": own("/id"),
                        "email": text("/email_address"),
                        "first_name": text("/merge_fields/FNAME"),
                        "last_name": text("/merge_fields/LNAME"),
                        "phone": text("/merge_fields/PHONE"),
                        "country": text("/location/country_code"),
                        "is_subscribed": f"cast({text('/status')} = 'subscribed' as varchar)",
                        "created_at": first(text("/timestamp_opt"), text("/timestamp_signup")),
                        "updated_at": text("/last_changed"),
                    },
                ),
            ),
        ),
        mailchimp_campaigns(again_days=1),
        mailchimp_list(
            name="activity",
            table=EVENTS,
            path="reports/{each}/email-activity",
            rows="emails",
            params={"since": "{before}"},
            again_days=2,  # openings may come late
            per=mailchimp_campaigns(again_days=90),  # of older ones, nothing is asked for again
            parts=(
                Part(
                    each=("/activity",),
                    where=f"{text('/action')} is null or {ACTION} end is not null",
                    columns={
                        "event_id": ACTIVITY,
                        "profile_id": own("/email_id", "root"),
                        "campaign_id": own("/campaign_id", "root"),
                        "kind": f"{ACTION} end",
                        "url": text("/url"),
                        "occurred_at": text("/timestamp"),
                        "updated_at": text("/timestamp"),
                    },
                ),
            ),
        ),
    ),
)
