import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import adjusted_rand_score

import warehouse
from ml import clusters
from tests.conftest import Run

GROUPS = {  # the middle of each feature for each planted group, in the order of FEATURES
    "loyal": (10, 40, 4000, 100, 900, 8),
    "new": (15, 2, 60, 30, 40, 2),
    "lapsed": (600, 3, 120, 40, 800, 0),
    "big baskets": (200, 6, 3000, 500, 400, 1),
}
EACH = 60


def buyers(seed: int = 0, each: int = EACH) -> pa.Table:
    """Buyers of four planted kinds, one kind after the other."""
    noise = np.random.default_rng(seed).uniform(
        0.9, 1.1, (each * len(GROUPS), len(clusters.FEATURES))
    )
    values = np.repeat(np.array(list(GROUPS.values()), dtype=float), each, axis=0) * noise
    columns = {name: values[:, place] for place, name in enumerate(clusters.FEATURES)}
    ids = [f"cus_{number:05}" for number in range(len(values))]
    return pa.table({"customer_id": ids, "as_of": ["2026-01-31"] * len(ids), **columns})


def trained(features: pa.Table, previous: clusters.Model | None = None) -> clusters.Model:
    model = clusters.train(features, previous)
    assert model is not None
    return model


@pytest.fixture(scope="module")
def model() -> clusters.Model:
    return trained(buyers())


def test_planted_groups_are_found(model: clusters.Model) -> None:
    found = clusters.labels(model, buyers())
    planted = np.repeat(range(len(GROUPS)), EACH)
    assert adjusted_rand_score(planted, found) >= 0.9


def test_training_twice_gives_the_same_model(model: clusters.Model) -> None:
    assert json.dumps(asdict(trained(buyers()))) == json.dumps(asdict(model))


def test_too_few_buyers_are_no_groups() -> None:
    assert clusters.train(buyers(each=24)) is None


def test_labels_are_unique(model: clusters.Model) -> None:
    assert len(set(model.labels)) == clusters.CLUSTERS


def test_retraining_on_similar_data_keeps_each_customer_in_its_cluster(
    model: clusters.Model,
) -> None:
    again = trained(buyers(seed=1), previous=model)
    assert clusters.labels(again, buyers()) == clusters.labels(model, buyers())


def test_a_label_says_who_stayed_whatever_the_new_centres_suggest(model: clusters.Model) -> None:
    renamed = replace(model, labels=["w", "x", "y", "z"])
    assert trained(buyers(seed=1), previous=renamed).labels == ["w", "x", "y", "z"]


def test_a_new_cluster_does_not_share_the_label_of_an_old_one(model: clusters.Model) -> None:
    shuffled = replace(model, labels=model.labels[1:] + model.labels[:1])
    mixed = pa.concat_tables([buyers(each=30), buyers(seed=1).slice(2 * EACH)])
    assert len(set(trained(mixed, previous=shuffled).labels)) == clusters.CLUSTERS


def test_a_retrained_model_has_the_next_version(model: clusters.Model) -> None:
    assert trained(buyers(), previous=model).version == "2"


@pytest.mark.parametrize("factor", [-1e9, 0.0, 1e9])
def test_values_never_seen_before_get_a_cluster(model: clusters.Model, factor: float) -> None:
    unseen = buyers(each=1)
    for place, name in enumerate(unseen.column_names):
        if name in clusters.FEATURES:
            far = [value * factor for value in unseen[name].to_pylist()]
            unseen = unseen.set_column(place, name, pa.array(far, pa.float64()))
    assert set(clusters.labels(model, unseen)) <= set(model.labels)


def test_non_buyers_have_no_basket_and_no_cluster() -> None:
    features = pa.table(
        {"customer_id": ["b", "a"], "orders": [0, 1], "average_order_amount": [None, 9.5]}
    )
    assert clusters.buyers(features)["customer_id"].to_pylist() == ["a"]


def test_there_is_no_model_before_the_first() -> None:
    assert clusters.load() is None


def test_a_saved_model_loads_as_it_was(model: clusters.Model) -> None:
    clusters.save(model)
    assert clusters.load() == model


@pytest.mark.parametrize("features", [["orders"], list(reversed(clusters.FEATURES))])
def test_a_model_of_other_features_is_not_used(model: clusters.Model, features: list[str]) -> None:
    clusters.save(replace(model, features=features))
    assert clusters.load() is None


def test_a_model_of_another_number_of_clusters_is_not_used(model: clusters.Model) -> None:
    clusters.save(replace(model, centres=model.centres[1:], labels=model.labels[1:]))
    assert clusters.load() is None


@pytest.mark.slow
def test_retraining_says_how_many_buyers_keep_their_cluster(company_copy: Path, cdp: Run) -> None:
    count = clusters.buyers(warehouse.read("marts.customer_features")).num_rows

    told = " ".join(cdp("retrain").stdout.split())

    assert (told[:8], f"{count} of {count} buyers keep their cluster" in told) == ("Model 2:", True)
