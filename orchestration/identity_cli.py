"""`cdp identity`: why people are who they are, and decisions about it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from orchestration.terminal import console

if TYPE_CHECKING:
    from identity.why import Link

app = typer.Typer(
    help="Who is who: why, what is doubtful, what a change would do.", no_args_is_help=True
)
Named = Annotated[str, typer.Argument(help="Record key, customer id, e-mail, phone, card or user")]


@app.command()
def why(
    one: Named,
    other: Named,
    picture: Annotated[Path | None, typer.Option(help="Draw it too: file.png or .svg")] = None,
) -> None:
    """Tell why two records are one customer, or why they are not."""
    from identity.pictures import save_waterfalls
    from identity.why import why as answer_to

    answer = answer_to(one, other)
    ids = (
        answer.customer_id
        if answer.are_one
        else f"{answer.customer_id}, {answer.other_customer_id}"
    )
    verdict = "one customer" if answer.are_one else "two customers"
    say(f"{answer.a} and {answer.b} are {verdict} ({ids}): {answer.reason}.")
    for link in answer.links:
        show_link(link)
    if picture:
        save_waterfalls(answer, picture)
        say(f"Drawn in {picture}")


def show_link(link: "Link") -> None:
    """Print the evidence about one pair of records as a waterfall."""
    from identity.pictures import COLUMNS, bars

    console.print()
    say(f"{link.a} and {link.b}", style="bold")
    if link.decision:
        say(f"  decision of a person, {link.decision}")
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, min_width=COLUMNS)
    rows = [(part.what, part.finding, part.weight) for part in link.parts]
    if rows:
        rows.append(("sum", "bits for one person", link.weight))
        drawn = bars([part.weight for part in link.parts])
        for (what, finding, weight), bar in zip(rows, drawn, strict=True):
            table.add_row(Text(what), Text(finding), Text(f"{weight:+.1f}"), Text(bar))
        console.print(table)
    elif not link.decision:
        say("  never compared: they share no identifier that counts and no blocking key")
    for note in link.notes:
        say(f"  {note}", style="dim")


def say(line: str, style: str | None = None) -> None:
    """Print a line as it is: keys and values may hold what looks like markup."""
    console.print(line, style=style, highlight=False, markup=False)
