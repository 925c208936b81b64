"""How alike two random records are: `u` of every level, and how common each value is.

Equal values are counted exactly, similar ones in a fixed sample of pairs. Small tables lean on the
default model.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from identity.likely.comparisons import Comparison
from identity.likely.model import Frequencies
from identity.likely.patterns import Patterns, level_counts, patterns_of
from warehouse import Session, function

SAMPLE = 1_200  # records, so 720,000 random pairs: a level seen in 1 of 10,000 is seen 72 times
NAMED_VALUES = 5_000  # most common values of a column that a model names
NAMED_FROM = 5  # records that must hold a value before a model names it: it identifies nobody
PSEUDO_RECORDS = 200  # how many records the default model's opinion of a column counts for
PSEUDO_PAIRS = 1_000  # how many random pairs its opinion of a level counts for
LEAST_U = 1e-7

Floats = npt.NDArray[np.float64]


def chances(
    session: Session, prepared: str, found: list[Comparison], defaults: Mapping[str, Floats]
) -> tuple[dict[str, Floats], dict[str, Frequencies]]:
    """The share of random pairs at each level of each comparison, and the common values."""
    rare = {
        column: float(defaults[one.name][level])
        for one in found
        for level, column in one.frequency_columns.items()
    }
    frequencies = {
        column: _frequency(session, prepared, column, chance)
        for column, chance in sorted(rare.items())
    }
    sampled = _random_pairs(session, prepared, found)
    u = {}
    for one in found:
        default = defaults[one.name]
        if one.kind in ("unique_id", "namesakes"):
            u[one.name] = default
            continue
        exact = frequencies.get(one.exact) or _frequency(
            session, prepared, one.exact, float(default[-1])
        )
        u[one.name] = _mixed(one, sampled, default, exact.chance)
    return u, frequencies


def _mixed(one: Comparison, sampled: Patterns, default: Floats, exact: float) -> Floats:
    counts = level_counts(sampled.levels[one.name], sampled.counts, len(default))
    shares = (counts + PSEUDO_PAIRS * default) / (counts.sum() + PSEUDO_PAIRS)
    shares[-1] = exact
    return np.asarray(np.maximum(shares, LEAST_U))


def _frequency(session: Session, prepared: str, column: str, default: float) -> Frequencies:
    """How common values are, and that two records agree; `default` is the latter of any table."""
    session.execute(
        f'create or replace temp table value_counts as select "{column}" as value,'
        f' count(*) as records from {prepared} where "{column}" is not null group by "{column}"'
    )
    total, pairs, values = (
        session.read(
            "select coalesce(sum(records), 0) as records,"
            " coalesce(sum(records * (records - 1)), 0) as pairs, count(*) as n from value_counts"
        )
        .to_pylist()[0]
        .values()
    )
    common = session.read(
        f"select value, records from value_counts where records >= {NAMED_FROM}"
        f" order by records desc, value limit {NAMED_VALUES}"
    ).to_pydict()
    named = dict(zip(common["value"], map(float, common["records"]), strict=True))
    rare = (float(total) - sum(named.values())) / max(values - len(named), 1)
    expected = PSEUDO_RECORDS * PSEUDO_RECORDS * default
    chance = (float(pairs) + expected) / (float(total) * (float(total) - 1) + PSEUDO_RECORDS**2)
    return Frequencies(
        chance=short(max(chance, LEAST_U)),
        rare=_share(max(rare, 1.0), float(total), default),
        common={value: _share(count, float(total), default) for value, count in named.items()},
    )


def _share(records: float, total: float, default: float) -> float:
    return short((records + PSEUDO_RECORDS * default) / (total + PSEUDO_RECORDS))


def short(value: float) -> float:
    """Six digits: more would be noise, and a model is read by people."""
    return float(f"{value:.6g}")


def _random_pairs(session: Session, prepared: str, found: list[Comparison]) -> Patterns:
    order = function("hash", "record_no, 7919")
    session.execute(
        "create or replace temp table sampled as"
        f" select * from {prepared} order by {order}, record_no limit {SAMPLE}"
    )
    session.execute(
        "create or replace temp table random_pairs as select l.record_no as a, r.record_no as b"
        " from sampled as l inner join sampled as r on l.record_no < r.record_no"
    )
    return patterns_of(session, "random_pairs", "sampled", found)
