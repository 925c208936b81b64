"""Data goes one way, public things are described, and personal ones are tagged."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import settings
import warehouse
from orchestration.parsing import parsed_manifest
from serving.publish import selections
from warehouse import Catalog, Model

LAYERS = ["staging", "identity", "profiles", "marts", "customer_360", "audiences"]
KEY_TESTS = {"unique", "unique_combination"}
TOTALS = {"same_total", "attribution_pays_out_every_order"}
# Rules of products, the latest of many decisions, what records disagree about and what was believed
# have nothing to add up to. What identity hands on is compared with its ledger by checks of Python.
WITHOUT_TOTAL = {
    *("product_pairs", "product_sequences", "customer_consents"),
    *("profile_conflicts", "profile_history"),
}
WITHOUT_KEY = {"identity_events"}  # a ledger of what happened, which may happen twice in a refresh
PERSONAL_NAMES = {
    "anonymous_id": "device",
    "birth_date": "birth_date",
    "city": "address",
    "email": "email",
    "first_name": "name",
    "gender": "gender",
    "job_title": "occupation",
    "identifier_value": "identifier",
    "last_name": "name",
    "phone": "phone",
    "postcode": "address",
    "record_key": "pseudonym",
    "street": "address",
}


@pytest.fixture(scope="module")
def catalog() -> Iterator[Catalog]:
    """The project as dbt reads it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDP_HOME", str(settings.PROJECT / "data" / "tests"))
        patch.setenv("DBT_TARGET_PATH", str(settings.PROJECT / "data" / "tests" / "target"))
        parsed_manifest()
        yield warehouse.catalog()


def _named(columns: list[tuple[Model, str]]) -> list[str]:
    return [f"{model.name}.{column}" for model, column in columns]


def test_models_only_read_layers_to_their_left(catalog: Catalog) -> None:
    backward = [
        f"{parent} -> {model.name}"
        for model in catalog.models.values()
        for parent in (name.split(".")[-1] for name in model.parents if name.startswith("model."))
        if LAYERS.index(catalog.models[parent].layer) > LAYERS.index(model.layer)
    ]
    assert backward == []


def test_only_staging_reads_raw_tables(catalog: Catalog) -> None:
    readers = [
        model.name
        for model in catalog.models.values()
        if model.layer != "staging" and any(".raw_" in parent for parent in model.parents)
    ]
    assert readers == []


def test_private_models_are_read_in_their_own_folder_only(catalog: Catalog) -> None:
    """Profiles are the exception: they are made of the records that identity has laid out."""
    trespassing = [
        f"{parent} -> {model.name}"
        for model in catalog.models.values()
        for parent in (name.split(".")[-1] for name in model.parents if ".int_" in name)
        if model.layer not in (catalog.models[parent].layer, "profiles")
    ]
    assert trespassing == []


def test_every_model_states_its_grain(catalog: Catalog) -> None:
    vague = [m.name for m in catalog.models.values() if not m.description.startswith("One row")]
    assert vague == []


def test_every_public_column_is_described(catalog: Catalog) -> None:
    silent = [
        (model, column.name)
        for model in catalog.public()
        for column in model.columns
        if not column.description
    ]
    assert _named(silent) == []


def test_every_public_column_of_personal_data_is_tagged(catalog: Catalog) -> None:
    untagged = [
        (model, column.name)
        for model in catalog.public()
        for column in model.columns
        if column.name in PERSONAL_NAMES and column.pii != PERSONAL_NAMES[column.name]
    ]
    assert _named(untagged) == []


def test_every_public_model_has_an_enforced_contract() -> None:
    nodes = json.loads((settings.PROJECT / "data/tests/target/manifest.json").read_text())["nodes"]
    free = [
        node["name"]
        for node in nodes.values()
        if node.get("access") == "public" and not node["config"]["contract"]["enforced"]
    ]
    assert free == []


def test_every_audience_ends_in_the_consent_filter(catalog: Catalog) -> None:
    folder = Path(settings.DBT_PROJECT) / "models" / "audiences"
    open_ended = [
        path.name for path in folder.glob("aud_*.sql") if "with_consent(" not in path.read_text()
    ]
    assert open_ended == []


def test_every_audience_is_among_the_members(catalog: Catalog) -> None:
    parents = {name.split(".")[-1] for name in catalog.models["audience_members"].parents}
    audiences = {name for name in catalog.models if name.startswith("aud_")}
    assert audiences == parents


def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(
        (settings.PROJECT / "data/tests/target/manifest.json").read_text()
    )
    return manifest


def _tests(manifest: dict[str, Any]) -> dict[str, set[str]]:
    """The names of the data tests of every model, its columns' included."""
    found: dict[str, set[str]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node["attached_node"]:
            name = node["attached_node"].split(".")[-1]
            found.setdefault(name, set()).add(node["test_metadata"]["name"])
    return found


def test_every_public_model_has_an_owner(catalog: Catalog) -> None:
    assert [model.name for model in catalog.public() if not model.meta.get("owner")] == []


def test_every_public_model_has_a_test_of_its_key(catalog: Catalog) -> None:
    tests = _tests(_manifest())
    public = {model.name for model in catalog.public()} - WITHOUT_KEY
    assert [name for name in sorted(public) if not tests.get(name, set()) & KEY_TESTS] == []


def test_every_public_model_adds_up_to_something_to_its_left(catalog: Catalog) -> None:
    tests = _tests(_manifest())
    certified = {"identity_map", "customers"}
    public = {m.name for m in catalog.public() if m.layer != "identity" or m.name in certified}
    assert [
        name for name in sorted(public - WITHOUT_TOTAL) if not tests.get(name, set()) & TOTALS
    ] == []


def test_a_column_with_a_doc_block_of_its_name_is_described_by_it(catalog: Catalog) -> None:
    """But for words that mean something else elsewhere: a ticket's channel is no order's."""
    blocks = {
        name.split(".")[-1]: block["block_contents"]
        for name, block in _manifest()["docs"].items()
        if name.startswith("doc.cdp.")
    }
    shared = set(blocks) - {"channel", "rules_version", "source"}
    astray = [
        (model, column.name)
        for model in catalog.public()
        for column in model.columns
        if column.name in shared and not column.description.startswith(blocks[column.name])
    ]
    assert _named(astray) == []


def test_what_is_read_outside_is_an_exposure(catalog: Catalog) -> None:
    exposed = {
        node.split(".")[-1]
        for exposure in _manifest()["exposures"].values()
        for node in exposure["depends_on"]["nodes"]
    }
    asked = set(re.findall(r"\b(?:from|join) \w+\.(\w+)", _questions()))
    assert (asked - exposed, "audience_members" in exposed) == (set(), True)


def test_who_reads_the_copy_for_everyone_is_told_of_each_of_its_tables(catalog: Catalog) -> None:
    [reader] = [each for each in _manifest()["exposures"].values() if each["name"] == "insights"]
    read = {node.split(".")[-1] for node in reader["depends_on"]["nodes"]}
    assert read == {name.split(".")[1] for name in selections(catalog, "insights")} - {"about"}


def _questions() -> str:
    return (settings.PROJECT / "docs" / "questions.md").read_text()
