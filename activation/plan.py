"""The difference between who is in an audience and what we delivered before."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from activation import ledger
from activation.destinations import Person
from activation.ledger import Operation
from activation.syncs import Sync
from settings import ForeseenError
from warehouse import Session

PAYLOAD = ("customer_id", "email", "first_name", "country_code")
MOST_REMOVED = 0.5  # of an audience in one go; more looks like an accident upstream
FEW = 20  # an audience this small may empty without asking

# What the destination holds: the last settled state of each person. Unknown counts as held, of a
# removal too: it is sent once more, under a new key.
HELD = """
select customer_id, operation, payload_hash, state
from (
    select *, row_number() over (partition by customer_id order by sequence desc) as recency
    from activation.deliveries
    where audience = ? and destination = ? and state in ('delivered', 'unknown')
) where recency = 1 and (operation <> 'remove' or state = 'unknown')
"""
DESIRED = f"""
select {", ".join(f"contacts.{column}" for column in PAYLOAD)},
    md5(concat_ws('|', {", ".join(f"coalesce(contacts.{column}, '~')" for column in PAYLOAD)}))
        as payload_hash
from audiences.audience_members as members
inner join customer_360.customer_contacts as contacts
    on members.customer_id = contacts.customer_id
where members.audience = ?
"""
# An operation the destination refused is not tried again until its payload changes.
REFUSED = """
select customer_id, operation, payload_hash
from (
    select *, row_number() over (partition by customer_id order by sequence desc) as recency
    from activation.deliveries
    where audience = ? and destination = ? and state <> 'planned'
) where recency = 1 and state = 'rejected'
"""
DIFFERENCE = """
with operations as (
    select coalesce(desired.customer_id, held.customer_id) as customer_id,
        case
            when held.customer_id is null then 'add'
            when desired.customer_id is null then 'remove'
            else 'update'
        end as operation,
        coalesce(desired.payload_hash, held.payload_hash) as payload_hash
    from desired
    full outer join held on desired.customer_id = held.customer_id
    where held.payload_hash is distinct from desired.payload_hash or held.state = 'unknown'
)
select operations.* from operations
left join refused on operations.customer_id = refused.customer_id
    and operations.operation = refused.operation
    and operations.payload_hash = refused.payload_hash
where refused.customer_id is null
order by operations.customer_id
"""


class MassRemovalError(ForeseenError):
    """A plan would take most people out of a destination."""


@dataclass(frozen=True)
class Plan:
    """The operations that make one destination equal to one audience."""

    sync: Sync
    operations: tuple[Operation, ...]
    held: int

    def count(self, operation: str) -> int:
        """How many operations of this kind."""
        return sum(1 for planned in self.operations if planned.operation == operation)

    def refuse_mass_removal(self) -> None:
        """Raise MassRemovalError when most of what the destination holds would go."""
        removed = self.count("remove")
        if removed > FEW and removed > MOST_REMOVED * self.held:
            raise MassRemovalError(
                f"{self.sync.name} would remove {removed} of {self.held} people. If that is meant,"
                " run `cdp apply --allow-mass-removal`; if not, look at what changed upstream."
            )


def plan(session: Session, sync: Sync) -> Plan:
    """What is to be sent now; nothing is written."""
    ledger.ensure(session)
    key = [sync.audience, sync.destination]
    session.register("held", session.read(HELD, key))
    session.register("desired", session.read(DESIRED, [sync.audience]))
    session.register("refused", session.read(REFUSED, key))
    operations = session.read(DIFFERENCE).to_pylist()
    held = session.number("select count(*) from held")
    return Plan(sync=sync, operations=tuple(Operation(**row) for row in operations), held=held)


def payloads(session: Session, operations: Sequence[Operation]) -> list[Person]:
    """What the destination is told of each person: a removal needs no more than who it is."""
    wanted = pa.table({"customer_id": [operation.customer_id for operation in operations]})
    session.register("wanted", wanted)
    contacts = session.read(
        f"select {', '.join(f'contacts.{column}' for column in PAYLOAD)}"
        " from customer_360.customer_contacts as contacts"
        " inner join wanted on contacts.customer_id = wanted.customer_id"
    )
    by_customer = {row["customer_id"]: row for row in contacts.to_pylist()}
    return [
        {
            "operation": operation.operation,
            **by_customer.get(operation.customer_id, {"customer_id": operation.customer_id}),
        }
        for operation in operations
    ]
