"""What the company's REST APIs answer, and when the demo lets them."""

import json
import os
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from orchestration import demo
from simulation.server import Server, serving

ROWS = [{"campaign_id": str(day), "updated_at": f"2011-09-0{day}T00:00:00Z"} for day in range(1, 8)]


@pytest.fixture()
def url(home: Path) -> Iterator[str]:
    """A server of seven campaigns."""
    folder = home / "company" / "rest" / "ads"
    folder.mkdir(parents=True)
    (folder / "campaigns.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    with serving(folder.parent, "key") as url:
        yield f"{url}/ads/campaigns"


def ask(url: str, key: str = "key") -> tuple[int, Any, HTTPMessage]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer), answer.headers
    except HTTPError as error:
        return error.code, json.load(error), error.headers


def test_pages_lead_to_every_row_in_order(url: str) -> None:
    rows, cursor, pages = [], "", 0
    while cursor is not None:
        _, page, _ = ask(f"{url}?limit=3&cursor={cursor}")
        rows, cursor, pages = rows + page["data"], page["next_cursor"], pages + 1

    assert (rows, pages) == (ROWS, 3)


def test_what_changed_since_a_time_includes_that_time(url: str) -> None:
    _, page, _ = ask(f"{url}?updated_since=2011-09-06T00:00:00Z")

    assert page == {"data": ROWS[5:], "next_cursor": None}


@pytest.mark.parametrize(
    ("tail", "key", "status"),
    [
        ("", "wrong", 401),
        ("x", "key", 404),
        ("/../../../truth/people", "key", 404),
        ("?updated_since=soon", "key", 400),
        ("?cursor=!", "key", 400),
        ("?limit=0", "key", 400),
        ("?limit=-1", "key", 400),
    ],
)
def test_a_request_that_cannot_be_answered_is_told_why(
    url: str, tail: str, key: str, status: int
) -> None:
    code, body, _ = ask(url + tail, key)

    assert (code, body["code"], bool(body["message"])) == (status, status, True)


def test_trouble_comes_in_turn_and_says_when_to_come_back(url: str, home: Path) -> None:
    with serving(home / "company" / "rest", "key", trouble_every=2) as troubled:
        answers = [ask(f"{troubled}/ads/campaigns") for _ in range(5)]

    assert [status for status, _, _ in answers] == [200, 500, 200, 429, 200]
    assert answers[3][2]["Retry-After"] == "0"


def test_the_demo_lets_its_apis_answer_for_as_long_as_they_are_asked(url: str, home: Path) -> None:
    (home / "demo.env").touch()
    with demo.apis():
        base, key = os.environ["SOURCES__ADS__BASE_URL"], os.environ["SOURCES__ADS__API_KEY"]
        status, _, _ = ask(f"{base}/campaigns", key)

    assert (status, "SOURCES__ADS__BASE_URL" in os.environ) == (200, False)


def test_a_source_that_is_set_otherwise_is_left_alone(
    url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ADS__BASE_URL", "")
    (home / "demo.env").touch()
    with demo.apis():
        assert "SOURCES__ADS__API_KEY" not in os.environ

    assert os.environ["SOURCES__ADS__BASE_URL"] == ""


def test_nothing_answers_in_a_home_that_is_no_demo(url: str) -> None:
    with demo.apis():
        assert "SOURCES__ADS__BASE_URL" not in os.environ


@pytest.mark.parametrize("error, is_told", [(ConnectionResetError, False), (KeyError, True)])
def test_only_a_client_that_went_away_is_no_news(
    error: type[Exception], is_told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(BaseHTTPRequestHandler) as server:
        try:
            raise error
        except error:
            server.handle_error(None, "a client")

    assert bool(capsys.readouterr().err) == is_told
