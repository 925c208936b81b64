"""Who a request is about: one customer, found by any identifier, and all that points to them."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

import warehouse
from identity.phones import forms
from settings import ForeseenError
from warehouse import RawTable, Session
from warehouse.lake import identifier_sql


class PersonNotFoundError(ForeseenError):
    """No customer has this identifier."""


@dataclass(frozen=True)
class Person:
    """One customer, their records, and the identifiers that are theirs alone."""

    customer_id: str
    record_keys: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]  # type and value

    def to_json(self) -> str:
        """The person as text, for the journal of an erasure."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Person":
        """The person that `to_json` wrote."""
        fields = json.loads(text)
        return cls(
            customer_id=fields["customer_id"],
            record_keys=tuple(fields["record_keys"]),
            identifiers=tuple((kind, value) for kind, value in fields["identifiers"]),
        )

    @property
    def pointers(self) -> tuple[tuple[str, str], ...]:
        """The identifiers, and what partners and DMPs hold in the place of an e-mail: its hash."""
        emails = [value for kind, value in self.identifiers if kind == "email"]
        hashes = [hashlib.sha256(email.encode()).hexdigest() for email in emails]
        return (*self.identifiers, *(("email_sha256", value) for value in hashes))

    def values(self, kinds: Iterable[str]) -> list[str]:
        """The values of these kinds of identifier."""
        wanted = set(kinds)
        return [value for kind, value in self.pointers if kind in wanted]

    def answers_to(self, identifier: str) -> bool:
        """Whether this is the person's customer id or one of the identifiers."""
        known = {self.customer_id, *(value for _, value in self.identifiers)}
        return not known.isdisjoint(forms(identifier))


def find(identifier: str) -> Person:
    """The customer with this customer id, e-mail, phone, card, user or device.

    A value that several customers share, such as a family's mailbox, finds nobody: raises
    PersonNotFoundError with the customer ids to choose from.
    """
    with warehouse.transaction() as session:
        customers = _customers(session, identifier)
        if len(customers) != 1:
            raise PersonNotFoundError(_advice(identifier, customers))
        return _person(session, customers[0])


def owns(
    table: RawTable, person: Person, value_of: Callable[[str], str] = identifier_sql
) -> tuple[str, list[str]]:
    """The SQL condition, and its parameters, for the rows of a raw table about this person."""
    conditions, params = ["false"], []
    for column, kind in table.identifiers.items():
        values = person.values([kind])
        if values:
            marks = ", ".join("?" for _ in values)
            conditions.append(f"lower(trim({value_of(column)})) in ({marks})")
            params += values
    return f"coalesce({' or '.join(conditions)}, false)", params


def _customers(session: Session, identifier: str) -> list[str]:
    wanted, phone = forms(identifier)
    rows = session.read(
        "select distinct coalesce(redirects.customer_id, found.customer_id) as customer_id from"
        " (select customer_id from identity.customers where customer_id = ? and status <> 'retired'"
        "  union select customer_id from identity.customer_identifiers"
        "  where identifier_value in (?, ?)) as found"
        " left join identity.customer_id_redirects as redirects"
        " on found.customer_id = redirects.old_customer_id order by customer_id",
        [wanted, wanted, phone],
    )
    return list(rows.column("customer_id").to_pylist())


def _person(session: Session, customer_id: str) -> Person:
    records = session.read(
        "select record_key from identity.identity_map where customer_id = ? order by record_key",
        [customer_id],
    )
    identifiers = session.read(
        "select identifier_type, identifier_value from identity.customer_identifiers"
        " group by identifier_type, identifier_value"
        " having min(customer_id) = ? and max(customer_id) = ?"
        " order by identifier_type, identifier_value",
        [customer_id, customer_id],
    )
    return Person(
        customer_id=customer_id,
        record_keys=tuple(records.column("record_key").to_pylist()),
        identifiers=tuple(_pairs(identifiers.to_pylist())),
    )


def _pairs(rows: list[Mapping[str, str]]) -> Iterable[tuple[str, str]]:
    return ((row["identifier_type"], row["identifier_value"]) for row in rows)


def _advice(identifier: str, customers: list[str]) -> str:
    if customers:
        return f"{identifier} is shared by {', '.join(customers)}: ask again with one of these ids."
    return (
        f"No customer has the identifier {identifier}. Give a customer id, e-mail, phone with"
        " country code, loyalty number, user id or anonymous id, as `cdp profile` does."
    )
