"""The REST sources against a server that pages, on 127.0.0.1."""

import json
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ingestion import rest
from ingestion.pipeline import SourceUnavailableError, load, pipeline_for
from ingestion.registry import SOURCES
from simulation.server import Server, answering, serving
from tests.ingestion.samples import API_ROWS, CHANGED, Api, seen, seen_values

PROFILES, REFUSED = "raw_email.profiles", "raw_email.quarantine"
NAUGHTY = Path(__file__).parents[1] / "data/hostile/blns.json"
Row = dict[str, Any]


def profile(number: int = 1, **values: object) -> Row:
    return {**API_ROWS["email"]["profiles"], "profile_id": f"p{number:04}", **values}


@pytest.mark.parametrize("source", API_ROWS)
def test_loading_twice_adds_nothing_and_leaves_no_file(api: Api, home: Path, source: str) -> None:
    for resource, row in API_ROWS[source].items():
        api.rows(source, resource, row)

    counts = [load(source).accepted for _ in range(2)]

    files = list((home / "lake").rglob("*.parquet"))
    tables = len(API_ROWS[source])
    assert (counts, len(files)) == ([tables, 0], tables + 1)  # and the books of the first load


def test_a_changed_row_comes_as_a_new_version_and_the_others_stay(api: Api) -> None:
    api.rows("email", "profiles", profile(1), profile(2))
    load("email")
    changed = profile(1, email="new@example.com", updated_at="2011-09-11T00:00:00Z")
    api.rows("email", "profiles", profile(2), changed)
    load("email")

    assert seen_values(PROFILES, "profile_id") == ["p0001", "p0001", "p0002"]


def test_a_row_of_the_same_second_is_not_missed_whatever_fields_it_brings(api: Api) -> None:
    api.rows("email", "profiles", profile(1))
    load("email")
    api.rows("email", "profiles", profile(1), profile(2, nickname="Annie"))
    load("email")

    assert seen(f"select profile_id, nickname from {PROFILES} order by all") == [
        {"profile_id": "p0001", "nickname": None},
        {"profile_id": "p0002", "nickname": "Annie"},
    ]


@pytest.mark.parametrize("count", [0, 2, 9])
def test_every_page_is_read(api: Api, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(rest, "ROWS_A_PAGE", 2)
    monkeypatch.setattr(rest, "ROWS_A_BATCH", 4)
    api.rows("email", "profiles", *map(profile, range(count)))

    assert load("email").accepted == count
    assert len(set(seen_values(PROFILES, "profile_id"))) == count


def test_trouble_now_and_then_changes_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "ROWS_A_PAGE", 3)
    api.rows("email", "profiles", *map(profile, range(9)))
    with serving(api.folder, "right key", trouble_every=3) as url:
        monkeypatch.setenv("SOURCES__EMAIL__BASE_URL", f"{url}/email")
        counts = [load("email").accepted for _ in range(2)]

    assert (counts, len(set(seen_values(PROFILES, "profile_id")))) == ([9, 0], 9)


BREACHES: list[tuple[str, object, str]] = [
    ("is_subscribed", "perhaps", "is_subscribed is not a boolean"),
    ("is_subscribed", [True], "is_subscribed is not a boolean"),
    ("created_at", 20110910, "created_at is not a timestamp"),
    ("created_at", {"at": CHANGED}, "created_at is not a timestamp"),
    ("updated_at", "soon", "updated_at is not a timestamp"),
    ("updated_at", None, "updated_at is missing"),
    ("profile_id", None, "profile_id is missing"),
    ("profile_id", " ", "profile_id is missing"),
]


@pytest.mark.parametrize(("column", "value", "reason"), BREACHES)
def test_a_changed_type_keeps_only_its_row_out_and_is_refused_once(
    api: Api, column: str, value: object, reason: str
) -> None:
    api.rows("email", "profiles", profile(1), profile(2, **{column: value}))

    reports = [load("email") for _ in range(2)]

    assert [(report.accepted, report.quarantined) for report in reports] == [(1, 1), (0, 0)]
    assert seen_values(REFUSED, "reason") == [reason]


@pytest.mark.parametrize("line", ["7", "null", '"text"', "[1]", '{"profile_id": "\\ud800"}'])
def test_what_is_no_row_keeps_only_itself_out_and_is_refused_once(api: Api, line: str) -> None:
    api.lines("email", "profiles", json.dumps(profile(1)), line, json.dumps(profile(2)))

    reports = [load("email") for _ in range(2)]

    assert [(report.accepted, report.quarantined) for report in reports] == [(2, 1), (0, 0)]
    assert json.loads(seen_values(REFUSED, "payload")[0])["unreadable"] == line


