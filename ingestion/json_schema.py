"""JSON Schemas as SQL: what breaks them, and the JSON without what is to be dropped for it.

What SQL cannot check is refused when a schema is read, rather than left unchecked. `on_violation`
says what becomes of the thing that breaks a rule, and holds for what stands below it, too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema

ACTIONS = ("allow", "drop", "quarantine")
NOTES = {"title", "description", "examples", "default", "$comment", "on_violation"}
ROOT = "parsed"  # the column of the whole object
OF_OBJECTS = {"required", "properties", "additionalProperties"}
OF_EVENTS = NOTES | OF_OBJECTS | {"type"}
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
    "minItems": ("json_array_length({json}) >= {given}", "array"),
    "maxItems": ("json_array_length({json}) <= {given}", "array"),
}
OF_VALUES = NOTES | OF_OBJECTS | {"type", "enum", "const", "items"} | set(LIMITS)


class WrongSchemaError(Exception):
    """What is wrong with a schema, and where."""


@dataclass(frozen=True)
class Rule:
    """One thing that must hold of a value; `broken` is the SQL of the opposite."""

    place: str  # such as address.city or products[].price
    keyword: str
    action: str
    broken: str


@dataclass(frozen=True)
class Compiled:
    """A schema of objects as SQL: `source` has the rows and columns that the rules look at."""

    source: str
    rules: tuple[Rule, ...]
    patch: str  # the JSON merge patch that takes out what is dropped; empty when nothing can be


@dataclass
class _Parse:
    """The values that are read out of an object, or an item of a list, all at once."""

    variable: str
    depth: int = 0
    pointers: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)

    def value(self, pointer: str) -> str:
        """The SQL of the value at a place, null where there is none."""
        if pointer not in self.pointers:
            self.pointers.append(pointer)
        return f"{self.variable}[{self.pointers.index(pointer) + 1}]"

    def of(self, value: str) -> str:
        """The SQL of the list of these values of a JSON text."""
        places = ", ".join(map(literal, self.pointers))
        return f"json_extract({value}, [{places}]::varchar[])"


@dataclass(frozen=True)
class _Checked:
    """The rules of a value, those of what is in it, and by condition the patches for that."""

    own: list[Rule]
    below: list[Rule]
    patches: list[tuple[str, str]]


@dataclass(frozen=True)
class _Value:
    """A value that a schema is about: its SQL, and what it is called."""

    json: str
    name: str
    pointer: str
    parse: _Parse

    def property(self, name: str) -> "_Value":
        """A property of it."""
        place = f"{self.pointer}{pointer(name)}"
        called = f"{self.name}.{name}" if self.name else name
        return _Value(self.parse.value(place), called, place, self.parse)

    def is_a(self, kind: str) -> str:
        """The SQL of whether it is of a type of JSON Schema."""
        return self.sql(TYPES[kind])

    def sql(self, template: str, given: str = "") -> str:
        """SQL about it."""
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


def compiled(schema: Mapping[str, Any], event: str, source: str) -> Compiled:
    """The rules of an event's properties, of which `source` has the column `parsed`.

    Raises WrongSchemaError, or jsonschema's SchemaError, for a schema that cannot be checked whole.
    """
    jsonschema.Draft202012Validator.check_schema(schema)
    only(schema, OF_EVENTS, event)
    if schema.get("type", "object") != "object":
        raise WrongSchemaError(f"the properties of {event} can only be an object")
    parse = _Parse("found")
    root = _Value(ROOT, "", "", parse)
    action = _action(schema, "quarantine", event)
    rules, pieces = _object(schema, root, action, event)
    broken = f"{ROOT} is not null and not ({root.is_a('object')})"
    rules = [Rule("", "type", _strict(action), broken), *rules]
    read = f"select *, {parse.of(ROOT)} as found from ({source})"
    lists = "".join(f", {sql} as list_{n}" for n, sql in enumerate(parse.lists))
    return Compiled(f"select *{lists} from ({read})", tuple(rules), _patch(pieces))


def _object(
    schema: Mapping[str, Any], value: _Value, action: str, place: str
) -> tuple[list[Rule], list[str]]:
    """The rules of an object, and the SQL of each piece of a patch that takes out what breaks them.

    They hold of what is an object; what an event requires, it requires without properties, too.
    """
    is_object = f"{value.is_a('object')} and " if value.json != ROOT else ""
    rules = [
        Rule(wanted.name, "required", _strict(action), f"{is_object}{wanted.json} is null")
        for wanted in map(value.property, schema.get("required", []))
    ]
    pieces = []
    if extra := _extra(schema, value, place):
        rules.append(Rule(value.name, "additionalProperties", action, f"len({extra}) > 0"))
        if action == "drop":
            nulls = f"list_transform({extra}, lambda key: cast(to_json(key) as varchar) || ':null')"
            pieces.append(f"nullif(array_to_string({nulls}, ','), '')")
    for name, wanted in schema.get("properties", {}).items():
        checked = _checked(wanted, value.property(name), action, f"{place}.{name}")
        rules += [*checked.own, *checked.below]
        pieces += _piece(name, checked)
    return rules, pieces


def _piece(name: str, checked: _Checked) -> list[str]:
    """The SQL of a property's piece of a patch: none when nothing of it can be dropped."""
    key = literal(json.dumps(name, ensure_ascii=False) + ":")
    dropped = _dropping(checked.own)
    cases = [f"when {dropped} then {key} || 'null'"] if dropped else []
    cases += [f"when {condition} then {key} || {patch}" for condition, patch in checked.patches]
    return [f"case {' '.join(cases)} end"] if cases else []


