"""What people do, against what was planted: no source and no file is needed to see it."""

import json
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulation.activity import Acquaintances, Activity, Log, make_activity, make_log, make_market
from simulation.behaviour import APP, KIOSK, TABLET
from simulation.consents import NEVER, make_wishes
from simulation.ledger import DAYS, buyers_in, catalogue_of, read_ledger, sampled
from simulation.marketing import MAILINGS, WINDOW, with_unsubscribes
from simulation.personas import CATEGORIES, CLOSED, Market, Shelf, categories_of, shelf_of
from simulation.population import Known, make_population
from simulation.purchases import (
    CUT_OFF,
    EUR_PER_GBP,
    REFUND_DAYS,
    clean_lines,
    guest_invoice_owners,
    guest_invoices,
)
from simulation.segments import json_lines

END = CLOSED.astype("datetime64[us]")
Days = list[tuple[str, pa.Table]]


def known(people: int, share: float, prefix: str) -> Known:
    rng = np.random.default_rng([11, people, int(100 * share)])
    person = np.flatnonzero(rng.random(people) < share)
    since = np.datetime64("2010-01-01", "s") + rng.integers(0, 5 * 10**7, len(person))
    return Known(pa.array([f"{prefix}{row}" for row in person], pa.string()), person, since)


@cache
def ledger() -> tuple[tuple[pa.Table, ...], pa.Table, pa.Table]:
    """The files of the ledger, their lines, and the catalogue."""
    files = read_ledger()
    whole = clean_lines(files)
    return files, whole, catalogue_of(whole)


class World:
    """A company's activity around a sample of the ledger, and all it left behind."""

    def __init__(self, customers: int, people: int, seed: int = 7) -> None:
        files, whole, catalogue = ledger()
        self.lines = clean_lines(sampled(files, customers, np.random.default_rng([seed, 1])))
        population = make_population(buyers_in(self.lines), people, seed)
        size = population.people.num_rows
        self.market: Market = make_market(population, self.lines, catalogue, seed)
        social, self.profiles = known(size, 0.2, "handle"), known(size, 0.6, "profile")
        network = pa.array(["instagram"] * len(social.person), pa.string())
        subscribed = np.ones(len(self.profiles.person), bool)
        self.contacts = known(size, 0.7, "contact")
        acquaintances = Acquaintances(
            self.contacts, self.profiles, subscribed, known(size, 0.3, "user"), social, network
        )
        self.done: Activity = make_activity(self.market, acquaintances, self.lines, whole, seed)
        self.log: Log = make_log(self.done.scene, seed)
        self.days: Days = list(self.log.days())
        self.events = pa.concat_tables([rows for _, rows in self.days])
        self.truth = pa.concat_tables(list(self.log.truth()))

    def raw(self, name: str) -> pa.Table:
        return self.done.raw[name]

    def true(self, name: str) -> pa.Table:
        return self.done.truth[name]

    @property
    def person_ids(self) -> pa.Array:
        return self.market.population.people["person_id"].combine_chunks()


def owners(world: World, system: Known) -> dict[str, str]:
    """Whose each record of a system is."""
    ids = world.person_ids.take(pa.array(system.person)).to_pylist()
    return dict(zip(system.key.to_pylist(), ids, strict=True))


def column_by(table: pa.Table, key: str, value: str) -> dict[Any, Any]:
    """One column by another."""
    return dict(zip(table[key].to_pylist(), table[value].to_pylist(), strict=True))


@pytest.fixture(scope="module")
def world() -> World:
    return World(customers=400, people=8_000)


@cache
def tiny(people: int) -> World:
    return World(customers=people, people=people)


def all_tables(made: World) -> dict[str, pa.Table]:
    extra = {"events": made.events, "true events": made.truth, "records": made.log.records()}
    members = {f"revision {r.number}": r.members for r in made.done.revisions}
    return made.done.raw | made.done.truth | extra | members


def test_the_same_seed_does_the_same() -> None:
    one, two = (all_tables(World(customers=40, people=120)) for _ in range(2))

    assert [name for name in one if not one[name].equals(two[name])] == []