def test_a_change_dated_in_the_future_keeps_no_later_one_out(api: Api) -> None:
    future = profile(1, updated_at="9999-12-31T00:00:00Z")
    api.rows("email", "profiles", future)
    load("email")
    api.rows("email", "profiles", profile(2), future)
    load("email")

    assert seen_values(PROFILES, "profile_id") == ["p0001", "p0002"]


def test_new_fields_flow_in_whatever_they_are_called(api: Api) -> None:
    fields = ["a/b", "a~b", "it's", 'a"b', "Email", "origin", "_dlt_load_id", "", "é", "x.y", "0"]
    api.rows("email", "profiles", profile(1, **dict.fromkeys(fields, "theirs")), profile(2))

    report = load("email")

    (row,) = seen(f"select * from {PROFILES} where profile_id = 'p0001'")
    theirs = [name for name, value in row.items() if value == "theirs"]
    assert (report.accepted, len(theirs), row["email"]) == (2, len(fields), "ann@example.com")


def test_naughty_strings_survive_unchanged(api: Api) -> None:
    naughty: list[str] = json.loads(NAUGHTY.read_text())
    rows = [
        {"interaction_id": f"{number:04}", "text": text, "updated_at": CHANGED}
        for number, text in enumerate(naughty)
    ]
    api.rows("social", "interactions", *rows)
    load("social")

    found = seen("select text from raw_social.interactions order by interaction_id")
    assert [row["text"] for row in found] == naughty


@pytest.mark.parametrize("finished", [("extract",), ("extract", "normalize")])
def test_a_load_that_is_killed_and_run_again_equals_one_clean_load(
    api: Api, finished: tuple[str, ...]
) -> None:
    api.rows("email", "profiles", *map(profile, range(5)))
    pipeline = pipeline_for("email")
    for step in finished:  # a process that dies after this step
        getattr(pipeline, step)(*[SOURCES["email"].open()] if step == "extract" else [])

    load("email")

    assert seen_values(PROFILES, "profile_id") == [f"p{number:04}" for number in range(5)]


def test_a_page_that_is_broken_off_loads_nothing_and_the_next_load_everything(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "ROWS_A_PAGE", 2)
    lines = [json.dumps(profile(number)) for number in range(5)]
    api.lines("email", "profiles", *lines[:3], "{", *lines[3:])
    with pytest.raises(SourceUnavailableError):
        load("email")
    before = seen_values(PROFILES, "profile_id")
    api.lines("email", "profiles", *lines)
    load("email")

    assert (before, len(seen_values(PROFILES, "profile_id"))) == ([], 5)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("API_KEY", "wrong key", "401"),
        ("BASE_URL", "{url}/nowhere", "404"),
        ("BASE_URL", "http://127.0.0.1:1", "SOURCES__EMAIL__BASE_URL"),
        ("API_KEY", None, "SOURCES__EMAIL__API_KEY is not given"),
    ],
)
def test_an_api_that_does_not_let_us_in_says_what_to_check_and_no_secret(
    api: Api, monkeypatch: pytest.MonkeyPatch, setting: str, value: str | None, told: str
) -> None:
    name = f"SOURCES__EMAIL__{setting}"
    monkeypatch.setenv(name, value.format(url=api.url)) if value else monkeypatch.delenv(name)

    with pytest.raises(SourceUnavailableError, match=told) as caught:
        load("email")

    assert "wrong key" not in str(caught.value) and "right key" not in str(caught.value)


@pytest.mark.parametrize("moves", [0, 1])
def test_a_cursor_that_repeats_for_ever_is_an_error(
    api: Api, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    cursors = count()

    class Endless(BaseHTTPRequestHandler):
        """Answers the same row for ever, with the same cursor or always a new one."""

        def do_GET(self) -> None:
            cursor = str(next(cursors) * moves)
            body = json.dumps({"data": [profile()], "next_cursor": cursor}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with answering(Server(Endless)) as url:
        monkeypatch.setenv("SOURCES__EMAIL__BASE_URL", f"{url}/email")
        with pytest.raises(SourceUnavailableError, match="profiles lead in a circle"):
            load("email")


@pytest.mark.parametrize("page", [[], {"rows": []}, {"data": None}, {"data": {}}, 7])
def test_an_answer_that_is_no_page_is_an_error_and_not_an_empty_page(page: object) -> None:
    with pytest.raises(rest.NotAPageError, match="no list named data"):
        rest._data(page, "profiles")
