"""What each source says of people, with the dirt of daily work, and whose each record truly is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.consents import MAILINGS, Wishes, boxes, listed, make_wishes
from simulation.dirt import (
    PLACEHOLDER_EMAILS,
    PLACEHOLDER_NAMES,
    PLACEHOLDER_PHONES,
    SHAPES,
    SOUNDS,
    Dirt,
    Marked,
    put,
    struck,
    valid,
    with_choice,
    with_digit_slips,
    with_email_slips,
    with_first_days,
    with_initials,
    with_nicknames,
    with_odd_case,
    with_others,
    with_rules,
    with_slips,
    with_swapped_days,
    without,
)
from simulation.ledger import LAST_DAY, Column
from simulation.names import COUNTRIES, latin_names, ranks
from simulation.phones import spellings
from simulation.population import Population, moments, pick

IN_CRM, HOLDER_IN_CRM = 0.45, 0.95  # of people without and with a loyalty card; all leads
IN_EMAIL = 0.50  # of people are in the e-mail tool
IN_SUPPORT, IN_SOCIAL = 0.15, 0.12  # of people asked for help, wrote about us
SHOWN = (0.60, 0.25, 0.15)  # of social profiles show first and last name, the first, none
NETWORKS = ("instagram", "facebook", "x")
SETTLED = LAST_DAY - np.timedelta64(7, "D")  # a week before the end leaves room for changes
PLAIN = 0.45  # of phones are written as one number

# Shares of missing values by source; an address is there as a whole or not at all.
MISSING = {
    "shop.accounts": {"phone": 0.25, "address": 0.12},
    "shop.order_contacts": {"email": 0.03, "phone": 0.35, "first_name": 0.02, "last_name": 0.01},
    "crm.contacts": {
        "email": 0.12, "phone": 0.25, "birth_date": 0.45, "gender": 0.10, "address": 0.20,
        "first_name": 0.02,
    },
    "email.profiles": {"first_name": 0.35, "last_name": 0.45, "phone": 0.85, "country": 0.30},
    "support.users": {"name": 0.05, "email": 0.08, "phone": 0.55},
    "social.profiles": {"email": 0.75},
}  # fmt: skip
KINDS = {
    "shop.accounts": "account", "shop.order_contacts": "order", "crm.contacts": "contact",
    "pos.cards": "card", "email.profiles": "profile", "support.users": "user",
    "social.profiles": "profile",
}  # fmt: skip
ADDRESS = ("street", "city", "postcode")
TOGETHER = {"address": ADDRESS, "name": ("name", "first_name", "last_name", "names")}


@dataclass(frozen=True)
class Records:
    """One raw table about people; in the same order whose each row is, and the truth about it."""

    table: pa.Table
    person: Column
    truth: pa.Table


@dataclass(frozen=True)
class Told:
    """What a source was told about people at a time, and what is wrong with each field of it."""

    columns: dict[str, pa.Array]
    wrong: dict[tuple[str, str], Column]  # (field, what is wrong)

    def __or__(self, other: "Told") -> "Told":
        """Both together."""
        return Told(self.columns | other.columns, self.wrong | other.wrong)


def about(field: str, values: pa.Array, **wrong: Column) -> Told:
    """One field and what is wrong with it, where it says anything."""
    known = valid(values)
    return Told({field: values}, {(field, name): hit & known for name, hit in wrong.items()})


@dataclass(frozen=True)
class Teller:
    """People (rows of `people`) who tell a source about themselves, each at a time."""

    people: pa.Table
    person: Column
    at: Column
    dirt: Dirt
    rng: np.random.Generator

    def true(self, column: str) -> pa.Array:
        """The column as it is on the last day."""
        return pick(self.people[column], self.person)

    def remembers(self, changed_on: str) -> Column:
        """Who tells what held before a change: it had not happened, or was not passed on."""
        day = self.true(changed_on).to_numpy(zero_copy_only=False).astype("datetime64[s]")
        is_silent = self.rng.random(len(day)) < self.dirt.stale
        return np.asarray(~np.isnat(day) & ((day > self.at) | is_silent))

    def before(self, column: str, earlier: str, hit: Column) -> pa.Array:
        """The column, with what it was before where hit."""
        return put(self.true(column), hit, pick(self.people[earlier], self.person[hit]))


def names_told(teller: Teller) -> Told:
    """First and last names: maiden, nick- and misspelt names, initials, placeholders, swapped."""
    dirt, rng, maiden = teller.dirt, teller.rng, teller.remembers("married_on")
    nick = with_nicknames(teller.true("first_name"), dirt.nickname, rng)
    initial = with_initials(nick.values, dirt.initial, rng)
    first = misspelt("first_name", initial.values, dirt, rng)
    first |= about(
        "first_name", first.columns["first_name"], nickname=nick.hit, initial=initial.hit
    )
    first = replaced(first, PLACEHOLDER_NAMES, dirt.placeholder_name, "placeholder_name", rng)
    last = misspelt("last_name", teller.before("last_name", "maiden_name", maiden), dirt, rng)
    last |= about("last_name", last.columns["last_name"], maiden_name=maiden)
    return swapped(cased(first, dirt, rng) | cased(last, dirt, rng), dirt, rng)


def misspelt(field: str, values: pa.Array, dirt: Dirt, rng: np.random.Generator) -> Told:
    """The values with typos of three kinds."""
    slip = with_slips(values, dirt.keyboard_typo, rng)
    sound = with_rules(slip.values, SOUNDS, dirt.phonetic_typo, rng)
    shape = with_rules(sound.values, SHAPES, dirt.ocr_typo, rng)
    hits = {"keyboard_typo": slip.hit, "phonetic_typo": sound.hit, "ocr_typo": shape.hit}
    return about(field, shape.values, typo=slip.hit | sound.hit | shape.hit, **hits)


def replaced(
    told: Told, choices: tuple[str, ...], rate: float, kind: str, rng: np.random.Generator
) -> Told:
    """One field told, a share of its values replaced: nothing else is wrong with those."""
    ((field, values),) = told.columns.items()
    nobody = with_choice(values, choices, rate, rng)
    wrong = {key: hit & ~nobody.hit for key, hit in told.wrong.items()}
    return Told({field: nobody.values}, wrong | {(field, kind): nobody.hit})


def cased(told: Told, dirt: Dirt, rng: np.random.Generator) -> Told:
    """One field told, a share of its values in odd case."""
    ((field, values),) = told.columns.items()
    odd = with_odd_case(values, dirt.odd_case, rng)
    return told | about(field, odd.values, odd_case=odd.hit)


def swapped(told: Told, dirt: Dirt, rng: np.random.Generator) -> Told:
    """Names told, a share of them in each other's field."""
    first, last = told.columns["first_name"], told.columns["last_name"]
    hit = struck(valid(first) & valid(last), dirt.swapped_name, rng)
    names = {
        "first_name": pc.if_else(pa.array(hit), last, first),
        "last_name": pc.if_else(pa.array(hit), first, last),
    }
    return told | Told(names, {("names", "swapped_name"): hit})


