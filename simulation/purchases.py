"""What people buy: the real ledger and its true owners, and purchases made up around it.

Made-up purchases are receipts of the stores for everybody, and shop orders of buyers whom the
ledger does not know, resampled from its baskets. Sequences are planted in those alone.
"""

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.ledger import FIRST_DAY, LAST_DAY, Column
from simulation.personas import (
    CLOSED,
    DAY,
    Market,
    Shelf,
    liked_products,
    people_of,
    positions_in,
)
from simulation.population import Population
from warehouse import scratch

RECEIPTS = 1.5  # receipts of the stores in these days per person who ever bought
ORDERS = 1.0  # shop orders a year after the first, of a made-up buyer who stays
MORE_LINES = 1.8  # lines after the first of a purchase, on average
MOST_PIECES = 12  # of one product in a made-up order: the ledger's wholesalers buy hundreds
INTEREST_SHARE = 0.6  # of products bought are of an interest of the buyer
SHOWN = 0.85  # of receipts of card holders show the card
REFUNDED = 0.04  # of made-up purchases are given back, half of them in part only
REFUND_DAYS = 20  # a refund comes within these days
GUESTS_WITH_ACCOUNT = 0.25  # of guest checkouts are by people who have an account
FORGETS_LOGIN = 0.06  # of made-up orders of account holders are guest checkouts
SEQUENCES = ((5.0, 30), (4.0, 30), (6.0, 30), (3.0, 30), (8.0, 30))  # true lift, within days
FIRST_SHARE, THEN_SHARE = 0.03, 0.02  # of purchases contain the first and the second product
QUIET = (20, 60)  # invoices of the ledger with a planted product: it hardly dilutes the lift
CUT_OFF = LAST_DAY - np.timedelta64(90, "D")  # what comes from here on judges forecasts
EUR_PER_GBP = 1.17  # mean of 2011, fixed so that every amount can be checked
STORES = ("London", "Leeds", "Bristol", "Glasgow", "Dublin", "Paris")
IN_EURO = np.array([False, False, False, False, True, True])
EURO_CODES = ("AT", "BE", "CY", "DE", "ES", "FI", "FR", "GR", "IE", "IT", "MT", "NL", "PT")
FIRST_INVOICE, FIRST_RECEIPT = 7_000_001, 1  # above every invoice of the ledger
GUEST_SEED = 23  # of the generator of guests: records and orders must agree
MADE_UP_GUEST_SEED = 25  # of the generator of made-up guest checkouts
OWN, TOUCHED, MAILED, FOLLOWED = range(4)  # why a purchase happened


@dataclass(frozen=True)
class Baskets:
    """One entry per made-up purchase; `product` is the one it must contain, or -1."""

    person: Column
    bought_at: Column
    is_shop: Column
    cause: Column
    product: Column


@dataclass(frozen=True)
class Lines:
    """One entry per line of a made-up purchase, in order of purchase; prices in GBP."""

    basket: Column
    product: Column
    quantity: Column
    price: Column


@dataclass(frozen=True)
class Plan:
    """The made-up purchases, and the sequences planted in them."""

    baskets: Baskets
    lines: Lines
    sequences: pa.Table


@dataclass(frozen=True)
class Documents:
    """One entry per receipt or invoice, purchases first, then refunds; and their lines."""

    basket: Column
    is_refund: Column
    issued_at: Column
    rank: Column  # in order of time, those of the stores first
    number: pa.Array
    line_document: Column
    line: Column  # position in Lines
    line_quantity: Column


@dataclass(frozen=True)
class Purchases:
    """All that was bought: the raw rows made up, and the truth about all orders."""

    receipt_lines: pa.Table
    order_lines: pa.Table
    orders: pa.Table  # as the truth keeps them, and `person`, the row of people
    ledger_orders: pa.Table  # those of them that are in the real ledger
    guest_orders: pa.Table  # those made up that a guest gave a contact for: invoice, person, when
    sequences: pa.Table
    future: pa.Table


Part = TypeVar("Part", Baskets, Lines)


def joined_parts(*parts: Part) -> Part:
    """The entries of all parts, one after the other."""
    columns = [[getattr(part, field.name) for part in parts] for field in fields(parts[0])]
    return type(parts[0])(*(np.concatenate(column) for column in columns))


def clean_lines(files: tuple[pa.Table, ...]) -> pa.Table:
    """The lines of all files; an invoice that stands in two is taken from the first."""
    kept = list(files[:1])
    for table in files[1:]:
        known = pc.unique(pa.concat_tables(kept)["invoice"])
        kept.append(table.filter(pc.invert(pc.is_in(table["invoice"], value_set=known))))
    return pa.concat_tables(kept)


