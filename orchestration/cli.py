"""`cdp`: the platform from the command line."""

import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.table import Table

import settings
from orchestration import identity_cli, quarantine_cli
from orchestration.terminal import console, show_rows, told_apart
from settings import ForeseenError

app = typer.Typer(
    help="Customer data platform: from every source to one profile per person.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(identity_cli.app, name="identity")
app.add_typer(quarantine_cli.app, name="quarantine")
WIDE = 120  # columns of a table with notes that goes into a file
MOST_ROWS = 100  # shown of an answer; for more, open the published file
MOST_MEMBERS = 20  # shown of an audience
BIN = Path(sys.executable).parent
DAY = ["%Y-%m-%d"]
Identifier = Annotated[str, typer.Argument(help="Customer id, e-mail, phone, card, user or device")]


def _refresh() -> bool:
    from orchestration.run import Kind
    from orchestration.run import refresh as run

    with console.status("Loading the asset graph") as status:

        def show(line: str, kind: Kind) -> None:
            if kind == "started":
                status.update(line)
            else:
                style = "red" if kind == "problem" else "dim"
                console.print(f"  {line}", style=style, highlight=False, markup=False)

        done = run(show)
    if not done.succeeded:
        console.print("[red]The refresh failed. The last good copy is still published.[/red]")
    return done.succeeded and not done.problems


@app.command()
def refresh() -> None:
    """Run one refresh: load, rebuild, check, publish, deliver.

    Exit code 1 when anything needs a look; the parts that could go on have gone on.
    """
    if not _refresh():
        raise typer.Exit(1)


@app.command()
def demo(
    people: Annotated[
        int | None,
        typer.Option(
            min=0, help="How many people; about 6,600, all of the ledger's, when not given"
        ),
    ] = None,
) -> None:
    """Run the platform on a real shop's ledger and a simulated company around it."""
    from orchestration.demo import prepare, summary

    with console.status("Making the company around the real ledger ..."):
        prepare(people)
    if not _refresh():
        raise typer.Exit(1)
    console.print(summary())


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where to write it")],
    people: Annotated[int, typer.Option(min=0, help="How many people")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes")] = 7,
    form: Annotated[
        Literal["sources", "parquet"],
        typer.Option(help="As its sources have it, or one parquet file per raw table"),
    ] = "parquet",
) -> None:
    """Write a company of any size, and the truth about it, for benchmarks."""
    from simulation.company import make_company

    with console.status(f"Making a company of {people:,} people ..."):
        facts = make_company(folder, people=people, seed=seed, form=form)
    for name, count in vars(facts).items():
        console.print(f"  {count:>12,} {name.replace('_', ' ')}", highlight=False)


@app.command()
def plan() -> None:
    """Show what `cdp apply` would send to each destination, without sending it."""
    import warehouse
    from activation.plan import plan as difference
    from activation.syncs import syncs

    table = Table("sync", "held", "add", "update", "remove")
    with warehouse.transaction() as session:
        for sync in syncs(warehouse.catalog()):
            planned = difference(session, sync)
            counts = [planned.count(kind) for kind in ("add", "update", "remove")]
            table.add_row(sync.name, *(str(number) for number in (planned.held, *counts)))
    console.print(table)


@app.command()
def apply(
    allow_mass_removal: Annotated[
        bool, typer.Option(help="Send even if most of an audience would go")
    ] = False,
) -> None:
    """Make the destinations equal to the audiences."""
    import warehouse
    from activation.deliver import deliver
    from activation.syncs import syncs

    table = Table("sync", "added", "updated", "removed", "rejected")
    for sync in syncs(warehouse.catalog()):
        sent = deliver(sync, allow_mass_removal=allow_mass_removal)
        counts = (sent.added, sent.updated, sent.removed, sent.rejected)
        table.add_row(sync.name, *("off" if sent.is_off else str(n) for n in counts))
    console.print(table)


@app.command()
def audience(name: Annotated[str, typer.Argument(help="Such as vip")] = "") -> None:
    """List the audiences, or some members of one with the reason they are in it."""
    import warehouse
    from activation.syncs import audiences

    names = audiences(warehouse.catalog())
    if name and name not in names:
        raise typer.BadParameter(f"there is no {name}; audiences are {', '.join(names)}")
    if name:
        query = "select customer_id, reason from audiences.audience_members where audience = ?"
        rows = warehouse.read(f"{query} order by customer_id", [name])
        show_rows(rows.slice(0, MOST_MEMBERS).to_pylist(), of=rows.num_rows)
        return
    counted = warehouse.read(
        "select audience, count(*) as members from audiences.audience_members group by audience"
    ).to_pylist()
    members = {row["audience"]: row["members"] for row in counted}
    show_rows([{"audience": each, "members": members.get(each, 0)} for each in names])


@app.command()
def profile(
    identifier: Identifier,
    as_of: Annotated[
        datetime | None, typer.Option(formats=DAY, help="The profile as it was on this day")
    ] = None,
    known_at: Annotated[
        datetime | None, typer.Option(formats=DAY, help="By what had been loaded until this day")
    ] = None,
) -> None:
    """Show one person: profile, scores and the last interactions, or the profile of a past day."""
    from orchestration import profile_views
    from privacy.person import find

    customer_id = find(identifier).customer_id
    if as_of or known_at:
        show_rows(profile_views.on(customer_id, as_of, known_at))
        return
    show_rows(profile_views.facts(customer_id))
    show_rows(profile_views.last_interactions(customer_id))


@app.command()
def access(identifier: Identifier) -> None:
    """Write everything held about one person, as JSON and CSV files (GDPR art. 15)."""
    from ingestion import registry
    from privacy.access import access as answer

    console.print(f"Everything about this person: {answer(identifier, registry.tables())}")


@app.command()
def erase(
    identifier: Identifier,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Erase one person everywhere and prove it (GDPR art. 17)."""
    from ingestion import registry
    from privacy.erasure import erase as forget
    from privacy.erasure import resume, was_cut_off
    from privacy.person import find

    is_one_of_them = was_cut_off(identifier)
    finished = resume(registry.tables(), _rebuild)
    if finished:
        console.print(f"Finished {len(finished)} erasure(s) that had been cut off.")
    if is_one_of_them:
        console.print("This person was among them. Certificates are kept under privacy/erasures.")
        return
    person = find(identifier)
    question = f"Erase {person.customer_id} with {len(person.record_keys)} records for ever?"
    if not yes and not typer.confirm(question):
        raise typer.Exit(1)
    done = forget(identifier, registry.tables(), _rebuild)
    console.print(
        f"Erased. {done.files_read_back} files were read back, {done.traces} traces found."
        f" Certificate {done.request_id} is kept under privacy/erasures."
    )


def _rebuild() -> None:
    sys.argv = sys.argv[:1]  # dbt writes the command line into its files, and ours names a person
    if not _refresh():
        console.print("[yellow]The rebuild had problems, see above.[/yellow]")


@app.command()
def retention() -> None:
    """Delete data whose time is up from lake and inbox, as every refresh does."""
    from ingestion import registry
    from privacy.retention import keep_retention

    done = keep_retention(registry.tables())
    console.print(f"{done.lake_files} lake files rewritten, {done.inbox_files} drops deleted.")


@app.command()
def compact() -> None:
    """Join the small files of the lake, as every refresh does."""
    from ingestion import registry
    from orchestration.lock import only_one
    from warehouse import compact_lake

    with only_one(), console.status("Joining the small files of the lake"):
        done = compact_lake(registry.tables())
    console.print(f"{done.small_files:,} small files became {done.larger_files:,}.")


@app.command()
def publish() -> None:
    """Publish the copies for BI tools from the warehouse as it is."""
    import warehouse
    from serving import publish as serving

    for edition in serving.publish(warehouse.catalog()):
        console.print(f"{edition.path} ({edition.tables} tables)")


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="Such as 'from customer_360.customer_360 limit 5'")],
    contacts: Annotated[bool, typer.Option(help="Ask the edition with direct identifiers")] = False,
) -> None:
    """Ask the published copy; a refresh at work does not disturb it."""
    import warehouse
    from serving.publish import path_of

    edition = "contacts" if contacts else "insights"
    try:
        answer = warehouse.ask(path_of(edition), query)
    except warehouse.NothingThereError as error:
        hint = "" if contacts else " What names people is in the other edition: `--contacts`."
        raise warehouse.NothingThereError(f"{error}{hint}") from error
    shown = answer.rename_columns(told_apart(answer.column_names)).slice(0, MOST_ROWS)
    show_rows(shown.to_pylist(), of=answer.num_rows)


@app.command()
def score(
    dataset: Annotated[
        str, typer.Option(help="A set we ship, such as fake_1000, or a mapping: people.yml")
    ] = "",
    erase: Annotated[
        bool, typer.Option("--erase", help="Also erase somebody in a copy, and count traces")
    ] = False,
) -> None:
    """Say how right everything is, against the truth of the simulated company.

    Exit code 1 when something that must be 0 is not.
    """
    from scorecard import report

    wide = console if console.is_terminal else Console(file=sys.stdout, width=WIDE)
    if dataset:
        from scorecard.labelled import score as score_labelled

        wide.print(report.table(score_labelled(dataset), {}, wide.width))
        return
    from orchestration.rehearsal import rehearse
    from scorecard.score import score as score_everything

    card = score_everything(rehearse() if erase else ())
    wide.print(report.table(card.rows, card.before, wide.width))
    if broken := report.broken(card.rows):
        wide.print(f"[red]Must be 0 and is not: {', '.join(broken)}.[/red]")
        raise typer.Exit(1)


collect = typer.Typer(
    help="Receive events from Segment and RudderStack SDKs.", invoke_without_command=True
)
keys = typer.Typer(help="Who may send events.", no_args_is_help=True)
collect.add_typer(keys, name="keys")
app.add_typer(collect, name="collect")


@collect.callback()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on")] = 8080,
    workers: Annotated[int, typer.Option(min=1, help="Processes, each with a log of its own")] = 1,
) -> None:
    """Receive events over HTTP until stopped; what was answered 200 is on disk."""
    if context.invoked_subcommand is None:
        from ingestion.collector.server import serve as answer

        answer(host, port, workers)


@keys.command("add")
def add_key(
    source: Annotated[str, typer.Argument(help="What sends with it, such as shop_site")],
    origin: Annotated[
        list[str] | None, typer.Option(help="A web site that may use it; any when not given")
    ] = None,
    key: Annotated[str, typer.Option(help="A key that your senders have already")] = "",
) -> None:
    """Make a write key and show it, this once."""
    from ingestion.collector.keys import add

    if not source.strip():
        raise typer.BadParameter("say what sends with the key, such as shop_site")
    made, text = add(source, tuple(origin or ()), key)
    console.print(f"{made.key_id} of {source}: {text}", highlight=False, markup=False)


@keys.command("list")
def list_keys() -> None:
    """Show the write keys, without the keys themselves."""
    from ingestion.collector.keys import all_keys

    show_rows(
        [
            {
                "key_id": key.key_id,
                "source": key.source,
                "origins": ", ".join(key.origins) or "any",
                "created_at": key.created_at,
                "expires_at": key.expires_at,
            }
            for key in all_keys()
        ]
    )


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="As `cdp collect keys list` shows it")],
    hours: Annotated[int, typer.Option(min=0, max=87_600, help="How long it still works")] = 0,
) -> None:
    """End a write key, now or in some hours."""
    from ingestion.collector.keys import revoke

    ended = revoke(key_id, hours)
    console.print(f"{ended.key_id} of {ended.source} ends at {ended.expires_at}.", markup=False)


@app.command()
def retrain() -> None:
    """Train the clusters anew; a cluster of mostly the same customers keeps its label."""
    import warehouse
    from ml import clusters

    features = clusters.buyers(warehouse.read("marts.customer_features"))
    before = clusters.load()
    model = clusters.train(features, before)
    if model is None:
        console.print(f"Too few buyers: {features.num_rows} of {clusters.FEWEST_BUYERS} needed.")
        return
    clusters.save(model)
    was, now = (clusters.labels(each, features) for each in (before or model, model))
    kept = sum(old == new for old, new in zip(was, now, strict=True))
    console.print(
        f"Model {model.version}: {'; '.join(model.labels)}. {kept:,} of {len(now):,} buyers keep"
        " their cluster. The next refresh tells the past by it."
    )


@app.command()
def docs() -> None:
    """Write the dbt docs as one page that opens without a server."""
    from orchestration.parsing import parsed_manifest

    parsed_manifest()
    words = [str(BIN / "dbt"), "docs", "generate", "--static", "--quiet"]
    if subprocess.run(words, cwd=settings.DBT_PROJECT, check=False).returncode:
        raise typer.Exit(1)  # dbt has said why
    page = settings.home() / "docs" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_bytes((Path(os.environ["DBT_TARGET_PATH"]) / "static_index.html").read_bytes())
    console.print(f"Open {page}")


@app.command()
def dev(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the UI")] = 3000,
) -> None:
    """Open the Dagster UI on this machine, with its schedule and sensor running."""
    from orchestration.demo import apis
    from orchestration.run import prepare_dagster_home

    home = prepare_dagster_home()
    where = ["-w", str(settings.PROJECT / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    console.print(f"The Dagster UI opens on http://127.0.0.1:{port} in a moment.")
    with apis():
        ui = subprocess.Popen([BIN / "dagster", "dev", "--log-level", "warning", *where], cwd=home)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the UI gets it too, and ends us by ending
        signal.signal(signal.SIGTERM, lambda *_: ui.terminate())
        raise typer.Exit(ui.wait())


def main() -> None:
    """Run a verb; an error that we foresee is told in one sentence and ends with exit code 1."""
    try:
        settings.prepare()
        app()
    except ForeseenError as error:
        _fail(str(error))
    except Exception as error:
        advice = _advice(error)
        if not advice:
            raise
        _fail(f"{error}\n{advice}")


def _fail(told: str) -> NoReturn:
    console.print(told, style="red", highlight=False, markup=False)
    sys.exit(1)


def _advice(error: Exception) -> str:
    """What to do about an error of the machine or of a file; empty about one of ours."""
    import warehouse
    from orchestration.run import DISK_ADVICE, is_disk_full

    if is_disk_full(str(error)):
        return DISK_ADVICE
    if isinstance(error, warehouse.UnreadableError):
        return "Where a file is damaged, restore it: see Backup in docs/operations.md."
    if isinstance(error, OSError) and error.filename:
        return f"Look whether it is there and yours to write; CDP_HOME is {settings.home()}."
    return ""
