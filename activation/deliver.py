"""Sending plans: batch by batch, each written down before and after, so that a cut-off run is safe.

A batch that was cut off is sent again first, under its old id: destinations treat an id they have
seen as done. So nothing is missed, and nothing takes effect twice. An id names one body: where a
contact has changed since, the batch is not sent again but marked `unknown`, and its people are
planned anew under a new id.
"""

import fcntl
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import settings
import warehouse
from activation import ledger
from activation.destinations import (
    Batch,
    Destination,
    DestinationUnavailableError,
    Person,
    destination,
)
from activation.ledger import Operation, Result
from activation.plan import Plan, payloads, plan
from activation.syncs import Sync

PRIVATE = ("email", "first_name")  # what an answer may quote, and the ledger must not hold


@dataclass(frozen=True)
class Delivery:
    """What one sync sent, in people."""

    sync: Sync
    added: int = 0
    updated: int = 0
    removed: int = 0
    rejected: int = 0
    is_off: bool = False

    @property
    def delivered(self) -> int:
        """Operations the destination confirmed."""
        return self.added + self.updated + self.removed


def deliver(sync: Sync, *, allow_mass_removal: bool = False) -> Delivery:
    """Make one destination equal to one audience.

    Raises MassRemovalError, and DestinationUnavailableError when the destination does not answer;
    what was confirmed before stays confirmed, and the next run goes on from there.
    """
    target = destination(sync.destination)
    if target is None:
        return Delivery(sync=sync, is_off=True)
    with _alone():
        results = list(_finish_cut_off(sync, target))
        with warehouse.transaction() as session:
            planned = plan(session, sync)
        if not allow_mass_removal:
            planned.refuse_mass_removal()
        results += _send_plan(planned, target)
    return _count(sync, results)


def forget(sync: Sync, customer_id: str) -> bool:
    """Have the destination erase one person, when it holds them; whether it did.

    Raises DestinationUnavailableError when it holds them and is switched off or does not answer.
    """
    with warehouse.transaction() as session:
        ledger.ensure(session)
        known = session.read(
            "select 1 as one from activation.deliveries"
            " where audience = ? and destination = ? and customer_id = ? limit 1",
            [sync.audience, sync.destination, customer_id],
        )
        told = payloads(session, [Operation(customer_id, "remove", "")])
    if not known.num_rows:
        return False
    target = destination(sync.destination)
    if target is None:
        raise DestinationUnavailableError(
            f"{sync.name}: {sync.destination} holds this person but is switched off. Switch it on"
            " and run `cdp erase` again: the erasure goes on where it stopped."
        )
    target.erase(sync.audience, told[0])
    return True


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for other deliveries to end: two at once would both send what neither has confirmed."""
    path = settings.home() / "delivery.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _finish_cut_off(sync: Sync, target: Destination) -> Iterator[Result]:
    with warehouse.transaction() as session:
        ledger.ensure(session)
        batches = ledger.cut_off(session, sync)
    for batch_id, operations in batches.items():
        with warehouse.transaction() as session:
            batch = _pack(session, sync, operations, serial=batch_id.partition("-")[0])
            if batch.batch_id != batch_id:
                unknown = [Result(operation, "unknown") for operation in operations]
                ledger.record(session, sync, batch_id, unknown)
                continue
        yield from _send(sync, target, batch, operations)


def _send_plan(planned: Plan, target: Destination) -> Iterator[Result]:
    for start in range(0, len(planned.operations), target.batch_size):
        operations = planned.operations[start : start + target.batch_size]
        with warehouse.transaction() as session:
            serial = str(ledger.last_sequence(session) + 1)
            batch = _pack(session, planned.sync, operations, serial=serial)
            intents = [Result(operation, "planned") for operation in operations]
            ledger.record(session, planned.sync, batch.batch_id, intents)
        yield from _send(planned.sync, target, batch, operations)


def _send(
    sync: Sync, target: Destination, batch: Batch, operations: Sequence[Operation]
) -> list[Result]:
    rejected = target.send(batch)
    if rejected:
        rejected = _without_values(rejected, batch.people)
    results = [_result(operation, rejected) for operation in operations]
    with warehouse.transaction() as session:
        ledger.record(session, sync, batch.batch_id, results)
    return results


def _result(operation: Operation, rejected: Mapping[str, str]) -> Result:
    answer = rejected.get(operation.customer_id)
    return (
        Result(operation, "delivered") if answer is None else Result(operation, "rejected", answer)
    )


def _pack(
    session: warehouse.Session, sync: Sync, operations: Sequence[Operation], *, serial: str
) -> Batch:
    """The batch as it would be sent now; its id is a number no batch had before and its content."""
    people = payloads(session, operations)
    content = json.dumps([sync.audience, sync.destination, people], sort_keys=True)
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:32]
    return Batch(batch_id=f"{serial}-{fingerprint}", audience=sync.audience, people=people)


def _without_values(answers: Mapping[str, str], people: Sequence[Person]) -> dict[str, str]:
    """The answers with what was sent of these people left out."""
    values = {value for person in people for field in PRIVATE if (value := person.get(field))}
    spelled = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    quoted = re.compile(rf"(?<!\w)(?:{spelled})(?!\w)", re.IGNORECASE)
    return {
        customer_id: quoted.sub("...", answer) if values else answer
        for customer_id, answer in answers.items()
    }


def _count(sync: Sync, results: list[Result]) -> Delivery:
    def delivered(operation: str) -> int:
        return sum(
            1 for r in results if r.state == "delivered" and r.operation.operation == operation
        )

    return Delivery(
        sync=sync,
        added=delivered("add"),
        updated=delivered("update"),
        removed=delivered("remove"),
        rejected=sum(1 for r in results if r.state == "rejected"),
    )
