"""Tables and files of a company's own, mapped to ours by settings.

SOURCES__<NAME>__<TABLE>            their table, or the pattern of their files
SOURCES__<NAME>__<TABLE>__<COLUMN>  their column, or a 'value' in quotes for every row

A column that no setting names is read from one of the same name, where there is one. Ids begin with
the name of the instance, so no two systems share a key.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import dlt
import pyarrow as pa
from dlt.extract.resource import DltResource
from dlt.extract.source import DltSource

from ingestion.contracts import REFUSED_FOR
from warehouse import RawTable, reading

SHARED_IDS = {"ad_id", "line_id", "order_id"}  # not keys of ours, or those of another system
OWN = "'{instance}:' || nullif(trim(cast({column} as varchar)), '')"
GIVEN_BACK = "case when try_cast(quantity as double) < 0 then 'C' else '' end"  # as ledgers say it


class WrongMappingError(LookupError):
    """A setting names a table or column that is not there, or one that must be named is not."""


@dataclass(frozen=True)
class Mapped:
    """One table of theirs: which of ours it fills, where it is, and the columns that are named."""

    instance: str
    table: RawTable
    place: str
    columns: Mapping[str, str]

    def named(self, column: str) -> str:
        """The full name of the setting of a column."""
        return f"SOURCES__{self.instance}__{self.table.name}__{column}".upper()

    @property
    def optional(self) -> set[str]:
        """Their columns that settings name and that fill no key."""
        named = {theirs for ours, theirs in self.columns.items() if ours not in self.table.key}
        return {name for name in named if not _is_value(name)}

    def theirs(self, found: Iterable[str], needed: Iterable[str] = ()) -> dict[str, str]:
        """Our columns that can be filled from the found ones, each with theirs or its 'value'.

        Raises WrongMappingError, naming the setting, when one is not there, or not even named.
        """
        there = set(found)
        chosen = {}
        for column in (name for name in self.table.columns if name != "origin"):
            wanted = self.columns.get(column, column)
            if wanted in there or _is_value(wanted):
                chosen[column] = wanted
            elif column in self.columns:
                raise WrongMappingError(
                    f"{self.place} has no column {wanted}, which {self.named(column)} names"
                )
        for column in (*self.table.key, *needed):
            if column not in chosen:
                raise WrongMappingError(
                    f"{self.place} has no column {column}: {self.named(column)} must name it"
                )
        return chosen

    def rows(self, given: pa.Table, chosen: Mapping[str, str]) -> pa.Table:
        """Rows of theirs as rows of ours, only with the chosen columns, ids made our own.

        Where they came from, and why they are refused, stays with them.
        """
        columns = {
            column: pa.repeat(wanted[1:-1], given.num_rows)
            if _is_value(wanted)
            else given.column(wanted)
            for column, wanted in chosen.items()
        }
        ours = [name for name in ("origin", REFUSED_FOR) if name in given.column_names]
        columns |= {name: given.column(name) for name in ours}
        with reading(rows=pa.table(columns)) as session:
            return session.read(
                f"select {', '.join(self._own(name) for name in columns)} from rows"
            )

    def _own(self, column: str) -> str:
        if not _is_own_id(self.table, column):
            return f'"{column}"'
        own = OWN.format(instance=self.instance, column=f'"{column}"')
        if (column, "quantity" in self.table.columns) == ("invoice", True):
            own = f"{GIVEN_BACK} || {own}"
        return f'{own} as "{column}"'


def _is_own_id(table: RawTable, column: str) -> bool:
    """Whether a column holds keys of one system, which another may use for something else."""
    if column in SHARED_IDS or (column == "campaign_id" and table.feeds == "ads"):
        return False
    return column == "invoice" or column.endswith("_id")


def mapped_tables(
    instance: str, tables: Iterable[RawTable], given: Mapping[str, str], others: Iterable[str]
) -> Iterator[Mapped]:
    """The tables that settings name. Raises WrongMappingError for a setting that means nothing."""
    known, tables = {*others}, list(tables)
    for table in tables:
        prefix = f"{table.name}__"
        columns = {column: given.get(prefix + column, "") for column in table.columns}
        known |= {table.name, *(prefix + column for column in columns)}
        if place := given.get(table.name, ""):
            named = {column: theirs for column, theirs in columns.items() if theirs}
            yield Mapped(instance, table, place, named)
    if unknown := sorted(given.keys() - known):
        names = ", ".join([*others, *(table.name for table in tables)]).upper()
        raise WrongMappingError(
            f"it has no setting {unknown[0].upper()}; there are {names}, and of a column"
            " <TABLE>__<COLUMN>, by our names of both"
        )


def resources(
    instance: str,
    mapped: Iterable[Mapped],
    rows: Callable[[Mapped, Mapping[str, str]], Iterator[object]],
    given: Mapping[str, str],
) -> DltSource:
    """A resource for each mapped table, which appends what `rows` reads of it."""

    @dlt.source(name=instance)
    def made() -> Iterator[DltResource]:
        for each in mapped:
            yield dlt.resource(rows, name=each.table.name, write_disposition="append")(each, given)

    return made()


def nothing_named(instance: str, tables: Iterable[RawTable]) -> WrongMappingError:
    """The error of an instance of which no table is named."""
    names = ", ".join(f"SOURCES__{instance}__{table.name}".upper() for table in tables)
    return WrongMappingError(f"no table of it is named: give one of {names}")


def _is_value(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] == "'"
