"""The verbs of `cdp identity`, as a user runs them."""

from pathlib import Path

import pytest

from identity.refresh import refresh
from tests.conftest import Run
from tests.identity.stored import store_people


@pytest.fixture()
def people(home: Path) -> None:
    """Six records, resolved."""
    store_people()
    refresh()


def test_why_tells_the_comparisons_and_draws_them(people: None, cdp: Run, tmp_path: Path) -> None:
    picture = tmp_path / "why.svg"
    told = cdp("identity", "why", "crm:1", "shop:1", "--picture", str(picture)).stdout
    assert "nickname: Katherine | Kate" in told
    assert picture.exists()


@pytest.mark.slow
def test_a_decision_is_planned_listed_and_counts_from_the_next_refresh(
    people: None, cdp: Run
) -> None:
    who = ("--reason", "Namesakes", "--actor", "ann")
    kept = cdp("identity", "review", "decide", "crm:3", "shop:3", "cut", *who)
    planned = cdp("identity", "plan").stdout
    listed = cdp("identity", "overrides").stdout
    refresh()
    told = cdp("identity", "why", "crm:3", "shop:3").stdout
    assert kept.returncode == 0
    assert "1 splits" in planned
    assert "Namesakes" in listed
    assert "a person cut them" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("why", "crm:1", "nobody@x"), "Nobody knows 'nobody@x'"),
        (("review", "decide", "1", "cut", "--reason", "a", "--actor", "b"), "No open doubt"),
        (("review", "decide", "cut", "--reason", "a", "--actor", "b"), "Say what is decided"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    people: None, cdp: Run, words: tuple[str, ...], said: str
) -> None:
    done = cdp("identity", *words)
    assert (done.returncode, said in done.stdout, "Traceback" in done.stderr) == (1, True, False)


@pytest.mark.slow
def test_review_report_and_retraining_run_on_a_handful_of_people(people: None, cdp: Run) -> None:
    done = [cdp("identity", verb) for verb in ("review", "report", "retrain")]
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 3
    assert "to decide" in done[0].stdout
    assert "Duplicates per source" in done[1].stdout
    assert "It is in use" in done[2].stdout


@pytest.mark.slow
def test_before_the_first_refresh_every_verb_says_what_to_do(cdp: Run) -> None:
    verbs = ("review", "overrides", "plan", "report", "retrain")
    done = [cdp("identity", verb) for verb in verbs] + [cdp("identity", "why", "a", "b")]
    told = [" ".join(one.stdout.split()) for one in done]
    assert [one.returncode for one in done] == [1] * 6
    assert ["`cdp refresh`" in line for line in told] == [True] * 6
