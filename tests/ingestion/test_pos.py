from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingestion import drops
from ingestion.pipeline import load
from tests.ingestion.samples import Drops, receipt_line, receipts, seen, seen_values

LINES, REFUSED = "raw_pos.receipt_lines", "raw_pos.quarantine"


def outcome() -> tuple[list[str], list[str]]:
    """The receipts that are seen, and what was refused."""
    load("pos")
    return seen_values(LINES, "receipt_id"), seen_values(REFUSED, "payload")


def test_loading_twice_adds_nothing(pos: Drops) -> None:
    pos.drop("a.csv", receipts(receipt_line()))
    load("pos")

    assert outcome() == (["R1"], [])


def test_a_new_file_is_added_even_when_its_name_is_older(pos: Drops) -> None:
    pos.drop("b.csv", receipts(receipt_line("R1")))
    load("pos")
    pos.drop("a.csv", receipts(receipt_line("R0")))

    assert outcome() == (["R0", "R1"], [])


def test_columns_have_their_declared_types_and_rows_their_load(pos: Drops) -> None:
    pos.drop("a.csv", receipts(receipt_line(loyalty_number="")))
    load("pos")
    (row,) = seen(LINES)

    assert row.pop("_dlt_load_id") and row == {
        "receipt_id": "R1",
        "line_number": 1,
        "store": "Leeds",
        "sold_at": datetime(2011, 9, 10, 9, 1, 20, tzinfo=UTC),
        "loyalty_number": None,
        "stock_code": "90168",
        "description": "COMB",
        "quantity": 1,
        "unit_price": 2.95,
        "currency": None,
        "refunded_receipt_id": None,
        "origin": "a.csv",
    }


def test_a_refund_in_another_currency_loads_beside_files_of_before(pos: Drops) -> None:
    header, line = receipts(receipt_line("R2", quantity=-1)).splitlines()
    pos.drop("a.csv", receipts(receipt_line("R1")))
    pos.drop("b.csv", f"{header},currency,refunded_receipt_id\n{line},EUR,R1\n")
    load("pos")

    assert seen(f"select quantity, currency, refunded_receipt_id from {LINES} order by all") == [
        {"quantity": -1, "currency": "EUR", "refunded_receipt_id": "R1"},
        {"quantity": 1, "currency": None, "refunded_receipt_id": None},
    ]


BAD: list[bytes] = [
    b"R2,1,Leeds",
    b",".join([receipt_line("R2").encode(), b"more", b"and more"]),
    receipt_line("R2", description="\xff").encode("latin-1"),
    receipt_line("R2", description='"LAMP').encode(),
    receipt_line("R2", quantity="two").encode(),
    receipt_line("R2", quantity=1.5).encode(),
    receipt_line("R2", unit_price="nan").encode(),
    receipt_line("", quantity=1).encode(),
    b"\x00\x01\x02\xfe\xff",
    b"\x00,\x01",
]


def test_a_bad_line_keeps_only_itself_out(pos: Drops) -> None:
    good = receipts(receipt_line("R1"), receipt_line("R3")).encode()
    for number, bad in enumerate(BAD):
        pos.drop(f"{number}.csv", good + bad + b"\n" + receipt_line("R4").encode())
    load("pos")
    received = seen(f"select count(*) as received from {LINES} group by origin")
    refused = seen(f"select count(*) as refused from {REFUSED} group by origin")

    assert received == [{"received": 3}] * len(BAD) and refused == [{"refused": 1}] * len(BAD)


def test_what_is_refused_is_kept_as_it_came(pos: Drops) -> None:
    pos.drop("a.csv", receipts(receipt_line("R1"), "R2,1,Leeds").encode() + b"R3,caf\xe9\n")

    assert outcome() == (["R1"], ["R2,1,Leeds", "R3,caf\\xe9"])


def test_quotes_that_close_at_the_next_quote_swallow_no_line(pos: Drops) -> None:
    broken = receipt_line("R1", description='"LAMP')
    quoted = receipt_line("R2", description='"LAMP, RED"')
    pos.drop("a.csv", receipts(broken, quoted, receipt_line("R3")))

    assert outcome() == (["R2", "R3"], [broken])


def test_a_quoted_value_may_span_lines(pos: Drops) -> None:
    pos.drop("a.csv", receipts(receipt_line(description='"LAMP,\n""RED"""')))
    load("pos")

    assert seen_values(LINES, "description") == ['LAMP,\n"RED"']


WITHOUT_ROWS: list[bytes] = [
    b"",
    receipts().encode(),
    receipts().strip().encode(),
    b"\n\n",
    receipts("", "   ").encode(),
    b"\xef\xbb\xbf" + receipts().encode(),
]


