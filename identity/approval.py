"""A refresh that moves many known records to other customers waits until somebody has looked.

It is kept, so that it can be looked at, and nothing downstream is built on it or on a later one
before it is approved.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

import warehouse
from settings import ForeseenError
from warehouse import Session

MOST_MOVED = 0.02  # of the known records may get another customer without approval
FEW_RECORDS = 1000  # below that, a share says nothing

WAITING = f"""
select refresh, moved_records, known_records from identity.refreshes
where known_records >= {FEW_RECORDS} and moved_records > {MOST_MOVED} * known_records
    and refresh > (select coalesce(max(refresh), 0) from identity.approvals)
order by refresh
"""
APPROVALS = pa.schema(
    [
        ("refresh", pa.int64()),
        ("reason", pa.string()),
        ("actor", pa.string()),
        ("approved_at", pa.timestamp("us")),
    ]
)


class NothingToApproveError(ForeseenError):
    """No refresh waits for approval, or the approval does not say why or by whom."""


@dataclass(frozen=True)
class Waiting:
    """A refresh that is not approved, and how many of the known records it moved."""

    refresh: int
    moved_records: int
    known_records: int


def waiting(session: Session) -> list[Waiting]:
    """The refreshes that wait, the oldest first."""
    return [Waiting(**row) for row in session.read(WAITING).to_pylist()]


def waiting_now() -> list[Waiting]:
    """The same in the platform."""
    with warehouse.transaction() as session:
        return waiting(session)


def approve(*, reason: str, actor: str) -> list[Waiting]:
    """Approve every refresh that waits; gives them back. Raises NothingToApproveError."""
    with warehouse.transaction() as session:
        found = waiting(session)
        if not found:
            raise NothingToApproveError("No refresh waits for approval.")
        approve_in(session, found[-1].refresh, reason=reason, actor=actor)
        return found


def approve_in(session: Session, refresh: int, *, reason: str, actor: str) -> None:
    """Approve all refreshes up to this one, within a session of the caller."""
    if not reason.strip() or not actor.strip():
        raise NothingToApproveError("An approval says why (--reason) and by whom (--actor).")
    row = {
        "refresh": refresh,
        "reason": reason.strip(),
        "actor": actor.strip(),
        "approved_at": datetime.now(UTC).replace(tzinfo=None),
    }
    session.append("identity.approvals", pa.Table.from_pylist([row], APPROVALS))
