"""What an upstream may change without asking.

New columns flow in, as text. A value that does not fit its declared type, or a missing key, sends
its row to the quarantine with the reason and the payload; the rest of the batch goes on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import dlt
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.normalizers.naming.snake_case import NamingConvention

from ingestion import suppression
from ingestion.books import entry
from ingestion.tracking_plan import judge, plan_for
from warehouse import RawTable, reading
from warehouse.files import REFUSED
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


class Kept(NamedTuple):
    """What the quarantine keeps of a file; with a format, it can be replayed.

    `payload` is its text, or the beginning of it when the whole is the content of `kept_file`.
    """

    payload: str = ""
    format: str | None = None
    kept_file: str | None = None


NOTHING_KEPT = Kept()


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
        for name in {"format", "kept_file"}.difference(rows.column_names):
            rows = rows.append_column(name, pa.nulls(rows.num_rows, pa.string()))
        rows = rows.append_column("table_name", pa.repeat(table.name, rows.num_rows))
        yield dlt.mark.with_table_name(
            rows.select(list(QUARANTINE)).cast(QUARANTINE_SCHEMA), "quarantine"
        )
        yield from entry(table, "quarantined", rows.num_rows)


def counted(table: RawTable, violations: pa.Table) -> Iterator[object]:
    """Violations of the tracking plan on their way into the source's count of them."""
    if violations.num_rows:
        rows = violations.num_rows
        named = violations.append_column("source", pa.repeat(table.source, rows))
        named = named.append_column("table_name", pa.repeat(table.name, rows))
        yield dlt.mark.with_table_name(named, "violations")


def refused_file(
    table: RawTable, origin: str, reason: str, content: Kept = NOTHING_KEPT
) -> Iterator[object]:
    """A whole file on its way into the quarantine; it counts as one row received."""
    row = {"reason": reason, "origin": origin, **content._asdict()}
    yield from entry(table, "received", 1)
    yield from refused(table, pa.Table.from_pylist([row]))


def check(table: RawTable, batch: pa.Table) -> Checked:
    """Split a batch by the contract of its table, casting what can be cast without loss."""
    typed, reasons = _typed(table, batch)
    names = [*table.columns, *(name for name in batch.column_names if name not in table.columns)]
    accepted = pa.table({n: typed[n] if n in typed else batch.column(n) for n in names})
    fits = pc.equal(reasons, "")
    if pc.all(fits).as_py():
        return Checked(accepted, REFUSED.empty_table())
    with reading(incoming_rows=batch, judged=pa.table({"reason": reasons})) as session:
        quarantined = session.read(
            f"select judged.reason, {_payload(batch)} as payload, incoming_rows.origin"
            " from incoming_rows positional join judged where judged.reason <> ''"
        )
    return Checked(accepted.filter(fits), quarantined)


def _typed(table: RawTable, batch: pa.Table) -> tuple[dict[str, pa.ChunkedArray], pa.ChunkedArray]:
    """The columns that had to be cast, and why each row is refused: nothing for one that fits.

    In one pass, in which no text is copied that can stay; rows keep their order.
    """
    casts = dict(_casts(table, batch))
    place = {column: number for number, column in enumerate(casts)}
    looked_at = [
        *(f"{cast} as typed_{place[column]}" for column, cast in casts.items()),
        *(f'"{name}" as given_{place[name]}' for name in casts if name in batch.column_names),
        *(f"{_is_missing(batch, name)} as missing_{i}" for i, name in enumerate(table.key)),
    ]
    reasons = _reasons(table, batch, place)
    if REFUSED_FOR in batch.column_names:
        looked_at, reasons = [*looked_at, REFUSED_FOR], [REFUSED_FOR]
    told = [f"concat_ws('; ', {', '.join(reasons)})", *(f"typed_{n}" for n in place.values())]
    with reading(incoming_rows=batch) as session:
        judged = session.read(
            f"select {', '.join(told)} from (select {', '.join(looked_at)} from incoming_rows)"
        )
    reason, *columns = judged.columns
    return dict(zip(casts, columns, strict=True)), reason


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


def _casts(table: RawTable, batch: pa.Table) -> Iterator[tuple[str, str]]:
    """Each column that is not of its type yet, and the SQL that makes it so; new ones are text."""
    for column, kind in {**dict.fromkeys(batch.column_names, "string"), **table.columns}.items():
        if column not in batch.column_names:
            yield column, f"cast(null as {SQL_TYPES[kind]})"
            continue
        given = batch.schema.field(column).type
        if column not in table.columns and pa.types.is_nested(given):
            yield column, f'cast(to_json("{column}") as varchar)'
        elif (kind, given) != ("string", pa.string()):
            yield column, f'try_cast("{column}" as {SQL_TYPES[kind]})'


def _reasons(table: RawTable, batch: pa.Table, place: Mapping[str, int]) -> list[str]:
    """The SQL of each reason to refuse a row, by the places of columns and keys."""
    wrong = [
        f"case when {_is_wrong(table, batch, column, place[column])}"
        f" then '{column} is not a {kind}' end"
        for column, kind in table.columns.items()
        if kind != "string" and column in batch.column_names
    ]
    missing = [
        f"case when missing_{i} then '{key} is missing' end" for i, key in enumerate(table.key)
    ]
    return wrong + missing


def _is_missing(batch: pa.Table, column: str) -> str:
    if column not in batch.column_names:
        return "true"
    return f"coalesce(trim(cast(\"{column}\" as varchar)), '') = ''"


def _is_wrong(table: RawTable, batch: pa.Table, column: str, place: int) -> str:
    """The SQL of a value that its cast loses or changes."""
    given, cast, kind = f"given_{place}", f"typed_{place}", table.columns[column]
    is_lost = LOST[kind].format(column=given, cast=cast)
    if kind == "bigint" and pa.types.is_integer(batch.schema.field(column).type):
        is_lost = "false"
    return f"({given} is not null and ({cast} is null or {is_lost}))"
