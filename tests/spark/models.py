"""Build the models on a local Spark session and compare each table with DuckDB's.

`make spark` runs it, in an environment of its own that has Spark and dbt and nothing else of the
platform. DuckDB's tables stand for the lake, for what only Python makes, and for the one ledger.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from pyspark.sql import DataFrame, SparkSession

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SESSION = {
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",  # a time is one in UTC
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
LEDGER = "audience_changes"  # what it knows is of the refreshes before, not of the evidence
OF_THE_ENGINE = "content_number"  # each hashes in a way of its own
CONTROL = "marts.fct_orders"  # of which wrong copies must be told from the right one
WHOLE = "which values stand together"
BUILT = ("--resource-type", "model", "--resource-type", "seed")


@dataclass(frozen=True)
class Compared:
    """A table that Spark built: DuckDB's rows, Spark's rows, and the columns that differ."""

    table: str
    expected_rows: int
    rows: int
    differing: list[str]

    def __str__(self) -> str:
        """One line."""
        what = "differs: " + ", ".join(self.differing) if self.differing else "equal"
        return f"{self.table:<52} {self.expected_rows:>8} {self.rows:>8}  {what}"


def main(home: Path) -> int:
    """Build, compare and tell; 1 when a model failed or a table differs."""
    os.environ.update(
        CDP_TARGET="spark",
        DBT_TARGET_PATH=str(home / "spark" / "target"),
        DBT_LOG_PATH=str(home / "spark" / "logs"),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    )
    spark = session(home / "spark")
    manifest = dbt("parse")
    of_python = [node.name for node in manifest.nodes.values() if is_of_python(node)]
    chosen = (*BUILT, "--exclude", *of_python, LEDGER)
    refuse_blindness(spark.read.parquet(f"{home}/tables/{CONTROL}.parquet"))
    register(spark, home / "tables", manifest, built=set(dbt("ls", *chosen, "--output", "name")))
    results = dbt("build", *chosen, manifest=manifest).results
    wrong = [line for line in lines(spark, home / "tables", results) if "  equal" not in line]
    sys.stdout.write(f"{len(results) - len(wrong)} of {len(results)} tables are equal\n")
    return int(bool(wrong))


def refuse_blindness(orders: DataFrame) -> None:
    """Raise if the comparison does not see one count that is off, or two customers exchanged."""
    known = orders.where("customer_id is not null").dropDuplicates(["customer_id"])
    one, other = known.orderBy("customer_id").take(2)
    is_one = orders.order_id == one.order_id
    off = orders.withColumn("items", orders["items"] + is_one.cast("int"))
    names = {one.customer_id: other.customer_id, other.customer_id: one.customer_id}
    exchanged = orders.replace(names, subset=["customer_id"])
    for wrong in (off, exchanged):
        if not between(CONTROL, orders, wrong).differing:
            raise RuntimeError(f"The comparison does not see what is wrong with a {CONTROL}.")


def session(folder: Path) -> SparkSession:
    """A session of this process alone, which keeps its tables under the folder."""
    builder = SparkSession.builder.master("local[2]")
    for name, value in {**SESSION, "spark.sql.warehouse.dir": str(folder / "tables")}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def dbt(*words: str, manifest: Any = None) -> Any:
    """What dbt gives for a command. Raises what stopped it."""
    place = ("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--quiet")
    done = dbtRunner(manifest=manifest).invoke([*words, *place])
    if done.exception:
        raise done.exception
    return done.result


def is_of_python(node: Any) -> bool:
    """Whether Python makes the table, which it does on DuckDB."""
    return node.resource_type == "model" and node.language == "python"


def register(spark: SparkSession, tables: Path, manifest: Any, built: set[str]) -> None:
    """Let Spark read DuckDB's tables, under their names, for what it does not build."""
    models = (node for node in manifest.nodes.values() if node.resource_type in ("model", "seed"))
    given = [node for node in models if node.name not in built]
    for node in [*manifest.sources.values(), *given]:
        table = f"{node.schema}.{node.name}"
        if node.name != LEDGER:
            spark.sql(f"create schema if not exists {node.schema}")
            spark.sql(f"create table {table} using parquet location '{tables}/{table}.parquet'")


def lines(spark: SparkSession, tables: Path, results: Iterable[Any]) -> Iterator[str]:
    """One line per table, told as it is known."""
    for result in results:
        table = f"{result.node.schema}.{result.node.name}"
        built = str(result.status) == "success"
        line = (
            str(compared(spark, tables, table))
            if built
            else f"{table}: {result.status} {result.message}"
        )
        sys.stdout.write(f"{line}\n")
        yield line


def compared(spark: SparkSession, tables: Path, table: str) -> Compared:
    """The table of Spark's against DuckDB's."""
    return between(table, spark.read.parquet(f"{tables}/{table}.parquet"), spark.table(table))


def between(table: str, theirs: DataFrame, ours: DataFrame) -> Compared:
    """Two tables of one name against each other."""
    before, now = dict(theirs.dtypes), dict(ours.dtypes)
    both = [name for name in before if name in now and name != OF_THE_ENGINE]
    texts = {name: f"coalesce({as_text(name, {before[name], now[name]})}, '~')" for name in both}
    sums = ["count(*) as `#`"] + [
        f"sum(cast(xxhash64({text}) as decimal(38, 0))) as `{name}`"
        for name, text in {**texts, WHOLE: ", ".join(texts.values())}.items()
    ]
    was, is_now = (rows.selectExpr(*sums).first().asDict() for rows in (theirs, ours))
    return Compared(table, was["#"], is_now["#"], differing(was, is_now, before, now))


def as_text(column: str, types: set[str]) -> str:
    """The SQL of a value as a text that is the same for equal values of both engines."""
    if "double" in types:  # the order of a sum is an engine's own: nine digits count
        return f"format_string('%.8e', cast({column} as double) + 0.0)"
    if any(kind.startswith("decimal") for kind in types):
        return f"cast(cast({column} as decimal(38, 8)) as string)"
    if any(kind.startswith(("array", "struct")) for kind in types):
        return f"to_json({column})"
    return f"cast({column} as string)"


def differing(
    was: Mapping[str, Any],
    is_now: Mapping[str, Any],
    before: Mapping[str, str],
    now: Mapping[str, str],
) -> list[str]:
    """The columns that only one engine has, and those whose values are not the same."""
    lacking = sorted(set(before) ^ set(now))
    return lacking + [name for name in was if was[name] != is_now[name]]


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]).resolve()))