def test_another_seed_does_something_else() -> None:
    one, two = (World(customers=40, people=120, seed=seed) for seed in (7, 8))

    assert not one.raw("pos.receipt_lines").equals(two.raw("pos.receipt_lines"))


@pytest.mark.parametrize("people", [0, 1, 2])
def test_the_smallest_companies_have_the_tables_of_large_ones(people: int, world: World) -> None:
    small, large = all_tables(tiny(people)), all_tables(world)

    assert {n: t.schema for n, t in small.items()} == {n: t.schema for n, t in large.items()}


def test_nobody_does_nothing() -> None:
    empty = tiny(0)

    assert (empty.events.num_rows, empty.raw("pos.receipt_lines").num_rows) == (0, 0)


# Purchases


def baskets(world: World) -> pa.Table:
    """Every made-up purchase: person, time, products, and whether it tells whose it is."""
    pos = world.raw("pos.receipt_lines").select(["receipt_id", "stock_code", "quantity"])
    shop = world.raw("shop.order_lines").select(["invoice", "stock_code", "quantity"])
    names = ["order_id", "stock_code", "quantity"]
    lines = pa.concat_tables([pos.rename_columns(names), shop.rename_columns(names)])
    sold = lines.filter(pc.greater(lines["quantity"], 0)).group_by("order_id")
    products = column_by(sold.aggregate([("stock_code", "list")]), "order_id", "stock_code_list")
    told = ["order_id", "person_id", "ordered_at", "is_known"]
    orders = world.true("orders").select(told).to_pylist()
    return pa.Table.from_pylist(
        [
            row | {"stock_code_list": products[row["order_id"]]}
            for row in orders
            if row["order_id"] in products
        ]
    )


def follow_rates(rows: pa.Table, first: str, then: str, days: int) -> tuple[int, int]:
    """Purchases of X with a whole window after them, and those that Y followed."""
    bought: dict[str, list[np.datetime64]] = {}
    anchors: list[tuple[str, np.datetime64]] = []
    window = np.timedelta64(days, "D")
    columns = zip(
        rows["person_id"].to_pylist(), rows["ordered_at"].to_numpy(),
        rows["stock_code_list"].to_pylist(), strict=True,
    )  # fmt: skip
    for person, at, products in columns:
        if then in products:
            bought.setdefault(person, []).append(at)
        if first in products and at < END - window:
            anchors.append((person, at))
    hits = sum(any(at < t <= at + window for t in bought.get(p, [])) for p, at in anchors)
    return len(anchors), hits


@pytest.mark.parametrize("seen", ["", "seen_"])
def test_planted_sequences_have_the_stated_lift_within_sampling_error(
    world: World, seen: str
) -> None:
    rows, planted = baskets(world), world.true("sequences").to_pylist()
    if seen:
        rows = rows.filter(rows["is_known"])
    deviations = []
    for pair in planted:
        size, hits = follow_rates(
            rows, pair["first_product"], pair["then_product"], pair["within_days"]
        )
        rate = pair[f"{seen}base_rate"] * pair[f"{seen}lift"]
        deviations.append((hits - size * rate) / np.sqrt(size * rate * (1 - rate)))

    assert np.abs(deviations).max() < 4, deviations


def test_products_that_were_not_planted_follow_at_the_base_rate(world: World) -> None:
    rows, planted = baskets(world), world.true("sequences").to_pylist()
    crossed = [
        (one["first_product"], two["then_product"], two["base_rate"])
        for one, two in zip(planted, planted[1:] + planted[:1], strict=True)
    ]
    counts = [(*follow_rates(rows, first, then, 30), rate) for first, then, rate in crossed]
    hits = sum(found for _, found, _ in counts)
    expected = sum(size * rate for size, _, rate in counts)

    # planted purchases of Y by the same people raise it a little above the base
    assert expected - 4 * np.sqrt(expected) < hits < 1.5 * expected + 4 * np.sqrt(expected)


def test_nothing_is_planted_in_the_real_ledger(world: World) -> None:
    invoices = set(world.raw("shop.order_lines")["invoice"].to_pylist())

    assert invoices.isdisjoint(world.lines["invoice"].to_pylist())


