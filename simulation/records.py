"""What the shop, the CRM and the tills know about the people, with the dirt of daily work."""

import csv
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulation.ledger import DAYS, FIRST_DAY, LAST_DAY, Buyers, Column
from simulation.people import Owners, People

ODD_EMAIL = 0.05  # of e-mails typed in capitals or with blanks around
NO_PHONE = 0.20  # of records without phone: the field is optional
NO_EMAIL = 0.03  # of CRM contacts without e-mail: signed up on paper
PLACEHOLDER = 0.01  # of e-mails and of phones: staff had to fill in the field
PLACEHOLDER_EMAILS = np.array(["test@test.com", "noemail@example.com"], object)
PLACEHOLDER_PHONE = "0000000000"
ACCEPTS_MARKETING = 0.55  # of shop accounts ticked the box
IN_CRM = 0.70  # of shop people known to the CRM
HAS_CARD = 0.55  # of contacts hold a loyalty card
DUPLICATE_CONTACT = 0.03  # of contacts are a second entry of the same person
OTHER_EMAIL = 0.10  # of contacts gave the CRM another e-mail than the shop
RECEIPTS = 6_000 / 5_942  # receipts per account: about 66 a day at full size
WITH_CARD = 0.65  # of receipts show a loyalty card
STORES = np.array(["London", "Leeds", "Bristol", "Glasgow"], object)
# Purpose, channel, share of contacts who granted, share who refused; the rest were never asked.
CONSENTS = (
    ("marketing", "email", 0.60, 0.15),
    ("marketing", "sms", 0.20, 0.20),
    ("marketing", "ads", 0.25, 0.15),
    ("analytics", "any", 0.45, 0.10),
)
WITHDRAWN = 0.12  # of granted consents are withdrawn later, in a second row
CRM_OPENED = np.datetime64("2009-12-01", "s")
CRM_CLOSED = np.datetime64("2011-12-01", "s")  # a week before the end leaves room for changes
DAY = 86_400  # seconds
CONTACT_COLUMNS = (
    "contact_id integer primary key, first_name text, last_name text, email text, phone text, "
    "birth_date text, gender text, street text, city text, postcode text, country text, "
    "loyalty_number text, created_at text, updated_at text"
)
CONSENT_COLUMNS = (
    "consent_id integer primary key, contact_id integer, purpose text, channel text, "
    "is_granted integer, decided_at text, updated_at text"
)
RECEIPT_COLUMNS = (
    "receipt_id,line_number,store,sold_at,loyalty_number,stock_code,description,quantity,unit_price"
)


@dataclass(frozen=True)
class Contacts:
    """One entry per CRM contact: the position of its person, and its card if it has one."""

    person: Column
    is_duplicate: Column
    has_card: Column
    card: Column


@dataclass(frozen=True)
class Receipts:
    """One entry per receipt line, in order of time."""

    receipt: Column
    line_number: Column
    store: Column
    sold_at: Column
    card: Column
    product: Column
    quantity: Column


def text_of(times: Column) -> Column:
    """Times as 'YYYY-MM-DD HH:MM:SS'."""
    seconds = np.datetime_as_string(times.astype("datetime64[s]")).tolist()
    return np.array([text.replace("T", " ") for text in seconds], object)


def times_between(start: Column, end: Column, rng: np.random.Generator) -> Column:
    """A time between each start and end, to the second."""
    room = np.maximum((end - start).astype("timedelta64[s]").astype(int), 1)
    return np.asarray(start + rng.integers(0, room).astype("timedelta64[s]"))


def rate_among(can: Column, rate: float) -> float:
    """The rate among the records that can, for this rate among all records."""
    return float(rate * len(can) / max(can.sum(), 1))


def typed_emails(emails: Column, can_lack: Column, rng: np.random.Generator) -> Column:
    """E-mails as people type them; a placeholder only where the record can do without."""
    upper = np.array([email.upper() for email in emails], object)
    title = np.array([email.title() for email in emails], object)
    odd = np.choose(rng.integers(0, 3, len(emails)), [upper, title, " " + emails + "  "])
    typed = np.where(rng.random(len(emails)) < ODD_EMAIL, odd, emails)
    is_placeholder = can_lack & (rng.random(len(emails)) < rate_among(can_lack, PLACEHOLDER))
    return np.where(is_placeholder, rng.choice(PLACEHOLDER_EMAILS, len(emails)), typed)


