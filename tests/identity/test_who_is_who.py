"""People who must merge, people who must not, and what their ids do."""

from dataclasses import replace
from datetime import datetime

import pytest

from identity.changes import KeysCollideError
from identity.rules import IdentifierType, Override, Rules, RulesError
from tests.identity.world import TYPES, World, company

ONE, TWO, THREE = (f"cus_0000000{number}" for number in (1, 2, 3))


def together(world: World, one: str, other: str) -> bool:
    """Whether two records are one customer after a refresh."""
    world.refresh()
    customers = world.customers()
    return customers[one] == customers[other]


@pytest.mark.parametrize(
    ("name", "other", "are_one"),
    [
        ("Ann Lee", "ANN LEE", True),
        ("Ann Lee", "Ann Novak", True),
        ("William Lee", "Bill Lee", True),
        ("William Lee", "W Lee", True),
        ("Wiliam Lee", "William Lee", True),
        ("Lee William", "William Lee", True),
        ("Ann Lee", "Robert Lee", False),
        ("Ann Lee", "", True),
        ("", "", True),
    ],
)
def test_a_shared_mailbox_links_those_whose_names_agree(
    world: World, name: str, other: str, are_one: bool
) -> None:
    world.add("crm:1", name, email="home@x")
    world.add("shop:1", other, email="home@x")
    assert together(world, "crm:1", "shop:1") == are_one


def test_a_nameless_record_goes_with_the_name_that_carries_most_of_the_value(world: World) -> None:
    for number in range(3):
        world.add(f"crm:{number}", "Ann Lee", email="home@x")
    world.add("shop:1", "Robert Lee", email="home@x")
    world.add("web:1", email="home@x")
    assert together(world, "web:1", "crm:0")


def test_a_nameless_record_waits_when_the_value_is_evenly_shared(world: World) -> None:
    world.add("crm:1", "Ann Lee", email="home@x")
    world.add("shop:1", "Robert Lee", email="home@x")
    world.add("web:1", email="home@x")
    world.refresh()
    assert len(world.people()) == 3


def test_a_mailbox_of_seven_families_links_nobody(world: World) -> None:
    for number, name in enumerate(["Ash", "Bay", "Cox", "Day", "Elm", "Fry", "Gee"]):
        world.add(f"crm:{number}", f"Ann {name}", email="club@x")
    world.refresh()
    assert len(world.people()) == 7


def test_a_blocked_value_links_nobody_unless_somebody_allows_it(world: World) -> None:
    for key in ("crm:1", "shop:1"):
        world.add(key, "Ann Lee")
        world.identify(key, "email", "info@x", blocked="role mailbox")
    world.refresh()
    apart = len(world.people())
    world.decide("allow", "email", "info@x")
    world.refresh()
    assert (apart, len(world.people())) == (2, 1)


@pytest.mark.parametrize(("last_used", "are_one"), [("2026-01-01", True), ("2022-01-01", False)])
def test_a_recycled_mailbox_tells_nothing_of_who_has_no_name(
    world: World, last_used: str, are_one: bool
) -> None:
    world.add("crm:1", "Ann Lee")
    world.identify("crm:1", "email", "box@x", seen=last_used)
    world.add("web:1")
    world.identify("web:1", "email", "box@x", seen="2026-06-01")
    assert together(world, "crm:1", "web:1") == are_one


def test_a_person_who_comes_back_with_the_same_name_after_years_is_known(world: World) -> None:
    for key, seen in (("crm:1", "2016-01-01"), ("shop:1", "2026-01-01")):
        world.add(key, "Ann Lee")
        world.identify(key, "email", "box@x", seen=seen)
    assert together(world, "crm:1", "shop:1")


def test_a_value_outside_its_window_links_nobody(world: World) -> None:
    for key, seen in (("crm:1", "2020-01-01"), ("shop:1", "2026-01-01")):
        world.add(key, "Ann Lee")
        world.identify(key, "phone", "+49", seen=seen)
    assert not together(world, "crm:1", "shop:1")


def test_a_limit_refuses_a_link_and_says_so(world: World) -> None:
    world.add("shop:1", "Ann Lee", email="a@x", user_id="1")
    world.add("shop:2", "Ann Lee", email="a@x", user_id="2")
    world.refresh()
    rejected = world.session.read("select reason from identity.rejected_pairs")
    assert (len(world.people()), rejected["reason"].to_pylist()) == (2, ["limit of user_id"])


