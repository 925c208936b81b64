"""The tracker's log: events in the shape in which Segment delivers them, one day at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.behaviour import (
    ADDED,
    APP,
    BOT,
    CART,
    CHECKOUT,
    HEARTBEAT,
    IDENTIFY,
    KIOSK,
    ORDERED,
    PAGE,
    TABLET,
    TESTER,
    VIEWED,
    Events,
    Traffic,
    random_ids,
    uuid_text,
)
from simulation.landings import FIRST_AD, campaign_json, queries, referrers
from simulation.ledger import DAYS, FIRST_DAY, Column
from simulation.personas import CATEGORIES, Market

SITE = "https://shop.example.com"
PATHS = (
    "/",
    "/collections/christmas",
    "/collections/gifts",
    "/collections/home",
    "/search",
    "/cart",
    "/checkout",
    "/checkout/done",
)
BROWSED = 5  # the first of PATHS are those that people browse
AT_CART, AT_CHECKOUT, AT_DONE = 5, 6, 7
NAMES = {
    VIEWED: "Product Viewed",
    ADDED: "Product Added",
    HEARTBEAT: "Page Pinged",
    CART: "Cart Viewed",
    CHECKOUT: "Checkout Started",
    ORDERED: "Order Completed",
}
BROWSERS = (
    "Mozilla/5.0 (Windows NT 6.1; rv:8.0) Gecko/20100101 Firefox/8.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_7_2) AppleWebKit/534.51 Safari/534.51",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 5_0 like Mac OS X) AppleWebKit/534.46 Mobile Safari/7534",
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/535.2 Chrome/15.0.874.121 Safari/535.2",
)
TABLET_AGENT = "Mozilla/5.0 (iPad; CPU OS 5_0 like Mac OS X) AppleWebKit/534.46 Mobile Safari/7534"
KIOSK_AGENT = "Mozilla/5.0 (X11; Linux i686) AppleWebKit/535.2 Chrome/15.0.874.121 shop-kiosk/1.0"
APPS = ("shop/3.1 (iPhone; iOS 5.0)", "shop/3.0 (Android 2.3; GT-I9100)")
BOT_AGENTS = (
    "Mozilla/5.0 (compatible; examplebot/2.1; +https://example.com/bot.html)",
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/15.0 Safari/535.2",
)
TESTER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/535.2 Chrome/15.0 cdp-test/1.0"
NETS = ("192.0.2.", "198.51.100.", "203.0.113.", "10.20.30.")  # documentation nets; own network
AGENTS = (*BROWSERS, TABLET_AGENT, KIOSK_AGENT, *APPS, *BOT_AGENTS, TESTER_AGENT)
TESTER_EMAIL = "qa@shop.example.com"
MISLEADING: tuple[list[str], ...] = (
    [],
    ["kiosk"],
    ["shared_device"],
    ["changed_hands"],
)  # what a visitor can be
TRUTH_ROWS = 1_000_000  # of events told at once: bounds memory


@dataclass(frozen=True)
class Pools:
    """The texts that events are put together from, and where each event finds its own."""

    message_id: Column  # sixteen bytes each
    page: Column  # of each event, the page event that was open
    agent: Column  # of each device, a position in AGENTS
    network: Column  # of each device, a position in `networks`
    networks: pa.Array
    paths: pa.Array
    properties: pa.Array


def pools_of(market: Market, traffic: Traffic, rng: np.random.Generator) -> Pools:
    """All texts but those put together per event."""
    devices, size = traffic.devices, len(traffic.devices.person)
    networks = pa.array([f"{net}{host}" for net in NETS for host in range(1, 255)])
    net = np.where(devices.kind == TESTER, len(NETS) - 1, rng.integers(0, len(NETS) - 1, size))
    codes = market.shelf.table["stock_code"].to_pylist()
    return Pools(
        message_id=random_ids(len(traffic.events.visit), rng),
        page=pages_of(traffic.events),
        agent=agents_of(devices.kind, rng),
        network=net * 254 + rng.integers(0, 254, size),
        networks=networks,
        paths=pa.array([*PATHS, *(f"/products/{code}" for code in codes)]),
        properties=properties_of(market, traffic),
    )


def pages_of(events: Events) -> Column:
    """The last page of the visit until each event; itself where there was none."""
    numbers = np.arange(len(events.kind))
    began = np.maximum.accumulate(np.where(events.is_first, numbers, 0))
    page = np.maximum.accumulate(np.where(events.kind == PAGE, numbers, 0))
    return np.asarray(np.where((page >= began) & (events.kind[page] == PAGE), page, numbers))


def agents_of(kind: Column, rng: np.random.Generator) -> Column:
    """The user agent of each device, by its kind."""
    first = np.array([0, 6, 4, 5, 8, 10])[kind]
    count = np.array([len(BROWSERS), len(APPS), 1, 1, len(BOT_AGENTS), 1])[kind]
    return np.asarray(first + (rng.random(len(kind)) * count).astype(int))


def properties_of(market: Market, traffic: Traffic) -> pa.Array:
    """The properties of an identify (none), a heartbeat, every path, product and order."""
    shelf, orders = market.shelf, traffic.orders.table
    kinds = [*CATEGORIES, "other"]
    pages = [compact({"path": path, "url": SITE + path}) for path in PATHS]
    products = [
        compact({"product_id": row["stock_code"], "name": row["description"],
                 "category": kinds[kind], "price": row["price"], "currency": "GBP"})
        for row, kind in zip(shelf.table.to_pylist(), shelf.category.tolist(), strict=True)
    ]  # fmt: skip
    total = orders["total"].cast(pa.string())
    done = pc.binary_join_element_wise(
        '{"order_id":"', orders["order_id"], '","total":', total,
        ',"currency":"', orders["currency"], '"}', "",
    )  # fmt: skip
    fixed = pa.array([None, compact({"seconds": 30}), *pages, *products], pa.string())
    return pa.concat_arrays([fixed, *done.chunks])


def compact(value: dict[str, object]) -> str:
    """The value as JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def event_days(
    market: Market, traffic: Traffic, pools: Pools, rng: np.random.Generator
) -> Iterator[tuple[str, pa.Table]]:
    """Day by day the name of the segment and its events, in order of arrival, as raw rows."""
    edges = np.searchsorted(traffic.deliveries.segment, np.arange(DAYS + 1))
    browsed = rng.integers(0, BROWSED, len(traffic.events.visit)).astype(np.int8)
    for number in range(DAYS):
        day = str(FIRST_DAY + number).replace("-", "")
        rows = slice(edges[number], edges[number + 1])
        yield f"segment-{day}-001.jsonl", raw_rows(market, traffic, pools, browsed, rows)


