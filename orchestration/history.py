"""Dagster's history of a refresh, each of its files opened once.

Dagster opens, synchronises and closes a file for every event, which was half the time of a small
refresh. The files are the same: the UI reads them as it reads its own.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

NO_OUTPUT = NoOpComputeLogManager  # of steps: they print nothing, and keeping it takes 2 processes
LESS_SYNCHRONOUS = "pragma synchronous = normal"  # whole after a crash; the last events may lack


class EventLog(SqliteEventLogStorage):
    """The events of runs, over one connection per file."""

    def __init__(self, base_dir: str) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            event.listen(engine, "connect", lambda opened, _: opened.execute(LESS_SYNCHRONOUS))
            self._initdb(engine)
            self._engines[shard] = engine
        return self._engines[shard]

    def dispose(self) -> None:
        """Close every file."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


class History(DagsterSqliteStorage):
    """Dagster's own storage but for its log of events."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = EventLog(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "History":
        """Ours: Dagster's would make one of its own class."""
        return cls.from_local(inst_data=inst_data, **config_value)


def open_instance(home: Path) -> dg.DagsterInstance:
    """The Dagster instance of this folder, for one process that writes many events."""
    ours = {"module": __name__, "class": History.__name__, "config": {"base_dir": str(home)}}
    no_output = {"module": NO_OUTPUT.__module__, "class": NO_OUTPUT.__name__}
    return dg.DagsterInstance.from_ref(
        InstanceRef.from_dir(
            str(home), overrides={"storage": {"custom": ours}, "compute_logs": no_output}
        )
    )