def typed_phones(people: People, can_lack: Column, rng: np.random.Generator) -> Column:
    """Phones in one of their spellings; missing or a placeholder where the record can lack it."""
    size = len(people.phone)
    phones = people.phone_forms[np.arange(size), rng.integers(0, 4, size)]
    chance = rng.random(size)
    phones[can_lack & (chance < rate_among(can_lack, NO_PHONE))] = None
    phones[can_lack & (chance > 1 - rate_among(can_lack, PLACEHOLDER))] = PLACEHOLDER_PHONE
    return np.asarray(phones)


def has_phone(phones: Column) -> Column:
    """Whether each phone is one that reaches somebody."""
    return np.asarray((phones != None) & (phones != PLACEHOLDER_PHONE))  # noqa: E711


def make_accounts(buyers: Buyers, owners: Owners, people: People, seed: int) -> pa.Table:
    """One row per shop account."""
    rng = np.random.default_rng([seed, 3])
    holders = people.take(owners.person)
    by_email = owners.is_second & (rng.random(len(owners.person)) < 0.5)  # noqa: PLR2004
    by_phone = owners.is_second & ~by_email
    needs_phone = np.isin(owners.person, owners.person[by_phone])
    needs_email = np.isin(owners.person, owners.person[by_email])
    phones = typed_phones(holders, ~needs_phone, rng)
    wanted = np.where(by_phone, holders.other_email, holders.email)
    emails = typed_emails(wanted, has_phone(phones) & ~needs_email, rng)
    emails[by_email] = [email.upper() for email in holders.email[by_email]]
    created = buyers.first_at - rng.integers(DAY, 10 * DAY, len(phones)).astype("timedelta64[s]")
    return pa.table(
        {
            "user_id": pa.array(buyers.customer_id, pa.int64()),
            **{
                name: pa.array(values, pa.string())
                for name, values in {
                    "email": emails,
                    "first_name": holders.first_name,
                    "last_name": holders.last_name,
                    "phone": phones,
                    "street": holders.street,
                    "city": holders.city,
                    "postcode": holders.postcode,
                    "country": buyers.country,
                }.items()
            },
            "accepts_marketing": pa.array(rng.random(len(phones)) < ACCEPTS_MARKETING),
            "created_at": pa.array(created, pa.timestamp("us")),
            "updated_at": pa.array(times_between(created, buyers.last_at, rng), pa.timestamp("us")),
        }
    )


def write_table(path: Path, table: pa.Table) -> None:
    """The table as one parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def make_contacts(owners: Owners, people: People, seed: int) -> Contacts:
    """Who is in the CRM: most shop people, all prospects, and some of them twice."""
    rng = np.random.default_rng([seed, 4])
    size = len(people.person_id)
    is_known = (np.arange(size) >= owners.count) | (rng.random(size) < IN_CRM)
    known = rng.permutation(np.flatnonzero(is_known))
    again = rng.permutation(known)[
        : round(len(known) * DUPLICATE_CONTACT / (1 - DUPLICATE_CONTACT))
    ]
    numbers = rng.choice(10**8, len(known), replace=False)
    cards = np.array([f"LC{number:08d}" for number in numbers], object)
    has_card = rng.random(len(known)) < HAS_CARD / (1 - DUPLICATE_CONTACT)
    cards[~has_card] = None
    return Contacts(
        person=np.concatenate([known, again]),
        is_duplicate=np.arange(len(known) + len(again)) >= len(known),
        has_card=np.concatenate([has_card, np.zeros(len(again), bool)]),
        card=np.concatenate([cards, np.full(len(again), None)]),
    )


def make_contact_rows(
    contacts: Contacts, people: People, reached_by_phone: Column, seed: int
) -> list[Column]:
    """The columns of the CRM contacts, in table order.

    An e-mail is left out or replaced only where the person's phone is known elsewhere too, so
    that the CRM and the shop always share one of them.
    """
    rng = np.random.default_rng([seed, 5])
    persons = people.take(contacts.person)
    size = len(contacts.person)
    chance, free = rng.random(size), reached_by_phone[contacts.person]
    twice = np.isin(contacts.person, contacts.person[contacts.is_duplicate])
    has_other = free & (chance < OTHER_EMAIL) & (~twice | contacts.is_duplicate)
    can_lack = free & ~twice
    has_none = can_lack & (chance > 1 - rate_among(can_lack, NO_EMAIL))
    wanted = np.where(has_other, persons.other_email, persons.email)
    emails = typed_emails(wanted, can_lack, rng)
    emails[has_none] = None
    is_main = ~has_other & ~has_none & ~np.isin(emails, PLACEHOLDER_EMAILS)
    needs_phone = np.isin(contacts.person, contacts.person[has_other & contacts.is_duplicate])
    phones = typed_phones(persons, is_main & ~needs_phone, rng)
    created = times_between(np.full(size, CRM_OPENED), np.full(size, CRM_CLOSED), rng)
    updated = times_between(created, np.full(size, CRM_CLOSED), rng)
    return [
        np.arange(1, size + 1), persons.first_name, persons.last_name, emails, phones,
        np.datetime_as_string(persons.birth_date), persons.gender, persons.street, persons.city,
        persons.postcode, persons.country, contacts.card, text_of(created), text_of(updated),
    ]  # fmt: skip


def make_consent_rows(created: Column, seed: int) -> list[Column]:
    """The columns of the CRM consents, in table order, oldest decision first."""
    rng = np.random.default_rng([seed, 6])
    start = created.astype("datetime64[s]")
    parts = []
    for purpose, channel, granted, refused in CONSENTS:
        chance = rng.random(len(start))
        decided = times_between(start, np.full(len(start), CRM_CLOSED), rng)
        undone = times_between(decided, np.full(len(start), LAST_DAY.astype("datetime64[s]")), rng)
        first = np.flatnonzero(chance < granted + refused)
        second = np.flatnonzero(chance < granted * WITHDRAWN)
        contact = np.concatenate([first, second])
        is_granted = np.concatenate([chance[first] < granted, np.zeros(len(second), bool)])
        at = np.concatenate([decided[first], undone[second] + np.timedelta64(1, "s")])
        words = [np.full(len(contact), word, object) for word in (purpose, channel)]
        parts.append([contact + 1, *words, is_granted.astype(int), at])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[0], columns[4]))
    contact, purposes, channels, grants, at = (column[order] for column in columns)
    return [
        np.arange(1, len(at) + 1),
        contact,
        purposes,
        channels,
        grants,
        text_of(at),
        text_of(at),
    ]


def write_crm(path: Path, contacts: Sequence[Column], consents: Sequence[Column]) -> None:
    """The CRM database, the same bytes for the same rows."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("begin")
    for name, definition, columns in (
        ("contacts", CONTACT_COLUMNS, contacts),
        ("consents", CONSENT_COLUMNS, consents),
    ):
        connection.execute(f"create table {name} ({definition})")
        marks = ", ".join("?" * len(columns))
        rows = zip(*(column.tolist() for column in columns), strict=True)
        connection.executemany(f"insert into {name} values ({marks})", rows)
    connection.execute("commit")
    connection.close()


