"""How the customers look: sizes, the largest, shared values, limits, duplicates, and how right.

It reads what the last refresh kept. Values of identifiers are in `most_shared` alone, so that the
rest may be shown to anybody.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

import warehouse
from identity import linking
from identity.changes import VALUE_NO
from identity.likely import LinkModel
from identity.pictures import sizes_plot
from identity.refresh import IDENTIFIERS
from identity.state import make_ledgers
from warehouse import Session

LARGE = 20  # records; larger customers are counted together
MOST = 10  # rows of what is largest or most shared

ESTIMATED = "How right it is about an id that it did not see, with a 95 % interval"
ESTIMATES = pa.schema(
    [(name, pa.string()) for name in ("hidden", "precision", "recall")] + [("groups", pa.int64())]
)

SIZES = f"""
select least(records, {LARGE + 1}) as records, count(*) as customers from (
    select customer_id, count(*) as records from identity.record_customers group by customer_id
) as sizes group by least(records, {LARGE + 1}) order by records
"""
# The strongest pair that holds a record says how sure its place is; the weakest such is told.
LARGEST = f"""
select customer_id, count(*) as records, count(distinct split_part(record_key, ':', 1)) as sources,
    min(link_weight) as weakest_bits
from identity.record_customers
group by customer_id order by records desc, customer_id limit {MOST}
"""
# What a person blocked or allowed counts above the rules.
BEARERS = f"""
with borne as (
    select found.identifier_type, found.identifier_value, count(*) as records,
        count(distinct known.customer_id) as customers, max(found.blocked_reason) as blocked_reason
    from {{identifiers}} as found
    inner join identity.record_customers as known on found.record_key = known.record_key
    group by found.identifier_type, found.identifier_value
)
select borne.identifier_type, borne.identifier_value, borne.records, borne.customers,
    case when decided.kind = 'block' then 'by a person'
        when decided.kind is null then borne.blocked_reason end as blocked_reason
from borne
left join identity.override_state as decided on decided.value_no = {VALUE_NO}
"""
SHARED = """
select identifier_type, count(*) as known_values,
    count(*) filter (where records > 1) as on_several_records,
    count(*) filter (where customers > 1) as of_several_customers,
    max(records) as most_records, max(customers) as most_customers,
    count(*) filter (where blocked_reason is not null) as blocked
from bearers group by identifier_type order by of_several_customers desc, identifier_type
"""
MOST_SHARED = f"""
select identifier_type, identifier_value, records, customers, blocked_reason
from bearers where customers > 1
order by customers desc, records desc, identifier_type, identifier_value limit {MOST}
"""
# A record may have more values than allowed by itself, and a person may decide to allow it.
LIMITS = """
with decided as (
    select a as record_no from identity.override_state where kind = 'link'
    union
    select b from identity.override_state where kind = 'link'
),
counted as (
    select known.customer_id, types.identifier_type, types.priority,
        types.max_values_per_customer as allowed,
        count(distinct state.value_no) as found_values,
        count(distinct state.record_no) = 1 or count(decided.record_no) > 0 as is_excused
    from identity.identifier_state as state
    inner join rules.identifier_types as types on state.type_no = types.priority
    inner join identity.record_customers as known on state.record_no = known.record_no
    left join decided on state.record_no = decided.record_no
    where types.max_values_per_customer is not null
    group by known.customer_id, types.identifier_type, types.priority,
        types.max_values_per_customer
)
select identifier_type, max(allowed) as allowed,
    count(*) filter (where found_values = allowed) as customers_at_it,
    count(*) filter (where found_values > allowed and is_excused) as excused,
    count(*) filter (where found_values > allowed and not is_excused) as violations
from counted group by identifier_type, priority order by priority
"""
# As the model rejected_links tells them, pair by pair.
REFUSED = """
with joined as (
    select a, b from identity.exact_pairs
    union
    select a, b from identity.likely_pairs where weight > 0
    union
    select a, b from identity.override_state where kind = 'link'
)
select case when decided.kind = 'cut' then 'cut'
    else coalesce(rejected.reason, 'net evidence') end as reason, count(*) as pairs
