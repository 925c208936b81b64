"""What people do on the site and in the app: visits that follow from persona, device and order.

Strangers, bots and the company's own testers visit too. Events are kept as numbers here;
`segments` tells them as the tracker delivers them.
"""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.landings import TOUCH_DAYS, effect_of, landings
from simulation.ledger import DAYS, FIRST_DAY, Column
from simulation.personas import (
    CHANNELS,
    CLOSED,
    DAY,
    Market,
    drawn_products,
    liked_products,
    positions_in,
)
from simulation.purchases import TOUCHED, Baskets, Purchases, caused_baskets

VISITS = 1.1  # visits on a device of one's own by a person of average activity, in these days
TABLET_VISITS, KIOSK_VISITS = 1.5, 40.0
STRANGER_VISITS = 0.5  # visits after the first of a stranger
NEVER_LOGS_IN = 0.30  # of account holders
LOGS_IN = 0.50  # of visits of the others
SECOND_ACCOUNT = 0.30  # of logins of people with two accounts use the second
MORE_EVENTS = 2.6  # events after the first two of a visit, on average
ORDER_EVENTS = 4  # events that an order adds to its visit
EVENT_MIX = (0.38, 0.43, 0.13, 0.06)  # pages, views, adds and heartbeats in a visit
INTEREST_SHARE = 0.6  # of products looked at are of an interest
WISHES, WISH_SHARE = 0.3, 0.2  # of people wish for a product; of what these look at is that one
BOTS = 0.02  # of events are by bots
BOT_VISIT = 60  # pages that a bot takes in one visit, within a minute
TESTERS = 0.005  # of events are by the company's own testers
TESTER_VISIT = 12  # events of one test run
DUPLICATES = 0.015  # of events are delivered twice
LATE = 0.01  # of events arrive days late: phones without network
MOST_DAYS_LATE = 5
WAITS = 0.03  # of events wait in the client's queue for seconds to minutes, and arrive out of order
WRONG_CLOCK = 0.04  # of devices are off by hours
MOST_HOURS_OFF = 12

FORM = 2  # events from the end of a visit at which a guest fills in the e-mail
PAGE, VIEWED, ADDED, HEARTBEAT, CART, CHECKOUT, IDENTIFY, ORDERED = range(8)
BROWSER, APP, TABLET, KIOSK, BOT, TESTER = range(6)
KINDS = ("browser", "app", "tablet", "kiosk")
START = FIRST_DAY.astype("datetime64[ms]")
NEVER = np.datetime64("9999-01-01", "ms")


@dataclass(frozen=True)
class Devices:
    """One entry per device and user: those of the population, then of bots and of testers."""

    anonymous_id: pa.Array
    person: Column
    kind: Column
    household: Column
    from_at: Column
    to_at: Column
    skew: Column  # milliseconds that its clock is ahead


@dataclass(frozen=True)
class Visits:
    """One entry per visit; `account` is 0 without login, `order` a row of the orders or -1."""

    device: Column
    person: Column
    started_at: Column
    length: Column
    landing: Column
    account: Column
    order: Column


@dataclass(frozen=True)
class Orders:
    """One entry per shop order of the last days, and the products on it."""

    table: pa.Table  # order_id, currency, total
    person: Column
    user_id: Column  # 0 for guests
    ordered_at: Column
    start: Column
    size: Column
    products: Column


@dataclass(frozen=True)
class Events:
    """One entry per event, in order of visit; `user_id` is 0 while nobody is logged in."""

    visit: Column
    kind: Column
    is_first: Column
    product: Column
    user_id: Column
    happened_at: Column
    sent_at: Column
    received_at: Column


@dataclass(frozen=True)
class Deliveries:
    """One entry per event delivered, in order of arrival in the daily segments."""

    event: Column
    segment: Column
    sent_at: Column
    received_at: Column


@dataclass(frozen=True)
class Traffic:
    """All that the tracker saw."""

    devices: Devices
    visits: Visits
    orders: Orders
    events: Events
    deliveries: Deliveries


def uuids(size: int, rng: np.random.Generator) -> pa.Array:
    """Random ids in the shape of UUIDs."""
    return uuid_text(random_ids(size, rng))


