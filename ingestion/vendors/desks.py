"""Vendors that help customers: Zendesk and Intercom. They fill the tables of kind `support`."""

from functools import partial

from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

from ingestion.sources.support import TICKETS, USERS
from ingestion.vendors.definition import Endpoint, Part, Vendor, first, from_unix, own, text
from ingestion.vendors.paginators import CursorWhilePaginator

zendesk_export = partial(
    Endpoint,
    pages=lambda: CursorWhilePaginator("after_cursor", "cursor", until="end_of_stream"),
    params={"start_time": "{since}", "per_page": "1000"},
    since="unix",
)
ZENDESK = Vendor(
    name="zendesk",
    kind="support",
    description="End users and tickets of a Zendesk account",
    settings=("base_url", "email", "api_key"),
    basic=("{email}/token", "{api_key}"),
    endpoints=(
        zendesk_export(
            name="users",
            table=USERS,
            path="incremental/users/cursor.json",
            rows="users",
            parts=(
                Part(
                    where=f"coalesce({text('/role')}, 'end-user') = 'end-user'",  # not our agents
                    columns={
                        "user_id": own("/id"),
                        "name": text("/name"),
                        "email": text("/email"),
                        "phone": text("/phone"),
                        "created_at": text("/created_at"),
                        "updated_at": text("/updated_at"),
                    },
                ),
            ),
        ),
        zendesk_export(
            name="tickets",
            table=TICKETS,
            path="incremental/tickets/cursor.json",
            rows="tickets",
            parts=(
                Part(
                    where=f"coalesce({text('/status')}, '') <> 'deleted'",
                    columns={
                        "ticket_id": own("/id"),
                        "user_id": own("/requester_id"),
                        "subject": text("/subject"),
                        "channel": text("/via/channel"),
                        "status": text("/status"),
                        "priority": text("/priority"),
                        "satisfaction": f"nullif(nullif({text('/satisfaction_rating/score')},"
                        " 'unoffered'), 'offered')",
                        "created_at": text("/created_at"),
                        "solved_at": f"case when {text('/status')} in ('solved', 'closed')"
                        f" then {text('/updated_at')} end",
                        "updated_at": text("/updated_at"),
                    },
                ),
            ),
        ),
    ),
)
intercom_search = partial(
    Endpoint,
    pages=lambda: JSONResponseCursorPaginator(
        cursor_path="pages.next.starting_after", cursor_body_path="pagination.starting_after"
    ),
    body={
        "query": {"field": "updated_at", "operator": ">", "value": "{before}"},
        "sort": {"field": "updated_at", "order": "ascending"},
        "pagination": {"per_page": 150},
    },
    since="unix",
    again_days=2,  # its search compares days, not seconds
)
INTERCOM = Vendor(
    name="intercom",
    kind="support",
    description="Contacts and conversations of an Intercom workspace",
    defaults={"base_url": "https://api.intercom.io"},
    headers={"Authorization": "Bearer {api_key}", "Intercom-Version": "2.11"},
    endpoints=(
        intercom_search(
            name="contacts",
            table=USERS,
            path="contacts/search",
            rows="data",
            parts=(
                Part(
                    columns={
                        "user_id": own("/id"),
                        "name": text("/name"),
                        "email": text("/email"),
                        "phone": text("/phone"),
                        "created_at": from_unix("/created_at"),
                        "updated_at": from_unix("/updated_at"),
                    },
                ),
            ),
        ),
        intercom_search(
            name="conversations",
            table=TICKETS,
            path="conversations/search",
            rows="conversations",
            parts=(
                Part(
                    columns={
                        "ticket_id": own("/id"),
                        "user_id": own("/contacts/contacts/0/id"),
                        "subject": first(text("/title"), text("/source/subject")),
                        "channel": text("/source/type"),
                        "status": text("/state"),
                        "priority": text("/priority"),
                        "satisfaction": text("/conversation_rating/rating"),
                        "created_at": from_unix("/created_at"),
                        # A conversation that is open again still bears when it was closed.
                        "solved_at": f"case when {text('/state')} = 'closed'"
                        f" then {from_unix('/statistics/last_close_at')} end",
                        "updated_at": from_unix("/updated_at"),
                    },
                ),
            ),
        ),
    ),
)
