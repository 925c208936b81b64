import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.json_schema import LIMITS, TYPES
from ingestion.pipeline import load
from ingestion.quarantine import replay
from ingestion.tracking_plan import (
    Plan,
    TrackingPlanError,
    _plan,
    judge,
    read_plan,
)
from settings import PROJECT
from tests.ingestion.samples import Drops, event, seen, seen_values

VIEWED: dict[str, Any] = {
    "required": ["product_id"],
    "properties": {
        "product_id": {"type": "string", "minLength": 3},
        "price": {"type": "number", "minimum": 0, "on_violation": "drop"},
        "colour": {"enum": ["red", "blue"], "on_violation": "allow"},
    },
}
PLAN: dict[str, Any] = {"version": 3, "events": {"Product Viewed": VIEWED}}
Write = Callable[..., Path]


@pytest.fixture()
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the tracking plan."""

    def write(**fields: Any) -> Path:
        path = tmp_path / "plan.yml"
        path.write_text(yaml.safe_dump({**PLAN, **fields}))
        monkeypatch.setenv("CDP_PLAN", str(path))
        return path

    return write


def drop(web: Drops, *properties: object) -> None:
    lines = [event(f"m{n}", properties=each) for n, each in enumerate(properties)]
    web.drop("1.jsonl", "\n".join(lines))


def test_an_event_that_keeps_the_plan_comes_in_as_it_is(web: Drops, plan: Write) -> None:
    plan()
    drop(web, {"product_id": "abc", "price": 1, "colour": "red", "more": [1]})
    load("web")

    assert json.loads(seen_values("raw_web.events", "properties")[0])["more"] == [1]
    assert seen("raw_web.violations") == []


def test_each_rule_does_what_it_says_and_is_counted(web: Drops, plan: Write) -> None:
    plan()
    drop(
        web,
        {"product_id": "abc", "price": -1, "colour": "green", "n": None},
        {"product_id": "ab"},
        {"price": "free"},
        [1],
    )

    report = load("web")

    (kept,) = seen_values("raw_web.events", "properties")
    assert json.loads(kept) == {"product_id": "abc", "colour": "green", "n": None}
    assert seen_values("raw_web.quarantine", "reason") == [
        "tracking plan 3: breaks type; product_id breaks required",
        "tracking plan 3: product_id breaks minLength",
        "tracking plan 3: product_id breaks required",
    ]
    counts = "select property, rule, action, events from raw_web.violations order by all"
    assert [tuple(row.values()) for row in seen(counts)] == [
        ("", "type", "quarantine", 1),
        ("colour", "enum", "allow", 1),
        ("price", "minimum", "drop", 1),
        ("price", "type", "drop", 1),
        ("product_id", "minLength", "quarantine", 1),
        ("product_id", "required", "quarantine", 2),
    ]
    assert [(book.received, book.accepted, book.quarantined) for book in report.books] == [
        (4, 1, 3)
    ]


def test_properties_that_nobody_planned_can_be_dropped(web: Drops, plan: Write) -> None:
    plan(
        events={"Product Viewed": {**VIEWED, "additionalProperties": False, "on_violation": "drop"}}
    )
    drop(web, {"product_id": "abc", 'it"s': 1, "é": {"x": 1}})
    load("web")

    assert seen_values("raw_web.events", "properties") == ['{"product_id":"abc"}']


PRODUCTS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "on_violation": "drop",
        "required": ["sku"],
        "properties": {
            "sku": {"type": "string", "pattern": "^[0-9]+$"},
            "price": {"type": "number", "minimum": 0},
            "sizes": {"items": {"enum": ["s", "m"]}},
            "maker": {"properties": {"country": {"maxLength": 2}}},
        },
        "additionalProperties": False,
    },
}


def test_what_is_wrong_inside_of_lists_and_objects_is_dropped_where_it_stands(
    web: Drops, plan: Write
) -> None:
    plan(events={"Product Viewed": {"properties": {"products": PRODUCTS}}})
    fine = {"sku": "1", "price": 2.5, "sizes": ["s"], "maker": {"country": "FR", "n": None}}
    wrong = {"sku": "2", "price": -1, "sizes": ["s", "xl"], "maker": {"country": "France"}, "x": 1}
    drop(web, {"products": [fine, wrong, 7], "n": None}, {"products": [{"price": 1}]})
    load("web")

    (kept,) = seen_values("raw_web.events", "properties")
    left = {"sku": "2", "sizes": ["s"], "maker": {}}
    assert json.loads(kept) == {"products": [fine, left], "n": None}
    assert seen_values("raw_web.quarantine", "reason") == [
        "tracking plan 3: products[].sku breaks required"
    ]
    assert seen_values("raw_web.violations", "property") == [
        "products[]",
        "products[]",
        "products[].maker.country",
        "products[].price",
        "products[].sizes[]",
        "products[].sku",
    ]


def test_a_violation_is_counted_by_day_with_one_event_for_an_example(
    web: Drops, plan: Write
) -> None:
    plan()
    times = ["2011-01-01T10:00:00Z", "2011-01-01T12:00:00Z", "2011-01-02T00:00:00Z"]
    lines = [
        event(f"m{n}", receivedAt=time, properties={"product_id": "ab"})
        for n, time in enumerate(times)
    ]
    web.drop("1.jsonl", "\n".join(lines))
    load("web")

    columns = "source, version, cast(day as varchar) as day, events, example_message_id"
    hours = "hour(first_seen_at) as first, hour(last_seen_at) as last"
    counts = seen(f"select {columns}, {hours} from raw_web.violations order by day")
    assert [tuple(row.values()) for row in counts] == [
        ("web", "3", "2011-01-01", 2, "m0", 10, 12),
        ("web", "3", "2011-01-02", 1, "m2", 0, 0),
    ]


@pytest.mark.parametrize(("policy", "accepted"), [("allow", 2), ("quarantine", 1)])
def test_an_event_that_nobody_planned_follows_the_policy(
    web: Drops, plan: Write, policy: str, accepted: int
) -> None:
    plan(unplanned_events=policy)
    lines = [event("m1", event="Surprise"), event("m2", type="page", event=None)]
    web.drop("1.jsonl", "\n".join(lines))

    assert load("web").accepted == accepted
    assert [row["events"] for row in seen("raw_web.violations")] == [1]


def test_traits_of_an_identify_are_planned_by_its_type(web: Drops, plan: Write) -> None:
    traits = {"properties": {"age": {"type": "integer", "on_violation": "drop"}}}
    plan(events={}, types={"identify": traits})
    web.drop("1.jsonl", event(type="identify", event=None, traits={"age": "old", "name": "Ann"}))
    load("web")

    assert seen_values("raw_web.events", "traits") == ['{"name":"Ann"}']


def test_what_a_plan_refused_comes_in_under_the_next_one(web: Drops, plan: Write) -> None:
    plan()
    drop(web, {"product_id": "ab", "price": 2.5})
    load("web")
    assert replay("web").books == ()
    plan(version=4, events={"Product Viewed": {"properties": {"product_id": {"minLength": 2}}}})
    replay("web")

    (row,) = seen("raw_web.events")
    assert (row["message_id"], json.loads(row["properties"])) == (
        "m0",
        {"product_id": "ab", "price": 2.5},
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"events": {"A": {"properties": {"b": {"format": "email"}}}}}, "A.b uses format"),
        ({"events": {"A": {"patternProperties": {}}}}, "A uses patternProperties"),
        ({"events": {"A": {"properties": {"b": {"type": "text"}}}}}, "'text' is not valid"),
        ({"events": {"A": {"properties": {"b": {"minimum": "1"}}}}}, "is not of type 'number'"),
        (
            {"events": {"A": {"properties": {"b": {"pattern": "(?=x)"}}}}},
            "invalid perl operator: (?=",
        ),
        ({"events": {"A": {"properties": {"b": {"const": [1]}}}}}, "A.b compares with a list"),
        (
            {"events": {"A": {"properties": {"b": {"items": {"uniqueItems": True}}}}}},
            "A.b[] uses uniqueItems",
        ),
        (
            {"events": {"A": {"properties": {"b": {"items": {"pattern": "(?=x)"}}}}}},
            "invalid perl operator: (?=",
        ),
        (
            {"events": {"A": {"properties": {"b": {"additionalProperties": {"type": "null"}}}}}},
            "additionalProperties of A.b is neither true nor false",
        ),
        ({"events": {"A": {"on_violation": "ignore"}}}, "on_violation of A is none of"),
        ({"unplanned_events": "drop"}, "unplanned_events is neither"),
        ({"types": {"track": {}}}, "track is none of the types"),
        ({"event": {}}, "the plan uses event"),
    ],
)
def test_a_plan_that_cannot_be_checked_whole_is_refused(
    web: Drops, plan: Write, fields: dict[str, Any], problem: str
) -> None:
    plan(**fields)

    with pytest.raises(TrackingPlanError) as told:
        load("web")
    assert problem in str(told.value)


def test_the_plan_of_the_project_can_be_read() -> None:
    assert read_plan(PROJECT / "ingestion" / "tracking_plan.yml") is None


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, -2.5, 1e20]),
    st.sampled_from(["", "a", "é", "ab", "abc", "1", "true", "null", "a'b", "😀😀"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda values: st.one_of(
        st.lists(values, max_size=3), st.dictionaries(st.sampled_from(["x", "y"]), values)
    ),
    max_leaves=6,
)
NUMBERS, LENGTHS = st.sampled_from([-1, 0, 1, 1.5]), st.integers(0, 3)
GIVEN = {
    "type": st.lists(st.sampled_from(sorted(TYPES)), min_size=1, max_size=2, unique=True),
    "enum": st.lists(SCALARS, min_size=1, max_size=3),
    "const": SCALARS,
    "pattern": st.sampled_from(["^a", "b$", "'", "."]),
    **{
        name: LENGTHS if "Length" in name or "Items" in name else NUMBERS
        for name in LIMITS
        if name != "pattern"
    },
}
NAMES = st.lists(st.sampled_from(["x", "y", "p", "r"]), unique=True)


def objects(values: st.SearchStrategy[Any], **optional: st.SearchStrategy[Any]) -> Any:
    properties = st.dictionaries(st.sampled_from(["p", "q", "x"]), values)
    return st.fixed_dictionaries(
        {"properties": properties},
        optional={"additionalProperties": st.booleans(), **optional},
    )


def nested(scalars: dict[str, Any], **optional: st.SearchStrategy[Any]) -> Any:
    """Schemas of values, of which one may be an object or a list of others."""
    return st.recursive(
        st.fixed_dictionaries({}, optional=scalars),
        lambda values: st.one_of(
            objects(values, **optional), st.fixed_dictionaries({"items": values}, optional=scalars)
        ),
        max_leaves=4,
    )


REQUIRED = {"required": NAMES}
SCHEMAS = objects(nested(GIVEN, **REQUIRED), **REQUIRED)
DROPPED = objects(nested({name: GIVEN[name] for name in GIVEN if name != "minItems"}))
EVENTS = st.lists(st.dictionaries(st.sampled_from(["p", "q", "r"]), VALUES), min_size=1, max_size=6)


def left_of(schema: dict[str, Any], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The properties of the events that come in under a plan."""
    plan: Plan = _plan({"version": 1, "events": {"E": schema}})
    columns = {name: ["E"] * len(events) for name in ("event_name", "traits", "origin")}
    columns |= {"message_id": [*map(str, range(len(events)))]}
    columns |= {"event_type": ["track"] * len(events), "properties": [*map(json.dumps, events)]}
    received = pa.array([0] * len(events), pa.timestamp("us", "UTC"))
    rows = pa.table({**columns, "received_at": received})
    return [json.loads(text) for text in judge(plan, rows).accepted["properties"].to_pylist()]


@given(SCHEMAS, EVENTS)
@settings(max_examples=40, deadline=None)
def test_the_plan_says_what_json_schema_says(
    schema: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    validator = jsonschema.Draft202012Validator(schema)

    assert left_of(schema, events) == [each for each in events if validator.is_valid(each)]


@given(DROPPED, EVENTS)
@settings(max_examples=40, deadline=None)
def test_what_is_left_after_a_drop_keeps_the_plan(
    schema: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    validator = jsonschema.Draft202012Validator(schema)
    left = left_of({**schema, "on_violation": "drop"}, events)

    assert all(map(validator.is_valid, left))
    pairs = zip(events, left, strict=True)
    assert all(kept == given for given, kept in pairs if validator.is_valid(given))