def random_ids(size: int, rng: np.random.Generator) -> Column:
    """Sixteen random bytes each."""
    return np.frombuffer(rng.bytes(16 * size), np.uint8).reshape(size, 16)


def uuid_text(raw: Column) -> pa.Array:
    """Sixteen bytes each, written as a UUID."""
    pairs = np.array([f"{number:02x}".encode() for number in range(256)]).view(np.uint16)
    digits = pairs[raw].view(np.uint8)
    text = np.full((len(raw), 36), ord("-"), np.uint8)
    for start, end, place in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
        text[:, place : place + end - start] = digits[:, start:end]
    text[:, 14], text[:, 19] = ord("4"), ord("a")
    offsets = np.arange(len(raw) + 1, dtype=np.int32) * 36
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), len(raw), buffers)


def devices_of(population_devices: pa.Table, rng: np.random.Generator) -> Devices:
    """The devices of people and strangers, with their clocks."""
    table = population_devices
    kind = positions_in(pa.array(KINDS), table["kind"])
    size = table.num_rows
    hours = rng.integers(1, MOST_HOURS_OFF + 1, size) * rng.choice([-1, 1], size)
    return Devices(
        anonymous_id=table["anonymous_id"].combine_chunks(),
        person=table["person"].to_numpy().astype(int),
        kind=kind,
        household=table["household"].to_numpy().astype(int),
        from_at=table["from_at"].to_numpy().astype("datetime64[ms]"),
        to_at=table["to_at"].to_numpy().astype("datetime64[ms]"),
        skew=np.where(rng.random(size) < WRONG_CLOCK, hours * 3_600_000, 0),
    )


def with_machines(devices: Devices, kinds: Column, rng: np.random.Generator) -> Devices:
    """The devices, and after them one of nobody for each kind given."""
    size = len(kinds)
    nobody = np.full(size, -1)
    return Devices(
        anonymous_id=pa.concat_arrays([devices.anonymous_id, uuids(size, rng)]),
        person=np.concatenate([devices.person, nobody]),
        kind=np.concatenate([devices.kind, kinds]),
        household=np.concatenate([devices.household, nobody]),
        from_at=np.concatenate([devices.from_at, np.full(size, START)]),
        to_at=np.concatenate([devices.to_at, np.full(size, CLOSED.astype("datetime64[ms]"))]),
        skew=np.concatenate([devices.skew, np.zeros(size, int)]),
    )


def browsing(market: Market, devices: Devices, rng: np.random.Generator) -> Visits:
    """The visits that people and strangers make by themselves."""
    start, days = presence(market, devices)
    counts = visit_counts(market, devices, days, rng)
    device = np.repeat(np.arange(len(counts)), counts)
    offset = (rng.random(len(device)) * days[device] * DAY * 1000).astype("timedelta64[ms]")
    started = by_day(start[device] + offset, devices.to_at[device], rng)
    person = visitors(market, devices, device, rng)
    favourite = np.append(market.personas.channel, -1)[person]
    landing = landings(favourite, started, devices.kind[device] == APP, rng)
    return visits_of(market, (device, person, started, landing), rng)


def presence(market: Market, devices: Devices) -> tuple[Column, Column]:
    """From when, and for how many days of the traffic, each device is in use."""
    left = np.append(market.personas.left_at, CLOSED).astype("datetime64[ms]")[devices.person]
    start = np.maximum(devices.from_at, START)
    end = np.minimum(np.minimum(devices.to_at, left), CLOSED.astype("datetime64[ms]"))
    days = np.maximum((end - start).astype(int), 0) / (DAY * 1000)
    return start, days


def visit_counts(
    market: Market, devices: Devices, days: Column, rng: np.random.Generator
) -> Column:
    """How often each device visits: by the activity of its owner and the days in use."""
    zeal = np.append(market.personas.zeal, 1.0)[devices.person]
    likes_app = np.append(market.personas.channel, -1)[devices.person] == CHANNELS.index("app")
    own = VISITS * zeal * np.where((devices.kind == APP) & likes_app, 2.0, 1.0)
    mean = np.choose(devices.kind, [own, own, TABLET_VISITS, KIOSK_VISITS]) * days / DAYS
    is_stranger = (devices.person < 0) & (devices.kind == BROWSER)
    drawn = rng.poisson(np.where(is_stranger, STRANGER_VISITS, mean))
    return np.asarray(drawn + is_stranger)


