"""Rules that mend refused rows: small patches in a YAML file of the project, applied in order.

A rule names source, table and part of the reason. `payload` is SQL that makes a new payload of a
line that is no row; `set` is SQL for columns. Both see the row as text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

import settings
from ingestion.json_schema import literal, pointer
from settings import ForeseenError
from warehouse import QueryError, RawTable, scratch

FIELDS = {"name", "source", "table", "reason", "payload", "set", "salvage"}
IS_ROW = "coalesce(json_type(try_cast(payload as json)), '') = 'OBJECT'"
KEYS = f"""
    select distinct unnest(json_keys(payload)) as key from refusals where {IS_ROW} order by key
"""


class RepairRuleError(ForeseenError):
    """A rule in the file of repairs cannot be used."""


@dataclass(frozen=True)
class Repair:
    """One rule: which refusals it is for, and the SQL that mends them."""

    name: str
    source: str
    table: str
    reason: str = ""
    payload: str = ""
    set: Mapping[str, str] = field(default_factory=dict)
    salvage: bool = False

    def matches(self, reason: str) -> str:
        """The SQL condition for the refusals it is for, by the column that holds the reason."""
        return f"contains({reason}, {literal(self.reason)})"

    def noted(self, reason: str, rules: str) -> str:
        """The SQL of the rules applied so far, and this one."""
        return (
            f"concat_ws(' ', nullif({rules}, ''),"
            f" case when {self.matches(reason)} then '{self.name}' end) as {rules}"
        )


def repairs(file: Path | None = None) -> tuple[Repair, ...]:
    """Every rule of the project, in order. Raises RepairRuleError, naming the wrong one."""
    path = file or settings.repairs()
    try:
        document = yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise RepairRuleError(f"{path} cannot be read: {error}") from None
    given = document.get("repairs") if isinstance(document, dict) else None
    if not isinstance(given or [], list):
        raise RepairRuleError(f"{path} has no list named repairs.")
    found = tuple(_repair(rule, path) for rule in given or [])
    names = [rule.name for rule in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RepairRuleError(f"{path} uses a name twice: {', '.join(twice)}.")
    return found


def mended(table: RawTable, refusals: pa.Table, rules: Sequence[Repair]) -> pa.Table:
    """The refusals that are rows now, as text columns of the table, each with its refusal.

    `refusals` has refusal_id, reason, payload, origin and load_id. The columns that begin with cdp_
    say what each row was and which rules were applied to it.
    """
    ours = _ours(table, rules)
    return _with_columns_set(_as_rows(table, _with_payloads(refusals, ours)), ours)


def mended_files(table: RawTable, refusals: pa.Table, rules: Sequence[Repair]) -> pa.Table:
    """The refused files with the content that the rules for payloads make, and `rules` applied.

    `is_salvaged` says of which only what can be read is wanted.
    """
    ours = _ours(table, rules)
    rows = _with_payloads(refusals, ours)
    rows = rows.append_column("is_salvaged", pa.repeat(False, rows.num_rows))
    for rule in (rule for rule in ours if rule.salvage):
        found = f"is_salvaged or {rule.matches('reason')} as is_salvaged"
        noted = rule.noted("reason", "rules")
        rows = _applied(rule, rows, f"select * replace ({found}, {noted}) from rows")
    return rows


def _ours(table: RawTable, rules: Sequence[Repair]) -> list[Repair]:
    return [rule for rule in rules if (rule.source, rule.table) == (table.source, table.name)]


def _repair(rule: Any, path: Path) -> Repair:
    if not isinstance(rule, dict) or not {"name", "source", "table"} <= set(rule):
        raise RepairRuleError(f"{path}: a rule needs name, source and table: {rule}")
    name = rule["name"]
    if unknown := set(rule) - FIELDS:
        raise RepairRuleError(f"{path}: {name} has unknown fields: {', '.join(sorted(unknown))}")
    columns = rule.get("set") or {}
    salvage = rule.get("salvage", False)
    if not isinstance(salvage, bool):
        raise RepairRuleError(f"{path}: {name} has a salvage that is neither true nor false.")
    if not isinstance(columns, dict) or not (columns or rule.get("payload") or salvage):
        raise RepairRuleError(f"{path}: {name} has neither payload nor a mapping named set.")
    texts = {key: str(rule[key]) for key in FIELDS - {"set", "salvage"} if key in rule}
    return Repair(
        **texts, salvage=salvage, set={str(column): str(sql) for column, sql in columns.items()}
    )


def _with_payloads(refusals: pa.Table, rules: Sequence[Repair]) -> pa.Table:
    rows = refusals.append_column("rules", pa.repeat("", refusals.num_rows))
    for rule in (rule for rule in rules if rule.payload):
        sql = f"cast(({rule.payload}) as varchar)"
        mended = f"case when {rule.matches('reason')} then {sql} else payload end"
        noted = rule.noted("reason", "rules")
        rows = _applied(rule, rows, f"select * replace ({mended} as payload, {noted}) from rows")
    return rows


def _as_rows(table: RawTable, refusals: pa.Table) -> pa.Table:
    """The fields of the payloads as text; payloads that are no JSON object are left out."""
    with scratch(refusals=refusals) as session:
        names = list(table.columns)
        if not table.paths:  # where a table has paths, what stands elsewhere is not its own
            found = session.read(KEYS).column("key").to_pylist()
            names += [name for name in found if name not in (*names, "origin")]
        values = [f"{_value(table, name)} as {_quoted(name)}" for name in names if name != "origin"]
        return session.read(
            f"select {', '.join(values)}, coalesce({_value(table, 'origin')}, origin) as origin,"
            " reason as cdp_reason, rules as cdp_rules,"
            f" refusal_id as cdp_refusal_id, load_id as cdp_load_id from refusals where {IS_ROW}"
        )


def _value(table: RawTable, name: str) -> str:
    """A column's value by its own name, or where it stands in a row as the source sends it."""
    places = [pointer(name), *table.paths.get(name, ())]
    values = [f"json_extract_string(payload, {literal(place)})" for place in places]
    return f"coalesce({', '.join(values)})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _with_columns_set(rows: pa.Table, rules: Sequence[Repair]) -> pa.Table:
    for rule in (rule for rule in rules if rule.set):
        noted = [] if rule.payload else [rule.noted("cdp_reason", "cdp_rules")]
        mended = [
            f"case when {rule.matches('cdp_reason')} then cast(({sql}) as varchar)"
            f" else {_quoted(column)} end as {_quoted(column)}"
            for column, sql in rule.set.items()
        ]
        rows = _applied(rule, rows, f"select * replace ({', '.join(mended + noted)}) from rows")
    return rows


def _applied(rule: Repair, rows: pa.Table, query: str) -> pa.Table:
    with scratch(rows=rows) as session:
        try:
            return session.read(query)
        except (QueryError, ForeseenError) as error:
            reason = str(error).splitlines()[0]
            raise RepairRuleError(f"The rule {rule.name} cannot be applied: {reason}") from None
