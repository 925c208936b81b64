import json
from datetime import UTC, datetime

import pytest

from ingestion.pipeline import load
from tests.ingestion.samples import Drops, event, seen, seen_values

EVENTS, REFUSED = "raw_web.events", "raw_web.quarantine"


def lines(*texts: str | bytes) -> bytes:
    return b"\n".join(text.encode() if isinstance(text, str) else text for text in texts) + b"\n"


def test_loading_twice_adds_nothing(web: Drops) -> None:
    web.drop("1.jsonl", lines(event()))

    counts = [load("web").accepted for _ in range(2)]

    assert (counts, seen_values(EVENTS, "message_id")) == ([1, 0], ["m1"])


def test_a_new_segment_is_added_and_an_open_one_is_not(web: Drops) -> None:
    web.drop("1.jsonl", lines(event()))
    load("web")
    web.drop("2.jsonl", lines(event("m2")))
    web.drop(".3.jsonl", lines(event("m3")))
    load("web")

    assert seen_values(EVENTS, "message_id") == ["m1", "m2"]


def test_columns_have_their_declared_types_and_rows_their_load(web: Drops) -> None:
    web.drop("1.jsonl", lines(event(userId=7, properties={"price": 2.5}, traits={"email": "a@b"})))
    load("web")
    (row,) = seen(EVENTS)

    assert row.pop("_dlt_load_id") and row == {
        "message_id": "m1",
        "event_type": "track",
        "event_name": "Product Viewed",
        "anonymous_id": "a1",
        "user_id": "7",
        "email": "a@b",
        "sent_at": datetime(2011, 9, 10, 6, 1, 1, 951000, UTC),
        "occurred_at": datetime(2011, 9, 10, 6, 1, tzinfo=UTC),
        "received_at": datetime(2011, 9, 10, 6, 1, 2, 111000, UTC),
        "properties": '{"price":2.5}',
        "traits": '{"email":"a@b"}',
        "context": None,
        "origin": "1.jsonl",
    }


BAD: list[str | bytes] = [
    event("m2")[:40],
    "[1, 2]",
    "7",
    "null",
    '"text"',
    "not json",
    event("m2") + "x",
    event("m2") + event("m3"),
    event("m2").replace("a1", "\x01"),
    event("m2").replace("a1", "\x00"),
    event("m2").encode().replace(b"a1", b"\xff\xfe"),
    event("m2").replace("a1", "\\ud800"),
    event("m2", timestamp="yesterday"),
    event("m2", receivedAt="0000-01-01T00:00:00Z"),
    event("m2", receivedAt=None),
    event("m2", messageId=""),
    json.dumps({"x": "y"}),
    "{}",
]


def test_a_bad_line_keeps_only_itself_out(web: Drops) -> None:
    for number, bad in enumerate(BAD):
        web.drop(f"{number}.jsonl", lines(event("good"), bad, event("good")))
    load("web")
    good = seen(f"select count(*) as good from {EVENTS} group by origin, message_id")
    refused = seen(f"select count(*) as refused from {REFUSED} group by origin")

    assert good == [{"good": 2}] * len(BAD) and refused == [{"refused": 1}] * len(BAD)


def test_what_is_refused_is_kept_as_it_came(web: Drops) -> None:
    web.drop("1.jsonl", lines('{"a": "\x01"', b'{"a": "\xff"}', "[1]"))
    load("web")

    assert seen(f"select reason, payload, origin from {REFUSED} order by reason, payload desc") == [
        {"reason": "not UTF-8 text", "payload": '{"a": "\\xff"}', "origin": "1.jsonl"},
        {"reason": "not a JSON object", "payload": '{"a": "\x01"', "origin": "1.jsonl"},
        {"reason": "not a JSON object", "payload": "[1]", "origin": "1.jsonl"},
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n \n\t\r\n",
        b"\xef\xbb\xbf",
    ],
)
def test_blank_lines_are_nothing(web: Drops, content: bytes) -> None:
    web.drop("1.jsonl", content + lines(event()).replace(b"\n", b"\r\n") + content)

    report = load("web")

    assert (report.accepted, report.quarantined) == (1, int(content.startswith(b"\xef")))


def test_a_line_of_three_megabytes_is_read(web: Drops) -> None:
    web.drop("1.jsonl", lines(event(properties={"text": "x" * 3_000_000})))
    load("web")

    assert len(seen_values(EVENTS, "properties")[0]) > 3_000_000


def test_of_duplicate_keys_one_is_read(web: Drops) -> None:
    web.drop("1.jsonl", lines(event().replace('"type"', '"messageId": "m9", "type"')))

    assert load("web").accepted == 1


def test_every_line_received_is_either_accepted_or_refused(web: Drops) -> None:
    bad: list[str | bytes] = ["[]", "{", event(receivedAt="x"), b"\xff"]
    web.drop("1.jsonl", lines(*[event(f"m{number}") for number in range(500)], *bad))

    report = load("web")

    assert (report.accepted, report.quarantined) == (500, 4)
