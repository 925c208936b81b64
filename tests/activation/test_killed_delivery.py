import os
import random
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

import pytest

import warehouse
from activation.deliver import deliver
from activation.destinations import webhook
from activation.syncs import Sync
from tests import warm

CUSTOMERS = [f"cus_{number:03}" for number in range(24)]
MOMENTS = ["request", "answer", "after a while"]
pytestmark = pytest.mark.usefixtures("warm_server")


def deliver_by_twos() -> None:
    """Deliver in batches of two people."""
    webhook.Webhook.batch_size = 2
    deliver(Sync("vip", "webhook", "email"))


def delivery_killed_at(hook: Any, moment: str, batch: int) -> None:
    """Run a delivery in a process of its own and kill it at the request of this number."""
    started = threading.Event()

    def kill(number: int) -> None:
        if number == batch:
            started.wait()
            process.kill()
            wait([process.sentinel])

    def kill_later(number: int) -> None:
        if number == batch:
            threading.Timer(random.Random(batch).uniform(0, 0.05), process.kill).start()

    def wait_for_the_kill(number: int) -> None:
        if number == batch + 3:  # a delivery must not end before a timer that is late
            wait([process.sentinel])

    hook.on_request = kill if moment == "request" else wait_for_the_kill
    hook.on_answer = {"answer": kill, "after a while": kill_later}.get(moment, lambda _: None)
    process = warm.start(deliver_by_twos, env=os.environ)
    started.set()
    process.join()
    assert process.exitcode == -signal.SIGKILL, "the delivery ended before it was killed"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_delivery_takes_effect_exactly_once(
    hook: Any, sync: Sync, people: Callable[..., None], moment: str
) -> None:
    people(*CUSTOMERS)
    for batch in (1, 4, 8):
        delivery_killed_at(hook, moment, batch=batch)
    hook.on_request = hook.on_answer = lambda _: None
    deliver(sync)
    assert sorted(hook.operations()) == [("add", customer) for customer in CUSTOMERS]


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_ledger_and_the_destination_agree_after_a_kill(
    hook: Any, sync: Sync, people: Callable[..., None], moment: str
) -> None:
    people(*CUSTOMERS)
    delivery_killed_at(hook, moment, batch=3)
    hook.on_request = hook.on_answer = lambda _: None
    deliver(sync)
    delivered = warehouse.read(
        "select operation, customer_id from activation.deliveries where state = 'delivered'"
        " order by customer_id"
    ).to_pylist()
    assert [tuple(row.values()) for row in delivered] == sorted(hook.operations())


def test_a_batch_sent_again_has_the_same_key_and_body(
    hook: Any, sync: Sync, people: Callable[..., None]
) -> None:
    people(*CUSTOMERS)
    delivery_killed_at(hook, "request", batch=3)
    hook.on_request = lambda _: None
    deliver(sync)
    cut_off, again = hook.requests[2:4]
    assert (cut_off.key, cut_off.body) == (again.key, again.body)


def test_two_deliveries_at_once_send_everything_once(
    hook: Any, sync: Sync, people: Callable[..., None]
) -> None:
    people(*CUSTOMERS)
    for process in [warm.start(deliver_by_twos, env=os.environ) for _ in range(2)]:
        process.join()
    assert sorted(p["customer_id"] for r in hook.requests for p in r.people) == CUSTOMERS
