"""How right all of it is, where there is a truth to compare with."""

import base64

import dagster as dg

import warehouse
from scorecard import report, truth
from scorecard.plot import plot
from scorecard.score import TABLE, score


@dg.asset(
    key=["scores", "scores"],
    deps=[
        ["identity", "identity_map"],
        ["profiles", "customer_profiles"],
        ["marts", "fct_events"],
        ["marts", "fct_orders"],
        ["marts", "fct_touchpoints"],
        ["marts", "fct_email_engagement"],
        ["marts", "dim_campaigns"],
        ["marts", "product_sequences"],
        ["marts", "attribution"],
        ["audiences", "audience_members"],
        ["activation", "deliveries"],
    ],
    group_name="scorecard",
    owners=["team:data"],
    kinds={"python", "duckdb"},
    pool="warehouse",
)
def scores() -> dg.MaterializeResult[None]:
    """One row per score and figure; none is added where there is no truth."""
    if not truth.exists():
        return dg.MaterializeResult(metadata={"skipped": "no truth of this version is in CDP_HOME"})
    card = score()
    trend = base64.b64encode(plot(warehouse.read(TABLE))).decode()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(card.rows),
            "must be 0 and is not": ", ".join(report.broken(card.rows)) or "nothing",
            "trend": dg.MetadataValue.md(f"![trend](data:image/png;base64,{trend})"),
        }
    )
