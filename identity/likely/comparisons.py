"""How alike two values can be: for each kind a ladder of levels, the most alike first."""

from collections.abc import Mapping
from dataclasses import dataclass

from identity.likely.blocking import MOST_RECORDS_BROAD
from identity.likely.fields import EMPTY, NOT_DIGITS, Part, parts, told_names
from warehouse import function

LEAST_ALIKE = 0.7  # Jaro-Winkler of texts that few edits make one
TOLD_BY_A_MAILBOX = "told by a mailbox"  # the level of a name that is in the other's e-mail
SHORT = 8  # letters; of shorter texts edits are counted as fast as likeness is


@dataclass(frozen=True)
class Level:
    """One step of likeness: its name, its condition in SQL, and the column whose value is rare."""

    name: str
    condition: str
    frequency_of: str | None = None


@dataclass(frozen=True)
class Comparison:
    """A ladder of levels over rows `l` and `r`, tried from the top; the last takes the rest.

    As numbers, the top level of n is n, the last is 0, and -1 says that a value is missing.
    """

    name: str
    kind: str
    missing: str
    levels: tuple[Level, ...]
    exact: str  # the column that is equal at the top level
    last: str = "differs"

    @property
    def level(self) -> str:
        """SQL: the level of a pair as a number."""
        top = len(self.levels)
        steps = " ".join(
            f"when {level.condition} then {top - place}" for place, level in enumerate(self.levels)
        )
        return f"case when {self.missing} then -1 {steps} else 0 end"

    @property
    def sql(self) -> str:
        """SQL: the level as a column of small integers."""
        return f'cast({self.level} as tinyint) as "{self.column}"'

    @property
    def column(self) -> str:
        """The column that holds the level."""
        return f"level_{self.name}"

    @property
    def names(self) -> list[str]:
        """The names of the levels by their number, from 0."""
        return [self.last, *(level.name for level in reversed(self.levels))]

    @property
    def frequency_columns(self) -> dict[int, str]:
        """The levels whose weight depends on how rare the common value is."""
        top = len(self.levels)
        return {
            top - place: level.frequency_of
            for place, level in enumerate(self.levels)
            if level.frequency_of
        }


def comparisons(fields: Mapping[str, str]) -> list[Comparison]:
    """The comparisons of the declared fields; one address is one comparison, not three."""
    declared = parts(fields)
    address = _one_address(declared)
    given = _only(declared, "given_name")
    family = _only(declared, "family_name")
    swapped = _swapped(given, family)
    told = told_names(declared)
    found = [_of(part, swapped, part in told) for part in declared if part not in address]
    if address:
        found.append(_address(*address))
    if given and family:
        found.append(_namesakes())
    return found


def _one_address(declared: list[Part]) -> list[Part]:
    """Street, postcode and city when each is declared once, else nothing.

    They depend on one another: added up as three they would count one house three times.
    """
    found = [_only(declared, kind) for kind in ("street", "postcode", "city")]
    return [part for part in found if part] if all(found) else []


def _only(declared: list[Part], kind: str) -> Part | None:
    found = [part for part in declared if part.kind == kind]
    return found[0] if len(found) == 1 else None


def _swapped(given: Part | None, family: Part | None) -> str | None:
    """SQL: the two names of one record are those of the other in the other order."""
    if not given or not family:
        return None
    first, last = f'"{given.column}"', f'"{family.column}"'
    return f"(l.{first} = r.{last} and l.{last} = r.{first} and l.{first} <> l.{last})"


def _of(part: Part, swapped: str | None, is_told: bool) -> Comparison:
    ladder = LADDERS[part.kind](part.column)
    missing = _missing(part.column)
    if is_told and part.kind != "email":
        told = _told(part.column)
        ladder = (*ladder, Level(TOLD_BY_A_MAILBOX, told, part.column))
        missing = f"({missing}) and not {told}"
    if swapped and part.kind == "given_name":
        ladder = (ladder[0], Level("swapped", swapped), *ladder[1:])
    elif swapped and part.kind == "family_name":
        missing += f" or {swapped}"  # the given name has told it all
    if part.kind == "email":
        missing += f" or {_mailbox_of_a_name(part.column)}"
    return Comparison(part.column, part.kind, missing, ladder, part.column)


def _told(column: str) -> str:
    """SQL: the name of one record is what the mailbox of the other tells; else it says nothing."""
    name, told = f'"{column}"', f'"{column}__told"'
    return f"coalesce(l.{told} = r.{name} or l.{name} = r.{told}, false)"


