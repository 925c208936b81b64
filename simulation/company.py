"""The door: a company of any size, its sources' files, and apart from them the truth."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from simulation.ledger import (
    Column,
    buyers_in,
    catalogue_of,
    read_ledger,
    recent_orders,
    sampled,
    write_ledger,
)
from simulation.people import Owners, People, make_owners, make_people
from simulation.records import (
    Contacts,
    has_phone,
    make_accounts,
    make_consent_rows,
    make_contact_rows,
    make_contacts,
    make_receipts,
    write_crm,
    write_receipts,
    write_table,
)
from simulation.web import Owned, Visitors, write_web


@dataclass(frozen=True)
class CompanyFacts:
    """How much of everything the company has."""

    people: int
    accounts: int
    order_lines: int
    contacts: int
    consents: int
    cards: int
    receipts: int
    receipt_lines: int
    visitors: int
    events: int
    records: int


def make_company(home: Path, *, customers: int | None = None, seed: int = 7) -> CompanyFacts:
    """The facts of the company now in `home`.

    A company of the same seed and size that is there already is left alone: what a user erased
    since must not come back.
    """
    made = home / "company" / "made.json"
    asked = {"seed": seed, "customers": customers}
    stored = json.loads(made.read_text()) if made.exists() else {}
    if stored and {name: stored[name] for name in asked} == asked:
        return CompanyFacts(**stored["facts"])
    made.unlink(missing_ok=True)
    facts = write_company(home, customers, seed)
    made.write_text(json.dumps(asked | {"facts": asdict(facts)}, indent=2) + "\n")
    return facts


def write_company(home: Path, customers: int | None, seed: int) -> CompanyFacts:
    """The facts of a company just written: its sources first, then the truth about them."""
    whole = read_ledger()
    catalogue = catalogue_of(pa.concat_tables(whole))
    tables = whole
    if customers is not None:
        tables = sampled(whole, customers, np.random.default_rng([seed, 1]))
    write_ledger(home / "company" / "shop" / "order_lines", tables, whole=customers is None)
    return write_sources(home, pa.concat_tables(tables), catalogue, seed)


def write_sources(home: Path, lines: pa.Table, catalogue: pa.Table, seed: int) -> CompanyFacts:
    """The facts of all that people leave behind around these order lines."""
    buyers = buyers_in(lines)
    owners = make_owners(buyers, np.random.default_rng([seed, 0]))
    people = make_people(buyers, owners, seed)
    accounts = make_accounts(buyers, owners, people, seed)
    write_table(home / "company" / "shop" / "accounts" / "accounts.parquet", accounts)
    contacts, consents = write_contacts(home, owners, people, accounts, seed)
    cards = contacts.card[contacts.has_card]
    receipts = make_receipts(accounts.num_rows, cards, catalogue.num_rows, seed)
    write_receipts(home / "inbox" / "pos", receipts, catalogue)
    account_person, orders = people.person_id[owners.person], recent_orders(lines)
    web = home / "inbox" / "web"
    visitors, events = write_web(web, Owned(accounts, account_person), orders, catalogue, seed)
    records = records_of(accounts, account_person, people.person_id, contacts, visitors)
    write_table(home / "truth" / "people.parquet", people_table(people))
    write_table(home / "truth" / "records.parquet", records)
    return CompanyFacts(
        people=len(people.person_id),
        accounts=accounts.num_rows,
        order_lines=lines.num_rows,
        contacts=len(contacts.person),
        consents=consents,
        cards=len(cards),
        receipts=len(np.unique(receipts.receipt)),
        receipt_lines=len(receipts.receipt),
        visitors=len(visitors.anonymous_id),
        events=events,
        records=records.num_rows,
    )


def write_contacts(
    home: Path, owners: Owners, people: People, accounts: pa.Table, seed: int
) -> tuple[Contacts, int]:
    """The contacts of the CRM just written, and the number of their consents."""
    contacts = make_contacts(owners, people, seed)
    phones = accounts["phone"].to_numpy()
    reached = np.ones(len(people.person_id), bool)
    reached[owners.person[~has_phone(phones)]] = False
    rows = make_contact_rows(contacts, people, reached, seed)
    consents = make_consent_rows(rows[-2], seed)
    write_crm(home / "company" / "crm.sqlite", rows, consents)
    return contacts, len(consents[0])


def people_table(people: People) -> pa.Table:
    """One row per person the company could know by name."""
    names = ("person_id", "first_name", "last_name", "email", "phone", "birth_date", "household_id")
    types = {"birth_date": pa.date32()}
    return pa.table(
        {name: pa.array(getattr(people, name), types.get(name, pa.string())) for name in names}
    )


def records_of(
    accounts: pa.Table,
    account_person: Column,
    person_id: Column,
    contacts: Contacts,
    visitors: Visitors,
) -> pa.Table:
    """One row per record of any source: whose it truly is."""
    contact_person = person_id[contacts.person]
    contact_ids = np.arange(1, len(contacts.person) + 1)
    parts = (
        ("shop", "account", accounts["user_id"].to_numpy(), account_person),
        ("crm", "contact", contact_ids, contact_person),
        ("pos", "card", contacts.card[contacts.has_card], contact_person[contacts.has_card]),
        ("web", "visitor", visitors.anonymous_id, visitors.person_id),
    )
    return pa.concat_tables(records_part(*part) for part in parts)


def records_part(source: str, record_type: str, keys: Column, person: Column) -> pa.Table:
    """The records of one source."""
    return pa.table(
        {
            "source": pa.array([source] * len(keys), pa.string()),
            "record_type": pa.array([record_type] * len(keys), pa.string()),
            "record_key": pa.array([str(key) for key in keys], pa.string()),
            "person_id": pa.array(person, pa.string()),
        }
    )
