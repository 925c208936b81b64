"""Events and orders: each of the truth's is in the marts once, and nothing else is.

What an erased person did is not counted as lost: it is gone for good reason. (Their orders stay,
without the person.)
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scorecard.rows import Row, not_built
from warehouse import Session

AREA = "reconciliation"


@dataclass(frozen=True)
class Book:
    """What there truly is, and the column of the marts that must say the same."""

    name: str
    truth: str  # a query for key and is_erased
    table: str
    key: str


BOOKS = (
    Book(
        "events",
        "select message_id as key,"
        " coalesce(person_id in (select person_id from erased_records), false)"
        " or coalesce(anonymous_id in (select source_key from erased_records), false) as is_erased"
        " from truth_events where source in ('web', 'app')",
        "marts.fct_events",
        "event_id",
    ),
    Book(
        "orders",
        "select mart_order_id as key, false as is_erased from true_orders",
        "marts.fct_orders",
        "order_id",
    ),
)
COUNTS = """
with there as (select key, bool_or(is_erased) as is_erased from ({truth}) group by key),
kept as (select {key} as key, count(*) as times from {table} group by {key})
select
    count(*) filter (where kept.key is null and not there.is_erased) as lost,
    cast(coalesce(sum(kept.times - 1), 0) as bigint) as doubled,
    count(*) filter (where there.key is null) as invented,
    count(there.key) as there
from there
full join kept on there.key = kept.key
"""
# Of other currencies every line is rounded after it is converted: what is within 1 % is right.
AMOUNTS = """
with rates as (select currency, valid_from, rate from rules.exchange_rates),
converted as (
    select truth.mart_order_id, truth.gross_amount * coalesce(rates.rate, 1) as gross_amount,
        case when rates.rate is null then 0.005 else 0.005 + 0.01 * truth.gross_amount end as leeway
    from true_orders as truth
    asof left join rates
        on truth.currency = rates.currency and truth.ordered_at >= rates.valid_from
)
select count(*) as orders
from converted
inner join marts.fct_orders as orders on converted.mart_order_id = orders.order_id
where abs(converted.gross_amount - orders.gross_amount) >= converted.leeway
"""


def rows(session: Session) -> Iterator[Row]:
    """What is lost, doubled or invented: every count must be 0."""
    for book in BOOKS:
        if not session.exists(book.table):
            yield not_built(AREA, book.name, book.table)
            continue
        query = COUNTS.format(truth=book.truth, key=book.key, table=book.table)
        found = session.read(query).to_pylist()[0]
        note = f"of {found.pop('there'):,} in the truth"
        for what, count in found.items():
            yield Row(AREA, f"{book.name} {what}", count, "count", note, must_be_zero=True)
    if session.exists("marts.fct_orders"):
        count = session.number(AMOUNTS)
        yield Row(AREA, "orders with another amount", count, "count", must_be_zero=True)
