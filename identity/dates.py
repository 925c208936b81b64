"""Dates as people write them, in one form: eight digits, year first."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LETTERS = 3  # of the name of a month that tell it
PIECES = re.compile(r"[0-9]+|[^\W\d_]+")
YEAR, SHORT_YEAR, DAY = (re.compile(f"[0-9]{{{size}}}") for size in ("4", "2", "1,2"))
LONGEST = 40  # characters of a date that are read
CENTURY = "19"  # of a year of two digits: which one it is matters little where all are written so


@dataclass(frozen=True)
class Written:
    """A date in pieces: the year, and two numbers of which one is the month."""

    year: str
    first: int
    second: int
    is_month_first: bool | None  # None if it does not say so

    @property
    def balance(self) -> int:
        """1 if only the second can be the day, -1 if only the first can; 0 if both can or none."""
        if self.is_month_first is not None:
            return 0
        return (self.second > len(MONTHS)) - (self.first > len(MONTHS))


def year_first(written: Iterable[str | None]) -> list[str | None]:
    """The dates of one column in eight digits; what is in no form that is known stays as it is.

    Known are 1980-02-03, 3.2.1980, 3 Feb 1980 and Feb 3, 1980, with a time or without. 3/2/1980
    does not say which is the day: the one that is above 12 more often in the whole column.
    """
    texts = list(written)
    known = {text: found for text in set(texts) if text and (found := _pieces(text))}
    is_american = sum(one.balance for one in known.values()) > 0
    return [
        _digits(known[text], is_american=is_american) if text in known else text for text in texts
    ]


def _digits(one: Written, *, is_american: bool) -> str:
    is_month_first = is_american if one.is_month_first is None else one.is_month_first
    month, day = (one.first, one.second) if is_month_first else (one.second, one.first)
    return f"{one.year}{month:02}{day:02}"


def _pieces(text: str) -> Written | None:
    match PIECES.findall(text[:LONGEST].lower())[:3]:
        case [year, first, second] if YEAR.fullmatch(year):
            return _numbered(year, first, second, is_month_first=True)
        case [first, second, year] if YEAR.fullmatch(year):
            return _numbered(year, first, second, is_month_first=None)
        case [first, second, year] if SHORT_YEAR.fullmatch(year):
            return _numbered(f"{CENTURY}{year}", first, second, is_month_first=None)
    return None


def _numbered(year: str, first: str, second: str, *, is_month_first: bool | None) -> Written | None:
    """The date in numbers; the name of a month says by itself that it is the month."""
    numbers = [_number(first), _number(second)]
    if None in numbers or (first.isalpha() and second.isalpha()):
        return None
    is_named = first.isalpha() or second.isalpha()
    one, other = (number or 0 for number in numbers)
    return Written(year, one, other, first.isalpha() if is_named else is_month_first)


def _number(piece: str) -> int | None:
    """The number of a day or a month, or of the month of this name."""
    if piece[:LETTERS] in MONTHS:
        return MONTHS.index(piece[:LETTERS]) + 1
    return int(piece) if DAY.fullmatch(piece) else None
