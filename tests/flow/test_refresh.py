"""One refresh and the next: what must not change, what must go on, what must be kept."""

import os
import random
import resource
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import warehouse
from orchestration import demo
from tests.conftest import CDP, SMALL, Run, environment, use_home

pytestmark = pytest.mark.slow
OF_THE_MOMENT = (  # they know when, or more
    "activation.deliveries",
    "identity.customer_id_",
    "identity.identity_events",
    "identity.refreshes",
    "profiles.profile_history",
    "published.about",
    "scores.",
)
FINGERPRINT = """
select concat(count(*), ':', md5(string_agg(row_hash, '' order by row_hash)))
from (
    select md5(cast(t as varchar)) as row_hash
    from (select columns(lambda name: name not in ('loaded_at', 'known_on')) from {}) as t
)
"""


def fingerprints() -> dict[str, str]:
    """One hash per table, of its rows in any order."""
    with warehouse.transaction() as session:
        tables = [table for table in session.tables() if not table.startswith(OF_THE_MOMENT)]
        return {
            table: session.read(FINGERPRINT.format(table)).column(0)[0].as_py() for table in tables
        }


def delivered(home: Path) -> list[str]:
    """Every line that reached the destination."""
    files = (home / "delivered").rglob("*.jsonl")
    return sorted(f"{p.parent.name} {line}" for p in files for line in p.read_text().splitlines())


def test_a_second_refresh_with_nothing_new_changes_nothing(company_copy: Path, cdp: Run) -> None:
    before = (fingerprints(), delivered(company_copy))

    done = cdp("refresh")

    assert (done.returncode, (fingerprints(), delivered(company_copy))) == (0, before)


def test_a_refresh_killed_in_every_stage_equals_one_clean_run(
    home: Path, refreshed_home: Path, cdp: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.prepare(SMALL)
    chance = random.Random(0)
    for step in (
        "load_pos",
        "dbt_models_3",
        "identity_refresh",
        "dbt_models_2",
        "ml__customer_clusters",
        "dbt_models",
        "activation__deliveries",
        "published__about",
    ):
        _kill_in(home, step, chance)

    done = cdp("refresh")

    killed = (done.returncode, fingerprints(), delivered(home))
    use_home(refreshed_home, monkeypatch)
    assert killed == (0, fingerprints(), delivered(refreshed_home))


ORDER = (
    "dbt_models_4",
    "load_ads",
    "load_crm",
    "load_dmp",
    "load_email",
    "load_partner",
    "load_pos",
    "load_shop",
    "load_social",
    "load_support",
    "load_web",
    "privacy__retention",
    "dbt_models_3",
    "identity_refresh",
    "identity__refreshes_few_records_changed_their_customer",
    "dbt_models_2",
    "ml__channel_credits",
    "ml__customer_clusters",
    "dbt_models",
    "activation__deliveries",
    "published__about",
)
LONGEST_WAIT = {"dbt_models_3": 6.0, "dbt_models_2": 6.0, "dbt_models": 3.5}  # seconds


def _kill_in(home: Path, step: str, chance: random.Random) -> None:
    """Start a refresh and kill -9 all of it at a random moment of this step."""
    process = subprocess.Popen(
        [CDP, "refresh"],
        env={**environment(home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    before = ORDER[ORDER.index(step) - 1]
    for line in process.stdout:
        if f" {before} " in line or line.rstrip().endswith(before):
            time.sleep(chance.uniform(0, LONGEST_WAIT.get(step, 0.3)))
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_refresh_without_the_truth_makes_the_same_tables(
    home: Path, refreshed_home: Path, cdp: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.prepare(SMALL)
    (home / "truth").rename(home.parent / "truth")

    done = cdp("refresh")

    blind = (done.returncode, fingerprints())
    use_home(refreshed_home, monkeypatch)
    assert blind == (0, fingerprints())


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


def test_a_full_disk_is_told_and_the_next_refresh_is_whole(company_copy: Path, cdp: Run) -> None:
    before = fingerprints()
    small = 1_000_000  # bytes a file may have: less than the warehouse needs
    full = subprocess.run(
        [CDP, "refresh"],
        env=environment(company_copy),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (small, small)),
    )

    done = cdp("refresh")

    told = "Free some space" in " ".join(full.stdout.split())
    assert (full.returncode, told, done.returncode, fingerprints() == before) == (1, True, 0, True)


@pytest.mark.parametrize("people", ["0", "1", "2"])
def test_a_company_of_hardly_anybody_ends_green_and_is_scored(people: str, cdp: Run) -> None:
    made, scored = cdp("demo", "--people", people), cdp("score")
    assert (made.returncode, scored.returncode) == (0, 0), made.stdout + scored.stdout