def guest_invoices(lines: pa.Table) -> pa.Table:
    """One row per order without a customer, by number: invoice, country, ordered_at."""
    is_sale = pc.and_(pc.greater(lines["quantity"], 0), pc.greater(lines["price"], 0))
    is_order = pc.match_substring_regex(lines["invoice"], r"^\d")
    is_guest = pc.and_(pc.is_null(lines["customer_id"]), is_order)
    sold = lines.filter(pc.and_(is_sale, is_guest)).group_by("invoice", use_threads=False)
    found = sold.aggregate([("country", "min"), ("invoice_date", "min")]).sort_by("invoice")
    return found.rename_columns(["invoice", "country", "ordered_at"])


def guest_invoice_owners(
    population: Population, lines: pa.Table, rng: np.random.Generator
) -> pa.Array:
    """The person (row of people) of each of `guest_invoices`; null only where nobody lives.

    Most are people without an account, some forgot to log in; all are of the invoice's country
    where anybody is.
    """
    invoices = guest_invoices(lines)
    people = population.people
    has_account = np.bincount(population.accounts["person"].to_numpy(), minlength=people.num_rows)
    is_prospect = people["is_prospect"].to_numpy(zero_copy_only=False)
    buyers = np.flatnonzero(~is_prospect)
    guests = np.flatnonzero((has_account == 0) & ~is_prospect)
    logged = rng.random(invoices.num_rows) < GUESTS_WITH_ACCOUNT
    owner = np.full(invoices.num_rows, -1)
    for pool, chosen in ((buyers, np.ones(len(logged), bool)), (guests, ~logged)):
        found = neighbours(people["country"], pool, invoices["country"], rng)
        owner = np.where(chosen & (found >= 0), found, owner)
    anybody = rng.choice(buyers, len(owner)) if len(buyers) else np.full(len(owner), -1)
    owner = np.where(owner >= 0, owner, anybody)
    return pa.array(owner.astype(np.int32), mask=owner < 0)


def neighbours(
    country: pa.ChunkedArray, pool: Column, wanted: pa.ChunkedArray, rng: np.random.Generator
) -> Column:
    """For each wanted country one of the pool who lives there, or -1."""
    home = positions_in(pc.unique(wanted), country.take(pa.array(pool)))
    pool = pool[np.argsort(home, kind="stable")]
    edges = np.searchsorted(np.sort(home), np.arange(len(pc.unique(wanted)) + 1))
    group = positions_in(pc.unique(wanted), wanted)
    size = np.diff(edges)[group]
    place = edges[group] + (rng.random(len(group)) * size).astype(int)
    return np.where(size > 0, np.append(pool, -1)[np.minimum(place, len(pool))], -1)


def own_baskets(market: Market, rng: np.random.Generator) -> Baskets:
    """What people buy by themselves: in the stores, and at the shop if they are made up."""
    return joined_parts(store_baskets(market, rng), shop_baskets(market, rng))


def store_baskets(market: Market, rng: np.random.Generator) -> Baskets:
    """Purchases at the tills in the last days, by people who are still customers."""
    population, personas = market.population, market.personas
    is_prospect = population.people["is_prospect"].to_numpy(zero_copy_only=False)
    days = np.where(is_prospect, 0, personas.days_within(FIRST_DAY))
    weight = (days * personas.zeal).cumsum()
    size = round(RECEIPTS * int((~is_prospect).sum())) if weight[-1:].sum() else 0
    person = np.searchsorted(weight, rng.random(size) * weight[-1:].sum(), side="right")
    start = np.maximum(personas.joined_at[person], FIRST_DAY.astype("datetime64[s]"))
    at = start + (rng.random(size) * days[person] * DAY).astype("timedelta64[s]")
    return baskets_of(person, in_opening_hours(at, rng), is_shop=False, cause=OWN)


def in_opening_hours(at: Column, rng: np.random.Generator) -> Column:
    """The same days, between 9 and 18 o'clock."""
    seconds = rng.integers(9 * 3600, 18 * 3600, len(at)).astype("timedelta64[s]")
    return np.asarray(at.astype("datetime64[D]").astype("datetime64[s]") + seconds)


def shop_baskets(market: Market, rng: np.random.Generator) -> Baskets:
    """Orders of buyers whom the ledger does not know: one at least, more while they stay."""
    population, personas = market.population, market.personas
    holders = np.flatnonzero(made_up_account(population) > 0)
    buyers = np.concatenate([holders, made_up_guests(population)])
    days = personas.days_within(personas.joined_at.min(initial=CLOSED))[buyers]
    more = rng.poisson(ORDERS * personas.zeal[buyers] * days / 365)
    person = np.repeat(buyers, 1 + more)
    offset = rng.random(len(person)) * np.repeat(days, 1 + more) * DAY
    at = personas.joined_at[person] + offset.astype("timedelta64[s]")
    return baskets_of(person, np.minimum(at, CLOSED - 1), is_shop=True, cause=OWN)


