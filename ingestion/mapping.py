"""Rows of a vendor's answers, as JSON text, made into rows of a raw table by its parts."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from ingestion.rest import BROKEN, IS_ROW
from ingestion.vendors import Part
from warehouse import RawTable, scratch


def mapped_rows(
    table: RawTable, parts: Iterable[Part], instance: str, lines: list[str]
) -> Iterator[pa.Table]:
    """The rows, all text, that the parts make of the lines, and apart what is no JSON object."""
    with scratch(lines=pa.table({"line": pa.array(lines, pa.string())})) as session:
        selects = " union all ".join(_select(table, part, instance) for part in parts)
        yield from (rows for rows in (session.read(selects), session.read(BROKEN)) if rows.num_rows)


def _select(table: RawTable, part: Part, instance: str) -> str:
    """The SQL of one part: the elements of its innermost list, or the rows themselves."""
    elements = (
        "select cast(line as json) as root, root as item, cast(null as json) as holder"
        f" from lines where {IS_ROW}"
    )
    for pointer in part.each:
        elements = (
            f"select root, unnest({_list('item', pointer)}) as item, item as holder"
            f" from ({elements}) as elements"
        )
    columns = ", ".join(
        f'cast({part.columns.get(column, "null")} as varchar) as "{column}"'
        for column in table.columns
        if column != "origin"
    )
    named = f"select *, '{instance}' as instance from ({elements}) as elements"
    return f"select {columns} from ({named}) as elements where {part.where}"


def _list(of: str, pointer: str) -> str:
    """The elements of a list; what should be one and is none stays as one element without fields.

    So it makes a row without a key, which the contract refuses: nothing is dropped in silence.
    """
    kind = f"coalesce(json_type({of}, '{pointer}'), 'NULL')"
    return (
        f"case {kind} when 'ARRAY' then cast(json_extract({of}, '{pointer}') as json[])"
        f" when 'NULL' then cast([] as json[]) else [cast(null as json)] end"
    )
