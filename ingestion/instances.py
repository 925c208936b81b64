"""Instances: systems that are switched on by settings alone.

SOURCES__SHOP_UK__TYPE=shopify makes an instance `shop_uk` of the kind `shop`. Its rows are mapped
to the tables of the kind when they are read, with ids that begin with `shop_uk:`, and are kept in
`raw_shop_uk`, with a pipeline and cursors of its own. The warehouse shows them in `raw_shop` too,
so nothing behind the lake knows of vendors. What is no vendor's, such as a database, says by
SOURCES__SHOP_UK__KIND which kind it feeds.
"""

import json
import os
import re
from dataclasses import dataclass, replace

from dlt.extract.source import DltSource

from ingestion.systems import OF_ANY_KIND, TYPES, System, system
from settings import ForeseenError
from warehouse import File, FilesUnreadableError, RawTable
from warehouse.files import Parsed
from warehouse.lake import lake

SWITCH = re.compile(r"SOURCES__([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)__TYPE")


class InstanceError(ForeseenError):
    """Settings that name no instance we could read."""


class MissingSettingsError(RuntimeError):
    """An instance is switched on, but these of its settings are not given."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


@dataclass(frozen=True)
class Instance:
    """One system, under the name that its settings give it."""

    name: str
    system: System

    @property
    def setting(self) -> str:
        """The setting that switches it on."""
        return self.named("type")

    @property
    def tables(self) -> tuple[RawTable, ...]:
        """Its raw tables: those of the kind that the system fills, with ids as text."""
        return tuple(_own_table(table, self.name) for table in self.system.tables)

    def named(self, setting: str) -> str:
        """The full name of one of its settings."""
        return f"SOURCES__{self.name}__{setting}".upper()

    def open(self) -> DltSource:
        """Its lists, as resources. Raises MissingSettingsError."""
        given = _given(self)
        _remember(self)
        return self.system.open(self.name, self.tables, given)

    def reread(self, table: RawTable, file: File) -> Parsed:
        """The rows of a file that was refused, by the settings of now.

        Raises WrongMappingError and FilesUnreadableError.
        """
        if not self.system.reread:
            raise FilesUnreadableError(f"{self.name} has no files")
        return self.system.reread(self.name, self.tables, _given(self), table.name, file)


def instances() -> list[Instance]:
    """The instances that settings switch on, and those that left rows in the lake before.

    Raises InstanceError when a setting names no system, or a name that is taken.
    """
    remembered = _remembered()
    switched_on = {
        match.group(1).lower(): value.strip().lower()
        for setting, value in os.environ.items()
        if (match := SWITCH.fullmatch(setting)) and value.strip()
    }
    labels = {name: _label(name, of_type) for name, of_type in switched_on.items()}
    for name, label in labels.items():
        if label != remembered.get(name, label):
            raise InstanceError(
                f"SOURCES__{name.upper()}__TYPE makes {name} a {label}, but it has rows of"
                f" {remembered[name]} in the lake. Give the new system another name."
            )
    return [Instance(name, system(label)) for name, label in sorted((remembered | labels).items())]


def _label(name: str, of_type: str) -> str:
    """The vendor, or the type and the kind that it feeds, as the lake remembers it."""
    if of_type not in TYPES:
        raise InstanceError(
            f"SOURCES__{name.upper()}__TYPE is {of_type}, but must be one of {', '.join(TYPES)}."
        )
    if of_type not in OF_ANY_KIND:
        return of_type
    kinds, setting = OF_ANY_KIND[of_type], f"SOURCES__{name.upper()}__KIND"
    only = kinds[0] if len(kinds) == 1 else ""
    kind = os.environ.get(setting, "").strip().lower() or only
    if kind not in kinds:
        raise InstanceError(
            f"{setting} is {kind or 'not given'}, but must be one of {', '.join(kinds)}."
        )
    return f"{of_type} {kind}"


def _remembered() -> dict[str, str]:
    path = lake() / "instances.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _remember(instance: Instance) -> None:
    """Keep what the instance is: switched off, its rows are still ours to show and to erase."""
    remembered = _remembered()
    if instance.name in remembered:
        return
    lake().mkdir(parents=True, exist_ok=True)
    draft = lake() / "instances.draft"
    draft.write_text(json.dumps({**remembered, instance.name: instance.system.label}, indent=1))
    draft.replace(lake() / "instances.json")


def _given(instance: Instance) -> dict[str, str]:
    """Its settings, with the system's defaults. Raises MissingSettingsError."""
    prefix = instance.named("")
    found = {
        name.removeprefix(prefix).lower(): value.strip()
        for name, value in os.environ.items()
        if name.startswith(prefix) and value.strip()
    }
    given = {**instance.system.defaults, **found}
    if missing := [name for name in instance.system.settings if name not in given]:
        raise MissingSettingsError([instance.named(name) for name in missing])
    return given


def _own_table(table: RawTable, name: str) -> RawTable:
    """The kind's table as an instance keeps it: ids are text, as they begin with its name."""
    columns = {
        column: "string" if column.endswith("_id") else kind
        for column, kind in table.columns.items()
    }
    return replace(
        table,
        source=name,
        feeds=table.source,
        columns={"updated_at": "timestamp", **columns},
    )
