import gzip
import itertools
import json
from pathlib import Path

import pytest
import requests

from ingestion.collector import keys
from ingestion.collector.log import Limits
from ingestion.pipeline import load
from tests.conftest import PATIENCE
from tests.ingestion.collector.conftest import KEY, Running, Serve
from tests.ingestion.samples import seen, seen_values

EVENTS, REFUSED = "raw_web.events", "raw_web.quarantine"
BLNS = Path(__file__).parents[2] / "data" / "hostile" / "blns.json"
GOOD = {"type": "track", "event": "Hi", "userId": "u1", "messageId": "m1"}


def batch(*events: object, **fields: object) -> dict[str, object]:
    return {"batch": list(events), **fields}


def loaded(collector: Running) -> tuple[int, int]:
    collector.stop()
    report = load("web")
    return report.accepted, report.quarantined


def test_an_accepted_event_reaches_the_lake_with_what_the_batch_says(collector: Running) -> None:
    answer = collector.post(
        json=batch(
            {**GOOD, "context": {"ip": "1.2.3.4"}, "writeKey": KEY},
            context={"locale": "en", "ip": "9.9.9.9"},
            sentAt="2026-01-01T00:00:00Z",
        )
    )
    collector.stop()
    load("web")
    (row,) = seen(f"select sent_at is not null as is_sent, context, message_id from {EVENTS}")

    assert (answer.status_code, answer.json()) == (200, {"success": True}) and row == {
        "is_sent": True,
        "context": '{"locale":"en","ip":"1.2.3.4"}',
        "message_id": "m1",
    }


def test_the_write_key_is_nowhere_on_disk(collector: Running, home: Path) -> None:
    collector.post("/v1/t", json={**GOOD, "writeKey": KEY}, auth=None)
    collector.stop()
    files = [path for path in home.rglob("*") if path.is_file()]

    assert len(files) >= 2 and not any(KEY.encode() in path.read_bytes() for path in files)


def test_an_event_without_a_message_id_gets_one(collector: Running) -> None:
    collector.post("/v1/track", json={"event": "Hi", "userId": "u1"})
    collector.post("/v1/track", json={"event": "Hi", "userId": "u1"})
    collector.stop()
    load("web")

    assert len(set(seen_values(EVENTS, "message_id"))) == 2


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/p", "page"), ("/v1/identify", "identify"), ("/v1/s", "screen"), ("/v1/a", "alias")],
)
def test_a_single_event_is_of_the_type_of_its_path(
    collector: Running, path: str, kind: str
) -> None:
    collector.post(path, json={"userId": "u1"})
    collector.stop()
    load("web")

    assert seen_values(EVENTS, "event_type") == [kind]


@pytest.mark.parametrize("given", ["basic", "header", "body", "jitsu"])
def test_the_write_key_may_stand_in_three_places(collector: Running, given: str) -> None:
    body = {**GOOD, **({"writeKey": KEY} if given == "body" else {})}
    header = {"header": KEY, "jitsu": f"id:{KEY}"}.get(given)
    headers = {"X-Write-Key": header} if header else {}
    auth = (KEY, "") if given == "basic" else None

    assert collector.post("/v1/track", json=body, headers=headers, auth=auth).status_code == 200


def test_old_and_new_key_work_until_the_old_one_is_revoked(serve: Serve) -> None:
    new, text = keys.add("site")
    collector = serve()
    before = [collector.post(json=batch(GOOD), key=key).status_code for key in (KEY, text)]
    keys.revoke(keys.all_keys()[0].key_id)
    collector.stop()
    collector = serve()
    after = [collector.post(json=batch(GOOD), key=key).status_code for key in (KEY, text)]

    assert (before, after) == ([200, 200], [401, 200])


def test_a_key_of_one_site_does_not_work_on_another(serve: Serve) -> None:
    keys.revoke(keys.all_keys()[0].key_id)
    _, text = keys.add("shop", origins=("https://shop.example.com",))
    collector = serve()
    ours, theirs = (
        collector.post(json=batch(GOOD), key=text, headers={"Origin": origin})
        for origin in ("https://shop.example.com", "https://evil.example.com")
    )

    assert (ours.status_code, theirs.status_code) == (200, 401) and ours.headers[
        "access-control-allow-origin"
    ] == "https://shop.example.com"


def test_gzip_is_inflated_whatever_the_headers_say(collector: Running) -> None:
    body = gzip.compress(json.dumps(batch(GOOD)).encode())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    assert collector.post(data=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[1]", 400),
        (b"null", 400),
        (b"{}", 400),
        (b'{"batch": 7}', 400),
        (b"\xff\xfe\x00", 400),
        (b"[" * 200_000, 400),
        (b'{"batch": [' + b'{"a":' * 50_000, 400),
        (b"\x1f\x8bnot gzip", 400),
        (gzip.compress(b"{}")[:-4], 400),
        (gzip.compress(b" " * 100_000_000), 413),
        (b" " * 600_000, 413),
        (json.dumps(batch(*[{"type": "track"}] * 2_501)).encode(), 413),
        (json.dumps(batch(*[{"type": "track"}] * 2_500)).encode(), 200),
        (b'{"batch": []}', 200),
    ],
    ids=itertools.count(),
)
def test_a_bad_request_is_told_so(collector: Running, body: bytes, status: int) -> None:
    answer = collector.post(data=body)

    assert answer.status_code == status
    assert set(answer.json()) == ({"success"} if status == 200 else {"code", "message"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/batch", 405),
        ("POST", "/health", 405),
        ("POST", "/v1/nothing", 404),
        ("GET", "/health", 200),
        ("GET", "/metrics", 200),
        ("OPTIONS", "/v1/p", 200),
        ("OPTIONS", "/sourceConfig/", 200),
        ("POST", "/sourceConfig/", 405),
    ],
)
def test_other_paths_and_methods(collector: Running, method: str, path: str, status: int) -> None:
    assert requests.request(method, collector.url + path, timeout=PATIENCE).status_code == status


