import dataclasses

import pytest

import warehouse
from ingestion import contracts, suppression
from ingestion.books import Book
from ingestion.pipeline import load
from tests.ingestion.samples import Crm, Drops, event, receipt_line, receipts, seen

CAME_IN = Book(table="contacts", received=9, accepted=4, quarantined=3, duplicate=1, suppressed=1)
WHOLE = dataclasses.replace(CAME_IN, accepted_in_lake=4, refused_in_lake=3)


def test_every_row_is_booked_where_it_went(crm: Crm) -> None:
    crm.contact()
    load("crm")
    suppression.add([suppression.tombstone("email", "erased@example.com")])
    crm.contact(contact_id=2)
    crm.contact(contact_id=3, email="erased@example.com")
    crm.contact(contact_id=4, birth_date="soon")

    (book,) = load("crm").books

    assert book == Book("contacts", 4, 1, 1, 1, 1, accepted_in_lake=1, refused_in_lake=1)


def test_a_file_that_cannot_be_read_is_one_row_received(pos: Drops) -> None:
    pos.drop("a.csv", b"\x00\xff\x13garbage")
    pos.drop("b.csv", receipts(receipt_line(), "torn"))

    (book,) = load("pos").books

    assert (book.received, book.accepted, book.quarantined) == (3, 1, 2)


@pytest.mark.parametrize(
    ("book", "problem"),
    [
        (WHOLE, ""),
        (dataclasses.replace(WHOLE, received=8), "8 rows were received, but 9 are accounted for"),
        (dataclasses.replace(WHOLE, accepted_in_lake=3), "4 rows were accepted, but 3 are in the"),
        (dataclasses.replace(WHOLE, refused_in_lake=4), "3 rows were refused, but 4 are in the"),
        (Book("contacts", accepted=2, quarantined=-2, let_go=2, accepted_in_lake=2), ""),
    ],
)
def test_books_balance_or_say_why_not(book: Book, problem: str) -> None:
    assert problem in book.problem and bool(problem) == bool(book.problem)


def test_a_row_that_a_step_loses_is_missed_by_the_books(
    web: Drops, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = contracts.check

    def losing_one(*given: object) -> contracts.Checked:
        checked = whole(*given)  # type: ignore[arg-type]
        return dataclasses.replace(checked, accepted=checked.accepted.slice(1))

    monkeypatch.setattr(contracts, "check", losing_one)
    web.drop("1.jsonl", "\n".join([event(), event("m2"), event("m3")]))

    (book,) = load("web").books
    (web.folder.parent / "data" / "lake").rename(
        web.folder.parent / "lost"
    )  # books_balance would fail

    assert book.problem == "events: 3 rows were received, but 2 are accounted for"


def test_the_warehouse_shows_the_books_of_a_load(pos: Drops) -> None:
    pos.drop("a.csv", receipts(receipt_line(), "torn"))
    load("pos")

    entries = seen("select entry, rows from raw_pos.books order by entry")

    assert {row["entry"]: row["rows"] for row in entries} == {
        "received": 2,
        "accepted": 1,
        "quarantined": 1,
    }
    assert warehouse.exists("raw_pos.replays")
