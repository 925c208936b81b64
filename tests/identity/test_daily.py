"""A small company refreshed daily, with its own link model and decisions taken by the tools."""

import pytest

from benchmarks.daily import play


@pytest.mark.slow
def test_days_of_changes_and_decisions_end_as_one_full_resolve() -> None:
    played = play(records=1_000, days=4, seed=11)
    assert [fact for fact, broken in played.broken.items() if broken] == []
    assert {"create", "cut", "merge", "split", "retire"} <= set(played.events)
