import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from ingestion.pipeline import load
from tests.ingestion.samples import ORDER_LINE, Shop, seen, seen_values

ACCOUNT = {"user_id": 7, "email": "ann@example.com", "updated_at": "2020-01-01 08:00:00"}
LINES, REFUSED = "raw_shop.order_lines", "raw_shop.quarantine"


def test_loading_twice_adds_nothing(shop: Shop) -> None:
    shop.export("order_lines", "1", [ORDER_LINE])
    shop.export("accounts", "1", [ACCOUNT])

    counts = [load("shop").accepted for _ in range(2)]

    assert (counts, len(seen(LINES)), len(seen("raw_shop.accounts"))) == ([2, 0], 1, 1)


def test_a_new_file_is_added(shop: Shop) -> None:
    shop.export("order_lines", "1", [ORDER_LINE])
    load("shop")
    shop.export("order_lines", "0", [{**ORDER_LINE, "invoice": "2"}])
    load("shop")

    assert seen_values(LINES, "invoice") == ["2", "536365"]


def test_a_changed_file_is_read_again(shop: Shop) -> None:
    shop.export("order_lines", "1", [ORDER_LINE])
    load("shop")
    shop.export("order_lines", "1", [{**ORDER_LINE, "invoice": "longer"}])
    load("shop")

    assert seen_values(LINES, "invoice") == ["536365", "longer"]


def test_columns_have_their_declared_types_and_rows_their_load(shop: Shop) -> None:
    shop.export("order_lines", "1", [{**ORDER_LINE, "price": "2.55", "quantity": 6.0}])
    load("shop")
    (row,) = seen(f"select *, _dlt_load_id is not null as has_load from {LINES}")

    assert row.pop("_dlt_load_id") and row == {
        **ORDER_LINE,
        "invoice_date": datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
        "currency": None,
        "line_id": None,
        "updated_at": None,
        "origin": "1.parquet",
        "has_load": True,
    }


def test_a_guest_and_a_line_in_another_currency_load_beside_files_of_before(shop: Shop) -> None:
    guest = {"invoice": "536365", "email": "ann@example.com", "ordered_at": "2010-12-01 08:26:00"}
    shop.export("order_lines", "1", [ORDER_LINE])
    shop.export("order_lines", "2", [{**ORDER_LINE, "currency": "EUR"}])
    shop.export("order_contacts", "1", [guest])
    load("shop")

    assert seen_values(LINES, "currency") == ["EUR", None]
    assert seen_values("raw_shop.order_contacts", "email") == ["ann@example.com"]


BREACHES: list[tuple[str, Any, str]] = [
    ("quantity", "six", "quantity is not a bigint"),
    ("quantity", 2.5, "quantity is not a bigint"),
    ("quantity", 1e30, "quantity is not a bigint"),
    ("quantity", {"value": 6}, "quantity is not a bigint"),
    ("quantity", b"\xff", "quantity is not a bigint"),
    ("price", "free", "price is not a double"),
    ("price", float("nan"), "price is not a double"),
    ("price", float("inf"), "price is not a double"),
    ("invoice_date", "0000-01-01", "invoice_date is not a timestamp"),
    ("invoice_date", "99999-01-01", "invoice_date is not a timestamp"),
    ("invoice_date", "infinity", "invoice_date is not a timestamp"),
    ("invoice_date", "last Tuesday", "invoice_date is not a timestamp"),
    ("invoice_date", 20101201, "invoice_date is not a timestamp"),
    ("invoice", None, "invoice is missing"),
    ("invoice", " ", "invoice is missing"),
]


def test_a_value_that_breaks_the_contract_keeps_only_its_row_out(shop: Shop) -> None:
    for number, (column, value, _) in enumerate(BREACHES, start=100):
        rows = [{**ORDER_LINE, column: value}]
        shop.export("order_lines", str(number), rows)
    shop.export("order_lines", "good", [ORDER_LINE])

    report = load("shop")

    assert report.accepted == 1
    assert [row["reason"] for row in seen(f"select reason from {REFUSED} order by origin")] == [
        reason for _, _, reason in BREACHES
    ]


def test_the_payload_of_a_refused_row_is_the_row_as_it_came(shop: Shop) -> None:
    shop.export("order_lines", "1", [{**ORDER_LINE, "price": "free"}])
    load("shop")
    (payload,) = seen_values(REFUSED, "payload")

    assert json.loads(payload) == {"origin": "1.parquet", **ORDER_LINE, "price": "free"}


def test_the_first_and_the_last_year_are_times(shop: Shop) -> None:
    moments = ["0001-01-01 00:00:00", "9999-12-31 23:59:59"]
    shop.export("order_lines", "1", [{**ORDER_LINE, "invoice_date": m} for m in moments])

    assert load("shop").accepted == 2


def test_a_missing_key_column_keeps_its_rows_out(shop: Shop) -> None:
    rows = [{k: v for k, v in ORDER_LINE.items() if k != "invoice"}] * 3
    shop.export("order_lines", "1", rows)

    report = load("shop")

    assert (report.accepted, report.quarantined) == (0, 3)


def test_a_file_that_is_no_parquet_keeps_no_other_out(shop: Shop) -> None:
    shop.export("order_lines", "good", [ORDER_LINE])
    (shop.folder / "order_lines/bad.parquet").write_bytes(b"PAR1 not really")
    (shop.folder / "order_lines/empty.parquet").write_bytes(b"")

    report = load("shop")

    assert (report.accepted, seen_values(REFUSED, "origin")) == (
        1,
        ["bad.parquet", "empty.parquet"],
    )


def test_a_parquet_file_with_broken_pages_keeps_no_other_out(shop: Shop) -> None:
    shop.export("order_lines", "good", [ORDER_LINE])
    shop.export("order_lines", "torn", [ORDER_LINE] * 1000)
    torn = shop.folder / "order_lines/torn.parquet"
    raw = bytearray(torn.read_bytes())
    raw[4:400] = b"\xff" * 396
    torn.write_bytes(raw)

    report = load("shop")

    assert (report.accepted, seen_values(REFUSED, "origin")) == (1, ["torn.parquet"])


def test_a_new_column_flows_in_as_text_whatever_it_was_before(shop: Shop) -> None:
    rows = pa.Table.from_pylist([ORDER_LINE])
    kinds: list[Any] = [1, "x", 2.5, {"a": [1]}, [1, 2], b"\xff", True, None, date(2020, 1, 1)]
    for number, value in enumerate(kinds):
        shop.export("order_lines", str(number), rows.append_column("Gift Wrap", pa.array([value])))
        load("shop") if number < 2 else None
    load("shop")

    assert [row["gift_wrap"] for row in seen(f"select * from {LINES} order by origin")] == [
        *("1", "x", "2.5", '{"a":[1]}', "[1,2]", "\\xFF", "true", None, "2020-01-01")
    ]


def test_columns_of_the_same_name_and_of_our_own_names_do_no_harm(shop: Shop) -> None:
    rows = pa.Table.from_pylist([ORDER_LINE])
    for name in ("Price", "origin", "_dlt_load_id", "", "batch", "incoming_rows", "a.b", 'a"b'):
        rows = rows.append_column(name, pa.array(["theirs"]))
    shop.export("order_lines", "1", rows)

    load("shop")

    assert seen(f"select price, origin, origin_11 from {LINES}") == [
        {"price": 2.55, "origin": "1.parquet", "origin_11": "theirs"}
    ]