def by_day(times: Column, ends: Column, rng: np.random.Generator) -> Column:
    """The same days between 6 and 22 o'clock, where the device is still in the same hands."""
    seconds = rng.integers(6 * 3600, 22 * 3600, len(times)).astype("timedelta64[s]")
    moved = times.astype("datetime64[D]").astype("datetime64[ms]") + seconds
    return np.where(moved < ends, moved, times)


def visitors(market: Market, devices: Devices, device: Column, rng: np.random.Generator) -> Column:
    """Who visits: the owner, one of the household at its tablet, anybody at a kiosk."""
    people = market.population.people
    household = people["household"].to_numpy()
    order = np.argsort(household, kind="stable")
    wanted = devices.household[device]
    first = np.searchsorted(household[order], wanted)
    count = np.searchsorted(household[order], wanted, side="right") - first
    member = np.append(order, -1)[np.minimum(first + (rng.random(len(device)) * count).astype(int),
                                             len(order))]  # fmt: skip
    kind, owner = devices.kind[device], devices.person[device]
    person = np.where((kind == TABLET) & (count > 0), member, owner)
    anybody = rng.integers(0, max(people.num_rows, 1), len(device))
    return np.where((kind == KIOSK) & (people.num_rows > 0), anybody, person)


def visits_of(
    market: Market, where: tuple[Column, Column, Column, Column], rng: np.random.Generator
) -> Visits:
    """These visits with their length and, for some, the login.

    Given are device, person, start and landing.
    """
    device, person, started, landing = where
    size = len(device)
    return Visits(
        device=device,
        person=person,
        started_at=started,
        length=2 + rng.poisson(MORE_EVENTS, size),
        landing=landing,
        account=logins(market, person, started, rng),
        order=np.full(size, -1),
    )


def logins(market: Market, person: Column, started: Column, rng: np.random.Generator) -> Column:
    """The account that each visit logs in to, 0 for none; some people never do."""
    first, last = accounts_of(market)
    size = market.population.people.num_rows
    never = np.append(rng.random(size) < NEVER_LOGS_IN, True)[person]
    uses_last = rng.random(len(person)) < SECOND_ACCOUNT
    account = np.where(uses_last, last[person], first[person])
    opened_at = np.append(market.population.accounts["opened_at"].to_numpy(), NEVER)
    is_open = opened_at.astype("datetime64[ms]")[account] <= started
    user_id = np.append(market.population.accounts["user_id"].to_numpy(), 0)[account]
    return np.where(is_open & ~never & (rng.random(len(person)) < LOGS_IN), user_id, 0)


def accounts_of(market: Market) -> tuple[Column, Column]:
    """The first and the last account (row) of each person and, at the end, of nobody: -1."""
    owner = market.population.accounts["person"].to_numpy()
    rows = np.arange(len(owner))
    first, last = (np.full(market.population.people.num_rows + 1, -1) for _ in range(2))
    last[owner], first[owner[::-1]] = rows, rows[::-1]
    return first, last


def clicked(
    market: Market,
    devices: Devices,
    click: tuple[Column, Column, Column],
    rng: np.random.Generator,
) -> Visits:
    """The visits that clicks in e-mails begin: person, time and landing of each click."""
    person, at, landing = click
    at = at.astype("datetime64[ms]")
    device = device_at(devices, person, at, rng)
    found = np.flatnonzero((device >= 0) & (at < CLOSED.astype(at.dtype) - 3_600_000))
    return visits_of(market, (device[found], person[found], at[found], landing[found]), rng)


