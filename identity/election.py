"""Customer ids that survive refreshes: who is called what, by one election.

Which records are one person is decided by the evidence alone; only the name depends on history.

1. Every id in use elects as its heir the cluster with most of its evidence (the trust of its
   records' sources); ties go to the cluster of its smallest record number.
2. A cluster takes the oldest id that elected it; the others are merged and redirect to it.
3. A cluster that none elected revives an id that is out of use, if it holds most of the records
   that were first given that id: so a merge that is taken back gives both ids back. Otherwise it
   gets a new number.
4. An id whose records are all gone is retired. Redirects are one hop, always to an id in use.
"""

from warehouse import Session

ELECTION = """
create or replace temp table old as
select known.* from identity.record_customers as known
inner join (select record_no from dirty union all select record_no from gone) as dirty
    on known.record_no = dirty.record_no;
create or replace temp table heirs as
with votes as (
    select old.customer_id, clusters.cluster_no, sum(old.trust) as trust,
        min(old.record_no) as first_record
    from old inner join clusters on old.record_no = clusters.record_no
    group by old.customer_id, clusters.cluster_no
),
ranked as (
    select *, row_number() over (
        partition by customer_id order by trust desc, first_record
    ) as place
    from votes
)
select customer_id, cluster_no from ranked where place = 1;
create or replace temp table winners as
with ranked as (
    select heirs.cluster_no, heirs.customer_id, row_number() over (
        partition by heirs.cluster_no order by ids.number
    ) as place
    from heirs inner join identity.customer_ids as ids on heirs.customer_id = ids.customer_id
)
select cluster_no, customer_id from ranked where place = 1;
create or replace temp table nameless as
select clusters.cluster_no, min(incoming.record_key) as first_record_key
from clusters
inner join incoming on clusters.record_no = incoming.record_no
left join winners on clusters.cluster_no = winners.cluster_no
where winners.cluster_no is null
group by clusters.cluster_no;
create or replace temp table revived as
with homes as (
    select clusters.cluster_no, old.home_customer_id as customer_id, count(*) as records
    from old
    inner join clusters on old.record_no = clusters.record_no
    inner join nameless on clusters.cluster_no = nameless.cluster_no
    group by clusters.cluster_no, old.home_customer_id
),
out_of_use as (
    select homes.*, ids.number from homes
    inner join identity.customer_ids as ids on homes.customer_id = ids.customer_id
    left join heirs on homes.customer_id = heirs.customer_id
    where ids.status <> 'active' and heirs.customer_id is null
),
born as (
    select known.home_customer_id as customer_id, count(*) as records
    from identity.record_customers as known
    where known.home_customer_id in (select customer_id from out_of_use)
    group by known.home_customer_id
),
ranked as (
    select out_of_use.cluster_no, out_of_use.customer_id, row_number() over (
        partition by out_of_use.cluster_no order by out_of_use.records desc, out_of_use.number
    ) as place
    from out_of_use inner join born on out_of_use.customer_id = born.customer_id
    where 2 * out_of_use.records > born.records
)
select cluster_no, customer_id from ranked where place = 1;
create or replace temp table minted as
with numbered as (
    select nameless.cluster_no,
        row_number() over (order by nameless.first_record_key)
        + (select coalesce(max(number), 0) from identity.customer_ids) as number
    from nameless left join revived on nameless.cluster_no = revived.cluster_no
    where revived.cluster_no is null
),
written as (select *, cast(number as string) as digits from numbered)
select cluster_no, number,
    'cus_' || lpad(digits, cast(greatest(8, length(digits)) as int), '0') as customer_id
from written;
create or replace temp table names as
select cluster_no, customer_id from winners
union all
select cluster_no, customer_id from revived
union all
select cluster_no, customer_id from minted;
create or replace temp table assignments as
select clusters.record_no, clusters.group_no, clusters.cluster_no, names.customer_id,
    old.customer_id as old_customer_id,
    coalesce(old.home_customer_id, names.customer_id) as home_customer_id
from clusters
inner join names on clusters.cluster_no = names.cluster_no
left join old on clusters.record_no = old.record_no
"""