def made_up_account(population: Population) -> Column:
    """The user id with which each person orders, 0 for people of the ledger and guests."""
    is_made_up = pc.invert(population.accounts["is_real"])
    accounts = population.accounts.filter(is_made_up)
    found = np.zeros(population.people.num_rows, np.int64)
    found[accounts["person"].to_numpy()[::-1]] = accounts["user_id"].to_numpy()[::-1]
    return found


def made_up_guests(population: Population) -> Column:
    """The people who only buy as guests, but for as many as the ledger's orders stand for."""
    owner, is_real = (population.accounts[name].to_numpy(zero_copy_only=False)
                      for name in ("person", "is_real"))  # fmt: skip
    has_account = np.bincount(owner, minlength=population.people.num_rows) > 0
    is_prospect = population.people["is_prospect"].to_numpy(zero_copy_only=False)
    guests = np.flatnonzero(~has_account & ~is_prospect)
    of_ledger = len(np.unique(owner[is_real])) / max(int(has_account.sum()), 1)
    return guests[round(len(guests) * of_ledger) :]


def guest_checkouts(population: Population, baskets: Baskets, rng: np.random.Generator) -> Column:
    """Which made-up purchases are orders without login: of people without account, some others."""
    has_account = made_up_account(population)[baskets.person] > 0
    forgets = rng.random(len(baskets.person)) < FORGETS_LOGIN
    return np.asarray(baskets.is_shop & (~has_account | forgets))


def baskets_of(
    person: Column, at: Column, *, is_shop: Column | bool, cause: int, product: int = -1
) -> Baskets:
    """Purchases of one cause."""
    size = len(person)
    return Baskets(
        person=person,
        bought_at=at.astype("datetime64[s]"),
        is_shop=np.broadcast_to(is_shop, size),
        cause=np.full(size, cause, np.int8),
        product=np.full(size, product),
    )


def caused_baskets(population: Population, person: Column, at: Column, cause: int) -> Baskets:
    """Purchases that a touch brought about, where each person can buy, none after the end."""
    is_inside = at < CLOSED
    can_order = made_up_account(population) > 0
    return baskets_of(
        person[is_inside], at[is_inside], is_shop=can_order[person[is_inside]], cause=cause
    )


def lines_of(baskets: Baskets, market: Market, ledger: Lines, rng: np.random.Generator) -> Lines:
    """The lines of every purchase: of the ledger's baskets at the shop, of interest in stores."""
    is_resampled = baskets.is_shop & (baskets.product < 0) & (len(ledger.basket) > 0)
    store = np.flatnonzero(~is_resampled)
    parts = (
        store_lines(store, baskets, market, rng),
        resampled_lines(np.flatnonzero(is_resampled), baskets, market, ledger, rng),
    )
    return in_order(joined_parts(*parts))


def in_order(lines: Lines) -> Lines:
    """The lines in order of purchase."""
    order = np.argsort(lines.basket, kind="stable")
    return Lines(*(getattr(lines, field.name)[order] for field in fields(Lines)))


def store_lines(which: Column, baskets: Baskets, market: Market, rng: np.random.Generator) -> Lines:
    """The lines of these purchases, chosen from the catalogue."""
    fixed = baskets.product[which]
    counts = np.where(fixed >= 0, 1, 1 + rng.poisson(MORE_LINES, len(which)))
    basket, fixed = np.repeat(which, counts), np.repeat(fixed, counts)
    person = baskets.person[basket]
    liked = liked_products(market, person, INTEREST_SHARE, rng)
    product = np.where(fixed >= 0, fixed, liked)
    price = market.shelf.table["price"].to_numpy()[product]
    return Lines(basket, product, rng.integers(1, 7, len(basket)), price)


def ledger_baskets(lines: pa.Table, shelf: Shelf) -> Lines:
    """The baskets that made-up orders are resampled from, ordered by category, then invoice."""
    product = positions_in(shelf.table["stock_code"], lines["stock_code"])
    quantity, price = lines["quantity"].to_numpy(), lines["price"].to_numpy()
    kept = np.flatnonzero((product >= 0) & (quantity > 0) & (price > 0))
    _, invoice = np.unique(lines["invoice"].to_numpy()[kept].astype(str), return_inverse=True)
    kept = kept[np.lexsort((kept, shelf.category[product[kept]], invoice))]
    pieces = np.minimum(quantity[kept], MOST_PIECES)
    return Lines(np.sort(invoice), product[kept], pieces, price[kept])