def device_at(devices: Devices, person: Column, at: Column, rng: np.random.Generator) -> Column:
    """A device of its own that each person has at the time, or -1."""
    own = np.flatnonzero((devices.person >= 0) & (devices.kind <= APP))
    own = own[np.argsort(devices.person[own], kind="stable")]
    first = np.searchsorted(devices.person[own], person)
    count = np.searchsorted(devices.person[own], person, side="right") - first
    place = np.minimum(first + (rng.random(len(person)) * count).astype(int), len(own))
    device = np.append(own, -1)[place]
    has = (count > 0) & (device >= 0)
    begin, end = np.append(devices.from_at, NEVER)[device], np.append(devices.to_at, NEVER)[device]
    return np.where(has & (begin <= at) & (at < end), device, -1)


def touched(market: Market, visits: Visits, rng: np.random.Generator) -> Baskets:
    """The purchases that landings bring about, by people who buy at all."""
    is_prospect = market.population.people["is_prospect"].to_numpy(zero_copy_only=False)
    buys = np.append(~is_prospect, False)[visits.person]
    caused = buys & (rng.random(len(buys)) < effect_of(visits.landing))
    started = visits.started_at[caused].astype("datetime64[s]")
    wait = rng.integers(1_800, TOUCH_DAYS * DAY, len(started)).astype("timedelta64[s]")
    return caused_baskets(market.population, visits.person[caused], started + wait, TOUCHED)


def recent_orders(market: Market, ledger: pa.Table, purchases: Purchases) -> Orders:
    """The shop orders of the last days, of the ledger and made up."""
    columns = ["invoice", "stock_code", "quantity", "price", "invoice_date", "customer_id"]
    lines = pa.concat_tables([ledger.select(columns), purchases.order_lines.select(columns)])
    is_recent = pc.greater_equal(lines["invoice_date"], pa.scalar(START.astype("datetime64[us]")))
    lines = lines.filter(pc.and_(is_recent, pc.greater(lines["quantity"], 0)))
    order = positions_in(purchases.orders["order_id"], lines["invoice"])
    lines, order = lines.filter(pa.array(order >= 0)), order[order >= 0]
    rows, first, which = np.unique(order, return_index=True, return_inverse=True)
    product = positions_in(market.shelf.table["stock_code"], lines["stock_code"])
    pence = np.round(lines["quantity"].to_numpy() * lines["price"].to_numpy() * 100)
    total = np.bincount(which, pence, minlength=len(rows)) / 100
    known = np.flatnonzero(product >= 0)
    known = known[np.argsort(which[known], kind="stable")]
    edges = np.searchsorted(which[known], np.arange(len(rows) + 1))
    table = purchases.orders.take(pa.array(rows))
    user = pc.fill_null(lines["customer_id"].take(pa.array(first)), 0)
    return Orders(
        table=table.select(["order_id", "currency"]).append_column("total", pa.array(total)),
        person=pc.fill_null(table["person"], -1).to_numpy().astype(int),
        user_id=user.to_numpy(),
        ordered_at=table["ordered_at"].to_numpy().astype("datetime64[ms]"),
        start=edges[:-1],
        size=np.diff(edges),
        products=product[known],
    )


def ordering(market: Market, devices: Devices, orders: Orders, rng: np.random.Generator) -> Visits:
    """The visit that ends with each order, where its buyer has a device."""
    device = device_at(devices, orders.person, orders.ordered_at, rng)
    order = np.flatnonzero(device >= 0)
    favourite, at = market.personas.channel[orders.person[order]], orders.ordered_at[order]
    return Visits(
        device=device[order],
        person=orders.person[order],
        started_at=at,
        length=2 + ORDER_EVENTS + rng.poisson(MORE_EVENTS, len(order)),
        landing=np.where(favourite == CHANNELS.index("search"), 1, 0),
        account=orders.user_id[order],
        order=order,
    )


def machine_visits(first_device: int, kinds: Column, rng: np.random.Generator) -> Visits:
    """One visit per bot and per tester."""
    size = len(kinds)
    minutes = rng.integers(0, DAYS * 1440 - 60, size).astype("timedelta64[m]")
    nothing = np.zeros(size, int)
    return Visits(
        device=first_device + np.arange(size),
        person=np.full(size, -1),
        started_at=START + minutes,
        length=np.where(kinds == BOT, BOT_VISIT, TESTER_VISIT),
        landing=nothing,
        account=nothing,
        order=nothing - 1,
    )