def test_refunds_never_exceed_the_purchase(world: World) -> None:
    orders = world.true("orders")
    excess = pc.subtract(orders["refunded_amount"], orders["gross_amount"])

    assert pc.max(excess).as_py() <= 0 < pc.sum(orders["refunded_amount"]).as_py()


def test_refunded_pieces_never_exceed_the_pieces_bought(world: World) -> None:
    rows = world.raw("pos.receipt_lines").to_pylist()
    left: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["refunded_receipt_id"] or row["receipt_id"], row["stock_code"])
        left[key] = left.get(key, 0) + row["quantity"]

    assert min(left.values()) >= 0


def test_a_refund_names_an_earlier_receipt_of_the_same_currency_and_card(world: World) -> None:
    rows = world.raw("pos.receipt_lines").to_pylist()
    bought = {row["receipt_id"]: row for row in rows if row["quantity"] > 0}
    refunds = [row for row in rows if row["quantity"] < 0]
    kept = ("currency", "loyalty_number", "store")
    wrong = [
        row
        for row in refunds
        for sold in [bought[row["refunded_receipt_id"]]]
        if any(row[name] != sold[name] for name in kept)
        or not 0 < (row["sold_at"] - sold["sold_at"]).days + 1 <= REFUND_DAYS
    ]

    assert (wrong, len(refunds) > 100) == ([], True)


def test_receipts_add_up_to_the_orders_of_the_truth(world: World) -> None:
    lines = world.raw("pos.receipt_lines")
    amount = pc.multiply(lines["quantity"].cast(pa.float64()), lines["unit_price"])
    orders = world.true("orders").filter(pc.equal(world.true("orders")["source"], "pos"))
    net = pc.subtract(orders["gross_amount"], orders["refunded_amount"])

    assert pc.sum(amount).as_py() == pytest.approx(pc.sum(net).as_py(), abs=0.01)


def test_the_till_knows_a_buyer_by_the_card_alone(world: World) -> None:
    lines = world.raw("pos.receipt_lines").to_pylist()
    card = {row["receipt_id"]: row["loyalty_number"] is not None for row in lines}
    orders = world.true("orders").to_pylist()

    assert {card[r["order_id"]] == r["is_known"] for r in orders if r["source"] == "pos"} == {True}
    assert {row["is_known"] for row in orders if row["source"] == "shop"} == {True}


def test_stores_of_the_euro_countries_charge_euros(world: World) -> None:
    rows = world.raw("pos.receipt_lines").select(["store", "currency"]).to_pylist()
    seen = {(row["store"], row["currency"]) for row in rows}

    assert {store for store, currency in seen if currency == "EUR"} == {"Dublin", "Paris"}


def test_every_order_of_goods_has_a_buyer(world: World) -> None:
    assert world.true("orders")["person_id"].null_count == 0


def test_orders_of_an_account_are_of_its_person(world: World) -> None:
    accounts = world.market.population.accounts.to_pylist()
    owner = {row["user_id"]: world.person_ids[row["person"]].as_py() for row in accounts}
    lines = pa.concat_tables(
        [world.lines.select(["invoice", "customer_id"]),
         world.raw("shop.order_lines").select(["invoice", "customer_id"])]
    )  # fmt: skip
    buyer = {r["invoice"]: owner.get(r["customer_id"]) for r in lines.to_pylist()}
    orders = world.true("orders").to_pylist()
    shop = [row for row in orders if row["source"] == "shop" and not row["is_guest"]]

    assert [row for row in shop if buyer[row["order_id"]] != row["person_id"]] == []


def test_guest_invoices_have_owners_who_ever_buy(world: World) -> None:
    rng = np.random.default_rng(1)
    owners = guest_invoice_owners(world.market.population, world.lines, rng)
    is_prospect = world.market.population.people["is_prospect"]

    assert len(owners) == guest_invoices(world.lines).num_rows > 0
    assert not pc.any(is_prospect.take(owners)).as_py()


