"""Events in Kafka topics, on the mock cluster of librdkafka: real connections, one broker."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from ingestion import suppression, topics
from ingestion.pipeline import SourceUnavailableError, load, pipeline_for
from ingestion.registry import sources
from tests.conftest import PATIENCE, environment
from tests.ingestion.samples import Drops, event, seen, seen_values

EVENTS, REFUSED = "raw_web.events", "raw_stream.quarantine"
Send = Callable[..., None]


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    """The address of a cluster."""
    cluster = AdminClient(
        {"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 2}
    )
    found = cluster.list_topics(timeout=PATIENCE).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in found)
    del cluster


@pytest.fixture()
def send(brokers: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Sends messages to a topic of its own, which is switched on as the instance `stream`."""
    topic = f"events{abs(hash(request.node.name))}"
    producer = Producer({"bootstrap.servers": brokers, "message.max.bytes": 3_000_000})

    def send(*values: str | bytes | None, partition: int = 0) -> None:
        for value in values:
            producer.produce(topic, value, partition=partition)
        producer.flush()

    for setting, value in {"TYPE": "kafka", "BROKERS": brokers, "TOPICS": topic}.items():
        monkeypatch.setenv(f"SOURCES__STREAM__{setting}", value)
    return send


def outcome(count: int = 1) -> list[tuple[int, int]]:
    """How many rows so many loads let in and refused."""
    reports = [load("stream") for _ in range(count)]
    return [(report.accepted, report.quarantined) for report in reports]


def test_every_message_of_every_partition_is_read_once(send: Send) -> None:
    send(event("m1"), event("m2"))
    send(event("m3"), partition=3)
    first = outcome(2)
    send(event("m4"), partition=2)

    assert (first, outcome()) == ([(3, 0), (0, 0)], [(1, 0)])
    assert seen_values(EVENTS, "message_id") == ["m1", "m2", "m3", "m4"]


def test_large_messages_are_taken_in_smaller_batches(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "BATCH_BYTES", 1_000)
    monkeypatch.setattr(topics, "MESSAGES_A_CALL", 2)
    send(*(event(f"m{number}", properties={"padding": "x" * 900}) for number in range(7)))

    assert outcome(2) == [(7, 0), (0, 0)]


def test_events_of_a_topic_and_of_the_collector_are_alike(send: Send, web: Drops) -> None:
    send(event("m1"))
    web.drop("1.jsonl", event("m1"))
    load("stream")
    load("web")
    ours, theirs = seen(f"select * exclude (_dlt_load_id, origin) from {EVENTS}")

    assert ours == theirs


def test_what_the_event_does_not_say_the_broker_does(send: Send) -> None:
    began = time.time()
    send(json.dumps({"type": "track", "event": "Seen", "anonymousId": "a1"}))
    sent = time.time()
    load("stream")
    (row,) = seen(EVENTS)

    assert began - 0.001 <= row["received_at"].timestamp() <= sent  # whole milliseconds
    assert row["message_id"].startswith(f"{row['origin']}@20") and row["origin"].endswith("/0/0")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("[1]", "not a JSON object"),
        ('{"torn', "not a JSON object"),
        ("NaN", "not a JSON object"),
        (b"\xff\xfe", "not UTF-8 text"),
        (None, "a message without content"),
        (b"", "a message without content"),
        ("{}", "event_type is missing"),
    ],
)
def test_a_malformed_message_keeps_only_itself_out(
    send: Send, value: str | bytes | None, reason: str
) -> None:
    send(event("m1"), value, event("m2"))

    assert outcome(2) == [(2, 1), (0, 0)]
    (refused,) = seen(REFUSED)
    assert (refused["reason"], refused["origin"].endswith("/0/1")) == (reason, True)


def test_messages_that_were_deleted_before_they_were_read_are_counted_and_told(send: Send) -> None:
    send(event("m1"))
    load("stream")
    big = {"padding": "x" * 900_000}
    send(*(event(f"m{number}", properties=big) for number in range(2, 12)))  # more than it keeps
    report = load("stream")
    (refused,) = seen(REFUSED)
    told = json.loads(refused["payload"])

    assert (report.quarantined, report.accepted + told["start"] - told["wanted"]) == (1, 10)
    assert refused["reason"].endswith("messages were deleted from the topic before they were read")
    assert int(refused["reason"].split()[0]) == told["start"] - told["wanted"] > 0
    assert outcome() == [(0, 0)]


def test_a_topic_that_was_made_anew_is_told_and_read_from_its_beginning(send: Send) -> None:
    send(event("m1"))
    pipeline = pipeline_for("stream")
    load("stream")
    with pipeline.managed_state() as state:
        offsets = state["sources"]["stream"]["resources"]["events"]["offsets"]
        for name in offsets:
            offsets[name] = 7 if name.endswith("/0") else 0

    assert outcome(2) == [(1, 1), (0, 0)]
    assert "ends before offset 7: it was made anew" in seen_values(REFUSED, "reason")[0]


@pytest.mark.parametrize("step", ["extract", "normalize"])
def test_a_load_killed_between_read_and_load_has_every_message_once(send: Send, step: str) -> None:
    send(*(event(f"m{number}") for number in range(50)), "torn")
    pipeline = pipeline_for("stream")
    pipeline.extract(sources()["stream"].open(), loader_file_format="parquet")
    if step == "normalize":
        pipeline.normalize()
    before = seen(EVENTS)
    send(event("m50"))
    outcome(2)

    assert (before, len(seen(EVENTS)), len(seen(REFUSED))) == ([], 51, 1)
    assert len(set(seen_values(EVENTS, "message_id"))) == 51


def test_a_process_killed_while_it_reads_forgets_what_it_read(
    send: Send, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(*(event(f"m{number}") for number in range(3_000)))
    code = (
        "import os, signal, settings; settings.prepare(); from ingestion import topics;"
        "topics.MESSAGES_A_BATCH = 1000; whole = topics._as_lines\n"
        "def once(messages):\n"
        "    topics._as_lines = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return whole(messages)\n"
        "topics._as_lines = once; from ingestion.pipeline import load; load('stream')"
    )
    stream = {name: os.environ[name] for name in os.environ if name.startswith("SOURCES__STREAM")}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment(home), **stream}, check=False
    )

    assert (done.returncode, outcome(2)) == (-signal.SIGKILL, [(3_000, 0), (0, 0)])


def test_an_erased_person_stays_out(send: Send) -> None:
    suppression.add([suppression.tombstone("user_id", "u1")])
    send(event("m1", userId="u1"), event("m2"))
    (book,) = load("stream").books

    assert (book.received, book.accepted, book.suppressed) == (2, 1, 1)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"TOPICS": ""}, "SOURCES__STREAM__TOPICS is not given"),
        ({"TOPICS": "no_such"}, "it has no topic no_such"),
        ({"BROKERS": "127.0.0.1:1"}, "Check SOURCES__STREAM__"),
        ({"TOPIC": "events"}, "no setting TOPIC; there are TYPE, KIND"),
        ({"SECURITY_PROTOCOL": "sasl", "PASSWORD": "kept-secret"}, "security.protocol"),
    ],
)
def test_settings_that_cannot_be_followed_say_which_and_no_secret(
    send: Send, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], told: str
) -> None:
    send(event("m1"))
    monkeypatch.setattr(topics, "ANSWER_SECONDS", 2.0)
    for setting, value in settings.items():
        monkeypatch.setenv(f"SOURCES__STREAM__{setting}", value)

    with pytest.raises(SourceUnavailableError, match=told) as caught:
        load("stream")
    assert "kept-secret" not in str(caught.value)
