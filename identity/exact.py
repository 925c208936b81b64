"""Exact links: pairs of records that share a value of an identifier, under the guards of its type.

- A value that too many people share (surnames, e-mails, names, records) links nobody.
- A guarded value, such as a mailbox, links only records whose names agree. Records without a name
  go with the name that carries most of the value, if that is at least UNNAMED_SHARE of the named.
- A silence longer than the recycling period ends what a value says about records without a name;
  one longer than the window ends what it says about any.
"""

from identity.components import components
from identity.likely import names_agree, prepare
from warehouse import Session, function, key_number

UNNAMED_SHARE = 0.7  # of the named records; below that a nameless record could be anybody's
PAIRED = 20  # records; a larger group is linked as a star around its smallest record number

SILENCE = function("days", "seen_before", "first_seen_at")
NAMES = {"first_name": "given_name", "last_name": "family_name", "email": "email"}
NAMED = f"""
with named as (select *, {key_number("record_key")} as record_no from {{records}})
select named.record_no, named.first_name, named.last_name, named.email from named
"""
SHARED = f"""
with counted as (
    select state.type_no, state.value_no, count(*) as records,
        {function("days", "min(state.last_seen_at)", "max(state.first_seen_at)")} as silence
    from identity.identifier_state as state {{touched}}
    group by state.type_no, state.value_no having count(*) > 1
)
select counted.type_no, counted.value_no, counted.records, types.is_guarded,
    counted.silence > least(types.window_days, types.recycling_days) as may_be_recycled,
    decisions.kind is null and counted.records > least(
        types.max_surnames_per_value, types.max_emails_per_value, types.max_names_per_value
    ) as may_be_crowded
from counted
inner join identifier_types as types on counted.type_no = types.type_no
left join decisions on counted.value_no = decisions.value_no and decisions.kind = 'allow'
where decisions.kind is not null
    or counted.records <= coalesce(types.max_records_per_value, counted.records)
"""
# Folding names is dear: where all bearers write one name in one way there is nothing to find.
SUSPECTS = """
select state.type_no, state.value_no
from identity.identifier_state as state
inner join shared on state.type_no = shared.type_no and state.value_no = shared.value_no
inner join named_records as named on state.record_no = named.record_no
where shared.is_guarded
group by state.type_no, state.value_no
having min(lower(named.first_name)) <> max(lower(named.first_name))
    or bool_or(shared.may_be_recycled) or bool_or(shared.may_be_crowded)
"""
SUSPECTED = """
select named.* from named_records as named
inner join (
    select distinct state.record_no from identity.identifier_state as state
    inner join suspects on state.type_no = suspects.type_no and state.value_no = suspects.value_no
) as bearers on named.record_no = bearers.record_no
"""
BEARERS = """
select state.type_no, state.value_no, state.record_no, state.first_seen_at, state.last_seen_at,
    shared.may_be_crowded, shared.may_be_recycled, names.first_name, names.last_name, names.email
from identity.identifier_state as state
inner join suspects on state.type_no = suspects.type_no and state.value_no = suspects.value_no
inner join shared on state.type_no = shared.type_no and state.value_no = shared.value_no
left join names on state.record_no = names.record_no
"""
CROWDED = """
select bearers.type_no, bearers.value_no
from bearers
inner join identifier_types as types on bearers.type_no = types.type_no
where bearers.may_be_crowded
group by bearers.type_no, bearers.value_no
having count(distinct bearers.last_name) > min(types.max_surnames_per_value)
    or count(distinct bearers.email) > min(types.max_emails_per_value)
    or count(distinct bearers.first_name) > min(types.max_names_per_value)
"""
"""Values whose records need a closer look: several names, or a long silence."""
DOUBTFUL = """
select type_no, value_no from bearers
group by type_no, value_no
having min(first_name) <> max(first_name) or bool_or(may_be_recycled)
"""
EPOCHS = f"""
with ordered as (
    select bearers.*, types.window_days, types.recycling_days,
        max(bearers.last_seen_at) over (
            partition by bearers.type_no, bearers.value_no
            order by bearers.first_seen_at nulls first, bearers.record_no
            rows between unbounded preceding and 1 preceding
        ) as seen_before
    from bearers
    inner join doubtful
        on bearers.type_no = doubtful.type_no and bearers.value_no = doubtful.value_no
    inner join identifier_types as types on bearers.type_no = types.type_no
)
select type_no, value_no, record_no, first_name,
    sum(case when {SILENCE} > window_days then 1 else 0 end) over era as era,
    sum(case when {SILENCE} > recycling_days then 1 else 0 end) over era as epoch
from ordered
window era as (
    partition by type_no, value_no order by first_seen_at nulls first, record_no
    rows between unbounded preceding and current row
)
"""
SPELLINGS = """
select type_no, value_no, first_name, min(record_no) as record_no,
    row_number() over (order by type_no, value_no, first_name) as spelling
from epochs where first_name is not null
group by type_no, value_no, first_name
"""
SPELLING_NAMES = """
select names.*, spellings.spelling, spellings.value_no
from spellings inner join names on spellings.record_no = names.record_no
"""
ONE_NAME = """
select l.spelling as a, r.spelling as b
from spelling_names as l
inner join spelling_names as r on l.value_no = r.value_no and l.spelling < r.spelling
where {agree}
"""
NAME_GROUPS = """
select spellings.type_no, spellings.value_no, spellings.first_name,
    coalesce(one_name.component, spellings.spelling) as name_group
from spellings left join spelling_components as one_name on spellings.spelling = one_name.node
"""
GROUPED = """
with named as (
    select epochs.*, name_groups.name_group
    from epochs left join name_groups on epochs.type_no = name_groups.type_no
        and epochs.value_no = name_groups.value_no
        and epochs.first_name = name_groups.first_name
),
sizes as (
    select type_no, value_no, era, epoch, name_group, count(*) as records
    from named where name_group is not null
    group by type_no, value_no, era, epoch, name_group
),
ranked as (
    select type_no, value_no, era, epoch, name_group,
        records >= {share} * sum(records) over (
            partition by type_no, value_no, era, epoch
        ) as is_dominant,
        row_number() over (
            partition by type_no, value_no, era, epoch order by records desc, name_group
        ) as place
    from sizes
)
select named.type_no, named.value_no, named.record_no, named.era,
    coalesce(
        named.name_group,
        case when ranked.name_group is null then -1 - named.epoch
            when ranked.is_dominant then ranked.name_group end
    ) as name_group
from named
left join ranked on named.type_no = ranked.type_no and named.value_no = ranked.value_no
    and named.era = ranked.era and named.epoch = ranked.epoch and ranked.place = 1
"""
KEYED = f"""
select state.value_no as link_no, state.type_no, state.value_no, state.record_no
from identity.identifier_state as state
inner join shared on state.type_no = shared.type_no and state.value_no = shared.value_no
left join crowded on state.type_no = crowded.type_no and state.value_no = crowded.value_no
left join doubtful on state.type_no = doubtful.type_no and state.value_no = doubtful.value_no
where crowded.value_no is null and doubtful.value_no is null
union all
select {key_number("concat_ws('|', value_no, era, name_group)")} as link_no,
    type_no, value_no, record_no
from grouped where name_group is not null
"""
STARS = """
select link_no, min(record_no) as hub from keyed group by link_no having count(*) > {paired}
"""
PAIRS = """
select distinct type_no, value_no, least(a, b) as a, greatest(a, b) as b from (
    select x.type_no, x.value_no, x.record_no as a, y.record_no as b
    from keyed as x
    inner join keyed as y on x.link_no = y.link_no and x.record_no < y.record_no
    left join stars on x.link_no = stars.link_no where stars.link_no is null
    union all
    select keyed.type_no, keyed.value_no, keyed.record_no as a, stars.hub as b
    from keyed inner join stars on keyed.link_no = stars.link_no
    where keyed.record_no <> stars.hub
) as pairs
"""
CHANGED_PAIRS = """
with old as (
    select pairs.* from identity.exact_pairs as pairs
    inner join touched on pairs.type_no = touched.type_no and pairs.value_no = touched.value_no
)
select coalesce(now.a, old.a) as a, coalesce(now.b, old.b) as b
from new_exact_pairs as now
full outer join old on now.value_no = old.value_no and now.a = old.a and now.b = old.b
    and now.type_no = old.type_no
where now.a is null or old.a is null
"""
KEEP = """
delete from identity.exact_pairs where value_no in (select value_no from touched);
insert into identity.exact_pairs select type_no, value_no, a, b from new_exact_pairs
"""


