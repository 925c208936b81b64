"""Small files of the lake are joined, and nobody who reads, is killed or is erased notices."""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import warehouse
from ingestion import quarantine, registry
from ingestion.books import loads
from ingestion.pipeline import load
from privacy.retention import keep_retention
from tests.conftest import until
from tests.ingestion.samples import receipt_line, receipts
from warehouse import (
    Compacted,
    RawTable,
    WarehouseBusyError,
    compact_lake,
    lake_rows,
    rewrite_rows,
    small_files,
)
from warehouse.lake import alone
from warehouse.small_files import FEWEST, SMALL

LATER = datetime.now(UTC) + timedelta(hours=2)  # every load has ended long ago
VISITS = RawTable(
    source="door", name="visits", grain="One row per visit", columns={"name": "string"}, key=()
)
PLENTY = 2 * FEWEST


class KilledError(BaseException):
    """What stands for kill -9: nothing of ours catches it."""


@pytest.fixture()
def visits(home: Path) -> RawTable:
    """A table of as many files as loads, two rows each, the later half with a new column."""
    make_visits()
    return VISITS


def make_visits() -> None:
    for number in range(PLENTY):
        write_load(number, {"note": f"n{number}"} if number >= FEWEST else {})


def write_load(number: int, extra: dict[str, str], *, is_complete: bool = True) -> None:
    load_id = f"{1_700_000_000 + number}.5"
    rows = [{"name": f"v{number}.{i}", **extra, "_dlt_load_id": load_id} for i in range(2)]
    VISITS.folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), VISITS.folder / f"{load_id}.abc.parquet")
    entry = {"load_id": load_id, "status": 0, "inserted_at": "2023-11-14T22:13:20+00:00"}
    folder = VISITS.folder.parent / "_dlt_loads"
    folder.mkdir(exist_ok=True)
    (folder / f"door__{load_id}.jsonl").write_text(json.dumps(entry) if is_complete else "{")


def rows_in_view(table: RawTable = VISITS) -> list[dict[str, Any]]:
    return warehouse.read(f"{table.schema}.{table.name}").to_pylist()


def files(table: RawTable = VISITS) -> list[Path]:
    return sorted(table.folder.iterdir())


def test_the_same_rows_are_read_in_the_same_order(visits: RawTable) -> None:
    warehouse.register_lake([visits])
    before = (rows_in_view(), lake_rows(visits).to_pylist())

    done = compact_lake([visits])

    assert (done, len(files())) == (Compacted(PLENTY, 1), 1)
    assert (rows_in_view(), lake_rows(visits).to_pylist()) == before


def test_joining_again_does_nothing_until_there_are_new_files(visits: RawTable) -> None:
    compact_lake([visits])
    for number in range(PLENTY, PLENTY + FEWEST):
        write_load(number, {})
    before = lake_rows(visits).to_pylist()

    rounds = [compact_lake([visits]) for _ in range(2)]

    assert rounds == [Compacted(FEWEST + 1, 1), Compacted(0, 0)]
    assert (lake_rows(visits).to_pylist(), len(files())) == (before, 1)


def test_the_entries_of_loads_are_joined_too(visits: RawTable) -> None:
    compact_lake([visits])

    (entries,) = (visits.folder.parent / "_dlt_loads").iterdir()

    assert len(entries.read_text().splitlines()) == PLENTY


def test_half_a_load_stays_unseen_and_is_seen_when_it_is_whole(visits: RawTable) -> None:
    write_load(3, {}, is_complete=False)
    compact_lake([visits])
    without = lake_rows(visits).num_rows
    write_load(3, {})

    assert (without, lake_rows(visits).num_rows) == (2 * PLENTY - 2, 2 * PLENTY)


def test_files_of_loads_that_just_ended_are_left_alone(visits: RawTable) -> None:
    just_then = datetime(2023, 11, 14, 23, 0, tzinfo=UTC)

    assert compact_lake([visits], just_then) == Compacted(0, 0)


