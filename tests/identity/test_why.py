"""What people are told about why two records are one customer, or are not."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

import warehouse
from identity import linking
from identity.likely import LinkModel
from identity.likely.scoring import VETO_WEIGHT
from identity.pictures import PictureError, bars, save_waterfalls, spans
from identity.refresh import refresh
from identity.review import decide
from identity.rules import Rules, RulesError
from identity.why import (
    Answer,
    Evidence,
    Link,
    Part,
    RecordNotFoundError,
    at_hand,
    explained,
    why,
    why_in,
    widest_path,
)
from tests.identity.stored import PEOPLE, store_people
from tests.identity.world import World


def asked(world: World, one: str, other: str) -> Answer:
    """The answer after a refresh."""
    world.refresh()
    rules = Rules(world.types, world.trust, tuple(world.overrides.values()))
    given = Evidence(world.session, rules, None, "world_records", "world_identifiers")
    return why_in(given, one, other)


def test_a_chain_of_shared_identifiers_is_told_link_by_link(world: World) -> None:
    world.add("crm:1", "Ann Lee", card="c1")
    world.add("shop:1", "Ann Lee", card="c1", email="ann@x")
    world.add("web:1", "Ann Lee", email="ann@x")
    links = asked(world, "crm:1", "web:1").links
    assert [(link.a, link.b, link.parts) for link in links] == [
        ("crm:1", "shop:1", (Part("shared card", "c1", 15.0),)),
        ("shop:1", "web:1", (Part("shared email", "ann@x", 10.0),)),
    ]


def test_records_are_found_by_identifier_and_by_customer_id(world: World) -> None:
    world.add("crm:1", "Ann Lee", card="c1", email="Ann@x".lower())
    world.add("shop:1", "Ann Lee", card="c1")
    answer = asked(world, " ANN@x ", "cus_00000001")
    assert (answer.a, answer.b, answer.are_one) == ("crm:1", "shop:1", True)


def test_an_identifier_that_nobody_has_is_told_with_what_to_give(world: World) -> None:
    world.add("crm:1", "Ann Lee", card="c1")
    with pytest.raises(RecordNotFoundError, match="record key"):
        asked(world, "crm:1", "zoe@x")


def test_a_limit_that_keeps_two_apart_is_the_reason(world: World) -> None:
    world.add("shop:1", "Ann Lee", user_id="1", email="ann@x")
    world.add("shop:2", "Ann Lee", user_id="2", email="ann@x")
    assert asked(world, "shop:1", "shop:2").reason.startswith(
        "together they would have 2 values of user_id (1, 2), and one may have 1; between all"
    )


def test_a_cut_is_told_with_who_and_why(world: World) -> None:
    world.add("crm:1", "Ann Lee", email="ann@x")
    world.add("web:1", "Ann Lee", email="ann@x")
    world.decide("cut", "crm:1", "web:1")
    answer = asked(world, "crm:1", "web:1")
    assert (answer.reason, answer.links[0].decision) == (
        "a person cut them",
        "cut: seen (ann, 2026-01-01)",
    )


def test_evidence_against_is_told_with_its_bits(world: World) -> None:
    world.add("crm:1", "Ann Lee", phone="7")
    world.add("web:1", "Ann Lee", phone="7")
    world.linker.keys = {"k": {"crm:1", "web:1"}}
    world.linker.weights = {("crm:1", "web:1"): -12.0}
    answer = asked(world, "crm:1", "web:1")
    assert [part.weight for part in answer.links[0].parts] == [8.0, -12.0]


def test_two_whose_other_records_keep_them_apart_are_told_by_the_pair_most_against(
    world: World,
) -> None:
    for key in ("crm:1", "shop:1"):
        world.add(key, "Ann Lee", phone="7")
    world.add("web:1", "Ann Lee", card="c1")
    world.identify("shop:1", "card", "c1")
    world.linker.keys = {"k": {"crm:1", "shop:1", "web:1"}}
    world.linker.weights = {("crm:1", "shop:1"): -4.0, ("crm:1", "web:1"): -9.0}
    links = asked(world, "crm:1", "shop:1").links
    assert [(link.a, link.b, link.weight) for link in links] == [
        ("crm:1", "shop:1", 4.0),
        ("crm:1", "web:1", -9.0),
    ]


@pytest.mark.parametrize(
    ("blocked", "names", "said"),
    [
        ("placeholder", ("Ann Lee", "Ann Lee"), "it proves nothing (placeholder)"),
        (None, ("Ann Lee", "Robert Lee"), "names differ"),
    ],
)
def test_a_shared_value_that_does_not_count_is_told_with_its_reason(
    world: World, blocked: str | None, names: tuple[str, str], said: str
) -> None:
    for key, name in zip(("crm:1", "web:1"), names, strict=True):
        world.add(key, name)
        world.identify(key, "email", "x@x", blocked=blocked)
    assert said in asked(world, "crm:1", "web:1").links[0].notes[0]


def test_strangers_have_nothing_that_speaks_for_them(world: World) -> None:
    world.add("crm:1", "Ann Lee", email="ann@x")
    world.add("web:1", "Bob Ray", email="bob@x")
    answer = asked(world, "crm:1", "web:1")
    assert (answer.are_one, answer.reason, answer.links[0].parts) == (
        False,
        "nothing that counts speaks for one person",
        (),
    )


def test_the_path_avoids_a_weak_link_where_a_chain_of_strong_ones_leads() -> None:
    assert widest_path([(1, 2, 5), (2, 3, 5), (1, 3, 1)], 1, 3) == [1, 2, 3]


def test_of_equally_strong_paths_the_shortest_is_told() -> None:
    assert widest_path([(1, 2, 5), (2, 3, 5), (1, 3, 5)], 1, 3) == [1, 3]


@pytest.fixture()
def people() -> None:
    """A warehouse of six records, refreshed under the shipped rules."""
    store_people()
    refresh()


def test_the_told_parts_add_up_to_the_weight_that_the_engine_used(people: None) -> None:
    pairs = warehouse.read(
        "select one.record_key as a, other.record_key as b, pairs.weight"
        " from identity.likely_pairs as pairs"
        " inner join identity.record_customers as one on pairs.a = one.record_no"
        " inner join identity.record_customers as other on pairs.b = other.record_no"
    ).to_pylist()
    with warehouse.transaction() as session:
        links = explained(at_hand(session), [(row["a"], row["b"]) for row in pairs])
    likely = [
        sum(part.weight for part in link.parts if "shared" not in part.what) for link in links
    ]
    assert len(pairs) >= 5
    assert likely == pytest.approx([row["weight"] for row in pairs], abs=0.001)


def test_comparisons_are_told_in_words_with_both_values(people: None) -> None:
    found = {part.what: part.finding for part in why("crm:1", "shop:1").links[0].parts}
    assert (found["first name"], found["birth date"]) == (
        "nickname: Katherine | Kate",
        "misspelt: 1971-03-04 | 1971-04-03",
    )


def test_a_name_that_a_mailbox_tells_is_told_with_the_mailbox(people: None) -> None:
    store_people([*PEOPLE, ("email:1", "Kate", None, None, "kateberg@z.example", None, None)])
    refresh()
    with warehouse.transaction() as session:
        (link,) = explained(at_hand(session), [("email:1", "shop:1")])
    found = {part.what: part.finding for part in link.parts}
    assert found["last name"] == "told by a mailbox: kateberg@z.example | Berg"
    weight = warehouse.read(
        "select pairs.weight from identity.likely_pairs as pairs"
        " inner join identity.record_customers as one on one.record_no in (pairs.a, pairs.b)"
        " inner join identity.record_customers as other on other.record_no in (pairs.a, pairs.b)"
        " where one.record_key = 'email:1' and other.record_key = 'shop:1'"
    )
    assert sum(part.weight for part in link.parts) == pytest.approx(
        weight.column(0)[0].as_py(), abs=0.001
    )


def test_a_value_that_a_person_blocked_says_nothing_in_any_comparison(people: None) -> None:
    decide(["email", " Zoe@Y.example "], "block", reason="A club's", actor="ann")
    refresh()
    (link,) = why("crm:3", "shop:3").links
    assert [part for part in link.parts if "zoe@y.example" in part.finding] == []
    assert link.notes == ("both have email zoe@y.example: it proves nothing (a person blocked it)",)


def test_a_decision_that_waits_changes_no_answer(people: None) -> None:
    before = why("crm:3", "shop:3")
    decide(["email", "zoe@y.example"], "block", reason="A club's", actor="ann")
    assert why("crm:3", "shop:3") == before


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (["email", "zoe@y.exampel"], "Nobody has email"),
        (["mail", "zoe@y.example"], "Unknown type of identifier 'mail'. Types: anonymous_id"),
        (["²"], "the number of a doubt"),
    ],
)
def test_a_decision_about_a_value_that_nobody_has_is_refused(
    people: None, subject: list[str], said: str
) -> None:
    with pytest.raises(RulesError, match=said):
        decide(subject, "block", reason="A club's", actor="ann")


def test_what_a_home_shares_is_told_as_the_other_explanation(people: None) -> None:
    with warehouse.transaction() as session:
        (link,) = explained(at_hand(session), [("crm:1", "crm:2")])
    assert link.parts[-1].what == "one home"


def test_names_that_rule_one_person_out_are_told_as_a_veto(people: None) -> None:
    model = LinkModel.load(linking.path())
    strict = replace(model.comparisons["first_name"], is_veto=True)
    levels = {**model.comparisons, "first_name": strict}
    vetoing = replace(model, comparisons=levels, home_prior=0.0)
    with warehouse.transaction() as session:
        evidence = replace(at_hand(session), model=vetoing)
        (link,) = explained(evidence, [("crm:1", "crm:2")])
    assert (link.parts[-1].what, link.weight) == ("veto", pytest.approx(VETO_WEIGHT))


@pytest.mark.parametrize("name", ["why.png", "why.svg"])
def test_the_waterfall_is_drawn(people: None, tmp_path: Path, name: str) -> None:
    save_waterfalls(why("crm:1", "shop:1"), tmp_path / name)
    assert (tmp_path / name).read_bytes()[:5] in (b"\x89PNG\r", b"<?xml")


def test_a_picture_of_another_kind_is_refused(people: None, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="svg"):
        save_waterfalls(why("crm:1", "shop:1"), tmp_path / "why.gif")


def test_a_picture_where_nothing_can_be_written_is_refused(people: None, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="cannot be written: No such file or directory"):
        save_waterfalls(why("crm:1", "shop:1"), tmp_path / "nowhere" / "why.png")


@pytest.mark.filterwarnings("error")
def test_names_of_any_script_are_drawn_as_text_that_a_reader_of_svg_opens(tmp_path: Path) -> None:
    parts = (Part("first name", "same: 美玲 | \x1b[31m\x00", 3.0),)
    link = Link("crm:1", "shop:1", parts)
    answer = Answer("crm:1", "shop:1", "cus_1", "cus_1", "", (link,))
    save_waterfalls(answer, tmp_path / "why.svg")
    assert "same: 美玲" in "".join(ElementTree.parse(tmp_path / "why.svg").getroot().itertext())


def test_the_last_bar_is_the_sum_from_nothing() -> None:
    assert spans([8.0, -12.0]) == [(0.0, 8.0), (8.0, -4.0), (0.0, -4.0)]


def test_bars_against_look_different_from_bars_for() -> None:
    assert [set(bar.strip()) for bar in bars([8.0, -12.0])] == [{"▓"}, {"░"}, {"░"}]