def _patch(pieces: list[str]) -> str:
    return f"'{{' || concat_ws(',', {', '.join(pieces)}) || '}}'" if pieces else ""


def _extra(schema: Mapping[str, Any], value: _Value, place: str) -> str:
    """The SQL of the names that nobody planned, where there may be none."""
    others = schema.get("additionalProperties", True)
    if not isinstance(others, bool):
        raise WrongSchemaError(f"additionalProperties of {place} is neither true nor false")
    planned = ", ".join(map(literal, schema.get("properties", {}))) or "null"
    is_extra = f"not coalesce(key in ({planned}), false)"
    return "" if others else f"list_filter(json_keys({value.json}), lambda key: {is_extra})"


def _checked(wanted: Any, value: _Value, usual: str, place: str) -> _Checked:
    only(wanted, OF_VALUES, place)
    action = _action(wanted, usual, place)
    own = [
        Rule(value.name, keyword, action, _broken(value, keyword, given, place))
        for keyword, given in wanted.items()
        if keyword not in NOTES | OF_OBJECTS | {"items"}
    ]
    below: list[Rule] = []
    patches: list[tuple[str, str]] = []
    if OF_OBJECTS & set(wanted):
        below, pieces = _object(wanted, value, action, place)
        patches = [(value.is_a("object"), _patch(pieces))] if pieces else []
    if "items" in wanted:
        rules, left = _items(wanted["items"], value, action, f"{place}[]")
        below += rules
        patches += [(_dropping(rules), left)] if left else []
    return _Checked(own, below, patches)


def _items(wanted: Any, value: _Value, usual: str, place: str) -> tuple[list[Rule], str]:
    """The rules of a list's items, and SQL of the list without what breaks those that drop."""
    depth = value.parse.depth + 1
    parse = _Parse(f"item_{depth}", depth)
    item = _Value(parse.value("$"), f"{value.name}[]", "", parse)
    checked = _checked(wanted, item, usual, place)
    items = (
        f"list_transform(json_extract({value.json}, '$[*]'),"
        f" lambda element_{depth}: {parse.of(f'element_{depth}')})"
    )
    if depth == 1:  # a column of its own, so that it is parsed once for all rules
        value.parse.lists.append(items)
        items = f"list_{len(value.parse.lists) - 1}"
    rules = [
        Rule(rule.place, rule.keyword, rule.action, f"len({_those(items, parse, rule.broken)}) > 0")
        for rule in [*checked.own, *checked.below]
    ]
    return rules, _left(items, parse, item, checked)


