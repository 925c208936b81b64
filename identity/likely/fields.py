"""Declared columns in one form: folded names, digits of dates, parts of e-mails and postcodes."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from warehouse import Session, function

LONGEST = 100  # characters of a value that are compared; more would cost time and tell nothing
NICKNAMES = Path(__file__).with_name("nicknames.csv")
EMPTY = "''"
NOT_DIGITS = "'[^0-9]+'"
NATIONAL = 9  # last digits of a phone number: written with the country's or without
PLAIN = "'[A-Za-z0-9]+( [A-Za-z0-9]+)*'"
LEAST_GIVEN, LEAST_FAMILY = 2, 3  # letters of a name that a mailbox tells: it may be anything
LETTERS = {"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i"}
REPEATED = ("given_name", "family_name", "street", "city", "text")
TITLES = "^(mr|mrs|ms|miss|dr|prof|sir|herr|frau|mme|sr|sra|mevr|dhr) "
SUFFIXES = "(?i),? +(jr|sr|ii|iii|iv)[.]?$"


@dataclass(frozen=True)
class Part:
    """One comparable value of a record: its column, its kind, and the SQL of its declared text."""

    column: str
    kind: str
    source: str


def parts(fields: Mapping[str, str]) -> list[Part]:
    """The values to compare; of a full name those that no column of their own gives."""
    found: list[Part] = []
    for column, kind in fields.items():
        text = f'cast("{column}" as string)'
        if kind == "full_name":
            found += [part for part in _names(column, text) if part.kind not in fields.values()]
        else:
            found.append(Part(column, kind, text))
    return found


def _names(column: str, text: str) -> list[Part]:
    """The given and the family name in a full one: Dr. Ann Lee, or Lee Jr., Ann."""
    bare = function("without", text, f"'{SUFFIXES}'", EMPTY)
    turned = (
        f"case when {bare} like '%,%'"
        f" then split_part({bare}, ',', 2) || ' ' || split_part({bare}, ',', 1) else {bare} end"
    )
    name = folded(f"({turned})")
    for sign in (TITLES, SUFFIXES):
        name = function("without", name, f"'{sign}'", EMPTY)
    last = function("found", name, "'[^ ]+$'")
    return [
        Part(f"{column}__given", "given_name", f"split_part({name}, ' ', 1)"),
        Part(f"{column}__family", "family_name", f"case when {name} like '% %' then {last} end"),
    ]


def prepare(session: Session, records: str, fields: Mapping[str, str], into: str) -> None:
    """A table of record_no and every declared field in one form, from a table with record_no.

    Folding is dear, and names and places repeat: each spelling is folded once.
    """
    _read_nicknames(session)
    declared = parts(fields)
    repeated = [part for part in declared if part.kind in REPEATED]
    for part in repeated:
        session.hold(
            _spellings(part),
            f"select spelling, {folded('spelling')} as folded from"
            f" (select {part.source} as spelling from {records} group by 1) as spellings",
        )
    spelt = "".join(
        f" left join {_spellings(part)} on {part.source} = {_spellings(part)}.spelling"
        for part in repeated
    )
    plain = ", ".join(
        f'{f"{_spellings(part)}.folded" if part in repeated else _plain(part)} as "{part.column}"'
        for part in declared
    )
    derived = "".join(
        f", {sql}" for sqls in (*map(_derived, declared), _told(declared)) for sql in sqls
    )
    joins = "".join(
        f" left join nickname_roots as {_alias(part)}"
        f''' on {_alias(part)}.form = split_part(plain."{part.column}", ' ', 1)'''
        for part in declared
        if part.kind == "given_name"
    )
    session.hold(
        into,
        f"with plain as (select record_no, {plain} from {records}{spelt})"
        f" select plain.*{derived} from plain{joins}",
    )


def known(column: str, fields: Mapping[str, str], row: str) -> str:
    """SQL: the value of a column in this row, be it that a mailbox tells it."""
    value = f'{row}."{column}"'
    is_told = column in {part.column for part in told_names(parts(fields))[:2]}
    return f'coalesce({value}, {row}."{column}__told")' if is_told else value


def told_names(declared: list[Part]) -> tuple[Part, ...]:
    """Given name, family name and e-mail where a mailbox can tell a missing name by the other."""
    kinds = ("given_name", "family_name", "email")
    found = [[part for part in declared if part.kind == kind] for kind in kinds]
    return tuple(one[0] for one in found) if all(len(one) == 1 for one in found) else ()


def _told(declared: list[Part]) -> list[str]:
    """SQL: the name that is missing but for the mailbox: ann of berg and ann.berg71@."""
    if not (names := told_names(declared)):
        return []
    given, family, email = (f'plain."{part.column}"' for part in names)
    box = function("without", f"split_part({email}, '@', 1)", "'[^a-z]+'", EMPTY)
    initial = (
        f" when substr({box}, 1, 1) = substr({given}, 1, 1) and length({box}) > {LEAST_FAMILY}"
        f" then substr({box}, 2)"
    )
    return [
        f"case when {given} is null then {_rest(box, family, LEAST_GIVEN)} end"
        f' as "{names[0].column}__told"',
        f"case when {family} is null then {_rest(box, given, LEAST_FAMILY, initial)} end"
        f' as "{names[1].column}__told"',
    ]


def _rest(box: str, name: str, least: int, otherwise: str = "") -> str:
    """SQL: what a mailbox has before or after a name, if that is long enough to be a name."""
    part = f"replace({name}, ' ', '')"
    rest = f"length({box}) - length({part})"
    return (
        f"case when length({part}) < 2 then null"
        f" when {box} like {part} || '%' then"
        f" case when {rest} >= {least} then right({box}, {rest}) end"
        f" when {box} like '%' || {part} then"
        f" case when {rest} >= {least} then left({box}, {rest}) end{otherwise} end"
    )


def folded(text: str) -> str:
    """SQL: lower case without accents and signs, one space between words, null when empty.

    Most texts are plain words already, which is cheaper to see than to make.
    """
    bare = f"lower(substr({text}, 1, {LONGEST}))"
    for letter, plain in LETTERS.items():
        bare = f"replace({bare}, '{letter}', '{plain}')"
    bare = function("without", function("without_accents", bare), "'[''’`´]'", "''")
    words = function("without", bare, r"'[^\p{L}\p{N}]+'", "' '")
    return (
        f"case when {function('matches', text, PLAIN)} and length({text}) <= {LONGEST}"
        f" then lower({text}) else nullif(trim({words}), '') end"
    )


def _plain(part: Part) -> str:
    text = f"substr({part.source}, 1, {LONGEST})"
    if part.kind == "email":
        return f"nullif(lower(trim({text})), '')"
    if part.kind == "date":
        digits = function("without", f"substr({text}, 1, 10)", NOT_DIGITS, EMPTY)
        return f"nullif({digits}, '')"
    if part.kind == "phone":
        return f"nullif(right({function('without', text, NOT_DIGITS, EMPTY)}, {NATIONAL}), '')"
    signs = r"'[^\p{L}\p{N}]+'"
    return f"nullif({function('without', f'lower({text})', signs, EMPTY)}, '')"


def _derived(part: Part) -> list[str]:
    column = f'plain."{part.column}"'
    name = part.column
    if part.kind == "given_name":
        first = f"split_part({column}, ' ', 1)"
        alias = _alias(part)
        return [
            f'{alias}.roots as "{name}__roots"',
            f'coalesce({alias}.root, {first}) as "{name}__root"',
        ]
    if part.kind == "email":
        local = f"split_part({column}, '@', 1)"
        return [f'{_without_separators(local)} as "{name}__plain"']
    if part.kind == "postcode":
        return [f'{_area(column)} as "{name}__area"']
    return []


def _without_separators(mailbox: str) -> str:
    """SQL: ann.berg, ann_berg and ann-berg as annberg; null if nothing is left."""
    for sign in "._-":
        mailbox = f"replace({mailbox}, '{sign}', '')"
    return f"nullif({mailbox}, '')"


def _area(postcode: str) -> str:
    """SQL: the part of a postcode that names a district: without the last three signs or two."""
    is_number = function("found", postcode, "'^[0-9]+$'") + " <> ''"
    kept = f"length({postcode}) - case when {is_number} then 2 else 3 end"
    return f"substr({postcode}, 1, greatest({kept}, 1))"


def _alias(part: Part) -> str:
    return f'"{part.column}__names"'


def _spellings(part: Part) -> str:
    return f'"{part.column}__spellings"'


def _read_nicknames(session: Session) -> None:
    """Every known form of a given name with the names it stands for, itself included."""
    roots: dict[str, set[str]] = {}
    with NICKNAMES.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            for form in (row["form"], row["name"]):
                roots.setdefault(form, {form}).add(row["name"])
    forms = sorted(roots)
    known = pa.table(
        {
            "form": forms,
            "roots": [sorted(roots[form]) for form in forms],
            "root": [_root(form, roots[form]) for form in forms],
        }
    )
    session.register("nickname_forms", known)
    session.hold("nickname_roots", "select * from nickname_forms")


def _root(form: str, roots: set[str]) -> str:
    """The one name that a form is looked up by: the first of those it stands for, or itself."""
    return min(roots - {form}, default=form)
