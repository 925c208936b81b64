"""The demo: a real shop's ledger, a simulated company around it, and what a refresh made of it."""

from rich.console import Group, RenderableType
from rich.table import Table

import settings
import warehouse
from simulation.company import make_company

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
QUESTION = "select rfm_segment, count(*) as people from customer_360.customer_360 group by all"


def prepare(customers: int | None) -> None:
    """Make the company's systems under CDP_HOME and point the sources at them."""
    home = settings.home()
    make_company(home, customers=customers)
    (home / "demo.env").write_text(
        "# Written by `cdp demo`; delete this file to use your own systems.\n"
        f"SOURCES__SHOP__BUCKET_URL=file://{home}/company/shop\n"
        f"SOURCES__CRM__CREDENTIALS=sqlite:///{home}/company/crm.sqlite\n"
        f"SOURCES__POS__BUCKET_URL=file://{home}/inbox/pos\n"
        f"SOURCES__WEB__BUCKET_URL=file://{home}/inbox/web\n"
        f"DESTINATIONS__WEBHOOK__URL=file://{home}/delivered/webhook\n"
    )
    settings.prepare()


def summary() -> RenderableType:
    """What the refresh made, and where to look further."""
    table = Table("This refresh made", "", show_header=True)
    with warehouse.transaction() as session:
        for name, query in FACTS.items():
            table.add_row(name, f"{session.read(query).column(0)[0].as_py():,}")
    return Group(
        table,
        "\nLook further:",
        "  make dev     the Dagster UI: every asset, check and run",
        "  make docs    the dbt docs: every table, column and lineage",
        f'  .venv/bin/cdp sql "{QUESTION}"',
    )
