"""The tracking plan: which events we expect, and what their properties look like.

A YAML file with a JSON Schema per event, compiled into SQL over whole batches. What SQL cannot
check is refused when the plan is read, rather than left unchecked. A rule says what becomes of an
event that breaks it: `allow` counts it, `drop` takes the property out, `quarantine` refuses it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import yaml

import settings
from settings import ForeseenError
from warehouse import QueryError, RawTable, Session, scratch

ACTIONS = ("allow", "drop", "quarantine")
NEEDED = {"event_type", "event_name", "properties", "traits", "origin"}
COLUMNS = {"identify": "traits", "group": "traits", "page": "properties", "screen": "properties"}
NOTES = {"title", "description", "examples", "default", "$comment", "on_violation"}
OF_EVENTS = NOTES | {"type", "required", "properties", "additionalProperties"}
TYPES = {
    "string": "{type} = 'VARCHAR'",
    "boolean": "{type} = 'BOOLEAN'",
    "object": "{type} = 'OBJECT'",
    "array": "{type} = 'ARRAY'",
    "null": "{type} = 'NULL'",
    "number": "{is_number}",
    "integer": "{is_number} and {number} = floor({number})",
}
LIMITS = {  # keyword: what must hold of the values that it speaks about, and which those are
    "minimum": ("{number} >= {given}", "number"),
    "maximum": ("{number} <= {given}", "number"),
    "exclusiveMinimum": ("{number} > {given}", "number"),
    "exclusiveMaximum": ("{number} < {given}", "number"),
    "minLength": ("length({text}) >= {given}", "string"),
    "maxLength": ("length({text}) <= {given}", "string"),
    "pattern": ("regexp_matches({text}, {given})", "string"),
}
OF_PROPERTIES = NOTES | {"type", "enum", "const"} | set(LIMITS)
VIOLATIONS = pa.schema(
    [(name, pa.string()) for name in ("version", "event_name", "property", "rule", "action")]
    + [("events", pa.int64())]
)


IS_REFUSED = "len(list_filter(broken, lambda rule: rule.action = 'quarantine')) > 0"
ACCEPTED = f"select * exclude (broken) from judged where not {IS_REFUSED}"
REFUSED = f"""
    select
        ? || array_to_string(
            list_transform(
                list_filter(broken, lambda rule: rule.action = 'quarantine'),
                lambda rule: concat_ws(' ', nullif(rule.property, ''), 'breaks', rule.rule)
            ), '; '
        ) as reason,
        cast(json_merge_patch(to_json(judged), '{{"broken": null}}') as varchar) as payload,
        origin
    from judged where {IS_REFUSED}
"""
COUNTED = """
    select
        cast(? as varchar) as version,
        rule.event_name,
        rule.property,
        rule.rule,
        rule.action,
        count(*) as events
    from (select unnest(broken) as rule from judged) as broken_rules group by all order by all
"""


class TrackingPlanError(ForeseenError):
    """The tracking plan cannot be used."""


class _WrongError(Exception):
    """What is wrong, and where."""


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of an event; `broken` is the SQL of the opposite."""

    property: str
    keyword: str
    action: str
    broken: str


@dataclass(frozen=True)
class Expected:
    """One planned event: which rows it is, the column of its properties, and its rules."""

    type: str
    name: str
    condition: str
    column: str
    properties: tuple[str, ...]
    planned: int  # how many of them are not only required
    rules: tuple[Rule, ...]


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
    return read_plan(settings.tracking_plan()) if set(table.columns) >= NEEDED else None


def read_plan(path: Path) -> Plan | None:
    """The plan in a file; none when it expects nothing."""
    try:
        plan = _plan(yaml.safe_load(path.read_text()))
        with scratch(rows=_nothing()) as session:  # which tells whether it can take the patterns
            _judge(session, plan, plan.expected)
    except (OSError, yaml.YAMLError, jsonschema.SchemaError, QueryError, _WrongError) as error:
        told = str(getattr(error, "message", error)).splitlines()[0]
        raise TrackingPlanError(f"The tracking plan {path} cannot be used: {told}") from None
    return plan if plan.expected or plan.unplanned != "allow" else None


