"""What a mistake at the command line is answered: one sentence, and an exit code that is not 0."""

from pathlib import Path

import pyarrow as pa
import pytest

import warehouse
from serving.publish import path_of
from simulation.company import make_company
from tests.conftest import Run


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
        (("sql", "select nothing from marts.numbers"), '"nothing" not found'),
        (("sql", "from customer_360.customer_contacts"), "`--contacts`"),
        (("simulate", "--people", "-5", "company"), "greater than or equal to 0"),
        (("collect", "--port", "99999"), "less than or equal to 65535"),
        (("collect", "keys", "add", " "), "say what sends with the key"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    numbers: None, cdp: Run, words: tuple[str, ...], said: str
) -> None:
    done = cdp(*words)
    told = " ".join((done.stdout + done.stderr).replace("│", " ").split())
    assert (done.returncode != 0, said in told, "Traceback" in told) == (True, True, False), told


def test_another_company_in_this_home_is_told_and_left_alone(home: Path, cdp: Run) -> None:
    make_company(home, people=2)
    kept = (home / "company/crm.sqlite").stat().st_mtime_ns
    assert "another company already" in cdp("demo", "--people", "0").stdout
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
