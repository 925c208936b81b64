"""Which records are worth comparing: those that share a key of at least one rule.

The rules follow from the kinds of the declared fields, never from the data. A key that too many
records share is left out by whoever makes pairs, so that broad rules help where values are rare
and cost nothing where they are common.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa

from identity.likely.fields import Part, parts, told_names
from warehouse import Session, function

MOST_RECORDS = 40  # records that may share a key of a narrow rule
MOST_RECORDS_BROAD = 10  # of a broad rule, where a street is known: there are keys enough
MOST_TEXTS = 6  # texts, the first declared, that are combined: keys grow with the cube of them


CAPS = pa.schema([("rule", pa.int16()), ("most_records", pa.int64())])
PAIRS = """
with sizes as (
    select keys.key_hash
    from {keys} as keys inner join key_caps as caps on keys.rule = caps.rule
    group by keys.key_hash
    having count(*) between 2 and min(caps.most_records)
),
open_keys as (
    select keys.key_hash, keys.record_no from {keys} as keys
    inner join sizes on keys.key_hash = sizes.key_hash
)
select distinct x.record_no as a, y.record_no as b
from open_keys as x
inner join open_keys as y
    on x.key_hash = y.key_hash and x.record_no < y.record_no
"""


@dataclass(frozen=True)
class Rule:
    """Records with the same value of this SQL, unless more than `most_records` share it."""

    number: int
    name: str
    key: str
    most_records: int


def rules(fields: Mapping[str, str]) -> list[Rule]:
    """The rules that the kinds of the declared fields give, always in the same order."""
    declared = parts(fields)
    narrow = [*_alone(declared), *_pairs(declared)]
    most_broad = MOST_RECORDS_BROAD if _terms(declared, "street") else MOST_RECORDS
    keys = [(key, MOST_RECORDS) for key in narrow]
    keys += [(key, most_broad) for key in _broad(declared)]
    return [
        Rule(number, " + ".join(name for name, _ in key), _sql(key), most)
        for number, (key, most) in enumerate(keys)
    ]


def full_name_rule(fields: Mapping[str, str]) -> Rule | None:
    """The rule of the same given and family name, where records have one of each."""
    given, family = _full_name(parts(fields))
    if len(given) != 1 or len(family) != 1:
        return None
    return next(rule for rule in rules(fields) if rule.key == _sql([*given, *family]))


def block_keys(session: Session, prepared: str, fields: Mapping[str, str], into: str) -> None:
    """Show rule, key_hash, record_no: which records share a key; every rule has keys of its own.

    Fields that give no rule, such as a city alone, bring no records together.
    """
    kind = function("hash_type")
    none = f"select cast(0 as smallint) as rule, cast(0 as {kind}) as key_hash, record_no"
    found = " union all ".join(
        f"select cast({rule.number} as smallint) as rule,"
        f" cast({function('hash', f'{rule.key}, {rule.number}')} as {kind}) as key_hash, record_no"
        f" from {prepared} where {rule.key} is not null"
        for rule in rules(fields)
    )
    session.show(into, found or f"{none} from {prepared} where false")


Key = list[tuple[str, str]]


def _sql(key: Key) -> str:
    return " || '|' || ".join(sql for _, sql in key)


def _alone(declared: list[Part]) -> list[Key]:
    """A value that few share is a key by itself; those who share a unique id are linked already."""
    keys: list[Key] = []
    for part in declared:
        if part.kind in ("email", "phone", "id"):
            keys.append([(part.column, f'"{part.column}"')])
    return keys


def _pairs(declared: list[Part]) -> list[Key]:
    """Two of name, date and place are a key; given and family name need a third.

    Streets go with given names only: who lives in one house is told by its postcode already. Where
    no street is known, a city or half a date is enough to a single name. Texts are places, and two
    of them with a name a key too: a date may come in three columns.
    """
    given = _terms(declared, "given_name", "__root")
    family = _terms(declared, "family_name")
    dates = _terms(declared, "date")
    codes = _terms(declared, "postcode")
    streets = _terms(declared, "street")
    groups = [given, family, dates, codes]
    keys: list[Key] = []
    for one, two in combinations(groups, 2):
        if one is not given or two is not family:
            keys += [[a, b] for a in one for b in two]
    keys += [[a, b] for a in given for b in streets]
    cities, texts = _terms(declared, "city"), _terms(declared, "text")
    halves = [half for date in dates for half in _halves(date)]
    near = texts if streets else cities + halves + texts
    keys += [[name, place] for name in given + family for place in near]
    keys += [[a, b, c] for a in given for b in family for c in cities + texts]
    two_texts = list(combinations(texts[:MOST_TEXTS], 2))
    keys += [[name, *two] for name in given + family for two in two_texts]
    return keys


def _halves(date: tuple[str, str]) -> Key:
    """The year of a date, and its month and day: an error in one leaves the other."""
    name, sql = date
    return [(f"{name} year", f"substr({sql}, 1, 4)"), (f"{name} day", f"substr({sql}, 5, 4)")]


def _broad(declared: list[Part]) -> list[Key]:
    given, family = _full_name(declared)
    keys: list[Key] = [[a, b] for a in given for b in family]
    keys += map(list, combinations(_terms(declared, "text")[:MOST_TEXTS], 3))
    for part in declared:
        if part.kind in ("given_name", "family_name", "date", "postcode", "street", "text"):
            keys.append([(part.column, f'"{part.column}"')])
        if part.kind == "email":
            local = f"nullif(split_part(\"{part.column}\", '@', 1), '')"
            keys.append([(f"{part.column} name", local)])
    return keys


def _full_name(declared: list[Part]) -> tuple[Key, Key]:
    """The terms of the given and of the family names; where one is missing, a mailbox may tell."""
    given = _terms(declared, "given_name", "__root")
    family = _terms(declared, "family_name")
    if told := told_names(declared):
        given, family = (
            [(name, f'coalesce({sql}, "{part.column}__told")') for name, sql in terms]
            for part, terms in zip(told[:2], (given, family), strict=True)
        )
    return given, family


def _terms(declared: list[Part], kind: str, suffix: str = "") -> list[tuple[str, str]]:
    return [
        (part.column, f'cast("{part.column}{suffix}" as string)')
        for part in declared
        if part.kind == kind
    ]


def key_caps(fields: Mapping[str, str]) -> dict[int, int]:
    """How many records may share a key of each rule."""
    return {rule.number: rule.most_records for rule in rules(fields)}


def hold_caps(session: Session, caps: Mapping[int, int]) -> None:
    """Let queries see `key_caps` (rule, most_records)."""
    rows = [{"rule": rule, "most_records": most} for rule, most in caps.items()]
    session.register("key_caps", pa.Table.from_pylist(rows, CAPS))


def candidate_pairs(session: Session, keys: str, caps: Mapping[int, int], into: str) -> None:
    """Hold the pairs a < b that share a key which not too many records share."""
    hold_caps(session, caps)
    session.hold(into, PAIRS.format(keys=keys))
