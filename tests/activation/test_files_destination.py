import json
from pathlib import Path

from activation.destinations.files import Files
from activation.destinations.protocol import Batch

ANN = {"operation": "add", "customer_id": "ann", "first_name": "A\u2028n\x85n"}
BOB = {"operation": "add", "customer_id": "bob", "first_name": "Bob"}
BATCH = Batch(batch_id="1-ab", audience="vip", people=[ANN, BOB])


def test_a_batch_sent_twice_is_one_file(tmp_path: Path) -> None:
    for _ in range(2):
        Files(f"file://{tmp_path}").send(BATCH)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["1-ab.jsonl"]


def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    Files(f"file://{tmp_path}").send(BATCH)
    assert (tmp_path / "vip" / "1-ab.jsonl").stat().st_mode & 0o777 == 0o600


def test_erasing_takes_out_the_lines_of_one_person(tmp_path: Path) -> None:
    files = Files(f"file://{tmp_path}")
    files.send(BATCH)
    files.erase("vip", {"customer_id": "bob"})
    lines = (tmp_path / "vip" / "1-ab.jsonl").read_text().split("\n")[:-1]
    assert [json.loads(line) for line in lines] == [ANN]


def test_erasing_leaves_no_cut_off_draft(tmp_path: Path) -> None:
    files = Files(f"file://{tmp_path}")
    files.send(BATCH)
    (tmp_path / "vip" / "2-cd.draft").write_text(json.dumps(BOB))
    files.erase("vip", {"customer_id": "bob"})
    assert list(tmp_path.rglob("*.draft")) == []
