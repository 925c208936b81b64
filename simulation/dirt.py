"""The dirt of daily work: how often it happens, and what it does to a value.

Every function takes a column and says which rows it really changed, so that the truth can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.ledger import Column

MOST = 0.9  # no rate grows above it, however hard the world


@dataclass(frozen=True)
class Dirt:
    """Shares of the values that could have it; the records say what each one got."""

    keyboard_typo: float = 0.02  # of names and of streets: a finger slips
    phonetic_typo: float = 0.015  # of names: written as heard
    ocr_typo: float = 0.01  # of names and of streets: read by a machine
    nickname: float = 0.14  # of first names that have a short form
    initial: float = 0.02  # of first names
    swapped_name: float = 0.008  # first and last in each other's field
    placeholder_name: float = 0.004  # "anonymous"
    odd_case: float = 0.10  # of names and of e-mails: capitals, small letters, blanks
    email_typo: float = 0.02
    wrong_email: float = 0.0015  # a real address, of somebody else
    placeholder_email: float = 0.015
    second_email: float = 0.30  # of records of people who have another address
    shared_email: float = 0.55  # of records of people who share a mailbox
    phone_typo: float = 0.02
    placeholder_phone: float = 0.012
    shared_phone: float = 0.30  # of records of people with a landline
    birth_date_swap: float = 0.02  # day and month, where both could be either
    birth_date_placeholder: float = 0.012  # the first of January
    stale: float = 0.30  # of values that changed before the record was last touched stayed old
    duplicate: float = 0.05  # of CRM contacts are a second entry of the same person
    missing: float = 1.0  # times the share of missing values that each source has

    def doubled(self) -> "Dirt":
        """A hard world: everything twice as often."""
        rates = {field.name: min(2 * getattr(self, field.name), MOST) for field in fields(self)}
        return replace(self, **rates | {"missing": 2 * self.missing})


KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
# Heard alike, in the languages of the company; the first rule that fits is applied.
SOUNDS = (
    ("ph", "f"), ("ck", "k"), ("tt", "t"), ("ll", "l"), ("nn", "n"), ("ss", "s"), ("ie", "y"),
    ("ei", "ai"), ("th", "t"), ("sch", "sh"), ("ee", "ea"), ("oo", "u"), ("ch", "k"), ("y", "i"),
    ("c", "k"), ("z", "s"), ("v", "f"), ("ei", "ey"), ("e", "a"), ("ω", "ο"), ("η", "ι"),
)  # fmt: skip
# Looks alike to a machine.
SHAPES = (
    ("rn", "m"), ("cl", "d"), ("m", "rn"), ("l", "1"), ("o", "0"), ("i", "l"), ("S", "5"),
    ("B", "8"), ("O", "0"), ("e", "c"), ("a", "o"), ("h", "b"), ("0", "O"), ("1", "l"), ("5", "S"),
)  # fmt: skip
PLACEHOLDER_EMAILS = ("test@test.com", "noemail@example.com", "none@example.org", "na@example.net")
PLACEHOLDER_PHONES = ("0000000000", "1111111111", "9999999999", "1234567890")
PLACEHOLDER_NAMES = ("anonymous", "Guest", "Unknown")
ROUNDS = 4  # rules tried on a value before a slip of the finger takes their place
SLIPS = 4  # letter lost, letter added, letter replaced, two letters turned
NICKNAMES = {
    "Alexander": ("Alex", "Sandy"), "Alexandra": ("Alex", "Sandra"), "Andrew": ("Andy", "Drew"),
    "Anthony": ("Tony",), "Barbara": ("Babs", "Barb"), "Benjamin": ("Ben",),
    "Catherine": ("Cathy", "Kate"), "Charles": ("Charlie", "Chuck"), "Christina": ("Tina",),
    "Christine": ("Chris",), "Christopher": ("Chris", "Kit"), "Daniel": ("Dan", "Danny"),
    "David": ("Dave",), "Deborah": ("Debbie", "Deb"), "Donald": ("Don",), "Edward": ("Ed", "Ted"),
    "Elizabeth": ("Liz", "Beth", "Betty"), "Frances": ("Fran",), "Frederick": ("Fred",),
    "Geoffrey": ("Geoff",), "Gerald": ("Gerry",), "Gregory": ("Greg",), "Jacqueline": ("Jackie",),
    "James": ("Jim", "Jimmy"), "Jennifer": ("Jen", "Jenny"), "Jessica": ("Jess",),
    "John": ("Jack", "Johnny"), "Jonathan": ("Jon",), "Joseph": ("Joe",), "Joshua": ("Josh",),
    "Katherine": ("Kate", "Katie"), "Kathleen": ("Kathy",), "Kenneth": ("Ken",),
    "Kimberly": ("Kim",), "Lawrence": ("Larry",), "Leonard": ("Len",), "Margaret": ("Meg", "Peg"),
    "Matthew": ("Matt",), "Michael": ("Mike", "Mick"), "Nicholas": ("Nick",), "Nicola": ("Nicky",),
    "Pamela": ("Pam",), "Patricia": ("Pat", "Trish"), "Patrick": ("Pat", "Paddy"),
    "Peter": ("Pete",), "Philip": ("Phil",), "Phillip": ("Phil",), "Raymond": ("Ray",),
    "Rebecca": ("Becky",), "Richard": ("Rick", "Dick"), "Robert": ("Bob", "Rob"),
    "Ronald": ("Ron",), "Samantha": ("Sam",), "Samuel": ("Sam",), "Stephanie": ("Steph",),
    "Stephen": ("Steve",), "Steven": ("Steve",), "Stuart": ("Stu",), "Susan": ("Sue",),
    "Theresa": ("Terry",), "Thomas": ("Tom", "Tommy"), "Timothy": ("Tim",), "Victoria": ("Vicky",),
    "William": ("Bill", "Will"), "Francisco": ("Paco",), "José": ("Pepe",), "Manuel": ("Manolo",),
    "Giuseppe": ("Beppe",), "Giovanni": ("Gianni",), "Johannes": ("Hans",), "Elisabeth": ("Lisa",),
    "Katharina": ("Kathi",), "Wilhelm": ("Willi",), "Aleksandra": ("Ola",), "Katarzyna": ("Kasia",),
    "Małgorzata": ("Gosia",), "Joanna": ("Asia",), "Γεώργιος": ("Γιώργος",),
    "Ιωάννης": ("Γιάννης",), "Κωνσταντίνος": ("Κώστας",), "Δημήτριος": ("Δημήτρης",),
    "Ελένη": ("Λένα",),
}  # fmt: skip


@dataclass(frozen=True)
class Marked:
    """A column, and whether each of its values was spoilt."""

    values: pa.Array
    hit: Column


def struck(can: Column, rate: float, rng: np.random.Generator) -> Column:
    """Which of the rows that can be hit are, at this rate."""
    return can & (rng.random(len(can)) < rate)


def valid(values: pa.Array) -> Column:
    """Whether each value is there."""
    return np.asarray(pc.is_valid(values).to_numpy(zero_copy_only=False))


def put(values: pa.Array, hit: Column, others: pa.Array) -> pa.Array:
    """The values, with the others, one for each hit row, in their place."""
    return pc.replace_with_mask(values, pa.array(hit), others.cast(values.type))


def spoilt(values: pa.Array, hit: Column, others: pa.Array) -> Marked:
    """The values with the others at the hit rows; a row counts as hit if that changed it."""
    kept = values.filter(pa.array(hit))
    differs = pc.fill_null(pc.not_equal(kept, others), True).to_numpy(zero_copy_only=False)  # noqa: FBT003
    really = np.zeros(len(hit), bool)
    really[np.flatnonzero(hit)[differs]] = True
    return Marked(put(values, hit, others), really)


def drawn(choices: Sequence[str], hit: Column, rng: np.random.Generator) -> pa.Array:
    """One of the choices for each hit row."""
    return pa.array(choices, pa.string()).take(
        pa.array(rng.integers(0, len(choices), int(hit.sum())))
    )


def with_slips(values: pa.Array, rate: float, rng: np.random.Generator) -> Marked:
    """A share of the values mistyped on a keyboard."""
    hit = struck(valid(values), rate, rng)
    return spoilt(values, hit, slipped(values.filter(pa.array(hit)), rng))


def with_rules(
    values: pa.Array, rules: Sequence[tuple[str, str]], rate: float, rng: np.random.Generator
) -> Marked:
    """A share of the values changed by one of the rules, mistyped where none fits."""
    hit = struck(valid(values), rate, rng)
    return spoilt(values, hit, by_rules(values.filter(pa.array(hit)), rules, rng))


def by_rules(
    values: pa.Array, rules: Sequence[tuple[str, str]], rng: np.random.Generator
) -> pa.Array:
    """Each value changed by one of the rules that fit it, or by a slip where none does."""
    done = values
    for _ in range(ROUNDS):
        chosen = rng.integers(0, len(rules), len(values))
        for number, (old, new) in enumerate(rules):
            mask = pc.and_(pa.array(chosen == number), pc.equal(done, values))
            after_first = pc.replace_substring(done.filter(mask), old, new, max_replacements=1)
            done = pc.replace_with_mask(done, mask, after_first)
    same = pc.equal(done, values)
    return pc.replace_with_mask(done, same, slipped(done.filter(same), rng))


def slipped(values: pa.Array, rng: np.random.Generator) -> pa.Array:
    """Each value with one letter lost, added, replaced or turned with the next; never the first.

    Letters are numbers in a table of one row per value, so any script and any number of rows is
    a handful of operations.
    """
    if not len(values):
        return values
    text = np.array(values.to_pylist(), str)
    letters = text.view(np.uint32).reshape(len(text), -1)
    letters = np.pad(letters, ((0, 0), (0, 2)))
    length = np.char.str_len(text)
    place = 1 + (rng.random(len(text)) * np.maximum(length - 2, 1)).astype(int)
    kind = np.where(length > SLIPS - 1, rng.integers(0, SLIPS, len(text)), 1)
    rows, columns = np.arange(len(text)), np.arange(letters.shape[1])
    shift = np.zeros(letters.shape, int)
    shift[(kind == 0)[:, None] & (columns >= place[:, None])] = 1
    shift[(kind == 1)[:, None] & (columns > place[:, None])] = -1
    source = np.minimum(columns + shift, letters.shape[1] - 1)
    out = np.take_along_axis(letters, source, axis=1)
    typed = neighbours(letters[rows, np.minimum(place, length - 1)], rng)
    out[rows[kind == 1], place[kind == 1]] = typed[kind == 1]
    out[rows[kind == 2], place[kind == 2]] = typed[kind == 2]  # noqa: PLR2004
    turned = rows[kind == SLIPS - 1]
    first = place[turned]
    out[turned, first], out[turned, first + 1] = letters[turned, first + 1], letters[turned, first]
    return pa.array(np.ascontiguousarray(out).view(f"U{out.shape[1]}").ravel(), pa.string())


def neighbours(letters: Column, rng: np.random.Generator) -> Column:
    """For each letter one beside it on the keyboard; the letter itself where there is no key."""
    beside = np.tile(np.arange(128, dtype=np.uint32), (2, 1))
    for row in KEYS:
        for side, step in enumerate((-1, 1)):
            for place, key in enumerate(row):
                near = ord(row[(place + step) % len(row)])
                beside[side, ord(key)] = beside[side, ord(key.upper())] = near
    known = letters < beside.shape[1]
    side_of = rng.integers(0, 2, len(letters))
    return np.where(known, beside[side_of, np.where(known, letters, 0)], letters)


def with_nicknames(first: pa.Array, rate: float, rng: np.random.Generator) -> Marked:
    """A share of the first names that have a short form in that form."""
    names = pa.array(list(NICKNAMES), pa.string())
    which = pc.index_in(first, value_set=names)
    hit = struck(valid(which), rate, rng)
    forms = list(NICKNAMES.values())
    place = which.filter(pa.array(hit)).to_numpy(zero_copy_only=False).astype(int)
    most = max(map(len, forms))
    table = pa.array([form[turn % len(form)] for form in forms for turn in range(most)])
    turn = rng.integers(0, most, len(place))
    return spoilt(first, hit, table.take(pa.array(place * most + turn)))


def with_initials(first: pa.Array, rate: float, rng: np.random.Generator) -> Marked:
    """A share of the first names cut to their first letter, half of them with a dot."""
    hit = struck(valid(first), rate, rng)
    letter = pc.utf8_slice_codeunits(first.filter(pa.array(hit)), 0, 1)
    return spoilt(first, hit, pc.binary_join_element_wise(letter, drawn((".", ""), hit, rng), ""))


def with_odd_case(values: pa.Array, rate: float, rng: np.random.Generator) -> Marked:
    """A share of the values in capitals, in small letters or with blanks around."""
    hit = struck(valid(values), rate, rng)
    kept = values.filter(pa.array(hit))
    forms = [
        pc.utf8_upper(kept),
        pc.utf8_lower(kept),
        pc.binary_join_element_wise(" ", kept, " ", ""),
    ]
    return spoilt(values, hit, pc.choose(pa.array(rng.integers(0, len(forms), len(kept))), *forms))


def with_email_slips(emails: pa.Array, rate: float, rng: np.random.Generator) -> Marked:
    """A share of the addresses mistyped before the @, so that they still reach nobody real."""
    hit = struck(valid(emails), rate, rng)
    parts = pc.split_pattern(emails.filter(pa.array(hit)), "@")
    local, domain = pc.list_element(parts, 0), pc.list_element(parts, 1)
    return spoilt(emails, hit, pc.binary_join_element_wise(slipped(local, rng), domain, "@"))


def with_digit_slips(phones: pa.Array, rate: float, rng: np.random.Generator) -> Marked:
    """A share of the phones with one of the last six digits another one."""
    hit = struck(valid(phones), rate, rng)
    kept = phones.filter(pa.array(hit))
    end = rng.integers(1, 7, len(kept))
    digit = pa.array(rng.integers(0, 10, len(kept)).astype(str), pa.string())
    wrong = kept
    for place in range(1, 7):
        tail = (
            pc.utf8_slice_codeunits(kept, -place + 1)
            if place > 1
            else pa.repeat(pa.scalar(""), len(kept))
        )
        head = pc.utf8_slice_codeunits(kept, 0, -place)
        wrong = pc.if_else(
            pa.array(end == place), pc.binary_join_element_wise(head, digit, tail, ""), wrong
        )
    return spoilt(phones, hit, wrong)


def with_choice(
    values: pa.Array, choices: Sequence[str], rate: float, rng: np.random.Generator
) -> Marked:
    """A share of the values replaced by one of the choices."""
    hit = struck(valid(values), rate, rng)
    return spoilt(values, hit, drawn(choices, hit, rng))


def with_others(
    values: pa.Array, others: pa.Array, rate: float, rng: np.random.Generator
) -> Marked:
    """A share of the values replaced by what stands in the same row of the others, if anything."""
    hit = struck(valid(values) & valid(others), rate, rng)
    return spoilt(values, hit, others.filter(pa.array(hit)))


def with_swapped_days(
    dates: Column, rate: float, rng: np.random.Generator
) -> tuple[Column, Column]:
    """A share of the dates with day and month in each other's place, and which."""
    month = dates.astype("datetime64[M]").astype(int) % 12
    day = (dates - dates.astype("datetime64[M]")).astype(int)
    hit = struck((day < 12) & (day != month), rate, rng)  # noqa: PLR2004
    year = dates.astype("datetime64[Y]").astype("datetime64[M]")
    turned = (year + day.astype("timedelta64[M]")).astype("datetime64[D]") + month
    return np.where(hit, turned, dates), hit


def with_first_days(dates: Column, rate: float, rng: np.random.Generator) -> tuple[Column, Column]:
    """A share of the dates moved to the first of January of their year, and which."""
    first = dates.astype("datetime64[Y]").astype("datetime64[D]")
    hit = struck(dates != first, rate, rng)
    return np.where(hit, first, dates), hit


def without(values: pa.Array, rate: float, rng: np.random.Generator) -> Marked:
    """The values without a share of them."""
    hit = struck(valid(values), min(rate, MOST), rng)
    return Marked(pc.if_else(pa.array(hit), pa.scalar(None, values.type), values), hit)
