"""Who wants to hear from the company, and the decisions that its sources keep of that.

Each person has one wish per purpose and channel, which may change; the CRM, the box of an account
and the list of the e-mail tool are what they said of it at some time.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulation.ledger import Column
from simulation.personas import CLOSED
from simulation.population import Known, moments

# Purpose, channel, share of contacts who were ever asked, share of people who agree at first.
QUESTIONS = (
    ("marketing", "email", 0.75, 0.65),
    ("marketing", "sms", 0.40, 0.50),
    ("marketing", "ads", 0.40, 0.62),
    ("analytics", "any", 0.55, 0.82),
)
MAILINGS = ("marketing", "email")  # what a box and the list of the e-mail tool are about
WITHDRAWS = 0.25  # of people who agree do no longer some day
RETURNS = 0.15  # of them agree once more
CARELESS = 0.08  # of boxes are ticked, or left, against one's wish
STAYS_LISTED = 0.60  # of people who want no e-mail never unsubscribed
NEVER = np.datetime64("9999-01-01", "s")
SECOND = pa.timestamp("s")


@dataclass(frozen=True)
class Wishes:
    """Who agrees to one purpose and channel: at first, until when, and again from when on."""

    at_first: Column
    off_at: Column
    on_at: Column

    def at(self, person: Column, when: Column) -> Column:
        """Whether each person agrees at a time."""
        is_off = (self.off_at[person] <= when) & (when < self.on_at[person])
        return np.asarray(self.at_first[person] & ~is_off)


def make_wishes(people: int, seed: int) -> dict[tuple[str, str], Wishes]:
    """The wishes of everybody by purpose and channel."""
    return {
        (purpose, channel): wishes_of(people, willing, np.random.default_rng([seed, 35, number]))
        for number, (purpose, channel, _, willing) in enumerate(QUESTIONS)
    }


def wishes_of(people: int, willing: float, rng: np.random.Generator) -> Wishes:
    """The wishes of everybody about one purpose and channel."""
    at_first = rng.random(people) < willing
    off_at = moments(people, rng)
    on_at = between(off_at, rng)
    is_off = at_first & (rng.random(people) < WITHDRAWS)
    is_on = is_off & (rng.random(people) < RETURNS)
    return Wishes(at_first, np.where(is_off, off_at, NEVER), np.where(is_on, on_at, NEVER))


def between(start: Column, rng: np.random.Generator) -> Column:
    """A time after each start and before the end."""
    room = np.maximum((CLOSED - 2 - start.astype("datetime64[s]")).astype(int), 1)
    wait = (1 + rng.random(len(start)) * room).astype("timedelta64[s]")
    return np.asarray(np.minimum(start.astype("datetime64[s]") + wait, CLOSED - 1))


def boxes(wishes: Wishes, person: Column, at: Column, rng: np.random.Generator) -> Column:
    """The box for marketing of each account as it was opened."""
    return wishes.at(person, at) ^ (rng.random(len(person)) < CARELESS)


def listed(wishes: Wishes, person: Column, at: Column, rng: np.random.Generator) -> Column:
    """Whether each profile of the e-mail tool is still subscribed when it was last changed."""
    return wishes.at(person, at) | (rng.random(len(person)) < STAYS_LISTED)


def make_consents(
    contacts: Known, wishes: dict[tuple[str, str], Wishes], rng: np.random.Generator
) -> pa.Table:
    """Every decision in the CRM: `contact` (row), purpose, channel, is_granted, decided_at."""
    parts = [
        decisions(contacts, wishes[purpose, channel], (purpose, channel, asked), rng)
        for purpose, channel, asked, _ in QUESTIONS
    ]
    return pa.concat_tables(parts).sort_by(
        [("decided_at", "ascending"), ("contact", "ascending"), ("purpose", "ascending"),
         ("channel", "ascending")]
    )  # fmt: skip


def decisions(
    contacts: Known, wishes: Wishes, asked: tuple[str, str, float], rng: np.random.Generator
) -> pa.Table:
    """What the contacts who were asked said, and each later change of their minds."""
    purpose, channel, share = asked
    is_asked = rng.random(len(contacts.person)) < share
    first_at = between(contacts.since, rng)
    off_at, on_at = wishes.off_at[contacts.person], wishes.on_at[contacts.person]
    parts = [
        (rows, wishes.at(contacts.person[rows], at[rows]), at[rows])
        for at, happens in (
            (first_at, is_asked),
            (off_at, is_asked & (first_at < off_at) & (off_at < NEVER)),
            (on_at, is_asked & (first_at < on_at) & (on_at < NEVER)),
        )
        for rows in [np.flatnonzero(happens)]
    ]
    contact, is_granted, at = (np.concatenate(column) for column in zip(*parts, strict=True))
    return pa.table(
        {
            "contact": pa.array(contact, pa.int64()),
            "purpose": pa.repeat(pa.scalar(purpose), len(contact)),
            "channel": pa.repeat(pa.scalar(channel), len(contact)),
            "is_granted": pa.array(is_granted),
            "decided_at": pa.array(at, SECOND),
        }
    )


def consent_rows(contacts: Known, decided: pa.Table) -> pa.Table:
    """The CRM's table of consents."""
    size = decided.num_rows
    return pa.table(
        {
            "consent_id": pa.array(np.arange(1, size + 1), pa.int64()),
            "contact_id": contacts.key.take(decided["contact"].combine_chunks()),
            "purpose": decided["purpose"],
            "channel": decided["channel"],
            "is_granted": decided["is_granted"],
            "decided_at": decided["decided_at"],
            "updated_at": decided["decided_at"],
        }
    )


def crm_consents(contacts: Known, decided: pa.Table) -> pa.Table:
    """The decisions in the CRM as the truth keeps them: `person`, what, when."""
    person = contacts.person[decided["contact"].to_numpy()]
    return decided.set_column(0, "person", pa.array(person, pa.int32()))


def mail_consents(person: Column, is_granted: Column | bool, at: Column) -> pa.Table:
    """Decisions about marketing by e-mail as the truth keeps them."""
    size = len(person)
    purpose, channel = MAILINGS
    return pa.table(
        {
            "person": pa.array(person, pa.int32()),
            "purpose": pa.repeat(pa.scalar(purpose), size),
            "channel": pa.repeat(pa.scalar(channel), size),
            "is_granted": pa.array(np.broadcast_to(is_granted, size)),
            "decided_at": pa.array(at.astype("datetime64[s]"), SECOND),
        }
    )
