"""The people of the company: households and their lives, and the accounts, cards and devices."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.ledger import FIRST_DAY, LAST_DAY, Buyers, Column
from simulation.names import (
    ELSEWHERE,
    MOST_JOBS,
    drawn_addresses,
    drawn_names,
    emails_of,
    latin_names,
    locales_of,
    members_of,
    picked,
    pool,
    pool_size,
    ranks,
    regions_of,
)
from simulation.phones import phones_in

OPENED = np.datetime64("2009-12-01")  # the first day of the ledger and of every life told here
CLOSED = LAST_DAY + 1
DAYS_TOLD = int((LAST_DAY - OPENED).astype(int))
DAY = 86_400  # seconds
FIRST_CHILD = 2  # the place of the first child in a household, after head and partner
REST = np.timedelta64(60, "D")  # a number given up is given to nobody for so long
HOLDERS, GUESTS = 0.86, 0.06  # of people have a shop account, only ever buy as guests; rest: leads
TWO_ACCOUNTS = 0.04  # of account holders signed up twice
SECOND_CARD = 0.04  # of card holders lost the first one
HAS_CARD = 0.55  # of people hold a loyalty card
HOUSEHOLD_SIZES = (0.42, 0.30, 0.13, 0.10, 0.05)  # shares of households of 1 to 5 people
OWN_NAME = 0.25  # of partners kept the name they were born with
JUNIOR, TWIN = 0.06, 0.06  # of children bear a parent's name, or were born with the one before
SHARED_MAIL = 0.10  # of households of several people use one mailbox
LANDLINE, TABLET = 0.45, 0.25  # of households; a tablet only where several people live
TRADES = ("Gifts", "Trading", "Home", "Florists", "Stores")
BUSINESS = 0.03  # of people buy for a firm, one to four behind its info@ mailbox
SECOND_EMAIL = 0.35  # of people have another address they sometimes give
HOUSEHOLD_MOVES, MOVES_IN = 0.08, 0.06  # whole households move; single people join a household
EMAIL_CHANGES, PHONE_CHANGES, MARRIES = 0.08, 0.10, 0.05  # of people; MARRIES: of women
RECYCLED = 0.25  # of numbers given up go to somebody else later
YEARS = (1925, 1986)  # heads of households were born between
LATEST_BIRTH = 1994
TELLS_WORK = 0.55  # of adults; children have none to tell
SCHOOL, STUDY, PENSION = 18, 24, 66  # years of age until which people go there, or work
STUDIES = 0.4  # of those who could
APP, SECOND_BROWSER = 0.15, 0.30  # of people
CHANGES_HANDS = 0.015  # of browsers are passed on or sold
STRANGERS = 0.5  # browsers of people nobody ever knows, per person
PEOPLE_PER_KIOSK = 2_500
FIRST_SIMULATED_ACCOUNT = 100_000  # the ledger's customers end below 19,000


@dataclass(frozen=True)
class Population:
    """Who lives around the company; `person` is a row of `people` everywhere.

    people    one row per person, true on the last day; what changed has its day and old value
    accounts  one row per shop account
    cards     one row per loyalty card
    devices   one row per device and its user: two rows where it changed hands; person -1 for
              kiosks and strangers; a tablet's person is the head of its household
    """

    people: pa.Table
    accounts: pa.Table
    cards: pa.Table
    devices: pa.Table


@dataclass(frozen=True)
class Known:
    """The people that a system knows, in order of its records: key, whose it is, since when."""

    key: pa.Array
    person: Column
    since: Column


def make_population(buyers: Buyers, people: int | None, seed: int) -> Population:
    """The people of a company with these customers of the ledger."""
    rng = np.random.default_rng([seed, 20])
    holders, guests, leads = head_counts(people, len(buyers.customer_id))
    accounts = make_accounts(buyers, holders, rng)
    country = np.concatenate([holder_countries(buyers, accounts, rng),
                              elsewhere(guests + leads, rng)])  # fmt: skip
    table = make_people(country, seed, rng)
    is_lead = np.arange(len(country)) >= holders + guests
    table = table.append_column("is_prospect", pa.array(is_lead))
    return Population(
        people=table,
        accounts=accounts,
        cards=make_cards(len(country), rng),
        devices=make_devices(table, rng),
    )


def head_counts(people: int | None, customers: int) -> tuple[int, int, int]:
    """How many people hold accounts, only buy as guests, and have only been talked to."""
    if people is None:
        people = int(customers / (1 + TWO_ACCOUNTS) / HOLDERS)
    guests = int(people * GUESTS)
    leads = int(people * (1 - HOLDERS - GUESTS))
    return people - guests - leads, guests, leads


def accounts_for(holders: int) -> int:
    """How many accounts so many people hold."""
    return holders + int(holders * TWO_ACCOUNTS)


def customers_wanted(people: int | None, known: int) -> int:
    """How many of the ledger's customers a company of so many people needs."""
    holders = head_counts(people, known)[0]
    return known if people is None else min(accounts_for(holders), known)


