"""Vendors that sell: Shopify and Stripe. They fill the tables of the kind `shop`."""

from functools import partial

from dlt.sources.helpers.rest_client.paginators import HeaderLinkPaginator

from ingestion.sources.shop import ACCOUNTS, ORDER_CONTACTS, ORDER_LINES
from ingestion.vendors.definition import (
    Endpoint,
    Part,
    Vendor,
    first,
    from_unix,
    money,
    own,
    text,
)
from ingestion.vendors.paginators import CursorWhilePaginator

ROOT, HOLDER = "root", "holder"
DISCOUNT = (
    "coalesce(list_sum(list_transform(cast(json_extract(item, '$.discount_allocations[*].amount')"
    " as varchar[]), lambda amount: coalesce(try_cast(trim(amount, '\"') as double), 0))), 0)"
)
NET_PRICE = (  # what one piece cost after its share of the discounts
    f"coalesce(cast(round(try_cast({text('/price')} as double)"
    f" - {DISCOUNT} / nullif(try_cast({text('/quantity')} as double), 0), 3) as varchar),"
    f" {text('/price')})"
)
REFUNDED_PRICE = (
    f"coalesce(cast(round(try_cast({text('/subtotal')} as double)"
    f" / nullif(try_cast({text('/quantity')} as double), 0), 3) as varchar), {text('/subtotal')})"
)
REFUNDED_QUANTITY = (
    f"coalesce(cast(-try_cast({text('/quantity')} as bigint) as varchar), {text('/quantity')})"
)
ADDRESS = (
    "coalesce(json_extract(item, '/billing_address'), json_extract(item, '/shipping_address'))"
)
BOUGHT = Part(
    each=("/line_items",),
    where=f"coalesce({text('/test', ROOT)}, 'false') <> 'true'",
    columns={
        "invoice": own("/id", ROOT),
        "line_id": text("/id"),
        "stock_code": first(text("/sku"), text("/variant_id"), text("/title")),
        "description": text("/title"),
        "quantity": text("/quantity"),
        "invoice_date": first(text("/processed_at", ROOT), text("/created_at", ROOT)),
        "price": NET_PRICE,
        "customer_id": own("/customer/id", ROOT),
        "country": first(
            text("/shipping_address/country", ROOT), text("/billing_address/country", ROOT)
        ),
        "currency": text("/currency", ROOT),
        "updated_at": text("/updated_at", ROOT),
    },
)
GIVEN_BACK = Part(
    each=("/refunds", "/refund_line_items"),
    where=f"coalesce({text('/test', ROOT)}, 'false') <> 'true'",
    columns={
        **BOUGHT.columns,
        "invoice": f"'C' || {own('/id', HOLDER)}",  # as the ledger names what was given back
        "stock_code": first(
            text("/line_item/sku"), text("/line_item/variant_id"), text("/line_item/title")
        ),
        "description": text("/line_item/title"),
        "quantity": REFUNDED_QUANTITY,
        "invoice_date": text("/created_at", HOLDER),
        "price": REFUNDED_PRICE,
    },
)
AMOUNT_GIVEN_BACK = (
    Part(  # money without goods: all that the refund differs from its lines, of none
        each=("/refunds", "/order_adjustments"),
        where=f"coalesce({text('/test', ROOT)}, 'false') <> 'true'"
        f" and coalesce({text('/kind')}, 'refund_discrepancy') = 'refund_discrepancy'"
        " and coalesce(json_array_length(holder, '/refund_line_items'), 0) = 0",
        columns={
            **GIVEN_BACK.columns,
            "stock_code": "'REFUND'",
            "description": text("/reason"),
            "quantity": "'-1'",
            "price": f"coalesce(cast(abs(try_cast({text('/amount')} as double)) as varchar),"
            f" {text('/amount')})",
        },
    )
)
shopify_orders = partial(
    Endpoint,
    path="orders.json",
    rows="orders",
    pages=HeaderLinkPaginator,
    params={"status": "any", "limit": "250", "updated_at_min": "{since}"},
)
SHOPIFY = Vendor(
    name="shopify",
    kind="shop",
    description="Customers, orders and refunds of a Shopify shop",
    headers={"X-Shopify-Access-Token": "{api_key}"},
    endpoints=(
        shopify_orders(
            name="orders", table=ORDER_LINES, parts=(BOUGHT, GIVEN_BACK, AMOUNT_GIVEN_BACK)
        ),
        shopify_orders(
            name="orders_of_guests",
            table=ORDER_CONTACTS,
            parts=(
                Part(
                    where=f"{text('/customer/id')} is null"
                    f" and coalesce({text('/test')}, 'false') <> 'true'",
                    columns={
                        "invoice": own("/id"),
                        "email": first(text("/email"), text("/contact_email")),
                        "phone": first(text("/phone"), text("/phone", ADDRESS)),
                        "first_name": text("/first_name", ADDRESS),
                        "last_name": text("/last_name", ADDRESS),
                        "street": text("/address1", ADDRESS),
                        "city": text("/city", ADDRESS),
                        "postcode": text("/zip", ADDRESS),
                        "country": text("/country", ADDRESS),
                        "ordered_at": first(text("/processed_at"), text("/created_at")),
                        "updated_at": text("/updated_at"),
                    },
                ),
            ),
        ),
        Endpoint(
            name="customers",
            table=ACCOUNTS,
            path="customers.json",
            rows="customers",
            pages=HeaderLinkPaginator,
            params={"limit": "250", "updated_at_min": "{since}"},
            parts=(
                Part(
                    columns={
                        "user_id": own("/id"),
                        "email": text("/email"),
                        "first_name": text("/first_name"),
                        "last_name": text("/last_name"),
                        "phone": first(text("/phone"), text("/default_address/phone")),
                        "street": text("/default_address/address1"),
                        "city": text("/default_address/city"),
                        "postcode": text("/default_address/zip"),
                        "country": text("/default_address/country"),
                        "accepts_marketing": "coalesce(cast("
                        f"{text('/email_marketing_consent/state')} = 'subscribed' as varchar),"
                        f" {text('/accepts_marketing')})",
                        "created_at": text("/created_at"),
                        "updated_at": text("/updated_at"),
                    },
                ),
            ),
        ),
    ),
)


