"""What people say to the company: support tickets, and comments and likes on social networks."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.consents import SECOND, between
from simulation.ledger import FIRST_DAY, Column
from simulation.marketing import numbered
from simulation.personas import CHANNELS, CLOSED, DAY, Market
from simulation.population import Known

TICKETS = 0.6  # tickets of a support user in these days, on average
ABOUT_ORDER = 0.5  # of tickets of people with a recent order are about it
SOLVED = 0.85  # of tickets are solved by the last day
RATED = 0.35  # of solved tickets got a satisfaction score
SLOW_DAYS = 6  # a ticket is solved within these days
TICKET_CHANNELS = ("email", "chat", "phone")
SUBJECTS = (
    "Where is my order?",
    "Item arrived broken",
    "I want to return an item",
    "Question about delivery",
    "Wrong item in the parcel",
    "Change my address",
)
PRIORITIES = ("normal", "low", "high", "urgent")
INTERACTIONS = 2.5  # of a social profile in these days, on average
KINDS = ("like", "comment", "share", "mention", "message")
KIND_SHARES = (0.55, 0.20, 0.10, 0.10, 0.05)
TEXTS = (
    "Love this!",
    "When is it back in stock?",
    "Arrived today, so pretty \u2764",
    "Mine came broken :(",
    "Perfect gift for my mum",
)
POSTS = 60  # of the company in these days


def make_tickets(
    users: Known, market: Market, orders: pa.Table, rng: np.random.Generator
) -> pa.Table:
    """One row per ticket; those about an order come after it, by its buyer."""
    user = np.repeat(np.arange(len(users.person)), rng.poisson(TICKETS, len(users.person)))
    created = recent(users.since[user], rng)
    order, created = about(users.person[user], created, orders, rng)
    by_time = np.lexsort((user, created))
    user, created, order = user[by_time], created[by_time], order[by_time]
    solved = created + (rng.random(len(user)) * SLOW_DAYS * DAY).astype("timedelta64[s]")
    is_solved = (rng.random(len(user)) < SOLVED) & (solved < CLOSED)
    rated = is_solved & (rng.random(len(user)) < RATED)
    return pa.table(
        {
            "ticket_id": numbered("tk", len(user)),
            "user_id": users.key.take(pa.array(user)),
            "subject": drawn(SUBJECTS, len(user), rng),
            "channel": drawn(TICKET_CHANNELS, len(user), rng, (0.5, 0.3, 0.2)),
            "status": pa.array(["open", "solved"]).take(pa.array(is_solved.astype(np.int8))),
            "priority": drawn(PRIORITIES, len(user), rng, (0.7, 0.15, 0.12, 0.03)),
            "satisfaction": pa.array(
                scores(market, users.person[user], rng), pa.int64(), mask=~rated
            ),
            "order_id": orders["order_id"].combine_chunks().take(pa.array(order, mask=order < 0)),
            "created_at": pa.array(created, SECOND),
            "solved_at": pa.array(solved, SECOND, mask=~is_solved),
            "updated_at": pa.array(np.where(is_solved, solved, created), SECOND),
        }
    )


def recent(since: Column, rng: np.random.Generator) -> Column:
    """A time in the last days, after each start."""
    return between(
        np.maximum(since.astype("datetime64[s]"), FIRST_DAY.astype("datetime64[s]")), rng
    )


def about(
    person: Column, created: Column, orders: pa.Table, rng: np.random.Generator
) -> tuple[Column, Column]:
    """The order (row) that each ticket is about, or -1, and when the ticket came then."""
    buyer = pc.fill_null(orders["person"], -1).to_numpy()
    at = orders["ordered_at"].to_numpy().astype("datetime64[s]")
    rows = np.flatnonzero((buyer >= 0) & (at >= FIRST_DAY))
    rows = rows[np.argsort(buyer[rows], kind="stable")]
    first = np.searchsorted(buyer[rows], person)
    count = np.searchsorted(buyer[rows], person, side="right") - first
    place = np.minimum(first + (rng.random(len(person)) * count).astype(int), len(rows))
    has = (count > 0) & (rng.random(len(person)) < ABOUT_ORDER)
    order = np.where(has, np.append(rows, -1)[place], -1)
    later = between(np.append(at, CLOSED - 2)[order], rng)
    soon = np.minimum(later, np.append(at, CLOSED)[order] + np.timedelta64(14, "D"))
    return order, np.where(has, soon, created)


def scores(market: Market, person: Column, rng: np.random.Generator) -> Column:
    """Satisfaction from 1 to 5: who is about to leave is less content."""
    leaves = np.append(market.personas.left_at, CLOSED)[person] < CLOSED
    return np.where(leaves, rng.integers(1, 5, len(person)), rng.integers(3, 6, len(person)))


def drawn(
    values: tuple[str, ...],
    size: int,
    rng: np.random.Generator,
    shares: tuple[float, ...] | None = None,
) -> pa.Array:
    """One of the values for each."""
    return pa.array(values).take(pa.array(rng.choice(len(values), size, p=shares)))


def make_interactions(
    profiles: Known, network: pa.Array, market: Market, rng: np.random.Generator
) -> pa.Table:
    """One row per interaction of a social profile (key: its handle) with the company's posts."""
    is_fan = np.append(market.personas.channel, -1)[profiles.person] == CHANNELS.index("social")
    counts = rng.poisson(INTERACTIONS * np.where(is_fan, 2.0, 0.75))
    profile = np.repeat(np.arange(len(counts)), counts)
    at = recent(profiles.since[profile], rng)
    order = np.lexsort((profile, at))
    profile, at = profile[order], at[order]
    kind = drawn(KINDS, len(at), rng, KIND_SHARES)
    speaks = pc.is_in(kind, value_set=pa.array(["comment", "mention", "message"]))
    texts = drawn(TEXTS, len(at), rng)
    post = pa.array(rng.integers(1, POSTS + 1, len(at))).cast(pa.string())
    return pa.table(
        {
            "interaction_id": numbered("in", len(at)),
            "network": network.take(pa.array(profile)),
            "handle": profiles.key.take(pa.array(profile)),
            "kind": kind,
            "post_id": pc.binary_join_element_wise("post-", post, ""),
            "text": pc.if_else(speaks, texts, pa.scalar(None, pa.string())),
            "occurred_at": pa.array(at, SECOND),
            "updated_at": pa.array(at, SECOND),
        }
    )
