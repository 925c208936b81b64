"""What the next identity refresh would do: whom it would merge and split; nothing is written.

It takes the rules from the seed files as they are now, the decisions that wait, and on demand a
link model trained anew; the records are those of the last refresh.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

import warehouse
from identity import linking
from identity.candidates import Linker
from identity.changes import hold_incoming, hold_rules
from identity.likely import LinkModel
from identity.refresh import IDENTIFIERS, RECORDS, refresh_in
from identity.rules import Rules, read_rules
from identity.seeds import FOLDER, checked_seeds
from identity.state import make_ledgers
from warehouse import Session, function

AUDIENCES = "audiences.audience_members"

PATTERN = function("found", "given.identifier_value", "concat('^(?:', blocked.pattern, ')$')")
REBLOCKED = f"""
with given as (select distinct identifier_type, identifier_value from {IDENTIFIERS}),
reasons as (
    select given.identifier_type, given.identifier_value, min(blocked.reason) as reason
    from given
    inner join rules.blocked_values as blocked on given.identifier_type = blocked.identifier_type
        and (given.identifier_value = blocked.pattern or (blocked.is_regex and {PATTERN} <> ''))
    group by given.identifier_type, given.identifier_value
)
select found.record_key, found.identifier_type, found.identifier_value,
    coalesce(
        reasons.reason, case when found.blocked_reason = 'handed on' then 'handed on' end
    ) as blocked_reason,
    found.first_seen_at, found.last_seen_at
from {IDENTIFIERS} as found
left join reasons on found.identifier_type = reasons.identifier_type
    and found.identifier_value = reasons.identifier_value
"""
LAST_VERSION = "select rules_version from identity.refreshes order by refresh desc limit 1"
TOUCHED = """
with moved as (
    select customer_id, old_customer_id from assignments where customer_id <> old_customer_id
),
ends as (select customer_id from moved union select old_customer_id from moved)
select ends.customer_id from ends
inner join statuses on ends.customer_id = statuses.customer_id and statuses.status = 'active'
"""
CHANGES = """
select coalesce(events.kind, 'move') as kind, moved.old_customer_id as from_customer_id,
    moved.customer_id as to_customer_id, count(*) as records
from assignments as moved
left join events on events.kind in ('merge', 'split', 'revive')
    and case when events.kind = 'merge' then events.customer_id else events.other_customer_id end
        = moved.old_customer_id
    and case when events.kind = 'merge' then events.other_customer_id else events.customer_id end
        = moved.customer_id
where moved.customer_id <> moved.old_customer_id
group by events.kind, moved.old_customer_id, moved.customer_id
order by records desc, from_customer_id, to_customer_id
"""
IN_AUDIENCES = f"""
select members.audience, count(distinct members.customer_id) as customers
from {AUDIENCES} as members
inner join touched on members.customer_id = touched.customer_id
group by members.audience order by members.audience
"""


@dataclass(frozen=True)
class Plan:
    """What a refresh would do; `changes`: between which customers records would move."""

    old_rules_version: str | None
    rules_version: str
    records: int
    moved_records: int
    customers: int  # in use now, of whom some record would move
    merged: int
    split: int
    revived: int
    audiences: dict[str, int]  # how many of those customers are in each
    changes: pa.Table


def plan(seeds: Path = FOLDER, *, is_retrained: bool = False) -> Plan:
    """What the next refresh would do under the rules in these files. Raises RulesError."""
    with warehouse.trial() as session:
        session.read(f"select * from {IDENTIFIERS} limit 0")  # says so when nothing was built yet
        for name, rows in checked_seeds(seeds).items():
            session.replace(f"rules.{name}", rows)
        session.hold("planned_identifiers", REBLOCKED)
        rules = read_rules(session)
        linker = _linker(session, rules, is_retrained=is_retrained)
        return plan_in(session, rules, linker, RECORDS, "planned_identifiers")


def plan_in(session: Session, rules: Rules, linker: Linker, records: str, identifiers: str) -> Plan:
    """The same within a session of the caller, who undoes its writes."""
    make_ledgers(session)
    versions = session.read(LAST_VERSION).column(0).to_pylist()
    report = refresh_in(session, rules, linker, records=records, identifiers=identifiers)
    session.hold("touched", TOUCHED)
    rows = session.read(IN_AUDIENCES).to_pylist() if session.exists(AUDIENCES) else []
    return Plan(
        old_rules_version=versions[0] if versions else None,
        rules_version=report.rules_version,
        records=report.records,
        moved_records=report.moved_records,
        customers=session.number("select count(*) from touched"),
        merged=report.merged,
        split=report.split,
        revived=report.revived,
        audiences={row["audience"]: row["customers"] for row in rows},
        changes=session.read(CHANGES),
    )


def _linker(session: Session, rules: Rules, *, is_retrained: bool) -> linking.LikelyLinks:
    """The model in use, or one that is learned now and kept nowhere."""
    compared = linking.Compared(RECORDS, "planned_identifiers", linking.unique_types(rules))
    if linking.path().exists() and not is_retrained:
        return linking.LikelyLinks(compared, LinkModel.load(linking.path()))
    make_ledgers(session)
    hold_rules(session, rules)
    hold_incoming(session, RECORDS, "planned_identifiers")
    return linking.LikelyLinks(compared, linking.learn(session, compared))
