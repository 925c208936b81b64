"""Which sources there are, and which of them are switched on by settings."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from dlt.extract.source import DltSource

from ingestion.instances import Instance, InstanceError, instances
from ingestion.refused_files import Content, parsed_parquet
from ingestion.sources import ads, crm, dmp, email, partner, pos, shop, social, support, web
from ingestion.whole_files import parsed_csv
from warehouse import RawTable
from warehouse.files import Parsed
from warehouse.lake import books_of, quarantine_of, replays_of, violations_of


def _reread(table: RawTable, file: Content) -> Parsed:
    return parsed_parquet(file) if file.path else parsed_csv(table, file)


@dataclass(frozen=True)
class Source:
    """A system we read: its tables, and the setting that switches it on.

    `checked` names what to look at when it cannot be read, where that is more than the setting.
    `reread` makes the rows of a file of it that was refused.
    """

    name: str
    description: str
    party: Literal["first", "second", "third"]
    setting: str
    tables: tuple[RawTable, ...]
    open: Callable[[], DltSource]
    checked: str = ""
    reread: Callable[[RawTable, Content], Parsed] = _reread

    @property
    def is_on(self) -> bool:
        """Whether its setting is given."""
        return bool(os.environ.get(self.setting))


SOURCES = {
    source.name: source
    for source in (
        Source(
            name="shop",
            description="Orders, accounts and guests of the web shop, exported as parquet files",
            party="first",
            setting="SOURCES__SHOP__BUCKET_URL",
            tables=shop.TABLES,
            open=shop.shop,
        ),
        Source(
            name="crm",
            description="Contacts and consents of the CRM, read from its database",
            party="first",
            setting="SOURCES__CRM__CREDENTIALS",
            tables=crm.TABLES,
            open=crm.crm,
        ),
        Source(
            name="pos",
            description="Store receipts, dropped as one CSV file a day",
            party="first",
            setting="SOURCES__POS__BUCKET_URL",
            tables=pos.TABLES,
            open=pos.pos,
        ),
        Source(
            name="web",
            description="Web and app events, as closed log segments of Segment-shaped JSON lines",
            party="first",
            setting="SOURCES__WEB__BUCKET_URL",
            tables=web.TABLES,
            open=web.web,
        ),
        Source(
            name="ads",
            description="Campaigns and daily results of ad platforms, read from their REST API",
            party="first",
            setting="SOURCES__ADS__BASE_URL",
            tables=ads.TABLES,
            open=ads.ads,
        ),
        Source(
            name="email",
            description="Profiles, campaigns and events of the e-mail tool, read from its REST API",
            party="first",
            setting="SOURCES__EMAIL__BASE_URL",
            tables=email.TABLES,
            open=email.email,
        ),
        Source(
            name="support",
            description="Users and tickets of the help desk, read from its REST API",
            party="first",
            setting="SOURCES__SUPPORT__BASE_URL",
            tables=support.TABLES,
            open=support.support,
        ),
        Source(
            name="social",
            description="Profiles and interactions on social networks, read from a REST API",
            party="first",
            setting="SOURCES__SOCIAL__BASE_URL",
            tables=social.TABLES,
            open=social.social,
        ),
        Source(
            name="partner",
            description="Members a partner shares under a licence, as revisions with a manifest",
            party="second",
            setting="SOURCES__PARTNER__BUCKET_URL",
            tables=partner.TABLES,
            open=partner.partner,
        ),
        Source(
            name="dmp",
            description="Anonymous segments of a data platform, dropped as one CSV file a day",
            party="third",
            setting="SOURCES__DMP__BUCKET_URL",
            tables=dmp.TABLES,
            open=dmp.dmp,
        ),
    )
}


def sources() -> dict[str, Source]:
    """Every source by name: ours, and the instances that settings or the lake know.

    Raises InstanceError when a setting names no system, or a name that is taken.
    """
    found = {instance.name: _source(instance) for instance in instances()}
    if taken := sorted(found.keys() & SOURCES.keys()):
        raise InstanceError(
            f"{found[taken[0]].setting}: {taken[0]} is the name of a kind of source. Give this"
            f" system a name of its own, such as SOURCES__{taken[0].upper()}_1__TYPE."
        )
    return SOURCES | found


def _source(instance: Instance) -> Source:
    return Source(
        name=instance.name,
        description=instance.system.description,
        party=SOURCES[instance.tables[0].feeds].party,
        setting=instance.setting,
        tables=instance.tables,
        open=instance.open,
        checked=instance.named("*"),
        reread=instance.reread,
    )


def tables() -> list[RawTable]:
    """Every raw table of every source, switched on or not, with quarantine, books and replays."""
    known = sources()
    declared = [table for source in known.values() for table in source.tables]
    ours = (quarantine_of, books_of, replays_of, violations_of)
    return declared + [
        replace(table_of(source.name), feeds=source.tables[0].feeds)
        for source in known.values()
        for table_of in ours
    ]