def raw_rows(
    market: Market, traffic: Traffic, pools: Pools, browsed: Column, rows: slice
) -> pa.Table:
    """The deliveries of these rows, one column per field that ingestion reads."""
    event = traffic.deliveries.event[rows]
    events, visits, devices = traffic.events, traffic.visits, traffic.devices
    visit, kind = events.visit[event], events.kind[event]
    device = visits.device[visit]
    email = emails_told(market, traffic, event)
    user = events.user_id[event]
    skew = devices.skew[device].astype("timedelta64[ms]")
    path = path_of(kind, events.product[event], browsed[pools.page[event]])
    return pa.table(
        {
            "message_id": uuid_text(pools.message_id[event]),
            "event_type": types_of(kind, devices.kind[device]),
            "event_name": names_of(kind),
            "anonymous_id": devices.anonymous_id.take(pa.array(device)),
            "user_id": pa.array(user, mask=user == 0).cast(pa.string()),
            "email": email,
            "sent_at": time(traffic.deliveries.sent_at[rows]),
            "occurred_at": time(events.happened_at[event] + skew),
            "received_at": time(traffic.deliveries.received_at[rows]),
            "properties": pools.properties.take(property_of(market, traffic, event, path)),
            "traits": pc.binary_join_element_wise('{"email":"', email, '"}', ""),
            "context": contexts(traffic, pools, event, path),
        }
    )


def time(values: Column) -> pa.Array:
    """Times to the millisecond."""
    return pa.array(values.astype("datetime64[ms]"), pa.timestamp("ms"))


def types_of(kind: Column, device: Column) -> pa.Array:
    """The call of each event; an app has screens, not pages."""
    place = np.where(kind == IDENTIFY, 0, np.where(kind != PAGE, 1, np.where(device == APP, 3, 2)))
    return pa.array(["identify", "track", "page", "screen"]).take(pa.array(place))


def names_of(kind: Column) -> pa.Array:
    """The name of each tracked event, null for other calls."""
    names = pa.array([NAMES.get(number) for number in range(ORDERED + 1)], pa.string())
    return names.take(pa.array(kind))


def path_of(kind: Column, product: Column, browsed: Column) -> Column:
    """Where each event happened, a position in `paths`."""
    fixed = {CART: AT_CART, CHECKOUT: AT_CHECKOUT, IDENTIFY: AT_CHECKOUT, ORDERED: AT_DONE}
    path = browsed.astype(int)
    for number, place in fixed.items():
        path[kind == number] = place
    on_product = (kind == VIEWED) | (kind == ADDED)
    path[on_product] = len(PATHS) + product[on_product]
    return path


