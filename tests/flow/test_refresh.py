"""One refresh and the next: what must not change, what must go on, what must be kept."""

import resource
from datetime import datetime
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import warehouse
from tests import warm
from tests.conftest import Run, environment
from tests.flow.state import delivered, fingerprints

pytestmark = pytest.mark.slow


def test_every_check_of_a_refresh_gives_a_result(company: Path) -> None:
    with dg.DagsterInstance.get() as instance:
        events = [
            entry.dagster_event
            for entry in instance.all_logs(instance.get_runs()[-1].run_id)
            if entry.dagster_event
        ]
    planned = {
        event.asset_check_planned_data.asset_check_key
        for event in events
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    }
    given = {
        event.asset_check_evaluation_data.asset_check_key
        for event in events
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    }
    assert (len(given) > 0, planned - given) == (True, set())


def test_bad_input_and_a_dead_source_stop_nobody_else(company_copy: Path, cdp: Run) -> None:
    (company_copy / "company" / "crm.sqlite").rename(company_copy / "crm.away")
    (company_copy / "inbox" / "pos" / "receipts_2011-12-10.csv").write_bytes(b"\x00\xff\x13garbage")
    event = (
        '{"messageId": "new", "type": "page", "anonymousId": "somebody-new",'
        ' "timestamp": "2011-12-09T10:00:00Z", "sentAt": "2011-12-09T10:00:00Z",'
        ' "receivedAt": "2011-12-09T10:00:00Z"}\n{"messageId": "trunc'
    )
    (company_copy / "inbox" / "web" / "segment-20111210-001.jsonl").write_text(event)

    done = cdp("refresh")

    arrived = warehouse.read("select event_id from marts.fct_events where event_id = 'new'")
    refused = warehouse.read("select distinct source from staging.stg_ingestion__quarantine")
    told = "SOURCES__CRM__CREDENTIALS" in done.stdout.replace("\n", "")
    assert (done.returncode, told, arrived.num_rows, sorted(refused["source"].to_pylist())) == (
        1,
        True,
        1,
        ["pos", "web"],
    )


def test_a_failed_blocking_check_keeps_the_last_good_copy(company_copy: Path, cdp: Run) -> None:
    """A crowd that no cap sees: two mailboxes of 900 guest orders, and one guest who used both."""
    published = company_copy / "serving" / "insights.duckdb"
    before = published.read_bytes()
    mails = [f"crowd{number % 2}@mail.org" for number in range(1_800)] + ["crowd0@mail.org"]
    phones = [None] * 1_799 + ["+442071838750"] * 2
    orders = {
        "invoice": [f"9{number:06d}" for number in range(1_801)],
        "email": mails,
        "phone": pa.array(phones, pa.string()),
        "first_name": ["Crowd"] * 1_801,
        "country": ["United Kingdom"] * 1_801,
        "ordered_at": pa.array([datetime(2011, 12, 9)] * 1_801, pa.timestamp("us")),
    }
    folder = company_copy / "company" / "shop" / "order_contacts"
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(orders), folder / "crowd.parquet")

    done = cdp("refresh")

    told = "no_customer_is_a_crowd" in done.stdout.replace("\n", "")
    assert (done.returncode, told, published.read_bytes() == before) == (1, True, True)


def test_a_locked_warehouse_is_told_with_what_to_do(company_copy: Path, cdp: Run) -> None:
    with warehouse.transaction():
        done = cdp("refresh")

    told = " ".join(done.stdout.split())
    assert (done.returncode, "in use by another process" in told) == (1, True)


def _refresh_on_a_full_disk() -> None:
    small = 1_000_000  # bytes a file may have: less than the warehouse needs
    resource.setrlimit(resource.RLIMIT_FSIZE, (small, small))
    warm.verb(["refresh"])


def test_a_full_disk_is_told_and_the_next_refresh_with_nothing_new_changes_nothing(
    company_copy: Path, cdp: Run, tmp_path: Path
) -> None:
    before = (fingerprints(), delivered(company_copy))
    full = warm.run(_refresh_on_a_full_disk, env=environment(company_copy), folder=tmp_path)

    done = cdp("refresh")

    told = "Free some space" in " ".join(full.stdout.split())
    assert (full.returncode, told, done.returncode) == (1, True, 0)
    assert (fingerprints(), delivered(company_copy)) == before
