"""The log of one worker: what waits is written together and brought to disk once, then answered."""

import asyncio
import os
import queue
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.collector import segments
from ingestion.collector.segments import Segment, Sync

LOOK_SECONDS = 1.0  # how often age, free space and requests to close are looked at
MOST_WAITING = 16 * 1024 * 1024  # bytes in the queue, which bounds memory


class NotOnDiskError(Exception):
    """The lines could not be brought to disk; they were not acknowledged."""


@dataclass(frozen=True)
class Limits:
    """When a segment is closed, and how much of the disk is left alone."""

    segment_seconds: float = 30
    segment_bytes: int = 64 * 1024 * 1024
    free_bytes: int = 1024 * 1024 * 1024


@dataclass
class Facts:
    """What the log has done since its start."""

    syncs: int = 0
    sync_seconds: float = 0.0
    failed_syncs: int = 0
    segments_closed: int = 0
    torn_bytes: int = 0
    waiting_bytes: int = 0


@dataclass(frozen=True)
class _Entry:
    text: bytes
    done: asyncio.Future[bool]


@dataclass
class EventLog:
    """Appends lines durably, one writing thread for many requests."""

    inbox: Path
    limits: Limits = field(default_factory=Limits)
    sync: Sync = os.fdatasync
    facts: Facts = field(default_factory=Facts)
    is_disk_low: bool = False

    def start(self) -> None:
        """Close what a dead process left, then write from a thread of its own."""
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.facts.torn_bytes += segments.recover(self.inbox)
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._segment: Segment | None = None
        self._next_look = 0.0
        self._look()
        self._thread = threading.Thread(target=self._work, name="event-log")
        self._thread.start()

    def stop(self) -> None:
        """Write what waits and close the segment."""
        self._queue.put(None)
        self._thread.join()

    @property
    def is_full(self) -> bool:
        """Whether more waits than memory should hold."""
        return self.facts.waiting_bytes > MOST_WAITING

    async def append(self, text: bytes) -> None:
        """Return once the lines are on disk; raises NotOnDiskError when they are not."""
        entry = _Entry(text, self._loop.create_future())
        self.facts.waiting_bytes += len(text)
        self._queue.put(entry)
        if not await asyncio.shield(entry.done):
            raise NotOnDiskError

    def _work(self) -> None:
        goes_on = True
        while goes_on:
            group, goes_on = self._next_group()
            if group:
                is_on_disk = self._commit(b"".join(entry.text for entry in group))
                self._loop.call_soon_threadsafe(self._answer, group, is_on_disk)
            if time.monotonic() >= self._next_look or self._is_large():
                self._look()
        self._close()

    def _next_group(self) -> tuple[list[_Entry], bool]:
        """Everything that waits, and whether more may come."""
        group: list[_Entry] = []
        try:
            entry = self._queue.get(timeout=LOOK_SECONDS)
            while entry is not None:
                group.append(entry)
                entry = self._queue.get_nowait()
        except queue.Empty:
            return group, True
        return group, False

    def _commit(self, text: bytes) -> bool:
        start = time.perf_counter()
        try:
            self._segment = self._segment or segments.open_segment(self.inbox)
            self._segment.append(text, self.sync)
        except OSError:
            self._give_up()
            return False
        self.facts.syncs += 1
        self.facts.sync_seconds += time.perf_counter() - start
        return True

    def _answer(self, group: list[_Entry], is_on_disk: bool) -> None:
        for entry in group:
            self.facts.waiting_bytes -= len(entry.text)
            entry.done.set_result(is_on_disk)

    def _give_up(self) -> None:
        """After a failed write or sync nobody knows what the file holds: it is never reused."""
        self.facts.failed_syncs += 1
        segment, self._segment = self._segment, None
        if segment:
            segment.give_up()

    def _look(self) -> None:
        self._next_look = time.monotonic() + LOOK_SECONDS
        self.is_disk_low = self._free_bytes() < self.limits.free_bytes
        segment = self._segment
        if segment and (
            self._is_large()
            or time.time() - segment.opened_at >= self.limits.segment_seconds
            or segments.must_close(self.inbox, since=segment.opened_at)
        ):
            self._close()

    def _free_bytes(self) -> int:
        try:
            space = os.statvfs(self.inbox)
        except OSError:
            return -1  # an inbox that is gone takes nothing
        return space.f_bavail * space.f_frsize

    def _is_large(self) -> bool:
        return self._segment is not None and self._segment.synced >= self.limits.segment_bytes

    def _close(self) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        try:
            segment.close()
            self.facts.segments_closed += 1
        except OSError:
            self.facts.failed_syncs += 1
            os.close(segment.descriptor)  # the next start finds the file and recovers it
