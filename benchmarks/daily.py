"""Sixty days of a company, refreshed daily: are its customers those of one full resolve?

`python -m benchmarks.daily` plays about 20,000 records of a simulated company: they arrive, are
corrected, deleted and come back; people cut, link, block, allow and take back. `--records`,
`--days` and `--seed` choose another company. After every day it looks whether ids are sound; in
the end 1 % of new records arrive, then everything is resolved anew: in place, where nothing may
change, and in an empty warehouse, which must find the same partition from the same evidence.

Prints each fact with what was found, and leaves with an error when one does not hold.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.identity import load
from benchmarks.people import simulated

RECORDS, DAYS, SEED = 20_000, 60, 7
KNOWN = 0.60  # of the records are there on the first day
LAST = 0.01  # arrive in the end, all at once
CORRECTED, GONE, BACK = 0.12, 0.04, 0.5  # of the records; of those that are gone come back
DECISIONS = 4  # of each kind, a day
NEVER = np.iinfo(np.int32).max
# What a correction writes, by its number: values of `other`, a record taken at random.
CORRECTIONS = {
    "last_name": "case corrected when 0 then other.last_name else people.last_name end",
    "street": "case corrected when 1 then other.street else people.street end",
    "city": "case corrected when 1 then other.city else people.city end",
    "postcode": "case corrected when 1 then other.postcode else people.postcode end",
    "email": "case corrected when 2 then 'new.' || people.email when 3 then null"
    " when 4 then other.email else people.email end",
    "phone": "case corrected when 3 then null when 5 then other.phone else people.phone end",
    "loyalty_number": "case corrected when 6 then other.loyalty_number"
    " else people.loyalty_number end",
}
TODAY = f"""
with known as (
    select *, case when corrected_on <= {{day}} then correction else -1 end as corrected
    from read_parquet('{{people}}')
    where arrives_on <= {{day}} and ({{day}} < gone_on or {{day}} >= back_on)
)
select people.* exclude (corrected, correction, other_key, arrives_on, corrected_on, gone_on,
    back_on) replace ({", ".join(f"{sql} as {name}" for name, sql in CORRECTIONS.items())})
from known as people
left join read_parquet('{{people}}') as other on people.other_key = other.record_key
order by people.record_key
"""
TOGETHER = """
select min(record_key) as one, max(record_key) as other from identity.record_customers
group by customer_id having count(*) > 1 order by hash(min(record_key), {day}) limit {most}
"""
REFUSED = """
select x.record_key as one, y.record_key as other from identity.rejected_pairs as pairs
inner join identity.record_customers as x on pairs.a = x.record_no
inner join identity.record_customers as y on pairs.b = y.record_no
order by hash(pairs.a, pairs.b, {day}) limit {most}
"""
SHARED = """
select 'email' as one, identifier_value as other from identity.int_identity__identifiers
where identifier_type = 'email' group by identifier_value having count(*) > 2
order by hash(identifier_value, {day}) limit {most}
"""
DECIDED = """
with decided as (
    select kind, decided_at, coalesce(record_a, identifier_type) as one,
        coalesce(record_b, identifier_value) as other
    from identity.overrides
)
select one, other from decided group by one, other
having arg_max(kind, decided_at) <> 'withdraw'
order by hash(one, other, {day}) limit {most}
"""
# Records that got another id, and are not with more of their own person than before.
ASTRAY = """
with moved as (
    select old.record_key, old.customer_id as left_id, now.customer_id as joined_id
    from known_before as old inner join identity.record_customers as now
        on old.record_key = now.record_key and old.customer_id <> now.customer_id
),
persons as (select record_key, person_id from read_parquet('{people}')),
own as (
    select persons.person_id, now.customer_id, count(*) as records
    from identity.record_customers as now inner join persons using (record_key) group by all
),
own_before as (
    select persons.person_id, old.customer_id, count(*) as records
    from known_before as old inner join persons using (record_key) group by all
)
select count(*) from moved
inner join persons using (record_key)
inner join own on persons.person_id = own.person_id and moved.joined_id = own.customer_id
inner join own_before
    on persons.person_id = own_before.person_id and moved.left_id = own_before.customer_id
where own.records <= own_before.records
"""
SUBJECTS = {"cut": TOGETHER, "link": REFUSED, "block": SHARED, "allow": SHARED}
# How many records, ids or redirects break each fact; none may.
FACTS = {
    "records in no customer, or in two": """
select count(*) from (
    select record_key from identity.int_identity__records
    union all select record_key from identity.record_customers
) as keys group by record_key having count(*) <> 2""",
    "ids in use that are not active, or the other way round": """
select count(*) from (select distinct customer_id from identity.record_customers) as used
full outer join (select customer_id from identity.customer_ids where status = 'active') as active
    using (customer_id)