def resampled_lines(
    which: Column, baskets: Baskets, market: Market, ledger: Lines, rng: np.random.Generator
) -> Lines:
    """The lines of these purchases: a few neighbouring lines of a real basket of an interest."""
    category = market.shelf.category[ledger.product]
    by_category = np.argsort(category, kind="stable")
    edges = np.searchsorted(category[by_category], np.arange(len(market.shelf.size) + 1))
    wanted = market.personas.interests[baskets.person[which], rng.integers(0, 2, len(which))]
    size = np.diff(edges)[wanted]
    place = edges[wanted] + (rng.random(len(which)) * np.maximum(size, 1)).astype(int)
    first = by_category[np.minimum(place, len(by_category) - 1)]
    counts = 1 + rng.poisson(MORE_LINES, len(which))
    basket, start = np.repeat(np.arange(len(which)), counts), np.repeat(first, counts)
    line = start + np.arange(len(basket)) - np.repeat(counts.cumsum() - counts, counts)
    line = np.minimum(line, len(ledger.basket) - 1)
    is_same = ledger.basket[line] == ledger.basket[start]
    line, basket = line[is_same], basket[is_same]
    return Lines(which[basket], ledger.product[line], ledger.quantity[line], ledger.price[line])


def quiet_products(lines: pa.Table, shelf: Shelf) -> Column:
    """Products that the ledger sells now and then."""
    counts = lines.group_by("stock_code").aggregate([("invoice", "count_distinct")])
    is_quiet = pc.and_(
        pc.greater_equal(counts["invoice_count_distinct"], QUIET[0]),
        pc.less_equal(counts["invoice_count_distinct"], QUIET[1]),
    )
    found = positions_in(shelf.table["stock_code"], counts["stock_code"].filter(is_quiet))
    return np.sort(found[found >= 0])


def planted(
    baskets: Baskets, lines: Lines, shelf: Shelf, quiet: Column, rng: np.random.Generator
) -> Plan:
    """The purchases with sequences planted, and the sequences: X, then Y with the true lift."""
    pairs = rng.permutation(quiet)[: 2 * len(SEQUENCES)].reshape(-1, 2)
    lines = with_extras(baskets, lines, pairs, shelf, rng)
    order = np.lexsort((baskets.bought_at, baskets.person))
    rates: list[float] = []
    follow_ups = [baskets_of(pairs[:0, 0], baskets.bought_at[:0], is_shop=False, cause=FOLLOWED)]
    for (first, then), (lift, days) in zip(pairs, SEQUENCES, strict=False):
        has_first, has_then = (contains(lines, code, len(baskets.person)) for code in (first, then))
        rate = base_rate(baskets, order, has_then, days)
        rates.append(rate)
        follow_ups.append(followers(baskets, has_first, int(then), (lift, days, rate), rng))
    added = joined_parts(*follow_ups)
    extra = store_like(added, shelf, len(baskets.person), rng)
    table = sequences_table(pairs, rates, shelf)
    return Plan(joined_parts(baskets, added), joined_parts(lines, extra), table)


def with_extras(
    baskets: Baskets, lines: Lines, pairs: Column, shelf: Shelf, rng: np.random.Generator
) -> Lines:
    """The lines, and in a share of all purchases one more of a planted product."""
    parts = [lines]
    for products, share in ((pairs[:, 0], FIRST_SHARE), (pairs[:, 1], THEN_SHARE)):
        for product in products:
            basket = np.flatnonzero(rng.random(len(baskets.person)) < share)
            parts.append(single_lines(basket, np.full(len(basket), product), shelf, rng))
    return in_order(joined_parts(*parts))


def single_lines(basket: Column, product: Column, shelf: Shelf, rng: np.random.Generator) -> Lines:
    """One line per purchase given."""
    price = shelf.table["price"].to_numpy()[product]
    return Lines(basket, product, rng.integers(1, 7, len(basket)), price)


def store_like(added: Baskets, shelf: Shelf, before: int, rng: np.random.Generator) -> Lines:
    """The one line of each follow-up, numbered after the purchases before."""
    return single_lines(before + np.arange(len(added.person)), added.product, shelf, rng)


def contains(lines: Lines, product: int, size: int) -> Column:
    """Whether each purchase contains the product."""
    return np.bincount(lines.basket[lines.product == product], minlength=size) > 0


def base_rate(baskets: Baskets, order: Column, has_then: Column, days: int) -> float:
    """The share of all purchases that the same person follows by Y within the days."""
    is_whole = baskets.bought_at < CLOSED - np.timedelta64(days, "D")
    return share_of(followed(baskets, order, has_then, days)[is_whole])


def followed(baskets: Baskets, order: Column, has_then: Column, days: int) -> Column:
    """Whether each purchase is followed by one that contains Y, by the same person in time.

    `order` sorts the purchases by person and time.
    """
    person, at = baskets.person[order], baskets.bought_at[order]
    then = np.flatnonzero(has_then[order])
    place = np.searchsorted(then, np.arange(len(order)), side="right")
    following = np.append(then, len(order))[place]
    same = np.append(person, -1)[following] == person
    wait = np.append(at, CLOSED)[following] - at
    found = np.empty(len(order), bool)
    found[order] = same & (wait <= np.timedelta64(days, "D"))
    return found


