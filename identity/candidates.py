"""Likely links: pairs of records that share a blocking key, each with its weight.

The compared pairs are always those that share at least one key which no more records share than
its rule allows. A record that comes, changes or goes may push a key over that cap or pull it back
under it; its pairs then go or come, so that the pairs never depend on the order of arrival. Where
the size of a key is evidence itself, its pairs are weighed anew when it changes.
"""

from collections.abc import Mapping
from typing import Protocol

from identity.likely.blocking import candidate_pairs, hold_caps
from warehouse import Session


class Linker(Protocol):
    """What finds and weighs pairs; see identity.likely for ours."""

    @property
    def version(self) -> str:
        """Changes when pairs would be found or weighed in another way."""

    def key_caps(self) -> Mapping[int, int]:
        """How many records may share a key of each rule."""

    def counted_rule(self) -> int | None:
        """The rule whose keys' sizes, up to its cap, are evidence; None if none are."""

    def show_keys(self, session: Session, wanted: str, into: str) -> None:
        """Show the keys (rule, key_hash, record_no) of the wanted records (record_no)."""

    def show_scores(self, session: Session, pairs: str, into: str) -> None:
        """Show the pairs (a, b) with their `weight`."""


OLD_KEYS = """
select keys.* from identity.block_keys as keys
inner join stale on keys.record_no = stale.record_no
"""
SIZES = """
with turnover as (
    select rule, key_hash, -1 as records from old_keys
    union all
    select rule, key_hash, 1 as records from new_keys
),
changes as (
    select key_hash, min(rule) as rule, sum(records) as records from turnover group by key_hash
),
before as (
    select keys.key_hash, count(*) as records from identity.block_keys as keys
    inner join changes on keys.key_hash = changes.key_hash
    group by keys.key_hash
),
sizes as (
    select changes.key_hash, caps.most_records, changes.rule = {counted} as is_counted,
        coalesce(before.records, 0) as was, coalesce(before.records, 0) + changes.records as is_now
    from changes
    inner join key_caps as caps on changes.rule = caps.rule
    left join before on changes.key_hash = before.key_hash
)
select key_hash, is_now <= most_records as is_open, was <= most_records as was_open,
    is_counted and was <> is_now and least(was, is_now) between 1 and most_records as is_recounted
from sizes where least(was, is_now) <= most_records
"""
NEAR_BEFORE = """
select keys.* from identity.block_keys as keys
inner join key_sizes as sizes on keys.key_hash = sizes.key_hash
"""
NEAR_AFTER = """
select near.* from near_before as near
left join stale on near.record_no = stale.record_no where stale.record_no is null
union all
select * from new_keys
"""
KEPT_KEYS = """
delete from identity.block_keys where record_no in (select record_no from stale);
insert into identity.block_keys select rule, key_hash, record_no from new_keys
"""
CANDIDATES = """
select distinct least(x.record_no, y.record_no) as a, greatest(x.record_no, y.record_no) as b
from new_keys as x
inner join key_sizes as sizes on x.key_hash = sizes.key_hash
inner join near_after as y on x.key_hash = y.key_hash
where sizes.is_open and x.record_no <> y.record_no
"""
OPENED = """
select distinct x.record_no as a, y.record_no as b
from near_after as x
inner join key_sizes as sizes on x.key_hash = sizes.key_hash
inner join near_after as y
    on x.key_hash = y.key_hash and x.record_no < y.record_no
where sizes.is_open and not sizes.was_open
"""
CLOSED = """
select distinct x.record_no as a, y.record_no as b
from near_before as x
inner join key_sizes as sizes on x.key_hash = sizes.key_hash
inner join near_before as y
    on x.key_hash = y.key_hash and x.record_no < y.record_no
where sizes.was_open and not sizes.is_open
"""
STILL_TOGETHER = """
with members as (select a as record_no from closed union select b from closed),
their_keys as (
    select keys.* from identity.block_keys as keys
    inner join members on keys.record_no = members.record_no
),
sizes as (
    select keys.key_hash, min(keys.rule) as rule, count(*) as records
    from identity.block_keys as keys
    inner join (select distinct key_hash from their_keys) as theirs
        on keys.key_hash = theirs.key_hash
    group by keys.key_hash
)
select distinct closed.a, closed.b
from closed
inner join their_keys as x on closed.a = x.record_no
inner join their_keys as y
    on closed.b = y.record_no and x.key_hash = y.key_hash
inner join sizes on x.key_hash = sizes.key_hash
inner join key_caps as caps on sizes.rule = caps.rule
where sizes.records <= caps.most_records
"""
DROPPED = """
select pairs.a, pairs.b from identity.likely_pairs as pairs
inner join closed on pairs.a = closed.a and pairs.b = closed.b
left join still_together as kept on closed.a = kept.a and closed.b = kept.b
where kept.a is null
"""
RECOUNTED = """
select pairs.a, pairs.b, pairs.weight from identity.likely_pairs as pairs
inner join near_after as x on pairs.a = x.record_no
inner join key_sizes as sizes on x.key_hash = sizes.key_hash
inner join near_after as y on pairs.b = y.record_no and x.key_hash = y.key_hash
where sizes.is_recounted
"""
TO_SCORE = """
select a, b from candidates
union
select a, b from recounted
union
select opened.a, opened.b from opened
left join identity.likely_pairs as known on opened.a = known.a and opened.b = known.b
where known.a is null
"""
FORGET = """
delete from identity.likely_pairs
where a in (select record_no from stale) or b in (select record_no from stale);
delete from identity.likely_pairs as pairs using dropped
where pairs.a = dropped.a and pairs.b = dropped.b
"""
FORGET_RECOUNTED = """
delete from identity.likely_pairs as pairs using recounted
where pairs.a = recounted.a and pairs.b = recounted.b
"""
# Another weight between two customers matters once it is, or was, for one person, or in a group.
RECOUNTED_IN_GROUPS = """
select recounted.a, recounted.b from recounted
inner join identity.record_customers as x on recounted.a = x.record_no
inner join identity.record_customers as y on recounted.b = y.record_no
where recounted.weight > 0 or x.group_no = y.group_no
"""