def pairs_within(groups: Column, count: int, rng: np.random.Generator) -> Column:
    """At most `count` disjoint pairs of positions, each pair of one group."""
    _, group = np.unique(groups.astype(str), return_inverse=True)
    order = np.lexsort((rng.random(len(group)), group))
    pairs = np.stack([order[: len(order) // 2 * 2 : 2], order[1::2]], axis=1)
    return rng.permutation(pairs[group[pairs[:, 0]] == group[pairs[:, 1]]])[:count]


def make_accounts(buyers: Buyers, holders: int, rng: np.random.Generator) -> pa.Table:
    """The accounts of the ledger's customers, then those of people beyond it."""
    real = len(buyers.customer_id)
    share = TWO_ACCOUNTS / (1 + TWO_ACCOUNTS)
    pairs = pairs_within(buyers.country, max(real - holders, int(real * share)), rng)
    owner, is_second = np.arange(real), np.zeros(real, bool)
    owner[pairs[:, 1]], is_second[pairs[:, 1]] = pairs[:, 0], True
    _, person = np.unique(owner, return_inverse=True)
    fresh = np.arange(real - len(pairs), max(holders, real - len(pairs)))
    again = rng.choice(fresh, int(len(fresh) * TWO_ACCOUNTS), replace=False)
    simulated = len(fresh) + len(again)
    opened = np.concatenate([
        buyers.first_at - rng.integers(DAY, 10 * DAY, real).astype("timedelta64[s]"),
        moments(simulated, rng),
    ])  # fmt: skip
    new_ids = FIRST_SIMULATED_ACCOUNT + np.arange(simulated)
    is_again = np.arange(simulated) >= len(fresh)
    return pa.table({
        "user_id": np.concatenate([buyers.customer_id, new_ids]).astype(np.int64),
        "person": np.concatenate([person, fresh, again]).astype(np.int32),
        "opened_at": pa.array(opened.astype("datetime64[us]"), pa.timestamp("us")),
        "is_second": np.concatenate([is_second, is_again]),
        "is_real": np.arange(real + simulated) < real,
    })  # fmt: skip


def pick(column: pa.ChunkedArray, rows: Column) -> pa.Array:
    """The values of these rows."""
    whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return whole.take(pa.array(rows, pa.int64()))


def moments(size: int, rng: np.random.Generator) -> Column:
    """Times at any second of the days told, a week before their end at the latest."""
    seconds = rng.integers(0, (DAYS_TOLD - 7) * DAY, size)
    return np.asarray(OPENED.astype("datetime64[s]") + seconds.astype("timedelta64[s]"))


def holder_countries(buyers: Buyers, accounts: pa.Table, rng: np.random.Generator) -> Column:
    """Where each account holder lives: where the ledger says, where it does."""
    person = accounts["person"].to_numpy()
    country = elsewhere(int(person.max(initial=-1)) + 1, rng)
    real = accounts["is_real"].to_numpy()
    country[person[real]] = buyers.country
    return country


def elsewhere(size: int, rng: np.random.Generator) -> Column:
    """Countries of people the ledger does not know."""
    return rng.choice(np.array(list(ELSEWHERE), object), size, p=list(ELSEWHERE.values()))


@dataclass(frozen=True)
class Homes:
    """Who lives with whom: household and place in it (0 head, 1 partner, 2 to 4 children)."""

    household: Column
    place: Column
    head: Column  # the person who heads the household of each
    is_shared: Column  # several people live there


def make_homes(country: Column, rng: np.random.Generator) -> Homes:
    """People of one country put into households of one to five."""
    size = len(country)
    _, code = np.unique(country.astype(str), return_inverse=True)
    order = np.lexsort((rng.random(size), code))
    sizes = rng.choice(np.arange(1, 6), size, p=HOUSEHOLD_SIZES)
    drawn = np.repeat(np.arange(size), sizes)[:size]
    is_first = np.ones(size, bool)
    is_first[1:] = (np.diff(drawn) != 0) | (np.diff(code[order]) != 0)
    start = np.flatnonzero(is_first)
    group = is_first.cumsum() - 1
    household, place, head = (np.empty(size, int) for _ in range(3))
    household[order] = rng.permutation(len(start))[group]
    place[order] = np.arange(size) - start[group]
    head[order] = order[start[group]]
    count = np.bincount(household, minlength=1)
    return Homes(household, place, head, count[household] > 1)


def make_people(country: Column, seed: int, rng: np.random.Generator) -> pa.Table:
    """One row per person: who they are, where they live and what changed in their lives."""
    size, homes, locale = len(country), make_homes(country, rng), locales_of(country)
    born = births(homes, rng)
    woman = genders(homes, rng)
    who = names(homes, woman, locale, seed, rng)
    number = pa.array(np.arange(1, size + 1).astype(str), pa.string())
    start = {
        "person_id": pc.binary_join_element_wise("person", pc.utf8_lpad(number, 7, "0"), "-"),
        "first_name": who["first_name"],
        "last_name": who["last_name"],
        "gender": pa.array(np.where(woman, "female", "male"), pa.string()),
        "birth_date": pa.array(born, pa.date32()),
    }
    emails = make_emails(who, born, rng)
    phones = make_phones(homes, country, rng)
    firms = make_firms(country, seed, rng)
    reach = (
        emails
        | phones
        | {
            "shared_email": pc.coalesce(firms["shared_email"], shared_mail(homes, emails, rng)),
        }
    )
    places = make_places(homes, locale, seed, rng)
    where = {
        "country": pa.array(country, pa.string()),
        "country_code": pa.array(regions_of(country), pa.string()),
        "household": pa.array(homes.household, pa.int32()),
    }
    work = {"job_title": job_titles(locale, born, seed)}
    married = marriages(woman, born, locale, seed, rng)
    return pa.table(start | reach | places | where | work | married | {
        "is_business": firms["is_business"], "company": firms["company"],
    })  # fmt: skip


def genders(homes: Homes, rng: np.random.Generator) -> Column:
    """Who is a woman: heads and partners mostly differ."""
    woman = rng.random(len(homes.place)) < 0.5  # noqa: PLR2004
    is_partner = (homes.place == 1) & (rng.random(len(woman)) < 0.95)  # noqa: PLR2004
    return np.where(is_partner, ~woman[homes.head], woman)


def births(homes: Homes, rng: np.random.Generator) -> Column:
    """Birth dates: partners are of an age, children a generation younger, some are twins."""
    size = len(homes.place)
    spread = (YEARS[0] + rng.beta(2.2, 2.0, size) * (YEARS[1] - YEARS[0])).astype(int)
    older = np.where(homes.place == 1, rng.integers(-5, 6, size), 0)
    younger = np.where(homes.place >= FIRST_CHILD, rng.integers(20, 36, size), 0)
    year = np.minimum(spread[homes.head] + older + younger, LATEST_BIRTH)
    born = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + rng.integers(
        0, 365, size
    )
    twin = np.flatnonzero((homes.place > FIRST_CHILD) & (rng.random(size) < TWIN))
    born[twin] = born[before(homes)[twin]]
    return np.asarray(born)


def before(homes: Homes) -> Column:
    """The person whose place in the household is one lower (oneself for heads)."""
    order = np.lexsort((homes.place, homes.household))
    previous = np.empty(len(order), int)
    previous[order[1:]] = order[:-1]
    return np.where(homes.place == 0, np.arange(len(order)), previous)


def job_titles(locale: Column, born: Column, seed: int) -> pa.Array:
    """What people say they do, null where they say nothing: that they study, work or have retired.

    Drawn apart, so that everything else of a company is what it is without.
    """
    rng, size = np.random.default_rng([seed, 23]), len(born)
    age = (LAST_DAY - born).astype(int) / 365.25
    title = np.full(size, None, object)
    for name, members in members_of(locale):
        jobs = pool("job", name, pool_size(len(members), MOST_JOBS), seed)
        title[members] = picked(jobs, len(members), rng)
    title[(age < STUDY) & (rng.random(size) < STUDIES)] = "Student"
    title[age >= PENSION] = "Retired"
    title[(age < SCHOOL) | (rng.random(size) >= TELLS_WORK)] = None
    return pa.array(title, pa.string())


def names(
    homes: Homes, woman: Column, locale: Column, seed: int, rng: np.random.Generator
) -> dict[str, pa.Array]:
    """First and last names: a household shares its surname, some children a parent's first name."""
    size = len(woman)
    first = np.where(
        woman,
        drawn_names("first_name_female", locale, seed, rng),
        drawn_names("first_name_male", locale, seed, rng),
    )
    is_heir = (homes.place == FIRST_CHILD) & (woman == woman[homes.head])
    junior = is_heir & (rng.random(size) < JUNIOR)
    first[junior] = first[homes.head[junior]]
    own = drawn_names("last_name", locale, seed, rng)
    keeps = (homes.place == 0) | ((homes.place == 1) & (rng.random(size) < OWN_NAME))
    last = np.where(keeps, own, own[homes.head])
    return {"first_name": pa.array(first, pa.string()), "last_name": pa.array(last, pa.string())}


def changed(size: int, rate: float, rng: np.random.Generator) -> Column:
    """The day something changed for a share of people, NaT for the others."""
    day = OPENED + rng.integers(60, DAYS_TOLD - 30, size)
    day[rng.random(size) >= rate] = np.datetime64("NaT")
    return np.asarray(day)


def only(values: pa.Array, day: Column) -> pa.Array:
    """The values where something changed, null elsewhere."""
    return pc.if_else(pa.array(~np.isnat(day)), values, pa.scalar(None, values.type))


def make_emails(
    who: dict[str, pa.Array], born: Column, rng: np.random.Generator
) -> dict[str, pa.Array]:
    """Each person's address, for some a second one, and for some the one they left."""
    size, year = len(born), born.astype("datetime64[Y]").astype(int) + 1970
    first, last = (pa.concat_arrays([who[name]] * 3) for name in ("first_name", "last_name"))
    emails = emails_of(first, last, np.tile(year, 3), rng)
    day = changed(size, EMAIL_CHANGES, rng)
    second = pc.if_else(pa.array(rng.random(size) < SECOND_EMAIL), emails[size : 2 * size],
                        pa.scalar(None, pa.string()))  # fmt: skip
    return {
        "email": emails[:size],
        "second_email": second,
        "email_changed_on": pa.array(day, pa.date32()),
        "old_email": only(emails[2 * size :], day),
    }


def shared_mail(homes: Homes, emails: dict[str, pa.Array], rng: np.random.Generator) -> pa.Array:
    """The mailbox of a household that uses one: its head's."""
    shares = rng.random(len(homes.head)) < SHARED_MAIL
    box = emails["email"].take(pa.array(homes.head))
    return pc.if_else(pa.array(shares[homes.head] & homes.is_shared), box,
                      pa.scalar(None, pa.string()))  # fmt: skip


def make_phones(homes: Homes, country: Column, rng: np.random.Generator) -> dict[str, pa.Array]:
    """Each person's mobile, the landline of the household, and the number given up."""
    size, region = len(country), regions_of(country)
    mobiles = phones_in(np.tile(region, 2), mobile=True, rng=rng)
    phone, old, day = mobiles[:size], mobiles[size:], changed(size, PHONE_CHANGES, rng)
    heads = np.flatnonzero(homes.place == 0)
    has = heads[rng.random(len(heads)) < LANDLINE]
    line = np.full(size, None, object)
    line[has] = phones_in(region[has], mobile=False, rng=rng).to_numpy(zero_copy_only=False)
    return {
        "phone": recycled(phone, old, day, region, rng),
        "landline": pa.array(line[homes.head], pa.string()),
        "phone_changed_on": pa.array(day, pa.date32()),
        "old_phone": only(old, day),
    }


def recycled(
    phone: pa.Array, old: pa.Array, day: Column, region: Column, rng: np.random.Generator
) -> pa.Array:
    """The phones, some of them numbers that another person of the country gave up before."""
    moved = np.flatnonzero(~np.isnat(day))
    _, code = np.unique(region.astype(str), return_inverse=True)
    order = moved[np.lexsort((day[moved], code[moved]))]
    later = len(order) // 8 + 1  # places in order of time between giving up and getting a number
    giver, taker = order[:-later], order[later:]
    fits = (code[giver] == code[taker]) & (day[taker] - day[giver] > REST)
    fits &= rng.random(len(giver)) < RECYCLED
    values = phone.to_numpy(zero_copy_only=False).copy()
    values[taker[fits]] = old.to_numpy(zero_copy_only=False)[giver[fits]]
    return pa.array(values, pa.string())


def make_firms(country: Column, seed: int, rng: np.random.Generator) -> dict[str, pa.Array]:
    """Who buys for a firm, its name, and the one mailbox of all who buy for it."""
    size = len(country)
    buyer = np.flatnonzero(rng.random(size) < BUSINESS)
    buyer = buyer[np.argsort(country[buyer].astype(str), kind="stable")]
    staff = np.repeat(np.arange(len(buyer)), rng.integers(1, 5, len(buyer)))[: len(buyer)]
    same = np.ones(len(buyer), bool)
    same[1:] = (np.diff(staff) != 0) | (country[buyer][1:] != country[buyer][:-1])
    firm, first = same.cumsum() - 1, np.flatnonzero(same)
    label = pa.array(drawn_names("last_name", locales_of(country[buyer[first]]), seed, rng),
                     pa.string())  # fmt: skip
    kind = pa.array(rng.choice(np.array(TRADES, object), len(first)), pa.string())
    title = pc.binary_join_element_wise(label, kind, " ")
    host = pc.binary_join_element_wise(latin_names(label), pc.utf8_lower(kind), "-")
    box = pc.binary_join_element_wise("info@", told_apart_hosts(host), "")
    return {
        "is_business": mask_at(size, buyer),
        "company": spread(title, firm, buyer, size),
        "shared_email": spread(box, firm, buyer, size),
    }


def told_apart_hosts(hosts: pa.Array) -> pa.Array:
    """The mail domains of firms, namesakes numbered."""
    rank = ranks(hosts)
    number = pa.array(np.where(rank > 0, (rank + 1).astype(str), ""), pa.string())
    return pc.binary_join_element_wise(hosts, number, ".example.com", "")


def mask_at(size: int, places: Column) -> pa.Array:
    """True at these places."""
    mask = np.zeros(size, bool)
    mask[places] = True
    return pa.array(mask)


def spread(values: pa.Array, which: Column, places: Column, size: int) -> pa.Array:
    """One of the values at each of the places, null elsewhere."""
    column = np.full(size, None, object)
    column[places] = values.to_numpy(zero_copy_only=False)[which]
    return pa.array(column, pa.string())


def make_places(
    homes: Homes, locale: Column, seed: int, rng: np.random.Generator
) -> dict[str, pa.Array]:
    """Where each household lives, and where people lived before they moved."""
    size = len(locale)
    now = drawn_addresses(locale, seed, rng)
    then = drawn_addresses(locale, seed, rng)
    together = changed(size, HOUSEHOLD_MOVES, rng)[homes.head]
    alone = changed(size, MOVES_IN, rng)
    day = np.where(np.isnat(together), alone, together)
    origin = np.where(np.isnat(together), np.arange(size), homes.head)
    columns = {"moved_on": pa.array(day, pa.date32())}
    for name, new, old in zip(("street", "city", "postcode"), now, then, strict=True):
        columns[name] = pa.array(new[homes.head], pa.string())
        columns[f"old_{name}"] = only(pa.array(old[origin], pa.string()), day)
    return columns


def marriages(
    woman: Column, born: Column, locale: Column, seed: int, rng: np.random.Generator
) -> dict[str, pa.Array]:
    """The day some women took another surname, and the one they had."""
    day = changed(len(woman), MARRIES, rng)
    day[~woman | (born > np.datetime64("1991-01-01"))] = np.datetime64("NaT")
    maiden = pa.array(drawn_names("last_name", locale, seed, rng), pa.string())
    return {"married_on": pa.array(day, pa.date32()), "maiden_name": only(maiden, day)}


def make_cards(people: int, rng: np.random.Generator) -> pa.Table:
    """Loyalty cards: most holders have one, some lost it and got another."""
    first = np.flatnonzero(rng.random(people) < HAS_CARD)
    second = first[rng.random(len(first)) < SECOND_CARD]
    person = np.concatenate([first, second])
    numbers = rng.permutation(len(person)) * 83 + 10_000_019  # eight digits, in no order of people
    issued = moments(len(first), rng)
    room = (LAST_DAY.astype("datetime64[s]") - issued).astype(int)
    lost = np.isin(first, second)
    again = issued[lost] + (room[lost] * rng.random(lost.sum())).astype("timedelta64[s]")
    label, at = pa.array(numbers.astype(str), pa.string()), np.concatenate([issued, again])
    return pa.table({
        "loyalty_number": pc.binary_join_element_wise("LC", label, ""),
        "person": person.astype(np.int32),
        "issued_at": pa.array(at.astype("datetime64[us]"), pa.timestamp("us")),
        "is_second": np.arange(len(person)) >= len(first),
    })  # fmt: skip


def make_devices(people: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Browsers and apps of people, tablets of households, kiosks, and the browsers of strangers."""
    size, household = people.num_rows, people["household"].to_numpy()
    owners = {
        "browser": np.concatenate([np.arange(size), chosen(size, SECOND_BROWSER, rng)]),
        "app": chosen(size, APP, rng),
        "tablet": tablet_owners(household, rng),
        "kiosk": np.full(size // PEOPLE_PER_KIOSK + (size > 2), -1),  # noqa: PLR2004
        "stranger": np.full(int(size * STRANGERS), -1),
    }
    person = np.concatenate(list(owners.values())).astype(int)
    kind = np.repeat(np.array(list(owners), object), [len(group) for group in owners.values()])
    home = np.full(len(person), -1)
    home[kind == "tablet"] = household[person[kind == "tablet"]]
    return with_second_hands(
        pa.table({
            "anonymous_id": uuids(len(person), rng),
            "person": person.astype(np.int32),
            "kind": pa.array(np.where(kind == "stranger", "browser", kind), pa.string()),
            "household": home.astype(np.int32),
        }), rng)  # fmt: skip


def chosen(size: int, rate: float, rng: np.random.Generator) -> Column:
    """The positions of a share of so many."""
    return np.flatnonzero(rng.random(size) < rate)


def tablet_owners(household: Column, rng: np.random.Generator) -> Column:
    """The first person of each household with a tablet."""
    homes, first, count = np.unique(household, return_index=True, return_counts=True)
    return np.asarray(first[(count > 1) & (rng.random(len(homes)) < TABLET)])


def with_second_hands(devices: pa.Table, rng: np.random.Generator) -> pa.Table:
    """The devices with the times they were used, some of them by another person afterwards."""
    size, person = devices.num_rows, devices["person"].to_numpy()
    is_own = (person >= 0) & pc.equal(devices["kind"], "browser").to_numpy()
    passed = np.flatnonzero(is_own & (rng.random(size) < CHANGES_HANDS))
    handed = FIRST_DAY.astype("datetime64[s]") + (
        rng.integers(10 * DAY, 80 * DAY, len(passed)).astype("timedelta64[s]")
    )
    end = np.full(size, CLOSED.astype("datetime64[s]"))
    end[passed] = handed
    heirs = devices.take(pa.array(passed)).set_column(
        1, "person", pa.array(rng.permutation(person[passed]), pa.int32())
    )
    began = np.concatenate([np.full(size, OPENED.astype("datetime64[s]")), handed])
    ended = np.concatenate([end, np.full(len(passed), CLOSED.astype("datetime64[s]"))])
    return (
        pa.concat_tables([devices, heirs])
        .append_column("from_at", pa.array(began.astype("datetime64[us]"), pa.timestamp("us")))
        .append_column("to_at", pa.array(ended.astype("datetime64[us]"), pa.timestamp("us")))
        .combine_chunks()
    )


def uuids(size: int, rng: np.random.Generator) -> pa.Array:
    """Random ids in the shape of UUIDs."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)[rng.integers(0, 16, (size, 32))]
    digits[:, 12], digits[:, 16] = ord("4"), ord("a")
    text = np.insert(digits, [8, 12, 16, 20], ord("-"), axis=1)
    return pa.array(np.ascontiguousarray(text).view("S36").ravel()).cast(pa.string())
