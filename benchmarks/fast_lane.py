"""`python -m benchmarks.fast_lane [people] [rounds]`: from a closed segment to an audience.

A simulated company is refreshed once, and Dagster's daemon started, as `cdp dev` does. Then a
segment is closed every 30 seconds, as the collector does: events of visitors it knows, and among
them two looks of one customer at a product, who becomes a member of `browsed_not_bought`. A segment
is done when the first run that began after it was closed has committed `audience_members`; one that
is closed while a run is at work waits for the next, as in life. In the end all must be members.

Prints p50 and p95 over the segments, and how long the runs took. To make 100,000 people takes
minutes: `--home` names a folder that keeps them.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, quantiles

import dagster as dg
from rich.console import Console
from rich.table import Table

import settings
from settings import ForeseenError

PEOPLE, ROUNDS = 100_000, 20
EVENTS = 1_000  # in a segment: 33 a second
EVERY = 30  # seconds, after which the collector closes a segment
PATIENCE = 900  # seconds until the last run has ended
TARGET = 120  # seconds
BIN = Path(sys.executable).parent
AUDIENCE = "browsed_not_bought"
DAY = datetime(2011, 12, 9, 18, tzinfo=UTC)  # the last of the demo's ledger, after its last order
CANDIDATES = f"""
select min(devices.anonymous_id) as anonymous_id
from identity.device_periods as devices
inner join identity.identity_map as map on devices.record_key = map.record_key
inner join profiles.customer_consents as consents
    on map.customer_id = consents.customer_id and consents.is_granted
    and consents.purpose = 'marketing' and consents.channel = 'email'
inner join customer_360.customer_contacts as contacts
    on map.customer_id = contacts.customer_id and contacts.email is not null
where not devices.is_handed_on and map.customer_id not in
    (select customer_id from audiences.audience_members where audience = '{AUDIENCE}')
group by map.customer_id order by hash(min(devices.anonymous_id)) limit cast(? as bigint)
"""
VISITORS = """
select anonymous_id from identity.device_periods where not is_handed_on
order by hash(anonymous_id) limit 20000
"""
MADE = f"""
select count(*) as n from audiences.audience_members as members
inner join identity.identity_map as map on members.customer_id = map.customer_id
where members.audience = '{AUDIENCE}' and map.record_key = concat('web:visitor:', ?)
"""
PRODUCTS = """
select cast(product_id as varchar) as product_id from marts.dim_products order by 1 limit 500
"""
MEMBERS = dg.AssetKey(["audiences", "audience_members"])


class LaneError(ForeseenError):
    """The fast lane did not do what is measured."""


@dataclass(frozen=True)
class Segment:
    """A closed segment, and the visitor whom it makes a member."""

    visitor: str
    closed_at: float


@dataclass(frozen=True)
class Run:
    """A run of the fast lane, and when its members were committed; seconds since 1970."""

    started_at: float
    committed_at: float
    ended_at: float


def main() -> None:
    """Measure and print; exit code 1 when p95 is over the target."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.fast_lane")
    asked.add_argument("people", type=int, nargs="?", default=PEOPLE)
    asked.add_argument("rounds", type=int, nargs="?", default=ROUNDS)
    asked.add_argument("--home", type=Path, help="a folder that keeps the company")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder:
        _company(given.home or Path(folder) / "data", given.people)
        segments, runs = measure(given.rounds)
    waits = [_committed(segment, runs) - segment.closed_at for segment in segments]
    p50, p95 = (quantiles(waits, n=100, method="inclusive")[at] for at in (49, 94))
    table = Table("from a closed segment to audience_members", "seconds")
    table.add_row(f"p50 of {len(waits)} segments of {EVENTS:,} events", f"{p50:.0f}")
    table.add_row("p95", f"{p95:.0f}")
    lasted = [run.ended_at - run.started_at for run in runs]
    table.add_row(f"a run, mean of {len(runs)}", f"{mean(lasted):.0f}")
    load = f"{os.getloadavg()[2]:.1f} on {os.cpu_count()} cores"  # more than cores: it was shared
    table.add_row("the machine's load of the last 15 minutes", load)
    Console(width=100).print(table)
    sys.exit(p95 > TARGET)


def _company(home: Path, people: int) -> None:
    """A company that a refresh has run on, and the settings of this process for it."""
    os.environ["CDP_HOME"] = str(home)
    settings.prepare()
    if not (home / "warehouse.duckdb").exists():
        subprocess.run([BIN / "cdp", "demo", "--people", str(people)], check=True)
        settings.prepare()