def followers(
    baskets: Baskets,
    has_first: Column,
    then: int,
    plan: tuple[float, int, float],
    rng: np.random.Generator,
) -> Baskets:
    """The purchases of Y that bring its rate after X from the base rate to the lift."""
    lift, days, rate = plan
    chosen = np.flatnonzero(has_first & (rng.random(len(has_first)) < brought(lift, rate)))
    wait = rng.integers(3_600, days * DAY - DAY, len(chosen)).astype("timedelta64[s]")
    at, is_shop = baskets.bought_at[chosen] + wait, baskets.is_shop[chosen]
    at = np.where(is_shop, at, in_opening_hours(at + np.timedelta64(DAY, "s"), rng))
    late = at - baskets.bought_at[chosen] > np.timedelta64(days, "D")
    at, inside = np.where(late, at - np.timedelta64(DAY, "s"), at), at < CLOSED
    return baskets_of(
        baskets.person[chosen][inside], at[inside],
        is_shop=is_shop[inside], cause=FOLLOWED, product=then,
    )  # fmt: skip


def sequences_table(pairs: Column, rates: list[float], shelf: Shelf) -> pa.Table:
    """One row per planted sequence, as the truth keeps it."""
    codes = shelf.table["stock_code"]
    size = len(rates)
    return pa.table(
        {
            "first_product": codes.take(pa.array(pairs[:, 0])),
            "then_product": codes.take(pa.array(pairs[:, 1])),
            "within_days": pa.array([days for _, days in SEQUENCES[:size]], pa.int32()),
            "base_rate": pa.array(rates, pa.float64()),
            "lift": pa.array([lift for lift, _ in SEQUENCES[:size]], pa.float64()),
        }
    )


def seen_rates(
    baskets: Baskets, lines: Lines, is_seen: Column, rule: tuple[int, int, float, float, int]
) -> tuple[float, float, float]:
    """Base rate, lift and windows of a rule among purchases that tell whose they are.

    What the rule adds is seen as often as any purchase of that kind: no chance of this one company.
    """
    first, then, lift, rate, days = rule
    size, is_own = len(baskets.person), baskets.cause != FOLLOWED
    by_itself = contains(lines, then, size) & is_seen & (is_own | (baskets.product != then))
    order = np.lexsort((baskets.bought_at, baskets.person))
    is_whole = baskets.bought_at < CLOSED - np.timedelta64(days, "D")
    counted = is_seen & is_own & is_whole
    base = share_of(followed(baskets, order, by_itself, days)[counted])
    has_first = contains(lines, first, size)
    with_first = counted & has_first
    left = (CLOSED - baskets.bought_at[is_seen & is_own & has_first]) / np.timedelta64(days, "D")
    seen_again = share_of(np.where(baskets.is_shop[with_first], 1.0, SHOWN))
    added = brought(lift, rate) * seen_again * (1 - base)
    return base, 1 + added / base if base else lift, float(np.minimum(left, 1).sum())


def share_of(values: Column) -> float:
    """Their mean, 0 of none."""
    return float(values.mean()) if len(values) else 0.0


def brought(lift: float, rate: float) -> float:
    """The chance with which X must bring Y for the rate to rise to the lift."""
    return min((lift - 1) * rate / (1 - rate), 1.0) if rate < 1 else 0.0


def with_seen_rates(plan: Plan, shelf: Shelf, is_seen: Column) -> pa.Table:
    """The planted sequences, and what they are among purchases that tell whose they are."""
    rows = plan.sequences.to_pylist()
    codes = shelf.table["stock_code"]
    first, then = (
        positions_in(codes, plan.sequences[name]) for name in ("first_product", "then_product")
    )
    rules = [
        (int(x), int(y), row["lift"], row["base_rate"], row["within_days"])
        for x, y, row in zip(first, then, rows, strict=True)
    ]
    rates = [seen_rates(plan.baskets, plan.lines, is_seen, rule) for rule in rules]
    names = ("seen_base_rate", "seen_lift", "seen_windows")
    table = plan.sequences
    for name, values in zip(names, np.reshape(rates, (-1, len(names))).T, strict=True):
        table = table.append_column(name, pa.array(values, pa.float64()))
    return table


