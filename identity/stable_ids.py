"""Customer ids that survive refreshes.

Which records are one person is decided anew at every refresh, from the evidence alone. Only the
name of the person depends on history, by one election: every id that was given out before goes to
the cluster that holds most of its records; a cluster keeps the oldest id that went to it, and the
others redirect to it for ever; a cluster without an id gets a new one. An id without records
retires, and is revived when they return. An id is never given to somebody else.

identity.customer_ids      one row per id ever given out: active, retired, or merged into another
identity.record_customers  one row per record with its customer, the last ones of retired ids too
identity.identity_events   one row per create, merge, split, retire or revive of an id
"""

from dataclasses import dataclass

import warehouse
from warehouse import Session

LEDGER = """
create table if not exists identity.customer_ids (
    customer_id varchar, number bigint, born_refresh bigint, status varchar, merged_into varchar
);
create table if not exists identity.record_customers (record_key varchar, customer_id varchar);
create table if not exists identity.identity_events (
    refresh bigint, kind varchar, customer_id varchar, other_customer_id varchar, records bigint
)
"""

CLUSTERS = """
create or replace temp table clusters as select * from identity.int_identity__clusters;
create or replace temp table refresh_number as
select coalesce(max(refresh), 0) + 1 as refresh from identity.identity_events
"""

# Each known id elects as its heir the cluster with most of its records; ties by the first record.
HEIRS = """
create or replace temp table heirs as
with votes as (
    select assigned.customer_id, clusters.cluster_key, count(*) as records,
        min(clusters.record_key) as first_record_key
    from identity.record_customers as assigned
    inner join clusters on assigned.record_key = clusters.record_key
    group by assigned.customer_id, clusters.cluster_key
),
ranked as (
    select *, row_number() over (
        partition by customer_id order by records desc, first_record_key
    ) as place
    from votes
)
select customer_id, cluster_key, records from ranked where place = 1
"""

# The oldest id elected by a cluster names it; clusters that no id elected get new numbers.
NAMES = """
create or replace temp table names as
with candidates as (
    select heirs.cluster_key, ids.customer_id, row_number() over (
        partition by heirs.cluster_key order by ids.number
    ) as place
    from heirs
    inner join identity.customer_ids as ids on heirs.customer_id = ids.customer_id
),
elected as (select cluster_key, customer_id from candidates where place = 1),
nameless as (
    select clusters.cluster_key,
        row_number() over (order by clusters.cluster_key)
        + (select coalesce(max(number), 0) from identity.customer_ids) as number
    from clusters
    left join elected on clusters.cluster_key = elected.cluster_key
    where elected.cluster_key is null
    group by clusters.cluster_key
)
select cluster_key, customer_id, cast(null as bigint) as number from elected
union all
select cluster_key, 'cus_' || lpad(cast(number as varchar), 8, '0'), number from nameless
"""

CHANGES = """
create or replace temp table changes as
with assignments as (
    select clusters.record_key, names.customer_id, names.number,
        assigned.customer_id as old_customer_id
    from clusters
    inner join names on clusters.cluster_key = names.cluster_key
    left join identity.record_customers as assigned on clusters.record_key = assigned.record_key
),
losers as (
    select heirs.customer_id, names.customer_id as other_customer_id, heirs.records
    from heirs
    inner join names on heirs.cluster_key = names.cluster_key
    where heirs.customer_id <> names.customer_id
)
select case when max(old_customer_id) is null then 'create' else 'split' end as kind,
    customer_id, max(old_customer_id) as other_customer_id, count(*) as records
from assignments where number is not null group by customer_id
union all
select 'merge', customer_id, other_customer_id, records from losers
union all
select 'revive', ids.customer_id, null, heirs.records
from identity.customer_ids as ids
inner join names on ids.customer_id = names.customer_id
inner join heirs on ids.customer_id = heirs.customer_id
where ids.status <> 'active'
union all
select 'retire', ids.customer_id, null, 0
from identity.customer_ids as ids
left join heirs on ids.customer_id = heirs.customer_id
where ids.status = 'active' and heirs.customer_id is null
"""

# Who left a customer that lives on is forgotten: else a merged id could come back by old records,
# and records that return could take the id from those that stayed.
WRITE = """
insert into identity.customer_ids
select customer_id, number, (select refresh from refresh_number), 'active', null
from names where number is not null order by number;
update identity.customer_ids as ids set status = 'merged', merged_into = changes.other_customer_id
from changes where changes.kind = 'merge' and changes.customer_id = ids.customer_id;
update identity.customer_ids as ids set status = 'active', merged_into = null
from changes where changes.kind = 'revive' and changes.customer_id = ids.customer_id;
update identity.customer_ids as ids set status = 'retired'
from changes where changes.kind = 'retire' and changes.customer_id = ids.customer_id;
update identity.customer_ids as ids set merged_into = next.merged_into
from identity.customer_ids as next
where ids.merged_into = next.customer_id and next.status = 'merged';
create or replace temp table assignments as
select clusters.record_key, names.customer_id
from clusters
inner join names on clusters.cluster_key = names.cluster_key;
delete from identity.record_customers
where record_key in (select record_key from assignments)
    or customer_id in (select customer_id from identity.customer_ids where status <> 'retired');
insert into identity.record_customers
select record_key, customer_id from assignments order by record_key;
insert into identity.identity_events
select (select refresh from refresh_number), kind, customer_id, other_customer_id, records
from changes order by kind, customer_id
"""


@dataclass(frozen=True)
class RefreshReport:
    """What one identity refresh did, in customers."""

    customers: int
    records: int
    created: int
    merged: int
    split: int


def refresh() -> RefreshReport:
    """Assign every record to a customer, in one transaction; nothing new changes nothing."""
    with warehouse.transaction() as session:
        return refresh_in(session)


def refresh_in(session: Session) -> RefreshReport:
    """The same within a transaction of the caller."""
    for step in (LEDGER, CLUSTERS, HEIRS, NAMES, CHANGES, WRITE):
        _run(session, step)
    return _report(session)


def _run(session: Session, statements: str) -> None:
    for statement in statements.split(";\n"):
        session.execute(statement)


def _report(session: Session) -> RefreshReport:
    row = session.read(
        "select count(*) filter (kind = 'create') as created,"
        " count(*) filter (kind = 'merge') as merged, count(*) filter (kind = 'split') as split,"
        " (select count(*) from assignments) as records,"
        " (select count(distinct customer_id) from assignments) as customers from changes"
    )
    return RefreshReport(**row.to_pylist()[0])
