"""Vendors that settings switch on: each is data, and `ingestion/connector.py` reads it."""

from ingestion.vendors.advertisers import FACEBOOK_ADS, GOOGLE_ADS
from ingestion.vendors.crms import HUBSPOT, SALESFORCE
from ingestion.vendors.definition import Endpoint, Part, Vendor
from ingestion.vendors.desks import INTERCOM, ZENDESK
from ingestion.vendors.mailers import KLAVIYO, MAILCHIMP
from ingestion.vendors.shops import SHOPIFY, STRIPE

__all__ = ["VENDORS", "Endpoint", "Part", "Vendor"]

VENDORS = {
    vendor.name: vendor
    for vendor in (
        SHOPIFY,
        HUBSPOT,
        SALESFORCE,
        ZENDESK,
        KLAVIYO,
        STRIPE,
        FACEBOOK_ADS,
        GOOGLE_ADS,
        MAILCHIMP,
        INTERCOM,
    )
}
