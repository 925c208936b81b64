"""What verbs print on."""

import sys
from collections.abc import Iterable, Mapping
from itertools import chain, count

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

console = Console(file=sys.stdout)
NARROWEST = 8  # signs of a column, below which nobody can read it
SHOWN = "\n\t\u200c\u200d"  # line ends, and what joins letters of Persian, Hindi and emojis


def visible(text: str) -> str:
    """The text with signs that steer a terminal, or cannot be seen, told by their codes.

    Anybody may put them into a name, and what they would do is not ours to do.
    """
    return "".join(
        sign if sign.isprintable() or sign in SHOWN else sign.encode("unicode_escape").decode()
        for sign in text
    )


def show_rows(rows: Iterable[Mapping[str, object]], of: int = 0) -> None:
    """Print rows as a table, whose columns are the names of the first row, or row by row if many.

    When they are a part of more, it says so: who sees a part must not take it for all.
    """
    found = list(rows)
    if not found:
        console.print("Nothing.")
        return
    if len(found[0]) * NARROWEST > console.width:
        for row in found:
            _show(Table("field", Column("value", overflow="fold")), row.items())
    else:  # nothing is cut off
        columns = (Column(name, overflow="fold") for name in found[0])
        _show(Table(*columns), (row.values() for row in found))
    if len(found) < of:
        console.print(f"{len(found):,} of {of:,} rows.", highlight=False)


def told_apart(names: Iterable[str]) -> list[str]:
    """The names, those that came before with their number: a row of a table has each name once."""
    taken: list[str] = []
    for name in names:
        tries = (f"{name}_{number}" for number in count(2))
        taken.append(next(each for each in chain([name], tries) if each not in taken))
    return taken


def _show(table: Table, rows: Iterable[Iterable[object]]) -> None:
    for row in rows:
        cells = ("" if value is None else str(value) for value in row)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console.print(table)
