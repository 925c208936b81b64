"""An honest estimate of accuracy without labels: hide some unique ids, resolve, compare.

One in five values of each unique type is hidden, everything is resolved apart from the warehouse
without them, and records that share a hidden value are one person. It speaks for records that
have such an id; a person with two accounts counts against precision.
"""

import math
from dataclasses import dataclass

import pyarrow as pa

from identity.likely import LinkModel
from identity.linking import Compared, LikelyLinks, unique_types
from identity.refresh import IDENTIFIERS, RECORDS, refresh_in
from identity.rules import Rules
from warehouse import Session, key_number, scratch

HIDDEN = 5  # one value in so many
SURE = 1.96  # standard deviations of a 95 % interval

HIDE = f"""
select *, types.is_unique and {key_number("'hide'", "identifier_type", "identifier_value")}
    % {HIDDEN} = 0 as is_hidden
from given_identifiers inner join types using (identifier_type)
"""
PAIRS = """
with labelled as (
    select hidden.record_key, min(hidden.identifier_value) as label,
        min(known.customer_id) as customer
    from hidden
    inner join identity.record_customers as known on hidden.record_key = known.record_key
    where hidden.is_hidden and hidden.identifier_type = ? and hidden.blocked_reason is null
    group by hidden.record_key
),
both_ways as (
    select customer, label, count(*) as records from labelled group by customer, label
),
found as (
    select sum(records) * (sum(records) - 1) / 2 as pairs,
        sum(records * (records - 1)) / 2 as right_pairs
    from both_ways group by customer
),
sought as (
    select sum(records) * (sum(records) - 1) / 2 as pairs,
        sum(records * (records - 1)) / 2 as right_pairs
    from both_ways group by label
)
select 'precision' as measure, sum(pairs) as pairs, sum(right_pairs) as right_pairs,
    count(*) as groups
from found where pairs > 0
union all
select 'recall', sum(pairs), sum(right_pairs), count(*) from sought where pairs > 0
"""


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval, over so many groups of records."""

    value: float
    low: float
    high: float
    groups: int


@dataclass(frozen=True)
class Estimate:
    """How right resolution is about records whose unique id of this type it did not see.

    There is no precision where it put no two of them together.
    """

    identifier_type: str
    precision: Share | None
    recall: Share


def estimates(
    session: Session,
    rules: Rules,
    model: LinkModel,
    *,
    records: str = RECORDS,
    identifiers: str = IDENTIFIERS,
) -> list[Estimate]:
    """One estimate per unique type of which records share hidden values; nothing is written."""
    given = {
        "given_records": session.read(records),
        "given_identifiers": session.read(identifiers),
        "types": pa.table(
            {
                "identifier_type": [kind.identifier_type for kind in rules.types],
                "is_unique": [kind.is_unique for kind in rules.types],
            }
        ),
    }
    with scratch(**given) as apart:
        apart.hold("hidden", HIDE)
        apart.hold("seen", "select * from hidden where not is_hidden")
        compared = Compared("given_records", "seen", unique_types(rules))
        refresh_in(
            apart,
            rules,
            LikelyLinks(compared, model),
            records="given_records",
            identifiers="seen",
        )
        found = [_estimate(apart, kind) for kind in unique_types(rules)]
    return [estimate for estimate in found if estimate]


def _estimate(session: Session, identifier_type: str) -> Estimate | None:
    """What the hidden values of one type say; None when no two records shared one."""
    rows = session.read(PAIRS, [identifier_type]).to_pylist()
    shares = {
        row["measure"]: wilson(float(row["right_pairs"]) / float(row["pairs"]), row["groups"])
        for row in rows
        if row["groups"]
    }
    if "recall" not in shares:
        return None
    return Estimate(identifier_type, shares.get("precision"), shares["recall"])


def wilson(share: float, groups: int) -> Share:
    """The share with Wilson's interval, every group of records counted as one observation."""
    spread = SURE**2 / groups
    centre = (share + spread / 2) / (1 + spread)
    reach = SURE * math.sqrt(share * (1 - share) / groups + spread / (4 * groups)) / (1 + spread)
    low, high = max(centre - reach, 0.0), min(centre + reach, 1.0)
    return Share(round(share, 4), round(low, 4), round(high, 4), groups)
