"""`cdp collect`: the collector behind uvicorn, one log for each worker.

Needs SOURCES__WEB__BUCKET_URL, the inbox that the web source reads. COLLECTOR__SEGMENT_SECONDS,
COLLECTOR__SEGMENT_MB and COLLECTOR__KEEP_FREE_MB say when a segment is closed and how much of the
disk is left alone.
"""

import os
from pathlib import Path

import uvicorn

from ingestion.collector.app import Collector
from ingestion.collector.keys import KeyRing
from ingestion.collector.log import EventLog, Limits
from ingestion.drops import local_path
from settings import ForeseenError

SETTING = "SOURCES__WEB__BUCKET_URL"
DRAIN_SECONDS = 30  # given to requests that are being answered when the collector is stopped
KEEP_ALIVE_SECONDS = 75  # longer than the proxies in front, so that they close first
MEGABYTE = 1024 * 1024


def inbox() -> Path:
    """The folder that the segments go to; raises ForeseenError when it is not set."""
    if not os.environ.get(SETTING):
        raise ForeseenError(
            f"{SETTING} is not given: set it to the folder that the collector shall fill and the"
            " web source read, such as file:///srv/cdp/inbox/web, then start again."
        )
    return local_path(os.environ[SETTING])


def limits() -> Limits:
    """The limits as the settings give them."""
    usual = Limits()
    return Limits(
        segment_seconds=_number("SEGMENT_SECONDS", usual.segment_seconds),
        segment_bytes=int(_number("SEGMENT_MB", usual.segment_bytes / MEGABYTE) * MEGABYTE),
        free_bytes=int(_number("KEEP_FREE_MB", usual.free_bytes / MEGABYTE) * MEGABYTE),
    )


def worker() -> Collector:
    """The application of one worker process."""
    return Collector(EventLog(inbox(), limits()), KeyRing())


def serve(host: str, port: int, workers: int) -> None:
    """Answer requests until SIGTERM or SIGINT; then finish what has begun and close the log."""
    inbox()
    limits()
    uvicorn.run(
        "ingestion.collector.server:worker",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _number(name: str, usual: float) -> float:
    given = os.environ.get(f"COLLECTOR__{name}", "")
    try:
        return float(given) if given else usual
    except ValueError:
        raise ForeseenError(f"COLLECTOR__{name} is {given!r}, which is no number.") from None
