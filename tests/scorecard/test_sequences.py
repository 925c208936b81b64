"""Rules of what is bought after what, against planted ones."""

import pytest

import warehouse
from scorecard import sequences
from scorecard.rows import Row
from tests.scorecard.worlds import Rows, make

PLANTED = [("A", "B", 30, 4.0, 0.02, 1_000.0), ("C", "D", 30, 5.0, 0.02, 1_000.0)]


def _rows(*rules: tuple[str, str, int, float, float, float], planted: Rows = PLANTED) -> list[Row]:
    with warehouse.transaction() as session:
        make(session, truth_sequences=planted, marts__product_sequences=rules)
        return list(sequences.rows(session))


def _values(*rules: tuple[str, str, int, float, float, float]) -> list[float | None]:
    return [row.value for row in _rows(*rules)]


def test_every_planted_rule_with_its_true_lift_is_perfect() -> None:
    perfect = _values(("A", "B", 30, 4, 3, 5), ("C", "D", 30, 5, 4, 6))
    assert perfect == [1, pytest.approx(1), 0, 0, 1]


def test_without_rules_nothing_is_found_and_nothing_else_is_known() -> None:
    assert _values() == [0, pytest.approx(1), None, None, None]


def test_a_rule_backwards_or_across_two_planted_ones_is_false() -> None:
    backward, across = ("B", "A", 30, 9, 8, 10), ("A", "D", 30, 9, 8, 10)
    assert _values(("A", "B", 30, 4, 3, 5), backward, across)[::2][:2] == [0.5, 2 / 3]


@pytest.mark.parametrize("pair", [("A", "Z"), ("Z", "B"), ("Y", "Z")])
def test_a_rule_of_the_ledgers_own_is_neither_right_nor_false(pair: tuple[str, str]) -> None:
    rows = _rows((*pair, 30, 2, 1, 3))
    assert (rows[2].value, rows[2].note.endswith("; 1 others")) == (None, True)


def test_lifts_are_off_by_the_mean_of_their_relative_errors() -> None:
    rows = _rows(("A", "B", 30, 2, 1, 3), ("C", "D", 30, 6, 5, 7))
    assert (rows[3].value, rows[3].note) == (pytest.approx(0.35), "on average -15.0%")
    assert (rows[4].value, rows[4].note) == (0.5, "1 of 2 intervals of 95 %")


def test_a_lift_within_other_days_is_found_but_not_compared() -> None:
    assert _values(("A", "B", 14, 4, 3, 5))[2:] == [0, None, None]


@pytest.mark.parametrize(("tested", "reach"), [(10**6, 0.0342), (1, 0.8088)])
def test_a_rule_with_few_followers_is_within_reach_of_few_tests_alone(
    tested: int, reach: float
) -> None:
    """Two by chance and eight with the rule: a million tests ask for fourteen, one for six."""
    with warehouse.transaction() as session:
        make(
            session,
            truth_sequences=[("A", "B", 30, 4.0, 0.02, 100.0)],
            marts__int_marketing__judged_sequences=[(tested,)],
        )
        assert sequences.within_reach(session) == pytest.approx(reach, abs=1e-4)
