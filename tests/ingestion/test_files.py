"""A company's own files, mapped by settings: CSV, JSON lines and parquet, here and in S3."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from ingestion import refused_files, suppression
from ingestion.pipeline import SourceUnavailableError, load, pipeline_for
from ingestion.quarantine import refusals, replay
from ingestion.registry import sources
from tests.ingestion.s3_double import Storage, storage
from tests.ingestion.samples import Drops, event, seen, seen_values

SETTINGS = {
    "TYPE": "files",
    "KIND": "pos",
    "RECEIPT_LINES__RECEIPT_ID": "bon",
    "RECEIPT_LINES__LINE_NUMBER": "line",
    "RECEIPT_LINES__STORE": "'Graz'",
    "RECEIPT_LINES__SOLD_AT": "time",
    "RECEIPT_LINES__STOCK_CODE": "article",
    "RECEIPT_LINES__QUANTITY": "pieces",
    "RECEIPT_LINES__UNIT_PRICE": "price",
    "RECEIPT_LINES__LOYALTY_NUMBER": "card",
}
ROW = {
    "bon": "7",
    "line": 1,
    "time": "2011-09-10 09:01:20",
    "article": "90168",
    "pieces": 2,
    "price": 2.95,
    "card": "L1",
}
LINES = "raw_pos.receipt_lines"
On = Callable[..., Drops]


@pytest.fixture()
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> On:
    """Switches on tills that drop files of one format in a folder."""

    def switch_on(format: str = "csv", name: str = "graz", **settings: str) -> Drops:
        folder = tmp_path / name
        folder.mkdir()
        given = {**SETTINGS, "BUCKET_URL": str(folder), "RECEIPT_LINES": f"bons*.{format}"}
        for setting, value in {**given, **settings}.items():
            monkeypatch.setenv(f"SOURCES__{name}__{setting}".upper(), value)
        return Drops(folder)

    return switch_on


@pytest.fixture()
def s3() -> Iterator[Storage]:
    """Object storage with one bucket."""
    with storage("our-key") as made:
        yield made


def written(format: str, *rows: dict[str, Any]) -> bytes:
    if format == "parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(list(rows)), sink)
        return sink.getvalue()
    if format == "jsonl":
        return "\n".join(map(json.dumps, rows)).encode()
    lines = [",".join(ROW), *(",".join(map(str, row.values())) for row in rows)]
    return "\n".join(lines).encode()


def with_rule(monkeypatch: pytest.MonkeyPatch, folder: Path, **rule: object) -> None:
    named = {"name": "mends", "source": "graz", "table": "receipt_lines", **rule}
    (folder / "repairs.yml").write_text(yaml.safe_dump({"repairs": [named]}))
    monkeypatch.setenv("CDP_REPAIRS", str(folder / "repairs.yml"))


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_only_new_and_changed_files_are_read_and_a_bad_row_keeps_only_itself_out(
    on: On, format: str
) -> None:
    till = on(format)
    till.drop(f"bons1.{format}", written(format, ROW))
    till.drop(f"other.{format}", b"of somebody else")
    till.drop(f".bons0.{format}", b"still being copied")
    reports = [load("graz") for _ in range(2)]
    till.drop(f"bons0.{format}", written(format, {**ROW, "bon": "6"}))
    till.drop(f"bons1.{format}", written(format, {**ROW, "bon": "8", "line": "one"}))
    reports.append(load("graz"))

    assert [(r.accepted, r.quarantined) for r in reports] == [(1, 0), (0, 0), (1, 1)]
    assert seen_values(LINES, "receipt_id") == ["graz:6", "graz:7"]
    (refused,) = seen("raw_graz.quarantine")
    assert (refused["reason"], refused["origin"], refused["format"]) == (
        "line_number is not a bigint",
        f"bons1.{format}",
        None,
    )


def test_all_three_formats_give_the_same_rows_side_by_side(on: On) -> None:
    query = "select * exclude (_dlt_load_id, origin, receipt_id) from raw_{}.receipt_lines"
    found = []
    for format in ("csv", "jsonl", "parquet"):
        on(format, f"till_{format}").drop(
            f"bons.{format}", written(format, ROW, {**ROW, "line": 2})
        )
        load(f"till_{format}")
        found.append(seen(query.format(f"till_{format}") + " order by all"))

    assert found[0] == found[1] == found[2]
    assert len(set(seen_values(LINES, "receipt_id"))) == 3


def test_a_load_that_was_killed_and_run_again_equals_one_clean_load(on: On) -> None:
    for name in ("clean", "graz"):
        on(name=name).drop("bons.csv", written("csv", ROW, {**ROW, "line": "one"}))
    load("clean")
    pipeline = pipeline_for("graz")
    pipeline.extract(sources()["graz"].open(), loader_file_format="parquet")
    pipeline.normalize()
    before = seen("raw_graz.receipt_lines")
    load("graz")
    load("graz")

    assert (before, len(seen("raw_graz.receipt_lines"))) == ([], 1)
    assert len(seen("raw_graz.quarantine")) == len(seen("raw_clean.quarantine")) == 1


def test_a_file_with_another_separator_is_kept_whole_and_let_in_by_a_rule(
    on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = on()
    rows = written("csv", ROW, {**ROW, "line": "one"}, {**ROW, "line": 3, "card": "L9"})
    till.drop("bons1.csv", rows.replace(b",", b";"))
    till.drop("bons2.csv", written("csv", {**ROW, "bon": "8"}))
    report = load("graz")
    suppression.add([suppression.tombstone("loyalty_number", "L9")])
    with_rule(monkeypatch, tmp_path, payload="replace(payload, ';', ',')")
    books = [replay("graz").books for _ in range(2)]

    assert (report.accepted, report.quarantined) == (1, 1)
    assert [(b.received, b.accepted, b.quarantined, b.suppressed) for b in books[0]] == [
        (2, 2, 0, 0)
    ]
    assert (books[1], [book.problem for book in books[0]]) == ((), [""])
    (first,) = set(
        refusals("graz").filter(pa.compute.field("format") == "csv")["load_id"].to_pylist()
    )
    rows_in = seen(f"select * from {LINES} where receipt_id = 'graz:7' order by line_number")
    assert [(r["line_number"], r["loyalty_number"]) for r in rows_in] == [(1, "L1"), (3, None)]
    assert {(r["origin"], r["_dlt_load_id"]) for r in rows_in} == {("bons1.csv", first)}


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_file_without_a_column_that_it_must_have_is_let_in_by_a_setting(
    on: On, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    on(format).drop(f"bons.{format}", written(format, ROW).replace(b"bon", b"rcp"))
    report = load("graz")
    (refused,) = seen("raw_graz.quarantine")
    waiting = replay("graz").still_refused.to_pylist()
    monkeypatch.setenv("SOURCES__GRAZ__RECEIPT_LINES__RECEIPT_ID", "rcp")
    replay("graz")

    assert (report.accepted, report.quarantined, waiting[0]["rows"]) == (0, 1, 1)
    assert "has no column bon, which SOURCES__GRAZ__RECEIPT_LINES__RECEIPT_ID" in refused["reason"]
    assert seen_values(LINES, "receipt_id") == ["graz:7"]


def test_a_replay_of_a_file_that_was_killed_is_finished_and_not_repeated(
    on: On, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion import quarantine

    on().drop("bons.csv", written("csv", ROW).replace(b"bon", b"rcp"))
    load("graz")
    monkeypatch.setenv("SOURCES__GRAZ__RECEIPT_LINES__RECEIPT_ID", "rcp")
    source = sources()["graz"]
    judged = quarantine._judged(source, source.tables[0], refusals("graz"), ())
    pipeline_for("graz").extract(quarantine._source("graz", [judged]), loader_file_format="parquet")
    replay("graz")

    assert seen_values(LINES, "receipt_id") == ["graz:7"]


def damaged(path: Path) -> None:
    """A parquet file of two row groups of 500 rows; a page of the second one is broken."""
    rows = pa.Table.from_pylist([{**ROW, "line": number} for number in range(1_000)])
    pq.write_table(rows, path, row_group_size=500)
    second = pq.read_metadata(path).row_group(1).column(1)
    raw, start = bytearray(path.read_bytes()), second.dictionary_page_offset
    raw[start : start + second.total_compressed_size] = b"\xff" * second.total_compressed_size
    path.write_bytes(raw)


def test_of_a_damaged_parquet_file_comes_in_what_a_rule_salvages(
    on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = on("parquet")
    damaged(till.folder / "bons.parquet")
    report = load("graz")
    (till.folder / "bons.parquet").unlink()
    waiting = replay("graz")
    with_rule(monkeypatch, tmp_path, salvage=True)
    books = [replay("graz").books for _ in range(2)]

    assert (report.accepted, report.quarantined, waiting.books) == (0, 1, ())
    assert [(b.received, b.accepted, b.quarantined, b.problem) for b in books[0]] == [
        (500, 500, 0, "")
    ]
    assert (books[1], len(seen(LINES))) == ((), 500)
    assert seen_values("raw_graz.quarantine", "reason")[1].startswith("row group 2 with 500 rows")


def test_a_large_file_is_kept_beside_and_let_in_by_a_rule(
    on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_files, "MOST_KEPT", 10)
    on().drop("bons.csv", written("csv", ROW, {**ROW, "line": 2}).replace(b",", b";"))
    load("graz")
    (refused,) = seen("raw_graz.quarantine")
    with_rule(monkeypatch, tmp_path, payload="replace(payload, ';', ',')")
    (book,) = replay("graz").books

    kept = refused_files.folder_of("graz") / refused["kept_file"]
    assert kept.read_bytes().count(b";") == 3 * (len(ROW) - 1)
    assert (book.received, book.accepted, book.problem, len(seen(LINES))) == (1, 2, "", 2)


def test_a_refused_file_that_was_put_right_in_its_folder_waits_no_more(on: On) -> None:
    till = on("parquet")
    till.drop("bons.parquet", b"PAR1 torn")
    load("graz")
    till.drop("bons.parquet", written("parquet", ROW))
    load("graz")
    (book,) = replay("graz").books

    assert (book.received, book.quarantined, book.problem) == (-1, -1, "")
    assert (len(seen(LINES)), refusals("graz")["rules"].to_pylist()) == (1, ["loaded again"])
    assert replay("graz").still_refused.num_rows == 0


def test_a_missing_field_of_a_json_line_is_empty_and_what_is_no_object_is_refused(on: On) -> None:
    on("jsonl").drop("bons.jsonl", written("jsonl", {**ROW, "card": None}) + b'\n[1]\n{"torn')
    report = load("graz")

    assert (report.accepted, report.quarantined, seen_values(LINES, "loyalty_number")) == (
        1,
        2,
        [None],
    )


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_object_storage_is_read_like_a_folder(on: On, s3: Storage, format: str) -> None:
    on(
        format,
        BUCKET_URL="s3://drops/tills/graz",
        RECEIPT_LINES=f"**/bons*.{format}",
        ENDPOINT_URL=s3.url,
        ACCESS_KEY_ID="our-key",
        SECRET_ACCESS_KEY="kept-secret",
        REGION="eu-central-1",
    )
    reports = [load("graz")]
    s3.put(f"tills/graz/2026/bons1.{format}", written(format, ROW))
    s3.put(f"tills/linz/bons1.{format}", written(format, ROW))
    reports += [load("graz"), load("graz")]
    s3.read.clear()
    s3.put(f"tills/graz/bons2.{format}", written(format, {**ROW, "bon": "8"}))
    reports.append(load("graz"))

    assert [report.accepted for report in reports] == [0, 1, 0, 1]
    assert set(s3.read) == {f"tills/graz/bons2.{format}"}
    assert seen_values(LINES, "receipt_id") == ["graz:7", "graz:8"]


def test_events_in_object_storage_go_the_way_of_the_collectors(
    s3: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = {"ACCESS_KEY_ID": "our-key", "SECRET_ACCESS_KEY": "kept-secret"}
    place = {"BUCKET_URL": "s3://drops/app", "ENDPOINT_URL": s3.url, "EVENTS": "**/*.jsonl"}
    for setting, value in {"TYPE": "files", "KIND": "web", **place, **access}.items():
        monkeypatch.setenv(f"SOURCES__APP__{setting}", value)
    s3.put("app/2026/1.jsonl", f"{event('m1')}\n[1]\n{event('m2')}".encode())
    reports = [load("app") for _ in range(2)]

    assert [(r.accepted, r.quarantined) for r in reports] == [(2, 1), (0, 0)]
    assert seen_values("raw_web.events", "message_id") == ["m1", "m2"]
    for setting, value in {"EVENTS": "*.csv", "EVENTS__EMAIL": "mail"}.items():
        with monkeypatch.context() as patch, pytest.raises(SourceUnavailableError, match="EVENTS"):
            patch.setenv(f"SOURCES__APP__{setting}", value)
            load("app")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"BUCKET_URL": ""}, "SOURCES__GRAZ__BUCKET_URL is not given"),
        ({"BUCKET_URL": "nowhere"}, "there is no folder nowhere"),
        ({"BUCKET_URL": "s3://none"}, "there is no folder s3://none"),
        ({"ACCESS_KEY_ID": "another"}, "there is no folder s3://drops|Forbidden|AccessDenied"),
        ({"BUCKET_URL": "ftps://none"}, "not known|not supported"),
        ({"RECEIPT_LINES": "bons*"}, "__RECEIPT_LINES must end in .csv, .jsonl, .parquet"),
        ({"RECEIPT_LINES": ""}, "give one of SOURCES__GRAZ__RECEIPT_LINES"),
        ({"RECEIPT_LINE__STORE": "x"}, "no setting RECEIPT_LINE__STORE; there are TYPE, KIND"),
    ],
)
def test_settings_that_cannot_be_followed_say_which_and_no_secret(
    on: On, s3: Storage, settings: dict[str, str], told: str
) -> None:
    access = {"ACCESS_KEY_ID": "our-key", "SECRET_ACCESS_KEY": "kept-secret"}
    on(**{"BUCKET_URL": "s3://drops", "ENDPOINT_URL": s3.url, **access, **settings})

    with pytest.raises(SourceUnavailableError, match=told) as caught:
        load("graz")
    assert "kept-secret" not in str(caught.value)
