"""`python -m benchmarks.marts [--people N]`: what the marts of events cost, apart from all else.

A simulated company's raw tables are laid into a lake, its events in a load a month, with its true
persons as customers: identity and what stands beside the events are built first and not measured.
Then come, in CPU seconds

full       dbt builds staging of events, visits, page views, checkouts, touchpoints, the timeline,
           in one process with one reading of the project, as a refresh does
by hand    the same tables by one DuckDB script, marts.sql; every table must be equal by row hash
1 %        the newest hundredth of the events arrives in a load of its own, and dbt builds again;
           every table must then equal the script's over all events
start-up   both again in a company of 50 people: what they cost whatever the size
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

import settings

PEOPLE, ALL_PEOPLE = 7_000, 67_000  # of whom each makes some 15 events; the last: a million
FEW = 50  # people of a company in which nothing but the start-up costs
SEED, LATEST = 7, 100  # one event of so many arrives later
BEFORE_IDENTITY = ("stg_web__events", "stg_email__events")
AFTER_IDENTITY = (
    *("int_behaviour__attributed_events", "int_behaviour__events", "int_behaviour__attention"),
    *("int_behaviour__carts", "int_behaviour__ways_in", "int_behaviour__email_clicks"),
    *(
        "int_behaviour__social_touches",
        "int_behaviour__named_campaigns",
        "int_behaviour__visit_touches",
    ),
    *("int_behaviour__repeated_reports", "fct_events", "fct_sessions", "fct_page_views"),
    *("fct_touchpoints", "int_behaviour__checkouts", "fct_checkouts"),
    *("int_customer_360__conversations", "customer_timeline"),
)
COMPARED = (
    *("marts.fct_events", "marts.fct_page_views", "marts.fct_sessions", "marts.fct_checkouts"),
    *("marts.fct_touchpoints", "customer_360.customer_timeline"),
)
SCRIPT = Path(__file__).with_suffix(".sql")
FIRST, LATER = "1323475200.0", "1323561600.0"  # the loads of everything else, of the latest events
PERSONS = """
create schema if not exists identity;
create or replace table identity.record_customers as
select record_key, min(person_id) as customer_id from read_parquet('{truth}') group by record_key
"""


class DifferentError(RuntimeError):
    """A table of ours is not the script's."""


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.marts")
    asked.add_argument("--people", type=int, default=PEOPLE, help=f"{ALL_PEOPLE}: a million events")
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.build:
        sys.stdout.write(f"\n{_build(given.build)}\n")
    else:
        _measure(given.people, given.seed)


def _measure(people: int, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder:
        few_full, _, few_again, _ = _measured(Path(folder) / "few", FEW, seed)
        full, by_hand, again, events = _measured(Path(folder) / "all", people, seed)
    table = Table("marts", "CPU s", "ratio", title=f"{events:,} events, {people:,} people")
    table.add_row("by hand", f"{by_hand:.1f}", "")
    table.add_row("full", f"{full:.1f}", f"{full / by_hand:.2f} of by hand")
    table.add_row(
        "its start-up", f"{few_full:.1f}", f"without it {(full - few_full) / by_hand:.2f}"
    )
    less = (again - few_again) / (full - few_full)
    table.add_row("1 %", f"{again:.1f}", f"{less:.3f} of full, + start-up")
    table.add_row("its start-up", f"{few_again:.1f}", "")
    Console(width=100).print(table)


def _simulate(folder: Path, people: int, seed: int) -> None:
    from simulation.company import make_company

    make_company(folder, people=people, seed=seed, form="parquet")


def _measured(folder: Path, people: int, seed: int) -> tuple[float, float, float, int]:
    """CPU of the full build, of the script, of the refresh; and how many events there are."""
    company, home = folder / "company", folder / "home"
    _simulate(company, people, seed)
    os.environ["CDP_HOME"] = str(home)
    for name in settings.folders():
        os.environ.pop(name, None)
    settings.prepare()
    _lay(company)
    _prepare(company)
    full = _built(company)
    by_hand = _by_hand(home)
    file = company / "raw_web" / "events.parquet"
    _load_events(LATER, file, _is_late(file))
    _register()
    again = _built(company)
    _by_hand(home)
    return full, by_hand, again, _count(home)


def _lay(company: Path) -> None:
    """Every raw table as one load in the lake, but for the latest events."""
    from ingestion import registry

    for table in registry.tables():
        if (file := company / table.schema / f"{table.name}.parquet").exists():
            if (table.source, table.name) == ("web", "events"):
                _older_events(file)
            else:
                _load(table.schema, table.name, FIRST, f"read_parquet('{file}')")
    _register()


def _older_events(file: Path) -> None:
    """All but the latest, in a load for each month in which they were received."""
    with duckdb.connect() as connection:
        months = connection.execute(
            f"select distinct date_trunc('month', received_at) from read_parquet('{file}')"
        ).fetchall()
    for (month,) in months:
        received = f"date_trunc('month', received_at) = timestamp '{month}'"
        _load_events(f"{month.timestamp()}", file, f"{received} and not ({_is_late(file)})")


def _is_late(file: Path) -> str:
    """The SQL of whether an event is one of the latest."""
    return (
        f"received_at > (select quantile_cont(received_at, 1 - 1 / {LATEST})"
        f" from read_parquet('{file}'))"
    )


def _load_events(load: str, file: Path, condition: str) -> None:
    rows = f"(select * from read_parquet('{file}') where {condition} order by received_at)"
    _load("raw_web", "events", load, rows)


def _load(schema: str, table: str, number: str, rows: str) -> None:
    """Rows as a completed load."""
    from warehouse.lake import lake

    folder, done = lake() / schema / table, lake() / schema / "_dlt_loads"
    for each in (folder, done):
        each.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select *, 'made' as origin, '{number}' as _dlt_load_id from {rows})"
            f" to '{folder / number}.0.parquet'"
        )
    (done / f"{number}.jsonl").write_text(json.dumps({"load_id": number, "status": 0}) + "\n")


