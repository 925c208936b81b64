import os
import resource
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ingestion.pipeline import LakeFullError, load
from tests import warm
from tests.ingestion.samples import Crm, Drops, receipt_line, receipts, seen

LINES = 25_000  # enough for a load to take some tenths of a second
DELAYS = (0.02, 0.1, 0.2, 0.3, 0.45)  # seconds after the start of the load
pytestmark = pytest.mark.usefixtures("warm_server")
MUCH = 100_000  # bytes that dlt keeps for itself: thrice what it needs
COUNTS = """
    select count(*) as all_lines, count(distinct receipt_id) as lines from raw_pos.receipt_lines
"""


def fill(pos: Drops) -> None:
    for day in range(4):
        names = range(day * LINES, (day + 1) * LINES)
        pos.drop(f"{day}.csv", receipts(*[receipt_line(f"R{name}") for name in names]))


def held(home: Path) -> int:
    """How many bytes dlt keeps for itself."""
    files = [path for path in (home / "dlt").rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path.exists())


def loading(tells: Connection) -> None:
    """Load, and tell when it begins."""
    tells.send("begins")
    load("pos")


def killed(delay: float, until: Callable[[], bool] = lambda: True) -> None:
    """Load in a process of its own and kill -9 it so long after it began, and not before that."""
    told, tells = Pipe(duplex=False)
    process = warm.start(loading, tells, env=os.environ)
    told.recv()
    process.join(delay)
    while not until():
        assert process.is_alive(), "it ended before"
        process.join(0.002)
    process.kill()
    process.join()


def load_on_a_full_disk(limit: int) -> None:
    """Load where no file may become larger than so many bytes, and print why it ends."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        load("pos")
    except LakeFullError as error:
        print(error)


def test_a_load_that_is_killed_at_any_moment_equals_one_that_is_not(pos: Drops) -> None:
    fill(pos)
    whole = {0, 4 * LINES}
    for delay in DELAYS:
        killed(delay)
        assert seen(COUNTS)[0]["lines"] in whole
    load("pos")

    assert seen(COUNTS) == [{"all_lines": 4 * LINES, "lines": 4 * LINES}]


@pytest.mark.parametrize("kilobytes", [1, 100])
def test_a_full_disk_is_a_clear_error_and_is_forgotten_once_there_is_room(
    pos: Drops, home: Path, tmp_path: Path, kilobytes: int
) -> None:
    fill(pos)
    limit = kilobytes * 1024
    done = warm.run(load_on_a_full_disk, limit, env=os.environ, folder=tmp_path)
    assert f"no room for files under {home}" in done.stdout, done.stderr
    assert seen(COUNTS)[0]["lines"] == 0
    load("pos")

    assert seen(COUNTS)[0]["lines"] == 4 * LINES


def test_dlt_keeps_no_value_of_a_loaded_person(crm: Crm, home: Path) -> None:
    crm.contact(email="kept.by.nobody@example.com")
    crm.contact(contact_id=2, email="kept.by.nobody@example.com", birth_date="soon")
    load("crm")
    files = [path for path in (home / "dlt").rglob("*") if path.is_file()]

    assert files
    assert [path for path in files if b"kept.by.nobody" in path.read_bytes()] == []


def test_what_a_killed_load_left_behind_is_gone_after_the_next(pos: Drops, home: Path) -> None:
    fill(pos)
    killed(0, until=lambda: held(home) > MUCH)
    load("pos")

    assert held(home) < MUCH


def test_dlt_keeps_files_of_the_last_load_alone(pos: Drops, home: Path) -> None:
    for receipt in ("R1", "R2", "R3"):
        pos.drop(f"{receipt}.csv", receipts(receipt_line(receipt)))
        load("pos")

    assert len(list((home / "dlt" / "cdp_pos" / "load" / "loaded").iterdir())) == 1