def judge(plan: Plan, rows: pa.Table) -> Judged:
    """Split a batch of events by the plan; properties that are to be dropped are taken out."""
    with scratch(rows=rows) as session:
        names = session.read("select distinct event_name as name from rows")["name"].to_pylist()
        there = [each for each in plan.expected if each.type != "track" or each.name in names]
        _judge(session, plan, there)
        return Judged(
            accepted=session.read(ACCEPTED),
            quarantined=session.read(REFUSED, [f"tracking plan {plan.version}: "]),
            violations=session.read(COUNTED, [plan.version]).cast(VIOLATIONS),
        )


def _judge(session: Session, plan: Plan, there: Sequence[Expected]) -> None:
    """Hold every row once, with the rules that it breaks."""
    others = " or ".join(each.condition for each in there) or "false"
    unplanned = _broken("", "", "unplanned event", plan.unplanned)
    session.hold(
        "judged",
        " union all by name ".join(
            [
                *map(_rows_of, there),
                f"select *, case when lower(event_type) = 'track' then [{unplanned}] else [] end"
                f" as broken from rows where not coalesce({others}, false)",
            ]
        ),
    )


def _rows_of(event: Expected) -> str:
    """The SQL of one event's rows: their properties are parsed once, for all rules."""
    places = ", ".join(_literal(_pointer(name)) for name in event.properties)
    broken = ", ".join(
        f"case when {rule.broken} then"
        f" {_broken(event.name, rule.property, rule.keyword, rule.action)} end"
        for rule in event.rules
    )
    planned = ", ".join(map(_literal, event.properties[: event.planned])) or "null"
    extra = f"list_filter(json_keys(parsed), lambda key: not coalesce(key in ({planned}), false))"
    read = (
        f"select *, json_extract(parsed, [{places}]::varchar[]) as found, {extra} as extra from"
        f" (select *, try_cast({event.column} as json) as parsed from rows where {event.condition})"
    )
    found = (
        f"select *, list_filter([{broken}], lambda rule: rule is not null) as broken from ({read})"
    )
    return (
        f"select * exclude (parsed, found, extra) replace ({_kept(event.column)} as {event.column})"
        f" from ({found})"
    )


def _kept(column: str) -> str:
    """The SQL of the properties without those that broke a rule that drops them."""
    drops = "list_filter(broken, lambda rule: rule.action = 'drop')"
    named = f"list_transform({drops}, lambda rule: rule.property)"
    dropped = (
        f"list_concat(list_filter({named}, lambda name: name <> ''),"
        f" case when list_contains({named}, '') then extra else [] end)"
    )
    patch = (
        f"'{{' || array_to_string(list_transform({dropped},"
        " lambda name: cast(to_json(name) as varchar) || ':null'), ',') || '}'"
    )
    return (
        f"case when len({named}) > 0 then cast(json_merge_patch(parsed, {patch}) as varchar)"
        f" else {column} end"
    )


def _broken(event: str, name: str, keyword: str, action: str) -> str:
    fields = {"event_name": event, "property": name, "rule": keyword, "action": action}
    return "{" + ", ".join(f"'{key}': {_literal(text)}" for key, text in fields.items()) + "}"


def _plan(document: Any) -> Plan:
    if not isinstance(document, dict) or "version" not in document:
        raise _WrongError("it needs a version")
    _only(document, {"version", "unplanned_events", "events", "types"}, "the plan")
    unplanned = document.get("unplanned_events", "allow")
    if unplanned not in ("allow", "quarantine"):
        raise _WrongError("unplanned_events is neither allow nor quarantine")
    events = [_expected("track", name, it) for name, it in (document.get("events") or {}).items()]
    types = [_typed(name, it) for name, it in (document.get("types") or {}).items()]
    return Plan(str(document["version"]), unplanned, (*events, *types))


def _typed(kind: str, schema: Any) -> Expected:
    if kind not in COLUMNS:
        raise _WrongError(f"{kind} is none of the types {', '.join(COLUMNS)}")
    return _expected(kind, kind, schema)


