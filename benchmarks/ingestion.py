"""`python -m benchmarks.ingestion [events]`: what it costs to load web events into the lake.

Against DuckDB's own read_json to parquet of the same files, and against the same events as Python
dicts through dlt, which gets a tenth of them because it is slow. Twice as many events show whether
memory grows with their number. Every load runs in a process of
its own, which says its CPU seconds, without those for loading libraries, and its peak memory.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

EVENTS, SEGMENT, FEWER = 1_000_000, 50_000, 10  # the last: dicts get one event of so many
PLAN = """
version: "1"
unplanned_events: quarantine
events:
  Product Viewed:
    required: [product_id]
    properties:
      product_id: {type: string, pattern: "^[0-9]+$"}
      price: {type: number, minimum: 0}
      position: {type: integer, on_violation: drop}
"""
MEASURED = """
import resource, time
import settings; settings.prepare()
PREPARE
began = time.process_time()
WORK
print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
LAKE = "from ingestion.pipeline import load", "assert load('web').accepted == EVENTS"
DUCKDB = (
    "import duckdb",
    "duckdb.sql(\"copy (from read_json('INBOX/*.jsonl', format = 'newline_delimited'))"
    " to 'INBOX/reference.parquet'\")",
)
DICTS = (
    """
import json, dlt
from pathlib import Path
from ingestion.pipeline import pipeline_for
def events():
    for path in sorted(Path('INBOX').glob('*.jsonl')):
        for line in path.open():
            yield json.loads(line)
""",
    "pipeline_for('web').run(dlt.resource(events, max_table_nesting=0), table_name='events',"
    " loader_file_format='parquet')",
)


def main(events: int) -> None:
    """Print CPU seconds, peak memory and ratios."""
    folder = Path(tempfile.mkdtemp(prefix="cdp-bench-"))
    try:
        counts = (events // FEWER, events, 2 * events)
        few, many, twice = (_inbox(folder / str(count), count) for count in counts)
        plan = folder / "plan.yml"
        plan.write_text(PLAN)
        measured = {
            "DuckDB, read_json to parquet": (events, *_measured(DUCKDB, many, events)),
            "into the lake": (events, *_measured(LAKE, many, events)),
            "into the lake under a tracking plan": (events, *_measured(LAKE, many, events, plan)),
            "into the lake, twice as many": (2 * events, *_measured(LAKE, twice, 2 * events)),
            "as Python dicts, a tenth": (events // FEWER, *_measured(DICTS, few, events // FEWER)),
        }
    finally:
        shutil.rmtree(folder)
    table = Table("", "events", "CPU s", "peak MB", "x DuckDB", "dicts take x")
    each = {name: seconds / count for name, (count, seconds, _) in measured.items()}
    duckdb, *_, dicts = each.values()
    for name, (count, seconds, peak) in measured.items():
        ratios = f"{each[name] / duckdb:.2f}", f"{dicts / each[name]:.1f}"
        table.add_row(name, f"{count:,}", f"{seconds:.1f}", f"{peak:,.0f}", *ratios)
    Console(width=100).print(table)


def _inbox(folder: Path, events: int) -> Path:
    """Segments as the collector writes them: of a hundred products, thirty days and many people."""
    folder.mkdir()
    chance = random.Random(7)
    for start in range(0, events, SEGMENT):
        numbers = range(start, min(start + SEGMENT, events))
        lines = "\n".join(_event(number, chance) for number in numbers)
        (folder / f"events-{start:09d}.jsonl").write_text(lines + "\n")
    return folder


def _event(number: int, chance: random.Random) -> str:
    day, hour = chance.randint(1, 30), chance.randint(0, 23)
    time = f"2011-09-{day:02d}T{hour:02d}:00:00.{number % 1000:03d}Z"
    product = str(chance.randint(10_000, 10_100))
    page = {
        "path": f"/p/{product}",
        "url": f"https://shop.example.com/p/{product}",
        "title": "Shop",
    }
    return json.dumps(
        {
            "messageId": f"message-{number:012d}",
            "type": "track",
            "event": "Product Viewed",
            "anonymousId": f"device-{chance.randint(1, 200_000):08d}",
            "userId": str(chance.randint(1, 90_000)) if chance.random() < 0.4 else None,
            "timestamp": time,
            "sentAt": time,
            "receivedAt": time,
            "properties": {
                "product_id": product,
                "price": chance.randint(1, 99) / 4,
                "position": 3,
            },
            "context": {
                "page": page,
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0",
                "ip": "203.0.113.7",
                "locale": "en-GB",
                "library": {"name": "analytics.js", "version": "4.1.0"},
            },
        }
    )


def _measured(
    work: tuple[str, str], inbox: Path, events: int, plan: Path | None = None
) -> tuple[float, float]:
    """CPU seconds and peak MB of a piece of work in a process and a home of its own."""
    prepare, run = (text.replace("INBOX", str(inbox)) for text in work)
    home = Path(tempfile.mkdtemp(prefix="home-", dir=inbox.parent))
    code = MEASURED.replace("PREPARE", prepare).replace("WORK", run)
    done = subprocess.run(
        [sys.executable, "-c", code.replace("EVENTS", str(events))],
        env={
            **os.environ,
            "CDP_HOME": str(home),
            "SOURCES__WEB__BUCKET_URL": inbox.as_uri(),
            **({"CDP_PLAN": str(plan)} if plan else {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    shutil.rmtree(home)
    seconds, peak = map(float, done.stdout.split()[-2:])
    return seconds, peak


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