def machines_for(events: int) -> Column:
    """The kinds of as many bots and testers as make their share of all events."""
    whole = events / (1 - BOTS - TESTERS)
    bots, testers = np.ceil([whole * BOTS / BOT_VISIT, whole * TESTERS / TESTER_VISIT]).astype(int)
    return np.repeat([BOT, TESTER], [bots, testers])


def joined_visits(*parts: Visits) -> Visits:
    """The visits of all parts, one after the other."""
    columns = [[getattr(part, field.name) for part in parts] for field in fields(Visits)]
    return Visits(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True)
class Scene:
    """Who visits on what, and the orders that some visits end with."""

    market: Market
    devices: Devices
    visits: Visits
    orders: Orders


def make_traffic(scene: Scene, rng: np.random.Generator) -> Traffic:
    """The events of these visits, of the orders, and of bots and testers."""
    market, devices, orders = scene.market, scene.devices, scene.orders
    visits = joined_visits(scene.visits, ordering(market, devices, orders, rng))
    kinds = machines_for(int(visits.length.sum()))
    machines = machine_visits(len(devices.person), kinds, rng)
    devices, visits = with_machines(devices, kinds, rng), joined_visits(visits, machines)
    events = make_events(Scene(market, devices, visits, orders), rng)
    return Traffic(devices, visits, orders, events, delivered(events, rng))


