"""Instances: systems of a vendor that are switched on by settings alone.

SOURCES__SHOP_UK__TYPE=shopify makes an instance `shop_uk` of the kind `shop`. Its rows are mapped
to the tables of the kind when they are read, with ids that begin with `shop_uk:`, and are kept in
`raw_shop_uk`, with a pipeline and cursors of its own. The warehouse shows them in `raw_shop` too,
so nothing behind the lake knows of vendors.
"""

import json
import os
import re
from dataclasses import dataclass, replace

from dlt.extract.source import DltSource

from ingestion.connector import opened
from ingestion.vendors import VENDORS, Vendor
from settings import ForeseenError
from warehouse import RawTable
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
    """One system of a vendor, under the name that its settings give it."""

    name: str
    vendor: Vendor

    @property
    def setting(self) -> str:
        """The setting that switches it on."""
        return self.named("type")

    @property
    def tables(self) -> tuple[RawTable, ...]:
        """Its raw tables: those of the kind that the vendor fills, with ids as text."""
        kinds = {endpoint.table.name: endpoint.table for endpoint in self.vendor.endpoints}
        return tuple(_own_table(table, self.name) for table in kinds.values())

    def named(self, setting: str) -> str:
        """The full name of one of its settings."""
        return f"SOURCES__{self.name}__{setting}".upper()

    def open(self) -> DltSource:
        """Its lists, as resources. Raises MissingSettingsError."""
        given = _given(self)
        _remember(self)
        return opened(self.name, self.vendor, self.tables, given)


def instances() -> list[Instance]:
    """The instances that settings switch on, and those that left rows in the lake before.

    Raises InstanceError when a setting names no vendor, or a name that is taken.
    """
    remembered = _remembered()
    switched_on = {
        match.group(1).lower(): value.strip().lower()
        for setting, value in os.environ.items()
        if (match := SWITCH.fullmatch(setting)) and value.strip()
    }
    for name, kind in switched_on.items():
        _check(name, kind, remembered.get(name, kind))
    return [
        Instance(name, VENDORS[kind]) for name, kind in sorted((remembered | switched_on).items())
    ]


def _check(name: str, kind: str, before: str) -> None:
    setting = f"SOURCES__{name.upper()}__TYPE"
    if kind not in VENDORS:
        raise InstanceError(
            f"{setting} is {kind}, but must be one of {', '.join(sorted(VENDORS))}."
        )
    if kind != before:
        raise InstanceError(
            f"{setting} is {kind}, but {name} has rows of {before} in the lake."
            " Give the new system another name."
        )


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
    draft.write_text(json.dumps({**remembered, instance.name: instance.vendor.name}, indent=1))
    draft.replace(lake() / "instances.json")


def _given(instance: Instance) -> dict[str, str]:
    """Its settings, with the vendor's defaults. Raises MissingSettingsError."""
    defaults = {"since": "", **instance.vendor.defaults}
    names = {*instance.vendor.settings, *defaults}
    given = {name: os.environ.get(instance.named(name), "").strip() for name in names}
    missing = [n for n in instance.vendor.settings if not given[n] and n not in defaults]
    if missing:
        raise MissingSettingsError([instance.named(name) for name in missing])
    return {name: value or defaults.get(name, "") for name, value in given.items()}


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
