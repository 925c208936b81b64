from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import warehouse
from identity import stable_ids
from warehouse import Session
from warehouse.session import opened

SCHEMA = pa.schema([("record_key", pa.string()), ("cluster_key", pa.string())])
Partition = set[frozenset[str]]


@dataclass(frozen=True)
class Registry:
    """The ids of one company over many refreshes."""

    session: Session

    def refresh(self, *clusters: str) -> stable_ids.RefreshReport:
        """One refresh on clusters spelled as their records: "ab" is a and b."""
        rows = [{"record_key": r, "cluster_key": min(c)} for c in clusters for r in c]
        self.session.replace(
            "identity.int_identity__clusters", pa.Table.from_pylist(rows, schema=SCHEMA)
        )
        return stable_ids.refresh_in(self.session)

    def forget_all(self) -> None:
        """Begin anew."""
        self.session.execute("rollback")
        self.session.execute("begin")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row.values()) for row in self.session.read(query).to_pylist()]

    def owners(self) -> dict[str, str]:
        """Each record's customer."""
        return dict(self.rows("select record_key, customer_id from identity.record_customers"))

    def state(self) -> dict[str, tuple[str, str | None]]:
        """Each id's status, and where it redirects."""
        ids = self.rows("select customer_id, status, merged_into from identity.customer_ids")
        return {customer_id: (status, merged_into) for customer_id, status, merged_into in ids}

    def events(self) -> list[str]:
        """Kinds of events, oldest first."""
        return [
            kind
            for (kind,) in self.rows("select kind from identity.identity_events order by refresh")
        ]


ONE, TWO, THREE = (f"cus_0000000{number}" for number in (1, 2, 3))


@pytest.fixture(scope="module")
def memory() -> Iterator[Registry]:
    with opened() as connection:
        connection.execute("set threads = 1")
        connection.execute("begin")
        yield Registry(Session(connection))


@pytest.fixture()
def registry(memory: Registry) -> Registry:
    memory.forget_all()
    return memory


def test_every_record_belongs_to_one_customer(registry: Registry) -> None:
    registry.refresh("ab", "c")
    assert registry.rows("select record_key, customer_id from identity.record_customers") == [
        ("a", ONE),
        ("b", ONE),
        ("c", TWO),
    ]


def test_the_warehouse_keeps_the_ids() -> None:
    rows = [{"record_key": "a", "cluster_key": "a"}]
    warehouse.replace("identity.int_identity__clusters", pa.Table.from_pylist(rows, schema=SCHEMA))
    stable_ids.refresh()
    assert stable_ids.refresh() == stable_ids.RefreshReport(1, 1, 0, 0, 0)


def test_a_refresh_without_changes_changes_nothing(registry: Registry) -> None:
    registry.refresh("ab", "c")
    registry.refresh("abc", "d")
    tables = ("customer_ids", "record_customers", "identity_events")
    before = [registry.rows(f"select * from identity.{table} order by all") for table in tables]
    registry.refresh("abc", "d")
    after = [registry.rows(f"select * from identity.{table} order by all") for table in tables]
    assert before == after


def test_no_records_are_no_customers(registry: Registry) -> None:
    assert registry.refresh() == stable_ids.RefreshReport(0, 0, 0, 0, 0)


def test_the_oldest_id_survives_a_merge(registry: Registry) -> None:
    registry.refresh("a", "bcd")
    registry.refresh("abcd")
    assert registry.state() == {ONE: ("active", None), TWO: ("merged", ONE)}


def test_chained_merges_redirect_in_one_hop(registry: Registry) -> None:
    registry.refresh("a", "b", "c")
    registry.refresh("a", "bc")
    registry.refresh("abc")
    assert registry.state() == {ONE: ("active", None), TWO: ("merged", ONE), THREE: ("merged", ONE)}


def test_the_largest_part_of_a_split_keeps_the_id(registry: Registry) -> None:
    registry.refresh("abc")
    registry.refresh("a", "bc")
    assert registry.owners() == {"a": TWO, "b": ONE, "c": ONE}


def test_a_merge_taken_back_gives_a_new_id(registry: Registry) -> None:
    for clusters in (["ab", "c"], ["abc"], ["ab", "c"]):
        registry.refresh(*clusters)
    assert registry.owners() == {"a": ONE, "b": ONE, "c": THREE}


def test_a_customer_whose_records_are_gone_is_retired(registry: Registry) -> None:
    registry.refresh("a", "b")
    registry.refresh("b")
    assert registry.state()[ONE] == ("retired", None)


def test_a_customer_whose_records_return_is_revived(registry: Registry) -> None:
    for clusters in (["a", "b"], ["b"], ["a", "b"]):
        registry.refresh(*clusters)
    assert (registry.state()[ONE], registry.events()[-1]) == (("active", None), "revive")


def test_a_merged_id_does_not_come_back_with_an_old_record(registry: Registry) -> None:
    for clusters in (["a", "bc"], ["a", "b"], ["ab"], ["ab", "c"]):
        registry.refresh(*clusters)
    assert registry.state()[TWO] == ("merged", ONE)


def test_records_that_return_do_not_take_the_id_from_those_that_stayed(registry: Registry) -> None:
    for clusters in (["abc"], ["a"], ["a", "bc"]):
        registry.refresh(*clusters)
    assert registry.owners()["a"] == ONE


def test_a_retired_id_that_returns_into_another_customer_redirects(registry: Registry) -> None:
    for clusters in (["a", "b"], ["a"], ["ab"]):
        registry.refresh(*clusters)
    assert registry.state()[TWO] == ("merged", ONE)


def partition(labels: list[int]) -> list[str]:
    """The clusters of the records a, b, c ... by their labels; 0 means the record is absent."""
    return [
        "".join("abcdef"[place] for place, found in enumerate(labels) if found == label)
        for label in sorted(set(labels) - {0})
    ]


HISTORIES = st.lists(
    st.lists(st.integers(0, 4), min_size=6, max_size=6).map(partition), min_size=2, max_size=5
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=HISTORIES)
def test_ids_stay_sound_whatever_the_evidence_does(memory: Registry, history: list[str]) -> None:
    memory.forget_all()
    broken: list[str] = []
    clusters_before: Partition = set()
    owners_before: dict[str, str] = {}
    ids_before: set[str] = set()
    for clusters in history:
        memory.refresh(*clusters)
        state, owners = memory.state(), memory.owners()
        present = {record for cluster in clusters for record in cluster}
        in_use = {owners[record] for record in present}
        active = {i for i, (status, _) in state.items() if status == "active"}
        merged = {i: into for i, (status, into) in state.items() if status == "merged"}
        names = {frozenset(owners[record] for record in cluster) for cluster in clusters}
        untouched = clusters_before & {frozenset(cluster) for cluster in clusters}
        facts = {
            "each cluster has one id": all(len(ids) == 1 for ids in names),
            "no two clusters share an id": len(names) == len(clusters),
            "active ids are those in use": active == in_use,
            "redirects end at an id that is not merged": not set(merged.values()) & set(merged)
            and set(merged.values()) <= set(state),
            "only merged ids redirect": all(
                (status == "merged") == (into is not None) for status, into in state.values()
            ),
            "no id is lost": ids_before <= set(state),
            "merged ids own no record": not set(merged) & set(owners.values()),
            "untouched clusters keep their id": all(
                owners[record] == owners_before[record] for c in untouched for record in c
            ),
        }
        broken += [fact for fact, holds in facts.items() if not holds]
        clusters_before = {frozenset(cluster) for cluster in clusters}
        owners_before, ids_before = owners, set(state)
    assert broken == []
