"""`make bench`: what the platform costs, as ratios in one run.

events    loading the demo's web events by dlt, against DuckDB's own read_json to parquet
refresh   a whole refresh, against the SQL of its dbt models run plainly one after another
again     a second refresh with nothing new, against the first
identity  everything resolved, and 1 % of new records, against Splink: see identity.py

CPU seconds, of the process and its children. No target is set yet.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

import settings
from benchmarks import identity


def main() -> None:
    """Run every benchmark on a company of its own and print the ratios."""
    with _company() as home:
        load, json_to_parquet = _events(home)
        first = _children_cpu(lambda: _cdp("refresh"))
        second = _children_cpu(lambda: _cdp("refresh"))
        plain = _plain_sql(home)
    table = Table("benchmark", "CPU s", "reference", "CPU s", "ratio")
    for name, cost, reference, reference_cost in (
        ("events into the lake", load, "read_json to parquet", json_to_parquet),
        ("first refresh", first, "its models as plain SQL", plain),
        ("second refresh", second, "first refresh", first),
    ):
        ratio = cost / reference_cost
        table.add_row(name, f"{cost:.1f}", reference, f"{reference_cost:.1f}", f"{ratio:.2f}")
    Console(width=100).print(table)
    identity.measure(identity.RECORDS, identity.SEED)


@contextmanager
def _company() -> Iterator[Path]:
    """A CDP_HOME of the full demo company, which no refresh has seen."""
    home = Path(tempfile.mkdtemp(prefix="cdp-bench-"))
    os.environ["CDP_HOME"] = str(home)
    settings.prepare()
    from orchestration import demo

    demo.prepare(None)
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _events(home: Path) -> tuple[float, float]:
    from ingestion.pipeline import load

    segments = sorted((home / "inbox" / "web").glob("*.jsonl"))
    target = home / "reference.parquet"
    with duckdb.connect() as connection:
        reference = _own_cpu(
            lambda: connection.execute(
                f"copy (from read_json({[str(path) for path in segments]},"
                f" format = 'newline_delimited', union_by_name = true)) to '{target}'"
            ).fetchall()
        )
    return _own_cpu(lambda: load("web")), reference


def _plain_sql(home: Path) -> float:
    """CPU seconds of every model's SELECT, in the order of the lineage, on a copy."""
    from warehouse import catalog

    compiled = Path(os.environ["DBT_TARGET_PATH"]) / "compiled" / "cdp" / "models"
    sql = {path.stem: path.read_text() for path in compiled.rglob("*.sql")}
    models = catalog().models
    order = TopologicalSorter(
        {name: {p.split(".")[-1] for p in model.parents} for name, model in models.items()}
    )
    copy = home / "copy" / "warehouse.duckdb"
    copy.parent.mkdir()
    shutil.copyfile(home / "warehouse.duckdb", copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 2; create schema plain")
        return _own_cpu(
            lambda: [
                connection.execute(f"create table plain.{name} as {sql[name]}").fetchall()
                for name in order.static_order()
                if name in sql
            ]
        )


def _cdp(verb: str) -> None:
    subprocess.run(
        [Path(sys.executable).parent / "cdp", verb], check=True, stdout=subprocess.DEVNULL
    )


def _own_cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _children_cpu(work: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
