"""The scorecard as people read it in a terminal."""

from collections.abc import Iterable, Mapping

from rich.box import SIMPLE
from rich.table import Column, Table

from scorecard.rows import Row

NONE = "\u2013"
HEADINGS: tuple[Column | str, ...] = (
    Column("metric", no_wrap=True),
    *(Column(name, no_wrap=True, justify="right") for name in ("value", "last run", "change")),
    "note",
)


def table(rows: Iterable[Row], before: Mapping[tuple[str, str], float | None]) -> Table:
    """Every figure with the last one; what must be 0 and is not stands in red."""
    shown = Table(*HEADINGS, box=SIMPLE)
    area = ""
    for row in rows:
        if row.area != area:
            shown.add_row(f"[bold]{row.area}[/bold]")
        area, last = row.area, before.get((row.area, row.metric))
        cells = (figure(row, row.value), figure(row, last), change(row, last), row.note)
        shown.add_row(row.metric, *cells, style="red" if row.is_broken else None)
    return shown


def figure(row: Row, value: float | None) -> str:
    """A value in the row's unit."""
    if value is None:
        return NONE
    return f"{value:.4f}" if row.unit == "share" else f"{value:,.0f}"


def change(row: Row, last: float | None) -> str:
    """How the value moved since the last score; nothing when it did not."""
    if last is None or row.value is None or row.value == last:
        return ""
    sign = "+" if row.value > last else "-"
    return sign + figure(row, abs(row.value - last))