def link_likely(session: Session, linker: Linker, *, is_full: bool) -> None:
    """Keep every pair worth comparing with its weight; hold `changed_likely_pairs` (a, b)."""
    linker.show_keys(session, "changed", "shown_keys")
    if is_full:
        _link_all(session, linker)
    else:
        _link_changed(session, linker)


def _link_all(session: Session, linker: Linker) -> None:
    session.execute(
        "insert into identity.block_keys select rule, key_hash, record_no from shown_keys"
    )
    candidate_pairs(session, "identity.block_keys", linker.key_caps(), "candidates")
    linker.show_scores(session, "candidates", "scored")
    session.execute("insert into identity.likely_pairs select a, b, weight from scored")
    session.hold("changed_likely_pairs", "select a, b from candidates limit 0")


def _link_changed(session: Session, linker: Linker) -> None:
    hold_caps(session, linker.key_caps())
    session.hold("new_keys", "select * from shown_keys")
    session.hold("old_keys", OLD_KEYS)
    counted = linker.counted_rule()
    session.hold("key_sizes", SIZES.format(counted=-1 if counted is None else counted))
    session.hold("near_before", NEAR_BEFORE)
    session.hold("near_after", NEAR_AFTER)
    session.run(KEPT_KEYS)
    session.hold("candidates", CANDIDATES)
    session.hold("opened", OPENED)
    session.hold("closed", CLOSED)
    session.hold("still_together", STILL_TOGETHER)
    session.hold("dropped", DROPPED)
    session.run(FORGET)
    session.hold("recounted", RECOUNTED)
    session.run(FORGET_RECOUNTED)
    session.hold("to_score", TO_SCORE)
    linker.show_scores(session, "to_score", "scores")
    session.hold("scored", "select a, b, weight from scores")
    session.execute("insert into identity.likely_pairs select a, b, weight from scored")
    session.hold(
        "changed_likely_pairs",
        f"select a, b from dropped union all {RECOUNTED_IN_GROUPS} union all"
        " select scored.a, scored.b from scored"
        " left join opened on scored.a = opened.a and scored.b = opened.b"
        " where scored.weight > 0 or opened.a is not null",
    )
