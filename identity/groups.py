"""Who is one person: linkage groups of the records that change touches, then clusters in them.

A linkage group is what positive evidence connects. Where all its evidence is positive and no limit
is broken, it is one customer; the others are conflict groups, which `clustering` divides. Only
groups with something new are dirty: no unchanged positive pair leaves them, so resolving them
alone gives what resolving everything would.
"""

import pyarrow as pa

from identity.clustering import DECIDED, cluster
from identity.components import components
from identity.rules import CUT, FORCED, STEPS_PER_BIT, Rules
from warehouse import Session

SEEDS = """
select record_no from stale
union select a from changed_exact_pairs union select b from changed_exact_pairs
union select a from changed_likely_pairs union select b from changed_likely_pairs
union select a from changed_decisions where a is not null
union select b from changed_decisions where b is not null
union select pairs.b from identity.exact_pairs as pairs
inner join changed on pairs.a = changed.record_no
union select pairs.a from identity.exact_pairs as pairs
inner join changed on pairs.b = changed.record_no
union select decided.b from decisions as decided
inner join changed on decided.a = changed.record_no
union select decided.a from decisions as decided
inner join changed on decided.b = changed.record_no
"""
DIRTY = """
with touched_groups as (
    select distinct known.group_no from identity.record_customers as known
    inner join seeds on known.record_no = seeds.record_no
),
members as (
    select known.record_no from identity.record_customers as known
    inner join touched_groups on known.group_no = touched_groups.group_no
    union
    select record_no from seeds
)
select members.record_no from members
inner join incoming on members.record_no = incoming.record_no
"""
EVIDENCE = f"""
select a, b, cast(sum(steps) as bigint) as steps from (
    select pairs.a, pairs.b, types.weight as steps
    from identity.exact_pairs as pairs
    inner join identifier_types as types on pairs.type_no = types.type_no {{dirty}}
    union all
    select pairs.a, pairs.b, cast(round(pairs.weight * {STEPS_PER_BIT}) as bigint) as steps
    from identity.likely_pairs as pairs {{dirty}}
    union all
    select pairs.a, pairs.b,
        case when pairs.kind = 'cut' then {CUT} else {FORCED} end as steps
    from decisions as pairs {{both_dirty}} where pairs.kind in ('link', 'cut')
) as pairs group by a, b
"""
BOTH_DIRTY = """
    inner join dirty as x on pairs.a = x.record_no inner join dirty as y on pairs.b = y.record_no
"""
LIMITED = """
select linkage.component as group_no, state.record_no, state.type_no, state.value_no,
    types.max_values_per_customer
from identity.identifier_state as state
inner join identifier_types as types on state.type_no = types.type_no
inner join linkage on state.record_no = linkage.node
where types.max_values_per_customer is not null
"""
CONFLICTS = """
select x.component as group_no from evidence
inner join linkage as x on evidence.a = x.node
inner join linkage as y on evidence.b = y.node
where evidence.steps <= 0 and x.component = y.component
union
select group_no from limited group by group_no, type_no, max_values_per_customer
having count(distinct value_no) > max_values_per_customer
"""
CONFLICT_PAIRS = """
select evidence.a, evidence.b, evidence.steps from evidence
inner join linkage as x on evidence.a = x.node
inner join linkage as y on evidence.b = y.node
inner join conflicts on x.component = conflicts.group_no
where x.component = y.component
"""
CONFLICT_VALUES = """
select limited.record_no, limited.type_no, limited.value_no from limited
inner join conflicts on limited.group_no = conflicts.group_no
"""
CLUSTERS = """
select dirty.record_no,
    coalesce(linkage.component, dirty.record_no) as group_no,
    coalesce(divided.cluster_no, linkage.component, dirty.record_no) as cluster_no
from dirty
left join linkage on dirty.record_no = linkage.node
left join divided on dirty.record_no = divided.record_no
"""
REJECTED = f"""
delete from identity.rejected_pairs
where a in (select record_no from dirty union all select record_no from gone);
insert into identity.rejected_pairs
select refused.a, refused.b,
    coalesce('limit of ' || types.identifier_type, refused.reason) as reason,
    case when refused.steps < {DECIDED} then refused.steps / cast({STEPS_PER_BIT} as double) end
        as weight
from refused
left join identifier_types as types
    on refused.reason = 'limit ' || cast(types.type_no as string)
"""


def resolve_groups(session: Session, rules: Rules, *, is_full: bool) -> None:
    """Hold `dirty` and its `clusters` (record_no, group_no, cluster_no); keep rejected pairs."""
    if is_full:
        session.hold("dirty", "select record_no from incoming")
    else:
        session.hold("seeds", SEEDS)
        session.hold("dirty", DIRTY)
    dirty = "" if is_full else BOTH_DIRTY
    session.hold("evidence", EVIDENCE.format(dirty=dirty, both_dirty=BOTH_DIRTY))
    session.hold("positive", "select a, b from evidence where steps > 0")
    components(session, "positive", "linkage")
    session.hold("limited", LIMITED)
    session.hold("conflicts", CONFLICTS)
    _divide(session, rules)
    session.hold("clusters", CLUSTERS)
    session.run(REJECTED)


def _divide(session: Session, rules: Rules) -> None:
    """Hold the clusters of the conflict groups as `divided`, and the `refused` pairs."""
    limits = {
        kind.priority: kind.max_values_per_customer
        for kind in sorted(rules.types, key=lambda kind: kind.priority)
        if kind.max_values_per_customer is not None
    }
    divided, refused = cluster(
        _read(session, CONFLICT_PAIRS), _read(session, CONFLICT_VALUES), limits
    )
    session.register("divided", divided)
    session.register("refused", refused)


def _read(session: Session, query: str) -> pa.Table:
    return session.read(query).combine_chunks()
