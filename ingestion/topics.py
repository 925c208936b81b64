"""Kafka topics of events: each load reads what was in them when it began.

SOURCES__<NAME>__TYPE=kafka makes an instance of the kind `web`, with the table that the collector
fills, too. How far a partition was read is kept in dlt's state, which is committed with the load: a
load that is killed reads the same messages again, one that completes never does. Nothing is
committed to Kafka. A gap, messages that were deleted before they were read, is a refusal in the
quarantine.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import dlt
import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from dlt.extract.resource import DltResource
from dlt.extract.source import DltSource

from ingestion.contracts import NOT_TEXT, Kept, refused_file
from ingestion.drops import BATCH_BYTES
from ingestion.own_columns import WrongMappingError
from ingestion.sources.web import event_rows
from ingestion.tracking_plan import plan_for
from warehouse import RawTable
from warehouse.files import REFUSED, Parsed

CLIENT = {  # our settings, by the client's names
    "brokers": "bootstrap.servers",
    "security_protocol": "security.protocol",
    "sasl_mechanism": "sasl.mechanism",
    "username": "sasl.username",
    "password": "sasl.password",
    "ca_file": "ssl.ca.location",
}
SETTINGS = ("type", "kind", "topics", *CLIENT)
MESSAGES_A_BATCH = 20_000  # bounds memory; a batch is checked and written at once
MESSAGES_A_CALL = 1_000
CALL_SECONDS = 0.2  # for which a call waits until it has as many
ANSWER_SECONDS = 10.0  # for brokers to say what they have
SILENT_CALLS = 150  # one after the other: then a broker that has messages for us is given up


class NotAnsweringError(RuntimeError):
    """The brokers have messages that they do not send."""


@dataclass(frozen=True)
class Span:
    """What is to be read of one partition: from `start` on until `end`.

    `wanted` is where the last load stopped; what is between it and `start` is gone.
    """

    topic: str
    partition: int
    wanted: int
    start: int
    end: int

    @property
    def name(self) -> str:
        """The partition, as the state and the quarantine name it."""
        return f"{self.topic}/{self.partition}"

    @property
    def gap(self) -> str:
        """What cannot be read any more, in words; nothing when all of it can."""
        if self.wanted > self.end:
            return f"the topic ends before offset {self.wanted}: it was made anew"
        if self.start > self.wanted:
            lost = self.start - self.wanted
            return f"{lost} messages were deleted from the topic before they were read"
        return ""


def opened(instance: str, tables: tuple[RawTable, ...], given: Mapping[str, str]) -> DltSource:
    """The events of the topics, as a resource. Raises WrongMappingError and TrackingPlanError."""
    if unknown := sorted(given.keys() - {*SETTINGS}):
        names = ", ".join(SETTINGS).upper()
        raise WrongMappingError(f"it has no setting {unknown[0].upper()}; there are {names}")
    (table,) = tables
    plan_for(table)

    @dlt.source(name=instance)
    def resources() -> Iterator[DltResource]:
        resource = dlt.resource(_rows, name=table.name, write_disposition="append")
        yield resource(instance, table, given)

    return resources()


def _rows(instance: str, table: RawTable, given: Mapping[str, str]) -> Iterator[object]:
    read: dict[str, int] = dlt.current.resource_state().setdefault("offsets", {})
    with _consumer(instance, given) as consumer:
        spans = [span for topic in _topics(given) for span in _spans(consumer, topic, read)]
        reached = {span.name: span.start for span in spans}
        for span in spans:
            if span.gap:
                told = json.dumps(asdict(span))
                yield from refused_file(table, span.name, span.gap, Kept(told))
        for messages in _batches(consumer, spans, reached):
            yield from event_rows(table, [_as_lines(messages)])
    read.update(reached)


def _topics(given: Mapping[str, str]) -> list[str]:
    return [topic.strip() for topic in given["topics"].split(",") if topic.strip()]


@contextmanager
def _consumer(instance: str, given: Mapping[str, str]) -> Iterator[Consumer]:
    told = {CLIENT[name]: value for name, value in given.items() if name in CLIENT}
    consumer = Consumer(
        {
            **told,
            "group.id": f"cdp_{instance}",  # the client wants one; nothing is committed to it
            "enable.auto.commit": False,
            "auto.offset.reset": "error",  # what is gone is told, never skipped
            "enable.partition.eof": True,  # says where a partition ends, also after a transaction
            "log_level": 2,  # errors come as exceptions
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _spans(consumer: Consumer, topic: str, read: Mapping[str, int]) -> Iterator[Span]:
    """What each partition has for us. Raises LookupError when there is no such topic."""
    found = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
    if found.error or not found.partitions:
        raise LookupError(f"it has no topic {topic}: {found.error}")
    for partition in sorted(found.partitions):
        first, end = consumer.get_watermark_offsets(
            TopicPartition(topic, partition), timeout=ANSWER_SECONDS
        )
        wanted = read.get(f"{topic}/{partition}", first)
        start = first if wanted > end else max(wanted, first)
        yield Span(topic, partition, wanted, start, end)


def _batches(
    consumer: Consumer, spans: Sequence[Span], reached: dict[str, int]
) -> Iterator[list[Message]]:
    """The messages of the spans; `reached` follows. Raises NotAnsweringError."""
    todo = {span.name: span for span in spans if span.start < span.end}
    consumer.assign([TopicPartition(s.topic, s.partition, s.start) for s in todo.values()])
    batch: list[Message] = []
    silent = 0
    while todo:
        messages = consumer.consume(MESSAGES_A_CALL, timeout=CALL_SECONDS)
        silent = 0 if messages else silent + 1
        if silent > SILENT_CALLS:
            raise NotAnsweringError(f"nothing came of {', '.join(todo)} in {silent} calls")
        for message in messages:
            batch += _taken(message, todo, reached)
        is_full = len(batch) >= MESSAGES_A_BATCH or sum(map(len, batch)) >= BATCH_BYTES
        if is_full or (batch and not todo):
            yield batch
            batch = []


def _taken(message: Message, todo: dict[str, Span], reached: dict[str, int]) -> list[Message]:
    """The message, if it is one of those to be read; a partition is done where its span ends."""
    name = f"{message.topic()}/{message.partition()}"
    offset, error = message.offset(), message.error()
    if error and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    if name not in todo or offset is None:
        return []
    is_within = not error and offset < todo[name].end
    reached[name] = min(offset + is_within, todo[name].end)
    if error or reached[name] == todo[name].end:
        del todo[name]
    return [message] if is_within else []


def _as_lines(messages: Sequence[Message]) -> Parsed:
    """Messages as lines of JSON, each with an id and a time of receipt in case it has none."""
    texts = [_text(message.value()) for message in messages]
    is_text = [text is not None for text in texts]
    times = pa.array([message.timestamp()[1] for message in messages], pa.timestamp("ms", "UTC"))
    places = pa.array([f"{m.topic()}/{m.partition()}/{m.offset()}" for m in messages])
    rows = pa.table(
        {
            "line": pa.array(texts, pa.large_string()),
            "origin": places,
            "message_id": pc.binary_join_element_wise(places, times.cast(pa.string()), "@"),
            "received_at": times.cast(pa.string()),
        }
    )
    wrong = [
        {
            "payload": (message.value() or b"").decode(errors="backslashreplace"),
            "reason": NOT_TEXT if message.value() else "a message without content",
            "origin": place,
        }
        for message, place, is_good in zip(messages, places.to_pylist(), is_text, strict=True)
        if not is_good
    ]
    refused = pa.Table.from_pylist(wrong, REFUSED)
    return Parsed(rows.filter(pa.array(is_text)), refused, len(messages))


def _text(value: bytes | None) -> str | None:
    try:
        return value.decode() if value else None
    except UnicodeDecodeError:
        return None