def property_of(market: Market, traffic: Traffic, event: Column, path: Column) -> pa.Array:
    """The position of each event's properties; null for an identify."""
    kind = traffic.events.kind[event]
    order = traffic.visits.order[traffic.events.visit[event]]
    of_order = 2 + len(PATHS) + market.shelf.table.num_rows + order
    place = np.where(kind == HEARTBEAT, 1, np.where(kind == ORDERED, of_order, 2 + path))
    return pa.array(place, mask=kind == IDENTIFY)


def emails_told(market: Market, traffic: Traffic, event: Column) -> pa.Array:
    """The e-mail of each identify, the one of that time; null for other events."""
    visit = traffic.events.visit[event]
    person, device = traffic.visits.person[visit], traffic.visits.device[visit]
    tells = traffic.events.kind[event] == IDENTIFY
    people = market.population.people
    changed = people["email_changed_on"].to_numpy().astype("datetime64[ms]")
    day = np.append(changed, np.datetime64("NaT"))[person]
    is_old = tells & (traffic.events.happened_at[event] < day)
    own = people["email"].take(pa.array(person, mask=~tells | (person < 0)))
    old = people["old_email"].take(pa.array(person, mask=~is_old))
    is_test = tells & (traffic.devices.kind[device] == TESTER)
    email = pc.if_else(pa.array(is_test), TESTER_EMAIL, pc.coalesce(old, own))
    return email.combine_chunks() if isinstance(email, pa.ChunkedArray) else email


def contexts(traffic: Traffic, pools: Pools, event: Column, path: Column) -> pa.Array:
    """Where each event came from, as JSON; campaign and click only on the page they led to."""
    visit = traffic.events.visit[event]
    device = traffic.visits.device[visit]
    landing = np.where(traffic.events.is_first[event], traffic.visits.landing[visit], 0)
    is_app = pa.array(traffic.devices.kind[device] == APP)
    where = pools.paths.take(pa.array(path))
    click = pc.if_else(pa.array(landing >= FIRST_AD), pa.array(visit).cast(pa.string()), "")
    query = pc.binary_join_element_wise(picked(queries(), landing), click, "")
    page = pc.binary_join_element_wise(
        ',"page":{"path":"', where, '","url":"', SITE, where, query,
        '","search":"', query, '","referrer":"', picked(referrers(), landing), '"}', "",
    )  # fmt: skip
    app = pc.binary_join_element_wise(',"screen":{"name":"', where, '"}', "")
    return pc.binary_join_element_wise(
        '{"ip":"', pools.networks.take(pa.array(pools.network[device])),
        picked(agent_json(), pools.agent[device]), picked(campaign_json(), landing),
        pc.if_else(is_app, app, page), page_views(traffic, pools, event), "}", "",
    )  # fmt: skip


def page_views(traffic: Traffic, pools: Pools, event: Column) -> pa.Array:
    """Which look at a page it was, of pages and their heartbeats."""
    on_page = pa.array(np.isin(traffic.events.kind[event], (PAGE, HEARTBEAT)))
    page = pa.array(pools.page[event]).cast(pa.string())
    told = pc.binary_join_element_wise(',"pageViewId":"p', page, '"', "")
    return pc.if_else(on_page, told, "")


def agent_json() -> list[str]:
    """Each user agent, and for an app the app and its device, as members of a context."""
    app = ',"app":{"name":"shop","version":"%s"},"device":{"type":"%s"}'
    extra = {APPS[0]: app % ("3.1", "ios"), APPS[1]: app % ("3.0", "android")}
    return [f'","userAgent":"{agent}"{extra.get(agent, "")}' for agent in AGENTS]


def picked(texts: list[str], places: Column) -> pa.Array:
    """The text at each place."""
    return pa.array(texts, pa.string()).take(pa.array(places))


def json_lines(rows: pa.Table) -> pa.Array:
    """Each raw row as the line of JSON that it was."""
    return pc.binary_join_element_wise(
        '{"messageId":"', rows["message_id"],
        '","anonymousId":"', rows["anonymous_id"], '"',
        member("userId", rows["user_id"], '"'),
        ',"type":"', rows["event_type"], '"',
        member("event", rows["event_name"], '"'),
        member("properties", rows["properties"]),
        member("traits", rows["traits"]),
        ',"context":', rows["context"],
        ',"timestamp":"', iso(rows["occurred_at"]),
        '","sentAt":"', iso(rows["sent_at"]),
        '","receivedAt":"', iso(rows["received_at"]), '"}', "",
        null_handling="replace",
    )  # fmt: skip


def member(name: str, values: pa.ChunkedArray, mark: str = "") -> pa.ChunkedArray:
    """The values as members of an object, null where there is none."""
    return pc.binary_join_element_wise(f',"{name}":{mark}', values, mark, "")