def test_evidence_against_outweighs_one_link(world: World) -> None:
    world.add("crm:1", "Ann Lee", email="a@x")
    world.add("crm:2", "Ann Lee", email="a@x")
    world.linker.keys, world.linker.weights = {"k": {"crm:1", "crm:2"}}, {("crm:1", "crm:2"): -12.0}
    assert not together(world, "crm:1", "crm:2")


def test_a_key_that_one_more_record_shares_loses_its_pairs_and_wins_them_back(world: World) -> None:
    keys = [f"crm:{number}" for number in range(5)]
    world.linker.keys = {"k": set(keys)}
    world.linker.weights = {(one, other): 9.0 for one in keys for other in keys}
    sizes = []
    for key in keys:
        world.add(key)
        world.refresh()
        sizes.append(len(world.people()))
    world.remove("crm:4")
    world.refresh()
    assert [*sizes, len(world.people())] == [1, 1, 1, 1, 5, 1]


def test_a_cut_gives_both_ids_back_and_its_withdrawal_the_one(world: World) -> None:
    world.add("crm:1")
    world.add("crm:2")
    world.refresh()
    world.decide("link", "crm:1", "crm:2")
    world.refresh()
    merged = world.ids()
    world.decide("cut", "crm:2", "crm:1")
    world.refresh()
    apart = world.ids()
    world.decide("withdraw", "crm:1", "crm:2")
    world.refresh()
    assert merged == {ONE: ("active", None), TWO: ("merged", ONE)}
    assert apart == world.ids() == {ONE: ("active", None), TWO: ("active", None)}


def test_a_cut_equals_never_merged(world: World) -> None:
    world.add("crm:1", "Ann Lee", email="a@x")
    world.add("shop:1", "Ann Lee", email="a@x")
    world.add("web:1", email="a@x")
    world.decide("cut", "crm:1", "shop:1")
    world.refresh()
    never = (world.people(), world.customers())
    world.overrides = {}
    world.refresh()
    world.decide("cut", "crm:1", "shop:1")
    world.refresh()
    assert (world.people(), world.customers()) == never


def test_no_chain_of_links_by_people_leads_around_a_cut(world: World) -> None:
    for key in ("crm:1", "crm:2", "crm:3"):
        world.add(key, "Ann Lee", card="7")
    world.decide("link", "crm:1", "crm:2")
    world.decide("link", "crm:2", "crm:3")
    world.decide("cut", "crm:1", "crm:3")
    assert not together(world, "crm:1", "crm:3")


def test_the_oldest_id_survives_and_redirects_are_one_hop(world: World) -> None:
    for key in ("crm:1", "crm:2", "crm:3"):
        world.add(key)
    world.refresh()
    for pair in (("crm:2", "crm:3"), ("crm:1", "crm:2")):
        world.decide("link", *pair)
        world.refresh()
    assert world.ids() == {ONE: ("active", None), TWO: ("merged", ONE), THREE: ("merged", ONE)}


def test_the_part_with_more_trust_keeps_the_id(world: World) -> None:
    for key in ("crm:1", "shop:1"):
        world.add(key, user_id="1")
    world.refresh()
    world.add("shop:1")
    world.refresh()
    assert world.customers() == {"crm:1": ONE, "shop:1": TWO}


def test_an_id_whose_records_are_gone_is_retired_for_ever(world: World) -> None:
    world.add("crm:1")
    world.refresh()
    world.remove("crm:1")
    world.refresh()
    world.add("crm:1")
    world.refresh()
    assert world.ids() == {ONE: ("retired", None), TWO: ("active", None)}


def test_other_rules_resolve_everything_anew_and_going_back_gives_the_ids_back(
    world: World,
) -> None:
    for key in ("crm:1", "shop:1"):
        world.add(key, "Ann Lee", email="a@x", card="7")
    world.refresh()
    before = world.customers()
    world.types = tuple(replace(kind, trust=0.0) for kind in TYPES)
    report = world.refresh()
    apart = len(world.people())
    world.types = TYPES
    world.refresh()
    assert (report.is_full, apart, world.customers()) == (True, 2, before)


