"""`cdp quarantine`: what the contracts refused, and letting it in once it is right."""

from typing import Annotated

import typer

from orchestration.terminal import console, show_rows

app = typer.Typer(help="What the contracts refused; let it in.", invoke_without_command=True)
Where = Annotated[str, typer.Argument(help="A source such as pos, or pos.receipt_lines; else all")]
WAITING = "waiting"
LISTED = f"""
    select
        '{{source}}' as source,
        table_name,
        reason,
        count(*) filter (where not is_replayed) as {WAITING},
        count(*) filter (where is_replayed) as let_in,
        strftime(min(first_seen_at), '%Y-%m-%d %H:%M') as first_seen_at,
        strftime(max(last_seen_at), '%Y-%m-%d %H:%M') as last_seen_at
    from refusals where ? in ('', table_name) group by table_name, reason order by all
"""
SHOWN = """
    select
        substr(refusal_id, 1, 8) as refusal,
        table_name,
        reason,
        origin,
        load_id,
        first_seen_at,
        last_seen_at,
        case when is_replayed then concat_ws(' ', 'let in', rules) else 'waiting' end as state,
        kept_file,
        case when format is null then payload else left(payload, 500) || ' ...' end as payload
    from refusals
    where starts_with(refusal_id, ?) and ? in ('', table_name)
    order by first_seen_at, table_name, payload
    limit ?
"""
VIOLATIONS = """
    select
        version,
        event_name,
        property,
        rule,
        action,
        cast(sum(events) as bigint) as events,
        strftime(min(first_seen_at), '%Y-%m-%d %H:%M') as first_seen_at,
        strftime(max(last_seen_at), '%Y-%m-%d %H:%M') as last_seen_at
    from rows group by all order by all
"""


@app.callback()
def default(context: typer.Context) -> None:
    """List them when no other verb is given."""
    if context.invoked_subcommand is None:
        listed()


@app.command("list")
def listed(where: Where = "") -> None:
    """List refusals by source, table and reason, with how many wait and when they were seen."""
    from ingestion.quarantine import refusals
    from warehouse import scratch

    rows = []
    for source, table in _places(where):
        with scratch(refusals=refusals(source)) as session:
            rows += session.read(LISTED.format(source=source), [table]).to_pylist()
    show_rows(rows)


@app.command()
def show(
    where: Where = "",
    refusal: Annotated[str, typer.Option(help="The beginning of its id")] = "",
    rows: Annotated[int, typer.Option(min=0, help="How many at most, of each source")] = 20,
) -> None:
    """Show refusals with payload, file, load, and when they were first and last seen."""
    from ingestion.quarantine import refusals
    from warehouse import scratch

    for source, table in _places(where):
        with scratch(refusals=refusals(source)) as session:
            found = session.read(SHOWN, [refusal, table, rows]).to_pylist()
        for row in found:
            console.print(f"\n{source}.{row['table_name']}", style="bold", markup=False)
            show_rows([{"field": name, "value": value} for name, value in row.items()])


@app.command()
def replay(where: Where = "") -> None:
    """Mend refused rows by the rules of ingestion/repairs.yml and let in those that fit now."""
    from ingestion.quarantine import replay as let_in
    from orchestration.lock import only_one

    let, left = [], []
    with only_one():
        for source, table in _places(where):
            done = let_in(source, table)
            let += [
                {"source": source, "table": book.table, "let in": book.accepted}
                | {"suppressed": book.suppressed}
                for book in done.books
            ]
            left += [{"source": source, **row} for row in done.still_refused.to_pylist()]
    if let:
        show_rows(let)
    console.print("The next `cdp refresh` builds on them." if let else "Nothing fits yet.")
    if left:
        console.print("Still refused, by the reason of then:")
        show_rows(left)


@app.command()
def books(where: Where = "") -> None:
    """Show what each load received, and how many rows were accepted, refused, known or left out."""
    from ingestion.books import loads

    rows = [
        {"source": source, **row}
        for source, table in _places(where)
        for row in loads(source).to_pylist()
        if table in ("", row["table_name"])
    ]
    show_rows(rows)


@app.command()
def violations(where: Where = "") -> None:
    """Show how often each rule of the tracking plan was broken, by source and version."""
    from warehouse import lake_rows
    from warehouse.lake import violations_of

    rows = []
    for source, _ in _places(where):
        counted = lake_rows(violations_of(source), VIOLATIONS)
        rows += [{"source": source, **row} for row in counted.to_pylist()]
    show_rows(rows)


def _places(where: str) -> list[tuple[str, str]]:
    """The sources, each with the table that is meant, or an empty word for all of them."""
    from ingestion.registry import sources

    known = sources()
    source, _, table = where.partition(".")
    if not source:
        return [(name, "") for name in known]
    tables = [each.name for each in known[source].tables] if source in known else []
    if source not in known or (table and table not in tables):
        raise typer.BadParameter(f"there is no {where}; sources are {', '.join(known)}")
    return [(source, table)]