def email_told(teller: Teller) -> Told:
    """An e-mail: the own one, an old, second, shared or wrong one, mistyped or a placeholder."""
    dirt, rng, old = teller.dirt, teller.rng, teller.remembers("email_changed_on")
    own = teller.before("email", "old_email", old)
    second = with_others(own, teller.true("second_email"), dirt.second_email, rng)
    shared = with_others(second.values, teller.true("shared_email"), dirt.shared_email, rng)
    other = rng.integers(0, max(teller.people.num_rows, 1), len(old))
    wrong = with_others(shared.values, pick(teller.people["email"], other), dirt.wrong_email, rng)
    slip = with_email_slips(wrong.values, dirt.email_typo, rng)
    told = about(
        "email",
        slip.values,
        old_email=old & ~second.hit & ~shared.hit & ~wrong.hit,
        second_email=second.hit & ~shared.hit & ~wrong.hit,
        shared_email=shared.hit & ~wrong.hit,
        wrong_email=wrong.hit,
        email_typo=slip.hit,
    )
    told = replaced(told, PLACEHOLDER_EMAILS, dirt.placeholder_email, "placeholder_email", rng)
    return cased(told, dirt, rng)


def phone_told(teller: Teller, country: pa.Array | None) -> Told:
    """A phone: mobile, landline of the household, an old one, mistyped, or a placeholder.

    It is written as people of the country do only where the source is told a country.
    """
    dirt, rng, old = teller.dirt, teller.rng, teller.remembers("phone_changed_on")
    own = teller.before("phone", "old_phone", old)
    shared = with_others(own, teller.true("landline"), dirt.shared_phone, rng)
    again = pc.is_in(shared.values, value_set=recycled(teller.people))
    slip = with_digit_slips(shared.values, dirt.phone_typo, rng)
    spelt = spelled(slip.values, teller.true("country_code"), country, rng)
    told = about(
        "phone",
        spelt.values,
        old_phone=old & ~shared.hit,
        shared_phone=shared.hit,
        recycled_phone=again.to_numpy(zero_copy_only=False),
        phone_typo=slip.hit,
        odd_phone_form=spelt.hit,
    )
    return replaced(told, PLACEHOLDER_PHONES, dirt.placeholder_phone, "placeholder_phone", rng)


