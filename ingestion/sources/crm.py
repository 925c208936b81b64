"""Contacts and consents of a CRM with a SQL database: every version seen since the last load.

raw_crm.contacts  one row per version of a contact, fetched since the last updated_at
raw_crm.consents  one row per version of a consent decision, fetched since the last updated_at

Needs SOURCES__CRM__CREDENTIALS: a database URL, such as postgresql+psycopg://user:pw@host/crm.
"""

from collections.abc import Iterator

import dlt
from dlt.extract.resource import DltResource

from ingestion.databases import Wanted, changed_rows, database
from ingestion.versions import new_versions
from warehouse import RawTable

CONTACTS = RawTable(
    source="crm",
    name="contacts",
    grain="One row per version of a contact",
    columns={
        "contact_id": "bigint",
        "first_name": "string",
        "last_name": "string",
        "email": "string",
        "phone": "string",
        "birth_date": "date",
        "gender": "string",
        "job_title": "string",
        "street": "string",
        "city": "string",
        "postcode": "string",
        "country": "string",
        "loyalty_number": "string",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("contact_id", "updated_at"),
    identifiers={
        "contact_id": "contact_id",
        "email": "email",
        "loyalty_number": "loyalty_number",
    },
)
CONSENTS = RawTable(
    source="crm",
    name="consents",
    grain="One row per version of a consent decision",
    columns={
        "consent_id": "bigint",
        "contact_id": "bigint",
        "purpose": "string",
        "channel": "string",
        "is_granted": "boolean",
        "decided_at": "timestamp",
        "updated_at": "timestamp",
    },
    key=("consent_id", "updated_at"),
    identifiers={"contact_id": "contact_id"},
)
TABLES = (CONTACTS, CONSENTS)


@dlt.source(name="crm")
def crm(credentials: str = dlt.secrets.value) -> Iterator[DltResource]:
    """Every table of one CRM database."""
    for table in TABLES:
        yield dlt.resource(_rows, name=table.name, write_disposition="append")(table, credentials)


def _rows(table: RawTable, credentials: str) -> Iterator[object]:
    with database(credentials) as engine:
        yield from new_versions(
            table,
            lambda since: changed_rows(engine, Wanted(table.name, since=since)),
            origin=f"table {table.name}",
        )
