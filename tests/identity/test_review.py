"""What people are asked to look at, and what their decisions do."""

from dataclasses import replace

import pytest

from identity.review import Doubt, decide_in, decided, doubts
from identity.rules import READ_OVERRIDES, Override, Rules, RulesError
from tests.identity.world import World


def rules(world: World) -> Rules:
    """The rules with every decision in the ledger."""
    rows = (
        world.session.read(READ_OVERRIDES.format(table="identity.overrides")).to_pylist()
        if world.session.exists("identity.overrides")
        else []
    )
    kept = {row["override_id"]: Override(**row) for row in rows}
    return Rules(world.types, world.trust, (*world.overrides.values(), *kept.values()))


def decide(world: World, one: str, other: str, kind: str, reason: str = "seen") -> Override:
    """A decision by the tool, which the next refresh of this world follows."""
    made = decide_in(world.session, rules(world), (one, other), kind, reason=reason, actor="ann")
    world.overrides = {one.override_id: one for one in rules(world).overrides}
    world.session.execute("delete from identity.overrides")
    return made


def found(world: World) -> list[Doubt]:
    """The doubts after a refresh."""
    world.refresh()
    return doubts(world.session, rules(world))


def three(world: World) -> None:
    """Ann twice by her card, and an Ann by the mailbox alone."""
    world.add("crm:1", "Ann Lee", card="c1", email="ann@x")
    world.add("shop:1", "Ann Lee", card="c1")
    world.add("web:1", "Ann Lee", email="ann@x")


def likely(world: World, weight: float) -> None:
    """Two records that only the link model knows to be alike."""
    world.add("crm:1", "Ann Lee")
    world.add("web:1", "Ann Lee")
    world.linker.keys = {"k": {"crm:1", "web:1"}}
    world.linker.weights = {("crm:1", "web:1"): weight}


@pytest.mark.parametrize(
    ("weight", "is_doubt"), [(14.0, False), (2.5, True), (0.5, True), (-2.5, False)]
)
def test_a_pair_between_the_thresholds_is_a_doubt(
    world: World, weight: float, is_doubt: bool
) -> None:
    likely(world, weight)
    assert [(one.one, one.other) for one in found(world)] == [("crm:1", "web:1")] * is_doubt


def test_a_weak_link_inside_a_customer_that_strong_ones_hold_is_no_doubt(world: World) -> None:
    three(world)
    world.linker.keys = {"k": {"shop:1", "web:1"}}
    world.linker.weights = {("shop:1", "web:1"): 1.0}
    assert found(world) == []


def test_a_pair_that_a_limit_keeps_apart_is_a_doubt_with_its_reason(world: World) -> None:
    world.add("shop:1", "Ann Lee", user_id="1", email="ann@x")
    world.add("shop:2", "Ann Lee", user_id="2", email="ann@x")
    assert [(one.are_one, one.reason) for one in found(world)] == [(False, "limit of user_id")]


def test_two_sides_are_one_doubt_whatever_the_number_of_pairs_between_them(world: World) -> None:
    for number in (1, 2):
        for place in range(3):
            world.add(f"shop:{number}{place}", "Ann Lee", user_id=str(number), email="ann@x")
    assert [one.records for one in found(world)] == [3]


def test_a_doubt_that_was_decided_is_not_shown_again(world: World) -> None:
    likely(world, 1.0)
    world.refresh()
    decide(world, "crm:1", "web:1", "cut")
    assert doubts(world.session, rules(world)) == [] == found(world)


def test_deciding_one_doubt_does_not_renumber_the_others(world: World) -> None:
    for name in ("a", "b"):
        for number in (1, 2):
            world.add(f"shop:{name}{number}", f"{name} Lee", user_id=f"{name}{number}")
            world.identify(f"shop:{name}{number}", "email", f"{name}@x")
    before = {one.one[:6]: one.number for one in found(world)}
    decide(world, "shop:a1", "shop:a2", "cut")
    after = {one.one[:6]: one.number for one in found(world)}
    assert (len(before), after) == (2, {"shop:b": before["shop:b"]})


