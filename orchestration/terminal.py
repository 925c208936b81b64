"""What verbs print on."""

import sys
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Column, Table

console = Console(file=sys.stdout)


def show_rows(rows: Iterable[Mapping[str, object]]) -> None:
    """Print rows as a table, whose columns are the names of the first row."""
    found = list(rows)
    if not found:
        console.print("Nothing.")
        return
    table = Table(*(Column(name, overflow="fold") for name in found[0]))  # nothing is cut off
    for row in found:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console.print(table)
