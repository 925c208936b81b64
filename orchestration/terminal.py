"""What verbs print on."""

import sys
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

console = Console(file=sys.stdout)
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
    """Print rows as a table, whose columns are the names of the first row.

    When they are a part of more, it says so: who sees a part must not take it for all.
    """
    found = list(rows)
    if not found:
        console.print("Nothing.")
        return
    table = Table(*(Column(name, overflow="fold") for name in found[0]))  # nothing is cut off
    for row in found:
        cells = ("" if value is None else str(value) for value in row.values())
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console.print(table)
    if len(found) < of:
        console.print(f"{len(found):,} of {of:,} rows.", highlight=False)
