"""A model trained by Splink 5 as one of ours, where its comparisons say what ours do.

Splink's exact, Jaro-Winkler and edit-distance levels become 'same', 'misspelt' and 'alike'; a level
of ours that Splink does not know weighs as the next lower one does. Term frequencies are not part
of Splink's file, so an imported model has none.
"""

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from identity.likely.comparisons import Comparison, comparisons
from identity.likely.model import Frequencies, Level, LinkModel, Weights
from settings import ForeseenError

ALIKE_BELOW = 0.9  # Jaro-Winkler: from here on a word is misspelt, below it is only alike
MOST_EDITS = 2  # letters that differ in a misspelt word
LEAST = 1e-9  # a level that Splink never saw

Shares = tuple[float, float]


class SplinkModelError(ForeseenError):
    """A Splink model says something that our comparisons do not."""


def load_splink_model(path: Path, fields: Mapping[str, str]) -> LinkModel:
    """The model in a file of Splink's `save_model_to_json`, over the declared fields.

    Raises SplinkModelError when the file, a comparison or a level has no counterpart.
    """
    given = _read(path)
    theirs = {one["output_column_name"]: one for one in given["comparisons"]}
    found = [one for one in comparisons(fields) if one.kind != "namesakes"]  # Splink has none
    ours = {one.name for one in found}
    if missing := sorted(ours ^ theirs.keys()):
        raise SplinkModelError(
            f"{path}: the comparison {missing[0]!r} is on one side only. Declare exactly the"
            f" fields that the model compares; it compares {', '.join(sorted(theirs))}."
        )
    weights = {one.name: _weights(path, one, theirs[one.name]) for one in found}
    return LinkModel(
        fields=dict(fields),
        prior=given["probability_two_random_records_match"],
        comparisons=weights,
        frequencies={
            column: Frequencies(
                chance=weights[one.name].levels[level].u, rare=weights[one.name].levels[level].u
            )
            for one in found
            for level, column in one.frequency_columns.items()
        },
        facts={"made_from": "a Splink model"},
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        given: Mapping[str, Any] = json.loads(path.read_text())
        _ = given["comparisons"], given["probability_two_random_records_match"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SplinkModelError(
            f"{path} is no Splink model ({error}): write one by `linker.misc.save_model_to_json`."
        ) from error
    return given


def _weights(path: Path, one: Comparison, given: Mapping[str, Any]) -> Weights:
    seen: dict[str, Shares] = {}
    for level in given["comparison_levels"]:
        if not level.get("is_null_level"):
            name = _level_name(level["sql_condition"])
            if name not in one.names:
                raise SplinkModelError(
                    f"{path}: {one.name}: no level of kind {one.kind} is like"
                    f" {level['sql_condition']!r}. Levels: {', '.join(one.names)}."
                )
            m, u = seen.get(name, (0.0, 0.0))
            seen[name] = (m + _share(path, level, "m"), u + _share(path, level, "u"))
    known = [seen.get(name) for name in one.names]
    if known[0] is None:
        raise SplinkModelError(f"{path}: {one.name} has no level ELSE.")
    return Weights(one.kind, _levels(one.names, known))


def _levels(names: list[str], known: list[Shares | None]) -> tuple[Level, ...]:
    filled = [known[0]]
    for _, shares in pairwise(known):
        filled.append(shares or filled[-1])
    return tuple(
        Level(name, max(shares[0], LEAST), max(shares[1], LEAST))
        for name, shares in zip(names, filled, strict=True)
        if shares
    )


def _share(path: Path, level: Mapping[str, Any], which: str) -> float:
    try:
        return float(level[f"{which}_probability"])
    except (KeyError, TypeError, ValueError) as error:
        raise SplinkModelError(
            f"{path}: {level['sql_condition']!r} has no {which}: train the model to its end first."
        ) from error


def _level_name(condition: str) -> str:
    """What we call a likeness that Splink describes in SQL."""
    text = condition.lower()
    number = re.search(r"(?:>=|<=)\s*([0-9.]+)\s*$", text)
    if text.strip() == "else":
        return "differs"
    if re.fullmatch(r'\s*"?(\w+)_l"?\s*=\s*"?\1_r"?\s*', text):
        return "same"
    if number and "jaro" in text:
        return "misspelt" if float(number[1]) >= ALIKE_BELOW else "alike"
    if number and "levenshtein" in text:
        return "misspelt" if float(number[1]) <= MOST_EDITS else "alike"
    return condition