def _left(items: str, parse: _Parse, item: _Value, checked: _Checked) -> str:
    """The SQL of a list's text without what is dropped of it; empty when nothing can be."""
    dropped = _dropping(checked.own)
    if not dropped and not checked.patches:
        return ""
    stay = _those(items, parse, f"not coalesce({dropped or 'false'}, false)")
    cases = "".join(
        f" when {condition} then json_merge_patch({item.json}, {patch})"
        for condition, patch in checked.patches
    )
    text = f"case{cases} else {item.json} end" if cases else item.json
    texts = f"list_transform({stay}, lambda {parse.variable}: cast({text} as varchar))"
    return f"'[' || array_to_string({texts}, ',') || ']'"


def _those(items: str, parse: _Parse, condition: str) -> str:
    return f"list_filter({items}, lambda {parse.variable}: coalesce({condition}, false))"


def _dropping(rules: list[Rule]) -> str:
    """The SQL of whether one of the rules is broken that drop something."""
    return " or ".join(f"({rule.broken})" for rule in rules if rule.action == "drop")


def _broken(value: _Value, keyword: str, given: Any, place: str) -> str:
    """The SQL of whether there is a value, and not what a keyword asks for."""
    holds = _holds(value, keyword, given, place)
    return f"{value.json} is not null and not coalesce({holds}, false)"


def _holds(value: _Value, keyword: str, given: Any, place: str) -> str:
    if keyword in ("enum", "const"):
        values = given if keyword == "enum" else [given]
        return " or ".join(f"({_equals(value, each, place)})" for each in values) or "false"
    if keyword == "type":
        kinds = [given] if isinstance(given, str) else given
        return " or ".join(f"({value.is_a(kind)})" for kind in kinds)
    condition, kind = LIMITS[keyword]
    limit = literal(given) if keyword == "pattern" else repr(given)
    return f"not ({value.is_a(kind)}) or {value.sql(condition, given=limit)}"


def _equals(value: _Value, given: Any, place: str) -> str:
    if isinstance(given, (dict, list)):
        raise WrongSchemaError(f"{place} compares with a list or an object, which is not supported")
    if isinstance(given, str):
        return value.sql("{type} = 'VARCHAR' and {text} = {given}", given=literal(given))
    if given is None or isinstance(given, bool):
        return value.sql("cast({json} as varchar) = {given}", given=literal(json.dumps(given)))
    return value.sql("{is_number} and {number} = {given}", given=repr(given))


def _action(schema: Mapping[str, Any], usual: str, place: str) -> str:
    action = str(schema.get("on_violation", usual))
    if action not in ACTIONS:
        raise WrongSchemaError(f"on_violation of {place} is none of {', '.join(ACTIONS)}")
    return action


def _strict(action: str) -> str:
    """What is not there cannot be dropped."""
    return "quarantine" if action == "drop" else action


def only(given: Any, known: set[str], place: str) -> None:
    """Raise WrongSchemaError when something is no mapping, or has other keys than these."""
    if not isinstance(given, dict):
        raise WrongSchemaError(f"{place} is not a mapping")
    if unknown := sorted(set(map(str, given)) - known):
        supported = ", ".join(sorted(known - NOTES))
        raise WrongSchemaError(
            f"{place} uses {', '.join(unknown)}, which is not supported; {supported} are"
        )


def pointer(key: str) -> str:
    """The JSON pointer to a key (RFC 6901)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def literal(text: object) -> str:
    """The SQL of a text."""
    return "'" + str(text).replace("'", "''") + "'"