def make_events(scene: Scene, rng: np.random.Generator) -> Events:
    """Every event of the visits."""
    devices, visits = scene.devices, scene.visits
    visit = np.repeat(np.arange(len(visits.length), dtype=np.int32), visits.length)
    ends = visits.length.cumsum()
    position = np.arange(len(visit), dtype=np.int32)
    position -= np.repeat((ends - visits.length).astype(np.int32), visits.length)
    is_bot = (devices.kind == BOT)[visits.device][visit]
    happened, started = event_times(visits, position, is_bot, rng)
    kind = event_kinds(visits, visit, position, is_bot, rng)
    sent, received = delivery_times(happened, rng)
    skew = devices.skew[visits.device][visit].astype("timedelta64[ms]")
    return Events(
        visit=visit,
        kind=kind,
        is_first=position == 0,
        product=products_seen(scene, visit, kind, rng),
        user_id=logged_in(devices, visits, visit, position, started),
        happened_at=happened,
        sent_at=sent + skew,
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
    latest = CLOSED.astype("datetime64[ms]") - lasted - 60_000
    started = np.where(visits.order >= 0, started, np.minimum(started, latest))
    offset = (total - np.repeat(base, visits.length)).astype("timedelta64[ms]")
    return np.repeat(started, visits.length) + offset, started


def event_kinds(
    visits: Visits, visit: Column, position: Column, is_bot: Column, rng: np.random.Generator
) -> Column:
    """A page first, the login next, browsing, and for an order cart, checkout and order."""
    kind = rng.choice(len(EVENT_MIX), len(visit), p=EVENT_MIX).astype(np.int8)
    kind[(position == 0) | is_bot] = PAGE
    is_order = visits.order[visit] >= 0
    from_end = visits.length[visit] - 1 - position
    for place, what in enumerate((ORDERED, CHECKOUT, CART)):
        kind[is_order & (from_end == place)] = what
    is_guest = is_order & (visits.account[visit] == 0)
    kind[np.where(is_guest, from_end == FORM, (visits.account[visit] > 0) & (position == 1))] = (
        IDENTIFY
    )
    return kind


def logged_in(
    devices: Devices, visits: Visits, visit: Column, position: Column, started: Column
) -> Column:
    """The account of each event: in a visit from the login on, on one's own device ever after."""
    owner = devices.person[visits.device]
    stays = (devices.kind[visits.device] <= APP) & (visits.person == owner)
    first = np.full(len(devices.person), NEVER)
    by_login = visits.account > 0
    np.minimum.at(first, visits.device[by_login & stays], started[by_login & stays])
    account = np.zeros(len(devices.person), np.int64)
    earliest = by_login & stays & (started == first[visits.device])
    account[visits.device[earliest]] = visits.account[earliest]
    stays &= (visits.order < 0) | by_login  # who orders as a guest is logged out
    known = np.where(stays & (started > first[visits.device]), account[visits.device], 0)
    here = np.where(position >= 1, visits.account[visit], 0)
    return np.where(here > 0, here, known[visit])


def products_seen(scene: Scene, visit: Column, kind: Column, rng: np.random.Generator) -> Column:
    """The product of each event: of the order, else of an interest; what is added was viewed.

    Some people look at one product again and again, and do not buy it for that.
    """
    market, visits, orders = scene.market, scene.visits, scene.orders
    person, order = visits.person[visit], visits.order[visit]
    product = np.empty(len(visit), np.int32)
    is_known = person >= 0
    product[is_known] = liked_products(market, person[is_known], INTEREST_SHARE, rng)
    wishes, again = wished(market, person, rng.spawn(1)[0])
    product[again] = wishes[person[again]]
    category = visits.device[visit][~is_known] % (len(market.shelf.size) - 1)
    calm = np.full(len(category), 0.5)
    product[~is_known] = drawn_products(market.shelf, category, calm, rng)
    size = np.append(orders.size, 0)[order]
    place = np.append(orders.start, 0)[order] + (rng.random(len(visit)) * size).astype(int)
    has_products = size > 0
    product[has_products] = orders.products[place[has_products]]
    after_view = np.flatnonzero((kind[1:] == ADDED) & (kind[:-1] == VIEWED)) + 1
    after_view = after_view[visit[after_view] == visit[after_view - 1]]
    product[after_view] = product[after_view - 1]
    return product


def wished(market: Market, person: Column, rng: np.random.Generator) -> tuple[Column, Column]:
    """What each person wishes for, and the events in which those who do look at it."""
    people = market.population.people.num_rows
    wishes = liked_products(market, np.arange(people), INTEREST_SHARE, rng)
    has_wish = np.append(rng.random(people) < WISHES, False)
    return wishes, np.flatnonzero(has_wish[person] & (rng.random(len(person)) < WISH_SHARE))


def delivery_times(happened: Column, rng: np.random.Generator) -> tuple[Column, Column]:
    """When each event was truly sent and received: at once, from a queue, or some days late."""
    size, last = len(happened), DAYS - 1 - MOST_DAYS_LATE
    is_late = (segment_of(happened) < last) & (rng.random(size) < LATE * DAYS / last)
    days = np.where(is_late, rng.integers(1, MOST_DAYS_LATE + 1, size), 0)
    waits = np.where(rng.random(size) < WAITS, rng.integers(2_000, 600_000, size), 0)
    sent = happened + days.astype("timedelta64[D]") + waits + rng.integers(20, 2_000, size)
    return sent, sent + rng.integers(20, 400, size)


def segment_of(received: Column) -> Column:
    """The number of the log segment, from 0: one a day."""
    days = (received.astype("datetime64[D]") - FIRST_DAY).astype(np.int32)
    return np.asarray(np.clip(days, 0, DAYS - 1).astype(np.int8))


def delivered(events: Events, rng: np.random.Generator) -> Deliveries:
    """Every delivery: some events again in a later segment, half of them sent anew."""
    segment = segment_of(events.received_at)
    again = np.flatnonzero((segment < DAYS - 1) & (rng.random(len(segment)) < DUPLICATES))
    later = np.minimum(segment[again] + rng.integers(1, 4, len(again)), DAYS - 1).astype(np.int8)
    is_resent = rng.random(len(again)) < 0.5  # noqa: PLR2004
    wait = np.where(is_resent, (later - segment[again]).astype(int) * DAY * 1000, 0).astype(
        "timedelta64[ms]"
    )
    event = np.concatenate([np.arange(len(segment)), again]).astype(np.int32)
    placed = np.concatenate([segment, later])
    sent = np.concatenate([events.sent_at, events.sent_at[again] + wait])
    received = np.concatenate([events.received_at, events.received_at[again] + wait])
    order = np.lexsort((event, received, placed))
    return Deliveries(event[order], placed[order], sent[order], received[order])
