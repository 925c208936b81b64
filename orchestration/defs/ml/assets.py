"""What the models say of customers."""

import dagster as dg

import warehouse
from ml import attribution, clusters


@dg.asset(
    key=["ml", "customer_clusters"],
    deps=[["marts", "customer_features"]],
    group_name="ml",
    owners=["team:data"],
    kinds={"scikitlearn", "duckdb"},
    pool="warehouse",
)
def customer_clusters() -> dg.MaterializeResult[None]:
    """One row per buyer, with the cluster of customers who buy alike."""
    features = clusters.buyers(warehouse.read("marts.customer_features"))
    model = clusters.load()
    if model is None and (model := clusters.train(features)):
        clusters.save(model)
    assigned = clusters.assign(model, features)
    warehouse.replace("ml.customer_clusters", assigned)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": assigned.num_rows,
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
