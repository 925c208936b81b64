"""Why people do what they do: interests, price sensitivity, churn hazard and favourite channel.

A customer of the real ledger has the persona that the purchases show; everybody else draws one,
and their purchases and visits follow from it.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.ledger import LAST_DAY, Column
from simulation.population import Population

CATEGORIES = {
    "christmas": "CHRISTMAS|XMAS|SANTA|REINDEER|ADVENT|SNOW",
    "garden": "GARDEN|FLOWER|PLANT|BIRD|PICNIC|HERB",
    "bags": "BAG|PURSE|SUITCASE|TRAVEL|UMBRELLA",
    "kitchen": "MUG|CUP|CAKE|TEA|PLATE|BOWL|JAR|SPOON|KITCHEN|TIN|BOTTLE|COFFEE|BAKING|TRAY",
    "stationery": "CARD|PAPER|PEN|WRAP|NOTEBOOK|STICKER|RIBBON|TISSUE|BOOK",
    "jewellery": "NECKLACE|BRACELET|EARRING|RING|BROOCH|BEAD",
    "toys": "CHILD|TOY|DOLL|GAME|PUZZLE|JIGSAW|SKIPPING|PLAY|SOLDIER",
    "light": "LIGHT|CANDLE|LANTERN|LAMP|HOLDER",
    "decoration": "HEART|FRAME|SIGN|CLOCK|MIRROR|HOOK|DRAWER|CUSHION|WALL|VINTAGE",
}
CHANNELS = ("search", "social", "email", "store", "app")
INTERESTS = 2  # categories that a person cares for
HAZARD_SHAPE = 1.5  # of the gamma behind churn hazards: most stay long, some leave at once
HAZARD_DAYS = 400.0  # days a person stays on average
GONE_DAYS = 180  # days of silence after which a customer of the ledger counts as gone
ZEAL_SHAPE = 0.8  # of the gamma behind activity: few people do most
OPENED = np.datetime64("2009-12-01", "s")  # the ledger begins
CLOSED = (LAST_DAY + 1).astype("datetime64[s]")  # the first second after it
DAY = 86_400  # seconds


@dataclass(frozen=True)
class Personas:
    """One entry per person, in order of `Population.people`."""

    interests: Column  # positions in CATEGORIES, one column per interest
    price_sensitivity: Column  # 0 to 1
    churn_hazard: Column  # per day
    channel: Column  # position in CHANNELS
    zeal: Column  # activity against an average of 1
    joined_at: Column
    left_at: Column

    def days_within(self, since: np.datetime64) -> Column:
        """The days from `since` to the last day on which each person is a customer."""
        start = np.maximum(self.joined_at, since.astype("datetime64[s]"))
        end = np.minimum(self.left_at, CLOSED)
        return np.asarray(np.maximum((end - start).astype(int), 0) / DAY)


@dataclass(frozen=True)
class Shelf:
    """The products, ordered by category and then by price."""

    table: pa.Table  # stock_code, description, price
    category: Column
    start: Column  # where each category begins
    size: Column


@dataclass(frozen=True)
class Market:
    """Who buys and why, and what there is to buy."""

    population: Population
    personas: Personas
    shelf: Shelf


def shelf_of(catalogue: pa.Table) -> Shelf:
    """The catalogue with a category per product, told by the words of its description."""
    category = categories_of(catalogue["description"])
    order = np.lexsort((catalogue["price"].to_numpy(), category))
    edges = np.searchsorted(category[order], np.arange(len(CATEGORIES) + 2))
    table = catalogue.take(pa.array(order))
    return Shelf(table, category[order], edges[:-1], np.diff(edges))


def categories_of(descriptions: pa.ChunkedArray) -> Column:
    """The first category whose words occur; the last number for none."""
    found = np.full(len(descriptions), len(CATEGORIES))
    for number, words in reversed(list(enumerate(CATEGORIES.values()))):
        has_word = pc.match_substring_regex(descriptions, rf"\b(?:{words})").to_numpy(
            zero_copy_only=False
        )
        found[has_word] = number
    return found


def drawn_products(
    shelf: Shelf, category: Column, sensitivity: Column, rng: np.random.Generator
) -> Column:
    """A product of each category: the more sensitive to prices, the cheaper."""
    size = shelf.size[category]
    whole = size == 0  # a category without products: anything
    position = rng.random(len(category)) ** (1 + 2 * sensitivity)
    start = np.where(whole, 0, shelf.start[category])
    room = np.where(whole, max(shelf.table.num_rows, 1), size)
    return np.asarray(start + (position * room).astype(int))


def liked_products(
    market: Market, person: Column, share: float, rng: np.random.Generator
) -> Column:
    """A product for each person: of an interest in this share of cases, else of any category."""
    personas, shelf = market.personas, market.shelf
    chosen = personas.interests[person, rng.integers(0, INTERESTS, len(person))]
    anything = shelf.category[rng.integers(0, max(shelf.table.num_rows, 1), len(person))]
    category = np.where(rng.random(len(person)) < share, chosen, anything)
    return drawn_products(shelf, category, personas.price_sensitivity[person], rng)


def make_personas(
    population: Population, lines: pa.Table, shelf: Shelf, rng: np.random.Generator
) -> Personas:
    """The persona of every person."""
    size = population.people.num_rows
    person, product, bought_at = ledger_facts(population, lines, shelf)
    kinds = len(CATEGORIES) + 1
    bought = np.bincount(person * kinds + shelf.category[product], minlength=size * kinds)
    liking = bought.reshape(size, kinds)[:, :-1] + rng.random((size, kinds - 1))
    joined, last, is_real = times_of(population, person, bought_at, rng)
    hazard = hazards(joined, last, is_real, rng)
    stays = rng.exponential(1 / hazard) * DAY
    return Personas(
        interests=np.argsort(-liking, axis=1)[:, :INTERESTS].astype(np.int8),
        price_sensitivity=sensitivities(person, product, shelf, size, rng),
        churn_hazard=hazard,
        channel=rng.integers(0, len(CHANNELS), size).astype(np.int8),
        zeal=rng.gamma(ZEAL_SHAPE, 1 / ZEAL_SHAPE, size),
        joined_at=joined,
        left_at=last + stays.astype("timedelta64[s]"),
    )


def ledger_facts(
    population: Population, lines: pa.Table, shelf: Shelf
) -> tuple[Column, Column, Column]:
    """Person, product and time of each ledger line of a known customer and a known product."""
    product = positions_in(shelf.table["stock_code"], lines["stock_code"])
    person = people_of(population, lines["customer_id"])
    is_sale = (product >= 0) & (person >= 0) & (lines["quantity"].to_numpy() > 0)
    times = lines["invoice_date"].to_numpy().astype("datetime64[s]")
    return person[is_sale], product[is_sale], times[is_sale]


def positions_in(values: pa.ChunkedArray | pa.Array, wanted: pa.ChunkedArray) -> Column:
    """Where each wanted value stands, -1 for nowhere."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    found = pc.index_in(wanted, value_set=values)
    return np.asarray(pc.fill_null(found, -1).to_numpy())