EVENTS = """
create or replace temp table sizes as
select cluster_no, min(customer_id) as customer_id, min(old_customer_id) as old_customer_id,
    count(*) as records
from assignments group by cluster_no;
create or replace temp table events as
select case when sizes.old_customer_id is null then 'create' else 'split' end as kind,
    sizes.customer_id, sizes.old_customer_id as other_customer_id, sizes.records,
    cast(null as string) as cause
from minted inner join sizes on minted.cluster_no = sizes.cluster_no
union all
select 'revive', revived.customer_id, sizes.old_customer_id, sizes.records, null
from revived inner join sizes on revived.cluster_no = sizes.cluster_no
union all
select 'merge', heirs.customer_id, winners.customer_id, sizes.records, null
from heirs
inner join winners on heirs.cluster_no = winners.cluster_no
inner join sizes on heirs.cluster_no = sizes.cluster_no
where heirs.customer_id <> winners.customer_id
union all
select 'retire', customer_id, null, 0, null from (
    select old.customer_id from old
    left join heirs on old.customer_id = heirs.customer_id
    where heirs.customer_id is null group by old.customer_id
) as orphans
union all
select 'cut', x.customer_id, y.customer_id, 2, decided.override_id
from changed_decisions as decided
inner join assignments as x on decided.a = x.record_no
inner join assignments as y on decided.b = y.record_no
where decided.is_cut
"""

# A redirect to an id that has merged further, or retired, follows it.
WRITE = """
create or replace temp table statuses as select customer_id, status, merged_into
from identity.customer_ids;
insert into identity.customer_ids
select customer_id, number, {refresh}, 'active', null, '{version}'
from minted order by number;
update identity.customer_ids as ids
set status = 'merged', merged_into = events.other_customer_id, rules_version = '{version}'
from events where events.kind = 'merge' and events.customer_id = ids.customer_id;
update identity.customer_ids as ids
set status = 'active', merged_into = null, rules_version = '{version}'
from events where events.kind = 'revive' and events.customer_id = ids.customer_id;
update identity.customer_ids as ids
set status = 'retired', merged_into = null, rules_version = '{version}'
from events where events.kind = 'retire' and events.customer_id = ids.customer_id;
update identity.customer_ids as ids
set status = next.status, merged_into = next.merged_into, rules_version = '{version}'
from (
    select customer_id, status, merged_into from identity.customer_ids where status <> 'active'
) as next
where ids.merged_into = next.customer_id;
insert into identity.customer_id_statuses
select ids.customer_id, ids.status, ids.merged_into, {refresh}, cast('{now}' as timestamp)
from identity.customer_ids as ids
left join statuses on ids.customer_id = statuses.customer_id
where statuses.customer_id is null or statuses.status <> ids.status
    or statuses.merged_into is distinct from ids.merged_into
order by ids.number;
insert into identity.customer_id_events
select {refresh}, kind, customer_id, other_customer_id, records, cause, '{version}',
    cast('{now}' as timestamp)
from events order by kind, customer_id, other_customer_id, cause
"""

# The strongest pair that ties a record to the rest of its customer says how sure its place is.
RECORDS = """
create or replace temp table ties as
with tied as (
    select evidence.a, evidence.b, evidence.steps from evidence
    left join divided as x on evidence.a = x.record_no
    left join divided as y on evidence.b = y.record_no
    where evidence.steps > 0 and x.cluster_no is not distinct from y.cluster_no
)
select record_no, max(steps) / {steps_per_bit} as link_weight from (
    select a as record_no, steps from tied
    union all
    select b as record_no, steps from tied
) as pairs
group by record_no;
delete from identity.record_customers
where record_no in (select record_no from dirty union all select record_no from gone);
insert into identity.record_customers
select incoming.record_key, assignments.record_no, assignments.customer_id,
    assignments.home_customer_id, assignments.group_no, incoming.trust, ties.link_weight,
    '{version}', {refresh}, incoming.content
from assignments
inner join incoming on assignments.record_no = incoming.record_no
left join ties on assignments.record_no = ties.record_no
"""


def elect(session: Session) -> None:
    """Hold the `assignments` of all dirty records and the `events` that lead to them."""
    session.run(ELECTION)
    session.run(EVENTS)
