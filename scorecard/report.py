"""The scorecard as people read it in a terminal."""

from collections.abc import Iterable, Mapping

from rich.box import SIMPLE
from rich.table import Column, Table

from scorecard.rows import Row

NONE = "\u2013"
NARROW = 110  # columns: with fewer, notes would be squeezed into a thin column


def table(rows: Iterable[Row], before: Mapping[tuple[str, str], float | None], width: int) -> Table:
    """Every figure, with the last one where there is one; what must be 0 and is not is red."""
    figures = ("value", "last run", "change") if before else ("value",)
    shown = Table(
        Column("metric", no_wrap=width >= NARROW),
        *(Column(name, no_wrap=True, justify="right") for name in figures),
        *(["note"] if width >= NARROW else []),
        box=SIMPLE,
    )
    area = ""
    for row in rows:
        if row.area != area:
            shown.add_row(f"[bold]{row.area}[/bold]")
        area, last = row.area, before.get((row.area, row.metric))
        compared = [figure(row, last), change(row, last)] if before else []
        metric, *note = _told(row, width)
        cells = [metric, figure(row, row.value), *compared, *note]
        shown.add_row(*cells, style="red" if row.is_broken else None)
    return shown


def broken(rows: Iterable[Row]) -> list[str]:
    """What must be 0 and is not."""
    return [f"{row.metric}: {row.value:,.0f}" for row in rows if row.is_broken]


def _told(row: Row, width: int) -> tuple[str, ...]:
    """Metric and note; in a narrow terminal the note stands below the metric."""
    note = "; ".join(filter(None, ["must be 0" if row.must_be_zero else "", row.note]))
    if width >= NARROW:
        return row.metric, note
    return (f"{row.metric}\n  [dim]{note}[/dim]" if note else row.metric,)


def figure(row: Row, value: float | None) -> str:
    """A value in the row's unit."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if row.unit == "count" else f"{value:.4f}"


def change(row: Row, last: float | None) -> str:
    """How the value moved since the last score; nothing when that cannot be seen in it."""
    if last is None or row.value is None or figure(row, row.value) == figure(row, last):
        return ""
    sign = "+" if row.value > last else "-"
    return sign + figure(row, abs(row.value - last))
