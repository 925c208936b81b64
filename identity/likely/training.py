"""Learning, without labels, what each likeness is worth.

`u` is how often two random records are so alike: counted exactly where values are equal, from a
fixed sample where they are only similar. `m` is how often two records of one person are: counted
in pairs that share a unique id where there are enough of them, and else found by expectation and
maximisation over all pairs, where those that share no key count as two people. Too little data
for either leaves the values of the default model, which is shipped with the code.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from identity.likely.comparisons import Comparison, comparisons
from identity.likely.model import Frequencies, Level, LinkModel, Weights
from warehouse import Session, function

SAMPLE = 1_200  # records, so 720,000 random pairs: a level seen in 1 of 10,000 is seen 72 times
NAMED_VALUES = 5_000  # most common values of a column that a model names
NAMED_FROM = 5  # records that must hold a value before a model names it: it identifies nobody
ENOUGH_LABELS = 200  # pairs of one person that say how often they differ, within a few percent
ROUNDS = 100  # of expectation and maximisation: far beyond where it stands still
PSEUDO_PAIRS = 10.0  # how many pairs the default model's opinion counts for
VETO_BELOW = 0.02  # 'differs' in fewer than 2 of 100 pairs of one person is a veto
LEAST_U = 1e-7
MOSTLY = 20.0  # at most this many of the random pairs that agree are one person
PRIOR_RANGE = (1e-9, 0.2)
UNIQUE_ID = (Level("differs", 0.04, 1.0), Level("same", 0.96, 0.96 / 4096))  # second accounts exist

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Patterns:
    """How many pairs show which combination of levels."""

    levels: Mapping[str, Ints]
    counts: Floats


def train(
    session: Session,
    prepared: str,
    fields: Mapping[str, str],
    pairs: str,
    labels: str | None = None,
) -> LinkModel:
    """A model from candidate pairs (a, b) and, if given, pairs that are known to be one person."""
    found = comparisons(fields)
    records = _count(session, prepared)
    frequencies = _frequencies(session, prepared, found)
    u = _chances(session, prepared, found, frequencies)
    patterns = _patterns(session, pairs, prepared, found)
    known = _patterns(session, labels, prepared, found) if labels else None
    m, prior, how = _learned(found, u, patterns, known, records)
    weights = {one.name: _weights(one, m[one.name], u[one.name], prior) for one in found}
    facts = {
        "records": records,
        "candidate_pairs": int(patterns.counts.sum()),
        "known_pairs": int(known.counts.sum()) if known else 0,
        "m_from": how,
    }
    return LinkModel(dict(fields), float(f"{prior:.6g}"), weights, frequencies, facts)


def _count(session: Session, table: str) -> int:
    return int(session.read(f"select count(*) as n from {table}").column("n")[0].as_py())


def _frequencies(
    session: Session, prepared: str, found: list[Comparison]
) -> dict[str, Frequencies]:
    columns = {column for one in found for column in one.frequency_columns.values()}
    return {column: _frequency(session, prepared, column) for column in sorted(columns)}


def _frequency(session: Session, prepared: str, column: str) -> Frequencies:
    session.execute(
        f'create or replace temp table value_counts as select "{column}" as value,'
        f' count(*) as records from {prepared} where "{column}" is not null group by "{column}"'
    )
    total, squares, values = _row(
        session,
        "select coalesce(sum(records), 0), coalesce(sum(records * (records - 1)), 0), count(*)"
        " from value_counts",
    )
    common = session.read(
        f"select value, records from value_counts where records >= {NAMED_FROM}"
        f" order by records desc, value limit {NAMED_VALUES}"
    ).to_pydict()
    named = dict(zip(common["value"], common["records"], strict=True))
    unnamed = max(values - len(named), 1)
    chance = squares / max(total * (total - 1), 1)
    rare = max(total - sum(named.values()), 1) / unnamed / max(total, 1)
    return Frequencies(
        chance=_short(max(chance, LEAST_U)),
        rare=_short(rare),
        common={value: _short(count / total) for value, count in named.items()},
    )


def _row(session: Session, query: str) -> tuple[int, ...]:
    return tuple(int(value) for value in session.read(query).to_pylist()[0].values())


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _chances(
    session: Session,
    prepared: str,
    found: list[Comparison],
    frequencies: Mapping[str, Frequencies],
) -> dict[str, Floats]:
    """For each comparison the share of random pairs at each level."""
    patterns = _random_pairs(session, prepared, found)
    return {one.name: _chance(session, prepared, one, patterns, frequencies) for one in found}


def _random_pairs(session: Session, prepared: str, found: list[Comparison]) -> Patterns:
    order = function("hash", "record_no + 7919")
    session.execute(
        "create or replace temp table sampled as"
        f" select * from {prepared} order by {order}, record_no limit {SAMPLE}"
    )
    session.execute(
        "create or replace temp table random_pairs as select l.record_no as a, r.record_no as b"
        " from sampled as l inner join sampled as r on l.record_no < r.record_no"
    )
    return _patterns(session, "random_pairs", "sampled", found)


def _chance(
    session: Session,
    prepared: str,
    one: Comparison,
    patterns: Patterns,
    frequencies: Mapping[str, Frequencies],
) -> Floats:
    if one.kind == "unique_id":
        return np.array([level.u for level in UNIQUE_ID])
    counts = _counts(patterns.levels[one.name], patterns.counts, len(one.names))
    chances = np.maximum(counts, 0.5) / max(counts.sum(), 1.0)
    exact = frequencies.get(one.exact) or _frequency(session, prepared, one.exact)
    chances[-1] = exact.chance
    return np.asarray(np.maximum(chances, LEAST_U))


def _counts(levels: Ints, counts: Floats, size: int) -> Floats:
    seen = levels >= 0
    sums = np.bincount(levels[seen], weights=counts[seen], minlength=size)
    return sums.astype(np.float64)


def _patterns(session: Session, pairs: str, prepared: str, found: list[Comparison]) -> Patterns:
    """The pairs counted by their levels; the order of rows is fixed, so sums are too."""
    columns = ", ".join(one.sql for one in found)
    rows = session.read(
        f"select {columns}, count(*) as pairs from {pairs} as p"
        f" inner join {prepared} as l on p.a = l.record_no"
        f" inner join {prepared} as r on p.b = r.record_no group by all order by all"
    )
    levels = {one.name: rows.column(one.column).to_numpy().astype(np.int64) for one in found}
    return Patterns(levels, rows.column("pairs").to_numpy().astype(np.float64))


def _learned(
    found: list[Comparison],
    u: Mapping[str, Floats],
    patterns: Patterns,
    known: Patterns | None,
    records: int,
) -> tuple[dict[str, Floats], float, str]:
    m = {one.name: _first_guess(one) for one in found}
    all_pairs = max(records * (records - 1) / 2, 1.0)
    if known and known.counts.sum() >= ENOUGH_LABELS:
        m = {one.name: _m_from(one, known, known.counts, m[one.name]) for one in found}
        return m, _prior(m, u, patterns, all_pairs), "unique ids"
    return *_maximised(found, m, u, patterns, all_pairs), "expectation and maximisation"


def _first_guess(one: Comparison) -> Floats:
    """Nine of ten are equal, the rest is spread evenly."""
    if one.kind == "unique_id":
        return np.array([level.m for level in UNIQUE_ID])
    size = len(one.levels)
    return np.array([0.1 / size] * size + [0.9])


def _m_from(one: Comparison, patterns: Patterns, counts: Floats, guess: Floats) -> Floats:
    if one.kind == "unique_id":
        return guess
    seen = _counts(patterns.levels[one.name], counts, len(guess)) + PSEUDO_PAIRS * guess
    return np.asarray(seen / seen.sum())


def _posterior(
    m: Mapping[str, Floats], u: Mapping[str, Floats], patterns: Patterns, prior: float
) -> Floats:
    odds = np.full(len(patterns.counts), np.log(prior / (1 - prior)))
    for name, levels in patterns.levels.items():
        seen = levels >= 0
        odds[seen] += np.log(m[name] / _of_two_people(u[name], m[name], prior))[levels[seen]]
    return np.asarray(1 / (1 + np.exp(-odds)))


def _of_two_people(u: Floats, m: Floats, prior: float) -> Floats:
    """Random pairs without those that happen to be one person, which small tables have many of."""
    return np.maximum((u - prior * m) / (1 - prior), u / MOSTLY)


def _prior(
    m: Mapping[str, Floats], u: Mapping[str, Floats], patterns: Patterns, all_pairs: float
) -> float:
    """The share of all pairs that are one person, with which the model agrees with itself."""
    prior = _bounded(len(patterns.counts) and patterns.counts.sum() * 0.5 / all_pairs)
    for _ in range(ROUNDS):
        expected = float((_posterior(m, u, patterns, prior) * patterns.counts).sum())
        prior = _bounded(expected / all_pairs)
    return prior


def _bounded(prior: float) -> float:
    return min(max(prior, PRIOR_RANGE[0]), PRIOR_RANGE[1])


def _maximised(
    found: list[Comparison],
    guess: dict[str, Floats],
    u: Mapping[str, Floats],
    patterns: Patterns,
    all_pairs: float,
) -> tuple[dict[str, Floats], float]:
    m, prior = guess, _bounded(patterns.counts.sum() * 0.5 / all_pairs)
    for _ in range(ROUNDS):
        expected = _posterior(m, u, patterns, prior) * patterns.counts
        prior = _bounded(float(expected.sum()) / all_pairs)
        m = {one.name: _m_from(one, patterns, expected, guess[one.name]) for one in found}
    return m, prior


def _weights(one: Comparison, m: Floats, u: Floats, prior: float) -> Weights:
    if one.kind != "unique_id":
        u = _of_two_people(u, m, prior)
    levels = tuple(
        Level(name, _short(float(m[number])), _short(float(u[number])))
        for number, name in enumerate(one.names)
    )
    is_veto = one.kind == "given_name" and levels[0].m < VETO_BELOW
    return Weights(one.kind, levels, is_veto)
