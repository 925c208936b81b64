import hashlib
import hmac

import pyarrow as pa
import pytest

from ingestion import suppression
from ingestion.pipeline import load
from ingestion.sources.crm import CONTACTS
from tests.ingestion.samples import Crm, Drops, Shop, receipt_line, receipts, seen, seen_values


@pytest.mark.parametrize("email", ["ann@example.com", "ANN@Example.com", "  ann@example.COM\t\n"])
def test_an_erased_person_does_not_come_back(crm: Crm, email: str) -> None:
    suppression.add([suppression.tombstone("email", "Ann@example.com ")])
    crm.contact(email=email)
    crm.contact(contact_id=2, email="bob@example.com")

    load("crm")

    assert seen_values("raw_crm.contacts", "contact_id") == [2]


@pytest.mark.parametrize("secret", ["short", "x" * 64, "x" * 65, "ü" * 40])
@pytest.mark.parametrize(
    "value", ["É@x.fr", "o'hara@x.ie", "İ@x.tr", "ß@x.de", "\u00a0a@b \t\r\n", "a\x00b"]
)
def test_a_tombstone_is_the_same_in_python_and_in_sql(
    monkeypatch: pytest.MonkeyPatch, secret: str, value: str
) -> None:
    monkeypatch.setenv("CDP_SECRET", secret)
    suppression.add([suppression.tombstone("email", value)])
    rows = pa.table(
        {"contact_id": [1], "email": [value], "loyalty_number": pa.array([None], pa.string())}
    )

    assert suppression.without_erased_people(CONTACTS, rows).rows.num_rows == 0


def test_a_receipt_of_an_erased_person_keeps_the_takings_and_loses_the_card(pos: Drops) -> None:
    suppression.add([suppression.tombstone("loyalty_number", "L1")])
    pos.drop("a.csv", receipts(receipt_line(), receipt_line("R2", loyalty_number="L2")))

    load("pos")

    assert seen("select loyalty_number, unit_price from raw_pos.receipt_lines order by 1") == [
        {"loyalty_number": "L2", "unit_price": 2.95},
        {"loyalty_number": None, "unit_price": 2.95},
    ]


def test_a_number_is_suppressed_too(shop: Shop) -> None:
    suppression.add([suppression.tombstone("user_id", "7")])
    rows = [{"user_id": number, "updated_at": "2020-01-01"} for number in (7, 8)]
    shop.export("accounts", "1", rows)

    load("shop")

    assert seen_values("raw_shop.accounts", "user_id") == [8]


def test_a_refused_row_of_an_erased_person_stays_out_of_the_quarantine(crm: Crm) -> None:
    suppression.add([suppression.tombstone("email", "ann@example.com")])
    crm.contact(birth_date="soon")

    assert load("crm").quarantined == 0


def test_a_tombstone_is_an_hmac_of_kind_and_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDP_SECRET", "key")
    digest = hmac.new(b"key", b"email:ann@example.com", hashlib.sha256).hexdigest()

    assert suppression.tombstone("email", " Ann@example.com") == digest


def test_adding_twice_remembers_once() -> None:
    for _ in range(2):
        suppression.add(["a", "b"])

    assert suppression.suppressed().column("tombstone").to_pylist() == ["a", "b"]
