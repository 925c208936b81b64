"""Web and app events in the shape of the Segment spec, from an inbox of closed log segments.

raw_web.events  one row per received event; clients retry, so a message may stand twice

Needs SOURCES__WEB__BUCKET_URL: a folder of *.jsonl files, one event a line. A segment that is
still being written has a name that begins with a dot and is not read.
"""

from collections.abc import Iterator

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource

from ingestion.contracts import checked_rows, refused
from ingestion.drops import new_files
from warehouse import RawTable, Session, scratch, text_lines

EVENTS = RawTable(
    source="web",
    name="events",
    grain="One row per received event; a message that was sent twice stands twice",
    columns={
        "message_id": "string",
        "event_type": "string",
        "event_name": "string",
        "anonymous_id": "string",
        "user_id": "string",
        "email": "string",
        "sent_at": "timestamp",
        "occurred_at": "timestamp",
        "received_at": "timestamp",
        "properties": "string",
        "traits": "string",
        "context": "string",
        "origin": "string",
    },
    key=("message_id", "event_type", "received_at"),
    identifiers={"anonymous_id": "anonymous_id", "user_id": "user_id", "email": "email"},
)
TABLES = (EVENTS,)
PATHS = {
    "message_id": "$.messageId",
    "event_type": "$.type",
    "event_name": "$.event",
    "anonymous_id": "$.anonymousId",
    "user_id": "$.userId",
    "email": "$.traits.email",
    "sent_at": "$.sentAt",
    "occurred_at": "$.timestamp",
    "received_at": "$.receivedAt",
    "properties": "$.properties",
    "traits": "$.traits",
    "context": "$.context",
}

IS_EVENT = "coalesce(json_type(try_cast(line as json)), '') = 'OBJECT'"
BROKEN = f"""
    select line as payload, 'not a JSON object' as reason, origin from rows where not {IS_EVENT}
"""


@dlt.source(name="web")
def web(bucket_url: str = dlt.config.value) -> Iterator[DltResource]:
    """The events of one inbox."""
    yield dlt.resource(_rows, name=EVENTS.name, write_disposition="append")(bucket_url)


def _rows(bucket_url: str) -> Iterator[object]:
    for paths in new_files(bucket_url, "[!.]*.jsonl"):
        segments = [text_lines(path) for path in paths]
        yield from refused(EVENTS, pa.concat_tables(segment.refused for segment in segments))
        with scratch(rows=pa.concat_tables(segment.rows for segment in segments)) as session:
            broken, events = session.read(BROKEN), _events(session)
        yield from refused(EVENTS, broken)
        yield from checked_rows(EVENTS, events)


def _events(session: Session) -> pa.Table:
    paths = ", ".join(f"'{path}'" for path in PATHS.values())
    columns = ", ".join(f'fields[{i}] as "{column}"' for i, column in enumerate(PATHS, start=1))
    return session.read(
        f"select {columns}, origin from (select json_extract_string(line, [{paths}]) as fields,"
        f" origin from rows where {IS_EVENT})"
    )
