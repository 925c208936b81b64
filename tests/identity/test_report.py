"""What the report says about customers."""

from typing import Any

import pytest

from identity import linking, retraining
from identity.likely.model import ModelUnreadableError
from identity.refresh import refresh
from identity.report import Report, page, report, report_in
from tests.identity.test_retraining import company as many_people
from tests.identity.test_retraining import store
from tests.identity.world import World

TYPES_OF_THE_SEED = """
create schema rules;
create table rules.identifier_types as
select identifier_type, type_no as priority, max_values_per_customer from identifier_types
"""


@pytest.fixture()
def world(world: World) -> World:
    """Ann three times by her mailbox, and Robert who shares it."""
    for key in ("crm:contact:1", "web:user:1", "web:user:2"):
        world.add(key, "Ann Lee", email="home@x")
    world.add("web:user:3", "Robert Lee", email="home@x")
    return world


def reported(world: World) -> Report:
    """The report after a refresh."""
    world.refresh()
    world.session.run(TYPES_OF_THE_SEED.strip())
    return report_in(world.session, "world_identifiers")


def rows(table: Any, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of a table of the report."""
    return [tuple(row[column] for column in columns) for row in table.to_pylist()]


def test_customers_are_counted_by_their_records(world: World) -> None:
    assert rows(reported(world).sizes, "records", "customers") == [(1, 1), (3, 1)]


def test_the_largest_customer_is_told_with_what_holds_it_least(world: World) -> None:
    assert rows(reported(world).largest, "records", "sources", "weakest_bits") == [
        (3, 2, 10.0),
        (1, 1, None),
    ]


def test_a_value_that_several_customers_share_is_counted(world: World) -> None:
    assert rows(reported(world).shared, "known_values", "of_several_customers") == [(1, 1)]


def test_a_value_that_a_person_blocked_is_counted_as_blocked(world: World) -> None:
    world.decide("block", "email", "home@x")
    found = reported(world)
    assert rows(found.shared, "blocked") == [(1,)]
    assert rows(found.most_shared, "customers", "blocked_reason") == [(4, "by a person")]


def test_two_records_of_one_source_and_customer_are_duplicates(world: World) -> None:
    assert rows(reported(world).sources, "source", "duplicate_rate") == [
        ("crm contact", 0.0),
        ("web user", 0.3333),
    ]


def test_a_limit_that_a_person_overrode_is_excused_and_one_that_broke_is_not(world: World) -> None:
    world.identify("web:user:1", "user_id", "1")
    world.identify("web:user:2", "user_id", "2")
    world.decide("link", "web:user:1", "web:user:2")
    found = reported(world).limits
    world.session.execute("delete from identity.override_state")
    broken = report_in(world.session, "world_identifiers").limits
    assert rows(found, "excused", "violations") == [(1, 0)]
    assert rows(broken, "excused", "violations") == [(0, 1)]


def test_refused_links_are_counted_by_reason(world: World) -> None:
    world.identify("web:user:1", "user_id", "1")
    world.identify("web:user:2", "user_id", "2")
    assert "limit of user_id" in reported(world).refused.column("reason").to_pylist()


def test_a_link_that_a_person_cut_or_that_more_speaks_against_is_refused(world: World) -> None:
    for key in ("crm:contact:2", "web:user:4", "web:user:5"):
        world.add(key, "Zoe Ng", card=key[:4])
    world.decide("cut", "web:user:4", "web:user:5")
    for key in ("crm:contact:2", "web:user:4"):
        world.identify(key, "phone", "7")
    world.linker.keys = {"k": {"crm:contact:2", "web:user:4"}}
    world.linker.weights = {("crm:contact:2", "web:user:4"): -12.0}
    assert rows(reported(world).refused, "reason", "pairs") == [("cut", 1), ("net evidence", 1)]


def test_the_page_for_everybody_holds_no_value_of_an_identifier(world: World) -> None:
    found = reported(world)
    assert rows(found.most_shared, "identifier_value") == [("home@x",)]
    assert "home@x" not in page(found)


def test_the_estimate_of_the_last_training_is_in_the_report() -> None:
    store(*many_people())
    refresh()
    before = report().estimates
    retraining.retrain()
    found = report()
    assert (before, [one["recall"]["value"] for one in found.estimates]) == ((), [1.0])
    assert "| 1.000 (" in page(found)


def test_a_model_that_cannot_be_read_is_told_with_what_to_do() -> None:
    store(*many_people())
    refresh()
    linking.path().write_text("{")
    with pytest.raises(ModelUnreadableError, match="Remove it and train anew"):
        report()
