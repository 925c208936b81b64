"""Whatever happens to the evidence, in whatever order: the engine equals the reference."""

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.identity.reference import Reference
from tests.identity.world import World, company

RECORDS = ("crm:a", "crm:b", "shop:c", "shop:d", "web:e", "web:f", "web:g")
NAMES = ("", "", "Wilhelmina Jones", "Bob Jones", "Bob Quill")
PAIRS = [(one, other) for one in RECORDS for other in RECORDS if one < other]
Step = Callable[[World], None]
Given = tuple[list[Step], list[list[Step]]]


def _weigh(pair: tuple[str, str], weight: float) -> Step:
    return lambda world: world.linker.weights.update({pair: weight})


def _block(key: str, records: set[str]) -> Step:
    return lambda world: world.linker.keys.update({key: records})


def _count(world: World) -> None:
    world.linker.is_counting = True


def _add(key: str, name: str, identifiers: dict[str, str]) -> Step:
    return lambda world: world.add(key, name, **identifiers)


def _remove(key: str) -> Step:
    return lambda world: world.remove(key)


def _decide(kind: str, pair: tuple[str, str]) -> Step:
    return lambda world: world.decide(kind, *pair)


IDENTIFIERS = st.fixed_dictionaries(
    {},
    optional={
        "user_id": st.sampled_from("12"),
        "card": st.sampled_from("789"),
        "email": st.sampled_from(("x@x", "y@y")),
    },
)
ADDS = st.builds(_add, st.sampled_from(RECORDS), st.sampled_from(NAMES), IDENTIFIERS)
STEPS = st.one_of(
    ADDS,
    ADDS,
    st.builds(_remove, st.sampled_from(RECORDS)),
    st.builds(_decide, st.sampled_from(("cut", "link", "withdraw")), st.sampled_from(PAIRS)),
    st.builds(_decide, st.sampled_from(("block", "allow")), st.just(("email", "x@x"))),
)
WEIGHTS = st.sampled_from((-12.0, -4.0, -0.5, 0.5, 3.0, 8.0, 14.0))
FROZEN = st.one_of(
    st.builds(_weigh, st.sampled_from(PAIRS), WEIGHTS),
    st.builds(_block, st.sampled_from("kl"), st.sets(st.sampled_from(RECORDS), min_size=2)),
)
HISTORIES = st.tuples(
    st.lists(FROZEN, max_size=14),
    st.lists(st.lists(STEPS, max_size=7), min_size=1, max_size=4),
)
pytestmark = pytest.mark.slow
some = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with company() as made:
        yield made


def play(world: World, history: Given) -> Iterator[None]:
    """An empty company, its model and keys fixed from the start, refresh by refresh."""
    frozen, batches = history
    world.forget()
    for step in frozen:
        step(world)
    for batch in batches:
        for step in batch:
            step(world)
        world.refresh()
        yield


def all_of(world: World) -> tuple[object, ...]:
    """Everything that a refresh keeps."""
    return world.customers(), world.ids(), world.events(), world.evidence()


def unsound(world: World, reference: Reference, seen: set[str]) -> list[str]:
    """What must hold of ids, limits and cuts and does not; ids that were seen before stay."""
    ids, customers = world.ids(), world.customers()
    active = {customer for customer, (status, _) in ids.items() if status == "active"}
    merged = {into for status, into in ids.values() if status == "merged"}
    decided = reference.decided()
    cuts = [set(pair) for pair, kind in decided if kind == "cut"]
    linked = {record for pair, kind in decided if kind == "link" for record in pair}
    free = [records for records in world.people() if not records & linked]
    facts = {
        "every record is in one customer": set(customers) == set(world.records),
        "active ids are those in use": set(customers.values()) == active,
        "redirects are one hop to an id in use": merged <= active,
        "only merged ids redirect": all(
            (into is None) == (status != "merged") for status, into in ids.values()
        ),
        "no id is lost": seen <= set(ids),
        "cuts are kept": not any(cut <= people for cut in cuts for people in world.people()),
        "the fingerprint told is that of all": world.told_fingerprint() == world.fingerprint(),
        "limits hold": all(not reference.broken(sorted(records)) for records in free),
    }
    return [fact for fact, holds in facts.items() if not holds]


@some
@given(history=HISTORIES)
def test_every_refresh_equals_the_reference_is_sound_and_done_again_or_in_full_changes_nothing(
    world: World, history: Given
) -> None:
    """Three facts of one history, because to play it is what takes the time."""
    reference, seen = Reference(world), set[str]()
    for _ in play(world, history):
        reference.refresh()
        found = (world.customers(), world.ids(), world.people())
        people = {frozenset(cluster) for cluster in reference.partition()}
        assert found == (reference.owners, reference.ids, people)
        assert unsound(world, reference, seen) == []
        seen = set(world.ids())
    before = all_of(world)
    world.refresh()
    again = all_of(world)
    world.refresh(is_full=True)
    assert before == again == all_of(world)


@some
@given(history=HISTORIES)
def test_sizes_of_keys_weigh_as_if_all_records_had_come_at_once(
    world: World, history: Given
) -> None:
    for _ in play(world, ([*history[0], _count], history[1])):
        pass
    before = all_of(world)
    world.refresh(is_full=True)
    assert before == all_of(world)


@some
@given(history=HISTORIES, order=st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_change_who_is_who(
    world: World, history: Given, order: Random
) -> None:
    for _ in play(world, history):
        pass
    found = world.people()
    records, identifiers, overrides = world.records, world.identifiers, world.overrides
    for _ in play(world, (history[0], [])):
        pass
    keys = list(records)
    order.shuffle(keys)
    for number, key in enumerate(keys):
        world.records[key], world.identifiers[key] = records[key], identifiers[key]
        if number % 2:
            world.refresh()
    world.overrides = overrides
    world.refresh()
    assert world.people() == found