def measure(rounds: int) -> tuple[list[Segment], list[Run]]:
    """Close so many segments while the daemon is at work, and wait until the last one is done."""
    import warehouse

    candidates = _texts(warehouse.read(CANDIDATES, [str(rounds)]))
    if len(candidates) < rounds:
        raise LaneError(f"Only {len(candidates)} customers can become members: fewer rounds.")
    visitors, products = _texts(warehouse.read(VISITORS)), _texts(warehouse.read(PRODUCTS))
    closed = []
    with _daemon() as instance:
        for visitor in candidates:
            content = segment(visitor, visitors, products)
            closed.append(Segment(visitor, _closed(content)))
            time.sleep(EVERY)
        runs = _ended_runs(instance, closed)
    for each in closed:
        if not warehouse.read(MADE, [each.visitor])["n"][0].as_py():
            raise LaneError("A customer who looked at a product twice is no member.")
    return closed, runs


def _committed(segment: Segment, runs: list[Run]) -> float:
    """When the first run that began after the segment was closed had committed its members."""
    return min(run.committed_at for run in runs if run.started_at > segment.closed_at)


@contextmanager
def _daemon() -> Iterator[dg.DagsterInstance]:
    """Dagster's daemon at work on this home, from the moment when its sensor looks."""
    from orchestration.run import prepare_dagster_home

    home = prepare_dagster_home()
    command = [BIN / "dagster-daemon", "run", "-w", settings.PROJECT / "workspace.yaml"]
    began = time.time()
    with (home / "daemon.log").open("w") as log:
        daemon = subprocess.Popen(command, cwd=home, stdout=log, stderr=log)
    try:
        with dg.DagsterInstance.get() as instance:
            _wait(lambda: _last_look(instance) > began, "The sensor does not look")
            yield instance
    finally:
        daemon.terminate()
        daemon.wait()


def _last_look(instance: dg.DagsterInstance) -> float:
    looks = [
        getattr(state.instigator_data, "last_tick_timestamp", None) or 0.0
        for state in instance.all_instigator_state()
        if state.instigator_name == "new_log_segments"
    ]
    return max(looks, default=0.0)


def _ended_runs(instance: dg.DagsterInstance, closed: list[Segment]) -> list[Run]:
    """The runs since the first segment, when one that began after the last one has ended."""
    _wait(lambda: _runs(instance, closed[-1].closed_at), "No run of the fast lane ends well")
    return _runs(instance, closed[0].closed_at)


def _runs(instance: dg.DagsterInstance, since: float) -> list[Run]:
    committed = {
        record.run_id: record.timestamp
        for record in instance.fetch_materializations(MEMBERS, limit=1_000).records
    }
    ended = instance.get_run_records(
        dg.RunsFilter(job_name="events", statuses=[dg.DagsterRunStatus.SUCCESS])
    )
    return [
        Run(record.start_time, committed[record.dagster_run.run_id], record.end_time)
        for record in ended
        if record.start_time and record.end_time and record.start_time > since
    ]


def _wait(condition: Callable[[], object], otherwise: str) -> None:
    end = time.time() + PATIENCE
    while not condition():
        if time.time() > end:
            raise LaneError(f"{otherwise}: look at daemon.log in the company's dagster folder.")
        time.sleep(1)


def segment(visitor: str, others: list[str], products: list[str]) -> str:
    """The lines of a segment: two looks of one visitor at a product among those of others."""
    looks = [(visitor, random.choice(products))] * 2
    looks += [(random.choice(others), random.choice(products)) for _ in range(EVENTS - 2)]
    lines = (_look(who, what, number) for number, (who, what) in enumerate(looks))
    return "".join(f"{line}\n" for line in lines)


def _look(anonymous_id: str, product: str, number: int) -> str:
    at = (DAY + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    return json.dumps(
        {
            "messageId": str(uuid.uuid4()),
            "anonymousId": anonymous_id,
            "type": "track",
            "event": "Product Viewed",
            "properties": {"product_id": product},
            "context": {"ip": "198.51.100.5", "userAgent": "Mozilla/5.0 (X11) Firefox/8.0"},
            **dict.fromkeys(("timestamp", "sentAt", "receivedAt"), at),
        }
    )


def _closed(content: str) -> float:
    """Close a segment as the collector does; returns when."""
    inbox = Path(os.environ["SOURCES__WEB__BUCKET_URL"].removeprefix("file://"))
    name = f"events-{time.time_ns()}.jsonl"
    (inbox / f".{name}").write_text(content)
    (inbox / f".{name}").rename(inbox / name)
    return time.time()


def _texts(rows: object) -> list[str]:
    return [str(value) for value in rows.column(0).to_pylist()]  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