def _register() -> None:
    import warehouse
    from ingestion import registry

    warehouse.register_lake(registry.tables())


def _prepare(company: Path) -> None:
    """What is not measured: all that the measured tables stand on, and parsing from nothing."""
    from orchestration.parsing import loaded_manifest

    loaded_manifest.cache_clear()  # another home
    _persons(company)
    upstream = [f"+{name}" for name in AFTER_IDENTITY]
    _dbt(*upstream, "--exclude", *AFTER_IDENTITY)
    _forget((*BEFORE_IDENTITY, *AFTER_IDENTITY))


def _persons(company: Path) -> None:
    import warehouse
    from identity.rules import OVERRIDES
    from identity.state import make_ledgers

    with duckdb.connect(str(settings.home() / "warehouse.duckdb")) as connection:
        connection.execute(PERSONS.format(truth=company / "truth" / "records.parquet"))
    with warehouse.transaction() as session:
        make_ledgers(session)
        session.execute(OVERRIDES)


def _forget(names: tuple[str, ...]) -> None:
    """A full build starts from nothing."""
    with duckdb.connect(str(settings.home() / "warehouse.duckdb")) as connection:
        found = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_type = 'BASE TABLE' and table_name in (select unnest(?))",
            [list(names)],
        ).fetchall()
        for schema, name in found:
            connection.execute(f"drop table {schema}.{name}")


def _built(company: Path) -> float:
    """CPU of a process that builds what is measured."""
    words = [sys.executable, "-m", "benchmarks.marts", "--build", str(company)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def _build(company: Path) -> float:
    """CPU of this process with both dbt runs, but without identity, which is between them."""
    _dbt(*BEFORE_IDENTITY)
    began = time.process_time()
    _dbt("device_periods", "int_identity__records", "identity_map")
    _persons(company)
    between = time.process_time() - began
    _dbt(*AFTER_IDENTITY)
    return time.process_time() - between


def _dbt(*words: str) -> None:
    """Build these, as the platform does. Raises RuntimeError."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    from orchestration.parsing import loaded_manifest

    here = ["--project-dir", str(settings.DBT_PROJECT), "--profiles-dir", str(settings.DBT_PROJECT)]
    kinds = ["--resource-type", "model", "--resource-type", "seed"]
    quiet = ["--quiet", "--log-level-file", "info", "--no-write-json"]
    done = dbtRunner(manifest=loaded_manifest()).invoke(
        ["build", *quiet, *here, *kinds, "-s", *words]
    )
    if not done.success:
        raise RuntimeError(f"dbt did not build {', '.join(words)}") from done.exception
    if DuckDBConnectionManager._ENV:
        DuckDBConnectionManager._ENV.close()


def _by_hand(home: Path) -> float:
    """CPU of the script, whose tables must be ours. Raises DifferentError."""
    script = home / "hand.duckdb"
    script.unlink(missing_ok=True)
    with duckdb.connect(str(script)) as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 2")
        connection.execute(f"attach '{home / 'warehouse.duckdb'}' as warehouse (read_only)")
        connection.execute("use warehouse")
        before = time.process_time()
        for statement in filter(str.strip, SCRIPT.read_text().split(";\n")):
            connection.execute(statement).fetchall()
        taken = time.process_time() - before
        different = [t for t in COMPARED if _sum(connection, t) != _sum(connection, _hand(t))]
    if different:
        raise DifferentError(f"not as by hand: {', '.join(different)}")
    return taken


def _hand(table: str) -> str:
    return f"hand.{table.split('.')[1]}"


def _sum(connection: duckdb.DuckDBPyConnection, table: str) -> object:
    """The rows of a table and what is in them, in any order."""
    query = f"select count(*), sum(hash(to_json(rows))) from {table} as rows"
    return connection.execute(query).fetchone()


def _count(home: Path) -> int:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return int(connection.execute("select count(*) from marts.fct_events").fetchall()[0][0])


if __name__ == "__main__":
    main()
