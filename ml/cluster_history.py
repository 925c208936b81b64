"""On which days buyers came into their clusters: the whole past, as the model in use sees it.

Each day is judged by what had happened until then, so nothing is kept from refresh to refresh, and
a model trained anew moves nobody on the day it is: it tells the past in its own words. Buyers are
read when they buy or give back, and on Mondays, when time alone can have moved them.
"""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.clusters import FEATURES, Matrix, Model, distances

Numbers = NDArray[np.int64]

MARGIN = 0.04  # two hundredths of the ranks past the middle of two centres, as in RFM's levels
RECENT = 90  # days of the feature orders_90_days
MONDAY = 4  # what Mondays leave of days since 1970-01-01, a Thursday, in sevens
EPOCH = date(1970, 1, 1)
NONE = -1
MONEY = pa.decimal128(18, 3)
SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("changed_on", pa.date32()),
        ("cluster_label", pa.string()),
        ("model_version", pa.string()),
        *((name, MONEY if name.endswith("_amount") else pa.int64()) for name in FEATURES),
    ]
)


class Standing:
    """What each customer has bought and given back until the day reached."""

    def __init__(self, customers: int) -> None:
        """Nobody has bought anything yet."""
        self.orders, self.recent, self.gross, self.refunded = np.zeros((4, customers))
        self.first, self.last = np.full((2, customers), np.nan)

    def add(self, who: Numbers, today: int, facts: Matrix) -> None:
        """Count what these customers did on this day, one row each."""
        orders, gross, refunded = facts
        buys = who[orders > 0]
        self.first[buys] = np.fmin(self.first[buys], today)
        self.last[buys] = today
        self.orders[who] += orders
        self.recent[who] += orders
        self.gross[who] += gross
        self.refunded[who] += refunded

    def features(self, who: Numbers, today: int) -> Matrix:
        """The features of these buyers as of this day, to the thousandth as `customer_features`."""
        values = {
            "days_since_last_order": today - self.last[who],
            "orders": self.orders[who],
            "net_amount": self.gross[who] - self.refunded[who],
            "average_order_amount": self.gross[who] / self.orders[who],
            "days_since_first_order": today - self.first[who],
            "orders_90_days": self.recent[who],
        }
        return np.round(np.column_stack([values[name] for name in FEATURES]), 3)


def changes(model: Model | None, days: pa.Table, as_of: date) -> pa.Table:
    """One row per buyer and day on which their cluster changed, with their features on that day.

    `days` has one row per customer and day with orders or refunds. Without a model there is no row.
    """
    if model is None or not days.num_rows:
        return SCHEMA.empty_table()
    days = days.sort_by([("active_on", "ascending"), ("customer_id", "ascending")])
    people = days.column("customer_id").combine_chunks().dictionary_encode()
    cluster = np.full(len(people.dictionary), NONE)
    found = [np.empty((0, 3 + len(FEATURES)))]
    for who, today, values in _readings(days, people.indices, (as_of - EPOCH).days):
        now = held(distances(model, values), cluster[who])
        moved = now != cluster[who]
        cluster[who] = now
        facts = who, np.full(len(who), today), now, values
        found.append(np.column_stack(facts)[moved])
    return _table(model, people.dictionary, np.concatenate(found))


def held(far: Matrix, before: Numbers) -> Numbers:
    """The cluster from before, unless another centre is nearer by more than the margin."""
    rows, nearest = np.arange(len(far)), far.argmin(axis=1)
    is_clear = far[rows, before] - far[rows, nearest] > MARGIN
    return np.where((before == NONE) | is_clear, nearest, before)


def _readings(
    days: pa.Table, people: pa.Array, until: int
) -> Iterator[tuple[Numbers, int, Matrix]]:
    """Per day on which buyers are read: who, the day, and their features."""
    who = people.to_numpy().astype(np.int64)
    day = days.column("active_on").cast(pa.int32()).to_numpy().astype(np.int64)
    facts = np.array(
        [
            days.column(name).cast(pa.float64()).to_numpy()
            for name in ("orders", "gross_amount", "refund_amount")
        ]
    )
    standing = Standing(who.max() + 1)
    for today in range(day[0], until + 1):
        rows, over = (slice(*np.searchsorted(day, [d, d + 1])) for d in (today, today - RECENT))
        standing.add(who[rows], today, facts[:, rows])
        standing.recent[who[over]] -= facts[0, over]
        read = np.arange(len(standing.orders)) if today % 7 == MONDAY else who[rows]
        read = read[standing.orders[read] > 0]
        if len(read):
            yield read, today, standing.features(read, today)


def _table(model: Model, people: pa.Array, found: Matrix) -> pa.Table:
    who, today, cluster = found[:, :3].T.astype(np.int64)
    columns = [
        people.take(pa.array(who)),
        pa.array(today.astype(np.int32)).cast(pa.date32()),
        pa.array([model.labels[number] for number in cluster], pa.string()),
        pa.array([model.version] * len(found), pa.string()),
        *(pa.array(values) for values in found[:, 3:].T),
    ]
    return pa.table(columns, names=SCHEMA.names).cast(SCHEMA)