def documents_of(
    baskets: Baskets, lines: Lines, is_guest: Column, rng: np.random.Generator
) -> Documents:
    """Every purchase and every refund with its number, in order of time within each source.

    Guests give nothing back: a cancellation names the customer alone, not the order.
    """
    size = len(baskets.person)
    refunded = np.flatnonzero((rng.random(size) < REFUNDED) & ~is_guest)
    wait = rng.integers(3_600, REFUND_DAYS * DAY, len(refunded)).astype("timedelta64[s]")
    at = baskets.bought_at[refunded] + wait
    refunded, at = refunded[at < CLOSED], at[at < CLOSED]
    basket = np.concatenate([np.arange(size), refunded])
    issued = np.concatenate([baskets.bought_at, at])
    is_refund = np.arange(len(basket)) >= size
    document, line, quantity = refund_lines(refunded, lines, rng)
    rank = ranks(baskets.is_shop[basket], is_refund, issued)
    return Documents(
        basket=basket,
        is_refund=is_refund,
        issued_at=issued,
        rank=rank,
        number=numbers_of(baskets.is_shop[basket], is_refund, rank),
        line_document=np.concatenate([lines.basket, size + document]),
        line=np.concatenate([np.arange(len(lines.basket)), line]),
        line_quantity=np.concatenate([lines.quantity, -quantity]),
    )


def refund_lines(
    refunded: Column, lines: Lines, rng: np.random.Generator
) -> tuple[Column, Column, Column]:
    """Refund, line and pieces given back: all of the purchase, or a part of its first line."""
    start = np.searchsorted(lines.basket, refunded)
    counts = np.searchsorted(lines.basket, refunded, side="right") - start
    is_part = rng.random(len(refunded)) < 0.5  # noqa: PLR2004
    counts = np.where(is_part, np.minimum(counts, 1), counts)
    refund = np.repeat(np.arange(len(refunded)), counts)
    line = (
        np.repeat(start, counts)
        + np.arange(len(refund))
        - np.repeat(counts.cumsum() - counts, counts)
    )
    bought = lines.quantity[line]
    pieces = 1 + (rng.random(len(line)) * bought).astype(int)
    return refund, line, np.where(is_part[refund], pieces, bought)


def ranks(is_shop: Column, is_refund: Column, issued: Column) -> Column:
    """The place of each document in order of time, those of the stores first."""
    order = np.lexsort((is_refund, issued, is_shop))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def numbers_of(is_shop: Column, is_refund: Column, rank: Column) -> pa.Array:
    """Receipt and invoice numbers; a cancelling invoice begins with C."""
    receipts = len(rank) - int(is_shop.sum())
    number = np.where(is_shop, FIRST_INVOICE + rank - receipts, FIRST_RECEIPT + rank)
    text = pc.utf8_lpad(pc.cast(pa.array(number), pa.string()), 7, "0")
    mark = pa.array(["R", "", "C"]).take(pa.array(np.where(is_shop, 1 + is_refund, 0)))
    return pc.binary_join_element_wise(mark, text, "")


def rates_to(currency_is_euro: Column) -> Column:
    """What one pound is in the currency of each."""
    return np.where(currency_is_euro, EUR_PER_GBP, 1.0)


def currencies(is_euro: Column) -> pa.Array:
    """EUR or GBP for each."""
    return pa.array(["GBP", "EUR"]).take(pa.array(is_euro.astype(np.int8)))


@dataclass(frozen=True)
class Sale:
    """What each made-up purchase says besides its lines: store, money and card."""

    store: Column
    is_euro: Column
    card: pa.Array


def sale_of(population: Population, baskets: Baskets, rng: np.random.Generator) -> Sale:
    """Stores near the buyer, the currency of the store or of the country, and cards shown."""
    code = population.people["country_code"].take(pa.array(baskets.person))
    store = rng.integers(0, 4, len(baskets.person))
    abroad = pc.fill_null(pc.not_equal(code, "GB"), False).to_numpy(zero_copy_only=False)
    irish = pc.fill_null(pc.equal(code, "IE"), False).to_numpy(zero_copy_only=False)
    store = np.where(irish, 4, np.where(abroad, 5, store))
    pays_euro = pc.is_in(code, value_set=pa.array(EURO_CODES)).to_numpy(zero_copy_only=False)
    is_euro = np.where(baskets.is_shop, pays_euro, IN_EURO[store])
    return Sale(store, is_euro, cards_shown(population, baskets, rng))


def cards_shown(population: Population, baskets: Baskets, rng: np.random.Generator) -> pa.Array:
    """A card of the buyer, where there is one by then and it is shown."""
    owner = population.cards["person"].to_numpy()
    order = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[order], baskets.person)
    counts = np.searchsorted(owner[order], baskets.person, side="right") - first
    place = first + (rng.random(len(first)) * counts).astype(int)
    chosen = np.append(order, -1)[np.where(counts > 0, place, len(order))]
    issued = np.append(population.cards["issued_at"].to_numpy().astype("datetime64[s]"), CLOSED)
    shown = (counts > 0) & (issued[chosen] <= baskets.bought_at) & (rng.random(len(first)) < SHOWN)
    return population.cards["loyalty_number"].combine_chunks().take(pa.array(chosen, mask=~shown))


@dataclass(frozen=True)
class Bought:
    """The made-up purchases with all that their papers say."""

    baskets: Baskets
    lines: Lines
    documents: Documents
    sale: Sale
    is_guest: Column


