"""What an upstream may change without asking.

New columns flow in, as text. A value that does not fit its declared type, or a missing key, sends
its row to the quarantine with the reason and the payload; the rest of the batch goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import dlt
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.normalizers.naming.snake_case import NamingConvention

from ingestion import suppression
from ingestion.books import entry
from ingestion.tracking_plan import judge, plan_for
from warehouse import RawTable, reading
from warehouse.lake import QUARANTINE, SQL_TYPES

QUARANTINE_SCHEMA = pa.schema([(column, pa.string()) for column in QUARANTINE])
REFUSED_FOR = "cdp_refused_for"  # a column by which a reader says why it could make no row of it
NOT_TEXT = "not UTF-8 text"
LOST = {  # conditions, by declared type, under which a cast succeeds and yet changes the value
    "bigint": "try_cast({column} as double) <> {cast}",
    "boolean": "try_cast(cast({column} as varchar) as double) not in (0, 1)",
    "date": "not {cast} between '0001-01-01' and '9999-12-31'",
    "double": "not isfinite({cast})",
    "timestamp": "not {cast} between '0001-01-01' and '9999-12-31 23:59:59.999999'",
}


@dataclass(frozen=True)
class Checked:
    """A batch after its contract: `accepted` rows have the declared types."""

    accepted: pa.Table
    quarantined: pa.Table


def checked_rows(table: RawTable, batch: pa.Table, origin: str | None = None) -> Iterator[object]:
    """What dlt shall load of one batch: accepted rows, and refused ones for the quarantine.

    `origin` says where the batch came from, for batches that have no column of that name. Erased
    people are left out twice: before, so that no quarantine holds them, and in their typed form.
    Whoever read the batch books what was received; here every row of it is booked where it goes.
    """
    if origin is not None:
        batch = batch.add_column(0, "origin", pa.repeat(origin, batch.num_rows))
    batch = batch.rename_columns(_names(batch.column_names))
    for part in by_encoding(batch):
        yield from _checked(table, part)


def _checked(table: RawTable, batch: pa.Table) -> Iterator[object]:
    named = suppression.without_erased_people(table, batch)
    result = check(table, named.rows)
    kept = suppression.without_erased_people(table, result.accepted)
    yield from entry(table, "suppressed", named.suppressed + kept.suppressed)
    yield from refused(table, result.quarantined)
    yield from _planned(table, kept.rows)


def _planned(table: RawTable, rows: pa.Table) -> Iterator[object]:
    """The rows that the tracking plan lets in, where the table is one of events."""
    plan = plan_for(table)
    if plan:
        judged = judge(plan, rows)
        rows = judged.accepted
        yield from refused(table, judged.quarantined)
        yield from counted(table, judged.violations)
    yield rows
    yield from entry(table, "accepted", rows.num_rows)


def refused(table: RawTable, rows: pa.Table) -> Iterator[object]:
    """Rows with reason, payload and origin, on their way into the quarantine of their source."""
    if rows.num_rows:
        if "format" not in rows.column_names:
            rows = rows.append_column("format", pa.nulls(rows.num_rows, pa.string()))
        rows = rows.append_column("table_name", pa.repeat(table.name, rows.num_rows))
        yield dlt.mark.with_table_name(
            rows.select(list(QUARANTINE)).cast(QUARANTINE_SCHEMA), "quarantine"
        )
        yield from entry(table, "quarantined", rows.num_rows)


def counted(table: RawTable, violations: pa.Table) -> Iterator[object]:
    """Violations of the tracking plan on their way into the source's count of them."""
    if violations.num_rows:
        named = violations.append_column("table_name", pa.repeat(table.name, violations.num_rows))
        yield dlt.mark.with_table_name(named, "violations")


def refused_file(
    table: RawTable, origin: str, reason: str, payload: str = "", format: str = ""
) -> Iterator[object]:
    """A whole file on its way into the quarantine; it counts as one row received.

    With a format, the payload is its content, from which it can be replayed.
    """
    row = {"reason": reason, "payload": payload, "origin": origin, "format": format or None}
    yield from entry(table, "received", 1)
    yield from refused(table, pa.Table.from_pylist([row]))


def check(table: RawTable, batch: pa.Table) -> Checked:
    """Split a batch by the contract of its table, casting what can be cast without loss."""
    reasons = _reasons(table, batch)
    with reading(incoming_rows=batch) as session:
        quarantined = session.read(
            f"select {reasons} as reason, {_payload(batch)} as payload,"
            f" origin from incoming_rows where {reasons} <> ''"
        )
        kept = f" where {reasons} = ''" if quarantined.num_rows else ""
        accepted = session.read(f"select {_casts(table, batch)} from incoming_rows{kept}")
    return Checked(accepted=accepted, quarantined=quarantined)