def _missing(*columns: str) -> str:
    return " or ".join(f'l."{column}" is null or r."{column}" is null' for column in columns)


def _equal(column: str) -> str:
    return f'l."{column}" = r."{column}"'


def both(column: str) -> tuple[str, str]:
    """SQL: the two values of a column."""
    return f'l."{column}"', f'r."{column}"'


def edits(left: str, right: str, most: int) -> str:
    """SQL: at most so many letters of a text are wrong, missing, added or in the wrong order.

    Counting letters in the wrong order is dear, so it is left to the few pairs that are undecided
    without: each of them is two plain edits. Long texts that are unlike are dismissed before.
    """
    lengths = f"abs(length({left}) - length({right})) <= {most}"
    hopeful = f"{function('jaro_winkler', left, right)} >= {LEAST_ALIKE}"
    if most == 1:
        hopeful = f"(length({left}) < {SHORT} or {hopeful})"
    plain = f"levenshtein({left}, {right})"
    turned = f"{function('edits', left, right)} <= {most}"
    counted = (
        f"case when {plain} <= {most} then true when {plain} > {2 * most} then false"
        f" else {turned} end"
    )
    return f"{lengths} and {hopeful} and {counted}"


def jaro_winkler(column: str, least: float) -> str:
    """SQL: the Jaro-Winkler likeness is at least this."""
    likeness = function("jaro_winkler", f'l."{column}"', f'r."{column}"')
    return f"{likeness} >= {least}"


def _misspelt(column: str) -> str:
    """SQL: one letter, or a little more of a long word; two letters are too few to say."""
    longer = f'greatest(length(l."{column}"), length(r."{column}")) > 2'
    return f"({longer} and ({edits(*both(column), 1)} or {jaro_winkler(column, 0.92)}))"


def initial(column: str) -> str:
    """SQL: one of the names is only the first letter of the other."""
    left, right = f'l."{column}"', f'r."{column}"'
    one = f"(length({left}) = 1 or length({right}) = 1)"
    return f"({one} and substr({left}, 1, 1) = substr({right}, 1, 1))"


def nickname(column: str) -> str:
    """SQL: both are forms of one name."""
    left, right = f'l."{column}__roots"', f'r."{column}__roots"'
    common = function("any_in_common", left, right)
    return f"({left} is not null and {right} is not null and {common})"


def _shares_a_word(column: str) -> str:
    """SQL: one name is a word of the other, as in a double name."""
    left, right = f'l."{column}"', f'r."{column}"'
    two = f"({left} like '% %' or {right} like '% %')"
    within = [
        f"' ' || {outer} || ' ' like '% ' || {inner} || ' %'"
        for outer, inner in ((left, right), (right, left))
    ]
    return f"({two} and ({within[0]} or {within[1]}))"


def _given_name(column: str) -> tuple[Level, ...]:
    return (
        Level("same", _equal(column), column),
        Level("nickname", f"({nickname(column)} or {_shares_a_word(column)})"),
        Level("misspelt", _misspelt(column)),
        Level("initial", initial(column)),
        Level("alike", jaro_winkler(column, 0.8)),
    )


def _family_name(column: str) -> tuple[Level, ...]:
    return (
        Level("same", _equal(column), column),
        Level("misspelt", f"({_misspelt(column)} or {_shares_a_word(column)})"),
        Level("alike", jaro_winkler(column, 0.8)),
    )


def _date(column: str) -> tuple[Level, ...]:
    years, months, days = (_piece(column, *at) for at in ((1, 4), (5, 2), (7, 2)))
    year, month, day = (f"{left} = {right}" for left, right in (years, months, days))
    turned = f"{year} and {months[0]} = {days[1]} and {months[1]} = {days[0]}"
    two = f"({month} and {day} or {year} and ({month} or {day}))"
    numbers = (f"try_cast({number} as integer)" for number in years)
    return (
        Level("same", _equal(column), column),
        Level("misspelt", f"({edits(*both(column), 1)} or {turned})"),
        Level("same day or month", two),
        Level("same year", year),
        Level("same decade", f"abs({' - '.join(numbers)}) <= 10"),
    )


def _piece(column: str, start: int, length: int) -> tuple[str, str]:
    left, right = (f"substr({value}, {start}, {length})" for value in both(column))
    return left, right