from joined
inner join identity.record_customers as x on joined.a = x.record_no
inner join identity.record_customers as y on joined.b = y.record_no
left join identity.rejected_pairs as rejected
    on joined.a = rejected.a and joined.b = rejected.b
left join identity.override_state as decided
    on joined.a = decided.a and joined.b = decided.b and decided.kind = 'cut'
where x.customer_id <> y.customer_id
group by 1 order by pairs desc, reason
"""
SOURCES = """
select split_part(record_key, ':', 1) || ' ' || split_part(record_key, ':', 2) as source,
    count(*) as records, count(distinct customer_id) as customers,
    round(1 - count(distinct customer_id) / count(*), 4) as duplicate_rate
from identity.record_customers
group by split_part(record_key, ':', 1), split_part(record_key, ':', 2) order by source
"""


@dataclass(frozen=True)
class Report:
    """One table per question; `estimates` as the link model in use remembers them."""

    sizes: pa.Table
    largest: pa.Table
    shared: pa.Table
    most_shared: pa.Table
    limits: pa.Table
    refused: pa.Table
    sources: pa.Table
    estimates: tuple[Mapping[str, Any], ...] = ()

    @property
    def tables(self) -> dict[str, pa.Table]:
        """What anybody may see, by its title."""
        found = {
            f"Customers by their records ({LARGE + 1} and more together)": self.sizes,
            "Largest customers": self.largest,
            "Identifiers that several share": self.shared,
            "Limits of values per customer": self.limits,
            "Links that were refused": self.refused,
            "Duplicates per source": self.sources,
        }
        return {**found, ESTIMATED: told(self.estimates)} if self.estimates else found


def report() -> Report:
    """The report on the platform's customers."""
    with warehouse.transaction() as session:
        session.read(f"select * from {IDENTIFIERS} limit 0")  # says so when nothing was built yet
        make_ledgers(session)
        return report_in(session, IDENTIFIERS, _estimates())


def report_in(
    session: Session, identifiers: str, estimates: tuple[Mapping[str, Any], ...] = ()
) -> Report:
    """The same within a session of the caller."""
    session.hold("bearers", BEARERS.format(identifiers=identifiers))
    return Report(
        sizes=session.read(SIZES),
        largest=session.read(LARGEST),
        shared=session.read(SHARED),
        most_shared=session.read(MOST_SHARED),
        limits=session.read(LIMITS),
        refused=session.read(REFUSED),
        sources=session.read(SOURCES),
        estimates=estimates,
    )


def page(found: Report) -> str:
    """The report in Markdown: the sizes drawn, and every table that anybody may see."""
    plot = base64.b64encode(sizes_plot(found.sizes)).decode()
    parts = [f"![customers by their records](data:image/png;base64,{plot})"]
    for title, rows in found.tables.items():
        lines = [rows.column_names, ["---"] * rows.num_columns]
        lines += [
            ["" if value is None else str(value) for value in row.values()]
            for row in rows.to_pylist()
        ]
        parts.append(f"### {title}\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts)


def told(estimates: Iterable[Mapping[str, Any]]) -> pa.Table:
    """One row per hidden type of identifier, its shares with their intervals."""
    rows = [
        {
            "hidden": one["identifier_type"],
            "precision": _share(one["precision"]),
            "recall": _share(one["recall"]),
            "groups": one["recall"]["groups"],
        }
        for one in estimates
    ]
    return pa.Table.from_pylist(rows, ESTIMATES)


def _share(found: Mapping[str, float] | None) -> str | None:
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" if found else None


def _estimates() -> tuple[Mapping[str, Any], ...]:
    """What the last training said; nothing when the model has never been trained on demand.

    Raises ModelUnreadableError.
    """
    if not linking.path().exists():
        return ()
    return tuple(LinkModel.load(linking.path()).facts.get("estimates", ()))
