"""How many records bear a full name: of a name that two records bear, both are mostly one person's.

A name's share of all records cannot tell that: it says how many namesakes to expect, not how many
there are.
"""

from collections.abc import Mapping

from identity.likely.blocking import full_name_rule
from warehouse import Session

FULL_NAMES = """
with own as (
    select keys.record_no, keys.key_hash from {keys} as keys
    inner join {prepared} as prepared on keys.record_no = prepared.record_no
    where keys.rule = {rule}
),
sizes as (
    select keys.key_hash, count(*) as records from {keys} as keys
    inner join (select distinct key_hash from own) as names on keys.key_hash = names.key_hash
    group by keys.key_hash
)
select own.record_no, own.key_hash as full_name_key, sizes.records as namesakes
from own inner join sizes on own.key_hash = sizes.key_hash
"""
COUNTED = """
select prepared.*, full_names.full_name_key, full_names.namesakes
from {prepared} as prepared
left join full_names on prepared.record_no = full_names.record_no
"""


def count_namesakes(
    session: Session, prepared: str, keys: str, fields: Mapping[str, str], into: str
) -> None:
    """Show the prepared records with their full name's key and how many records have it."""
    rule = full_name_rule(fields)
    if rule is None:
        session.show(into, f"select * from {prepared}")
        return
    session.hold("full_names", FULL_NAMES.format(prepared=prepared, keys=keys, rule=rule.number))
    session.show(into, COUNTED.format(prepared=prepared))