def recycled(people: pa.Table) -> pa.Array:
    """The phones that somebody gave up and somebody else has now."""
    given_up = people["old_phone"].drop_null().combine_chunks()
    phones = people["phone"].combine_chunks()
    return pc.unique(phones.filter(pc.is_in(phones, value_set=given_up)))


def spelled(
    phones: pa.Array, region: pa.Array, country: pa.Array | None, rng: np.random.Generator
) -> Marked:
    """The phones in one of their spellings."""
    forms, size = spellings(phones, region), len(phones)
    if country is None:
        is_local = np.zeros(size, bool)
    else:
        is_local = pc.is_in(country, value_set=pa.array(COUNTRIES)).to_numpy(zero_copy_only=False)
    form = np.where(is_local, rng.integers(1, 5, size), rng.integers(1, 3, size))
    form[rng.random(size) < PLAIN] = 0
    return Marked(pc.choose(pa.array(form), *forms), form > 0)


def address_told(teller: Teller) -> Told:
    """Street, city and postcode, perhaps those of before a move, the street perhaps misspelt."""
    old = teller.remembers("moved_on")
    where = {name: teller.before(name, f"old_{name}", old) for name in ADDRESS}
    slip = with_slips(where["street"], teller.dirt.keyboard_typo, teller.rng)
    shape = with_rules(slip.values, SHAPES, teller.dirt.ocr_typo, teller.rng)
    return Told(where, {}) | about(
        "street",
        shape.values,
        old_address=old,
        keyboard_typo=slip.hit,
        ocr_typo=shape.hit,
        typo=slip.hit | shape.hit,
    )


def birth_told(teller: Teller) -> Told:
    """Gender and birth date, perhaps day and month swapped, or the first of January."""
    born = teller.true("birth_date").to_numpy(zero_copy_only=False).astype("datetime64[D]")
    dates, swap = with_swapped_days(born, teller.dirt.birth_date_swap, teller.rng)
    dates, first = with_first_days(dates, teller.dirt.birth_date_placeholder, teller.rng)
    told = about(
        "birth_date",
        pa.array(dates, pa.date32()),
        birth_date_swap=swap & ~first,
        birth_date_placeholder=first,
    )
    return told | about("gender", teller.true("gender"))


def without_missing(told: Told, source: str, dirt: Dirt, rng: np.random.Generator) -> Told:
    """What is left when people skip fields: nothing is wrong with what is not said."""
    for field, rate in MISSING[source].items():
        parts = TOGETHER.get(field, (field,))
        gone = without(told.columns[parts[0]], rate * dirt.missing, rng).hit
        left = {part: blanked(told.columns[part], gone) for part in parts if part in told.columns}
        wrong = {key: hit & ~gone if key[0] in parts else hit for key, hit in told.wrong.items()}
        told = Told(told.columns | left, wrong | {(field, f"missing_{field}"): gone})
    return told


def blanked(values: pa.Array, hit: Column) -> pa.Array:
    """The values, null where hit."""
    return pc.if_else(pa.array(hit), pa.scalar(None, values.type), values)


def records_of(
    name: str, keys: pa.Array, table: Mapping[str, pa.Array], told: Told, teller: Teller
) -> Records:
    """The raw table, and the truth about its records."""
    source, kind = name.split(".", maxsplit=1)[0], KINDS[name]
    size = len(keys)
    truth = pa.table({
        "record_key": pc.binary_join_element_wise(f"{source}:{kind}:", keys, ""),
        "source": pa.repeat(pa.scalar(source), size),
        "record_type": pa.repeat(pa.scalar(kind), size),
        "person_id": teller.true("person_id"),
        "dirt": dirt_lists(told.wrong, size),
    })  # fmt: skip
    return Records(pa.table(dict(table)), teller.person, truth)


