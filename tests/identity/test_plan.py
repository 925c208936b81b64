"""What people are told that changed rules would do, before they do it."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

import warehouse
from identity import linking, review
from identity.plan import Plan, plan
from identity.refresh import refresh
from identity.rules import RulesError
from tests.identity.stored import SEEDS, store_people, store_seed

NOTHING_BUT_THE_EMAIL = """
update identity.int_identity__records set first_name = null, last_name = null, birth_date = null
"""
BLOCK_ZOE = "\nemail,zoe@[a-z.]+,true,Somebody else's\n"


@pytest.fixture()
def seeds(tmp_path: Path) -> Path:
    """Seed files to change; the warehouse holds them as they are, and six refreshed records."""
    store_people()
    refresh()
    folder = tmp_path / "seeds"
    shutil.copytree(SEEDS, folder)
    return folder


def limit_emails(folder: Path) -> None:
    """A person has one e-mail, and it proves a little less."""
    path = folder / "identifier_types.csv"
    path.write_text(
        path.read_text().replace("\nemail,4,10,1,false,true,,", "\nemail,4,9.5,1,false,true,1,")
    )


def done(found: Plan) -> tuple[int, int, int]:
    """What would be done, in numbers."""
    return found.merged, found.split, found.moved_records


def test_unchanged_rules_change_nothing(seeds: Path) -> None:
    found = plan(seeds)
    assert (*done(found), found.customers) == (0, 0, 0, 0)
    assert found.old_rules_version == found.rules_version


def test_a_decision_that_waits_is_in_the_plan_and_the_refresh_does_what_it_said(
    seeds: Path,
) -> None:
    review.decide(["crm:3", "shop:3"], "cut", reason="Two of one name", actor="ann")
    found = plan(seeds)
    report = refresh()
    assert done(found) == (0, 1, 1) == (report.merged, report.split, report.moved_records)


def test_the_plan_names_the_customers_between_whom_records_move(seeds: Path) -> None:
    review.decide(["crm:3", "shop:3"], "cut", reason="Two of one name", actor="ann")
    owner = "select customer_id from identity.record_customers where record_key = 'crm:3'"
    before = warehouse.read(owner).column(0)[0].as_py()
    (change,) = plan(seeds).changes.to_pylist()
    assert (change["kind"], change["from_customer_id"], change["records"]) == (
        "split",
        before,
        1,
    )


def test_other_rules_give_another_version_and_the_refresh_does_what_was_planned(
    seeds: Path,
) -> None:
    limit_emails(seeds)
    found = plan(seeds)
    store_seed(seeds / "identifier_types.csv")
    report = refresh()
    assert found.old_rules_version != found.rules_version == report.rules_version
    assert found.split > 0
    assert done(found) == (report.merged, report.split, report.moved_records)


def test_an_id_that_is_unique_no_more_is_compared_no_more(seeds: Path) -> None:
    path = seeds / "identifier_types.csv"
    path.write_text(path.read_text().replace("\nuser_id,1,15,1,true", "\nuser_id,1,15,1,false"))
    assert done(plan(seeds)) == (0, 0, 0)


def test_a_value_blocked_in_the_seed_links_nobody_in_the_plan(seeds: Path) -> None:
    with (seeds / "blocked_values.csv").open("a") as lines:
        lines.write(BLOCK_ZOE)
    with warehouse.transaction() as session:
        session.execute(NOTHING_BUT_THE_EMAIL)
    refresh()
    assert plan(seeds).split == 1


def test_audiences_of_the_touched_customers_are_counted(seeds: Path) -> None:
    review.decide(["crm:3", "shop:3"], "cut", reason="Two of one name", actor="ann")
    known = warehouse.read("select distinct customer_id from identity.record_customers")
    members = {"audience": ["vip"] * known.num_rows, "customer_id": known.column(0)}
    warehouse.replace("audiences.audience_members", pa.table(members))
    assert plan(seeds).audiences == {"vip": 1}


def test_a_plan_writes_not_one_byte(seeds: Path) -> None:
    limit_emails(seeds)
    before = (warehouse.path().read_bytes(), linking.path().read_bytes())
    plan(seeds)
    plan(seeds, is_retrained=True)
    assert before == (warehouse.path().read_bytes(), linking.path().read_bytes())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\nemail,4,10,1,", "\nemail,4,-1,1,", "weight"),
        ("\nemail,4,10,1,", "\nemail,4,much,1,", "line 5: `weight` must be a number, not 'much'"),
    ],
)
def test_rules_that_make_no_sense_are_refused_with_what_to_do(
    seeds: Path, old: str, new: str, said: str
) -> None:
    path = seeds / "identifier_types.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(RulesError, match=said):
        plan(seeds)
