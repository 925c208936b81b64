import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion import quarantine, suppression
from ingestion.books import Book
from ingestion.pipeline import load, pipeline_for
from ingestion.quarantine import refusals, replay
from ingestion.registry import SOURCES
from ingestion.repairs import RepairRuleError, repairs
from ingestion.sources.pos import RECEIPT_LINES
from tests.conftest import Run
from tests.ingestion.samples import Crm, Drops, event, receipt_line, receipts, seen, seen_values

LINES = "raw_pos.receipt_lines"
COMMA = {
    "name": "comma",
    "source": "pos",
    "table": "receipt_lines",
    "reason": "unit_price is not a double",
    "set": {"unit_price": "replace(unit_price, ',', '.')"},
}
Rules = Callable[..., Path]


@pytest.fixture()
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rules:
    """Writes the project's file of rules."""

    def write(*given: object) -> Path:
        path = tmp_path / "repairs.yml"
        path.write_text(yaml.safe_dump({"repairs": list(given)}))
        monkeypatch.setenv("CDP_REPAIRS", str(path))
        return path

    return write


def refuse_a_price(pos: Drops) -> None:
    pos.drop("a.csv", receipts(receipt_line("R1"), receipt_line("R2", unit_price='"3,95"')))
    load("pos")


def rows_of(table: str) -> list[dict[str, Any]]:
    return sorted(seen(table), key=str)


def test_a_mended_row_lands_as_if_it_had_come_right(pos: Drops, rules: Rules) -> None:
    pos.drop("a.csv", receipts(receipt_line("R1"), receipt_line("R2", unit_price="3.95")))
    load("pos")
    right = [{k: v for k, v in row.items() if k != "origin"} for row in rows_of(LINES)]
    pos.drop("b.csv", receipts(receipt_line("R1"), receipt_line("R2", unit_price='"3,95"')))
    load("pos")
    rules(COMMA)

    replay("pos")

    found = [row for row in rows_of(LINES) if row.pop("origin") == "b.csv"]
    loads = {row.pop("_dlt_load_id") for row in found}
    assert [{k: v for k, v in row.items() if k != "_dlt_load_id"} for row in right] == found
    assert loads == {refusals("pos")["load_id"][0].as_py()}  # the load that it came with


def test_replaying_twice_adds_nothing(pos: Drops, rules: Rules) -> None:
    refuse_a_price(pos)
    rules(COMMA)

    books = [replay("pos").books for _ in range(2)]

    let_in = Book("receipt_lines", accepted=1, quarantined=-1, let_go=1, accepted_in_lake=1)
    assert books == [(let_in,), ()]
    assert seen_values(LINES, "receipt_id") == ["R1", "R2"]


def test_equal_rows_all_come_back(pos: Drops, rules: Rules) -> None:
    line = receipt_line(unit_price='"3,95"')
    pos.drop("a.csv", receipts(line, line, line))
    load("pos")
    rules(COMMA)
    replay("pos")

    assert seen_values(LINES, "unit_price") == [3.95] * 3


def test_a_replay_that_was_cut_off_is_finished_and_not_repeated(pos: Drops, rules: Rules) -> None:
    refuse_a_price(pos)
    rules(COMMA)
    judged = quarantine._judged(SOURCES["pos"], RECEIPT_LINES, refusals("pos"), repairs())
    pipeline_for("pos").extract(quarantine._source("pos", [judged]), loader_file_format="parquet")

    replay("pos")

    assert seen_values(LINES, "receipt_id") == ["R1", "R2"]


def test_what_no_rule_mends_stays_and_says_why(pos: Drops, rules: Rules) -> None:
    refuse_a_price(pos)
    pos.drop("b.csv", receipts(receipt_line("R3", quantity="many"), "torn"))
    load("pos")
    rules(COMMA)

    left = replay("pos").still_refused.to_pylist()

    assert [(row["reason"], row["rows"]) for row in left] == [
        ("not a row of 9 columns", 1),
        ("quantity is not a bigint", 1),
    ]


def test_a_changed_contract_lets_in_what_it_refused(
    pos: Drops, monkeypatch: pytest.MonkeyPatch
) -> None:
    pos.drop("a.csv", receipts(receipt_line(sold_at="")))
    load("pos")
    key = tuple(column for column in RECEIPT_LINES.key if column != "sold_at")
    table = dataclasses.replace(RECEIPT_LINES, key=key)
    monkeypatch.setitem(SOURCES, "pos", dataclasses.replace(SOURCES["pos"], tables=(table,)))

    replay("pos")

    assert seen_values(LINES, "receipt_id") == ["R1"]


