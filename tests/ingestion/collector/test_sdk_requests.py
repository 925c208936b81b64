import gzip
import json
from pathlib import Path

import pytest
import requests

from ingestion.collector import keys
from ingestion.pipeline import load
from tests.conftest import PATIENCE
from tests.ingestion.collector.conftest import Running
from tests.ingestion.collector.test_requests import EVENTS
from tests.ingestion.samples import seen_values

RECORDED = Path(__file__).parents[2] / "data" / "sdk_requests"
NOT_SENT = {"host", "content-length", "connection"}


def replay(collector: Running, request: dict[str, object]) -> tuple[int, list[dict[str, object]]]:
    """The status of one recorded request sent anew, and the events in it."""
    headers = {name: value for name, value in request["headers"] if name.lower() not in NOT_SENT}  # type: ignore[attr-defined]
    body = request.get("body")
    data = json.dumps(body).encode() if body else b""
    is_gzip = "gzip" in {v for n, v in headers.items() if n.lower() == "content-encoding"}
    answer = requests.request(
        str(request["method"]),
        f"{collector.url}{request['path']}",
        data=gzip.compress(data) if is_gzip else data,
        headers=headers,
        timeout=PATIENCE,
    )
    return answer.status_code, body.get("batch", [body]) if isinstance(body, dict) else []


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.json")), ids=lambda path: path.stem)
def test_what_an_sdk_sends_is_accepted_and_lands_once(collector: Running, path: Path) -> None:
    keys.add("jitsu", key="wksecret")
    replayed = [replay(collector, request) for request in json.loads(path.read_text())]
    collector.stop()
    report = load("web")
    sent = sorted(str(event["messageId"]) for _, events in replayed for event in events)

    assert {status for status, _ in replayed} == {200}
    assert sent and sorted(seen_values(EVENTS, "message_id")) == sent
    assert report.quarantined == 0