def test_people_beyond_the_ledger_also_buy_as_guests(world: World) -> None:
    lines = world.raw("shop.order_lines")
    nameless = set(lines.filter(lines["customer_id"].is_null())["invoice"].to_pylist())
    made_up = set(lines["invoice"].to_pylist())
    orders = {r["order_id"]: r for r in world.true("orders").to_pylist() if r["is_guest"]}
    contacts = world.done.guest_orders.to_pylist()
    accounts = set(world.market.population.accounts["person"].to_pylist())

    assert nameless == {row["invoice"] for row in contacts} == set(orders) & made_up
    assert {row["person"] in accounts for row in contacts} == {True, False}


def test_the_future_is_what_the_orders_say(world: World) -> None:
    pounds = {"GBP": 1.0, "EUR": EUR_PER_GBP}
    cut = CUT_OFF.astype("datetime64[s]").astype(object)
    counted: dict[str, int] = {}
    revenue = 0.0
    before = set()
    for row in world.true("orders").to_pylist():
        if row["source"] != "shop":
            continue
        if row["ordered_at"] < cut:
            before.add(row["person_id"])
        else:
            counted[row["person_id"]] = counted.get(row["person_id"], 0) + 1
    future = {row["person_id"]: row for row in world.true("future").to_pylist()}
    for row in world.true("orders").to_pylist():
        if row["source"] == "shop" and row["ordered_at"] >= cut and row["person_id"] in before:
            revenue += (row["gross_amount"] - row["refunded_amount"]) / pounds[row["currency"]]

    assert {p: row["orders"] for p, row in future.items()} == {p: counted.get(p, 0) for p in before}
    assert all(row["is_churned"] == (row["orders"] == 0) for row in future.values())
    assert sum(row["revenue"] for row in future.values()) == pytest.approx(revenue, abs=5)


def test_people_buy_what_they_are_interested_in(world: World) -> None:
    likes = dict(zip(world.person_ids.to_pylist(), world.true("personas")["interests"].to_pylist(),
                     strict=True))  # fmt: skip
    names = [*CATEGORIES, "other"]
    lines = world.raw("pos.receipt_lines")
    kinds = [names[kind] for kind in categories_of(lines["description"]).tolist()]
    orders = world.true("orders").to_pylist()
    buyer = {row["order_id"]: row["person_id"] for row in orders}
    receipts = lines["receipt_id"].to_pylist()
    liked = [k in likes[buyer[r]] for r, k in zip(receipts, kinds, strict=True) if r in buyer]

    assert sum(liked) / len(liked) > 2 * 2 / len(names)


# Events


def test_every_event_of_the_truth_is_delivered_as_often_as_it_says(world: World) -> None:
    counts = pc.value_counts(world.events["message_id"].combine_chunks())
    delivered = dict(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True))
    told = dict(zip(world.truth["message_id"].to_pylist(), world.truth["deliveries"].to_pylist(),
                    strict=True))  # fmt: skip

    assert delivered == told


def test_every_event_belongs_to_a_person_or_to_a_named_stranger(world: World) -> None:
    people = set(world.person_ids.to_pylist())
    others = {owner for owner in world.truth["person_id"].to_pylist() if owner not in people}

    assert {owner.split(":")[0] for owner in others} == {"stranger", "bot", "tester"}


def test_events_are_delivered_within_the_days_of_the_log(world: World) -> None:
    days = [name[8:16] for name, _ in world.days]

    assert (len(days), days) == (DAYS, sorted(days))
    assert all(pc.max(rows["received_at"]).as_py() < END.astype(object) for _, rows in world.days)


def test_correcting_the_clock_gives_the_true_time(world: World) -> None:
    true_at = dict(zip(world.truth["message_id"].to_pylist(), world.truth["occurred_at"].to_numpy(),
                       strict=True))  # fmt: skip
    rows = world.events
    told, sent, received = (
        rows[name].to_numpy().astype("datetime64[us]")
        for name in ("occurred_at", "sent_at", "received_at")
    )
    real = np.array([true_at[key] for key in rows["message_id"].to_pylist()])
    wrong_clock = np.abs((told - real).astype(int)) > 3_600 * 10**6 - 1
    corrected = told + (received - sent)

    assert 0.01 < wrong_clock.mean() < 0.10
    assert np.abs((corrected - real).astype(int)).max() < 10**6


