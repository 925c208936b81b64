"""`python -m benchmarks.collector_kills [kills]`: what a collector loses that dies under load.

Every collector is killed after a moment of its own, 32 clients sending; what was not answered is
sent again to the next. Then everything is loaded and staged: acknowledged events must all be in the
warehouse, and each once.
"""

import asyncio
import base64
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.collector import SERVER

KILLS, CLIENTS, EVENTS = 100, 32, 10
KEY = base64.b64encode(b"bench:").decode()
STAGED = """
import sys, settings; settings.prepare()
import warehouse
from dbt.cli.main import dbtRunner
from ingestion.pipeline import load
from ingestion.registry import tables
assert load("web").quarantined == 0
warehouse.register_lake(tables())
words = ["--quiet", "run", "--select", "stg_web__events"]
assert dbtRunner().invoke([*words, "--project-dir", str(settings.DBT_PROJECT)]).success
print(warehouse.read("select count(*) as n from raw_web.events")["n"][0])
for message_id in warehouse.read("select message_id from staging.stg_web__events")["message_id"]:
    print(message_id)
"""


def main(kills: int) -> None:
    """Print events acknowledged, lost, sent twice and doubled; end with 1 when one was lost."""
    home = Path(tempfile.mkdtemp(prefix="cdp-bench-"))
    environment = {**os.environ, "CDP_HOME": str(home)}
    environment["SOURCES__WEB__BUCKET_URL"] = (home / "inbox").as_uri()
    try:
        acknowledged = _killed(kills, home, environment)
        done = subprocess.run(
            [sys.executable, "-c", STAGED], env=environment, stdout=subprocess.PIPE, check=True
        )
    finally:
        shutil.rmtree(home)
    raw, *staged = done.stdout.decode().split()
    kept = set(staged)
    lost = len(acknowledged - kept)
    doubled = len(staged) - len(kept)
    table = Table("kills", "acknowledged", "lost", "rows in the lake", "staged", "doubled")
    table.add_row(
        *(f"{n:,}" for n in (kills, len(acknowledged), lost, int(raw), len(staged), doubled))
    )
    Console(width=100).print(table)
    sys.exit(bool(lost or doubled))


class Clients:
    """Senders that keep their batch until it is acknowledged, whoever the collector is."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self._batches = [_batches(client) for client in range(CLIENTS)]
        self._pending = [next(batches) for batches in self._batches]

    async def load(self, port: int, server: subprocess.Popen[str], seconds: float) -> None:
        """Send, and kill the server so long after its first answer."""
        await asyncio.gather(
            self._kill(server, seconds), *(self._send(port, n) for n in range(CLIENTS))
        )

    async def _send(self, port: int, client: int) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while True:
                writer.write(_request(self._pending[client]))
                head = await reader.readuntil(b"\r\n\r\n")
                assert b" 200 " in head, head
                await reader.readexactly(16)  # {"success":true}
                self.acknowledged.update(self._pending[client])
                self._pending[client] = next(self._batches[client])

    async def _kill(self, server: subprocess.Popen[str], seconds: float) -> None:
        before = len(self.acknowledged)
        while len(self.acknowledged) == before:
            await asyncio.sleep(0.01)
        await asyncio.sleep(seconds)
        server.kill()


def _killed(kills: int, home: Path, environment: dict[str, str]) -> set[str]:
    """The events that collectors acknowledged before each was killed; the last one recovers."""
    chance, clients = random.Random(7), Clients()
    for _ in range(kills):
        server, port = _collector(home, environment)
        asyncio.run(clients.load(port, server, chance.uniform(0.1, 0.6)))
        server.wait()
    server, port = _collector(home, environment)
    urllib.request.urlopen(f"http://127.0.0.1:{port}/health").close()
    server.terminate()
    server.wait()
    return clients.acknowledged


def _collector(home: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, home / "inbox", "durable"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    return server, int(server.stdout.readline())


def _batches(client: int) -> Iterator[list[str]]:
    for number in range(10**9):
        yield [f"{client}-{number}-{event}" for event in range(EVENTS)]


def _request(ids: list[str]) -> bytes:
    events = [{"type": "track", "event": "x", "userId": "u", "messageId": one} for one in ids]
    body = json.dumps({"batch": events}).encode()
    head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {KEY}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS)
