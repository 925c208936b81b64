"""Names, streets and places of every country of the company, as frequent as in life."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from faker import Faker
from faker.decode import unidecode

from simulation.ledger import Column

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
UNKNOWN = ("en_GB", "GB")  # any other country: British, with phones written internationally
# Where people live whom the ledger does not know: shares, so that no country is a rarity.
ELSEWHERE = {
    "United Kingdom": 0.62, "Germany": 0.07, "France": 0.06, "EIRE": 0.04, "Spain": 0.04,
    "Netherlands": 0.03, "Greece": 0.03, "Japan": 0.03, "Poland": 0.02, "Portugal": 0.02,
    "Sweden": 0.02, "Italy": 0.01, "USA": 0.01,
}  # fmt: skip
# Lists of the same language that lengthen a short one: their names are the rare ones.
RARER = {"en_GB": ("en_US", "en_IE"), "fr_FR": ("fr_CA",), "de_DE": ("de_AT",)}
FLATTER, STEEPNESS = 10, 0.9  # the commonest of 3,000 surnames is borne by one in eighty people
NUMBER_FIRST = ("en_", "fr_")  # of these languages: 12 High Street, not Hauptstrasse 12
# Faker keeps Italian cities in a set, whose order changes with the process: provinces do not.
INSTEAD = {("it_IT", "city"): "state"}
MOST_STREETS, MOST_CITIES, MOST_POSTCODES = 1_000, 400, 5_000  # drawn per locale
MOST_JOBS = 500
FEWEST = 50  # drawn per locale, however few people live there

# Reserved domains reach nobody; their subdomains stand for the mail services people use.
DOMAINS = (
    "mail.example.com", "post.example.com", "inbox.example.org", "example.com", "example.net",
    "web.example.net", "letters.example.org", "box.example.com", "example.org",
)  # fmt: skip


def zipf(count: int) -> Column:
    """The cumulated shares of the names of a list, the commonest first."""
    weights = 1 / (np.arange(count) + FLATTER) ** STEEPNESS
    return np.asarray(weights.cumsum() / weights.sum())


def picked(values: Column, size: int, rng: np.random.Generator) -> Column:
    """So many of the values, the first ones most often."""
    return np.asarray(values[np.searchsorted(zipf(len(values)), rng.random(size))])


@lru_cache
def faker_of(locale: str) -> Faker:
    """The Faker of a locale; callers seed it before they draw."""
    return Faker(locale)


@lru_cache(maxsize=1024)
def names_of(field: str, locale: str, seed: int) -> Column:
    """All first or last names of a locale, from common to rare."""
    lists = [listed(field, name, seed) for name in (locale, *RARER.get(locale, ()))]
    return np.array(list(dict.fromkeys(name for part in lists for name in part)), object)


def listed(field: str, locale: str, seed: int) -> list[str]:
    """One Faker list: by its own frequencies, or where it has none in an order of the seed."""
    names = faker_list(locale, f"{field.replace('_name', '_names')}")
    if not names:
        names = dict.fromkeys(pool(field, locale, 1_000, seed).tolist(), 1.0)
    if len(set(names.values())) > 1:
        return sorted(names, key=lambda name: (-names[name], name))
    order = np.random.default_rng([seed, len(names)]).permutation(len(names))
    in_order = sorted(names)
    return [in_order[place] for place in order]


def faker_list(locale: str, attribute: str) -> dict[str, float]:
    """The names Faker lists for a locale, each with its weight; empty where it composes them."""
    for provider in faker_of(locale).get_providers():
        found = getattr(provider, attribute, None)
        if found is not None and len(found) > 1:
            is_weighted = isinstance(found, Mapping)
            return dict(found) if is_weighted else dict.fromkeys(found, 1.0)
    return {}


@lru_cache(maxsize=1024)
def pool(field: str, locale: str, size: int, seed: int) -> Column:
    """Values of a field in a locale, the same for the same seed."""
    fake = faker_of(locale)
    fake.seed_instance(f"{seed} {locale} {field}")
    draw = getattr(fake, INSTEAD.get((locale, field), field))
    return np.array([draw().replace("\n", ", ") for _ in range(size)], object)


def locales_of(country: Column) -> Column:
    """The Faker locale of each country."""
    return mapped(country, lambda name: COUNTRIES.get(name, UNKNOWN)[0])


def regions_of(country: Column) -> Column:
    """The phone region of each country, which is its ISO code too."""
    return mapped(country, lambda name: COUNTRIES.get(name, UNKNOWN)[1])


def mapped(values: Column, meaning: Callable[[str], str]) -> Column:
    """The meaning of each value, worked out once per distinct value."""
    names, which = np.unique(values.astype(str), return_inverse=True)
    return np.array([meaning(name) for name in names.tolist()], object)[which]


def members_of(groups: Column) -> list[tuple[str, Column]]:
    """Each group, in order of name, with the positions of its members."""
    names, which, counts = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    parts = np.split(np.argsort(which, kind="stable"), counts.cumsum()[:-1])
    return list(zip(names.tolist(), parts, strict=False))


def drawn_names(field: str, locale: Column, seed: int, rng: np.random.Generator) -> Column:
    """A name for each locale given."""
    values = np.empty(len(locale), object)
    for name, members in members_of(locale):
        values[members] = picked(names_of(field, name, seed), len(members), rng)
    return values


def drawn_addresses(locale: Column, seed: int, rng: np.random.Generator) -> tuple[Column, ...]:
    """A street with number, a city and a postcode for each locale given."""
    street, city, postcode = (np.empty(len(locale), object) for _ in range(3))
    for name, members in members_of(locale):
        size = len(members)
        places = rng.integers(0, pool_size(size, MOST_POSTCODES), size)
        cities = pool("city", name, pool_size(size, MOST_CITIES), seed)
        street[members] = numbered(name, streets_of(name, size, seed), size, rng)
        city[members] = cities[places % len(cities)]
        postcode[members] = pool("postcode", name, pool_size(size, MOST_POSTCODES), seed)[places]
    return street, city, postcode


def pool_size(size: int, most: int) -> int:
    """How many values to draw for so many people: few for few, so that places are shared."""
    return min(most, max(FEWEST, size // 2))


def streets_of(locale: str, size: int, seed: int) -> Column:
    """Street names without numbers."""
    return pool("street_name", locale, pool_size(size, MOST_STREETS), seed)


def numbered(locale: str, streets: Column, size: int, rng: np.random.Generator) -> Column:
    """Streets with a house number where the language has it."""
    street = rng.choice(streets, size)
    number = rng.integers(1, 180, size).astype(str).astype(object)
    is_first = locale.startswith(NUMBER_FIRST)
    return np.asarray(number + " " + street if is_first else street + " " + number)


def latin(name: str) -> str:
    """The name in plain small Latin letters, or "user" where it has none."""
    return "".join(filter(str.isascii, filter(str.isalpha, unidecode(name).lower()))) or "user"


def latin_names(names: pa.Array) -> pa.Array:
    """Each name in plain Latin letters, as it stands in an e-mail address."""
    coded = names.dictionary_encode()
    plain = pa.array([latin(name) for name in coded.dictionary.to_pylist()], pa.string())
    return plain.take(coded.indices)


def emails_of(first: pa.Array, last: pa.Array, year: Column, rng: np.random.Generator) -> pa.Array:
    """An address for each name, no two the same: in one of five styles, namesakes numbered."""
    size = len(first)
    given, family = latin_names(first), latin_names(last)
    initial = pc.utf8_slice_codeunits(given, 0, 1)
    number = pa.array((year % 100).astype(str), pa.string())
    styles = [
        pc.binary_join_element_wise(given, family, "."),
        pc.binary_join_element_wise(pc.binary_join_element_wise(given, family, "."), number, ""),
        pc.binary_join_element_wise(initial, family, ""),
        pc.binary_join_element_wise(family, given, "_"),
        pc.binary_join_element_wise(given, family, ""),
    ]
    local = pc.choose(pa.array(rng.integers(0, len(styles), size)), *styles)
    shares = 0.5 ** np.arange(1, len(DOMAINS) + 1)
    domain = pa.array(DOMAINS).take(
        pa.array(rng.choice(len(DOMAINS), size, p=shares / shares.sum()))
    )
    return told_apart(local, domain)


def told_apart(local: pa.Array, domain: pa.Array) -> pa.Array:
    """Addresses of these parts, the second of the same with .2 after its local part, and so on."""
    rank = ranks(pc.binary_join_element_wise(local, domain, "@"))
    again = pc.binary_join_element_wise(local, pa.array((rank + 1).astype(str)), ".")
    kept = pc.if_else(pa.array(rank > 0), again, local)
    return pc.binary_join_element_wise(kept, domain, "@")


def ranks(values: pa.Array) -> Column:
    """How many of the same value stand before each."""
    group = values.dictionary_encode().indices.to_numpy()
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=1)
    rank = np.empty(len(group), int)
    rank[order] = np.arange(len(group)) - np.repeat(counts.cumsum() - counts, counts)
    return rank