def test_a_file_without_rows_is_no_error(pos: Drops) -> None:
    for number, content in enumerate(WITHOUT_ROWS):
        pos.drop(f"{number}.csv", content)
    pos.drop("b.csv", receipts(receipt_line()))

    assert outcome() == (["R1"], [])


def test_any_line_ending_is_read_also_when_they_are_mixed(pos: Drops) -> None:
    text = receipts(receipt_line("R1"), receipt_line("R2"), receipt_line("R3")).encode()
    endings = [b"\r\n", b"\r", b"\n\n", b"\r\r\n"]
    for number, ending in enumerate(endings):
        pos.drop(f"{number}.csv", text.replace(b"\n", ending, 2))
        pos.drop(f"marked {number}.csv", b"\xef\xbb\xbf" + text.replace(b"\n", ending))

    received, payloads = outcome()

    assert (len(received), payloads) == (2 * 3 * len(endings), [])


OF_ANOTHER_KIND: list[bytes] = [
    b"\xff\xfe" + receipts(receipt_line("R2")).encode("utf-16-le"),
    bytes(range(256)) * 8,
    b"store,store,,\n1,2,3,4\n",
    b"%PDF-1.4\n\x00\xe2\xe3\n1 0 obj\n",
    receipts(receipt_line("R2")).replace(",", ";").encode(),
    b"a,b\n1,2\n",
    receipt_line("R2").encode() + b"\n" + receipt_line("R9").encode() + b"\n",
]


def test_a_file_of_another_kind_is_refused_and_keeps_no_other_out(pos: Drops) -> None:
    for number, content in enumerate(OF_ANOTHER_KIND):
        pos.drop(f"{number}.csv", content)
    pos.drop("b.csv", receipts(receipt_line()))
    load("pos")
    refused = seen(f"select distinct origin from {REFUSED}")

    assert (seen_values(LINES, "receipt_id"), len(refused)) == (["R1"], len(OF_ANOTHER_KIND))


def test_every_line_received_is_either_accepted_or_refused(pos: Drops) -> None:
    good = [receipt_line(f"R{number}") for number in range(500)]
    bad = [
        "x",
        receipt_line(quantity="q"),
        receipt_line(description='"open'),
        "1,2,3,4,5,6,7,8,9,0",
    ]
    lines = [
        line for block in zip(*[iter(good)] * 125, strict=True) for line in (*block, bad.pop())
    ]
    pos.drop("a.csv", receipts(*lines))

    report = load("pos")

    assert (report.accepted, report.quarantined) == (500, 4)


def test_columns_may_be_new_missing_or_in_another_order(pos: Drops) -> None:
    pos.drop("a.csv", receipts(receipt_line()))
    pos.drop("b.csv", "till,origin," + receipts("4,x," + receipt_line("R2")))
    pos.drop("c.csv", receipts(receipt_line("R3")).replace(",store", "").replace(",Leeds", ""))
    load("pos")

    assert [
        tuple(row.values()) for row in seen(f"select store, till from {LINES} order by all")
    ] == [
        ("Leeds", "4"),
        ("Leeds", None),
        (None, None),
    ]


def test_a_line_of_three_megabytes_is_read(pos: Drops) -> None:
    pos.drop("a.csv", receipts(receipt_line(description="x" * 3_000_000)))
    load("pos")

    assert len(seen_values(LINES, "description")[0]) == 3_000_000


def test_an_open_quote_before_forty_megabytes_keeps_them(pos: Drops) -> None:
    long = [receipt_line(f"R{number}", description="x" * 100_000) for number in range(400)]
    pos.drop("a.csv", receipts(receipt_line(description='"open'), *long))

    report = load("pos")

    assert (report.accepted, report.quarantined) == (400, 1)


def test_files_are_read_together_up_to_a_size(pos: Drops, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        pos.drop(f"{name}.csv", "x" * (100 if name == "c" else 40))
    files = [drops.Drop(p.name, str(p), p.stat().st_size, "") for p in sorted(pos.folder.iterdir())]
    monkeypatch.setattr(drops, "BATCH_BYTES", 90)

    assert [[drop.path.stem for drop in batch] for batch in drops._batches(files)] == [
        ["a", "b"],
        ["c"],
        ["d"],
    ]


@pytest.mark.parametrize("name", ["a b", "a%20b", "a#é'b"])
def test_a_folder_may_have_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / f"{name}.csv").write_text(receipts(receipt_line()))
    monkeypatch.setenv("SOURCES__POS__BUCKET_URL", (tmp_path / name).as_uri())

    assert outcome() == (["R1"], [])
