"""What the models say of customers."""

import dagster as dg

import warehouse
from ml import attribution, cluster_history, clusters


@dg.asset(
    key=["ml", "cluster_changes"],
    deps=[["marts", name] for name in ("as_of", "buyer_days", "customer_features")],
    group_name="ml",
    owners=["team:data"],
    kinds={"scikitlearn", "duckdb"},
    pool="warehouse",
)
def cluster_changes() -> dg.MaterializeResult[None]:
    """One row per buyer and day on which their cluster of customers who buy alike changed."""
    features = clusters.buyers(warehouse.read("marts.customer_features"))
    model = clusters.load()
    if model is None and (model := clusters.train(features)):
        clusters.save(model)
    as_of = warehouse.read("marts.as_of")["as_of"][0].as_py()
    changes = cluster_history.changes(model, warehouse.read("marts.buyer_days"), as_of)
    warehouse.replace("ml.cluster_changes", changes)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": changes.num_rows,
            "labels": ", ".join(model.labels) if model else "too few buyers to form clusters",
        }
    )


@dg.asset(
    key=["ml", "channel_credits"],
    deps=[["marts", "channel_transitions"]],
    group_name="ml",
    owners=["team:data"],
    kinds={"python", "duckdb"},
    pool="warehouse",
)
def channel_credits() -> dg.MaterializeResult[None]:
    """One row per marketing channel, with the share of orders that would be lost without it."""
    credits = attribution.channel_credits(warehouse.read("marts.channel_transitions"))
    warehouse.replace("ml.channel_credits", credits)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": credits.num_rows,
            "removal_effects": ", ".join(
                f"{row['marketing_channel']} {row['removal_effect']:.0%}"
                for row in credits.to_pylist()
            ),
        }
    )
