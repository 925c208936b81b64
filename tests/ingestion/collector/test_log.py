import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from ingestion.collector import segments
from ingestion.collector.log import Limits
from ingestion.collector.segments import OpenSegmentError
from ingestion.pipeline import load
from privacy import inbox as privacy_inbox
from privacy.person import Person
from tests.conftest import PATIENCE, until
from tests.ingestion.collector.conftest import Running, Serve
from tests.ingestion.collector.test_requests import EVENTS, GOOD, batch
from tests.ingestion.samples import seen_values


def closed(inbox: Path) -> list[Path]:
    return sorted(inbox.glob("[!.]*.jsonl"))


def waiting_bytes(collector: Running) -> int:
    """How many bytes wait to be brought to disk, as the collector tells."""
    metrics = requests.get(f"{collector.url}/metrics", timeout=PATIENCE).text
    return int(metrics.partition("\ncdp_collector_waiting_bytes ")[2].split()[0])


def test_no_answer_leaves_before_its_bytes_are_on_disk(serve: Serve) -> None:
    is_asked, may_go_on = threading.Event(), threading.Event()

    def slow(descriptor: int) -> None:
        is_asked.set()
        may_go_on.wait(PATIENCE)
        os.fdatasync(descriptor)

    collector = serve(sync=slow)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(collector.post, json=batch(GOOD))
        is_asked.wait(PATIENCE)
        time.sleep(0.3)
        answered_early = answer.done()
        may_go_on.set()

    assert (answered_early, answer.result().status_code) == (False, 200)


def test_after_a_failed_sync_it_says_503_and_takes_another_file(serve: Serve) -> None:
    files: list[int] = []

    def failing_once(descriptor: int) -> None:
        files.append(os.fstat(descriptor).st_ino)
        if len(files) == 2:
            raise OSError(5, "Input/output error")

    collector = serve(sync=failing_once)
    events = [{**GOOD, "messageId": f"m{number}"} for number in range(4)]
    statuses = [collector.post(json=batch(event)).status_code for event in events]
    collector.stop()
    load("web")

    assert statuses == [200, 503, 200, 200]
    assert files[0] == files[1] != files[2] == files[3]
    assert sorted(seen_values(EVENTS, "message_id")) == ["m0", "m2", "m3"]


def test_requests_at_once_share_a_sync(serve: Serve) -> None:
    syncs: list[int] = []
    is_asked, may_go_on = threading.Event(), threading.Event()

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        is_asked.set()
        may_go_on.wait(PATIENCE)

    collector = serve(sync=slow)
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(collector.post, json=batch(GOOD))]
        is_asked.wait(PATIENCE)
        size = waiting_bytes(collector)
        answers += [pool.submit(collector.post, json=batch(GOOD)) for _ in range(19)]
        until(lambda: waiting_bytes(collector) == 20 * size)
        may_go_on.set()

    assert ({answer.result().status_code for answer in answers}, len(syncs)) == ({200}, 2)


def test_a_segment_is_closed_when_it_is_old_enough(serve: Serve) -> None:
    collector = serve(limits=Limits(segment_seconds=0.1, free_bytes=0))
    collector.post(json=batch(GOOD))

    until(lambda: len(closed(collector.inbox)) == 1)
    assert not segments.open_segments(collector.inbox)


def test_a_segment_is_closed_when_it_is_large_enough(serve: Serve) -> None:
    collector = serve(limits=Limits(segment_bytes=100, free_bytes=0))
    for _ in range(3):
        collector.post(json=batch(GOOD))
    collector.stop()

    assert len(closed(collector.inbox)) == 3


def test_a_torn_tail_of_a_dead_process_is_cut_and_the_rest_kept(inbox: Path, serve: Serve) -> None:
    line = b'{"type":"track","messageId":"m1","receivedAt":"2026-01-01T00:00:00Z"}\n'
    (inbox / ".events-1.jsonl").write_bytes(line + line[:20])
    (inbox / ".events-2.jsonl").write_bytes(line[:20])
    (inbox / ".events-3.jsonl").write_bytes(b"")
    serve().stop()

    assert [path.read_bytes() for path in closed(inbox)] == [line]
    assert segments.open_segments(inbox) == []


def test_a_second_worker_leaves_the_segment_of_the_first_alone(serve: Serve) -> None:
    first = serve()
    first.post(json=batch(GOOD))
    second = serve()
    second.post(json=batch({**GOOD, "messageId": "m2"}))
    are_open = len(segments.open_segments(first.inbox))
    first.post(json=batch({**GOOD, "messageId": "m3"}))
    first.stop()
    second.stop()
    load("web")

    assert (are_open, sorted(seen_values(EVENTS, "message_id"))) == (2, ["m1", "m2", "m3"])


def test_an_erasure_finds_the_person_in_the_open_segment(collector: Running) -> None:
    events = [{**GOOD, "userId": user, "messageId": user} for user in ("keep-me", "erase-me")]
    refused = {"type": "nonsense", "userId": "erase-me"}
    collector.post(json=batch(*events, refused))
    person = Person("c1", (), (("user_id", "erase-me"),))
    rewritten = privacy_inbox.forget(person)
    collector.post(json=batch({**GOOD, "messageId": "after"}))
    collector.stop()
    load("web")

    assert rewritten == 1
    assert sorted(seen_values(EVENTS, "message_id")) == ["after", "keep-me"]
    assert not any(b"erase-me" in path.read_bytes() for path in closed(collector.inbox))


def test_a_collector_that_hangs_stops_the_erasure(inbox: Path) -> None:
    segment = segments.open_segment(inbox)

    with pytest.raises(OpenSegmentError):
        segments.close_all(inbox, looks=3)
    segment.close()
