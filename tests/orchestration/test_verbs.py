"""What a mistake at the command line is answered: one sentence, and an exit code that is not 0."""

import subprocess
from pathlib import Path

import pyarrow as pa
import pytest

import warehouse
from serving.publish import path_of
from simulation.company import make_company
from tests.conftest import CDP, Run, environment

Done = subprocess.CompletedProcess[str]


@pytest.fixture()
def numbers() -> None:
    """A published table of 101 rows, one more than `cdp sql` shows, and an audience of one."""
    member = {"audience": ["vip"], "customer_id": ["c1"], "reason": ["buys"]}
    warehouse.replace("marts.numbers", pa.table({"number": list(range(101))}))
    warehouse.replace("audiences.audience_members", pa.table(member))
    warehouse.export({"marts.numbers": ["number"]}, path_of("insights"), mode=0o644)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("audience", "nobody"), "audiences are at_risk, browsed_not_bought, vip"),
        (("sql", ""), "That is no query"),
        (("sql", "drop table marts.numbers"), "read-only"),
        (("sql", "copy marts.numbers to 'numbers.csv'"), "only reads the published copy"),
        (("sql", "explain analyze copy marts.numbers to 'numbers.csv'"), "only reads"),
        (("sql", "select nothing from marts.numbers"), '"nothing" not found'),
        (("sql", "from customer_360.customer_contacts"), "`--contacts`"),
        (("simulate", "--people", "-5", "company"), "greater than or equal to 0"),
        (("simulate", "--people", "2", "/dev/null/company"), "yours to write"),
        (("identity", "review", "--most", "-1"), "greater than or equal to 0"),
        (("collect", "--port", "99999"), "less than or equal to 65535"),
        (("collect", "keys", "add", " "), "say what sends with the key"),
        (("collect", "keys", "revoke", "k", "--hours", "nan"), "valid integer"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    numbers: None, cdp: Run, words: tuple[str, ...], said: str
) -> None:
    done = cdp(*words)
    assert_told(done, said)


def assert_told(done: Done, said: str) -> None:
    """A verb ended with an error that was told in a sentence, wherever its lines break."""
    told, sentence = (
        "".join(text.replace("│", "").split()) for text in (done.stdout + done.stderr, said)
    )
    assert (done.returncode != 0, sentence in told, "Traceback" in told) == (True, True, False), (
        told
    )


def test_a_damaged_warehouse_is_told(numbers: None, home: Path, cdp: Run) -> None:
    (home / "warehouse.duckdb").write_bytes(bytes(10_000))
    assert_told(cdp("profile", "ann"), "restore it")


@pytest.mark.parametrize(
    ("place", "said"), [("", "yours to write"), ("demo.env", "demo.env holds what is no setting")]
)
def test_what_is_no_home_and_what_are_no_settings_is_told(
    home: Path, place: str, said: str
) -> None:
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    (home / place).write_bytes(b"\xff")
    words = [str(CDP), "collect", "keys", "add", "x"]
    done = subprocess.run(words, env=environment(home), capture_output=True, text=True, check=False)
    assert_told(done, said)


def test_another_company_in_this_home_is_told_and_left_alone(home: Path, cdp: Run) -> None:
    make_company(home, people=2)
    kept = (home / "company/crm.sqlite").stat().st_mtime_ns
    assert_told(cdp("demo", "--people", "0"), "another company already")
    assert (home / "company/crm.sqlite").stat().st_mtime_ns == kept


def test_who_sees_a_part_of_an_answer_is_told_so(numbers: None, cdp: Run) -> None:
    shown = [cdp("sql", f"from marts.numbers limit {rows}").stdout for rows in (100, 101)]
    assert ["100 of 101 rows." in text for text in shown] == [False, True]


def test_an_audience_of_nobody_is_listed_with_none(numbers: None, cdp: Run) -> None:
    listed = [line.split() for line in cdp("audience").stdout.splitlines()]
    assert [line[3] for line in listed if len(line) == 5 and line[1] != "audience"] == [
        "0",
        "0",
        "1",
    ]
