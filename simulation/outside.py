"""What others sell or share about people: a partner's members and a DMP's segments.

Both name people by hashed e-mail alone. A revision of the partner's data has expired by the last
day; segments expire too.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.ledger import LAST_DAY, Column
from simulation.personas import CATEGORIES, CHANNELS, Market
from warehouse import reading

MEMBERS = 0.20  # of people are members of the partner
STAYS = 0.85  # of members are in the next revision too
GIVES_CARD = 0.30  # of members with a loyalty card told the partner its number
INCOMES = ("below 20k", "20k to 40k", "40k to 60k", "above 60k")
OWNS_HOME = 0.55  # of members
SEGMENTED = 0.01  # of people are in one day's drop of the DMP
UNKNOWN = 0.5  # rows of the DMP about people whom nobody here knows, per row about one
DROP_DAYS = 45  # drops of the DMP before the last day: more than its retention
KEPT_DAYS = 30  # a segment expires after these days
SEGMENTS = ("in_market_gifts", "home_owner", "new_parent", "heavy_online_shopper", "traveller")


@dataclass(frozen=True)
class Revision:
    """One revision of the partner's data: what its manifest says, and its members."""

    number: int
    valid_from: np.datetime64
    expires_on: np.datetime64
    members: pa.Table

    def manifest(self) -> dict[str, str]:
        """The manifest as the partner writes it."""
        return {
            "provider": "Example Loyalty Alliance",
            "licence": "Contract EX-2011, internal use only",
            "purpose": "marketing",
            "revision": str(self.number),
            "valid_from": str(self.valid_from),
            "expires_on": str(self.expires_on),
        }


def hashed(emails: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The SHA-256 of each e-mail in lower case, as hexadecimal text."""
    rows = pa.table({"place": np.arange(len(emails)), "email": emails})
    query = "select sha256(lower(trim(email))) as hash from emails order by place"
    with reading(emails=rows) as session:
        return session.read(query)["hash"].combine_chunks()


def make_revisions(market: Market, rng: np.random.Generator) -> list[Revision]:
    """The partner's revisions: one that has expired, and one that has not."""
    size = market.population.people.num_rows
    number = rng.permutation(size)
    first = np.flatnonzero(rng.random(size) < MEMBERS)
    joins = np.flatnonzero(rng.random(size) < MEMBERS * (1 - STAYS))
    second = np.union1d(first[rng.random(len(first)) < STAYS], joins)
    dates = (
        (LAST_DAY - 200, LAST_DAY - 20, first),
        (LAST_DAY - 60, LAST_DAY + 120, second),
    )
    return [
        Revision(place, begins, ends, members_of(market, who, number[who], begins, rng))
        for place, (begins, ends, who) in enumerate(dates, start=1)
    ]


def members_of(
    market: Market, person: Column, number: Column, as_of: np.datetime64, rng: np.random.Generator
) -> pa.Table:
    """One row per member of a revision."""
    size = len(person)
    names = pa.array(list(CATEGORIES))
    interest = names.take(pa.array(market.personas.interests[person, 0].astype(np.int32)))
    poor = np.clip((1 - market.personas.price_sensitivity[person]) * 4, 0, 3).astype(int)
    return pa.table(
        {
            "partner_member_id": padded("M", number),
            "email_sha256": hashed(market.population.people["email"].take(pa.array(person))),
            "loyalty_number": cards_told(market, person, rng),
            "household_income_band": pa.array(INCOMES).take(pa.array(poor)),
            "interests": interest,
            "home_owner": pa.array(rng.random(size) < OWNS_HOME),
            "as_of": pa.array(np.full(size, as_of), pa.date32()),
        }
    )


def padded(prefix: str, number: Column) -> pa.Array:
    """Ids of nine digits."""
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), 9, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def cards_told(market: Market, person: Column, rng: np.random.Generator) -> pa.Array:
    """The loyalty number of those who told it, null for others."""
    cards = market.population.cards
    row = np.full(market.population.people.num_rows, -1)
    row[cards["person"].to_numpy()[::-1]] = np.arange(cards.num_rows)[::-1]
    tells = (row[person] >= 0) & (rng.random(len(person)) < GIVES_CARD)
    return cards["loyalty_number"].combine_chunks().take(pa.array(row[person], mask=~tells))


def make_segments(market: Market, rng: np.random.Generator) -> pa.Table:
    """One row per person, segment and day of a drop, in order of `collected_on`."""
    people = market.population.people
    known = round(people.num_rows * SEGMENTED)
    strangers = round(known * UNKNOWN)
    day = np.repeat(LAST_DAY - DROP_DAYS + 1 + np.arange(DROP_DAYS), known + strangers)
    size = len(day)
    person = rng.integers(0, max(people.num_rows, 1), size)
    is_known = np.arange(size) % max(known + strangers, 1) < known
    emails = people["email"].take(pa.array(person, mask=~is_known))
    likes_web = np.append(market.personas.channel, 0)[person] == CHANNELS.index("search")
    segment = np.where(likes_web & is_known, 3, rng.integers(0, len(SEGMENTS), size))
    return pa.table(
        {
            "dmp_id": padded("dmp-", rng.integers(0, 10**9, size)),
            "email_sha256": unknown_hashes(hashed(emails), rng),
            "segment": pa.array(SEGMENTS).take(pa.array(segment)),
            "score": np.round(rng.beta(3, 2, size), 3),
            "collected_on": pa.array(day, pa.date32()),
            "expires_on": pa.array(day + KEPT_DAYS, pa.date32()),
        }
    )


def unknown_hashes(known: pa.Array, rng: np.random.Generator) -> pa.Array:
    """The hashes, where missing one that belongs to nobody."""
    number = pa.array(rng.integers(0, 10**12, len(known))).cast(pa.string())
    return pc.coalesce(known, hashed(pc.binary_join_element_wise("nobody", number, "-")))
