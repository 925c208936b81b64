"""The truth of a simulated company, as tables that queries of a session can see."""

from pathlib import Path

import pyarrow.parquet as pq

import settings
from settings import ForeseenError
from simulation.truth import SCHEMAS
from warehouse import Session

SCORED = (
    *("people", "records", "events", "orders", "consents"),
    *("sequences", "channel_effects", "campaign_effects"),
)
# Staging folds the keys of records: they differ in no more than case.
RECORDS = "select * replace (lower(record_key) as record_key) from truth_records"
# The order's id as the marts write it.
ORDERS = """
select *, case source when 'pos' then 'store:' else 'shop:' end || order_id as mart_order_id
from truth_orders
"""


class NoTruthError(ForeseenError):
    """This home holds real data, or a company that was made without its truth."""


def folder() -> Path:
    """Where the simulation writes it."""
    return settings.home() / "truth"


def exists() -> bool:
    """Whether there is a whole truth to score against, in the form of today."""
    return all(
        (path := folder() / f"{name}.parquet").exists()
        and {*SCHEMAS[name].names} <= {*pq.read_schema(path).names}
        for name in SCORED
    )


def register(session: Session) -> None:
    """Let the session see `truth_people`, `truth_records` and the others; raises NoTruthError."""
    if not exists():
        raise NoTruthError(
            "There is no truth under CDP_HOME to score against, or an older version wrote it."
            " `cdp demo` in a new CDP_HOME makes a company with one; `cdp score --dataset"
            " mapping.yml` scores a table of yours with known answers."
        )
    for name in SCORED:
        columns = SCHEMAS[name].names
        rows = pq.read_table(folder() / f"{name}.parquet", columns=columns)
        session.register(f"truth_{name}", rows)
    session.register("truth_records", session.read(RECORDS))
    session.register("true_orders", session.read(ORDERS))
