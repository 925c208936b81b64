"""A real tracker's events make exactly the page views, sessions and users that are known of them.

Snowplow leaves some events out that we keep: those sent more than three days after they happened,
those more than three days after their session began, and page views without an id. The mapping
drops them, so that both sides speak of the same events.
"""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import warehouse
from tests import warm
from tests.conftest import environment, use_home

pytestmark = pytest.mark.slow
DATA = Path(__file__).parents[1] / "data" / "web_sessions"
WINDOW = timedelta(days=3)  # of Snowplow's package, for late events and for long sessions
Row = dict[str, str]


def rows(name: str) -> list[Row]:
    """One file of the set."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def when(text: str) -> datetime:
    """A time of the set, which is in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def happened(row: Row) -> datetime:
    """When it happened, by the clock that the tracker corrected."""
    return when(row["derived_tstamp"])


def received(row: Row) -> datetime:
    """When it was received; some made-up rows were received before they happened."""
    return max(when(row["collector_tstamp"]), happened(row))


def page_view_id(row: Row) -> str | None:
    """The tracker's id of the look at a page, which some events wrap twice."""
    page = json.loads(row["web_page"])[0]
    return str((page[0] if isinstance(page, list) else page)["id"] or "") or None


def kept(events: list[Row]) -> list[Row]:
    """The events that Snowplow's package counts."""
    in_time = [
        row
        for row in events
        if when(row["dvce_sent_tstamp"]) - when(row["dvce_created_tstamp"]) <= WINDOW
        and (page_view_id(row) or row["event_name"] != "page_view")
    ]
    starts: dict[str, datetime] = {}
    for row in sorted(in_time, key=happened):
        starts.setdefault(row["domain_sessionid"], happened(row))
    return [row for row in in_time if happened(row) <= starts[row["domain_sessionid"]] + WINDOW]


def segment_event(row: Row) -> str:
    """One event in the shape of the Segment spec, as a line."""
    is_page = row["event_name"] == "page_view"
    names = {"page_ping": "Page Pinged"}
    created = when(row["dvce_created_tstamp"])
    event = {
        "messageId": row["event_id"],
        "type": "page" if is_page else "track",
        "event": None if is_page else names.get(row["event_name"], row["event_name"]),
        "anonymousId": row["domain_userid"] or None,
        "userId": row["user_id"] or None,
        "timestamp": created.isoformat(),
        "sentAt": (created + (received(row) - happened(row))).isoformat(),
        "receivedAt": received(row).isoformat(),
        "context": context(row),
    }
    return json.dumps(event)


def context(row: Row) -> dict[str, object]:
    """Where the event came from."""
    campaign = {
        "medium": row["mkt_medium"],
        "source": row["mkt_source"],
        "name": row["mkt_campaign"],
    }
    return {
        "page": {
            "url": row["page_url"],
            "path": row["page_urlpath"],
            "referrer": row["page_referrer"],
        },
        "campaign": campaign if row["mkt_medium"] else None,
        "userAgent": row["useragent"],
        "sessionId": row["domain_sessionid"] or None,
        "pageViewId": page_view_id(row),
    }


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory, warm_server: None) -> Path:
    """A company that has these events and nothing else, after a refresh."""
    folder = tmp_path_factory.mktemp("tracker")
    inbox = folder / "inbox"
    inbox.mkdir()
    lines = [segment_event(row) for row in kept(rows("events.csv"))]
    (inbox / "segment.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    env = {**environment(folder / "data"), "SOURCES__WEB__BUCKET_URL": inbox.as_uri()}
    done = warm.run(warm.verb, ["refresh"], env=env, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "data"


@pytest.fixture()
def home(replayed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test reads that company."""
    return use_home(replayed, monkeypatch)


def ours(query: str) -> list[Row]:
    """The rows of a query as texts, in order."""
    return sorted(
        [
            {name: "" if value is None else str(value) for name, value in row.items()}
            for row in warehouse.read(query).to_pylist()
        ],
        key=lambda row: sorted(row.items()),
    )


def theirs(name: str, **columns: str) -> list[Row]:
    """A file of answers, its columns under our names, in order."""
    answers = [
        {
            our: str(when(row[their]).replace(tzinfo=None)) if "tstamp" in their else row[their]
            for our, their in columns.items()
        }
        for row in rows(name)
    ]
    return sorted(answers, key=lambda row: sorted(row.items()))


def test_every_page_view_is_the_known_one() -> None:
    expected = theirs(
        "page_views.csv",
        page_view_id="page_view_id",
        session_id="domain_sessionid",
        anonymous_id="original_domain_userid",
        viewed_at="start_tstamp",
        ended_at="end_tstamp",
        engaged_seconds="engaged_time_in_s",
        page_number="page_view_in_session_index",
        pages_in_session="page_views_in_session",
        page_path="page_urlpath",
    )

    assert ours(f"select {', '.join(expected[0])} from marts.fct_page_views") == expected


def test_every_session_is_the_known_one() -> None:
    expected = theirs(
        "sessions.csv",
        session_id="domain_sessionid",
        anonymous_id="domain_userid",
        started_at="start_tstamp",
        ended_at="end_tstamp",
        page_views="page_views",
        events="total_events",
        engaged_seconds="engaged_time_in_s",
        entry_page_path="first_page_urlpath",
        exit_page_path="last_page_urlpath",
        campaign_medium="mkt_medium",
        campaign_source="mkt_source",
        campaign_name="mkt_campaign",
    )

    found = ours(f"select {', '.join(expected[0])} from marts.fct_sessions where page_views > 0")

    assert found == expected


def test_every_user_is_the_known_one() -> None:
    found = ours("""
        select
            anonymous_id,
            min(started_at) as started_at,
            max(ended_at) as ended_at,
            cast(sum(page_views) as bigint) as page_views,
            count(*) as sessions,
            cast(sum(engaged_seconds) as bigint) as engaged_seconds
        from marts.fct_sessions
        where page_views > 0 and anonymous_id is not null
        group by anonymous_id
    """)

    assert found == theirs(
        "users.csv",
        anonymous_id="domain_userid",
        started_at="start_tstamp",
        ended_at="end_tstamp",
        page_views="page_views",
        sessions="sessions",
        engaged_seconds="engaged_time_in_s",
    )
