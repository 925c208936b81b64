"""A refresh that moves many known records waits for somebody to look."""

from pathlib import Path

import pytest

import warehouse
from identity import approval
from identity.approval import NothingToApproveError, approve, waiting_now
from identity.refresh import refresh
from tests.identity.stored import store_people


@pytest.fixture()
def moved(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company of a few people, two of whom a second refresh makes one."""
    monkeypatch.setattr(approval, "WAITING", approval.WAITING.replace("1000", "1"))
    store_people()
    refresh()
    with warehouse.transaction() as session:
        one, other = session.read(
            "select min(record_key) as key from identity.record_customers"
            " group by customer_id order by key limit 2"
        )["key"].to_pylist()
        session.execute(
            "insert into identity.overrides (override_id, kind, record_a, record_b, reason, actor,"
            " decided_at) values ('o1', 'link', ?, ?, 'one', 'ann', timestamp '2026-01-01')",
            [one, other],
        )
    refresh()


def test_it_waits_through_later_refreshes_until_it_is_approved(moved: None) -> None:
    refresh()
    before = [one.refresh for one in waiting_now()]
    approve(reason="They are one", actor="ann")
    assert (before, waiting_now()) == ([2], [])


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_approval_says_why(moved: None, reason: str) -> None:
    with pytest.raises(NothingToApproveError, match="says why"):
        approve(reason=reason, actor="ann")


def test_there_is_nothing_to_approve_after_the_first_refresh(home: Path) -> None:
    store_people()
    refresh()
    with pytest.raises(NothingToApproveError, match="No refresh waits"):
        approve(reason="a", actor="b")
