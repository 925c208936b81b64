"""Identity resolution against Splink 5 on the same records, each step in a process of its own.

`python -m benchmarks.identity` takes 100,000 records of a simulated company; `--records 1000000`
another number, `--seed` another company, `--file people.parquet` other records (the columns of
people.py), `--no-splink` leaves the reference out.

train     our link model, once in a company's life
full      everything resolved from nothing, with 99 % of the records
refresh   the remaining 1 % arrive
start-up  the same refresh in a company of 500 records: what a refresh costs whatever its size
reachable what equal values of one person's records could tell at most, told by the truth
taught    what weights learned from the truth would find in the pairs that were compared
missed    which share of all pairs of one person full did not find, by what their customers share
splink    train, predict and cluster, as its documentation says; its best threshold is chosen with
          the truth, ours are fixed

CPU seconds and peak megabytes are those of the whole process, imports included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.people import NAMES, SEEDS, TYPES, read, simulated
from scorecard.partition import Agreement, agreement

RECORDS, SEED = 100_000, 7  # of the simulated company that is measured by default
FEW = 500  # records of a company in which nothing but the start-up costs
RULES = """
create schema if not exists rules;
create or replace table rules.identifier_types as from read_csv('{seeds}/identifier_types.csv');
create or replace table rules.source_trust as from read_csv('{seeds}/source_trust.csv');
create schema if not exists identity
"""
KNOWN = f"""
create or replace table identity.int_identity__records as
select record_key, source, {", ".join(NAMES)}, first_seen_at, seen_at
from read_parquet('{{people}}') where hash(record_key) % 100 < {{share}}
"""
IDENTIFIERS = """
create or replace table identity.int_identity__identifiers as {parts}
"""
IDENTIFIER = """
select record_key, '{kind}' as identifier_type, {kind} as identifier_value,
    cast(null as varchar) as blocked_reason, first_seen_at, seen_at as last_seen_at
from read_parquet('{people}') where {kind} is not null and hash(record_key) % 100 < {share}
"""


VALUES = {
    **{kind: kind for kind in (*TYPES, "birth_date", "street")},
    "full name": "first_name || ' ' || last_name",
}
MISSED = """
with parts as (
    select person_id, customer_id, count(*) as records from people group by person_id, customer_id
),
apart as (
    select x.customer_id as a, y.customer_id as b, x.records * y.records as pairs, x.person_id
    from parts as x
    inner join parts as y on x.person_id = y.person_id and x.customer_id < y.customer_id
),
shared as (
    select x.customer_id as a, y.customer_id as b, x.person_id,
        bool_and(x.kind = 'full name') as is_name
    from told as x
    inner join told as y
        on x.person_id = y.person_id and x.kind = y.kind and x.value = y.value
        and x.customer_id < y.customer_id
    group by x.customer_id, y.customer_id, x.person_id
)
select coalesce(sum(pairs) filter (where is_name is null), 0) as "nothing",
    coalesce(sum(pairs) filter (where is_name), 0) as "a full name alone",
    coalesce(sum(pairs) filter (where not is_name), 0) as "more",
    (select sum(all_of * (all_of - 1) / 2)
        from (select sum(records) as all_of from parts group by person_id)) as pairs