def test_a_merge_is_in_force_from_its_refresh_on(world: World) -> None:
    world.add("crm:1")
    world.add("crm:2")
    world.refresh()
    world.decide("link", "crm:1", "crm:2")
    world.refresh()
    rows = world.session.read(
        "select customer_id, status, refresh from identity.customer_id_statuses"
        " order by refresh, customer_id"
    ).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (ONE, "active", 1),
        (TWO, "active", 1),
        (TWO, "merged", 2),
    ]


def test_records_without_identifiers_are_customers_of_their_own(world: World) -> None:
    for number in range(50):
        world.add(f"crm:{number}")
    assert world.refresh().customers == 50


def test_no_records_are_no_customers(world: World) -> None:
    assert world.refresh().customers == 0


@pytest.mark.parametrize("value", ["", " ", "\t", "\u00a0", "\u200b\ufeff"])
def test_a_blank_value_links_nobody(world: World, value: str) -> None:
    for key in ("crm:1", "crm:2"):
        world.add(key, "Ann Lee", email=value)
    assert not together(world, "crm:1", "crm:2")


def test_a_value_on_too_many_records_never_makes_a_crowd(world: World) -> None:
    for number in range(1_500):
        world.add(f"crm:{number}", "Ann Lee", email="a@x")
    assert world.refresh().customers == 1_500


@pytest.mark.parametrize(
    ("name", "other", "are_one"),
    [
        ("Мария Иванова", "мария иванова", True),
        ("Мария Иванова", "Иван Иванов", False),
        ("美玲 王", "美玲 王", True),
        ("王 美玲", "李 小龍", False),
        ("x" * 10_000 + " Lee", "x" * 10_000 + " Lee", True),
        ("x" * 10_000 + " Lee", "y" * 10_000 + " Lee", False),
    ],
)
def test_names_of_any_script_and_length_have_defined_results(
    world: World, name: str, other: str, are_one: bool
) -> None:
    world.add("crm:1", name, email="a@x")
    world.add("crm:2", other, email="a@x")
    assert together(world, "crm:1", "crm:2") == are_one


def test_two_records_of_one_key_are_refused(world: World) -> None:
    world.add("crm:1")
    world.add("crm:2")
    world.records["crm:3"] = world.records.pop("crm:2")
    with pytest.raises(KeysCollideError, match="crm:1"):
        world.refresh(doubled=("crm:1",))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kind": "glue"}, "Kinds: link, cut"),
        ({"reason": None}, "why, who and when"),
        ({"record_b": None}, "needs `record_a` and `record_b`"),
        ({"record_b": "crm:1"}, "the same record"),
        ({"kind": "block"}, "needs `identifier_type`"),
        ({"identifier_type": "email", "identifier_value": "a@x"}, "not both"),
    ],
)
def test_an_invalid_override_is_told_with_what_to_do(
    change: dict[str, str | None], told: str
) -> None:
    good = {
        "override_id": "o1",
        "kind": "link",
        "record_a": "crm:1",
        "record_b": "crm:2",
        "reason": "seen",
        "actor": "ann",
        "decided_at": datetime(2026, 1, 1),
    }
    with pytest.raises(RulesError, match=told):
        Override(**{**good, **change})  # type: ignore[arg-type]


def test_rules_that_contradict_each_other_are_told() -> None:
    with pytest.raises(RulesError, match="is there twice"):
        Rules((IdentifierType("email", 1, 10.0), IdentifierType("email", 2, 10.0)))


def test_a_decision_about_a_record_that_nobody_knows_waits(world: World) -> None:
    world.add("crm:1")
    world.decide("link", "crm:1", "crm:9")
    world.refresh()
    world.add("crm:9")
    assert together(world, "crm:1", "crm:9")


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_and_the_order_of_rows_do_not_change_the_fingerprint(
    world: World, threads: int
) -> None:
    found = set()
    for step in (1, -1):
        with company(threads) as other:
            for number in range(0, 3_000)[::step]:
                person = number % 700
                other.add(f"crm:{number}", f"{['Ann', 'Bob', 'Cyd'][person % 3]} Lee{person % 5}")
                other.identify(f"crm:{number}", "email", f"m{number % 900}@x")
                other.identify(f"crm:{number}", "card", f"c{person}")
            other.refresh()
            found.add(other.fingerprint())
    assert len(found) == 1
