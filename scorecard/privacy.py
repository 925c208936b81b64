"""Consent and erasure against the truth.

A person counts as erased when one of their records is on the suppression list. What must be gone is
what the erasure knew: records that identity had not found to be theirs are told apart.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.suppression import suppressed, tombstones
from privacy.scan import scan
from scorecard.rows import Row, not_built
from scorecard.truth import NoTruthError
from warehouse import Catalog, Session

AREA = "privacy"
TRACES, LEFT = "traces after an erase", "records of erased people left"
MOST_PLACES = 3  # files named in a note
DELIVERIES = "activation.deliveries"
# How the key of a record is called on the suppression list.
KINDS = {
    "shop:account": "user_id",
    "web:user": "user_id",
    "crm:contact": "contact_id",
    "pos:card": "loyalty_number",
    "web:visitor": "anonymous_id",
    "shop:order": "order_id",
    "email:profile": "profile_id",
    "support:user": "support_user_id",
    "social:profile": "social_handle",
}
ERASED = pa.schema(
    [(name, pa.string()) for name in ("person_id", "record_key", "kind", "source_key")]
)
SCANNED = ("pos:card", "web:visitor")  # keys too long to occur by chance
UNCOVERED = """
with ranked as (
    select
        person_id, purpose, channel, is_granted,
        row_number() over (
            partition by person_id, purpose, channel
            order by decided_at desc nulls last, is_granted asc
        ) as recency
    from truth_consents
),
sent as (
    select
        audience, customer_id, operation,
        row_number() over (
            partition by audience, destination, customer_id order by sequence desc
        ) as recency
    from activation.deliveries
    where state = 'delivered'
),
held as (
    select sent.customer_id, owners.person_id, terms.purpose, terms.channel
    from sent
    inner join audience_terms as terms on sent.audience = terms.audience
    inner join owners on sent.customer_id = owners.customer_id
    where sent.recency = 1 and sent.operation <> 'remove'
)
select
    count(*) as held,
    count(*) filter (where ranked.person_id is null) as uncovered,
    count(*) filter (where ranked.person_id is null
        and held.customer_id in (select customer_id from right_customers)) as inexcusable
from held
left join ranked
    on held.person_id = ranked.person_id and held.purpose = ranked.purpose
    and held.channel = ranked.channel and ranked.recency = 1 and ranked.is_granted
"""
# One row per customer that is exactly one person.
RIGHT_CUSTOMERS = """
with cells as (
    select customer_id, person_id, count(*) as records
    from scored_records group by customer_id, person_id
)
select customer_id
from cells
qualify count(*) over (partition by customer_id) = 1 and count(*) over (partition by person_id) = 1
"""
# Records of erased people that nobody knew to be theirs.
UNKNOWN = """
select count(*) as records
from identity.identity_map as map
inner join truth_records as truth on map.record_key = truth.record_key
where truth.person_id in (select person_id from erased_records)
"""


@dataclass(frozen=True)
class Erased:
    """The people who were erased, what must be gone, and records nobody knew to be theirs."""

    people: int
    unknown: int
    values: tuple[str, ...]


def rows(session: Session, catalog: Catalog) -> Iterator[Row]:
    """Who is held at a destination without having agreed."""
    if not session.exists(DELIVERIES):
        yield not_built(AREA, "delivered without consent", DELIVERIES)
        return
    session.register("audience_terms", _terms(catalog))
    session.register("right_customers", session.read(RIGHT_CUSTOMERS))
    found = session.read(UNCOVERED).to_pylist()[0]
    note = f"of {found['held']:,} people held at destinations"
    yield Row(AREA, "delivered without consent", found["uncovered"], "count", note)
    yield Row(
        AREA,
        "same, of a right customer",
        found["inexcusable"],
        "count",
        "whose customer is exactly one person",
        must_be_zero=True,
    )


def someone(session: Session, chance: random.Random) -> str:
    """The customer of a random person whom a record with a name or number knows."""
    customers = session.read(
        "select distinct map.customer_id from identity.identity_map as map"
        " inner join truth_records as truth on map.record_key = truth.record_key"
        " where map.record_key not like 'web:visitor:%' order by all"
    ).column("customer_id")
    if not len(customers):
        raise NoTruthError("Nobody is known here by name: there is no one to erase.")
    return str(customers[chance.randrange(len(customers))])


def erasure_facts(session: Session) -> Erased:
    """Who was erased, and what must be gone since."""
    people = session.read("select distinct person_id from erased_records").num_rows
    left = session.number(UNKNOWN)
    return Erased(people, left, tuple(_known_values(session)))


def erasure_rows(erased: Erased) -> list[Row]:
    """Where an erased person is still written. Call it with the warehouse closed."""
    if not erased.people:
        note = "nobody was erased here: `cdp score --erase` rehearses it"
        return [Row(AREA, TRACES, None, note=note)]
    hits = scan(erased.values)
    places = ", ".join(sorted({hit.path for hit in hits})[:MOST_PLACES])
    note = f"of {erased.people:,} people erased" + (f"; in {places}" if places else "")
    unknown = "that identity did not know to be theirs"
    return [
        Row(AREA, TRACES, len(hits), "count", note, must_be_zero=True),
        Row(AREA, LEFT, erased.unknown, "count", unknown),
    ]


def erased_records(session: Session) -> pa.Table:
    """The records of the truth that are on the suppression list, with the person and the key."""
    if not suppressed().num_rows:
        return ERASED.empty_table()
    return pa.concat_tables(_erased_of(session, kind, name) for kind, name in KINDS.items())


def _known_values(session: Session) -> list[str]:
    """Values long enough to be looked for that were on the list when the person was erased."""
    kinds = ", ".join(f"'{kind}'" for kind in SCANNED)
    keys = session.read(f"select source_key from erased_records where kind in ({kinds})")
    people = session.read(
        "select email, phone from truth_people"
        " where person_id in (select person_id from erased_records)"
    )
    values = set(keys.column("source_key").to_pylist())
    for field in ("email", "phone"):
        column = people.column(field).drop_null()
        is_known = pc.is_in(tombstones(field, column), suppressed().column("tombstone"))
        values |= set(pc.utf8_lower(column.filter(is_known)).to_pylist())
    return sorted(values)


def _erased_of(session: Session, kind: str, name: str) -> pa.Table:
    start = len(kind) + 2
    keys = session.read(
        f"select person_id, record_key, '{kind}' as kind, record_key[{start}:] as source_key"
        f" from truth_records where person_id is not null and starts_with(record_key, '{kind}:')"
    )
    hashes = tombstones(name, keys.column("source_key"))
    return keys.filter(pc.is_in(hashes, suppressed().column("tombstone")))


def _terms(catalog: Catalog) -> pa.Table:
    audiences = [model for model in catalog.models.values() if "audience" in model.meta]
    return pa.Table.from_pylist(
        [
            {
                "audience": model.name.removeprefix("aud_"),
                "purpose": model.meta["audience"]["purpose"],
                "channel": model.meta["audience"]["channel"],
            }
            for model in audiences
        ],
        pa.schema([(name, pa.string()) for name in ("audience", "purpose", "channel")]),
    )
