"""The tracking plan: which events we expect, and what their properties look like.

A YAML file with a JSON Schema per event, compiled into SQL over whole batches. A rule says what
becomes of an event that breaks it: `allow` counts it, `drop` takes out what is wrong, `quarantine`
refuses it. Only rows that break something come out of the engine again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

import settings
from ingestion.json_schema import Compiled, Rule, WrongSchemaError, compiled, literal, only
from settings import ForeseenError
from warehouse import QueryError, RawTable, lake_rows, reading
from warehouse.files import REFUSED as REFUSALS
from warehouse.lake import violations_of

COLUMNS = {"identify": "traits", "group": "traits", "page": "properties", "screen": "properties"}
NEEDED = {"message_id", "received_at", "event_type", "event_name", "properties", "traits", "origin"}
DROPPED_FROM = ("properties", "traits")
UNPLANNED = 0  # the number of the rule that an event must be in the plan
VIOLATIONS = pa.schema(
    [(name, pa.string()) for name in ("version", "event_name", "property", "rule", "action")]
    + [("day", pa.date32()), ("events", pa.int64())]
    + [(name, pa.timestamp("us", "UTC")) for name in ("first_seen_at", "last_seen_at")]
    + [("example_message_id", pa.string())]
)
BROKEN = "(select row_number, unnest(broken) as number from suspects)"
REFUSED = f"""
    select
        row_number,
        ? || string_agg(concat_ws(' ', nullif(place, ''), 'breaks', rule), '; ' order by number)
            as reason,
        any_value(cast(json_merge_patch(to_json(broken_rows), '{{"row_number": null}}') as varchar))
            as payload,
        any_value(origin) as origin
    from {BROKEN} inner join rules using (number) inner join broken_rows using (row_number)
    where action = 'quarantine'
    group by row_number
    order by row_number
"""
COUNTED = f"""
    select
        cast(? as varchar) as version,
        coalesce(nullif(rules.event_name, ''), broken_rows.event_name) as event_name,
        place as property,
        rule,
        action,
        cast(received_at as date) as day,
        count(*) as events,
        min(received_at) as first_seen_at,
        max(received_at) as last_seen_at,
        min(message_id) as example_message_id
    from {BROKEN} inner join rules using (number) inner join broken_rows using (row_number)
    group by all
    order by all
"""
IN_LOADS = """
    select event_name, property, rule, action, cast(sum(events) as bigint) as events
    from rows where list_contains(string_split(?, ','), _dlt_load_id) group by all order by all