def test_some_events_arrive_out_of_order(world: World) -> None:
    happened = world.log.traffic.events.happened_at[world.log.traffic.deliveries.event]
    backwards = np.diff(happened.astype(int)) < 0

    assert 0.01 < backwards.mean() < 0.5


@pytest.mark.parametrize(("what", "share"), [("is_bot", 0.02), ("is_internal", 0.005)])
def test_machines_make_their_share_of_the_events(world: World, what: str, share: float) -> None:
    assert pc.mean(world.truth[what].cast(pa.float64())).as_py() == pytest.approx(share, rel=0.25)


def test_a_share_of_the_events_is_delivered_twice(world: World) -> None:
    twice = pc.mean(pc.greater(world.truth["deliveries"], 1).cast(pa.float64())).as_py()

    assert twice == pytest.approx(0.015, abs=0.003)


def test_internal_traffic_can_be_told(world: World) -> None:
    told = {row["message_id"] for row in world.events.to_pylist()
            if '"ip":"10.' in row["context"] and "cdp-test" in row["context"]}  # fmt: skip
    true = world.truth.filter(world.truth["is_internal"])["message_id"].to_pylist()

    assert told == set(true)


def test_completed_orders_are_orders_of_the_truth_by_their_buyer(world: World) -> None:
    owner = dict(zip(world.truth["message_id"].to_pylist(), world.truth["person_id"].to_pylist(),
                     strict=True))  # fmt: skip
    orders = {row["order_id"]: row for row in world.true("orders").to_pylist()}
    done = world.events.filter(pc.equal(world.events["event_name"], "Order Completed")).to_pylist()
    wrong = [
        row
        for row in done
        for order in [orders[json.loads(row["properties"])["order_id"]]]
        if order["person_id"] != owner[row["message_id"]]
        or order["is_guest"] != (row["user_id"] is None)
    ]

    assert (wrong, len(done) > 100) == ([], True)


def test_what_is_added_was_viewed_before_as_a_rule(world: World) -> None:
    events = world.log.traffic.events
    added = np.flatnonzero(events.kind == 2)
    same = events.product[added] == events.product[added - 1]

    assert same.mean() > 0.3


def test_an_account_logs_in_only_after_it_was_opened(world: World) -> None:
    accounts = world.market.population.accounts
    opened = dict(
        zip(accounts["user_id"].to_pylist(), accounts["opened_at"].to_numpy(), strict=True)
    )
    visits = world.log.traffic.visits
    rows = np.flatnonzero((visits.account > 0) & (visits.order < 0))
    early = [r for r in rows if opened[int(visits.account[r])] > visits.started_at[r]]

    assert early == []


def test_an_identify_tells_the_email_of_its_time(world: World) -> None:
    rows = {row["person_id"]: row for row in world.market.population.people.to_pylist()}
    true = {row["message_id"]: row for row in world.truth.to_pylist()}
    told = [(row["email"], true[row["message_id"]]) for row in world.events.to_pylist()
            if row["event_type"] == "identify"]  # fmt: skip
    old, wrong = 0, []
    for email, event in told:
        person = rows.get(event["person_id"])
        if person is None:
            continue
        changed = person["email_changed_on"]
        is_old = changed is not None and event["occurred_at"].date() < changed
        old += is_old
        wrong += [email] if email != person["old_email" if is_old else "email"] else []

    assert (wrong, old > 0) == ([], True)


def test_shared_devices_are_used_by_several_people(world: World) -> None:
    visits, devices = world.log.traffic.visits, world.log.traffic.devices
    users = {}
    for kind in (TABLET, KIOSK):
        of_kind = np.flatnonzero(devices.kind[visits.device] == kind)
        pairs = {(visits.device[v], visits.person[v]) for v in of_kind}
        users[kind] = len(pairs) / len({device for device, _ in pairs})

    assert users[TABLET] > 1.1 and users[KIOSK] > 5


