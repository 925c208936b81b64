import hashlib
import hmac
import json
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import warehouse
from activation.deliver import deliver, forget
from activation.destinations import (
    DestinationUnavailableError,
    UnknownDestinationError,
    destination,
    webhook,
)
from activation.plan import MassRemovalError
from activation.syncs import Sync

People = Callable[..., None]
BROKEN = (500, {}, b"")


def ledger(state: str) -> list[dict[str, Any]]:
    return warehouse.read(
        "select * from activation.deliveries where state = ? order by sequence", [state]
    ).to_pylist()


def test_the_first_run_adds_everybody(hook: Any, sync: Sync, people: People) -> None:
    people("ann", "bob", "cem")
    deliver(sync)
    assert hook.operations() == [("add", "ann"), ("add", "bob"), ("add", "cem")]


def test_batches_are_no_larger_than_the_destination_takes(
    hook: Any, sync: Sync, people: People
) -> None:
    people("ann", "bob", "cem", "dee", "eve")
    deliver(sync)
    assert [len(request.people) for request in hook.requests] == [2, 2, 1]


def test_a_run_without_changes_sends_no_request(hook: Any, sync: Sync, people: People) -> None:
    people("ann", "bob", "cem")
    deliver(sync)
    hook.requests.clear()
    deliver(sync)
    assert hook.requests == []


def test_a_changed_contact_is_one_update(hook: Any, sync: Sync, people: People) -> None:
    people("ann", "bob")
    deliver(sync)
    hook.requests.clear()
    people("ann", "bob", bob="new@example.com")
    deliver(sync)
    assert [p for r in hook.requests for p in r.people] == [
        {
            "operation": "update",
            "customer_id": "bob",
            "email": "new@example.com",
            "first_name": "Bob",
            "country_code": "DE",
        }
    ]


def test_a_leaver_is_one_remove_that_says_who_it_is(hook: Any, sync: Sync, people: People) -> None:
    people("ann", "bob")
    deliver(sync)
    hook.requests.clear()
    people("bob")
    deliver(sync)
    told = [(p["operation"], p["customer_id"], p["email"]) for r in hook.requests for p in r.people]
    assert told == [("remove", "ann", "ann@example.com")]


def test_who_returns_is_added_under_a_new_key(hook: Any, sync: Sync, people: People) -> None:
    for members in (["ann"], [], ["ann"]):
        people(*members)
        deliver(sync)
    assert len({request.key for request in hook.requests}) == 3


def test_a_key_is_not_given_again_after_rows_were_erased(
    hook: Any, sync: Sync, people: People
) -> None:
    for members, emails in (
        (["zoe"], {}),
        (["zoe"], {"zoe": "z@example.com"}),
        (["ann", "zoe"], {}),
    ):
        people(*members, **emails)
        deliver(sync)
    people()
    deliver(sync)
    with warehouse.transaction() as session:
        session.execute("delete from activation.deliveries where customer_id = 'zoe'")
    people("ann")
    deliver(sync)
    assert hook.operations()[-1] == ("add", "ann")


@pytest.mark.parametrize("answer", [BROKEN, (503, {}, b""), (429, {}, b"")])
def test_a_passing_failure_is_retried_until_delivered(
    hook: Any, sync: Sync, people: People, answer: Any
) -> None:
    people("ann")
    hook.script = [answer, answer]
    assert deliver(sync).added == 1


def test_a_retry_waits_as_long_as_the_destination_asks(
    hook: Any, sync: Sync, people: People
) -> None:
    people("ann")
    hook.script = [(429, {"Retry-After": "1"}, b"")]
    deliver(sync)
    assert hook.requests[1].arrived - hook.requests[0].arrived >= 1


@pytest.mark.parametrize("status", [500, 429, 302, 401, 404])
def test_an_answer_that_is_no_verdict_raises_with_advice(
    hook: Any, sync: Sync, people: People, status: int
) -> None:
    people("ann")
    hook.always = (status, {"Location": hook.url}, b"")
    with pytest.raises(DestinationUnavailableError, match="sent again by the next `cdp apply`"):
        deliver(sync)


