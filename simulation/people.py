"""The people behind the purchases: persons, their households, and which account is whose."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import islice

import numpy as np
import phonenumbers
from faker import Faker
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from simulation.ledger import Buyers, Column

PROSPECTS = 0.12  # people the CRM knows who never bought, per person who did
TWO_ACCOUNTS = 0.04  # of people signed up twice at the shop
IN_HOUSEHOLD = 0.08  # of people share an e-mail or a landline with one other person
POOL_SIZE = 300  # values drawn per locale and field: namesakes happen, as in life
FIRST_BIRTH, LAST_BIRTH = np.datetime64("1930-01-01"), np.datetime64("1993-12-31")
DOMAINS = np.array(["example.com", "example.org", "example.net"], object)  # reserved: reach nobody
SHORT_TAIL, LONG_TAIL = 4, 6  # random digits at the end of a phone: few people, many people

# Country as the ledger writes it: Faker locale, phone region.
COUNTRIES = {
    "United Kingdom": ("en_GB", "GB"),
    "Australia": ("en_AU", "AU"),
    "Austria": ("de_AT", "AT"),
    "Bahrain": ("en_GB", "BH"),
    "Belgium": ("nl_BE", "BE"),
    "Brazil": ("pt_BR", "BR"),
    "Canada": ("en_CA", "CA"),
    "Channel Islands": ("en_GB", "GG"),
    "Cyprus": ("el_GR", "CY"),
    "Czech Republic": ("cs_CZ", "CZ"),
    "Denmark": ("da_DK", "DK"),
    "EIRE": ("en_IE", "IE"),
    "Finland": ("fi_FI", "FI"),
    "France": ("fr_FR", "FR"),
    "Germany": ("de_DE", "DE"),
    "Greece": ("el_GR", "GR"),
    "Iceland": ("is_IS", "IS"),
    "Israel": ("he_IL", "IL"),
    "Italy": ("it_IT", "IT"),
    "Japan": ("ja_JP", "JP"),
    "Korea": ("ko_KR", "KR"),
    "Lebanon": ("en_GB", "LB"),
    "Lithuania": ("lt_LT", "LT"),
    "Malta": ("en_GB", "MT"),
    "Netherlands": ("nl_NL", "NL"),
    "Nigeria": ("en_NG", "NG"),
    "Norway": ("no_NO", "NO"),
    "Poland": ("pl_PL", "PL"),
    "Portugal": ("pt_PT", "PT"),
    "RSA": ("zu_ZA", "ZA"),
    "Saudi Arabia": ("en_GB", "SA"),
    "Singapore": ("en_GB", "SG"),
    "Spain": ("es_ES", "ES"),
    "Sweden": ("sv_SE", "SE"),
    "Switzerland": ("de_CH", "CH"),
    "Thailand": ("en_TH", "TH"),
    "USA": ("en_US", "US"),
    "United Arab Emirates": ("en_GB", "AE"),
}
# Faker keeps Italian cities in a set, whose order changes with the process: provinces do not.
INSTEAD = {("it_IT", "city"): "state"}
UNKNOWN = ("en_GB", "GB")  # any other country: British, with phones written internationally


@dataclass(frozen=True)
class People:
    """One entry per person: first all who bought at the shop, then the prospects."""

    person_id: Column
    first_name: Column
    last_name: Column
    gender: Column
    birth_date: Column
    email: Column
    other_email: Column
    phone: Column
    phone_forms: Column  # the same phone in four spellings, one column each
    household_id: Column
    street: Column
    city: Column
    postcode: Column
    country: Column

    def take(self, positions: Column) -> "People":
        """The entries at these positions."""
        return People(
            **{field.name: getattr(self, field.name)[positions] for field in fields(self)}
        )


@dataclass(frozen=True)
class Owners:
    """One entry per account: the position of its person, and whether it is their second."""

    person: Column
    is_second: Column
    count: int


def pairs_within(groups: Column, count: int, rng: np.random.Generator) -> Column:
    """At most `count` disjoint pairs of positions, each pair of one group."""
    _, group = np.unique(groups.astype(str), return_inverse=True)
    order = np.lexsort((rng.random(len(group)), group))
    pairs = np.stack([order[:-1:2], order[1::2]], axis=1)
    return rng.permutation(pairs[group[pairs[:, 0]] == group[pairs[:, 1]]])[:count]


def make_owners(buyers: Buyers, rng: np.random.Generator) -> Owners:
    """Whose account each customer id is: some people own two in one country."""
    accounts = len(buyers.customer_id)
    pairs = pairs_within(buyers.country, round(accounts * TWO_ACCOUNTS / (1 + TWO_ACCOUNTS)), rng)
    owner, is_second = np.arange(accounts), np.zeros(accounts, bool)
    owner[pairs[:, 1]], is_second[pairs[:, 1]] = pairs[:, 0], True
    _, person = np.unique(owner, return_inverse=True)
    return Owners(person, is_second, count=accounts - len(pairs))


def make_people(buyers: Buyers, owners: Owners, seed: int) -> People:
    """Every person who bought, and the prospects, with what is true about them."""
    rng = np.random.default_rng([seed, 2])
    bought_from = buyers.country[~owners.is_second][
        np.unique(owners.person[~owners.is_second], return_index=True)[1]
    ]
    prospects = rng.permutation(bought_from)[: round(owners.count * PROSPECTS)]
    people = strangers(np.concatenate([bought_from, prospects]), seed, rng)
    return with_households(people, rng)


def strangers(country: Column, seed: int, rng: np.random.Generator) -> People:
    """People of these countries who share nothing, without e-mails and phones yet."""
    locale = np.array([COUNTRIES.get(name, UNKNOWN)[0] for name in country], object)
    size = len(country)
    is_female = rng.random(size) < 0.5  # noqa: PLR2004
    women = drawn("first_name_female", locale, seed, rng)
    men = drawn("first_name_male", locale, seed, rng)
    days = rng.integers(0, (LAST_BIRTH - FIRST_BIRTH).astype(int), size)
    return People(
        person_id=np.array([f"person-{n:06d}" for n in range(1, size + 1)], object),
        first_name=np.where(is_female, women, men),
        last_name=drawn("last_name", locale, seed, rng),
        gender=np.where(is_female, "female", "male").astype(object),
        birth_date=FIRST_BIRTH + days.astype("timedelta64[D]"),
        email=np.empty(size, object),
        other_email=np.empty(size, object),
        phone=np.empty(size, object),
        phone_forms=np.empty((size, 4), object),
        household_id=np.array([f"household-{n:06d}" for n in range(1, size + 1)], object),
        street=drawn("street_address", locale, seed, rng),
        city=drawn("city", locale, seed, rng),
        postcode=drawn("postcode", locale, seed, rng),
        country=country,
    )


def with_households(people: People, rng: np.random.Generator) -> People:
    """The same people, some now living in twos, each with e-mails and a phone."""
    pairs = pairs_within(people.country, round(len(people.country) * IN_HOUSEHOLD / 2), rng)
    pairs = pairs[people.first_name[pairs[:, 0]] != people.first_name[pairs[:, 1]]]
    first, second = pairs.T
    home = np.arange(len(people.country))
    home[second] = first
    emails = addresses(people.first_name, ".", people.last_name[home], rng)
    shares_email = np.arange(len(pairs)) % 2 == 0
    emails[second[shares_email]] = emails[first[shares_email]]
    initials = np.array([name[:1] for name in people.first_name], object)
    phones, forms = make_phones(people.country, pairs[~shares_email], rng)
    moved = people.take(home)
    changed = {"last_name", "household_id", "street", "city", "postcode"}
    kept = {f.name: getattr(moved if f.name in changed else people, f.name) for f in fields(People)}
    others = addresses(initials, "_", moved.last_name, rng)
    reach = {"email": emails, "other_email": others, "phone": phones, "phone_forms": forms}
    return People(**(kept | reach))


@lru_cache
def faker_of(locale: str) -> Faker:
    """The Faker of a locale; callers seed it before they draw."""
    return Faker(locale)


def pool(field: str, locale: str, size: int, seed: int) -> Column:
    """Values of a field in a locale, the same for the same seed."""
    fake = faker_of(locale)
    fake.seed_instance(f"{seed} {locale} {field}")
    draw = getattr(fake, INSTEAD.get((locale, field), field))
    return np.array([draw().replace("\n", ", ") for _ in range(size)], object)


def drawn(field: str, locale: Column, seed: int, rng: np.random.Generator) -> Column:
    """A value of the field for each locale given."""
    values = np.empty(len(locale), object)
    for name in sorted(set(locale)):
        members = np.flatnonzero(locale == name)
        values[members] = rng.choice(
            pool(field, name, min(POOL_SIZE, len(members)), seed), len(members)
        )
    return values


def slug(name: str) -> str:
    """The name in plain letters, or "user" where it has none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(filter(str.isalpha, plain)) or "user"