def test_a_visitor_that_is_not_one_person_says_why(world: World) -> None:
    users: dict[str, set[str]] = {}
    for row in world.truth.select(["anonymous_id", "person_id"]).to_pylist():
        users.setdefault(row["anonymous_id"], set()).add(row["person_id"])
    rows = {row["record_key"]: row["dirt"] for row in world.log.records().to_pylist()}
    named = {who for who in users if rows[f"web:visitor:{who}"] not in ([], ["kiosk"])}

    assert named <= {who for who, people in users.items() if len(people) > 1}
    assert {who for who, people in users.items() if len(people) > 1 and not
            rows[f"web:visitor:{who}"]} == set()  # fmt: skip
    assert {name for dirt in rows.values() for name in dirt} == {
        "kiosk", "shared_device", "changed_hands"
    }  # fmt: skip


def test_apps_send_screens_and_browsers_pages(world: World) -> None:
    kind = world.log.traffic.devices.kind
    apps = set(world.log.traffic.devices.anonymous_id.filter(pa.array(kind == APP)).to_pylist())
    rows = world.events.to_pylist()
    seen = {(row["anonymous_id"] in apps, row["event_type"]) for row in rows}

    assert (True, "page") not in seen and (False, "screen") not in seen
    assert {(True, "screen"), (False, "page")} <= seen


def test_lines_of_the_log_say_what_the_raw_rows_say(world: World) -> None:
    rows = world.days[40][1]
    lines = [json.loads(line) for line in json_lines(rows).to_pylist()]
    told = [
        (e["messageId"], e["type"], e.get("event"), e["anonymousId"], e.get("userId"),
         e.get("traits", {}).get("email"), e["receivedAt"][:19])
        for e in lines
    ]  # fmt: skip
    raw = [
        (r["message_id"], r["event_type"], r["event_name"], r["anonymous_id"], r["user_id"],
         r["email"], r["received_at"].isoformat()[:19])
        for r in rows.to_pylist()
    ]  # fmt: skip

    assert told == raw


def test_every_visitor_and_user_of_the_log_is_one_record(world: World) -> None:
    keys = world.log.records()["record_key"].to_pylist()
    seen = {f"web:visitor:{key}" for key in world.events["anonymous_id"].to_pylist()}
    seen |= {f"web:user:{key}" for key in world.events["user_id"].to_pylist() if key}

    assert (set(keys), len(keys)) == (seen, len(seen))


# Marketing


def test_who_is_mailed_is_drawn_by_lot(world: World) -> None:
    rows = world.true("treatments").to_pylist()
    hazard = dict(
        zip(world.person_ids.to_pylist(), world.market.personas.zeal.tolist(), strict=True)
    )
    treated = np.array([row["is_treated"] for row in rows])
    zeal = np.array([hazard[row["person_id"]] for row in rows])
    gap = zeal[treated].mean() - zeal[~treated].mean()
    error = zeal.std() / np.sqrt(len(zeal) / 4)

    assert abs(treated.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(rows))
    assert abs(gap) < 4 * error


def test_the_measured_effect_of_a_mailing_is_the_true_one_within_sampling_error(
    world: World,
) -> None:
    effects = column_by(world.true("campaign_effects"), "campaign_id", "effect")
    deviations = []
    for mailing in MAILINGS:
        rows = world.true("treatments").filter(
            pc.equal(world.true("treatments")["campaign_id"], mailing.campaign_id)
        )
        treated = rows["is_treated"].to_numpy(zero_copy_only=False)
        bought = rows["converted"].to_numpy(zero_copy_only=False).astype(float)
        lift = bought[treated].mean() - bought[~treated].mean()
        error = np.sqrt(
            bought[treated].var() / treated.sum() + bought[~treated].var() / (~treated).sum()
        )
        deviations.append((lift - effects[mailing.campaign_id]) / error)

    assert np.abs(deviations).max() < 4, deviations


def test_a_mailing_without_effect_has_none_and_another_has_one(world: World) -> None:
    effects = column_by(world.true("campaign_effects"), "campaign_id", "effect")

    assert effects["mail-002"] == 0
    assert effects["mail-005"] > 0.03


