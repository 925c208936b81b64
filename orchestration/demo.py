"""The demo: a real shop's ledger, a simulated company around it, and what a refresh made of it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table

import settings
import warehouse
from simulation.company import make_company
from simulation.server import serving

FACTS = {
    "people known": "select count(*) from customer_360.customer_360 where not is_anonymous",
    "anonymous visitors": "select count(*) from customer_360.customer_360 where is_anonymous",
    "records merged into them": "select count(*) from identity.identity_map",
    "orders and receipts": "select count(*) from marts.fct_orders",
    "web events": "select count(*) from marts.fct_events",
    "audiences": "select count(distinct audience) from audiences.audience_members",
    "members delivered": (
        "select count(*) from activation.deliveries"
        " where state = 'delivered' and operation <> 'remove'"
    ),
    "rows in quarantine": "select count(*) from staging.stg_ingestion__quarantine",
}
LAST_DAY = "2011-12-09"  # of the ledger; by the calendar every licence of the demo has ended
QUESTION = "select rfm_segment, count(*) as people from customer_360.customer_360 group by all"


def prepare(people: int | None) -> None:
    """Make the company's systems under CDP_HOME and point the sources at them."""
    home = settings.home()
    make_company(home, people=people)
    folders = {"PARTNER": home / "company" / "partner", "DMP": home / "inbox" / "dmp"}
    drops = [f"SOURCES__{n}__BUCKET_URL=file://{p}\n" for n, p in folders.items() if p.is_dir()]
    (home / "demo.env").write_text(
        "# Written by `cdp demo`; delete this file to use your own systems.\n"
        f"SOURCES__SHOP__BUCKET_URL=file://{home}/company/shop\n"
        f"SOURCES__CRM__CREDENTIALS=sqlite:///{home}/company/crm.sqlite\n"
        f"SOURCES__POS__BUCKET_URL=file://{home}/inbox/pos\n"
        f"SOURCES__WEB__BUCKET_URL=file://{home}/inbox/web\n"
        f"{''.join(drops)}"
        f"DESTINATIONS__WEBHOOK__URL=file://{home}/delivered/webhook\n"
        f"CDP_TODAY={LAST_DAY}\n"
    )
    settings.prepare()


@contextmanager
def apis() -> Iterator[None]:
    """In a demo's home, the REST APIs of its company answer while the block runs.

    The settings of their sources stand in the environment for as long, unless they are given.
    """
    rest = settings.home() / "company" / "rest"
    if not rest.is_dir() or not (settings.home() / "demo.env").exists():
        yield
        return
    key = secrets.token_hex(16)
    with serving(rest, key) as url:
        ours = _settings_of(rest, url, key)
        os.environ.update(ours)
        try:
            yield
        finally:
            for name in ours:
                del os.environ[name]


def _settings_of(rest: Path, url: str, key: str) -> dict[str, str]:
    names = {p.name: f"SOURCES__{p.name.upper()}__" for p in rest.iterdir() if p.is_dir()}
    off = {name: prefix for name, prefix in names.items() if f"{prefix}BASE_URL" not in os.environ}
    urls = {f"{prefix}BASE_URL": f"{url}/{name}" for name, prefix in off.items()}
    return urls | {f"{prefix}API_KEY": key for prefix in off.values()}


def summary() -> RenderableType:
    """What the refresh made, and where to look further."""
    table = Table("This refresh made", "", show_header=True)
    with warehouse.transaction() as session:
        for name, query in FACTS.items():
            table.add_row(name, f"{session.number(query):,}")
    return Group(
        table,
        "\nLook further:",
        "  make dev     the Dagster UI: every asset, check and run",
        "  make docs    the dbt docs: every table, column and lineage",
        f'  .venv/bin/cdp sql "{QUESTION}"',
    )