BAD = [
    b"7",
    b"null",
    b'"text"',
    b"[1, 2]",
    b"{}",
    b'{"type": "nonsense"}',
    b'{"type": ["track"]}',
    b'{"type": "track", "userId": NaN}',
    b'{"type": "track", "userId": "\\ud800"}',
    b'{"type": "track", "userId": "u", "context": {"x": "\\udfff"}}',
    b'{"type": "track", "sentAt": "yesterday"}',
    b'{"type": "track", "timestamp": "10000-01-01T00:00:00Z"}',
    b'{"type": "track", "properties": {"x": "' + b"y" * 33_000 + b'"}}',
]


def test_a_bad_event_keeps_only_itself_out(collector: Running) -> None:
    good = json.dumps(GOOD).encode()
    answers = {
        collector.post(data=b'{"batch": [' + good + b"," + bad + b"," + good + b"]}").status_code
        for bad in BAD
    }

    assert (answers, loaded(collector)) == ({200}, (2 * len(BAD), len(BAD)))


def test_a_refused_event_is_kept_with_its_reason(collector: Running) -> None:
    collector.post(json=batch({"type": "nonsense", "userId": "u1"}))
    collector.stop()
    load("web")

    assert seen(f"select reason, payload from {REFUSED}") == [
        {
            "reason": "type is none of alias, group, identify, page, screen, track",
            "payload": '{"type":"nonsense","userId":"u1"}',
        }
    ]


def test_every_hostile_string_in_every_field_is_accounted_for(collector: Running) -> None:
    fields = ("messageId", "userId", "anonymousId", "event", "timestamp", "sentAt", "type", "x")
    sent = 0
    for text in json.loads(BLNS.read_text()):
        events = [{**GOOD, field: text} for field in fields]
        nested = {**GOOD, "context": {text: text}, "properties": {text: [text]}, "traits": text}
        assert collector.post(json=batch(*events, nested)).status_code == 200
        sent += len(events) + 1

    assert sum(loaded(collector)) == sent


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_an_absurd_year_is_no_crash(collector: Running, year: str) -> None:
    times = {name: f"{year}-01-01T00:00:00Z" for name in ("timestamp", "sentAt")}
    collector.post(json=batch({**GOOD, **times}))

    assert loaded(collector) == (1, 0)


def test_of_duplicate_keys_the_last_counts(collector: Running) -> None:
    collector.post(data=b'{"batch": [{"type":"track","userId":"a","userId":"b"}]}')
    collector.stop()
    load("web")

    assert seen_values(EVENTS, "user_id") == ["b"]


def test_browser_sdks_are_told_to_send_here_and_nowhere_else(collector: Running) -> None:
    path = f"/v1/projects/{KEY}/settings"
    page = {"Origin": "https://shop.example.com"}
    segment, plain = (
        requests.get(collector.url + path, headers=headers, timeout=PATIENCE)
        for headers in (page, {})
    )
    rudder = requests.get(f"{collector.url}/sourceConfig/", auth=(KEY, ""), timeout=PATIENCE)
    host = f"{collector.url.removeprefix('http://')}/v1"
    ours = {"apiKey": KEY, "apiHost": host, "protocol": "https"}

    assert segment.json()["integrations"] == {"Segment.io": ours}
    assert plain.json()["integrations"]["Segment.io"]["protocol"] == "http"
    assert segment.headers["access-control-allow-origin"] == page["Origin"]
    assert (rudder.json()["source"]["enabled"], rudder.json()["source"]["destinations"]) == (
        True,
        [],
    )


@pytest.mark.parametrize("path", ["/v1/projects/wrong/settings", "/sourceConfig"])
def test_settings_are_for_those_with_a_key(collector: Running, path: str) -> None:
    answer = requests.get(collector.url + path, timeout=PATIENCE)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_a_page_may_read_how_long_to_wait(collector: Running) -> None:
    answer = collector.post(json=batch(GOOD), headers={"Origin": "https://shop.example.com"})

    assert answer.headers["access-control-expose-headers"] == "retry-after"


def test_a_full_disk_is_told_with_a_time_to_come_back(serve: Serve) -> None:
    collector = serve(limits=Limits(free_bytes=2**62))
    answer = collector.post(json=batch(GOOD))
    health = requests.get(f"{collector.url}/health", timeout=PATIENCE)

    assert (answer.status_code, answer.headers["retry-after"], health.status_code) == (
        429,
        "30",
        503,
    )


def test_metrics_count_events_by_source_and_outcome(collector: Running) -> None:
    collector.post(json=batch(GOOD, GOOD, 7))
    text = requests.get(f"{collector.url}/metrics", timeout=PATIENCE).text

    assert 'cdp_collector_events_total{source="site",outcome="accepted"} 2' in text
    assert 'cdp_collector_events_total{source="site",outcome="refused"} 1' in text