def test_converted_means_an_order_within_the_window(world: World) -> None:
    mailing = MAILINGS[2]
    events = world.raw("email.campaigns").to_pylist()
    sent = next(row["sent_at"] for row in events if row["campaign_id"] == mailing.campaign_id)
    bought = {
        row["person_id"]
        for row in world.true("orders").to_pylist()
        if 0 <= (row["ordered_at"] - sent).total_seconds() < WINDOW * 86_400
    }
    rows = [row for row in world.true("treatments").to_pylist()
            if row["campaign_id"] == mailing.campaign_id]  # fmt: skip

    assert all(row["converted"] == (row["person_id"] in bought) for row in rows)


def test_only_those_drawn_are_sent_a_message(world: World) -> None:
    owner = owners(world, world.profiles)
    sent = {(row["campaign_id"], owner[row["profile_id"]])
            for row in world.raw("email.events").to_pylist() if row["kind"] == "sent"}  # fmt: skip
    treated = {(row["campaign_id"], row["person_id"])
               for row in world.true("treatments").to_pylist() if row["is_treated"]}  # fmt: skip

    assert sent == treated


def test_nobody_is_mailed_after_unsubscribing(world: World) -> None:
    left: set[str] = set()
    wrong = []
    for row in world.raw("email.events").to_pylist():
        if row["kind"] == "sent" and row["profile_id"] in left:
            wrong.append(row)
        if row["kind"] == "unsubscribed":
            left.add(row["profile_id"])

    assert (wrong, len(left) > 0) == ([], True)


def test_profiles_say_who_unsubscribed(world: World) -> None:
    size = len(world.profiles.key)
    profiles = pa.table(
        {
            "profile_id": world.profiles.key,
            "is_subscribed": pa.array([True] * size),
            "updated_at": pa.array(world.profiles.since, pa.timestamp("s")),
        }
    )
    after = with_unsubscribes(profiles, world.done.sendings).to_pylist()
    gone = {row["profile_id"] for row in world.raw("email.events").to_pylist()
            if row["kind"] == "unsubscribed"}  # fmt: skip

    assert {row["profile_id"] for row in after if not row["is_subscribed"]} == gone


def test_the_truth_knows_every_decision_about_consent(world: World) -> None:
    owner = owners(world, world.contacts)
    in_crm = [(owner[r["contact_id"]], r["purpose"], r["channel"], r["is_granted"], r["decided_at"])
              for r in world.raw("crm.consents").to_pylist()]  # fmt: skip
    profile = owners(world, world.profiles)
    by_link = [
        (profile[r["profile_id"]], "marketing", "email", False, r["occurred_at"])
        for r in world.raw("email.events").to_pylist()
        if r["kind"] in ("unsubscribed", "marked_spam")
    ]
    told = [tuple(row.values()) for row in world.true("consents").to_pylist()]

    assert sorted(told) == sorted(in_crm + by_link)


def test_who_changes_their_mind_tells_the_crm(world: World) -> None:
    wishes = make_wishes(world.market.population.people.num_rows, 7)["marketing", "email"]
    person = dict(zip(world.contacts.key.to_pylist(), world.contacts.person, strict=True))
    seen: dict[str, list[dict[str, Any]]] = {}
    for row in world.raw("crm.consents").to_pylist():
        if (row["purpose"], row["channel"]) == ("marketing", "email"):
            seen.setdefault(row["contact_id"], []).append(row)
    granted = {who: history for who, history in seen.items() if history[0]["is_granted"]}
    withdrawn = {who for who, history in granted.items() if not all(
        row["is_granted"] for row in history)}  # fmt: skip
    should = {
        who
        for who, history in granted.items()
        if np.datetime64(history[0]["decided_at"]) < wishes.off_at[person[who]] < NEVER
    }

    assert withdrawn == should
    assert 0.05 < len(withdrawn) / len(granted) < 0.25


def test_spend_is_restated_by_a_newer_row_of_the_same_insight(world: World) -> None:
    versions: dict[str, list[dict[str, Any]]] = {}
    for row in world.raw("ads.insights").to_pylist():
        versions.setdefault(row["insight_id"], []).append(row)
    restated = [rows for rows in versions.values() if len(rows) > 1]

    assert len(restated) / len(versions) == pytest.approx(0.2, abs=0.05)
    assert all(len({row["updated_at"] for row in rows}) == len(rows) for rows in restated)
    assert any(rows[0]["spend"] != rows[1]["spend"] for rows in restated)


