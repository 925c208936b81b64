"""Ten vendors' APIs, each by a double on 127.0.0.1 that lets in, filters and pages as it does."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.instances import InstanceError
from ingestion.pipeline import SourceUnavailableError, load, pipeline_for
from ingestion.quarantine import replay
from ingestion.registry import sources
from ingestion.vendors import VENDORS, paginators
from tests.ingestion.samples import seen, seen_values
from tests.ingestion.vendor_doubles import Double, double, settings_of

ROWS = {
    "shopify": {"accounts": 4, "order_lines": 5},
    "hubspot": {"consents": 3, "contacts": 9},
    "salesforce": {"consents": 2, "contacts": 5},
    "zendesk": {"tickets": 7, "users": 8},  # less deleted tickets and agents
    "klaviyo": {"campaigns": 2, "events": 3, "profiles": 2},  # less what is no e-mail
    "stripe": {"accounts": 10, "order_lines": 4},  # less charges that failed
    "facebook_ads": {"campaigns": 4, "insights": 9},
    "google_ads": {"campaigns": 3, "insights": 9},
    "mailchimp": {"campaigns": 1, "events": 3, "profiles": 8},
    "intercom": {"tickets": 2, "users": 9},
}
FLIPS: dict[str, tuple[str, str, Any, str]] = {  # list, field, what it becomes, the reason given
    "shopify": ("orders", "line_items.0.quantity", "a pair", "quantity is not a bigint"),
    "hubspot": ("contacts", "properties.createdate", "soon", "created_at is not a timestamp"),
    "salesforce": ("Contact", "Birthdate", "in May", "birth_date is not a date"),
    "zendesk": ("users", "created_at", 7, "created_at is not a timestamp"),
    "klaviyo": ("profiles", "attributes.created", {"at": 1}, "created_at is not a timestamp"),
    "stripe": ("customers", "created", "2021-02-30", "created_at is not a timestamp"),
    "facebook_ads": ("insights", "spend", "a lot", "spend is not a double"),
    "google_ads": ("ad_group_ad", "metrics.clicks", 1.5, "clicks is not a bigint"),
    "mailchimp": ("members", "last_changed", "soon", "updated_at is not a timestamp"),
    "intercom": ("contacts", "created_at", "soon", "created_at is not a timestamp"),
}
On = Callable[..., Double]


@pytest.fixture()
def on(monkeypatch: pytest.MonkeyPatch) -> Iterator[On]:
    """Switches on an instance of a vendor, of which a double answers."""
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")  # of a second
    opened = []

    def switch_on(vendor: str, name: str = "ours") -> Double:
        context = double(vendor)
        made = context.__enter__()
        opened.append(context)
        for setting, value in settings_of(made, name).items():
            monkeypatch.setenv(setting, value)
        return made

    yield switch_on
    for context in opened:
        context.__exit__(None, None, None)


def everything(name: str) -> list[dict[str, Any]]:
    """The rows of every table of an instance, without the mark of their load and its own name."""
    query = "select * exclude (_dlt_load_id) from {}.{} order by all"
    rows = [r for t in sources()[name].tables for r in seen(query.format(t.schema, t.name))]
    return [{column: nameless(value, name) for column, value in row.items()} for row in rows]


def nameless(value: Any, name: str) -> Any:
    return value.replace(f"{name}:", ":") if isinstance(value, str) else value


def set_at(row: Any, path: str, value: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        row = row[int(step)] if step.isdecimal() else row[step]
    row[last] = value


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_page_is_read_though_429_and_500_come_now_and_then(on: On, vendor: str) -> None:
    on(vendor).trouble_every = 3

    report = load("ours")

    assert (dict(report.rows), report.quarantined) == (ROWS[vendor], 0)


@pytest.mark.parametrize("vendor", FLIPS)
def test_a_changed_type_keeps_only_its_row_out_and_loading_twice_adds_nothing(
    on: On, vendor: str
) -> None:
    made = on(vendor)
    name, field, value, reason = FLIPS[vendor]
    set_at(made.lists[name][-1], field, value)

    reports = [load("ours") for _ in range(2)]

    good = sum(ROWS[vendor].values()) - 1
    assert [(r.accepted, r.quarantined) for r in reports] == [(good, 1), (0, 0)]
    assert reason in seen_values("raw_ours.quarantine", "reason")[0]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_load_cut_off_or_killed_and_run_again_equals_one_clean_load(
    on: On, vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean, ours = on(vendor, "clean"), on(vendor)
    load("clean")
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    ours.trouble_every = len(clean.asked) // 2 + 1
    with pytest.raises(SourceUnavailableError):
        load("ours")
    before = everything("ours")
    ours.trouble_every = 0
    pipeline_for("ours").extract(sources()["ours"].open())  # and dies
    load("ours")

    assert before == []
    assert everything("ours") == everything("clean")


@pytest.mark.parametrize("vendor", VENDORS)
def test_pages_that_lead_in_a_circle_are_an_error(on: On, vendor: str) -> None:
    on(vendor).goes_in_circles = True

    with pytest.raises(SourceUnavailableError, match="lead in a circle"):
        load("ours")


def test_a_list_that_became_something_else_is_refused_and_not_dropped(on: On) -> None:
    made = on("shopify")
    made.lists["orders"][0]["line_items"] = {"0": "all of it"}

    report = load("ours")

    assert (report.rows["order_lines"], report.quarantined) == (4, 1)


def test_a_conversation_that_was_opened_again_is_not_solved(on: On) -> None:
    made = on("intercom")
    for talk, state in zip(made.lists["conversations"], ("closed", "open"), strict=True):
        talk["state"] = state
        talk["statistics"]["last_close_at"] = 1604326679
    load("ours")

    assert [
        row["solved_at"] is None
        for row in seen("select solved_at from raw_ours.tickets order by status")
    ] == [False, True]


def test_retry_after_is_waited_for(on: On) -> None:
    made = on("zendesk")
    made.trouble_every, made.retry_after = 7, "1"
    started = time.monotonic()
    load("ours")

    assert time.monotonic() - started >= 1


def test_two_shops_run_side_by_side_and_their_keys_never_clash(on: On) -> None:
    on("shopify", "shop_uk").lists["customers"][0]["first_name"] = "Ann"
    on("shopify", "shop_de").lists["customers"][0]["first_name"] = "Anke"
    load("shop_uk")
    load("shop_de")

    ids = seen_values("raw_shop.accounts", "user_id")
    assert (len(ids), len(set(ids))) == (8, 8)
    assert {name.partition(":")[0] for name in ids} == {"shop_uk", "shop_de"}
    assert seen_values("raw_shop_uk.accounts", "first_name").count("Anke") == 0


def test_a_changed_customer_comes_as_a_new_version(on: On) -> None:
    made = on("shopify")
    load("ours")
    made.lists["customers"][0] |= {"first_name": "New", "updated_at": "2021-01-01T00:00:00Z"}

    assert dict(load("ours").rows) == {"accounts": 1}
    assert seen_values("raw_shop.accounts", "first_name").count("New") == 1


def test_a_restated_day_of_ads_comes_again_and_the_others_do_not(on: On) -> None:
    made = on("facebook_ads")
    load("ours")
    made.lists["insights"][0]["spend"] = "1.23"

    assert dict(load("ours").rows) == {"insights": 1}


def test_a_stripe_customer_changed_after_being_made_is_found_among_the_events(on: On) -> None:
    on("stripe")
    load("ours")

    (newest,) = seen(
        "select phone from raw_shop.accounts where user_id = 'ours:cus_J2eHEreSmx1eAe'"
        " order by updated_at desc limit 1"
    )
    assert newest["phone"] == "+442071838750"


def test_a_search_of_hubspot_goes_on_past_its_depth(
    on: On, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginators, "SEARCH_DEPTH", 4)
    on("hubspot")
    load("ours")

    assert len(set(seen_values("raw_crm.contacts", "contact_id"))) == 9


@pytest.mark.parametrize("vendor", ["hubspot", "salesforce"])
def test_a_contact_brings_the_title_of_the_job(on: On, vendor: str) -> None:
    made = on(vendor)
    if vendor == "hubspot":
        made.lists["contacts"][0]["properties"]["jobtitle"] = "Head gardener"
    else:
        made.lists["Contact"][0]["Title"] = "Head gardener"
    load("ours")

    assert seen_values("raw_crm.contacts", "job_title").count("Head gardener") == 1


def test_money_given_back_without_goods_is_a_refund_and_shipping_is_none(on: On) -> None:
    on("shopify")
    load("ours")

    columns = "invoice, quantity, price, description"
    given_back = seen(f"select {columns} from raw_ours.order_lines where stock_code = 'REFUND'")
    assert [tuple(row.values()) for row in given_back] == [
        ("Cours:801704738999", -1, 1.5, "Refund discrepancy")
    ]


def test_discounts_and_refunds_of_an_order_are_in_the_price(on: On) -> None:
    made = on("shopify")
    order = next(order for order in made.lists["orders"] if order["refunds"])
    line = order["line_items"][0]
    line |= {"price": "10.00", "quantity": 4, "discount_allocations": [{"amount": "3.00"}]}
    order["refunds"][0]["refund_line_items"][0] |= {"quantity": 2, "subtotal": 18.5}
    load("ours")

    lines = seen(
        "select quantity, price from raw_shop.order_lines"
        f" where line_id = '{line['id']}' or (invoice like 'C%' and stock_code <> 'REFUND')"
        " order by quantity"
    )
    assert lines == [{"quantity": -2, "price": 9.25}, {"quantity": 4, "price": 9.25}]


def test_an_order_without_a_customer_is_a_guest_with_a_contact(on: On) -> None:
    made = on("shopify")
    made.lists["orders"][0] |= {"customer": None, "email": "guest@example.com"}
    load("ours")

    assert seen_values("raw_shop.order_contacts", "email") == ["guest@example.com"]


def test_an_erased_person_stays_out_of_an_instance(on: On) -> None:
    from ingestion import suppression

    made = on("hubspot")
    made.lists["contacts"][0]["properties"]["email"] = "Erased@example.com"
    suppression.add([suppression.tombstone("email", "erased@example.com")])

    assert load("ours").rows["contacts"] == 8


def test_a_refused_row_of_an_instance_is_let_in_by_a_repair(
    on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {
        "name": "pair",
        "source": "ours",
        "table": "order_lines",
        "reason": "quantity is not a bigint",
        "set": {"quantity": "'2'"},
    }
    (tmp_path / "repairs.yml").write_text(yaml.safe_dump({"repairs": [rule]}))
    monkeypatch.setenv("CDP_REPAIRS", str(tmp_path / "repairs.yml"))
    on("shopify").lists["orders"][0]["line_items"][0]["quantity"] = "a pair"
    load("ours")
    before = len(seen_values("raw_shop.order_lines", "line_id"))
    replay("ours")

    assert (before, len(seen_values("raw_shop.order_lines", "line_id"))) == (4, 5)


def test_rows_of_an_instance_that_was_switched_off_stay_known(
    on: On, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("hubspot")
    load("ours")
    monkeypatch.delenv("SOURCES__OURS__TYPE")

    assert (len(seen_values("raw_crm.contacts", "contact_id")), sources()["ours"].is_on) == (
        9,
        False,
    )


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("SOURCES__OURS__TYPE", "shopfy", "must be one of facebook_ads, google_ads"),
        ("SOURCES__OURS__TYPE", "hubspot", "has rows of shopify in the lake"),
        ("SOURCES__CRM__TYPE", "hubspot", "crm is the name of a kind of source"),
    ],
)
def test_settings_that_name_no_instance_say_what_to_do(
    on: On, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, told: str
) -> None:
    on("shopify")
    load("ours")

    with monkeypatch.context() as patch, pytest.raises(InstanceError, match=told):
        patch.setenv(setting, value)
        sources()


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("API_KEY", "wrong key", "401 Client Error.*Check SOURCES__OURS__"),
        ("API_KEY", "", "SOURCES__OURS__API_KEY is not given"),
        ("BASE_URL", "http://127.0.0.1:1", "refused|could not be read"),
        ("SINCE", "last year", "SINCE must be a date such as 2020-01-31"),
    ],
)
def test_an_instance_that_cannot_be_read_says_what_to_check_and_no_secret(
    on: On, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, told: str
) -> None:
    on("hubspot")
    monkeypatch.setenv(f"SOURCES__OURS__{setting}", value)

    with pytest.raises(SourceUnavailableError, match=told) as caught:
        load("ours")

    assert "wrong key" not in str(caught.value) and "right key" not in str(caught.value)


def test_what_became_of_a_mailchimp_campaign_is_asked_for_until_it_is_ninety_days_old(
    on: On,
) -> None:
    made = on("mailchimp")
    (first,) = made.lists["campaigns"]
    made.lists["campaigns"] += [
        {**first, "id": "early", "send_time": "2019-06-01T00:00:00Z"},
        {**first, "id": "late", "send_time": "2019-12-01T00:00:00Z"},
    ]
    load("ours")
    del made.asked[:]
    (opened, *_) = made.lists["email_activity"]
    again = {"action": "open", "timestamp": "2019-12-02T08:00:00+00:00"}
    made.lists["email_activity"].append({**opened, "campaign_id": "late", "activity": [again]})
    report = load("ours")

    asked = [one.path.split("/")[2] for one in made.asked if one.path.startswith("/reports")]
    assert (dict(report.rows), asked) == ({"events": 1}, [first["id"], "late"])
    kinds = "select kind, campaign_id, url from raw_email.events order by occurred_at"
    assert [tuple(row.values()) for row in seen(kinds)] == [
        ("bounced", f"ours:{first['id']}", None),
        ("opened", f"ours:{first['id']}", None),
        ("clicked", f"ours:{first['id']}", "https://example.com/alpha"),
        ("opened", "ours:late", None),
    ]