def _stripe_customer(of: str, changed: str) -> Part:
    name = f"trim({text('/name', of)})"
    return Part(
        where=f"not coalesce(try_cast({text('/deleted', of)} as boolean), false)",
        columns={
            "user_id": own("/id", of),
            "email": text("/email", of),
            "first_name": f"nullif(split_part({name}, ' ', 1), '')",
            "last_name": f"nullif(trim(substr({name}, strpos({name} || ' ', ' '))), '')",
            "phone": text("/phone", of),
            "street": first(text("/address/line1", of), text("/shipping/address/line1", of)),
            "city": first(text("/address/city", of), text("/shipping/address/city", of)),
            "postcode": first(
                text("/address/postal_code", of), text("/shipping/address/postal_code", of)
            ),
            "country": first(text("/address/country", of), text("/shipping/address/country", of)),
            "created_at": from_unix("/created", of),
            "updated_at": from_unix(changed),
        },
    )


PAID = Part(
    where=f"{text('/status')} = 'succeeded' and coalesce({text('/captured')}, 'true') <> 'false'",
    columns={
        "invoice": own("/id"),
        "line_id": text("/id"),
        "stock_code": "'STRIPE'",  # a charge does not say what was bought
        "description": text("/description"),
        "quantity": "'1'",
        "invoice_date": from_unix("/created"),
        "price": money("/amount", "/currency"),
        "customer_id": own("/customer"),
        "country": text("/billing_details/address/country"),
        "currency": text("/currency"),
        "updated_at": from_unix("/created"),
    },
)
PAID_BACK = Part(
    where=f"coalesce({text('/status')}, 'succeeded') = 'succeeded'",
    columns={
        **PAID.columns,
        "invoice": f"'C' || {own('/id')}",
        "description": text("/charge/description"),
        "quantity": "'-1'",
        "customer_id": own("/charge/customer"),
        "country": text("/charge/billing_details/address/country"),
    },
)
stripe_list = partial(
    Endpoint,
    rows="data",
    pages=lambda: CursorWhilePaginator("data[-1].id", "starting_after", while_there="has_more"),
    since="unix",
)
STRIPE = Vendor(
    name="stripe",
    kind="shop",
    description="Customers, charges and refunds of a Stripe account",
    defaults={"base_url": "https://api.stripe.com/v1"},
    headers={"Authorization": "Bearer {api_key}"},
    endpoints=(
        stripe_list(
            name="customers",
            table=ACCOUNTS,
            path="customers",
            params={"limit": "100", "created[gte]": "{since}"},
            parts=(_stripe_customer("item", "/created"),),
        ),
        stripe_list(
            name="customer_changes",  # a list has no time of change; events have, for 30 days
            table=ACCOUNTS,
            path="events",
            params={"limit": "100", "created[gte]": "{since}", "type": "customer.updated"},
            parts=(_stripe_customer("json_extract(item, '/data/object')", "/created"),),
        ),
        stripe_list(
            name="charges",
            table=ORDER_LINES,
            path="charges",
            params={"limit": "100", "created[gte]": "{since}"},
            again_days=8,  # it may be captured up to seven days after it was made
            parts=(PAID,),
        ),
        stripe_list(
            name="refunds",
            table=ORDER_LINES,
            path="refunds",
            params={"limit": "100", "created[gte]": "{since}", "expand[]": "data.charge"},
            again_days=35,  # a refund may be pending for weeks
            parts=(PAID_BACK,),
        ),
    ),
)