def dirt_lists(wrong: Mapping[tuple[str, str], Column], size: int) -> pa.Array:
    """The names of what is wrong with each record, in order of name."""
    names = sorted({name for _, name in wrong})
    hits = np.zeros((size, len(names)), bool)
    for (_, name), hit in wrong.items():
        hits[:, names.index(name)] |= hit
    edges = np.concatenate([[0], hits.sum(axis=1).cumsum()]).astype(np.int32)
    values = pa.array(names, pa.string()).take(pa.array(np.nonzero(hits)[1]))
    return pa.ListArray.from_arrays(pa.array(edges), values)


def make_records(
    population: Population, guest_orders: pa.Table, dirt: Dirt, seed: int
) -> dict[str, Records]:
    """The records of all sources that know people by name, under the names of their raw tables.

    `guest_orders` has one row per order of a guest: invoice, person (row of people), ordered_at.
    """
    rng = np.random.default_rng([seed, 21])
    wishes = make_wishes(population.people.num_rows, seed)[MAILINGS]
    return {
        "shop.accounts": accounts(population, wishes, dirt, rng),
        "shop.order_contacts": order_contacts(population, guest_orders, dirt, rng),
        "crm.contacts": contacts(population, dirt, rng),
        "pos.cards": cards(population, dirt, rng),
        "email.profiles": email_profiles(population, wishes, dirt, rng),
        "support.users": support_users(population, dirt, rng),
        "social.profiles": social_profiles(population, dirt, rng),
    }


def with_guests(
    records: dict[str, Records], population: Population, orders: pa.Table, dirt: Dirt, seed: int
) -> dict[str, Records]:
    """The records, and the contacts that made-up guests gave for these orders."""
    known = records["shop.order_contacts"]
    more = order_contacts(population, orders, dirt, np.random.default_rng([seed, 22]))
    both = Records(
        pa.concat_tables([known.table, more.table]),
        np.concatenate([known.person, more.person]),
        pa.concat_tables([known.truth, more.truth]),
    )
    return records | {"shop.order_contacts": both}


def later(start: Column, rng: np.random.Generator) -> Column:
    """A time between each start and a week before the end."""
    end = SETTLED.astype("datetime64[s]")
    room = np.maximum((end - start).astype("timedelta64[s]").astype(np.int64), 1)
    return np.asarray(start + (rng.random(len(start)) * room).astype("timedelta64[s]"))


def times(values: Column) -> pa.Array:
    """Times to the second as the raw tables keep them."""
    return pa.array(values.astype("datetime64[us]"), pa.timestamp("us"))


def numbered(mark: str, numbers: Column) -> pa.Array:
    """Keys such as P0000012."""
    digits = pc.utf8_lpad(pa.array(numbers.astype(str), pa.string()), 7, "0")
    return pc.binary_join_element_wise(mark, digits, "")


def accounts(
    population: Population, wishes: Wishes, dirt: Dirt, rng: np.random.Generator
) -> Records:
    """The accounts of the shop; a second one has another address, or the same in capitals."""
    table, name = population.accounts, "shop.accounts"
    created = table["opened_at"].to_numpy().astype("datetime64[s]")
    teller = Teller(population.people, table["person"].to_numpy(), later(created, rng), dirt, rng)
    country, second = teller.true("country"), table["is_second"].to_numpy()
    told = (
        email_told(teller) | names_told(teller) | phone_told(teller, country) | address_told(teller)
    )
    told = again_signed_up(told, teller, second)
    told = without_missing(told, name, dirt, rng)
    given = told.columns
    raw = {
        "user_id": table["user_id"].combine_chunks(),
        "email": given["email"], "first_name": given["first_name"],
        "last_name": given["last_name"], "phone": given["phone"], "street": given["street"],
        "city": given["city"], "postcode": given["postcode"], "country": country,
        "accepts_marketing": pa.array(boxes(wishes, teller.person, created, rng)),
        "created_at": times(created), "updated_at": times(teller.at),
    }  # fmt: skip
    return records_of(name, raw["user_id"].cast(pa.string()), raw, told, teller)


def again_signed_up(told: Told, teller: Teller, second: Column) -> Told:
    """What is told, with another address where it is a second account, or the same in capitals."""
    other = pc.coalesce(teller.true("second_email"), pc.utf8_upper(teller.true("email")))
    email = pc.if_else(pa.array(second), other, told.columns["email"])
    wrong = {key: hit & ~second if key[0] == "email" else hit for key, hit in told.wrong.items()}
    return Told(told.columns | {"email": email}, wrong | {("user_id", "second_account"): second})