where used.customer_id is null or active.customer_id is null""",
    "redirects that miss, or need a second hop": """
select count(*) from identity.customer_ids as ids
left join identity.customer_ids as target on ids.merged_into = target.customer_id
where (ids.status = 'merged') <> (ids.merged_into is not null)
    or (ids.status = 'merged' and target.status is distinct from 'active')""",
    "ids given twice": """
select count(*) from (
    select customer_id from identity.customer_ids group by customer_id having count(*) > 1
    union all
    select customer_id from identity.customer_id_events where kind in ('create', 'split')
    group by customer_id having count(*) > 1
) as doubles""",
}


@dataclass
class Played:
    """What the days of a company were, and what of it was not as it must be."""

    records: int = 0
    customers: int = 0
    known: int = 0  # records that a refresh found known, all days together
    moved: int = 0  # of those, how many got another id
    last_moved: float = 0.0  # share, when the last 1 % arrive
    last_astray: float = 0.0  # share that did not come to more of their own person by it
    seconds: list[float] = field(default_factory=list)  # of CPU, a refresh each
    events: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FACTS, 0))


def planned(people: pa.Table, days: int, seed: int) -> pa.Table:
    """The records with the days on which something happens to them; on the last, arrivals only."""
    rng, size = np.random.default_rng(seed), len(people)
    arrives = rng.integers(1, days + 1, size)
    arrives[rng.random(size) < KNOWN] = 0
    arrives[rng.random(size) < LAST] = days + 1
    gone = np.where(rng.random(size) < GONE, arrives + rng.integers(1, days, size), NEVER)
    back = np.where(rng.random(size) < BACK, gone + rng.integers(1, days // 2 + 1, size), NEVER)
    corrected = arrives + rng.integers(1, days, size)
    happens = {
        "arrives_on": arrives,
        "gone_on": np.where(gone <= days, gone, NEVER),
        "back_on": np.where(back <= days, back, NEVER),
        "corrected_on": np.where(
            (rng.random(size) < CORRECTED) & (corrected <= days), corrected, NEVER
        ),
        "correction": rng.integers(0, len(CORRECTIONS), size),
    }
    for name, values in happens.items():
        people = people.append_column(name, pa.array(values, pa.int64()))
    return people.append_column("other_key", people["record_key"].take(rng.permutation(size)))


def play(records: int, days: int, seed: int) -> Played:
    """All days of a company, and what resolving everything anew makes of it."""
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder:
        people, home = Path(folder) / "people.parquet", Path(folder) / "home"
        pq.write_table(planned(simulated(records, seed), days, seed), people)
        played = Played()
        with _home(home):
            for day in range(days + 2):
                _live(people, day, played, is_deciding=day < days)
            _resolve_in_place(played)
            kept = _kept()
        _resolve_from_nothing(home, Path(folder) / "anew", kept, played)
    return played


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Within, the platform is the one in this folder."""
    before = os.environ.get("CDP_HOME")
    os.environ["CDP_HOME"] = str(folder)
    folder.mkdir(exist_ok=True)
    try:
        yield
    finally:
        os.environ.pop("CDP_HOME")
        if before is not None:
            os.environ["CDP_HOME"] = before


def _live(people: Path, day: int, played: Played, *, is_deciding: bool) -> None:
    """One day: what the sources say by now, a refresh, and what people decide on seeing it."""
    from identity.refresh import refresh

    _load(people, day)
    before = _customers()
    began = time.process_time()
    report = refresh()
    played.seconds.append(time.process_time() - began)
    played.records, played.customers = report.records, report.customers
    known = max(report.known_records, 1)
    played.last_moved = report.moved_records / known
    played.last_astray = _astray(people, before) / known
    if is_deciding:
        played.known += report.known_records
        played.moved += report.moved_records
        _decide(day)
    _look(played)


def _customers() -> pa.Table:
    """Which record is which customer now."""
    import warehouse

    with warehouse.transaction() as session:
        if not session.exists("identity.record_customers"):
            return pa.schema(
                [("record_key", pa.string()), ("customer_id", pa.string())]
            ).empty_table()
        return session.read("select record_key, customer_id from identity.record_customers")


def _astray(people: Path, before: pa.Table) -> int:
    """How many records changed their id without coming to more of their own person."""
    import warehouse

    with warehouse.transaction(read_only=True) as session:
        session.register("known_before", before)
        return session.number(ASTRAY.format(people=people))


def _load(people: Path, day: int) -> None:
    """Write the tables that dbt would on this day."""
    import duckdb

    today = people.with_name("today.parquet")
    with duckdb.connect() as connection:
        state = TODAY.format(people=people, day=day)
        connection.execute(f"copy ({state}) to '{today}'")
    load(today, 100)


