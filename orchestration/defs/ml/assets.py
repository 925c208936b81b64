"""What the models say of customers."""

import dagster as dg

import warehouse
from ml import clusters


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
