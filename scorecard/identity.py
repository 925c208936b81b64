"""Identity against the truth: pairs, B-cubed, over-merges and misses by cause, stability of ids.

Scored is every record that is both in the identity map and in the truth and belongs to a person.
Everything is told twice: of the records that carry something to be recognised by, and with the
anonymous browsers, most of which nobody could know.
"""

from collections.abc import Iterator

import pyarrow as pa

from scorecard.partition import agreement
from scorecard.rows import Row, share
from warehouse import Session

SETS = {"identity": "not is_browser", "identity with browsers": "true"}
SCORED = """
select
    map.record_key, map.customer_id, truth.person_id,
    coalesce(truth.dirt, []) as dirt,
    map.record_key like 'web:visitor:%' as is_browser
from identity.identity_map as map
inner join truth_records as truth on map.record_key = truth.record_key
where truth.person_id is not null
"""
# Signs of a cause in the records' dirt.
DEVICE = "['kiosk', 'shared_device', 'changed_hands']"
RECYCLED = "['recycled_phone', 'old_phone']"
MAILBOX = "['shared_email', 'shared_phone', 'placeholder_email', 'placeholder_phone']"
TYPO = """[
    'typo', 'email_typo', 'phone_typo', 'birth_date_swap', 'nickname', 'swapped_name', 'initial',
    'maiden_name', 'placeholder_name'
]"""
MOVE = "['old_address']"
CHANGED = "['old_email', 'second_email', 'old_phone', 'wrong_email']"
OVER_MERGES = (
    "household",
    "shared device",
    "recycled phone",
    "namesake",
    "shared mailbox",
    "other",
)
MISSES = ("typo", "move", "changed contact", "no shared identifier", "other")

# One row per customer and person in it, most records first.
PARTS = f"""
select
    customer_id, person_id, count(*) as records,
    bool_or(list_has_any(dirt, {DEVICE})) or regexp_matches(person_id, '^(kiosk|tablet):')
        as has_device,
    bool_or(list_has_any(dirt, {RECYCLED})) as has_recycled,
    bool_or(list_has_any(dirt, {MAILBOX})) as has_mailbox,
    bool_or(list_has_any(dirt, {TYPO})) as has_typo,
    bool_or(list_has_any(dirt, {MOVE})) as has_move,
    bool_or(list_has_any(dirt, {CHANGED})) as has_changed,
    row_number() over (partition by customer_id order by count(*) desc, person_id) as place_there,
    row_number() over (partition by person_id order by count(*) desc, customer_id) as place_here
from scored
group by customer_id, person_id
"""
# Every person in a customer who is mostly somebody else: the first sign that fits is the cause.
OVER_MERGED = """
select
    case
        when one.household_id = other.household_id then 'household'
        when a.has_device or b.has_device then 'shared device'
        when a.has_recycled or b.has_recycled then 'recycled phone'
        when lower(one.first_name) = lower(other.first_name)
            and lower(one.last_name) = lower(other.last_name) then 'namesake'
        when a.has_mailbox and b.has_mailbox or one.is_business and other.is_business
            then 'shared mailbox'
        else 'other'
    end as cause,
    count(*) as cases
from parts as a
inner join parts as b on a.customer_id = b.customer_id and b.place_there = 1
left join truth_people as one on a.person_id = one.person_id
left join truth_people as other on b.person_id = other.person_id
where a.place_there > 1
group by cause
"""
# Every part of a person that is not with their largest part.
MISSED = """
with apart as (
    select part.*, main.customer_id as main_customer_id
    from parts as part
    inner join parts as main on part.person_id = main.person_id and main.place_here = 1
    where part.place_here > 1
),
shared as (
    select distinct apart.customer_id, apart.main_customer_id
    from apart
    inner join identity.customer_identifiers as a on apart.customer_id = a.customer_id
    inner join identity.customer_identifiers as b
        on apart.main_customer_id = b.customer_id
        and a.identifier_type = b.identifier_type and a.identifier_value = b.identifier_value
)
select
    case
        when has_typo then 'typo'
        when has_move then 'move'
        when has_changed then 'changed contact'
        when shared.customer_id is null then 'no shared identifier'
        else 'other'
    end as cause,
    count(*) as cases
from apart
left join shared using (customer_id, main_customer_id)
group by cause
"""
COVERAGE = """
select
    count(*) filter (where truth.record_key is null) as unknown,
    count(*) filter (where map.record_key is null) as unseen,
    count(*) filter (where map.record_key is not null and truth.record_key is not null
        and truth.person_id is null) as of_nobody
from identity.identity_map as map
full join truth_records as truth on map.record_key = truth.record_key
"""
LAST = "scores.scored_records"
# Records known at both times, as hashes: a key can hold a device or a card.
MOVED = f"""
select count(*) as records, count(*) filter (where now.customer_id <> before.customer_id) as moved
from identity.identity_map as now
inner join {LAST} as before on md5(now.record_key) = before.record_hash
"""
NOW = "select md5(record_key) as record_hash, customer_id from identity.identity_map order by all"