def _decide(day: int) -> None:
    """A few decisions of each kind, about what this day's refresh found; some are withdrawn."""
    import warehouse
    from identity.review import decide_in
    from identity.rules import read_rules

    with warehouse.transaction() as session:
        wanted = {**SUBJECTS, "withdraw": DECIDED} if day else SUBJECTS
        for kind, query in wanted.items():
            found = session.read(query.format(day=day, most=DECISIONS)).to_pylist()
            for one in found:
                decide_in(
                    session,
                    read_rules(session),
                    (one["one"], one["other"]),
                    kind,
                    reason="seen",
                    actor="ann",
                )


def _look(played: Played) -> None:
    """Count what is not as it must be."""
    import warehouse
    from identity.refresh import fingerprint

    with warehouse.transaction(read_only=True) as session:
        for fact, query in FACTS.items():
            played.broken[fact] += session.number(
                f"select coalesce(sum(broken), 0) from ({query}) as found(broken)"
            )
        told = session.read(
            "select fingerprint from identity.refreshes order by refresh desc limit 1"
        )
        wrong = told.column(0)[0].as_py() != fingerprint(session)
        _count(played, "days whose fingerprint is not that of all", int(wrong))


def _count(played: Played, fact: str, broken: int) -> None:
    played.broken[fact] = played.broken.get(fact, 0) + broken


def _resolve_in_place(played: Played) -> None:
    """Resolve everything anew with the ids that were given out: none may change."""
    import warehouse
    from identity.refresh import refresh

    before = _kept()
    report = refresh(is_full=True)
    events = warehouse.read(
        "select kind, count(*) as events, count(*) filter (where refresh = "
        f"{report.refresh}) as new from identity.customer_id_events group by kind order by kind"
    ).to_pylist()
    played.events = {row["kind"]: row["events"] for row in events}
    _count(played, "ids changed by resolving all", report.moved_records)
    _count(played, "events of resolving all", sum(row["new"] for row in events))
    _count(played, "tables of evidence that are not those of all", _differing(before, _kept()))
    _look(played)


def _resolve_from_nothing(home: Path, anew: Path, kept: dict[str, str], played: Played) -> None:
    """Resolve the last day in an empty warehouse, under the same model and decisions."""
    import warehouse
    from identity.refresh import refresh

    given = [f"identity.{name}" for name in ("int_identity__records", "int_identity__identifiers")]
    given += ["rules.identifier_types", "rules.source_trust", "identity.overrides"]
    with _home(home):
        tables = {name: warehouse.read(name) for name in given}
    anew.mkdir()
    shutil.copytree(home / "models", anew / "models")
    with _home(anew):
        for name, rows in tables.items():
            warehouse.replace(name, rows)
        refresh()
        _count(
            played, "tables that are not those of a company begun today", _differing(kept, _kept())
        )
        _look(played)


def _kept() -> dict[str, str]:
    """What stands for the partition, and for each table of evidence, whatever the order of rows."""
    import warehouse
    from identity.refresh import fingerprint
    from identity.state import EVIDENCE

    with warehouse.transaction(read_only=True) as session:
        kept = {"partition": fingerprint(session)}
        for table in EVIDENCE:
            rows = session.read(
                f"select count(*) as n, sum(hash(known)) as rows from identity.{table} as known"
            )
            kept[table] = str(rows.to_pylist())
    return kept


def _differing(one: dict[str, str], other: dict[str, str]) -> int:
    return sum(one[name] != other[name] for name in one)


def shown(played: Played) -> Table:
    """The facts as they are printed."""
    table = Table("daily refreshes", "found", "must be", title=f"{played.records:,} records")
    for fact, broken in played.broken.items():
        table.add_row(fact, f"{broken:,}", "0")
    table.add_row("known records given another id, a day", f"{_mean(played):.3%}", "")
    table.add_row("the same when 1 % arrive", f"{played.last_moved:.3%}", "0.09 %")
    table.add_row(
        "of that, not to more records of their own person", f"{played.last_astray:.3%}", ""
    )
    table.add_row("customers in the end", f"{played.customers:,}", "")
    table.add_row("events", ", ".join(f"{n:,} {kind}" for kind, n in played.events.items()), "")
    later = sorted(played.seconds[1:])
    table.add_row(
        "CPU s, first day; later days", f"{played.seconds[0]:.1f}; {np.median(later):.1f}", ""
    )
    return table


def _mean(played: Played) -> float:
    return played.moved / max(played.known, 1)


def main() -> None:
    """Play what is asked for; leave with 1 when a fact does not hold."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.daily")
    asked.add_argument("--records", type=int, default=RECORDS)
    asked.add_argument("--days", type=int, default=DAYS)
    asked.add_argument("--seed", type=int, default=SEED)
    given = asked.parse_args()
    played = play(given.records, given.days, given.seed)
    Console(width=110).print(shown(played))
    sys.exit(int(any(played.broken.values())))


if __name__ == "__main__":
    main()
