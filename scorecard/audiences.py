"""Each audience against the one that its own definition gives on the truth.

The definitions are written here a second time, over persons instead of customers: true orders, true
decisions, and of events their true time and person. Only which product an event or a line is about,
and what a currency is worth, comes from the platform. A customer stands for the person most of
their records are. A receipt for which no card was shown is nobody's, here as there.
"""

from collections.abc import Iterator

from scorecard.rows import Row, not_built, share
from warehouse import Session

AREA = "audiences"
MEMBERS = "audiences.audience_members"
# One row per person who agreed, in their last decision, to marketing e-mail and has an address.
AGREED = """
with ranked as (
    select
        person_id, is_granted,
        row_number() over (
            partition by person_id order by decided_at desc nulls last, is_granted asc
        ) as recency
    from truth_consents
    where purpose = 'marketing' and channel = 'email'
)
select ranked.person_id
from ranked
inner join truth_people as people on ranked.person_id = people.person_id
where ranked.recency = 1 and ranked.is_granted and people.email is not null
"""
# One row per buyer with the segment that the rules give to their true orders: shares among all
# buyers every Monday, 100 % recent on a day with an order, and of each level the last verdict.
SEGMENTS = """
with bought as (
    select
        person_id, cast(ordered_at as date) as ordered_on,
        (gross_amount - coalesce(refunded_amount, 0)) * coalesce(rate, 1) as net_amount
    from truth_orders as truth
    asof left join rules.exchange_rates as rates
        on truth.currency = rates.currency and truth.ordered_at >= rates.valid_from
    where person_id is not null and is_known and gross_amount > 0
),
weeks as (
    select
        person_id, date_trunc('week', ordered_on) as week, max(ordered_on) as last_order_on,
        count(*) as orders, sum(net_amount) as net_amount
    from bought group by all
),
standing as (
    select
        first.person_id, mondays.week,
        max(last_order_on) over so_far as last_order_on,
        sum(coalesce(orders, 0)) over so_far as orders,
        sum(coalesce(net_amount, 0)) over so_far as net_amount
    from (select person_id, min(week) as week from weeks group by person_id) as first
    inner join (
        select distinct week from weeks, marts.as_of where week + interval 7 day <= as_of.as_of
    ) as mondays on first.week <= mondays.week
    left join weeks on first.person_id = weeks.person_id and mondays.week = weeks.week
    window so_far as (partition by first.person_id order by mondays.week)
),
shares as (
    select
        person_id, cast(week + interval 7 day as date) as read_on,
        100 * cume_dist() over (partition by week order by last_order_on) as recency,
        25 * (
            2 + cume_dist() over (partition by week order by orders)
            - cume_dist() over (partition by week order by orders desc)
            + cume_dist() over (partition by week order by net_amount)
            - cume_dist() over (partition by week order by net_amount desc)
        ) as worth
    from standing
),
readings as (
    select person_id, 'recency' as dimension, read_on, round(recency, 6) as share from shares
    union all
    select person_id, 'value' as dimension, read_on, round(worth, 6) as share from shares
    union all
    select distinct person_id, 'recency', ordered_on, 100.0
    from bought
    anti join shares on bought.person_id = shares.person_id and bought.ordered_on = shares.read_on
),
verdicts as (
    select
        person_id, dimension, level,
        arg_max(share >= enter_from, read_on)
            filter (share >= enter_from or share < leave_below) as is_in
    from readings
    inner join rules.segment_levels using (dimension)
    group by all
),
scored as (
    select
        person_id,
        max(level) filter (dimension = 'recency') as recency,
        coalesce(max(level) filter (dimension = 'value'), 1) as worth
    from verdicts
    where is_in
    group by person_id
)
select scored.person_id, rules.segment
from scored
inner join rules.rfm_segments as rules
    on scored.recency between rules.recency_from and rules.recency_to
    and scored.worth between rules.value_from and rules.value_to
"""
WISHES = """
with viewed as (
    select truth.person_id, events.product_id, min(truth.occurred_at) as first_viewed_at
    from truth_events as truth
    inner join marts.fct_events as events on truth.message_id = events.event_id
    cross join marts.as_of
    where events.event_name = 'Product Viewed' and truth.person_id is not null
        and not truth.is_bot and not truth.is_internal
        and cast(truth.occurred_at as date) > as_of.as_of - interval 30 day
    group by truth.person_id, events.product_id
    having count(*) >= 2
),
bought as (
    select truth.person_id, lines.product_id, truth.ordered_at
    from true_orders as truth
    inner join marts.fct_order_lines as lines on truth.mart_order_id = lines.order_id
    where lines.line_class = 'sale' and truth.is_known
)
select distinct viewed.person_id
from viewed
left join bought
    on viewed.person_id = bought.person_id and viewed.product_id = bought.product_id
    and viewed.first_viewed_at <= bought.ordered_at
where bought.person_id is null
"""
DEFINITIONS = {
    "vip": "select person_id from true_segments where segment = 'champions'",
    "at_risk": "select person_id from true_segments where segment in ('at_risk', 'cannot_lose')",
    "browsed_not_bought": WISHES,
}
# One row per customer: the person most of their records are.
OWNERS = """
with counted as (
    select map.customer_id, truth.person_id, count(*) as records
    from identity.identity_map as map
    inner join truth_records as truth on map.record_key = truth.record_key
    where truth.person_id is not null
    group by map.customer_id, truth.person_id
),
ranked as (
    select
        *,
        row_number() over (partition by customer_id order by records desc, person_id) as place
    from counted
)
select customer_id, person_id from ranked where place = 1
"""
COMPARED = """
with should as (
    select candidates.person_id
    from ({definition}) as candidates
    inner join agreed on candidates.person_id = agreed.person_id
),
members as (
    select members.customer_id, owners.person_id
    from audiences.audience_members as members
    left join owners on members.customer_id = owners.customer_id
    where members.audience = ?
)
select
    (select count(*) from members) as members,
    (select count(*) from members where person_id in (select person_id from should)) as is_right,
    (select count(*) from should) as should,
    (select count(*) from should where person_id in (select person_id from members)) as reached
"""


def rows(session: Session) -> Iterator[Row]:
    """Precision and recall of every audience."""
    if not session.exists(MEMBERS):
        yield not_built(AREA, "members", MEMBERS)
        return
    for name, query in {"agreed": AGREED, "true_segments": SEGMENTS, "owners": OWNERS}.items():
        session.register(name, session.read(query))
    for audience, definition in DEFINITIONS.items():
        found = session.read(COMPARED.format(definition=definition), [audience]).to_pylist()[0]
        members = "{is_right:,} of {members:,} members belong in".format(**found)
        reached = "{reached:,} of {should:,} people are in".format(**found)
        precision, recall = found["is_right"], found["reached"]
        yield Row(AREA, f"{audience} precision", share(precision, found["members"]), note=members)
        yield Row(AREA, f"{audience} recall", share(recall, found["should"]), note=reached)
    yield from _undefined(session)


def _undefined(session: Session) -> Iterator[Row]:
    """Audiences that somebody added: they need a definition on the truth."""
    names = session.read(f"select distinct audience from {MEMBERS} order by audience")
    for audience in names.column("audience").to_pylist():
        if audience not in DEFINITIONS:
            yield Row(AREA, audience, None, note="has no definition on the truth yet")
