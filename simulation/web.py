"""What the web tracker logged: visits of shoppers, of strangers and of bots, as Segment sends."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simulation.ledger import DAYS, FIRST_DAY, Column

BROWSES = 0.35  # of shop accounts visit the site in these days
SECOND_DEVICE = 0.20  # of them use two devices
LOGS_IN = 0.35  # of their visits: most visits start and stay anonymous
MORE_VISITS = 0.9  # visits after the first, on average
MORE_EVENTS = 2.6  # events after the first two of a visit, on average
BOTS = 0.02  # of events are by bots
VISITORS_PER_BOT = 250  # a bot then views about 60 pages within a minute
DUPLICATES = 0.015  # of events are delivered twice
LATE = 0.01  # of events arrive days late: phones without network
MOST_DAYS_LATE = 5
FAVOURITE = 0.4  # of product events are about the one product a visitor keeps coming back to
CAMPAIGN = 0.35  # of visits land from a campaign
EVENT_MIX = (0.42, 0.45, 0.13)  # pages, views, adds in a visit

PAGE, VIEWED, ADDED, IDENTIFY, ORDERED = range(5)
TRACKED = {VIEWED: "Product Viewed", ADDED: "Product Added", ORDERED: "Order Completed"}
SITE = "https://shop.example.com"
PATHS = (
    "/",
    "/collections/christmas",
    "/collections/gifts",
    "/collections/home",
    "/search",
    "/cart",
)
AGENTS = (
    "Mozilla/5.0 (Windows NT 6.1; rv:8.0) Gecko/20100101 Firefox/8.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_7_2) AppleWebKit/534.51 Safari/534.51",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 5_0 like Mac OS X) AppleWebKit/534.46 Mobile Safari/7534",
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/535.2 Chrome/15.0.874.121 Safari/535.2",
)
BOT_AGENT = "Mozilla/5.0 (compatible; examplebot/2.1; +https://example.com/bot.html)"
CAMPAIGNS = (
    ("google", "cpc", "christmas_gifts"),
    ("newsletter", "email", "weekly_offers"),
    ("facebook", "social", "autumn_home"),
)
REFERRERS = {"google": "https://www.google.com/", "facebook": "https://www.facebook.com/"}


@dataclass(frozen=True)
class Owned:
    """The shop's accounts, and whose each is."""

    accounts: pa.Table
    person_id: Column


@dataclass(frozen=True)
class Visitors:
    """One entry per anonymous id: whose it is, and the account they log in to (0 for none)."""

    anonymous_id: Column
    person_id: Column
    user_id: Column
    email: Column
    ip: Column
    user_agent: Column
    is_bot: Column
    favourite: Column


@dataclass(frozen=True)
class Visits:
    """One entry per visit; `order` is a position in the recent orders, or -1."""

    visitor: Column
    started_at: Column
    length: Column
    is_login: Column
    order: Column


@dataclass(frozen=True)
class Events:
    """One entry per event, in order of visit; `login_id` is 0 before the login."""

    visit: Column
    position: Column
    kind: Column
    product: Column
    login_id: Column
    happened_at: Column
    sent_at: Column
    received_at: Column


def uuids(size: int, rng: np.random.Generator) -> Column:
    """Random ids in the shape of UUIDs."""
    text = rng.bytes(16 * size).hex()
    ids = (text[start : start + 32] for start in range(0, 32 * size, 32))
    return np.array([f"{i[:8]}-{i[8:12]}-4{i[13:16]}-a{i[17:20]}-{i[20:]}" for i in ids], object)