def order_contacts(
    population: Population, orders: pa.Table, dirt: Dirt, rng: np.random.Generator
) -> Records:
    """The contacts that guests gave for their orders."""
    name, ordered = "shop.order_contacts", orders["ordered_at"].to_numpy().astype("datetime64[s]")
    teller = Teller(population.people, orders["person"].to_numpy(), ordered, dirt, rng)
    country = teller.true("country")
    told = (
        email_told(teller) | names_told(teller) | phone_told(teller, country) | address_told(teller)
    )
    told = without_missing(told, name, dirt, rng)
    fields = ("email", "phone", "first_name", "last_name", "street", "city", "postcode")
    raw = {"invoice": orders["invoice"].combine_chunks()}
    raw |= {field: told.columns[field] for field in fields}
    raw |= {"country": country, "ordered_at": times(ordered)}
    return records_of(name, raw["invoice"], raw, told, teller)


def contacts(population: Population, dirt: Dirt, rng: np.random.Generator) -> Records:
    """The contacts of the CRM: all leads, most card holders, many others, some of them twice."""
    name, (person, is_again) = "crm.contacts", known_to_crm(population, dirt, rng)
    created = moments(len(person), rng)
    teller = Teller(population.people, person, later(created, rng), dirt, rng)
    country = teller.true("country")
    told = email_told(teller) | names_told(teller) | phone_told(teller, country)
    told |= (
        address_told(teller)
        | birth_told(teller)
        | Told({}, {("contact_id", "duplicate"): is_again})
    )
    told = without_missing(told, name, dirt, rng)
    raw = {"contact_id": pa.array(np.arange(1, len(person) + 1), pa.int64())}
    told |= Told({"job_title": teller.true("job_title")}, {})
    fields = ("first_name", "last_name", "email", "phone", "birth_date", "gender", "job_title")
    raw |= {field: told.columns[field] for field in (*fields, *ADDRESS)}
    raw |= {
        "country": country, "loyalty_number": cards_told(population, teller, is_again),
        "created_at": times(created), "updated_at": times(teller.at),
    }  # fmt: skip
    return records_of(name, raw["contact_id"].cast(pa.string()), raw, told, teller)


def known_to_crm(
    population: Population, dirt: Dirt, rng: np.random.Generator
) -> tuple[Column, Column]:
    """The person of each contact, in no order, and whether it is an entry too many."""
    people = population.people
    has_card = np.zeros(people.num_rows, bool)
    has_card[population.cards["person"].to_numpy()] = True
    is_lead = people["is_prospect"].to_numpy()
    rate = np.where(is_lead, 1.0, np.where(has_card, HOLDER_IN_CRM, IN_CRM))
    once = np.flatnonzero(rng.random(people.num_rows) < rate)
    again = once[rng.random(len(once)) < dirt.duplicate / (1 - dirt.duplicate)]
    order = rng.permutation(len(once) + len(again))
    return np.concatenate([once, again])[order], order >= len(once)


def cards_told(population: Population, teller: Teller, is_again: Column) -> pa.Array:
    """The card of each contact: the newest one issued; an entry too many knows only a lost one."""
    cards, size = population.cards, teller.people.num_rows
    person, second = cards["person"].to_numpy(), cards["is_second"].to_numpy()
    row = np.full((2, size), -1)
    row[second.astype(int), person] = np.arange(cards.num_rows)
    issued = np.append(cards["issued_at"].to_numpy().astype("datetime64[s]"), SETTLED + 1)
    first, newer = row[0, teller.person], row[1, teller.person]
    shown = np.where((newer >= 0) & (issued[newer] <= teller.at), newer, first)
    shown = np.where(is_again, np.where(newer >= 0, first, -1), shown)
    known = pa.array(shown, mask=shown < 0)
    return cards["loyalty_number"].combine_chunks().take(known)


def cards(population: Population, dirt: Dirt, rng: np.random.Generator) -> Records:
    """The loyalty cards, of which the tills know the number alone."""
    table = population.cards
    at = table["issued_at"].to_numpy().astype("datetime64[s]")
    teller = Teller(population.people, table["person"].to_numpy(), at, dirt, rng)
    number = table["loyalty_number"].combine_chunks()
    told = Told({}, {("loyalty_number", "second_card"): table["is_second"].to_numpy()})
    # The platform compares card numbers in small letters, so the key of the record has them.
    return records_of("pos.cards", pc.utf8_lower(number), {"loyalty_number": number}, told, teller)


