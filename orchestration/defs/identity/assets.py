"""Customer ids: the Python step between two dbt runs."""

from collections.abc import Iterator

import dagster as dg

import warehouse
from identity import stable_ids

LARGEST_CUSTOMER = 100  # records; more of them is a shared identifier, not a person
LEDGER = {
    "customer_ids": "One row per customer id ever given out.",
    "record_customers": "One row per record there is, and the last ones of retired ids.",
    "identity_events": "One row per create, merge, split, retire or revive of a customer id.",
}


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key=["identity", table],
            deps=[["identity", "int_identity__clusters"]],
            description=description,
            group_name="identity",
            owners=["team:data"],
            kinds={"python", "duckdb"},
        )
        for table, description in LEDGER.items()
    ],
    pool="warehouse",
)
def customer_ids() -> Iterator[dg.MaterializeResult[None]]:
    """Give every cluster of records its stable customer id."""
    report = stable_ids.refresh()
    for table in LEDGER:
        yield dg.MaterializeResult(
            asset_key=["identity", table],
            metadata={
                "dagster/row_count": warehouse.read(f"identity.{table}").num_rows,
                "customers": report.customers,
                "created": report.created,
                "merged": report.merged,
                "split": report.split,
            },
        )


@dg.asset_check(asset=["identity", "record_customers"], blocking=True, pool="warehouse")
def no_customer_is_a_crowd() -> dg.AssetCheckResult:
    """No audience is built on a customer glued together from strangers."""
    largest = warehouse.read(
        "select coalesce(max(records), 0) as largest from"
        " (select count(*) as records from identity.record_customers group by customer_id)"
    ).to_pylist()[0]["largest"]
    return dg.AssetCheckResult(
        passed=largest <= LARGEST_CUSTOMER, metadata={"records of the largest customer": largest}
    )