def test_a_cut_after_the_merge_equals_never_having_merged(world: World) -> None:
    three(world)
    world.refresh()
    cut = decide(world, "crm:1", "web:1", "cut")
    world.refresh()
    late = (world.people(), world.evidence(), world.fingerprint())
    world.forget()
    three(world)
    world.overrides = {cut.override_id: cut}
    world.refresh()
    assert late == (world.people(), world.evidence(), world.fingerprint())


def test_linking_back_what_was_cut_equals_the_time_before(world: World) -> None:
    three(world)
    world.add("pos:1", "Ann Lee", card="c1")
    world.refresh()
    before = (world.customers(), world.fingerprint())
    decide(world, "crm:1", "web:1", "cut")
    world.refresh()
    parted = world.people()
    decide(world, "crm:1", "web:1", "withdraw")
    world.refresh()
    assert len(parted) == 2
    assert before == (world.customers(), world.fingerprint())


def test_a_link_joins_what_no_evidence_does_and_a_cut_gives_both_ids_back(world: World) -> None:
    world.add("crm:1", "Ann Lee")
    world.add("web:1", "Zoe Ng")
    world.refresh()
    before = world.customers()
    decide(world, "crm:1", "web:1", "link")
    world.refresh()
    joined = world.people()
    decide(world, "crm:1", "web:1", "cut")
    world.refresh()
    assert (len(joined), world.customers()) == (1, before)


def test_a_decision_about_a_record_that_is_gone_can_be_taken_back(world: World) -> None:
    three(world)
    world.refresh()
    decide(world, "crm:1", "web:1", "cut")
    world.remove("web:1")
    world.refresh()
    decide(world, "crm:1", "web:1", "withdraw")
    three(world)
    assert world.refresh().customers == 1


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (("crm:1", "crm:1", "cut", "seen"), "same record"),
        (("crm:1", "web:9", "cut", "seen"), "Nobody knows record 'web:9'"),
        (("crm:1", "web:1", "glue", "seen"), "unknown kind"),
        (("crm:1", "web:1", "cut", "  "), "say why"),
        (("crm:1", "web:1", "block", "seen"), "identifier_type"),
        (("email", "ann@x", "cut", "seen"), "record_a"),
        (("crm:1", "web:1", "withdraw", "seen"), "no decision"),
    ],
)
def test_a_decision_that_is_not_whole_is_refused_with_what_to_do(
    world: World, decision: tuple[str, str, str, str], said: str
) -> None:
    three(world)
    world.refresh()
    with pytest.raises(RulesError, match=said):
        decide(world, *decision)
    assert not world.session.exists("identity.overrides") or not world.session.number(
        "select count(*) from identity.overrides"
    )


def test_a_value_can_be_blocked(world: World) -> None:
    three(world)
    before = world.refresh().customers
    decide(world, "email", "ann@x", "block")
    assert (before, world.refresh().customers) == (1, 2)


def test_every_decision_is_listed_with_whether_it_counts(world: World) -> None:
    three(world)
    world.refresh()
    decide(world, "crm:1", "web:1", "cut")
    world.refresh()
    decide(world, "crm:1", "shop:1", "cut")
    assert [(one.decision.record_b, one.state) for one in decided(world.session, rules(world))] == [
        ("shop:1", "from the next refresh"),
        ("web:1", "counts"),
    ]


def test_a_decision_about_a_record_that_nobody_knows_is_listed_as_waiting(world: World) -> None:
    three(world)
    world.decide("link", "crm:1", "crm:9")
    world.refresh()
    assert [one.state for one in decided(world.session, rules(world))] == ["waits for crm:9"]


def test_a_decision_that_another_followed_counts_no_longer(world: World) -> None:
    three(world)
    world.refresh()
    first = decide(world, "crm:1", "web:1", "cut")
    world.overrides["z"] = replace(first, override_id="z", kind="link")  # at the same moment
    states = {one.decision.override_id: one.state for one in decided(world.session, rules(world))}
    assert states[first.override_id] == "no longer"