def make_visitors(owned: Owned, products: int, rng: np.random.Generator) -> Visitors:
    """Shoppers' devices, as many strangers, and a few bots."""
    accounts, account_person = owned.accounts, owned.person_id
    chosen = np.flatnonzero(rng.random(accounts.num_rows) < BROWSES)
    own = np.repeat(chosen, 1 + (rng.random(len(chosen)) < SECOND_DEVICE))
    people = 2 * len(own)
    bots = int(np.ceil(people / VISITORS_PER_BOT))
    size, rest = people + bots, [None] * (len(own) + bots)
    nets = rng.choice(np.array(["192.0.2.", "198.51.100."], object), size)
    is_bot = np.arange(size) >= people
    strangers = [f"visitor-{n:06d}" for n in range(1, len(own) + 1)]
    return Visitors(
        anonymous_id=uuids(size, rng),
        person_id=np.array(
            [*account_person[own], *strangers, *(f"bot-{n:04d}" for n in range(1, bots + 1))],
            object,
        ),
        user_id=np.concatenate([accounts["user_id"].to_numpy()[own], np.zeros(len(rest), int)]),
        email=np.array([*accounts["email"].to_numpy()[own], *rest], object),
        ip=nets + rng.integers(1, 255, size).astype(str).astype(object),
        user_agent=np.where(is_bot, BOT_AGENT, rng.choice(np.array(AGENTS, object), size)),
        is_bot=is_bot,
        favourite=rng.integers(0, products, size),
    )


def make_visits(visitors: Visitors, orders: pa.Table, rng: np.random.Generator) -> Visits:
    """Visits spread over the days, and one more for each recent order of a shopper."""
    size = len(visitors.is_bot)
    counts = np.where(visitors.is_bot, 1, 1 + rng.poisson(MORE_VISITS, size))
    browsed = np.repeat(np.arange(size), counts)
    devices, first = np.unique(visitors.user_id, return_index=True)
    buyer = orders["customer_id"].to_numpy()
    bought = np.flatnonzero(np.isin(buyer, devices))
    minutes = rng.integers(0, DAYS, len(browsed)) * 1440 + rng.integers(
        6 * 60, 22 * 60, len(browsed)
    )
    visitor = np.concatenate([browsed, first[np.searchsorted(devices, buyer[bought])]])
    started = FIRST_DAY.astype("datetime64[ms]") + minutes.astype("timedelta64[m]")
    logs_in = (visitors.user_id[browsed] > 0) & (rng.random(len(browsed)) < LOGS_IN)
    length = (
        2 + rng.poisson(MORE_EVENTS, len(visitor)) + 2 * (np.arange(len(visitor)) >= len(browsed))
    )
    return Visits(
        visitor=visitor,
        started_at=np.concatenate(
            [started, orders["sold_at"].to_numpy()[bought].astype(started.dtype)]
        ),
        length=with_bots(length, visitors.is_bot[visitor]),
        is_login=np.concatenate([logs_in, np.ones(len(bought), bool)]),
        order=np.concatenate([np.full(len(browsed), -1), bought]).astype(int),
    )


def with_bots(length: Column, is_bot: Column) -> Column:
    """The lengths of visits, where bots together make their share of all events."""
    bot_events = length[~is_bot].sum() * BOTS / (1 - BOTS)
    return np.where(is_bot, np.ceil(bot_events / max(is_bot.sum(), 1)), length).astype(int)


def make_events(
    visitors: Visitors, visits: Visits, products: int, rng: np.random.Generator
) -> Events:
    """Every event of the visits, each delivered once so far."""
    visit = np.repeat(np.arange(len(visits.length)), visits.length)
    ends = visits.length.cumsum()
    position = np.arange(len(visit)) - np.repeat(ends - visits.length, visits.length)
    visitor = visits.visitor[visit]
    happened, started = event_times(visits, position, visitors.is_bot[visitor], rng)
    login_at = np.full(len(visitors.user_id), np.datetime64("9999-01-01", "ms"))
    np.minimum.at(login_at, visits.visitor[visits.is_login], started[visits.is_login])
    favours = rng.random(len(visit)) < FAVOURITE
    sent, received = delivery_times(happened, rng)
    return Events(
        visit=visit,
        position=position,
        kind=event_kinds(visits, visit, position, visitors.is_bot[visitor], rng),
        product=np.where(
            favours, visitors.favourite[visitor], rng.integers(0, products, len(visit))
        ),
        login_id=np.where(happened > login_at[visitor], visitors.user_id[visitor], 0),
        happened_at=happened,
        sent_at=sent,
        received_at=received,
    )