def make_receipts(accounts: int, cards: Column, products: int, seed: int) -> Receipts:
    """What the tills sold in the last days, to card holders and to strangers."""
    rng = np.random.default_rng([seed, 7])
    size = round(accounts * RECEIPTS)
    opened = np.sort(rng.integers(0, DAYS, size)) * DAY + rng.integers(9 * 3600, 18 * 3600, size)
    sold_at = FIRST_DAY.astype("datetime64[s]") + np.sort(opened).astype("timedelta64[s]")
    shown = np.full(size, None, object)
    if len(cards):
        zeal = rng.gamma(0.5, size=len(cards))
        is_shown = rng.random(size) < WITH_CARD
        shown[is_shown] = rng.choice(cards, is_shown.sum(), p=zeal / zeal.sum())
    lines = rng.integers(1, 6, size)
    receipt = np.repeat(np.arange(size), lines)
    return Receipts(
        receipt=receipt + 1,
        line_number=np.arange(len(receipt)) - np.repeat(lines.cumsum() - lines, lines) + 1,
        store=rng.choice(STORES, size)[receipt],
        sold_at=sold_at[receipt],
        card=shown[receipt],
        product=rng.integers(0, products, len(receipt)),
        quantity=rng.integers(1, 7, len(receipt)),
    )


def write_receipts(folder: Path, receipts: Receipts, catalogue: pa.Table) -> None:
    """One drop a day, also for days without a sale."""
    folder.mkdir(parents=True, exist_ok=True)
    sold = catalogue.take(pa.array(receipts.product))
    numbers = [f"R{number:07d}" for number in receipts.receipt]
    columns = (
        numbers, receipts.line_number, receipts.store, text_of(receipts.sold_at), receipts.card,
        sold["stock_code"].to_pylist(), sold["description"].to_pylist(), receipts.quantity,
        sold["price"].to_pylist(),
    )  # fmt: skip
    rows = list(zip(*columns, strict=True))
    days = FIRST_DAY + np.arange(DAYS + 1)
    edges = np.searchsorted(receipts.sold_at, days.astype("datetime64[s]"))
    for day, start, end in zip(days, edges[:-1], edges[1:], strict=False):
        with (folder / f"receipts_{day}.csv").open("w", newline="", encoding="utf-8") as file:
            file.write(RECEIPT_COLUMNS + "\n")
            csv.writer(file, lineterminator="\n").writerows(rows[start:end])
