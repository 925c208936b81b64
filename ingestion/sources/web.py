"""Web and app events in the shape of the Segment spec, from an inbox of closed log segments.

raw_web.events  one row per received event; clients retry, so a message may stand twice

Needs SOURCES__WEB__BUCKET_URL: a folder of *.jsonl files, one event a line. A segment that is
still being written has a name that begins with a dot and is not read. `cdp collect` writes such
files; an event that it refused is a line of its own, an array of reason and payload.
"""

from collections.abc import Iterator, Sequence

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource

from ingestion import suppression
from ingestion.books import entry
from ingestion.contracts import checked_rows, refused
from ingestion.drops import new_files
from ingestion.tracking_plan import plan_for
from warehouse import QueryError, RawTable, Session, reading, text_lines
from warehouse.files import Parsed

PATHS = {  # where a value stands; of several places, the first that has it
    "message_id": ("$.messageId",),
    "event_type": ("$.type",),
    "event_name": ("$.event",),
    "anonymous_id": ("$.anonymousId",),
    "user_id": ("$.userId",),
    "email": ("$.traits.email", "$.context.traits.email"),
    "sent_at": ("$.sentAt",),
    "occurred_at": ("$.originalTimestamp", "$.timestamp"),  # the client's clock, staging corrects
    "received_at": ("$.receivedAt",),
    "properties": ("$.properties",),
    "traits": ("$.traits", "$.context.traits"),
    "context": ("$.context",),
}
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
    paths=PATHS,
)
TABLES = (EVENTS,)
BEGINS_WITH = (
    "(starts_with(line, '{0}')"
    " or starts_with(ltrim(line, ' ' || chr(9) || chr(10) || chr(13)), '{0}'))"
)
IS_OBJECT = BEGINS_WITH.format("{")
IS_EVENT = f"coalesce({IS_OBJECT} and json_valid(line), false)"
IS_REFUSED = f"""
    case when {BEGINS_WITH.format("[")} then
        coalesce(
            json_array_length(try_cast(line as json)) = 2
            and json_type(try_cast(line as json), '$[0]') = 'VARCHAR'
            and json_type(try_cast(line as json), '$[1]') = 'VARCHAR',
            false
        )
    else false end
"""
REFUSED = f"""
    select
        line ->> '$[1]' as payload,
        line ->> '$[0]' as reason,
        origin,
        try_cast(line ->> '$[1]' as json) as event
    from rows where {IS_REFUSED}
"""
BROKEN = f"""
    select line as payload, 'not a JSON object' as reason, origin from rows
    where not {IS_EVENT} and not {IS_REFUSED}
"""


@dlt.source(name="web")
def web(bucket_url: str = dlt.config.value) -> Iterator[DltResource]:
    """The events of one inbox. Raises TrackingPlanError before anything is read."""
    plan_for(EVENTS)
    yield dlt.resource(_rows, name=EVENTS.name, write_disposition="append")(bucket_url)


def _rows(bucket_url: str) -> Iterator[object]:
    for paths in new_files(bucket_url, "[!.]*.jsonl"):
        yield from event_rows(EVENTS, [text_lines(path) for path in paths])


def event_rows(table: RawTable, segments: Sequence[Parsed]) -> Iterator[object]:
    """What dlt shall load of events in JSON, one in the `line` of each row.

    Other columns than `line` and `origin` hold what is taken where the event does not say it.
    """
    yield from entry(table, "received", sum(segment.received for segment in segments))
    yield from refused(table, pa.concat_tables(segment.refused for segment in segments))
    rows = pa.concat_tables(segment.rows for segment in segments)
    with reading(rows=rows) as session:
        given = [name for name in PATHS if name in rows.column_names]
        events = _events(session, given)
        others = events.num_rows < rows.num_rows  # otherwise none is parsed again
        collectors = _turned_away(session, f"{REFUSED} and {others}")
        broken = session.read(f"{BROKEN} and {others}")
    turned_away = suppression.without_erased_people(table, collectors)
    yield from refused(table, broken)
    yield from entry(table, "suppressed", turned_away.suppressed)
    yield from refused(table, turned_away.rows)
    yield from checked_rows(table, events)


def _events(session: Session, given: list[str]) -> pa.Table:
    """The events, parsed once; where something else begins like one, it is looked for first."""
    try:
        return session.read(_event_sql(IS_OBJECT, given))
    except QueryError:
        return session.read(_event_sql(IS_EVENT, given))


def _event_sql(condition: str, given: list[str]) -> str:
    others = ", ".join(["origin", *(f"{name} as given_{name}" for name in given)])
    source = f"select line as event, {others} from rows where {condition}"
    extracted = _fields(source, tuple(PATHS), ", ".join(["origin", *map(_given, given)]))
    said = ", ".join(f"coalesce({name}, given_{name}) as {name}" for name in given)
    left_out = ", ".join(map(_given, given))
    return (
        f"select * exclude ({left_out}) replace ({said}) from ({extracted})" if given else extracted
    )


def _given(name: str) -> str:
    return f"given_{name}"


def _turned_away(session: Session, refused: str) -> pa.Table:
    """What the collector refused, with the identifiers by which erased people are left out."""
    return session.read(_fields(refused, tuple(EVENTS.identifiers), "payload, reason, origin"))


def _fields(source: str, names: tuple[str, ...], others: str) -> str:
    """Columns out of the JSON in `event`, each event parsed once."""
    paths = [path for name in names for path in PATHS[name]]
    place = {path: f"fields[{number}]" for number, path in enumerate(paths, start=1)}
    columns = [
        f'coalesce({", ".join(place[path] for path in PATHS[name])}) as "{name}"' for name in names
    ]
    listed = ", ".join(f"'{path}'" for path in paths)
    return (
        f"select {', '.join(columns)}, {others} from"
        f" (select json_extract_string(event, [{listed}]) as fields, {others} from ({source}))"
    )
