"""The demo on the whole ledger: the numbers that anyone can check."""

import subprocess
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

import warehouse
from tests.conftest import CDP, environment, use_home

pytestmark = pytest.mark.slow
SECOND_FILE = Decimal("9747747.93")  # the value of the 2010-2011 sheet, as published


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo as `make demo` runs it."""
    home = tmp_path_factory.mktemp("demo") / "data"
    done = subprocess.run(
        [CDP, "demo"], env=environment(home), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture(autouse=True)
def _on_the_demo(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_home(demo_home, monkeypatch)


def _amount(query: str) -> Decimal:
    return Decimal(warehouse.read(query).column(0)[0].as_py()).quantize(Decimal("0.01"))


def test_the_second_file_reconciles_to_the_penny_in_lake_and_marts() -> None:
    lake = _amount(
        "select sum(quantity * cast(price as decimal(18, 3))) from raw_shop.order_lines"
        " where origin = '2010_2011.parquet'"
    )
    marts = _amount(
        "select sum(amount) from marts.ledger_reconciliation where origin = '2010_2011.parquet'"
    )
    assert (lake, marts) == (SECOND_FILE, SECOND_FILE)


def test_every_line_of_the_ledger_is_counted_once_with_a_reason() -> None:
    lines = warehouse.read("select sum(lines) from marts.ledger_reconciliation").column(0)[0]
    assert int(lines.as_py()) == 1_067_370


def test_the_overlap_of_the_two_files_is_taken_out_once() -> None:
    duplicates = warehouse.read(
        "select origin, lines from marts.ledger_reconciliation where reason = 'duplicate'"
    )
    assert duplicates.to_pylist() == [{"origin": "2010_2011.parquet", "lines": 22_523}]


def test_counted_orders_and_refunds_are_what_the_reconciliation_says() -> None:
    books = _amount("select sum(amount) from marts.ledger_reconciliation where is_counted")
    marts = _amount(
        "select (select sum(order_amount) from marts.fct_orders where channel = 'shop')"
        " - (select sum(refund_amount) from marts.fct_refunds"
        " where channel = 'shop' and is_counted)"
    )
    assert marts == books


def test_every_web_event_is_in_the_marts_exactly_once(demo_home: Path) -> None:
    lines = (
        line
        for path in (demo_home / "inbox" / "web").glob("*.jsonl")
        for line in path.read_text().splitlines()
    )
    sent = {line.partition('"messageId":"')[2][:36] for line in lines}
    kept = warehouse.read("select event_id from marts.fct_events").column(0).to_pylist()
    assert (set(kept), len(kept)) == (sent, len(sent))


def test_few_strangers_are_merged_and_most_records_of_a_person_come_together(
    demo_home: Path,
) -> None:
    """Pairs of records against the truth. Browsers without a login share nothing to be found by.

    The bounds leave a little room below what the demo measured when they were set: 0.986 and 0.940.
    """
    truth = {
        row["record_key"]: row["person_id"]
        for row in pq.read_table(demo_home / "truth" / "records.parquet").to_pylist()
        if row["source"] != "web"
    }
    rows = warehouse.read("select record_key, customer_id from identity.identity_map").to_pylist()
    customers = {r["record_key"]: r["customer_id"] for r in rows if r["record_key"] in truth}
    found, true = _pairs(customers), _pairs({record: truth[record] for record in customers})
    precision, recall = len(found & true) / len(found), len(found & true) / len(true)
    told = f"precision {precision:.4f}, recall {recall:.4f}"
    assert (precision > 0.97, recall > 0.92) == (True, True), told


def _pairs(owner: dict[str, str]) -> set[tuple[str, str]]:
    groups: dict[str, list[str]] = {}
    for record, customer in sorted(owner.items()):
        groups.setdefault(customer, []).append(record)
    return {pair for records in groups.values() for pair in combinations(records, 2)}


def test_nobody_is_delivered_without_consent() -> None:
    uncovered = warehouse.read(
        "select deliveries.customer_id from activation.deliveries"
        " left join profiles.customer_consents as consents"
        " on deliveries.customer_id = consents.customer_id and consents.purpose = 'marketing'"
        " and consents.channel = 'email' and consents.is_granted"
        " where consents.customer_id is null"
    )
    assert uncovered.num_rows == 0


def test_the_published_copy_answers_without_the_warehouse(demo_home: Path) -> None:
    with duckdb.connect(str(demo_home / "serving" / "insights.duckdb"), read_only=True) as copy:
        people = copy.sql("select count(*) from customer_360.customer_360").fetchall()[0][0]
    assert people == warehouse.read("customer_360.customer_360").num_rows