def rows(session: Session) -> Iterator[Row]:
    """Every figure of identity."""
    yield from _coverage(session)
    yield stability(session)
    scored = session.read(SCORED)
    session.register("scored_records", scored)
    for area, condition in SETS.items():
        records = session.read(f"select * from scored_records where {condition}")
        session.register("scored", records)
        session.register("parts", session.read(PARTS))
        yield from agreement_rows(area, records)
        yield from _causes(session, area, "over-merged", OVER_MERGED, OVER_MERGES)
        yield from _causes(session, area, "missed", MISSED, MISSES)


def agreement_rows(area: str, records: pa.Table) -> Iterator[Row]:
    """The measures of records with customer_id and person_id."""
    found = agreement(records.column("customer_id"), records.column("person_id"))
    pairs = f"{found.both:,} right of {found.found:,} found and {found.true:,} true pairs"
    yield Row(area, "records scored", found.records, "count", f"of {found.persons:,} persons")
    yield Row(area, "pairwise precision", found.precision, note=pairs)
    yield Row(area, "pairwise recall", found.recall)
    yield Row(area, "pairwise F1", found.f1)
    yield Row(area, "B-cubed precision", found.b_cubed_precision)
    yield Row(area, "B-cubed recall", found.b_cubed_recall)
    yield Row(area, "B-cubed F1", found.b_cubed_f1)
    right = share(found.persons_right, found.persons)
    yield Row(area, "persons exactly right", right, note=f"{found.persons_right:,} persons")
    yield Row(area, "customers", found.clusters, "count", f"the largest has {found.largest:,}")


def _causes(
    session: Session, area: str, what: str, query: str, causes: tuple[str, ...]
) -> Iterator[Row]:
    cases = {row["cause"]: row["cases"] for row in session.read(query).to_pylist()}
    for cause in causes:
        yield Row(area, f"{what}: {cause}", cases.get(cause, 0), "count")


def _coverage(session: Session) -> Iterator[Row]:
    counts = session.read(COVERAGE).to_pylist()[0]
    yield Row(
        "identity",
        "records not scored",
        sum(counts.values()),
        "count",
        "{unknown:,} not in the truth, {unseen:,} not in the map, {of_nobody:,} of nobody".format(
            **counts
        ),
    )


def stability(session: Session) -> Row:
    """The share of records that have another customer id than at the last score."""
    metric = "records whose id changed"
    if not session.exists(LAST):
        return Row("identity", metric, None, note="known from the second score on")
    found = session.read(MOVED).to_pylist()[0]
    note = f"{found['moved']:,} of {found['records']:,} records known at both scores"
    return Row("identity", metric, share(found["moved"], found["records"]), note=note)


def remember(session: Session) -> None:
    """Keep today's ids for the next score."""
    session.replace(LAST, session.read(NOW))
