"""The append-only ledger of deliveries: what we meant to send, and what the destination confirmed.

activation.deliveries  one row per operation and state. `planned` is written before a batch is
sent; `delivered`, `rejected` or `unknown` after. A batch that has no second row was cut off.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa

from activation.syncs import Sync
from warehouse import Session

State = Literal["planned", "delivered", "rejected", "unknown"]
SCHEMA = pa.schema(
    [
        ("audience", pa.string()),
        ("destination", pa.string()),
        ("batch_id", pa.string()),
        ("customer_id", pa.string()),
        ("operation", pa.string()),
        ("payload_hash", pa.string()),
        ("state", pa.string()),
        ("answer", pa.string()),
        ("recorded_at", pa.timestamp("us")),
        ("sequence", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Operation:
    """Add, update or remove one person; the payload itself is never written to the ledger."""

    customer_id: str
    operation: Literal["add", "update", "remove"]
    payload_hash: str


@dataclass(frozen=True)
class Result:
    """What became of one operation, in the destination's words."""

    operation: Operation
    state: State
    answer: str = ""


def ensure(session: Session) -> None:
    """Make the ledger if there is none yet."""
    if not session.exists("activation.deliveries"):
        session.replace("activation.deliveries", SCHEMA.empty_table())


def record(session: Session, sync: Sync, batch_id: str, results: Sequence[Result]) -> None:
    """Add one row per operation; rows already there stay as they are."""
    last = last_sequence(session)
    rows = [
        {
            "audience": sync.audience,
            "destination": sync.destination,
            "batch_id": batch_id,
            **asdict(result.operation),
            "state": result.state,
            "answer": result.answer,
            "recorded_at": datetime.now(UTC).replace(tzinfo=None),
            "sequence": last + number,
        }
        for number, result in enumerate(results, start=1)
    ]
    session.append("activation.deliveries", pa.Table.from_pylist(rows, schema=SCHEMA))


def last_sequence(session: Session) -> int:
    """The number of the newest row; it never goes back to one that a living batch had."""
    return session.number("select max(sequence) from activation.deliveries")


def cut_off(session: Session, sync: Sync) -> dict[str, list[Operation]]:
    """The operations of each batch whose outcome was never recorded, in their order."""
    rows = session.read(
        "select batch_id, customer_id, operation, payload_hash from activation.deliveries"
        " where audience = ? and destination = ? and batch_id not in"
        " (select batch_id from activation.deliveries where state <> 'planned')"
        " order by sequence",
        [sync.audience, sync.destination],
    )
    batches: dict[str, list[Operation]] = {}
    for row in rows.to_pylist():
        batches.setdefault(row.pop("batch_id"), []).append(Operation(**row))
    return batches
