from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from ml.attribution import SCHEMA, channel_credits

Paths = list[tuple[list[str], bool]]


def transitions(paths: Paths) -> pa.Table:
    """The steps of these paths of channels, each with whether an order followed."""
    walks = [["(start)", *path, "(order)" if ordered else "(none)"] for path, ordered in paths]
    steps = [step for walk in walks for step in pairwise(walk)]
    return pa.table(
        {
            "from_channel": [step[0] for step in steps],
            "to_channel": [step[1] for step in steps],
            "transitions": pa.array([1] * len(steps), pa.int64()),
        }
    )


def effects(paths: Paths) -> dict[str, float]:
    """The removal effect of every channel on these paths."""
    credits = channel_credits(transitions(paths))
    return dict(zip(*(credits[name].to_pylist() for name in SCHEMA.names), strict=True))


def test_removal_effects_are_those_worked_out_by_hand() -> None:
    """Of search -> email -> order, search -> none and email -> none.

    An order follows search with 1/2 and email with 1/2: 2/3 * 1/2 * 1/2 + 1/3 * 1/2 = 1/3. Without
    search only the start at email is left, 1/3 * 1/2 = 1/6: half is lost. Without email all is.
    """
    paths: Paths = [(["search", "email"], True), (["search"], False), (["email"], False)]

    assert effects(paths) == {"email": 1.0, "search": 0.5}


def test_a_channel_on_every_path_loses_every_order() -> None:
    assert effects([(["a", "b"], True), (["a"], True), (["a", "b"], False)])["a"] == 1.0


def test_without_an_order_no_channel_has_an_effect() -> None:
    assert effects([(["a"], False), (["b", "a"], False)]) == {"a": 0.0, "b": 0.0}


def test_no_path_at_all_makes_an_empty_table() -> None:
    empty = transitions([])

    assert channel_credits(empty).equals(SCHEMA.empty_table())


@pytest.mark.parametrize("seed", range(5))
def test_channels_stand_in_the_order_of_what_they_truly_do(seed: int) -> None:
    """20,000 people touched by chance; each touch of a channel adds a known chance of an order."""
    rng = np.random.default_rng(seed)
    adds = {"strong": 0.30, "weak": 0.10, "nothing": 0.0}
    names = list(adds)
    paths: Paths = []
    for length in rng.integers(1, 5, 20_000):
        path = [names[place] for place in rng.integers(0, len(names), length)]
        ordered = rng.random() < 1 - np.prod([1 - adds[name] for name in path]) + 0.02
        paths.append((path, bool(ordered)))
    found = effects(paths)

    assert found["strong"] > found["weak"] > found["nothing"]