def line_prices(lines: Lines, sale: Sale) -> Column:
    """The price of each line in the currency of its purchase."""
    return np.round(lines.price * rates_to(sale.is_euro[lines.basket]), 2)


def receipt_rows(bought: Bought, shelf: Shelf) -> pa.Table:
    """The raw receipt lines of all stores, in order of receipt."""
    baskets, lines, documents, sale = parts_of(bought)
    document, line = raw_order(baskets, documents, is_shop=False)
    basket, line_number = documents.basket[document], line_numbers(document)
    product = shelf.table.take(pa.array(lines.product[documents.line[line]]))
    original = pa.array(basket, mask=~documents.is_refund[document])
    return pa.table(
        {
            "receipt_id": documents.number.take(pa.array(document)),
            "line_number": pa.array(line_number, pa.int64()),
            "store": pa.array(STORES).take(pa.array(sale.store[basket])),
            "sold_at": pa.array(documents.issued_at[document], pa.timestamp("us")),
            "loyalty_number": sale.card.take(pa.array(basket)),
            "stock_code": product["stock_code"],
            "description": product["description"],
            "quantity": pa.array(documents.line_quantity[line], pa.int64()),
            "unit_price": line_prices(lines, sale)[documents.line[line]],
            "currency": currencies(sale.is_euro[basket]),
            "refunded_receipt_id": documents.number.take(original),
        }
    )


def parts_of(bought: Bought) -> tuple[Baskets, Lines, Documents, Sale]:
    """The four parts, to be named by who reads them."""
    return bought.baskets, bought.lines, bought.documents, bought.sale


def raw_order(baskets: Baskets, documents: Documents, *, is_shop: bool) -> tuple[Column, Column]:
    """Document and line position of each raw row of one source, in order of time and document."""
    document = documents.line_document
    line = np.flatnonzero(baskets.is_shop[documents.basket[document]] == is_shop)
    line = line[np.argsort(documents.rank[document[line]], kind="stable")]
    return document[line], line


def line_numbers(document: Column) -> Column:
    """The number of each line in its document, whose lines stand together."""
    is_first = np.append(True, document[1:] != document[:-1])[: len(document)]
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(document)), 0))
    return np.asarray(np.arange(len(document)) - start + 1)


def order_rows(bought: Bought, population: Population, shelf: Shelf) -> pa.Table:
    """The raw order lines of made-up buyers, in order of invoice, shaped as the ledger's."""
    baskets, lines, documents, sale = parts_of(bought)
    document, line = raw_order(baskets, documents, is_shop=True)
    basket = documents.basket[document]
    person = pa.array(baskets.person[basket])
    product = shelf.table.take(pa.array(lines.product[documents.line[line]]))
    return pa.table(
        {
            "invoice": documents.number.take(pa.array(document)),
            "stock_code": product["stock_code"],
            "description": product["description"],
            "quantity": pa.array(documents.line_quantity[line], pa.int64()),
            "invoice_date": pa.array(documents.issued_at[document], pa.timestamp("us")),
            "price": line_prices(lines, sale)[documents.line[line]],
            "customer_id": pa.array(
                made_up_account(population)[baskets.person[basket]], mask=bought.is_guest[basket]
            ),
            "country": population.people["country"].take(person),
            "currency": currencies(sale.is_euro[basket]),
        }
    )


def made_up_orders(bought: Bought) -> pa.Table:
    """One row per made-up purchase: its true buyer and what it came to after refunds."""
    baskets, lines, documents, sale = parts_of(bought)
    size = len(baskets.person)
    pence = np.round(line_prices(lines, sale) * 100).astype(np.int64)[documents.line]
    worth = documents.line_quantity * pence
    basket = documents.basket[documents.line_document]
    is_back = worth < 0
    gross = np.bincount(basket[~is_back], worth[~is_back], minlength=size) / 100
    refunded = np.bincount(basket[is_back], -worth[is_back], minlength=size) / 100
    return pa.table(
        {
            "order_id": documents.number[:size],
            "source": pa.array(["pos", "shop"]).take(pa.array(baskets.is_shop.astype(np.int8))),
            "person": pa.array(baskets.person, pa.int32()),
            "ordered_at": pa.array(baskets.bought_at, pa.timestamp("us")),
            "gross_amount": gross,
            "refunded_amount": refunded,
            "currency": currencies(sale.is_euro),
            "is_guest": pa.array(bought.is_guest),
            "is_known": pc.or_(pa.array(baskets.is_shop), sale.card.is_valid()),
        }
    )