def _payload(batch: pa.Table) -> str:
    """The row as JSON text, as it came."""
    row = "to_json(incoming_rows)"
    if REFUSED_FOR in batch.column_names:
        row = f"json_merge_patch({row}, '{{\"{REFUSED_FOR}\": null}}')"
    return f"cast({row} as varchar)"


def _names(columns: list[str]) -> list[str]:
    """Names in snake case, each once: the first of two alike keeps it, dlt's own are not taken."""
    normalise = NamingConvention().normalize_identifier
    names: list[str] = []
    for number, column in enumerate(columns, start=1):
        name = normalise(column) if column.strip() else "unnamed"
        is_taken = name in names or name.startswith("_dlt")
        names.append(f"{name.lstrip('_')}_{number}" if is_taken else name)
    return names


def by_encoding(batch: pa.Table) -> Iterator[pa.Table]:
    """The batch; rows with bytes that are no text apart, the bytes escaped and the reason given.

    Files can hold such bytes, and a lake that took them could not be read again.
    """
    if _is_sound(batch):
        yield batch
        return
    columns = [_decoded(column) for column in batch.columns]
    rows = pa.table([texts for texts, _ in columns], names=batch.column_names)
    is_wrong = reduce(pc.or_, (wrong for _, wrong in columns))
    yield rows.filter(pc.invert(is_wrong))
    wrong_ones = rows.filter(is_wrong)
    yield wrong_ones.append_column(REFUSED_FOR, pa.repeat(NOT_TEXT, wrong_ones.num_rows))


def _is_sound(data: pa.Table | pa.ChunkedArray) -> bool:
    try:
        data.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _decoded(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """A column whose wrong bytes are escaped, and which of its values had some.

    Of lists and structs nothing can be told but that there is something wrong in one of them.
    """
    if _is_sound(column):
        return column, pa.chunked_array([pa.repeat(False, len(column))])
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return pa.chunked_array([pa.nulls(len(column), pa.string())]), pc.is_valid(column)
    given = column.cast(pa.large_binary()).to_pylist()
    texts = [None if raw is None else raw.decode(errors="backslashreplace") for raw in given]
    wrong = [
        text is not None and text.encode() != raw for text, raw in zip(texts, given, strict=True)
    ]
    return pa.chunked_array([texts], pa.string()), pa.chunked_array([wrong], pa.bool_())


def _casts(table: RawTable, batch: pa.Table) -> str:
    declared = [
        f'{_cast(batch, column, kind)} as "{column}"' for column, kind in table.columns.items()
    ]
    new = [
        f'{_as_text(field)} as "{field.name}"'
        for field in batch.schema
        if field.name not in table.columns
    ]
    return ", ".join(declared + new)


def _as_text(field: pa.Field) -> str:
    text = f'to_json("{field.name}")' if pa.types.is_nested(field.type) else f'"{field.name}"'
    return f"cast({text} as varchar)"


def _cast(batch: pa.Table, column: str, kind: str) -> str:
    if column not in batch.column_names:
        return f"cast(null as {SQL_TYPES[kind]})"
    return f'try_cast("{column}" as {SQL_TYPES[kind]})'


def _reasons(table: RawTable, batch: pa.Table) -> str:
    wrong = [
        f"case when {_is_wrong(batch, column, kind)} then '{column} is not a {kind}' end"
        for column, kind in table.columns.items()
        if kind != "string" and column in batch.column_names
    ]
    missing = [
        f"case when {_is_missing(batch, column)} then '{column} is missing' end"
        for column in table.key
    ]
    told = [REFUSED_FOR] if REFUSED_FOR in batch.column_names else []
    return f"concat_ws('; ', {', '.join(told or wrong + missing)})"


def _is_missing(batch: pa.Table, column: str) -> str:
    if column not in batch.column_names:
        return "true"
    return f"coalesce(trim(cast(\"{column}\" as varchar)), '') = ''"


def _is_wrong(batch: pa.Table, column: str, kind: str) -> str:
    cast = _cast(batch, column, kind)
    is_lost = LOST[kind].format(column=f'"{column}"', cast=cast)
    if kind == "bigint" and pa.types.is_integer(batch.schema.field(column).type):
        is_lost = "false"
    return f'("{column}" is not null and ({cast} is null or {is_lost}))'