from apart left join shared using (a, b, person_id)
"""


@dataclass(frozen=True)
class Cost:
    """What one step took."""

    cpu: float  # seconds
    memory: float  # megabytes at the peak


def make(into: str, records: str, seed: str, file: str | None = None) -> None:
    """Write the records to resolve; apart, because a child's peak begins with its parent's."""
    pq.write_table(read(Path(file)) if file else simulated(int(records), int(seed)), into)


def load(people: Path, share: int) -> None:
    """Write the tables that dbt would: the first `share` per cent of the records."""
    import warehouse

    parts = " union all ".join(
        IDENTIFIER.format(kind=kind, people=people, share=share) for kind in TYPES
    )
    with warehouse.transaction() as session:
        session.run(RULES.format(seeds=SEEDS))
        session.execute(KNOWN.format(people=people, share=share))
        session.execute(IDENTIFIERS.format(parts=parts))


def train() -> None:
    """Learn the link model of these records."""
    import warehouse
    from identity import refresh as door
    from identity.changes import hold_incoming, hold_rules
    from identity.linking import linker
    from identity.rules import read_rules

    with warehouse.transaction() as session:
        rules = read_rules(session)
        hold_rules(session, rules)
        tables = (door.RECORDS, door.IDENTIFIERS)
        hold_incoming(session, *tables)
        linker(session, rules, *tables)


def refresh() -> None:
    """One refresh of what is there."""
    from identity.refresh import refresh as refresh_identity

    refresh_identity()


def customers(into: Path) -> None:
    """Write which record is which customer."""
    import warehouse

    pq.write_table(
        warehouse.read("select record_key, customer_id from identity.record_customers"), into
    )


@contextmanager
def home(folder: Path) -> Iterator[None]:
    """Let the steps within work on a company in this folder."""
    os.environ["CDP_HOME"] = str(folder)
    yield
    del os.environ["CDP_HOME"]


def best_weighed(people: Path, into: Path) -> None:
    """Write which record would be which customer by weights learned from the truth."""
    from benchmarks.taught import taught

    pq.write_table(taught(people), into)


def ours(people: Path, folder: Path) -> tuple[dict[str, Cost], pa.Table, pa.Table]:
    """The cost of every step, and the customer of every record: as found, and by taught weights."""
    costs, found, taught = {}, folder / "customers.parquet", folder / "taught.parquet"
    few = folder / "few.parquet"
    pq.write_table(pq.read_table(people).slice(0, FEW), few)
    for name, records in (("few", few), ("all", people)):
        with home(folder / name):
            step("load", records, 99)
            costs[f"train {name}"] = step("train")
            costs[f"full {name}"] = step("refresh")
            step("load", records, 100)
            costs[f"refresh {name}"] = step("refresh")
            step("customers", found)
    with home(folder / "all"):
        step("taught", people, taught)
    return costs, pq.read_table(found), pq.read_table(taught)


def step(name: str, *arguments: object) -> Cost:
    """The cost of one step in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.identity", "--step", name, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def take_step(name: str, arguments: list[str]) -> None:
    """Do one step and tell what it took."""
    if name == "make":
        make(*arguments)
    elif name == "load":
        load(Path(arguments[0]), int(arguments[1]))
    elif name == "customers":
        customers(Path(arguments[0]))
    elif name == "taught":
        best_weighed(*map(Path, arguments))
    elif name == "splink":
        from benchmarks.by_splink import links

        predicted = links(Path(arguments[0]))
    else:
        {"train": train, "refresh": refresh}[name]()
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = {"cpu": time.process_time(), "memory": used.ru_maxrss / 1024}
    if name == "splink":
        predicted.write(Path(arguments[1]))
    sys.stdout.write(f"\n{json.dumps(cost)}\n")


def rows(people: Path, folder: Path, *, with_splink: bool = True) -> Iterator[tuple[str, ...]]:
    """Every row: what, CPU, megabytes, accuracy, and the ratio to what it is held against."""
    costs, found, taught = ours(people, folder)
    truth = pq.read_table(people, columns=["record_key", "person_id"])
    mine, best = judged(found, truth), judged(reachable(people), truth)
    splink = by_splink(people, folder, truth) if with_splink else None
    full, start = costs["full all"], costs["refresh few"]
    once = (costs["refresh all"].cpu - start.cpu) / full.cpu
    yield "train", *shown(costs["train all"]), "", ""
    yield "full", *shown(full), accuracy(mine), ""
    yield "reachable", "", "", accuracy(best), "who is who is told, by equal values"
    yield "taught", "", "", accuracy(judged(taught, truth)), "weights are learned from the truth"
    yield "missed", "", "", "", missed(people, found)
    yield "1 % refresh", *shown(costs["refresh all"]), "", f"{once:.3f} of full, + start-up"
    yield "start-up", *shown(start), "", ""
    if isinstance(splink, str):
        yield "Splink", "", "", "", splink
    elif splink:
        cost, its = splink
        both = full.cpu + costs["train all"].cpu
        yield (
            "Splink",
            *shown(cost),
            accuracy(its),
            f"full is {full.cpu / cost.cpu:.2f} of its CPU (with training"
            f" {both / cost.cpu:.2f}), {full.memory / cost.memory:.2f} of its memory",
        )