def _email(column: str) -> tuple[Level, ...]:
    (local, other_local), (domain, other_domain) = (_part_of_email(column, n) for n in (1, 2))
    one_edit = (
        f"({domain} = {other_domain} and {edits(local, other_local, 1)})"
        f" or ({local} = {other_local} and {edits(domain, other_domain, 1)})"
    )
    return (
        Level("same", _equal(column)),
        Level(
            "misspelt",
            f'(length(l."{column}") > 8 and ({one_edit}) and not {_other_number(column)})',
        ),
        Level("same mailbox name", _equal(f"{column}__plain")),
    )


def _part_of_email(column: str, number: int) -> tuple[str, str]:
    left, right = (f"split_part({value}, '@', {number})" for value in both(column))
    return left, right


def _mailbox_of_a_name(column: str) -> str:
    """SQL: ann.berg and annberg, or ann.berg2 elsewhere, say no more than the name does.

    ann.berg71 would.
    """
    digits = f"length({_numbers(column)[0]})"
    return f"({_equal(f'{column}__plain')} and not {_equal(column)} and {digits} < 2)"


def _other_number(column: str) -> str:
    """SQL: ann.berg3 is not ann.berg2 misspelt: namesakes are numbered."""
    left, right = _numbers(column)
    return f"({left} <> {right} and length({left}) = length({right}))"


def _numbers(column: str) -> tuple[str, str]:
    """SQL: the digits of the mailboxes; few pairs are so alike that they are asked for."""
    boxes = _part_of_email(column, 1)
    left, right = (function("without", box, NOT_DIGITS, EMPTY) for box in boxes)
    return left, right


def _phone(column: str) -> tuple[Level, ...]:
    return (
        Level("same", _equal(column)),
        Level("misspelt", f"({edits(*both(column), 1)})"),
    )


def _postcode(column: str) -> tuple[Level, ...]:
    return (
        Level("same", _equal(column), column),
        Level("misspelt", f"({edits(*both(column), 1)})"),
        Level("same area", _equal(f"{column}__area")),
        Level("same region", f'substr(l."{column}", 1, 2) = substr(r."{column}", 1, 2)'),
    )


def _words(column: str) -> tuple[Level, ...]:
    return (
        Level("same", _equal(column), column),
        Level("misspelt", _misspelt(column)),
        Level("alike", jaro_winkler(column, 0.8)),
    )


def _id(column: str) -> tuple[Level, ...]:
    return (
        Level("same", _equal(column)),
        Level("misspelt", f'(length(l."{column}") > 4 and {edits(*both(column), 1)})'),
    )


def _unique_id(column: str) -> tuple[Level, ...]:
    return (Level("same", _equal(column)),)


def _address(street: Part, postcode: Part, city: Part) -> Comparison:
    line, code, town = street.column, postcode.column, city.column
    near = f"({_equal(code)} or {_equal(town)})"
    lines = f'l."{line}" is null or r."{line}" is null'
    return Comparison(
        "address",
        "address",
        _missing(code),
        (
            Level("same street", f"({_equal(line)} and {near})", line),
            Level("misspelt street", f"({edits(*both(line), 2)} and {near})"),
            Level("same postcode, street unknown", f"({_equal(code)} and ({lines}))", code),
            Level("same postcode, other street", _equal(code), code),
            Level("misspelt postcode", f"({edits(*both(code), 1)} and {_equal(town)})"),
            Level("same city", _equal(town), town),
        ),
        line,
    )


def _namesakes() -> Comparison:
    """How many records bear the full name that both have: of two, mostly one person's.

    Unknown of names so common that they bring no records together.
    """
    key, borne = "full_name_key", "l.namesakes"
    missing = f"{_missing(key)} or not {_equal(key)} or {borne} > {MOST_RECORDS_BROAD}"
    ladder = (
        Level("two records bear the name", f"{borne} <= 2"),
        Level("three records", f"{borne} = 3"),
        Level("four records", f"{borne} = 4"),
        Level("five records", f"{borne} = 5"),
        Level("six or seven records", f"{borne} <= 7"),
    )
    return Comparison("namesakes", "namesakes", missing, ladder, key, "more records")


LADDERS = {
    "given_name": _given_name,
    "family_name": _family_name,
    "date": _date,
    "email": _email,
    "phone": _phone,
    "street": _words,
    "city": _words,
    "postcode": _postcode,
    "text": _words,
    "id": _id,
    "unique_id": _unique_id,
}
