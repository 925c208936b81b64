"""`python -m benchmarks.collector`: what it costs to answer only once events are on disk.

One worker, 64 connections, batches of 20 events of about 600 bytes, against the same server without
fdatasync, in turns; the best turn of each counts. The clients share the machine with it.
"""

import asyncio
import base64
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

CONNECTIONS, EVENTS, SECONDS, TURNS = 64, 20, 4, 3
SERVER = """
import asyncio, os, socket, sys
from pathlib import Path
import uvicorn
from ingestion.collector.app import Collector
from ingestion.collector.keys import KeyRing, add
from ingestion.collector.log import EventLog, Limits
add("bench", key="bench")
sync = os.fdatasync if sys.argv[2] == "durable" else (lambda descriptor: None)
log = EventLog(Path(sys.argv[1]), Limits(free_bytes=0), sync)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(Collector(log, KeyRing()), log_level="error", access_log=False)
uvicorn.Server(config).run(sockets=[listener])
"""


def main() -> None:
    """Print events a second, times of answers and memory, with and without fdatasync."""
    rows = {
        mode: [_measured(mode) for _ in range(TURNS)] for mode in ("durable", "without fdatasync")
    }
    table = Table("collector", "events/s", "p50 ms", "p99 ms", "RSS MB")
    best = {mode: max(turns) for mode, turns in rows.items()}
    for mode, (rate, p50, p99, memory) in best.items():
        table.add_row(mode, f"{rate:,.0f}", f"{p50:.0f}", f"{p99:.0f}", f"{memory:.0f}")
    ratio = best["durable"][0] / best["without fdatasync"][0]
    table.add_row("ratio", f"{ratio:.2f}", "", "", "")
    Console(width=100).print(table)


def _measured(mode: str) -> tuple[float, float, float, float]:
    home = Path(tempfile.mkdtemp(prefix="cdp-bench-"))
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, home / "inbox", mode.split(maxsplit=1)[0]],
        env={**os.environ, "CDP_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout
        times = asyncio.run(_load(int(server.stdout.readline())))
        status = Path(f"/proc/{server.pid}/status").read_text()
        memory = int(status.split("VmHWM:")[1].split()[0]) / 1024
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(home)
    cuts = statistics.quantiles(times, n=100)
    return len(times) * EVENTS / SECONDS, cuts[49] * 1000, cuts[98] * 1000, memory


async def _load(port: int) -> list[float]:
    """The seconds each answer took."""
    ends = time.perf_counter() + SECONDS
    done = await asyncio.gather(*(_client(port, ends) for _ in range(CONNECTIONS)))
    return [seconds for times in done for seconds in times]


async def _client(port: int, ends: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request, times = _request(), []
    while time.perf_counter() < ends:
        start = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head, head
        await reader.readexactly(16)  # {"success":true}
        times.append(time.perf_counter() - start)
    writer.close()
    return times


def _request() -> bytes:
    event = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "u1",
        "messageId": "0" * 36,
        "timestamp": "2026-01-01T00:00:00.000Z",
        "properties": {"text": "x" * 420},
    }
    body = json.dumps({"batch": [event] * EVENTS}).encode()
    key = base64.b64encode(b"bench:").decode()
    head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    main()