def test_large_files_are_left_alone(visits: RawTable) -> None:
    large = files()[FEWEST]
    rows = pa.table({"name": [str(i) * 50 for i in range(SMALL // 100)]})
    load_id = pa.repeat(".".join(large.name.split(".")[:2]), rows.num_rows)
    pq.write_table(rows.append_column("_dlt_load_id", load_id), large, compression="none")
    before = lake_rows(visits, "select count(*), sum(hash(rows)) from rows").to_pylist()

    done = compact_lake([visits])

    assert (done, large.exists()) == (Compacted(FEWEST, 1), True)
    assert lake_rows(visits, "select count(*), sum(hash(rows)) from rows").to_pylist() == before


def test_who_reads_all_the_while_always_reads_everything(visits: RawTable) -> None:
    expected = Counter(lake_rows(visits)["name"].to_pylist())
    seen = []
    is_over = Event()

    def read() -> None:
        while not is_over.is_set():
            seen.append(Counter(lake_rows(visits)["name"].to_pylist()))

    reader = Thread(target=read)
    reader.start()
    try:
        for _ in range(5):
            compact_lake([visits])
            split(visits)
        until(lambda: len(seen) > 5)
    finally:
        is_over.set()
        reader.join()

    assert [rows for rows in seen if rows != expected] == []


def test_a_build_that_reads_the_warehouse_goes_on_and_the_next_run_ends_the_work(
    visits: RawTable,
) -> None:
    warehouse.register_lake([visits])
    with build_elsewhere("select count(*) from raw_door.visits") as counted:
        with pytest.raises(WarehouseBusyError):
            compact_lake([visits])
        seen = [counted(), lake_rows(visits).num_rows, len(files())]

    compact_lake([visits])
    assert seen == [2 * PLENTY, 2 * PLENTY, PLENTY + 2]  # the new file and its note beside the old
    assert (len(rows_in_view()), len(files())) == (2 * PLENTY, 1)


def test_killed_at_any_step_the_lake_is_whole_and_the_next_run_ends_the_work(
    visits: RawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.register_lake([visits])
    before = lake_rows(visits).to_pylist()
    step = 0
    while killed_at(step, monkeypatch):
        assert (lake_rows(visits).to_pylist(), rows_in_view()) == (before, before), step
        compact_lake([visits])
        assert (lake_rows(visits).to_pylist(), rows_in_view()) == (before, before), step
        assert [path.suffix for path in files()] == [".parquet"], step
        shutil.rmtree(visits.folder.parent)
        make_visits()
        warehouse.register_lake([visits])
        step += 1

    assert step == 2 * PLENTY + 4  # entries and each old one; note, file, each part, and the note


def test_what_is_erased_is_in_no_file_wherever_a_run_was_killed(
    visits: RawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in range(2 * PLENTY + 5):
        killed_at(step, monkeypatch)
        rewrite_rows(visits, "name = ?", ["v3.1"], keep_without=None)

        left = [pq.read_table(path)["name"].to_pylist() for path in visits.folder.glob("*t")]
        assert "v3.1" not in [name for names in left for name in names], step
        assert lake_rows(visits).num_rows == 2 * PLENTY - 1, step
        shutil.rmtree(visits.folder.parent)
        make_visits()


def test_an_erasure_waits_for_a_file_that_is_being_joined_and_then_finds_it(
    visits: RawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    erased = {"condition": "name = ?", "params": ["v3.1"], "keep_without": None}
    eraser = Thread(target=rewrite_rows, args=(visits,), kwargs=erased)
    settled = small_files.settle

    def slowly(draft: Path, target: Path) -> None:
        if target.suffix == ".parquet":
            eraser.start()
            time.sleep(0.2)
        settled(draft, target)

    monkeypatch.setattr(small_files, "settle", slowly)
    compact_lake([visits])
    eraser.join()

    assert "v3.1" not in lake_rows(visits)["name"].to_pylist()


@pytest.fixture()
def till(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A till of which many files were loaded one by one, each with a row that was refused."""
    folder = home / "inbox" / "pos"
    folder.mkdir(parents=True)
    monkeypatch.setenv("SOURCES__POS__BUCKET_URL", folder.as_uri())
    for number in range(FEWEST):
        lines = [receipt_line(f"R{number}"), receipt_line(f"R{number}x", unit_price="2.95!")]
        (folder / f"{number}.csv").write_text(receipts(*lines))
        load("pos")
    return folder


def test_books_quarantine_and_replay_do_not_notice(
    till: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def told() -> list[list[dict[str, Any]]]:
        return [
            sorted(rows.to_pylist(), key=str) for rows in (loads("pos"), quarantine.refusals("pos"))
        ]

    before = told()
    done = compact_lake(registry.tables(), LATER)
    after = told()
    rule = {"name": "r", "source": "pos", "table": "receipt_lines", "reason": "unit_price"}
    price = {"unit_price": "replace(unit_price, '!', '')"}
    monkeypatch.setenv("CDP_REPAIRS", str(tmp_path / "repairs.yml"))
    (tmp_path / "repairs.yml").write_text(json.dumps({"repairs": [{**rule, "set": price}]}))
    (book,) = quarantine.replay("pos").books

    assert (done, after) == (Compacted(3 * FEWEST, 3), before)
    assert (book.accepted, load("pos").accepted) == (FEWEST, 0)
    landed = "select _dlt_load_id, count(*) as n from rows group by all"
    by_load = lake_rows(registry.SOURCES["pos"].tables[0], landed)["n"].to_pylist()
    assert by_load == [2] * FEWEST


def test_retention_deletes_rows_out_of_joined_files(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_TODAY", "2011-12-09")
    folder = home / "inbox" / "dmp"
    folder.mkdir(parents=True)
    monkeypatch.setenv("SOURCES__DMP__BUCKET_URL", folder.as_uri())
    for day in range(6, 6 + FEWEST):
        header = "dmp_id,email_sha256,segment,score,collected_on,expires_on\n"
        (folder / f"{day}.csv").write_text(f"{header}d{day},,x,1,2011-11-{day:02},\n")
        load("dmp")
    compact_lake(registry.tables(), LATER)

    keep_retention(registry.tables())

    (joined,) = (home / "lake" / "raw_dmp" / "segments").iterdir()
    assert pq.read_table(joined)["dmp_id"].to_pylist() == ["d10", "d11", "d12", "d13"]


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Compact until the change of a folder with this number; whether there were that many."""
    changes = iter(range(step))

    def dying(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*given: object, **options: object) -> Any:
            if next(changes, None) is None:
                raise KilledError
            return change(*given, **options)

        return changed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying(Path.replace))
        patch.setattr(Path, "unlink", dying(Path.unlink))
        try:
            compact_lake([VISITS])
        except KilledError:
            return True
    return False


def split(table: RawTable) -> None:
    """Let the one file of a table be many again, one row in each, all at once."""
    (joined,) = table.folder.iterdir()
    rows = pq.read_table(joined)
    draft = table.folder.with_name("draft")
    draft.mkdir()
    for number in range(rows.num_rows):
        pq.write_table(rows.slice(number, 1), draft / f"1700000000.5.{number:03}.parquet")
    with alone():
        shutil.rmtree(table.folder)
        draft.rename(table.folder)


@contextmanager
def build_elsewhere(query: str) -> Iterator[Callable[[], int]]:
    """Another process that has the warehouse open and answers the query when it is asked."""
    code = f"""
import warehouse
with warehouse.transaction(read_only=True) as session:
    print("open", flush=True)
    input()
    print(session.number({query!r}))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    yield lambda: int(process.communicate("\n")[0])
    process.wait()
