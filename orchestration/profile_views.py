"""What the command line shows of one person, now or on a past day."""

from datetime import date, datetime
from typing import Any

import warehouse

Rows = list[dict[str, Any]]
FOREVER = date(9999, 12, 30)
CONTACT = "select * from customer_360.customer_contacts where customer_id = ?"
WIDE = "select * from customer_360.customer_360 where customer_id = ?"
ON = """
select field, value, source, valid_from, known_from
from profiles.profile_history
where customer_id = ? and valid_from <= ? and valid_to > ? and known_from <= ? and known_to > ?
order by field
"""
LAST = """
select occurred_at, kind, channel, summary, amount
from customer_360.customer_timeline where customer_id = ?
order by occurred_at desc, interaction_id limit 20
"""


def on(customer_id: str, as_of: datetime | None, known_at: datetime | None) -> Rows:
    """Each field as it was on a day, by what had been loaded until another.

    Without a day of loading, by all that is known now; without the other day, as it was on it.
    """
    known = known_at.date() if known_at else FOREVER
    valid = as_of.date() if as_of else known
    return _rows(ON, customer_id, valid, valid, known, known)


def facts(customer_id: str) -> Rows:
    """Everything the wide tables say, one row per column that says something."""
    columns: dict[str, Any] = {}
    for row in _rows(CONTACT, customer_id) + _rows(WIDE, customer_id):
        columns |= row
    return [{"field": k, "value": v} for k, v in columns.items() if v is not None]


def last_interactions(customer_id: str) -> Rows:
    """The last interactions, newest first."""
    return _rows(LAST, customer_id)


def _rows(query: str, *params: str | date) -> Rows:
    rows: Rows = warehouse.read(query, params).to_pylist()
    return rows