def event_times(
    visits: Visits, position: Column, is_bot: Column, rng: np.random.Generator
) -> tuple[Column, Column]:
    """When each event happened and each visit began; an order's visit ends with the order."""
    human, fast = rng.integers(4_000, 90_000, len(position)), rng.integers(200, 900, len(position))
    gaps = np.where(position == 0, 0, np.where(is_bot, fast, human))
    total = gaps.cumsum()
    ends = visits.length.cumsum()
    base = total[ends - visits.length]
    lasted = (total[ends - 1] - base).astype("timedelta64[ms]")
    started = np.where(visits.order >= 0, visits.started_at - lasted, visits.started_at)
    offset = (total - np.repeat(base, visits.length)).astype("timedelta64[ms]")
    return np.repeat(started, visits.length) + offset, started


def event_kinds(
    visits: Visits, visit: Column, position: Column, is_bot: Column, rng: np.random.Generator
) -> Column:
    """A page first, then the login if there is one, then browsing, and the order last."""
    kind = rng.choice(3, len(visit), p=EVENT_MIX)
    kind[(position == 0) | is_bot] = PAGE
    kind[visits.is_login[visit] & (position == 1)] = IDENTIFY
    kind[(visits.order[visit] >= 0) & (position == visits.length[visit] - 1)] = ORDERED
    return np.asarray(kind)


def delivery_times(happened: Column, rng: np.random.Generator) -> tuple[Column, Column]:
    """When each event was sent and received: at once, or for a few some days late."""
    size = len(happened)
    can_wait = segment_of(happened) < DAYS - 1 - MOST_DAYS_LATE
    is_late = can_wait & (rng.random(size) < LATE * DAYS / (DAYS - 1 - MOST_DAYS_LATE))
    days = np.where(is_late, rng.integers(1, MOST_DAYS_LATE + 1, size), 0)
    sent = happened + days.astype("timedelta64[D]") + rng.integers(20, 2_000, size)
    return sent, sent + rng.integers(20, 400, size)


def segment_of(received: Column) -> Column:
    """The number of the log segment, from 0: one a day."""
    days = (received.astype("datetime64[D]") - FIRST_DAY).astype(int)
    return np.asarray(np.clip(days, 0, DAYS - 1))


def iso(times: Column) -> list[str]:
    """Times in ISO 8601 with milliseconds and Z."""
    return [f"{text}Z" for text in np.datetime_as_string(times.astype("datetime64[ms]")).tolist()]


@dataclass(frozen=True)
class Shelf:
    """What events point to, as plain lists, and the rng that fills in the rest."""

    visitors: Visitors
    visits: Visits
    catalogue: list[dict[str, Any]]
    orders: list[dict[str, Any]]


def event_lines(events: Events, shelf: Shelf, rng: np.random.Generator) -> list[str]:
    """Each event as one line of JSON."""
    size = len(events.visit)
    ids, paths = uuids(size, rng), rng.choice(np.array(PATHS, object), size)
    landing = rng.integers(0, len(CAMPAIGNS), len(shelf.visits.length))
    landing[rng.random(len(landing)) >= CAMPAIGN] = -1
    campaigns = np.where(events.position == 0, landing[events.visit], -1)
    columns = (
        ids, paths, campaigns.tolist(), events.visit.tolist(), events.kind.tolist(),
        events.product.tolist(), events.login_id.tolist(), iso(events.happened_at),
        iso(events.sent_at), iso(events.received_at),
    )  # fmt: skip
    return [line_of(shelf, *values) for values in zip(*columns, strict=True)]


