"""What an instance can be: a vendor, or a door that companies of any kind have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from dlt.extract.source import DltSource

from ingestion import connector, databases, own_files, topics
from ingestion.sources import ads, crm, dmp, email, partner, pos, shop, social, support, web
from ingestion.vendors import VENDORS
from warehouse import File, RawTable
from warehouse.files import Parsed

TABLES = {
    "shop": shop.TABLES,
    "crm": crm.TABLES,
    "pos": pos.TABLES,
    "ads": ads.TABLES,
    "email": email.TABLES,
    "support": support.TABLES,
    "social": social.TABLES,
    "dmp": dmp.TABLES,
    "web": web.TABLES,
}
OF_RECORDS = tuple(kind for kind in TABLES if kind != "web")
OF_ANY_KIND = {"database": OF_RECORDS, "files": (*OF_RECORDS, "web"), "kafka": ("web",)}
Tables = tuple[RawTable, ...]
PARTNER = "partner"
TYPES = (*sorted(VENDORS), *OF_ANY_KIND, PARTNER)


@dataclass(frozen=True)
class System:
    """What an instance is: the tables of its kind that it fills, its settings, how it is opened.

    `label` is what the lake remembers: a vendor, or a type and the kind that it feeds. `reread`
    makes the rows of a file that was refused, for a table of that name.
    """

    label: str
    description: str
    tables: tuple[RawTable, ...]
    settings: tuple[str, ...]
    open: Callable[[str, Tables, Mapping[str, str]], DltSource]
    defaults: Mapping[str, str] = field(default_factory=dict)
    reread: Callable[[str, Tables, Mapping[str, str], str, File], Parsed] | None = None


def system(label: str) -> System:
    """The system of a label."""
    of_type, _, kind = label.partition(" ")
    if of_type in VENDORS:
        return _of_vendor(of_type)
    if of_type == PARTNER:
        what = "Members that one more partner shares under a licence"
        return System(label, what, partner.TABLES, ("bucket_url",), partner.opened)
    return _of_any_kind(of_type, kind)


def _of_any_kind(of_type: str, kind: str) -> System:
    label, tables = f"{of_type} {kind}", TABLES[kind]
    if of_type == "kafka":
        return System(label, "Events in Kafka topics", tables, ("brokers", "topics"), topics.opened)
    if of_type == "files":
        what = f"Files that feed the kind {kind}"
        return System(
            label, what, tables, ("bucket_url",), own_files.opened, reread=own_files.reread
        )
    what = f"Tables of a SQL database that feed the kind {kind}"
    return System(label, what, tables, ("credentials",), databases.opened, databases.DEFAULTS)


def _of_vendor(name: str) -> System:
    vendor = VENDORS[name]
    filled = {endpoint.table.name: endpoint.table for endpoint in vendor.endpoints}
    return System(
        label=name,
        description=vendor.description,
        tables=tuple(filled.values()),
        settings=vendor.settings,
        open=partial(connector.opened, vendor),
        defaults={"since": "", **vendor.defaults},
    )