def addresses(first: Column, mark: str, last: Column, rng: np.random.Generator) -> Column:
    """One e-mail address per name; namesakes are numbered, so no two are the same."""
    local = np.array([slug(a) + mark + slug(b) for a, b in zip(first, last, strict=True)], str)
    _, group, counts = np.unique(local, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    rank = np.empty(len(local), int)
    rank[order] = np.arange(len(local)) - np.repeat(counts.cumsum() - counts, counts)
    number = np.where(rank > 0, (rank + 1).astype(str), "").astype(object)
    return np.asarray(local.astype(object) + number + "@" + rng.choice(DOMAINS, len(local)))


def make_phones(
    country: Column, sharing: Column, rng: np.random.Generator
) -> tuple[Column, Column]:
    """Each person's phone in E.164 and its spellings; sharing pairs have one landline."""
    region = np.array([COUNTRIES.get(name, UNKNOWN)[1] for name in country], object)
    numbers = numbers_for(region, PhoneNumberType.MOBILE, rng)
    first, second = sharing.T
    numbers[first] = numbers_for(region[first], PhoneNumberType.FIXED_LINE, rng)
    numbers[second] = numbers[first]
    spellings = [
        spelled(n, known=name in COUNTRIES) for n, name in zip(numbers, country, strict=True)
    ]
    forms = np.array(spellings, object).reshape(-1, 4)
    return forms[:, 0], forms


def numbers_for(region: Column, kind: int, rng: np.random.Generator) -> Column:
    """A different valid phone number for each region given."""
    numbers = np.empty(len(region), object)
    for name in sorted(set(region)):
        members = np.flatnonzero(region == name)
        digits = SHORT_TAIL if len(members) * 10 < 10**SHORT_TAIL else LONG_TAIL
        tails = rng.permutation(10**digits)
        numbers[members] = list(islice(valid_numbers(name, kind, tails), len(members)))
    return numbers


def valid_numbers(region: str, kind: int, tails: Column) -> Iterator[PhoneNumber]:
    """The region's example with each tail as its last digits, where that is a valid number."""
    example = phonenumbers.example_number_for_type(region, kind) or PhoneNumber()
    head = (example.national_number or 0) // len(tails) * len(tails)
    for tail in tails.tolist():
        number = PhoneNumber()
        number.merge_from(example)
        number.national_number = head + tail
        if phonenumbers.is_valid_number(number):
            yield number


def spelled(number: PhoneNumber, *, known: bool) -> tuple[str, str, str, str]:
    """The number in E.164, spaced, and twice as people write it where their country is known."""
    plain = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    spaced = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) if known else spaced
    return plain, spaced, national, national.replace(" ", "-")