def line_of(  # noqa: PLR0917
    shelf: Shelf, message_id: str, path: str, campaign: int, visit: int, kind: int,
    product: int, login_id: int, happened: str, sent: str, received: str,
) -> str:  # fmt: skip
    """One event in the shape Segment delivers."""
    visitor = shelf.visits.visitor[visit]
    item = shelf.catalogue[product]
    where = f"/products/{item['product_id']}" if kind in (VIEWED, ADDED) else path
    event: dict[str, Any] = {
        "messageId": message_id,
        "anonymousId": shelf.visitors.anonymous_id[visitor],
    }
    if login_id:
        event["userId"] = str(login_id)
    if kind == IDENTIFY:
        event |= {"type": "identify", "traits": {"email": shelf.visitors.email[visitor]}}
    elif kind == PAGE:
        seen = {"path": where, "title": where.rsplit("/", 1)[-1] or "home", "url": SITE + where}
        event |= {"type": "page", "properties": seen}
    else:
        about = shelf.orders[shelf.visits.order[visit]] if kind == ORDERED else item
        event |= {"type": "track", "event": TRACKED[kind], "properties": about}
    event["context"] = context_of(shelf.visitors, visitor, where, campaign)
    event |= {"timestamp": happened, "sentAt": sent, "receivedAt": received}
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)


def context_of(visitors: Visitors, visitor: int, path: str, campaign: int) -> dict[str, Any]:
    """Where the event came from; the campaign only on the page it led to."""
    context: dict[str, Any] = {
        "ip": visitors.ip[visitor],
        "userAgent": visitors.user_agent[visitor],
    }
    referrer = ""
    if campaign >= 0:
        source, medium, name = CAMPAIGNS[campaign]
        referrer = REFERRERS.get(source, "")
        context["campaign"] = {"source": source, "medium": medium, "name": name}
    context["page"] = {"path": path, "url": SITE + path, "referrer": referrer}
    return context


def deliveries(events: Events, rng: np.random.Generator) -> tuple[Column, Column]:
    """Which event is in which segment, in order of arrival: some again in a later one."""
    segment = segment_of(events.received_at)
    again = np.flatnonzero((segment < DAYS - 1) & (rng.random(len(segment)) < DUPLICATES))
    event = np.concatenate([np.arange(len(segment)), again])
    later = np.minimum(segment[again] + rng.integers(1, 4, len(again)), DAYS - 1)
    placed = np.concatenate([segment, later])
    order = np.lexsort((event, events.received_at[event], placed))
    return event[order], placed[order]


def shelf_of(visitors: Visitors, visits: Visits, catalogue: pa.Table, orders: pa.Table) -> Shelf:
    """The visits with the properties of the products and orders they are about."""
    items = catalogue.rename_columns(["product_id", "name", "price"]).to_pylist()
    sold = orders.select(["invoice", "total"]).rename_columns(["order_id", "total"]).to_pylist()
    return Shelf(
        visitors,
        visits,
        catalogue=[item | {"currency": "GBP"} for item in items],
        orders=[o | {"total": round(o["total"], 2), "currency": "GBP"} for o in sold],
    )


def write_web(
    folder: Path,
    owned: Owned,
    orders: pa.Table,
    catalogue: pa.Table,
    seed: int,
) -> tuple[Visitors, int]:
    """One closed log segment a day; returns the visitors and the number of lines."""
    rng = np.random.default_rng([seed, 8])
    visitors = make_visitors(owned, catalogue.num_rows, rng)
    visits = make_visits(visitors, orders, rng)
    events = make_events(visitors, visits, catalogue.num_rows, rng)
    lines = np.array(
        event_lines(events, shelf_of(visitors, visits, catalogue, orders), rng), object
    )
    event, segment = deliveries(events, rng)
    folder.mkdir(parents=True, exist_ok=True)
    edges = np.searchsorted(segment, np.arange(DAYS + 1))
    for number in range(DAYS):
        day = str(FIRST_DAY + number).replace("-", "")
        text = "".join(f"{line}\n" for line in lines[event[edges[number] : edges[number + 1]]])
        (folder / f"segment-{day}-001.jsonl").write_text(text, encoding="utf-8")
    return visitors, len(event)