def people_of(population: Population, user_ids: pa.ChunkedArray) -> Column:
    """The person of each user id, -1 for none."""
    accounts = population.accounts
    account = positions_in(accounts["user_id"], user_ids)
    person = np.append(accounts["person"].to_numpy(), -1)
    return np.asarray(person[account].astype(int))


def times_of(
    population: Population, person: Column, bought_at: Column, rng: np.random.Generator
) -> tuple[Column, Column, Column]:
    """When each person joined and was last surely there, and whether the ledger says so."""
    size = population.people.num_rows
    span = int((CLOSED - OPENED).astype(int))
    joined = OPENED + rng.integers(0, span, size).astype("timedelta64[s]")
    opened = population.accounts["opened_at"].to_numpy().astype("datetime64[s]")
    owner = population.accounts["person"].to_numpy()
    joined[owner[::-1]] = opened[::-1]  # the first account counts
    last = joined.copy()
    is_real = np.bincount(person, minlength=size)[:size] > 0
    first = np.full(size, CLOSED)
    np.minimum.at(first, person, bought_at)
    np.maximum.at(last, person, bought_at)
    return np.where(is_real, np.minimum(first, joined), joined), last, is_real


def hazards(joined: Column, last: Column, is_real: Column, rng: np.random.Generator) -> Column:
    """Churn hazards: drawn from a gamma, or its posterior mean given the ledger."""
    prior_days = HAZARD_SHAPE * HAZARD_DAYS
    drawn = rng.gamma(HAZARD_SHAPE, 1 / prior_days, len(joined)) + 1 / (20 * HAZARD_DAYS)
    days = (last - joined).astype(int) / DAY
    is_gone = (CLOSED - last).astype(int) > GONE_DAYS * DAY
    return np.where(is_real, (HAZARD_SHAPE + is_gone) / (prior_days + days), drawn)


def sensitivities(
    person: Column, product: Column, shelf: Shelf, size: int, rng: np.random.Generator
) -> Column:
    """One minus how far up the price list of its category a customer buys; drawn without sales."""
    rank = np.arange(len(shelf.category)) - shelf.start[shelf.category]
    share = (rank + 0.5) / shelf.size[shelf.category]
    count = np.bincount(person, minlength=size)[:size]
    total = np.bincount(person, weights=share[product], minlength=size)[:size]
    drawn = rng.beta(2, 2, size)
    return np.where(count > 0, 1 - total / np.maximum(count, 1), drawn)


def personas_table(personas: Personas, person_id: pa.Array) -> pa.Table:
    """One row per person: the persona in words, as the truth keeps it."""
    names = pa.array(list(CATEGORIES))
    flat = names.take(pa.array(personas.interests.ravel().astype(np.int32)))
    offsets = np.arange(len(person_id) + 1, dtype=np.int32) * INTERESTS
    channels = pa.array(CHANNELS).take(pa.array(personas.channel.astype(np.int32)))
    return pa.table(
        {
            "person_id": person_id,
            "interests": pa.ListArray.from_arrays(pa.array(offsets), flat),
            "price_sensitivity": personas.price_sensitivity,
            "churn_hazard": personas.churn_hazard,
            "channel_affinity": channels,
        }
    )
