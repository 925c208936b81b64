"""Vendors that know contacts: HubSpot and Salesforce. They fill the tables of the kind `crm`."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator

from ingestion.sources.crm import CONSENTS, CONTACTS
from ingestion.vendors.definition import Endpoint, Part, Vendor, first, own, text
from ingestion.vendors.paginators import SearchPaginator

HUBSPOT_CONTACT = (
    "firstname",
    "lastname",
    "email",
    "phone",
    "mobilephone",
    "address",
    "city",
    "zip",
    "country",
    "jobtitle",
    "createdate",
    "lastmodifieddate",
)
OPTED_OUT = {"propertyName": "hs_email_optout", "operator": "EQ", "value": "true"}


def _refusal(record: str, changed: str) -> Part:
    """A consent that says no to e-mail: only objections count, as no objection is no yes."""
    return Part(
        columns={
            "consent_id": f"{record} || ':email'",
            "contact_id": record,
            "purpose": "'marketing'",
            "channel": "'email'",
            "is_granted": "'false'",
            "decided_at": changed,
            "updated_at": changed,
        },
    )


def _search(properties: tuple[str, ...], *filters: Mapping[str, str]) -> Mapping[str, Any]:
    changed = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "{since}"}
    return {
        "filterGroups": [{"filters": [changed, *filters]}],
        "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
        "properties": list(properties),
        "limit": 100,
    }


hubspot_search = partial(
    Endpoint,
    path="crm/v3/objects/contacts/search",
    rows="results",
    pages=lambda: SearchPaginator("lastmodifieddate"),
    since="unix_ms",
)
HUBSPOT = Vendor(
    name="hubspot",
    kind="crm",
    description="Contacts of a HubSpot account, and who opted out of e-mail",
    defaults={"base_url": "https://api.hubapi.com"},
    headers={"Authorization": "Bearer {api_key}"},
    endpoints=(
        hubspot_search(
            name="contacts",
            table=CONTACTS,
            body=_search(HUBSPOT_CONTACT),
            parts=(
                Part(
                    columns={
                        "contact_id": own("/id"),
                        "first_name": text("/properties/firstname"),
                        "last_name": text("/properties/lastname"),
                        "email": text("/properties/email"),
                        "phone": first(text("/properties/phone"), text("/properties/mobilephone")),
                        "street": text("/properties/address"),
                        "city": text("/properties/city"),
                        "postcode": text("/properties/zip"),
                        "country": text("/properties/country"),
                        "job_title": text("/properties/jobtitle"),
                        "created_at": text("/properties/createdate"),
                        "updated_at": text("/properties/lastmodifieddate"),
                    },
                ),
            ),
        ),
        hubspot_search(
            name="opt_outs",
            table=CONSENTS,
            body=_search(("lastmodifieddate", "hs_email_optout"), OPTED_OUT),
            parts=(_refusal(own("/id"), text("/properties/lastmodifieddate")),),
        ),
    ),
)


salesforce_query = partial(
    Endpoint,
    path="services/data/v60.0/query",
    rows="records",
    pages=lambda: JSONLinkPaginator("nextRecordsUrl"),
)


def _salesforce(name: str, sobject: str, columns: Mapping[str, str], also: str = "") -> Endpoint:
    """One list of people: the fields that the columns point to, changed since the last load."""
    fields = ", ".join(columns.values())
    return salesforce_query(
        name=name,
        table=CONTACTS,
        params={
            "q": f"SELECT {fields}, SystemModstamp FROM {sobject}"
            f" WHERE SystemModstamp >= {{since}}{also} ORDER BY SystemModstamp"
        },
        parts=(
            Part(
                columns={
                    **{column: text(f"/{sought}") for column, sought in columns.items()},
                    "contact_id": own("/Id"),
                    "updated_at": text("/SystemModstamp"),
                },
            ),
        ),
    )


def _salesforce_opt_outs(name: str, sobject: str) -> Endpoint:
    return salesforce_query(
        name=name,
        table=CONSENTS,
        params={
            "q": f"SELECT Id, SystemModstamp FROM {sobject} WHERE SystemModstamp >= {{since}}"
            " AND HasOptedOutOfEmail = TRUE ORDER BY SystemModstamp"
        },
        parts=(_refusal(own("/Id"), text("/SystemModstamp")),),
    )


PERSON = {
    "contact_id": "Id",
    "first_name": "FirstName",
    "last_name": "LastName",
    "email": "Email",
    "phone": "Phone",
    "job_title": "Title",
    "created_at": "CreatedDate",
}
SALESFORCE = Vendor(
    name="salesforce",
    kind="crm",
    description="Contacts and leads of a Salesforce organisation, and who opted out of e-mail",
    settings=("base_url", "client_id", "client_secret"),
    token_url="{base_url}/services/oauth2/token",
    token_request={"grant_type": "client_credentials"},
    endpoints=(
        _salesforce(
            "contacts",
            "Contact",
            {
                **PERSON,
                "birth_date": "Birthdate",
                "street": "MailingStreet",
                "city": "MailingCity",
                "postcode": "MailingPostalCode",
                "country": "MailingCountry",
            },
        ),
        _salesforce(
            "leads",
            "Lead",
            {
                **PERSON,
                "street": "Street",
                "city": "City",
                "postcode": "PostalCode",
                "country": "Country",
            },
            also=" AND IsConverted = FALSE",  # a converted one is a contact
        ),
        _salesforce_opt_outs("contact_opt_outs", "Contact"),
        _salesforce_opt_outs("lead_opt_outs", "Lead"),
    ),
)
