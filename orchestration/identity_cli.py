"""`cdp identity`: why people are who they are, and decisions about it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from orchestration.terminal import console, show_rows, visible

if TYPE_CHECKING:
    from identity.retraining import Retraining
    from identity.why import Link

app = typer.Typer(
    help="Who is who: why, what is doubtful, what a change would do.", no_args_is_help=True
)
review = typer.Typer(
    help="What is doubtful, with its evidence; decide it.", invoke_without_command=True
)
app.add_typer(review, name="review")
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
    rows = [(part.what, part.finding, part.weight) for part in link.told]
    if rows:
        rows.append(("sum", "bits for one person", link.weight))
        drawn = bars([part.weight for part in link.told])
        for (what, finding, weight), bar in zip(rows, drawn, strict=True):
            table.add_row(Text(what), Text(visible(finding)), Text(f"{weight:+.1f}"), Text(bar))
        console.print(table)
    elif not link.decision:
        say("  never compared: they share no identifier that counts and no blocking key")
    for note in link.notes:
        say(f"  {note}", style="dim")


def say(line: str, style: str | None = None) -> None:
    """Print a line as it is: keys and values may hold what looks like markup."""
    console.print(visible(line), style=style, highlight=False, markup=False, soft_wrap=True)


@review.callback()
def list_doubts(
    ctx: typer.Context,
    most: Annotated[int, typer.Option(min=0, help="How many to show, the largest first")] = 5,
) -> None:
    """Show pairs of records that might be one person, or not, with their evidence."""
    if ctx.invoked_subcommand:
        return
    from identity.review import review as look

    found, shown = look(most)
    for doubt, link in shown:
        now = "one customer" if doubt.are_one else f"apart ({doubt.reason or 'no link'})"
        console.rule(f"number {doubt.number}")
        say(f"Now {now}; {doubt.net:+.1f} bits between all their records.", style="bold")
        show_link(link)
    say(f"\n{found} to decide, {len(shown)} shown.")
    if shown:
        say("`cdp identity review decide <number> link|cut --reason ... --actor ...`", style="dim")


@review.command()
def decide(
    subject: Annotated[
        list[str],
        typer.Argument(
            help="A number from the review, or two record keys, or a type of identifier and a"
            " value; then link, cut, block, allow or withdraw"
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why")],
    actor: Annotated[str, typer.Option(help="Who decides")],
) -> None:
    """Decide that two records are one person (link) or are not (cut), or about one value.

    The last decision counts, from the next refresh; withdraw takes it back.
    """
    from identity.review import decide as keep

    kept = keep(subject[:-1], subject[-1], reason=reason, actor=actor)
    say(f"{kept.override_id}: {kept.kind} {' and '.join(kept.subject)}, from the next refresh.")
    say("What it will do: `cdp identity plan`.", style="dim")


@app.command()
def overrides() -> None:
    """List every decision that people have taken, and whether it counts."""
    from identity.review import overrides as all_of_them

    show_rows(
        {
            "decision": one.decision.kind,
            "about": "\n".join(one.decision.subject),
            "reason": one.decision.reason,
            "actor": one.decision.actor,
            "decided": f"{one.decision.decided_at:%Y-%m-%d %H:%M}",
            "state": one.state,
        }
        for one in all_of_them()
    )


@app.command()
def plan(
    retrained: Annotated[bool, typer.Option(help="With a link model trained anew")] = False,
    most: Annotated[int, typer.Option(min=0, help="How many merges and splits to show")] = 20,
) -> None:
    """Show whom the seeds as they are now, and waiting decisions, would merge and split.

    Nothing is written; `cdp refresh` does it.
    """
    from identity.plan import plan as look

    with console.status("Resolving everything on trial"):
        found = look(is_retrained=retrained)
    if found.old_rules_version != found.rules_version:
        say(f"Rules {found.old_rules_version or 'none'} -> {found.rules_version}")
    say(
        f"{found.merged:,} merges, {found.split:,} splits, {found.revived:,} ids come back;"
        f" {found.moved_records:,} of {found.records:,} records would move,"
        f" {found.customers:,} customers are touched."
    )
    if found.audiences:
        show_rows({"audience": a, "customers touched": n} for a, n in found.audiences.items())
    if found.changes.num_rows:
        show_rows(found.changes.slice(0, most).to_pylist())


@app.command()
def approve(
    reason: Annotated[str, typer.Option(help="Why what moved is right")],
    actor: Annotated[str, typer.Option(help="Who has looked")],
) -> None:
    """Approve the refreshes that moved so many records that nothing was built on them."""
    from identity.approval import approve as keep

    for one in keep(reason=reason, actor=actor):
        say(
            f"Approved refresh {one.refresh}, which moved {one.moved_records:,} of"
            f" {one.known_records:,} known records."
        )
    say("`cdp refresh` goes on.", style="dim")


@app.command()
def retrain(
    allow_moves: Annotated[
        bool, typer.Option(help="Approve that many records get another customer id")
    ] = False,
) -> None:
    """Train the link model anew, say how right it seems, and resolve everything with it.

    It is refused, and nothing changes, when it would rename too many and nobody approved that.
    """
    from identity.retraining import TooManyMovedError
    from identity.retraining import retrain as train

    try:
        with console.status("Training, and resolving everything on trial"):
            done = train(is_approved=allow_moves)
    except TooManyMovedError as refused:
        _show_training(refused.retraining)
        raise
    _show_training(done)
    say("It is in use. `cdp refresh` carries it into every table downstream.")


def _show_training(done: "Retraining") -> None:
    from identity.report import ESTIMATED, told

    facts = done.facts
    say(
        f"Model {done.version}, from {facts['records']:,} records and"
        f" {facts['candidate_pairs']:,} pairs; how one person's records differ was learned by"
        f" {facts['m_from']}, {facts['known_pairs']:,} pairs being known."
    )
    say(ESTIMATED, style="bold")
    show_rows(told(asdict(one) for one in done.estimates).to_pylist())
    say(
        f"{done.moved_records:,} of {done.records:,} records ({done.moved:.2%}) get another"
        f" customer id: {done.merged:,} merges, {done.split:,} splits."
    )


@app.command()
def report(
    picture: Annotated[Path | None, typer.Option(help="Draw the sizes: file.png or .svg")] = None,
) -> None:
    """Show sizes, the largest customers, shared values, limits and duplicates per source."""
    from identity.pictures import save_sizes
    from identity.report import report as look

    found = look()
    for title, rows in {**found.tables, "Most shared values": found.most_shared}.items():
        say(title, style="bold")
        show_rows(rows.to_pylist())
    if not found.estimates:
        say("How right it is without labels: not estimated; `cdp identity retrain` does it.")
    if picture:
        save_sizes(found.sizes, picture)
        say(f"Drawn in {picture}")
