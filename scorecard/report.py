"""The scorecard as people read it in a terminal."""

from collections.abc import Iterable, Mapping

from rich.box import SIMPLE
from rich.table import Column, Table

from scorecard.rows import Row

NONE = "\u2013"


def table(rows: Iterable[Row], before: Mapping[tuple[str, str], float | None]) -> Table:
    """Every figure, with the last one where there is one; what must be 0 and is not is red."""
    figures = ("value", "last run", "change") if before else ("value",)
    shown = Table(
        Column("metric", no_wrap=True),
        *(Column(name, no_wrap=True, justify="right") for name in figures),
        "note",
        box=SIMPLE,
    )
    area = ""
    for row in rows:
        if row.area != area:
            shown.add_row(f"[bold]{row.area}[/bold]")
        area, last = row.area, before.get((row.area, row.metric))
        compared = (figure(row, last), change(row, last)) if before else ()
        cells = (row.metric, figure(row, row.value), *compared, row.note)
        shown.add_row(*cells, style="red" if row.is_broken else None)
    return shown


def figure(row: Row, value: float | None) -> str:
    """A value in the row's unit."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if row.unit == "count" else f"{value:.4f}"


def change(row: Row, last: float | None) -> str:
    """How the value moved since the last score; nothing when it did not."""
    if last is None or row.value is None or row.value == last:
        return ""
    sign = "+" if row.value > last else "-"
    return sign + figure(row, abs(row.value - last))