def link_exactly(session: Session, records: str, *, is_full: bool) -> None:
    """Keep the exact pairs of every touched value; hold `changed_exact_pairs` (a, b)."""
    touched = (
        ""
        if is_full
        else "inner join touched on state.type_no = touched.type_no"
        " and state.value_no = touched.value_no"
    )
    session.hold("shared", SHARED.format(touched=touched))
    _guard(session, records)
    session.hold("keyed", KEYED)
    session.hold("stars", STARS.format(paired=PAIRED))
    session.hold("new_exact_pairs", PAIRS)
    if is_full:
        session.hold("changed_exact_pairs", "select a, b from new_exact_pairs limit 0")
    else:
        session.hold("changed_exact_pairs", CHANGED_PAIRS)
    session.run(KEEP)


def _guard(session: Session, records: str) -> None:
    """Hold `crowded` and `doubtful` values and, for the latter, `grouped` records."""
    session.show("named_records", NAMED.format(records=records))
    session.hold("suspects", SUSPECTS)
    session.show("suspected_records", SUSPECTED)
    prepare(session, "suspected_records", NAMES, "names")
    session.hold("bearers", BEARERS)
    session.hold("crowded", CROWDED)
    session.hold(
        "bearers",
        "select bearers.* from bearers left join crowded on bearers.type_no = crowded.type_no"
        " and bearers.value_no = crowded.value_no where crowded.value_no is null",
    )
    session.hold("doubtful", DOUBTFUL)
    session.hold("epochs", EPOCHS)
    session.hold("spellings", SPELLINGS)
    session.hold("spelling_names", SPELLING_NAMES)
    session.hold("one_name", ONE_NAME.format(agree=names_agree("first_name", "last_name")))
    components(session, "one_name", "spelling_components")
    session.hold("name_groups", NAME_GROUPS)
    session.hold("grouped", GROUPED.format(share=UNNAMED_SHARE))