LEDGER_ORDERS = r"""
    with goods as (
        select
            *,
            cast(quantity * cast(price as decimal(18, 3)) as decimal(18, 3)) as worth
        from lines
        where regexp_matches(upper(stock_code), '^(\d{5}|DCGS|SP\d)') and price > 0
    ),
    sold as (
        select invoice, max(person) as person, max(customer_id) as customer_id,
            min(invoice_date) as ordered_at, sum(worth) as gross
        from goods where quantity > 0 and invoice not like 'C%' group by invoice
    ),
    sold_products as (
        select customer_id, stock_code, invoice_date, min(invoice) as invoice
        from goods
        where quantity > 0 and invoice not like 'C%' and customer_id is not null group by all
    ),
    given_back as (
        select sold_products.invoice, sum(-goods.worth) as refunded
        from goods asof inner join sold_products
            on goods.customer_id = sold_products.customer_id
            and goods.stock_code = sold_products.stock_code
            and goods.invoice_date >= sold_products.invoice_date
        where goods.invoice like 'C%' and goods.quantity < 0
        group by sold_products.invoice
    )
    select
        sold.invoice as order_id, 'shop' as source, sold.person, sold.ordered_at,
        cast(sold.gross as decimal(18, 2))::double as gross_amount,
        cast(least(coalesce(given_back.refunded, 0), sold.gross) as decimal(18, 2))::double
            as refunded_amount,
        'GBP' as currency, sold.customer_id is null as is_guest,
        sold.person is not null as is_known
    from sold left join given_back on sold.invoice = given_back.invoice
    order by sold.invoice
"""  # goods, not postage or fees; a cancellation takes back from the last order with that product


def ledger_orders(population: Population, lines: pa.Table, guests: pa.Array) -> pa.Table:
    """One row per order of goods in the ledger, with its true buyer."""
    person = people_of(population, lines["customer_id"])
    guest = positions_in(guest_invoices(lines)["invoice"], lines["invoice"])
    owner = np.append(pc.fill_null(guests, -1).to_numpy(), -1)[guest]
    person = np.where(person >= 0, person, owner)
    owned = lines.append_column("person", pa.array(person.astype(np.int32), mask=person < 0))
    with scratch(lines=owned) as session:
        return session.read(LEDGER_ORDERS)


def future_of(orders: pa.Table, people: int) -> pa.Table:
    """One row per person who bought at the shop before the cut-off: what came after it.

    Only the shop counts: its orders reach back before the cut-off, those of the tills do not.
    """
    shop = orders.filter(pc.and_(pc.equal(orders["source"], "shop"), pc.is_valid(orders["person"])))
    person, is_later = shop["person"].to_numpy(), after_cut_off(shop)
    pounds = (shop["gross_amount"].to_numpy() - shop["refunded_amount"].to_numpy()) / rates_to(
        pc.equal(shop["currency"], "EUR").to_numpy(zero_copy_only=False)
    )
    count = np.bincount(person[is_later], minlength=people)
    pence = np.bincount(person[is_later], np.round(pounds[is_later] * 100), minlength=people)
    known = np.unique(person[~is_later])
    return pa.table(
        {
            "person": pa.array(known, pa.int32()),
            "cut_off": pa.array(
                np.full(len(known), CUT_OFF.astype("datetime64[us]")), pa.timestamp("us")
            ),
            "orders": pa.array(count[known], pa.int32()),
            "revenue": pence[known] / 100,
            "is_churned": pa.array(count[known] == 0),
        }
    )


def after_cut_off(orders: pa.Table) -> Column:
    """Whether each order came on the day of the cut-off or later."""
    return np.asarray(orders["ordered_at"].to_numpy() >= CUT_OFF.astype("datetime64[us]"))


def make_purchases(market: Market, plan: Plan, ledger: pa.Table, seed: int) -> Purchases:
    """The raw rows of these purchases, and the truth about them and about the ledger."""
    population, rng = market.population, np.random.default_rng([seed, 24])
    chance = np.random.default_rng([seed, MADE_UP_GUEST_SEED])
    is_guest = guest_checkouts(population, plan.baskets, chance)
    documents = documents_of(plan.baskets, plan.lines, is_guest, rng)
    sale = sale_of(population, plan.baskets, rng)
    bought = Bought(plan.baskets, plan.lines, documents, sale, is_guest)
    guests = guest_invoice_owners(population, ledger, np.random.default_rng([seed, GUEST_SEED]))
    real = ledger_orders(population, ledger, guests)
    made_up = made_up_orders(bought)
    orders = pa.concat_tables([real, made_up.cast(real.schema)])
    return Purchases(
        receipt_lines=receipt_rows(bought, market.shelf),
        order_lines=order_rows(bought, population, market.shelf),
        orders=orders,
        ledger_orders=real,
        guest_orders=made_up.filter(made_up["is_guest"])
        .select(["order_id", "person", "ordered_at"])
        .rename_columns(["invoice", "person", "ordered_at"]),
        sequences=with_seen_rates(plan, market.shelf, made_up["is_known"].to_numpy()),
        future=future_of(orders, population.people.num_rows),
    )
