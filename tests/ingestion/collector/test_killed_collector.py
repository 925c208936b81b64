"""What was acknowledged is on disk: a collector killed, traced, and asked to stop under load."""

import shutil
import signal
import threading
from pathlib import Path

import pytest
import requests

from ingestion.pipeline import load
from tests.conftest import PATIENCE, until
from tests.ingestion.collector.conftest import KEY, Process
from tests.ingestion.collector.test_requests import EVENTS
from tests.ingestion.samples import seen_values

pytestmark = pytest.mark.slow
CLIENTS = 8


class Load:
    """Clients that send until told to stop, and remember what was acknowledged."""

    def __init__(self, url: str, name: str) -> None:
        self.acknowledged: list[str] = []
        self.statuses: set[int] = set()
        self._ends = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(url, f"{name}-{number}"))
            for number in range(CLIENTS)
        ]

    def start(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def until(self, count: int) -> "Load":
        """Wait for so many acknowledged events, or for the end of all clients."""
        until(
            lambda: len(self.acknowledged) >= count or not any(t.is_alive() for t in self._threads)
        )
        return self

    def end(self) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _send(self, url: str, name: str) -> None:
        with requests.Session() as session:
            for number in range(1_000_000):
                ids = [f"{name}-{number}-{event}" for event in range(10)]
                events = [{"type": "track", "event": "x", "messageId": one} for one in ids]
                if self._ends.is_set() or not self._post(session, url, events):
                    return
                self.acknowledged += ids

    def _post(self, session: requests.Session, url: str, events: list[dict[str, str]]) -> bool:
        try:
            answer = session.post(
                f"{url}/v1/batch", json={"batch": events}, auth=(KEY, ""), timeout=PATIENCE
            )
        except requests.RequestException:
            return False
        self.statuses.add(answer.status_code)
        return answer.status_code == 200


def test_no_acknowledged_event_is_lost_by_kill_9(process: Process) -> None:
    acknowledged: list[str] = []
    for round_ in range(4):
        process.start()
        clients = Load(process.url, f"r{round_}").start().until(100 + 150 * round_)
        process.end(signal.SIGKILL)
        clients.end()
        acknowledged += clients.acknowledged
    process.start()  # recovers what the last one left
    process.end()
    report = load("web")
    kept = set(seen_values(EVENTS, "message_id"))

    assert len(acknowledged) > 1_000 and report.quarantined == 0
    assert [one for one in acknowledged if one not in kept] == []


def test_sigterm_drains_and_closes_the_segment(process: Process, inbox: Path) -> None:
    process.start()
    clients = Load(process.url, "t").start().until(300)
    code = process.end(signal.SIGTERM)
    clients.end()
    load("web")

    assert code in (0, -signal.SIGTERM) and clients.statuses == {200}
    assert not list(inbox.glob(".events-*"))
    assert set(clients.acknowledged) <= set(seen_values(EVENTS, "message_id"))


needs_strace = pytest.mark.skipif(
    not shutil.which("strace"), reason="the trace needs strace; test_log.py shows the same inside"
)


@needs_strace
@pytest.mark.parametrize("is_faked", [False, True])
def test_a_trace_shows_no_answer_before_its_sync(
    process: Process, tmp_path: Path, is_faked: bool
) -> None:
    trace = tmp_path / "trace"
    calls = "trace=write,writev,send,sendto,sendmsg,fdatasync"
    process.prefix = ("strace", "-f", "-y", "-qq", "-s", "1000000", "-e", calls, "-o", str(trace))
    if is_faked:  # the control: with syncs that only seem to happen, every answer is early
        process.prefix += ("-e", "inject=fdatasync:retval=0")
    process.start()
    clients = Load(process.url, "s").start().until(400)
    clients.end()
    process.end()
    answers, early = judge(trace.read_text(errors="replace"))

    assert answers >= 20 and early == (answers if is_faked else 0)


def judge(trace: str) -> tuple[int, int]:
    """How many answers to events left, and how many of them before their ten events were synced."""
    written = synced = answers = early = 0
    for line in trace.splitlines():
        if ".events-" in line and " write(" in line:
            written += line.count("messageId")
        elif "fdatasync" in line and line.endswith("= 0"):
            synced = written  # one thread writes and syncs, so nothing was written in between
        elif "content-length: 16" in line:  # of {"success":true}
            answers += 1
            early += 10 * answers > synced
    return answers, early


@needs_strace
def test_a_disk_that_fails_is_never_acknowledged(process: Process, tmp_path: Path) -> None:
    inject = "inject=fdatasync:error=EIO:when=5+"
    process.prefix = ("strace", "-f", "-qq", "-e", "trace=fdatasync", "-e", inject)
    process.prefix += ("-o", str(tmp_path / "trace"))
    process.start()
    event = {"type": "track", "event": "x", "userId": "u"}
    statuses = [
        requests.post(
            f"{process.url}/v1/batch", json={"batch": [event]}, auth=(KEY, ""), timeout=PATIENCE
        ).status_code
        for _ in range(9)
    ]

    assert statuses == [200] * 4 + [503] * 5
