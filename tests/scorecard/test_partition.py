"""The measures of a grouping, by hand and against a reference that looks at every pair."""

import time
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorecard.partition import Agreement, agreement


def _agreement(clusters: list[str], persons: list[str]) -> Agreement:
    return agreement(
        pa.chunked_array([pa.array(clusters, pa.string())]),
        pa.chunked_array([pa.array(persons, pa.string())]),
    )


def _measures(found: Agreement) -> tuple[float | None, ...]:
    return (
        found.precision,
        found.recall,
        found.f1,
        found.b_cubed_precision,
        found.b_cubed_recall,
        found.b_cubed_f1,
    )


def test_one_wrong_record_costs_what_is_counted_by_hand() -> None:
    """Clusters {a a a b} {b c}: 7 pairs found, 4 true, 3 in both."""
    found = _agreement(["1", "1", "1", "1", "2", "2"], ["a", "a", "a", "b", "b", "c"])

    by_hand = (3 / 7, 3 / 4, 6 / 11, (3 * 3 / 4 + 1 / 4 + 2 * 1 / 2) / 6, (3 + 1 + 1) / 6)
    assert _measures(found)[:5] == pytest.approx(by_hand)
    assert (found.persons_right, found.clusters, found.persons, found.largest) == (0, 2, 3, 4)


def test_a_person_is_right_with_all_their_records_and_nobody_elses() -> None:
    found = _agreement(["1", "1", "2", "3", "4", "4"], ["a", "a", "b", "b", "c", "d"])
    assert found.persons_right == 1


def test_the_truth_itself_scores_one() -> None:
    found = _agreement(["1", "1", "2"], ["a", "a", "b"])
    assert (_measures(found), found.persons_right) == ((1.0,) * 6, 2)


def test_all_in_one_finds_everything_and_is_mostly_wrong() -> None:
    found = _agreement(["1"] * 4, ["a", "a", "b", "b"])
    assert _measures(found) == pytest.approx((2 / 6, 1, 4 / 8, 1 / 2, 1, 2 / 3))


def test_all_alone_makes_no_error_and_finds_nothing() -> None:
    found = _agreement(["1", "2", "3", "4"], ["a", "a", "b", "b"])
    assert _measures(found) == pytest.approx((None, 0, 0, 1, 1 / 2, 2 / 3))


def test_one_record_of_one_person_has_no_pairs_to_be_right_about() -> None:
    found = _agreement(["1"], ["a"])
    assert (_measures(found), found.persons_right) == ((None, None, None, 1, 1, 1), 1)


def test_no_records_give_no_figures() -> None:
    found = _agreement([], [])
    assert (_measures(found), found.persons, found.largest) == ((None,) * 6, 0, 0)


def test_a_record_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be scored"):
        agreement(pa.chunked_array([["1"]]), pa.chunked_array([pa.array([None], pa.string())]))


def _reference(clusters: list[str], persons: list[str]) -> tuple[float | None, ...]:
    """The definitions, word by word."""
    records = range(len(clusters))
    pairs = list(combinations(records, 2))
    found = {(a, b) for a, b in pairs if clusters[a] == clusters[b]}
    true = {(a, b) for a, b in pairs if persons[a] == persons[b]}
    precision = len(found & true) / len(found) if found else None
    recall = len(found & true) / len(true) if true else None
    f1 = 2 * len(found & true) / (len(found) + len(true)) if found or true else None
    cubed = [_b_cubed(clusters, persons), _b_cubed(persons, clusters)]
    return precision, recall, f1, *cubed, 2 * cubed[0] * cubed[1] / (cubed[0] + cubed[1])


def _b_cubed(groups: list[str], labels: list[str]) -> float:
    shares = []
    for group, label in zip(groups, labels, strict=True):
        same = [other for other, of in zip(labels, groups, strict=True) if of == group]
        shares.append(same.count(label) / len(same))
    return sum(shares) / len(shares)


@given(
    st.lists(st.tuples(st.sampled_from("12345"), st.sampled_from("abcde")), min_size=1, max_size=20)
)
def test_the_measures_are_what_every_pair_says(records: list[tuple[str, str]]) -> None:
    clusters, persons = [c for c, _ in records], [p for _, p in records]
    assert _measures(_agreement(clusters, persons)) == pytest.approx(_reference(clusters, persons))


def test_a_million_records_take_seconds() -> None:
    chance = np.random.default_rng(0)
    numbers = chance.integers(0, 400_000, (2, 1_000_000))
    clusters, persons = (pa.chunked_array([pa.array(n.astype(str))]) for n in numbers)
    start = time.process_time()

    found = agreement(clusters, persons)

    assert (found.records, time.process_time() - start < 10) == (1_000_000, True)