def _expected(kind: str, name: str, schema: Any) -> Expected:
    schema = schema or {}
    jsonschema.Draft202012Validator.check_schema(schema)
    _only(schema, OF_EVENTS, name)
    if schema.get("type", "object") != "object":
        raise _WrongError(f"the properties of {name} can only be an object")
    planned = list(schema.get("properties", {}))
    names = tuple(dict.fromkeys([*planned, *schema.get("required", [])]))
    condition = f"lower(event_type) = '{kind}'"
    if kind == "track":
        condition += f" and event_name = {_literal(name)}"
    rules = tuple(_rules(name, schema, names))
    return Expected(
        kind, name, condition, COLUMNS.get(kind, "properties"), names, len(planned), rules
    )


def _rules(event: str, schema: Mapping[str, Any], names: Sequence[str]) -> Iterator[Rule]:
    usual = _action(schema, "quarantine", event)
    strict = "quarantine" if usual == "drop" else usual  # what is not there cannot be dropped
    found = {name: f"found[{number}]" for number, name in enumerate(names, start=1)}
    yield Rule("", "type", strict, "parsed is not null and json_type(parsed) <> 'OBJECT'")
    for name in schema.get("required", []):
        yield Rule(name, "required", strict, f"{found[name]} is null")
    others = schema.get("additionalProperties", True)
    if not isinstance(others, bool):
        raise _WrongError(f"additionalProperties of {event} is neither true nor false")
    if not others:
        yield Rule("", "additionalProperties", usual, "len(extra) > 0")
    for name, wanted in schema.get("properties", {}).items():
        yield from _rules_of(name, wanted, usual, f"{event}.{name}", _Value(found[name]))


def _rules_of(name: str, wanted: Any, usual: str, place: str, value: "_Value") -> Iterator[Rule]:
    _only(wanted, OF_PROPERTIES, place)
    action = _action(wanted, usual, place)
    for keyword, given in wanted.items():
        if keyword not in NOTES:
            holds = value.holds(keyword, given, place)
            broken = f"{value.json} is not null and not coalesce({holds}, false)"
            yield Rule(name, keyword, action, broken)


@dataclass(frozen=True)
class _Value:
    """One property's value, as SQL."""

    json: str

    def holds(self, keyword: str, given: Any, place: str) -> str:
        """The SQL of what a keyword asks of the value."""
        if keyword in ("enum", "const"):
            values = given if keyword == "enum" else [given]
            return " or ".join(f"({self._equals(value, place)})" for value in values) or "false"
        if keyword == "type":
            kinds = [given] if isinstance(given, str) else given
            return " or ".join(f"({self._sql(TYPES[kind])})" for kind in kinds)
        condition, kind = LIMITS[keyword]
        literal = _literal(given) if keyword == "pattern" else repr(given)
        return f"not ({self._sql(TYPES[kind])}) or {self._sql(condition, given=literal)}"

    def _equals(self, value: Any, place: str) -> str:
        if isinstance(value, (dict, list)):
            raise _WrongError(f"{place} compares with a list or an object, which is not supported")
        if isinstance(value, str):
            return self._sql("{type} = 'VARCHAR' and {text} = {given}", given=_literal(value))
        if value is None or isinstance(value, bool):
            return self._sql("cast({json} as varchar) = {given}", given=_literal(json.dumps(value)))
        return self._sql("{is_number} and {number} = {given}", given=repr(value))

    def _sql(self, template: str, given: str = "") -> str:
        text = f"({self.json} ->> '$')"
        kind = f"json_type({self.json})"
        return template.format(
            json=self.json,
            text=text,
            type=kind,
            number=f"try_cast({text} as double)",
            is_number=f"{kind} in ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')",
            given=given,
        )


def _action(schema: Mapping[str, Any], usual: str, place: str) -> str:
    action = str(schema.get("on_violation", usual))
    if action not in ACTIONS:
        raise _WrongError(f"on_violation of {place} is none of {', '.join(ACTIONS)}")
    return action


def _only(given: Any, known: set[str], place: str) -> None:
    if not isinstance(given, dict):
        raise _WrongError(f"{place} is not a mapping")
    if unknown := sorted(set(map(str, given)) - known):
        supported = ", ".join(sorted(known - NOTES))
        raise _WrongError(
            f"{place} uses {', '.join(unknown)}, which is not supported; {supported} are"
        )


def _nothing() -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in sorted(NEEDED)})


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")  # RFC 6901


def _literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"