def some(population: Population, rate: float, rng: np.random.Generator) -> Column:
    """A share of all people, in no order."""
    size = population.people.num_rows
    return rng.permutation(np.flatnonzero(rng.random(size) < rate))


def email_profiles(
    population: Population, wishes: Wishes, dirt: Dirt, rng: np.random.Generator
) -> Records:
    """The profiles of the e-mail tool: an address, and little more."""
    name, person = "email.profiles", some(population, IN_EMAIL, rng)
    created = moments(len(person), rng)
    teller = Teller(population.people, person, later(created, rng), dirt, rng)
    told = email_told(teller) | names_told(teller) | phone_told(teller, None)
    told |= Told({"country": teller.true("country")}, {})
    told = without_missing(told, name, dirt, rng)
    raw = {"profile_id": numbered("P", 1 + np.arange(len(person)))}
    fields = ("email", "first_name", "last_name", "phone", "country")
    raw |= {field: told.columns[field] for field in fields}
    raw |= {
        "is_subscribed": pa.array(listed(wishes, person, teller.at, rng)),
        "created_at": times(created), "updated_at": times(teller.at),
    }  # fmt: skip
    return records_of(name, raw["profile_id"], raw, told, teller)


def support_users(population: Population, dirt: Dirt, rng: np.random.Generator) -> Records:
    """The users of the help desk, their name in one field."""
    name, person = "support.users", some(population, IN_SUPPORT, rng)
    created = moments(len(person), rng)
    teller = Teller(population.people, person, later(created, rng), dirt, rng)
    told = email_told(teller) | names_told(teller) | phone_told(teller, None)
    told |= Told({"name": full_names(told)}, {})
    told = without_missing(told, name, dirt, rng)
    raw = {"user_id": numbered("U", 1 + np.arange(len(person)))}
    raw |= {field: told.columns[field] for field in ("name", "email", "phone")}
    raw |= {"created_at": times(created), "updated_at": times(teller.at)}
    return records_of(name, raw["user_id"], raw, told, teller)


def full_names(told: Told) -> pa.Array:
    """First and last name in one."""
    return pc.binary_join_element_wise(
        pc.utf8_trim_whitespace(told.columns["first_name"]), told.columns["last_name"], " "
    )


def social_profiles(population: Population, dirt: Dirt, rng: np.random.Generator) -> Records:
    """The profiles of social networks: a handle, a name of sorts, seldom an e-mail."""
    name, person = "social.profiles", some(population, IN_SOCIAL, rng)
    size = len(person)
    teller = Teller(population.people, person, moments(size, rng), dirt, rng)
    told = email_told(teller) | names_told(teller)
    network = pa.array(NETWORKS).take(pa.array(rng.integers(0, len(NETWORKS), size)))
    handle = handles(teller, network)
    form = rng.choice(len(SHOWN), size, p=SHOWN)
    told = as_shown(told, form, handle)
    told = without_missing(told, name, dirt, rng)
    raw = {
        "network": network, "handle": handle, "display_name": told.columns["name"],
        "email": told.columns["email"],
        "url": pc.binary_join_element_wise("https:/", pc.binary_join_element_wise(
            network, "example.com", "."), handle, "/"),
        "updated_at": times(teller.at),
    }  # fmt: skip
    return records_of(name, pc.binary_join_element_wise(network, handle, "/"), raw, told, teller)


def as_shown(told: Told, form: Column, handle: pa.Array) -> Told:
    """The name shown: in full, the first alone, or the handle; what is not shown is not wrong."""
    name = pc.choose(pa.array(form), full_names(told), told.columns["first_name"], handle)
    shown = {"first_name": form <= 1, "last_name": form == 0, "names": form <= 1}
    wrong = {key: hit & shown.get(key[0], True) for key, hit in told.wrong.items()}
    return Told(told.columns | {"name": name}, wrong)


def handles(teller: Teller, network: pa.Array) -> pa.Array:
    """A handle for each, different within its network."""
    first, last = latin_names(teller.true("first_name")), latin_names(teller.true("last_name"))
    wanted = pc.binary_join_element_wise(first, pc.utf8_slice_codeunits(last, 0, 3), "_")
    rank = ranks(pc.binary_join_element_wise(network, wanted, "/"))
    number = pa.array(np.where(rank > 0, (rank + 1).astype(str), ""), pa.string())
    return pc.binary_join_element_wise(wanted, number, "")
