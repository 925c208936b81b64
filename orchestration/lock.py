"""One writer at a time: a refresh, or a verb that loads."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import settings
from settings import ForeseenError


class RefreshRunningError(ForeseenError):
    """Another refresh is at work."""


@contextmanager
def only_one() -> Iterator[None]:
    """Keep other refreshes of this command out; the lock dies with its process.

    Raises RefreshRunningError when one is running already.
    """
    path = settings.home() / "refresh.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefreshRunningError(
                "Another `cdp refresh` is running. Wait for it to end, or stop it."
            ) from error
        yield