def test_a_torn_line_becomes_a_row_by_a_rule_for_its_payload(pos: Drops, rules: Rules) -> None:
    pos.drop("a.csv", receipts("R7;1;Leeds;2011-09-10 09:01:20;;90168;COMB;1;2.95"))
    load("pos")
    places = ["receipt_id", "line_number", "store", "sold_at", "", "stock_code", "", "quantity"]
    fields = ", ".join(
        f"'{name}', split_part(payload, ';', {place})"
        for place, name in enumerate([*places, "unit_price"], start=1)
        if name
    )
    rules({**COMMA, "reason": "not a row", "set": {}, "payload": f"json_object({fields})"})
    replay("pos")

    (row,) = seen(LINES)
    assert (row["receipt_id"], row["unit_price"], row["origin"]) == ("R7", 2.95, "a.csv")


def test_a_file_that_was_refused_whole_is_let_in_by_a_rule_for_its_text(
    pos: Drops, rules: Rules
) -> None:
    pos.drop("a.csv", receipts(receipt_line("R1"), receipt_line("R2")).replace(",", ";"))
    report = load("pos")
    rules({**COMMA, "reason": "header", "set": {}, "payload": "replace(payload, ';', ',')"})
    books = [replay("pos").books for _ in range(2)]

    let_in = Book("receipt_lines", 1, 2, -1, let_go=1, accepted_in_lake=2)
    assert (report.quarantined, books) == (1, [(let_in,), ()])
    assert seen_values(LINES, "origin") == ["a.csv", "a.csv"]


def test_an_event_that_the_collector_refused_comes_in_with_another_type(
    web: Drops, rules: Rules
) -> None:
    web.drop("1.jsonl", json.dumps(["type is none of track", event("m1", type="tracks")]))
    load("web")
    patch = """json_merge_patch(payload, '{"type": "track"}')"""
    rules({"name": "tracks", "source": "web", "table": "events", "payload": patch})
    replay("web")

    (row,) = seen("raw_web.events")
    assert (row["message_id"], row["event_type"], row["origin"]) == ("m1", "track", "1.jsonl")
    assert "message_id_1" not in row and "projectid" not in row


def test_a_version_that_came_right_in_the_meantime_stays_the_newest(crm: Crm, rules: Rules) -> None:
    crm.contact(birth_date="29.02.1980")
    load("crm")
    crm.run("update contacts set birth_date = '1980-02-28'")
    load("crm")
    turned = "strptime(birth_date, '%d.%m.%Y')::date"
    rules({"name": "x", "source": "crm", "table": "contacts", "set": {"birth_date": turned}})
    replay("crm")

    rows = seen("select day(birth_date) as day from raw_crm.contacts order by _dlt_load_id")
    assert [row["day"] for row in rows] == [29, 28]


def test_an_erased_person_is_not_let_in(crm: Crm, rules: Rules) -> None:
    crm.contact(birth_date="soon")
    load("crm")
    suppression.add([suppression.tombstone("email", "ann@example.com")])
    rules({"name": "x", "source": "crm", "table": "contacts", "set": {"birth_date": "null"}})

    (book,) = replay("crm").books

    assert (book.accepted, book.suppressed, seen("raw_crm.contacts")) == (0, 1, [])


def test_a_refusal_knows_when_it_was_first_and_last_seen(pos: Drops) -> None:
    for line in ("R3", "R4"):
        pos.drop("a.csv", receipts("torn", receipt_line(line)))
        load("pos")
    first, last = sorted(refusals("pos").to_pylist(), key=lambda row: str(row["load_id"]))

    assert first["first_seen_at"] == last["first_seen_at"] < last["last_seen_at"]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"name": "x"}, "needs name, source and table"),
        ("x", "needs name, source and table"),
        ({**COMMA, "sets": {}}, "comma has unknown fields: sets"),
        ({**COMMA, "set": {}}, "comma has neither payload nor a mapping named set"),
        ({**COMMA, "set": {"unit_price": "no_such(unit_price)"}}, "comma cannot be applied"),
        ({**COMMA, "set": {"price": "1"}}, "comma cannot be applied"),
        ({**COMMA, "set": {"unit_price": "') from x --"}}, "comma cannot be applied"),
    ],
)
def test_a_wrong_rule_is_named_and_lets_nothing_in(
    pos: Drops, rules: Rules, rule: object, problem: str
) -> None:
    refuse_a_price(pos)
    rules(rule)

    with pytest.raises(RepairRuleError, match=problem):
        replay("pos")
    assert seen_values(LINES, "receipt_id") == ["R1"]


def test_a_name_stands_for_one_rule(rules: Rules) -> None:
    with pytest.raises(RepairRuleError, match="uses a name twice: comma"):
        repairs(rules(COMMA, COMMA))


def test_the_rules_of_the_project_can_be_read() -> None:
    assert isinstance(repairs(), tuple)


def test_the_command_line_lists_and_lets_in(
    pos: Drops, rules: Rules, cdp: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    refuse_a_price(pos)
    rules(COMMA)
    done = cdp("quarantine", "replay", "pos")
    shown = cdp("quarantine", "show", "pos.receipt_lines")

    assert (done.returncode, "The next `cdp refresh` builds on them." in done.stdout) == (0, True)
    assert "unit_price is not a double" in shown.stdout and "let in comma" in shown.stdout
