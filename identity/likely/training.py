"""Learning, without labels, what each likeness is worth.

`m` is how often two records of one person are so alike, `u` how often two random ones are. Pairs
that share a unique id teach `m` where there are enough of them; else expectation and maximisation
find it over all pairs, where those that share no key count as two people. Two people of one home
are told apart from one person: they share surname, address and mailbox, but first names and birth
dates only by chance. A text may be of either, which is learned. The default model, shipped with the
code, has a small say in everything, so that it decides where data are too few.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from identity.likely.chances import chances, short
from identity.likely.comparisons import Comparison, comparisons
from identity.likely.model import Level, LinkModel, Weights
from identity.likely.patterns import Patterns, level_counts, patterns_of
from warehouse import Session

DEFAULT = Path(__file__).with_name("default_model.json")
ENOUGH_KNOWN = 200  # pairs of one person say how often values differ, within a few percent
ROUNDS = 100  # of expectation and maximisation: far beyond where it stands still
PSEUDO_PAIRS = 10.0  # how many pairs of one person the default model's opinion counts for
TEXT_PAIRS = 200.0  # how many pairs of one home it takes to show what a text is worth there
NEVER_SEEN = 0.5  # pairs at every level: what was never seen is not impossible
VETO_BELOW = 0.02  # names that differ in fewer than 2 of 100 pairs of one person are a veto
HOME = {"family_name", "email", "phone", "address", "street", "city", "postcode", "text"}
PERSONAL = {"given_name", "date", "id", "unique_id"}  # what tells two people of one home apart
AMONG_PAIRS = {"namesakes"}  # only pairs that agree on a name have it
PRIOR_RANGE = (1e-9, 0.2)
CHANCE = 0.9  # pairs that are chance so surely teach nothing: values that go together make many
MOSTLY = 20.0  # at most this many of the random pairs that agree are one person
UNIQUE_ID = {"m": (0.04, 0.96), "u": (1.0, 0.96 / 4096)}  # second accounts exist; 12 bits for one

Floats = npt.NDArray[np.float64]
Shares = Mapping[str, Floats]


def train(
    session: Session,
    prepared: str,
    fields: Mapping[str, str],
    pairs: str,
    labels: str | None = None,
    *,
    default: LinkModel | None = None,
) -> LinkModel:
    """A model from candidate pairs (a, b) and, if given, pairs that are known to be one person."""
    found = comparisons(fields)
    default = default or LinkModel.load(DEFAULT)
    guess = {one.name: _default(default, one, "m") for one in found}
    u, frequencies = chances(
        session, prepared, found, {one.name: _default(default, one, "u") for one in found}
    )
    records = session.number(f"select count(*) from {prepared}")
    patterns = patterns_of(session, pairs, prepared, found)
    known = patterns_of(session, labels, prepared, found) if labels else None
    known_pairs = int(known.counts.sum()) if known else 0
    is_known = known_pairs >= ENOUGH_KNOWN
    home = _home(found, guess, u, patterns)
    learned = _learned(guess, home, u, patterns, known if is_known else None, records)
    return LinkModel(
        fields=dict(fields),
        prior=short(learned.prior),
        home_prior=short(learned.home_prior),
        comparisons={one.name: _weights(one, learned, home) for one in found},
        frequencies=frequencies,
        facts={
            "records": records,
            "candidate_pairs": int(patterns.counts.sum()),
            "known_pairs": known_pairs,
            "m_from": "unique ids" if is_known else "expectation and maximisation",
        },
    )


def _default(default: LinkModel, one: Comparison, which: str) -> Floats:
    """The shares of the levels of this kind of comparison in the default model."""
    if one.kind == "unique_id":
        return np.array(UNIQUE_ID[which])
    if one.name in AMONG_PAIRS:
        return np.full(len(one.names), 1 / len(one.names))
    levels = next(w.levels for w in default.comparisons.values() if w.kind == one.kind)
    by_name = {level.name: getattr(level, which) for level in levels}
    return np.array([by_name.get(name, min(by_name.values())) for name in one.names])


@dataclass(frozen=True)
class Home:
    """What two people of one home share: where learning it begins, and what it leans on."""

    begin: Shares
    lean: Shares
    pairs: Mapping[str, float]  # how many pairs of one home the leaning counts for


def _home(found: list[Comparison], guess: Shares, u: Shares, patterns: Patterns) -> Home:
    """Nothing where no value tells people of one home apart: one person would be taken for two.

    A text is of a person until many pairs of one home show that they share it, as a flat.
    """
    is_told = any(one.kind in PERSONAL and (patterns.levels[one.name] >= 0).any() for one in found)
    shared = [one for one in found if is_told and one.kind in HOME]
    return Home(
        begin={one.name: guess[one.name] for one in shared},
        lean={one.name: (u if one.kind == "text" else guess)[one.name] for one in shared},
        pairs={one.name: TEXT_PAIRS if one.kind == "text" else PSEUDO_PAIRS for one in shared},
    )


@dataclass(frozen=True)
class Learned:
    """What pairs of one person (m), of two (u) and of one home (h) look like; shares of all."""

    m: Shares
    u: Shares
    h: Shares
    prior: float
    home_prior: float


def _learned(  # noqa: PLR0917
    guess: Shares, home: Home, u: Shares, patterns: Patterns, known: Patterns | None, records: int
) -> Learned:
    """Expected pairs of one person, and of one home, counted until the model agrees with itself.

    What a home does not share is in its pairs as in any two. How many bear a name that two people
    have is learned from the pairs that are not one person: random pairs have none.
    """
    all_pairs = records * (records - 1) / 2
    m = _seen(guess, known, known.counts) if known else guess
    h, prior = {**u, **home.begin}, _prior(patterns.counts.sum() / 2, all_pairs, records)
    prior_h = prior if home.begin else 0.0
    for _ in range(ROUNDS):
        person, together = _posteriors((m, prior), (h, prior_h), u, patterns)
        prior = _prior(float(person.sum()), all_pairs, records)
        prior_h = _prior(float(together.sum()), all_pairs, records) if home.begin else 0.0
        learned = _seen(guess, patterns, person)
        m = {name: m[name] if known and name not in AMONG_PAIRS else learned[name] for name in m}
        rest = _seen(guess, patterns, patterns.counts - person)
        u = {name: rest[name] if name in AMONG_PAIRS else u[name] for name in u}
        h = {**u, **_seen(home.lean, patterns, together, home.pairs)}
    return Learned(m, u, h, prior, prior_h)


def _seen(
    guess: Shares, patterns: Patterns, counts: Floats, pairs: Mapping[str, float] | None = None
) -> Shares:
    """The shares of the levels in these pairs; the guess counts for so many, ten if not told."""
    return {
        name: _mixed(
            level_counts(patterns.levels[name], counts, len(shares)),
            shares,
            pairs[name] if pairs else PSEUDO_PAIRS,
        )
        for name, shares in guess.items()
    }


def _mixed(counts: Floats, guess: Floats, pairs: float) -> Floats:
    if np.array_equal(guess, UNIQUE_ID["m"]):
        return guess  # pairs were chosen by it, so it cannot be learned from them
    mixed = counts + pairs * guess + NEVER_SEEN
    return np.asarray(mixed / mixed.sum())


def _prior(expected: float, all_pairs: float, records: int) -> float:
    """The share of pairs that are one person; of few records, one pair per record is expected."""
    guess = PSEUDO_PAIRS / (records + PSEUDO_PAIRS)
    prior = (expected + guess) / (all_pairs + PSEUDO_PAIRS)
    return float(min(max(prior, PRIOR_RANGE[0]), PRIOR_RANGE[1]))


def _posteriors(
    person: tuple[Shares, float], home: tuple[Shares, float], u: Shares, patterns: Patterns
) -> tuple[Floats, Floats]:
    """How many pairs of each pattern are one person, and how many are two of one home."""
    (m, prior), (h, prior_h) = person, home
    odds = np.full(len(patterns.counts), np.log(prior / (1 - prior)))
    odds_h = np.full(len(patterns.counts), np.log(prior_h / (1 - prior_h)) if prior_h else -np.inf)
    for name, levels in patterns.levels.items():
        seen = levels >= 0
        apart = _of_two_people(u[name], m[name], prior)
        odds[seen] += np.log(m[name] / apart)[levels[seen]]
        if h[name] is not u[name]:
            odds_h[seen] += np.log(h[name] / apart)[levels[seen]]
    whole = np.logaddexp(np.logaddexp(odds, odds_h), 0.0)
    counts = np.where(np.exp(-whole) < CHANCE, patterns.counts, 0.0)
    return np.exp(odds - whole) * counts, np.exp(odds_h - whole) * counts


def _of_two_people(u: Floats, m: Floats, prior: float) -> Floats:
    """Random pairs without those that happen to be one person, which small tables have many of."""
    return np.asarray(np.maximum((u - prior * m) / (1 - prior), u / MOSTLY))


def _weights(one: Comparison, learned: Learned, home: Home) -> Weights:
    m, u = learned.m[one.name], learned.u[one.name]
    if one.kind != "unique_id" and one.name not in AMONG_PAIRS:
        u = _of_two_people(u, m, learned.prior)
    h = learned.h[one.name].tolist() if one.name in home.begin else [None] * len(m)
    levels = tuple(
        Level(
            name, short(float(m[number])), short(float(u[number])), h[number] and short(h[number])
        )
        for number, name in enumerate(one.names)
    )
    is_veto = one.kind == "given_name" and levels[0].m < VETO_BELOW
    return Weights(one.kind, levels, is_veto)