def test_a_redirect_is_not_followed(hook: Any, sync: Sync, people: People) -> None:
    people("ann")
    hook.script = [(307, {"Location": hook.url + "/elsewhere"}, b"")]
    with pytest.raises(DestinationUnavailableError):
        deliver(sync)
    assert len(hook.requests) == 1


def test_a_destination_that_does_not_listen_raises_with_advice(
    hook: Any, sync: Sync, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people("ann")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setenv("DESTINATIONS__WEBHOOK__URL", address)
        with pytest.raises(DestinationUnavailableError, match="could not be reached"):
            deliver(sync)


def test_the_next_run_goes_on_with_the_batch_that_failed(
    hook: Any, sync: Sync, people: People
) -> None:
    people("ann", "bob", "cem")
    hook.always = BROKEN
    with pytest.raises(DestinationUnavailableError):
        deliver(sync)
    failed = {(request.key, request.body) for request in hook.requests}
    hook.requests.clear()
    hook.always = (200, {}, b"")
    deliver(sync)
    first, *others = hook.requests
    assert {(first.key, first.body)} == failed and hook.operations() == [
        ("add", "ann"),
        ("add", "bob"),
        ("add", "cem"),
    ]


def test_a_key_never_comes_with_another_body(hook: Any, sync: Sync, people: People) -> None:
    people("ann", "bob")
    hook.always = BROKEN
    with pytest.raises(DestinationUnavailableError):
        deliver(sync)
    people("ann", "bob", bob="new@example.com")
    hook.always = (200, {}, b"")
    deliver(sync)
    bodies = {(request.key, request.body) for request in hook.requests}
    assert max(Counter(key for key, _ in bodies).values()) == 1


def test_people_of_a_cut_off_batch_that_changed_are_sent_anew(
    hook: Any, sync: Sync, people: People
) -> None:
    people("ann", "bob")
    hook.always = BROKEN
    with pytest.raises(DestinationUnavailableError):
        deliver(sync)
    hook.requests.clear()
    people("ann", bob="new@example.com")
    hook.always = (200, {}, b"")
    deliver(sync)
    assert hook.operations() == [("update", "ann"), ("remove", "bob")]


def test_a_removal_of_unknown_outcome_is_sent_again(hook: Any, sync: Sync, people: People) -> None:
    people("ann")
    deliver(sync)
    people()
    hook.always = BROKEN
    with pytest.raises(DestinationUnavailableError):
        deliver(sync)
    hook.requests.clear()
    people(ann="new@example.com")
    hook.always = (200, {}, b"")
    deliver(sync)
    deliver(sync)
    assert hook.operations() == [("remove", "ann")]


def test_a_refused_batch_keeps_the_answer_without_what_was_sent(
    hook: Any, sync: Sync, people: People
) -> None:
    people("ann")
    hook.script = [(400, {}, b"ANN@example.com is no address")]
    deliver(sync)
    assert [row["answer"] for row in ledger("rejected")] == ["HTTP 400 ... is no address"]


def test_a_refused_person_is_not_tried_again(hook: Any, sync: Sync, people: People) -> None:
    people("ann")
    hook.script = [(400, {}, b"")]
    deliver(sync)
    deliver(sync)
    assert len(hook.requests) == 1


def test_a_refused_person_is_tried_again_once_changed(
    hook: Any, sync: Sync, people: People
) -> None:
    people("ann")
    hook.script = [(400, {}, b"")]
    deliver(sync)
    people("ann", ann="right@example.com")
    assert deliver(sync).added == 1


def test_one_refused_person_does_not_hold_up_the_others(
    hook: Any, sync: Sync, people: People
) -> None:
    people("ann", "bob", "cem")
    hook.script = [(200, {}, b'{"rejected": {"bob": "bob@example.com bounced"}}')]
    done = deliver(sync)
    refused = [(row["customer_id"], row["answer"]) for row in ledger("rejected")]
    assert (done.added, refused) == (2, [("bob", "... bounced")])


def test_the_signature_is_of_the_body(
    hook: Any, sync: Sync, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATIONS__WEBHOOK__SECRET", "shared")
    people("ann")
    deliver(sync)
    request = hook.requests[0]
    expected = hmac.new(b"shared", request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Signature"] == f"sha256={expected}"


def test_two_audiences_do_not_disturb_each_other(hook: Any, sync: Sync, people: People) -> None:
    at_risk = Sync(audience="at_risk", destination="webhook", channel="email")
    people("ann", "bob")
    people("bob", "cem", audience="at_risk")
    deliver(sync)
    deliver(at_risk)
    people(audience="at_risk")
    deliver(sync)
    hook.requests.clear()
    deliver(at_risk)
    sent = [(json.loads(r.body)["audience"], len(r.people)) for r in hook.requests]
    assert sent == [("at_risk", 2)]


@pytest.fixture()
def crowd(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(webhook.Webhook, "batch_size", 100)
    return [f"cus_{number:03}" for number in range(21)]


def test_an_audience_does_not_empty_by_accident(
    hook: Any, sync: Sync, people: People, crowd: list[str]
) -> None:
    people(*crowd)
    deliver(sync)
    people()
    hook.requests.clear()
    with pytest.raises(MassRemovalError, match="allow-mass-removal"):
        deliver(sync)
    assert hook.requests == []


def test_an_audience_empties_when_that_is_meant(
    hook: Any, sync: Sync, people: People, crowd: list[str]
) -> None:
    people(*crowd)
    deliver(sync)
    people()
    assert deliver(sync, allow_mass_removal=True).removed == 21


def test_a_small_audience_empties_without_asking(
    hook: Any, sync: Sync, people: People, crowd: list[str]
) -> None:
    people(*crowd[:20])
    deliver(sync)
    people()
    assert deliver(sync).removed == 20


def test_a_destination_without_an_address_is_off(sync: Sync) -> None:
    assert deliver(sync).is_off


def test_an_unknown_destination_names_those_that_exist() -> None:
    with pytest.raises(UnknownDestinationError, match="no destination pigeon, only webhook"):
        destination("pigeon")


def test_a_person_who_was_sent_is_erased_at_the_destination(
    hook: Any, sync: Sync, people: People
) -> None:
    people("ann")
    deliver(sync)
    hook.requests.clear()
    forget(sync, "ann")
    told = [(p["operation"], p["customer_id"], p["email"]) for r in hook.requests for p in r.people]
    assert told == [("erase", "ann", "ann@example.com")]


def test_a_person_who_was_never_sent_is_not_named_to_the_destination(
    hook: Any, sync: Sync, people: People
) -> None:
    people("ann")
    deliver(sync)
    hook.requests.clear()
    forget(sync, "bob")
    assert hook.requests == []


@pytest.mark.parametrize("status", [400, 500, 302])
def test_an_erasure_that_was_not_confirmed_raises_with_advice(
    hook: Any, sync: Sync, people: People, status: int
) -> None:
    people("ann")
    deliver(sync)
    hook.always = (status, {}, b"")
    with pytest.raises(DestinationUnavailableError, match="run `cdp erase` again"):
        forget(sync, "ann")


def test_the_ledger_holds_no_payload(hook: Any, sync: Sync, people: People) -> None:
    people("ann", "bob")
    hook.script = [(200, {}, b'{"rejected": {"ann": "Ann (ann@example.com) unsubscribed"}}')]
    deliver(sync)
    values = [
        str(value) for row in ledger("rejected") + ledger("planned") for value in row.values()
    ]
    assert [value for value in values if "@" in value or "Ann" in value] == []


def test_an_erasure_stops_at_a_destination_that_holds_the_person_and_is_off(
    hook: Any, sync: Sync, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people("ann")
    deliver(sync)
    monkeypatch.delenv("DESTINATIONS__WEBHOOK__URL")
    with pytest.raises(DestinationUnavailableError, match="switched off"):
        forget(sync, "ann")