def iso(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times in ISO 8601 with milliseconds and Z."""
    return pc.binary_join_element_wise(pc.strftime(times, "%Y-%m-%dT%H:%M:%S"), "Z", "")


def true_events(market: Market, traffic: Traffic, pools: Pools) -> Iterator[pa.Table]:
    """Every event that was delivered, and whose it truly is, some at a time."""
    size = len(traffic.events.visit)
    deliveries = np.bincount(traffic.deliveries.event, minlength=size)
    for start in range(0, max(size, 1), TRUTH_ROWS):
        event = np.arange(start, min(start + TRUTH_ROWS, size))
        visit = traffic.events.visit[event]
        device = traffic.visits.device[visit]
        kind = traffic.devices.kind[device]
        yield pa.table(
            {
                "source": pa.array(["web"]).take(pa.array(np.zeros(len(event), int))),
                "message_id": uuid_text(pools.message_id[event]),
                "person_id": owner_ids(market, traffic, traffic.visits.person[visit], device),
                "anonymous_id": traffic.devices.anonymous_id.take(pa.array(device)),
                "occurred_at": traffic.events.happened_at[event].astype("datetime64[us]"),
                "is_bot": pa.array(kind == BOT),
                "is_internal": pa.array(kind == TESTER),
                "deliveries": pa.array(deliveries[event], pa.int32()),
            }
        )


def owner_ids(market: Market, traffic: Traffic, person: Column, device: Column) -> pa.Array:
    """The id of each person; nobody known is a stranger, bot, tester or kiosk of its own."""
    kind = traffic.devices.kind[device]
    names = ["stranger:", "stranger:", "tablet:", "kiosk:", "bot:", "tester:"]
    own = pc.binary_join_element_wise(
        picked(names, kind), traffic.devices.anonymous_id.take(pa.array(device)), ""
    )
    ids = market.population.people["person_id"].take(pa.array(person, mask=person < 0))
    found = pc.coalesce(ids, own)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def web_records(market: Market, traffic: Traffic) -> pa.Table:
    """One row per visitor and per user that events name: whose record it truly is.

    A tablet or kiosk that several people used is nobody's; a device that changed hands belongs
    to who did more on it. Each says so.
    """
    devices, visits = traffic.devices, traffic.visits
    people = market.population.people.num_rows
    visitor = visitor_numbers(devices.anonymous_id)[visits.device]
    pair, first, which = np.unique(
        visitor * (people + 1) + visits.person + 1, return_index=True, return_inverse=True
    )
    count = np.bincount(which, visits.length, minlength=len(pair))
    order = np.lexsort((pair, -count, pair // (people + 1)))
    seen, best = np.unique(pair[order] // (people + 1), return_index=True)
    users = np.bincount(pair // (people + 1), minlength=len(devices.person))[seen]
    visit = first[order][best]
    device = visits.device[visit]
    several, kind = users > 1, devices.kind[device]
    is_common = several & np.isin(kind, [TABLET, KIOSK])
    owner = np.where(is_common, -1, visits.person[visit])
    keys = devices.anonymous_id.take(pa.array(device))
    misleading = np.where(kind == KIOSK, 1, np.where(is_common, 2, np.where(several, 3, 0)))
    visitors = records_table("visitor", keys, owner_ids(market, traffic, owner, device), misleading)
    return pa.concat_tables([visitors, user_records(market, traffic)])


def visitor_numbers(anonymous_id: pa.Array) -> Column:
    """A number per anonymous id, the same for both owners of a device."""
    return np.asarray(anonymous_id.dictionary_encode().indices.to_numpy().astype(np.int64))


def user_records(market: Market, traffic: Traffic) -> pa.Table:
    """One row per user id seen in events."""
    seen = np.unique(traffic.visits.account)
    seen = seen[seen > 0]
    accounts = market.population.accounts
    account = pc.index_in(pa.array(seen), value_set=accounts["user_id"].combine_chunks())
    person = market.population.people["person_id"].take(accounts["person"].take(account))
    keys = pa.array(seen).cast(pa.string())
    return records_table("user", keys, person.combine_chunks(), np.zeros(len(seen), int))


def records_table(kind: str, key: pa.Array, person_id: pa.Array, dirt: Column) -> pa.Table:
    """Records of the web as the truth keeps them; the dirt of each is a position in MISLEADING."""
    size = len(key)
    return pa.table(
        {
            "record_key": pc.binary_join_element_wise(f"web:{kind}:", key, ""),
            "source": pa.array(["web"] * size, pa.string()),
            "record_type": pa.array([kind] * size, pa.string()),
            "person_id": person_id,
            "dirt": pa.array(MISLEADING, pa.list_(pa.string())).take(pa.array(dirt)),
        }
    )