def test_platforms_count_at_least_the_clicks_that_landed(world: World) -> None:
    landed = pc.sum(pc.match_substring(world.events["context"], '"source":"google"')).as_py()
    rows = world.raw("ads.insights").filter(
        pc.equal(world.raw("ads.insights")["platform"], "google")
    )

    assert pc.sum(rows["clicks"]).as_py() >= landed * 0.95 > 0


def test_landings_of_ads_carry_a_click_id(world: World) -> None:
    contexts = [json.loads(text) for text in world.events["context"].to_pylist()
                if '"source":"google"' in text]  # fmt: skip

    assert all("gclid=" in context["page"]["url"] for context in contexts)


def test_touches_of_a_channel_with_effect_are_followed_by_more_purchases(world: World) -> None:
    causes = world.true("channel_effects").to_pydict()
    effects = dict(zip(causes["channel"], causes["effect"], strict=True))

    assert effects["paid_search"] > effects["paid_social"] > effects["display"] == 0
    assert effects["email"] > 0


# Care and outside


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("support.tickets", "created_at"), ("support.tickets", "updated_at"),
        ("social.interactions", "occurred_at"), ("email.events", "occurred_at"),
        ("ads.insights", "updated_at"), ("crm.consents", "decided_at"),
        ("pos.receipt_lines", "sold_at"), ("shop.order_lines", "invoice_date"),
    ],
)  # fmt: skip
def test_nothing_happens_after_the_last_day(world: World, table: str, column: str) -> None:
    assert pc.max(world.raw(table)[column]).cast(pa.timestamp("us")).as_py() < END.astype(object)


def test_tickets_about_an_order_come_after_it_and_from_its_buyer(world: World) -> None:
    people = world.market.population.people.num_rows
    users = known(people, 0.3, "user")
    owner = owners(world, users)
    orders = {row["order_id"]: row for row in world.true("orders").to_pylist()}
    about = [row for row in world.raw("support.tickets").to_pylist() if row["order_id"]]
    wrong = [
        row
        for row in about
        for order in [orders[row["order_id"]]]
        if owner[row["user_id"]] != order["person_id"] or row["created_at"] < order["ordered_at"]
    ]

    assert (wrong, len(about) > 50) == ([], True)


def test_one_revision_of_the_partner_has_expired(world: World) -> None:
    expires = [revision.expires_on < CLOSED for revision in world.done.revisions]

    assert expires == [True, False]


def test_some_segments_of_the_dmp_have_expired_and_half_know_nobody(world: World) -> None:
    rows = world.raw("dmp.segments")
    expired = pc.less(rows["expires_on"], pa.scalar(CLOSED.astype("datetime64[D]").astype(object)))

    assert 0.2 < pc.mean(expired.cast(pa.float64())).as_py() < 0.5
    assert rows["email_sha256"].null_count == 0


def test_products_of_a_category_stand_in_order_of_price() -> None:
    table = pa.table(
        {"stock_code": ["1", "2", "3"], "description": ["TEA MUG", "PINK BAG", "TEA CUP"],
         "price": [5.0, 2.0, 1.0]}
    )  # fmt: skip
    shelf: Shelf = shelf_of(table)

    assert shelf.table["stock_code"].to_pylist() == ["2", "3", "1"]


def test_heartbeats_are_of_a_page_that_was_opened(world: World) -> None:
    contexts = world.events["context"].to_pylist()
    views = pa.array([json.loads(context).get("pageViewId") for context in contexts])
    is_page = pc.is_in(world.events["event_type"], pa.array(["page", "screen"]))
    is_heartbeat = pc.fill_null(pc.equal(world.events["event_name"], "Page Pinged"), False)
    opened = set(views.filter(is_page.combine_chunks()).to_pylist())
    looked_at = views.filter(is_heartbeat.combine_chunks()).to_pylist()

    assert looked_at
    assert None not in opened
    assert sum(view in opened for view in looked_at) / len(looked_at) > 0.99
