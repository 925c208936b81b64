"""Rows of vendors on their way through staging to identity: nothing behind the lake knows them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import warehouse
from ingestion.pipeline import load
from ingestion.registry import tables
from tests.ingestion.vendor_doubles import Double, double, settings_of
from tests.marts.conftest import Models

ANN = "ann.wood@example.com"
INSTANCES = {
    "shop_uk": "shopify",
    "shop_de": "shopify",
    "hub": "hubspot",
    "mail": "klaviyo",
    "desk": "zendesk",
}


@pytest.fixture()
def doubles(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Double]]:
    """Five systems that are switched on."""
    with ExitStack() as stack:
        made = {name: stack.enter_context(double(vendor)) for name, vendor in INSTANCES.items()}
        for name, each in made.items():
            for setting, value in settings_of(each, name).items():
                monkeypatch.setenv(setting, value)
        yield made


@pytest.mark.slow  # dbt builds a dozen models
def test_a_person_of_five_systems_is_five_records_of_one_shape(
    doubles: dict[str, Double], models: Models
) -> None:
    doubles["shop_uk"].lists["customers"][0]["email"] = ANN
    doubles["shop_de"].lists["customers"][0]["email"] = ANN.upper()
    doubles["hub"].lists["contacts"][0]["properties"]["email"] = ANN
    doubles["mail"].lists["profiles"][0]["attributes"]["email"] = ANN
    doubles["desk"].lists["users"][1]["email"] = ANN
    for name in INSTANCES:
        load(name)
    warehouse.register_lake(tables())
    models("+int_identity__named_records", "stg_shop__order_lines")

    found = warehouse.read(
        "select source, record_key from identity.int_identity__named_records where email = ?"
        " order by record_key",
        [ANN],
    )
    assert [(row["source"], row["record_key"].rpartition(":")[0]) for row in found.to_pylist()] == [
        ("crm", "crm:contact:hub"),
        ("email", "email:profile:mail"),
        ("shop", "shop:account:shop_de"),
        ("shop", "shop:account:shop_uk"),
        ("support", "support:user:desk"),
    ]
    lines = warehouse.read("select is_cancellation from staging.stg_shop__order_lines")
    assert lines.column("is_cancellation").to_pylist().count(True) == 4  # two refunds of each shop
