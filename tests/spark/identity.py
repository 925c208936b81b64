"""Resolve identity on a local Spark session, and compare the customers with DuckDB's.

The same statements as on DuckDB, from the evidence that dbt left and by the model that was trained
there. Plain tables of Spark know no update and no delete: it is a first resolve, which needs none.
"""

import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.functions import arrow_udf

from identity.likely import LinkModel
from identity.linking import Compared, LikelyLinks, unique_types
from identity.refresh import IDENTIFIERS, RECORDS, refresh_in
from identity.rules import read_rules
from tests.spark.models import session
from warehouse import Session

HELD = re.compile(r'\s*create or replace temp table "?(\w+)"? as\b(.*)', re.DOTALL)
MADE = re.compile(r"\s*create (or replace )?table (?:if not exists )?(\S+) \((.*)\)", re.DOTALL)
RENAMED = re.compile(r"alter table (\w+) rename to (\w+)")
DROPPED = re.compile(r"drop table (\w+)$")
DELETED = re.compile(r"\s*delete from (\S+)(?:\s+where (.*))?$", re.DOTALL)
UPDATED = re.compile(r"\s*update (\S+)(?: as (\w+))?\s+set .*?(?:\sfrom (.*))?$", re.DOTALL)
OF_AN_OLDER_HOME = re.compile(r"\s*(alter table \S+ add column|drop table) if (not )?exists")
TEXT_FUNCTIONS = {
    "jaro_winkler_similarity": ("jaro_winkler_similarity(one, other)", "double"),
    "damerau_levenshtein": ("damerau_levenshtein(one, other)", "bigint"),
    "strip_accents": ("strip_accents(one)", "string"),
}
GIVEN = (RECORDS, IDENTIFIERS, "rules.identifier_types", "rules.source_trust")
CUSTOMERS = "identity.record_customers"
READING = {  # statements as DuckDB reads them
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.parser.escapedStringLiterals": "true",
}
PARTITION = """
select known.record_key, firsts.first_key from {0} as known
inner join (
    select customer_id, min(record_key) as first_key from {0} group by customer_id
) as firsts on known.customer_id = firsts.customer_id
"""


class OnSpark(Session):
    """What identity asks of a session, asked of Spark."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark = spark
        self._files = (f"{folder}/{number}.parquet" for number in count())
        self._forms: dict[re.Pattern[str], Callable[..., None]] = {
            HELD: self._hold,
            MADE: self._make,
            RENAMED: self._rename,
            DROPPED: self._drop,
            DELETED: self._delete,
            UPDATED: self._update,
            OF_AN_OLDER_HOME: lambda *_: None,
        }

    def execute(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run one statement. Raises NotImplementedError if rows had to be changed or deleted."""
        for form, act in self._forms.items():
            if found := form.match(sql):
                act(*found.groups())
                return
        self._spark.sql(sql, args=list(params) or None)

    def read(self, query: str, params: Sequence[Any] = ()) -> pa.Table:
        """The rows of a query, or of a table by its name."""
        sql = query if len(query.split()) != 1 else f"select * from {query}"
        return self._spark.sql(sql, args=list(params) or None).toArrow()

    def show(self, name: str, query: str) -> None:
        """Let queries see the rows of a query, computed when they are read."""
        self._spark.sql(query).createOrReplaceTempView(name.strip('"'))

    def register(self, name: str, rows: pa.Table) -> None:
        """Let queries see the rows under this name."""
        self._spark.createDataFrame(rows).createOrReplaceTempView(name)

    def append(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table."""
        self.register("incoming_rows", rows)
        self._spark.sql(f"insert into {name} by name select * from incoming_rows")

    def exists(self, name: str) -> bool:
        """Whether there is a table of this name."""
        return bool(self._spark.catalog.tableExists(name))

    def _hold(self, name: str, query: str) -> None:
        file = next(self._files)
        self._spark.sql(query).write.parquet(file)
        self._spark.read.parquet(file).createOrReplaceTempView(name)

    def _make(self, is_new: str | None, name: str, columns: str) -> None:
        if is_new:
            self._spark.sql(f"drop table if exists {name}")
        columns = columns.replace("ubigint", "bigint")
        self._spark.sql(f"create table if not exists {name} ({columns}) using parquet")

    def _rename(self, name: str, into: str) -> None:
        self._spark.table(name).createOrReplaceTempView(into)
        self._drop(name)

    def _drop(self, name: str) -> None:
        self._spark.catalog.dropTempView(name)

    def _delete(self, name: str, which: str | None) -> None:
        self._expect_none(f"{name} where {which or 'true'}")

    def _update(self, name: str, alias: str | None, others: str | None) -> None:
        self._expect_none(f"{name} as {alias or 'kept'}" + (f", {others}" if others else ""))

    def _expect_none(self, rows: str) -> None:
        if self.number(f"select count(*) from {rows}"):
            raise NotImplementedError(f"Plain tables of Spark cannot change rows: {rows}")


def started(folder: Path) -> SparkSession:
    """A session that reads statements as DuckDB does, and knows its functions of text."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = session(folder)
    for name, value in READING.items():
        spark.conf.set(name, value)
    for name, (sql, kind) in TEXT_FUNCTIONS.items():
        spark.udf.register(name, arrow_udf(_answered_by_duckdb(sql), kind))
    return spark


def _answered_by_duckdb(sql: str) -> Callable[..., pa.Array]:
    def answer(*given: pa.Array) -> pa.Array:
        texts = pa.table(dict(zip(("one", "other"), given, strict=False)))
        with duckdb.connect() as connection:
            connection.register("texts", texts)
            found = connection.sql(f"select {sql} as answer from texts").to_arrow_table()
        return found.column("answer").combine_chunks()

    return answer


def resolve(spark: SparkSession, folder: Path, home: Path) -> None:
    """Resolve what DuckDB resolved in this home, into the tables of Spark."""
    on_spark = OnSpark(spark, folder)
    for table in GIVEN:
        spark.sql(f"create schema if not exists {table.split('.')[0]}")
        spark.sql(f"create table {table} using parquet location '{home}/tables/{table}.parquet'")
    rules = read_rules(on_spark)
    compared = Compared(RECORDS, IDENTIFIERS, unique_types(rules))
    model = LinkModel.load(home / "models" / "link_model.json")
    refresh_in(on_spark, rules, LikelyLinks(compared, model))


def main(home: Path) -> int:
    """Resolve, compare and tell; 1 when a record is another's."""
    folder = home / "spark" / "identity"
    shutil.rmtree(folder, ignore_errors=True)
    spark = started(folder)
    resolve(spark, folder, home)
    spark.read.parquet(f"{home}/tables/{CUSTOMERS}.parquet").createOrReplaceTempView("on_duckdb")
    theirs, ours = (spark.sql(PARTITION.format(name)).cache() for name in ("on_duckdb", CUSTOMERS))
    differing = theirs.exceptAll(ours).count() + ours.exceptAll(theirs).count()
    verdict = f"{differing} differ" if differing else "equal"
    sys.stdout.write(f"{CUSTOMERS:<52} {theirs.count():>8} {ours.count():>8}  {verdict}\n")
    return int(bool(differing))


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]).resolve()))
