"""Log segments: files of JSON lines that appear in the inbox by rename, once they are closed.

An open segment's name begins with a dot, and the process that writes it holds a lock on it; one
without a lock was left by a process that died, and is closed by whoever finds it first.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from settings import ForeseenError

Sync = Callable[[int], None]
CLOCK_STEP = 0.01  # seconds by which a file's time may lag behind the clock
LOOKS = 150  # a tenth of a second apart, for a collector to close its segment; it looks each second


class OpenSegmentError(ForeseenError):
    """A collector did not close its segment when it was asked to."""


@dataclass
class Segment:
    """A segment that is being written; `synced` bytes of it are known to be on disk."""

    path: Path
    descriptor: int
    opened_at: float
    synced: int = 0

    def append(self, text: bytes, sync: Sync) -> None:
        """Write and bring to disk; after an error the segment must be given up."""
        rest = memoryview(text)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]
        sync(self.descriptor)
        self.synced += len(text)

    def close(self) -> Path:
        """The closed segment, in the inbox under its final name."""
        os.utime(self.descriptor)
        os.fsync(self.descriptor)
        final = _publish(self.path)
        os.close(self.descriptor)
        return final

    def give_up(self) -> None:
        """Keep what is known to be on disk; what follows it was never acknowledged."""
        try:
            os.ftruncate(self.descriptor, self.synced)
            _publish(self.path) if self.synced else self.path.unlink()
        except OSError:
            pass  # the next start finds the file and recovers it
        finally:
            os.close(self.descriptor)


def open_segment(inbox: Path) -> Segment:
    """A new, locked segment whose name is on disk, too."""
    now = datetime.now(UTC)
    path = inbox / f".events-{now:%Y%m%dT%H%M%S%fZ}-{os.getpid()}.jsonl"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
    descriptor = os.open(path, flags, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    if not path.exists():  # somebody took it for a dead one before the lock was ours
        os.close(descriptor)
        return open_segment(inbox)
    _sync_folder(inbox)
    return Segment(path, descriptor, time.time())


def recover(inbox: Path) -> int:
    """Close the segments of dead processes; returns the bytes of torn lines that were cut off."""
    return sum(_recovered(path) for path in open_segments(inbox))


def open_segments(inbox: Path) -> list[Path]:
    """The segments that are being written, and those of dead processes."""
    return sorted(inbox.glob(".events-*.jsonl"))


def must_close(inbox: Path, since: float) -> bool:
    """Whether somebody asked, after that time, that open segments be closed."""
    with suppress(FileNotFoundError):
        return _request(inbox).stat().st_mtime >= since - CLOCK_STEP
    return False


def close_all(inbox: Path, looks: int = LOOKS) -> None:
    """Have every segment closed that is open now, so that a person can be taken out of it.

    Raises OpenSegmentError when a collector at work does not follow. Looks are counted, no time: a
    machine that stands still holds up both.
    """
    waiting = set(open_segments(inbox))
    if not waiting:
        return
    _request(inbox).touch()
    for _ in range(looks):
        recover(inbox)
        waiting &= set(open_segments(inbox))
        if not waiting:
            return
        time.sleep(0.1)
    names = ", ".join(sorted(path.name for path in waiting))
    raise OpenSegmentError(
        f"The collector did not close {names}. Look whether it hangs, or stop it, and then do the"
        " same again."
    )


def _request(inbox: Path) -> Path:
    return inbox / ".close"


def _recovered(path: Path) -> int:
    with suppress(FileNotFoundError), path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        if not path.exists():
            return 0
        whole = _whole_lines(file.seek(0, os.SEEK_END), path)
        torn = file.seek(0, os.SEEK_END) - whole
        file.truncate(whole)
        os.utime(file.fileno())
        os.fsync(file.fileno())
        _publish(path) if whole else path.unlink()
        return torn
    return 0


def _whole_lines(size: int, path: Path) -> int:
    """The length of the file up to its last line end."""
    for start, block in _blocks_from_the_end(size, path):
        end = block.rfind(b"\n")
        if end >= 0:
            return start + end + 1
    return 0


def _blocks_from_the_end(size: int, path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        while size > 0:
            start = max(0, size - 65_536)
            file.seek(start)
            yield start, file.read(size - start)
            size = start


def _publish(path: Path) -> Path:
    final = path.with_name(path.name.removeprefix("."))
    path.rename(final)
    _sync_folder(final.parent)
    return final


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