def by_splink(people: Path, folder: Path, truth: pa.Table) -> tuple[Cost, Agreement] | str:
    """What Splink took, and its clusters at the threshold that suits the truth best."""
    from importlib.util import find_spec

    if not find_spec("splink"):
        return "not installed: pip install 'cdp[splink]'"
    from benchmarks.by_splink import best

    pairs = folder / "pairs.parquet"
    cost = step("splink", people, pairs)
    return cost, best(pq.read_table(pairs), truth)


def reachable(people: Path) -> pa.Table:
    """What somebody would find who knows every person and joins records only by an equal value.

    Beyond it lie records of one person without a chain of equal identifiers, full names, birth
    dates or streets between them: a card that no other record names, a profile of a first name.
    """
    from identity.components import components
    from warehouse import scratch

    values = " union all ".join(
        f"select record_no, concat_ws('|', person_id, '{kind}', lower(cast({sql} as varchar)))"
        f" as shared from people where {sql} is not null"
        for kind, sql in VALUES.items()
    )
    with scratch(given=pq.read_table(people)) as session:
        session.hold("people", "select *, row_number() over () as record_no from given")
        session.hold(
            "edges",
            "select record_no as a, min(record_no) over (partition by shared) as b"
            f" from ({values}) as values",
        )
        components(session, "edges", "joined")
        return session.read(
            "select people.record_key, coalesce(joined.component, record_no) as customer_id"
            " from people left join joined on people.record_no = joined.node"
        )


def missed(truth: Path, found: pa.Table) -> str:
    """Which share of all pairs of one person is apart, by the equal values of their customers."""
    from warehouse import scratch

    told = " union ".join(
        f"select person_id, customer_id, '{kind}' as kind, lower(cast({sql} as varchar)) as value"
        f" from people where {sql} is not null"
        for kind, sql in VALUES.items()
    )
    with scratch(given=pq.read_table(truth), found=found) as session:
        session.hold("people", "select * from given inner join found using (record_key)")
        session.hold("told", told)
        counts = session.read(MISSED).to_pylist()[0]
    pairs = float(counts.pop("pairs"))
    return ", ".join(f"{float(count) / pairs:.1%} share {what}" for what, count in counts.items())


def judged(found: pa.Table, truth: pa.Table) -> Agreement:
    """How right the customers are."""
    both = truth.join(found, "record_key").combine_chunks()
    return agreement(both.column("customer_id"), both.column("person_id"))


def shown(cost: Cost) -> tuple[str, str]:
    return f"{cost.cpu:.1f}", f"{cost.memory:,.0f}"


def accuracy(found: Agreement) -> str:
    return f"{found.f1:.3f} ({found.precision:.3f}, {found.recall:.3f}) / {found.b_cubed_f1:.3f}"


def table(records: int, found: Iterator[tuple[str, ...]]) -> Table:
    """The rows as they are printed."""
    shape = Table(
        "identity", "CPU s", "MB", "F1 (P, R) / B-cubed", "ratio", title=f"{records:,} records"
    )
    for row in found:
        shape.add_row(*row)
    return shape


def measure(records: int, seed: int, file: Path | None = None, *, with_splink: bool = True) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder:
        people = Path(folder) / "people.parquet"
        step("make", people, records, seed, *filter(None, [file]))
        found = rows(people, Path(folder), with_splink=with_splink)
        Console(width=120).print(table(pq.read_metadata(people).num_rows, found))


def main() -> None:
    """Measure what is asked for, or take one step of a measurement."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.identity")
    asked.add_argument("--records", type=int, default=RECORDS)
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--file", type=Path)
    asked.add_argument("--no-splink", action="store_true")
    asked.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.step:
        take_step(given.step[0], given.step[1:])
    else:
        measure(given.records, given.seed, given.file, with_splink=not given.no_splink)


if __name__ == "__main__":
    main()