"""


class TrackingPlanError(ForeseenError):
    """The tracking plan cannot be used."""


@dataclass(frozen=True)
class Expected:
    """One planned event: which rows it is, the column of its properties, and their schema."""

    type: str
    name: str
    condition: str
    column: str
    schema: Compiled
    first_number: int

    @property
    def rules(self) -> dict[int, Rule]:
        """Its rules by their number in the plan."""
        return dict(enumerate(self.schema.rules, start=self.first_number))

    def numbers(self, action: str) -> str:
        """The SQL of a list of the rules that do this when they are broken."""
        found = [str(number) for number, rule in self.rules.items() if rule.action == action]
        return f"[{', '.join(found)}]::integer[]"


@dataclass(frozen=True)
class Plan:
    """A version of the tracking plan."""

    version: str
    unplanned: str
    expected: tuple[Expected, ...]


@dataclass(frozen=True)
class Judged:
    """A batch after the plan: rows to keep, refused ones, and violations counted by rule."""

    accepted: pa.Table
    quarantined: pa.Table
    violations: pa.Table


def plan_for(table: RawTable) -> Plan | None:
    """The plan that a table's rows must keep; none for what is no table of events.

    Raises TrackingPlanError, naming the place, for a plan that cannot be checked whole.
    """
    return read_plan(settings.tracking_plan()) if is_of_events(table) else None


def is_of_events(table: RawTable) -> bool:
    """Whether the rows of a table are events, for which there may be a plan."""
    return set(table.columns) >= NEEDED


def violations(source: str, loads: Sequence[str]) -> pa.Table:
    """How often these loads of a source saw each rule broken."""
    return lake_rows(violations_of(source), IN_LOADS, [",".join(loads)])


def read_plan(path: Path) -> Plan | None:
    """The plan in a file; none when it expects nothing."""
    try:
        plan = _plan(yaml.safe_load(path.read_text()))
        with reading(numbered=_nothing()) as session:  # which tells whether it takes the patterns
            session.read(_suspects_sql(plan.expected))
    except (OSError, yaml.YAMLError, jsonschema.SchemaError, QueryError, WrongSchemaError) as error:
        told = str(getattr(error, "message", error)).splitlines()[0]
        raise TrackingPlanError(f"The tracking plan {path} cannot be used: {told}") from None
    return plan if plan.expected or plan.unplanned != "allow" else None


def judge(plan: Plan, rows: pa.Table) -> Judged:
    """Split a batch of events by the plan; what is to be dropped is taken out of those kept."""
    number = pa.array(np.arange(rows.num_rows))
    with reading(numbered=rows.append_column("row_number", number)) as session:
        names = session.read("select distinct event_name as name from numbered")["name"]
        there = {*names.to_pylist()}
        expected = [each for each in plan.expected if each.type != "track" or each.name in there]
        suspects = session.read(_suspects_sql(expected))
    if not suspects.num_rows:
        return Judged(rows, REFUSALS.empty_table(), VIOLATIONS.empty_table())
    numbers = suspects["row_number"]
    broken_rows = rows.take(numbers).append_column("row_number", numbers)
    rules = _numbered(plan)
    with reading(suspects=suspects, rules=rules, broken_rows=broken_rows) as session:
        refused = session.read(REFUSED, [f"tracking plan {plan.version}: "])
        violations = session.read(COUNTED, [plan.version]).cast(VIOLATIONS)
    stay = pc.invert(_mask(refused["row_number"], rows.num_rows))
    accepted = _without_dropped(rows, suspects).filter(stay)
    return Judged(accepted, refused.drop_columns("row_number"), violations)


def _without_dropped(rows: pa.Table, suspects: pa.Table) -> pa.Table:
    for name in DROPPED_FROM:
        changed = suspects.filter(pc.is_valid(suspects[name]))
        if changed.num_rows:
            mask = _mask(changed["row_number"], rows.num_rows)
            values = pc.replace_with_mask(rows[name], mask, changed[name].combine_chunks())
            rows = rows.set_column(rows.column_names.index(name), name, values)
    return rows


def _mask(numbers: pa.ChunkedArray, length: int) -> pa.Array:
    mask = np.zeros(length, bool)
    mask[numbers.to_numpy()] = True
    return pa.array(mask)


def _numbered(plan: Plan) -> pa.Table:
    """Every rule of the plan by its number."""
    names = ("number", "event_name", "place", "rule", "action")
    rules = [(UNPLANNED, "", "", "unplanned event", plan.unplanned)]
    for event in plan.expected:
        rules += [
            (number, event.name, rule.place, rule.keyword, rule.action)
            for number, rule in event.rules.items()
        ]
    return pa.Table.from_pylist([dict(zip(names, rule, strict=True)) for rule in rules])


def _suspects_sql(expected: Sequence[Expected]) -> str:
    """The SQL of the rows that break rules, in order: which ones, and what is left of the JSON."""
    others = " or ".join(each.condition for each in expected) or "false"
    unplanned = (
        f"select row_number, [{UNPLANNED}] as broken, {_left()} from numbered"
        f" where lower(event_type) = 'track' and not coalesce({others}, false)"
    )
    unions = " union all by name ".join([*map(_suspects_of, expected), unplanned])
    return f"select * from ({unions}) order by row_number"


def _suspects_of(event: Expected) -> str:
    broken = ", ".join(f"case when {rule.broken} then {n} end" for n, rule in event.rules.items())
    return (
        f"select row_number, broken, {_left(event)} from (select *,"
        f" list_filter([{broken}], lambda number: number is not null) as broken"
        f" from ({event.schema.source})) where len(broken) > 0"
    )


def _plan(document: Any) -> Plan:
    if not isinstance(document, dict) or "version" not in document:
        raise WrongSchemaError("it needs a version")
    only(document, {"version", "unplanned_events", "events", "types"}, "the plan")
    unplanned = document.get("unplanned_events", "allow")
    if unplanned not in ("allow", "quarantine"):
        raise WrongSchemaError("unplanned_events is neither allow nor quarantine")
    given = [("track", name, schema) for name, schema in (document.get("events") or {}).items()]
    given += [(_type(name), name, schema) for name, schema in (document.get("types") or {}).items()]
    expected: list[Expected] = []
    number = UNPLANNED + 1
    for kind, name, schema in given:
        expected.append(_expected(kind, name, schema or {}, number))
        number += len(expected[-1].schema.rules)
    return Plan(str(document["version"]), unplanned, tuple(expected))


def _type(name: str) -> str:
    if name not in COLUMNS:
        raise WrongSchemaError(f"{name} is none of the types {', '.join(COLUMNS)}")
    return name


def _expected(kind: str, name: str, schema: Any, number: int) -> Expected:
    condition = f"lower(event_type) = '{kind}'"
    if kind == "track":
        condition += f" and event_name = {literal(name)}"
    column = COLUMNS.get(kind, "properties")
    source = (
        f"select row_number, try_cast({column} as json) as parsed from numbered where {condition}"
    )
    return Expected(kind, name, condition, column, compiled(schema, name, source), number)


def _left(event: Expected | None = None) -> str:
    """The SQL of a column per column that something is dropped from: null where nothing is."""
    left = dict.fromkeys(DROPPED_FROM, "cast(null as varchar)")
    if event and event.schema.patch:
        drops, refuses = (event.numbers(action) for action in ("drop", "quarantine"))
        left[event.column] = (
            f"case when list_has_any(broken, {drops}) and not list_has_any(broken, {refuses})"
            f" then cast(json_merge_patch(parsed, {event.schema.patch}) as varchar) end"
        )
    return ", ".join(f"{sql} as {name}" for name, sql in left.items())


def _nothing() -> pa.Table:
    names = ["row_number", *sorted(NEEDED)]
    return pa.table({name: pa.array([], pa.string()) for name in names})
