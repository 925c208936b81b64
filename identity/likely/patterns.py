"""Pairs of records counted by how alike they are: all that training needs to know of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from identity.likely.comparisons import Comparison
from warehouse import Session, function

MOST_PAIRS = 1_000_000  # of a table that are counted; of more, an even share stands for all

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Patterns:
    """How many pairs show which combination of levels."""

    levels: Mapping[str, Ints]
    counts: Floats


def patterns_of(session: Session, pairs: str, prepared: str, found: list[Comparison]) -> Patterns:
    """The pairs (a, b) counted by their levels; the order of rows is fixed, so sums are too."""
    size = session.number(f"select count(*) from {pairs}")
    each = -(-size // MOST_PAIRS) or 1
    share = f"where {function('hash', 'p.a, p.b')} % {each} = 0" if each > 1 else ""
    columns = ", ".join(one.sql for one in found)
    rows = session.read(
        f"select {columns}, count(*) as pairs from {pairs} as p"
        f" inner join {prepared} as l on p.a = l.record_no"
        f" inner join {prepared} as r on p.b = r.record_no {share} group by all order by all"
    )
    levels = {one.name: rows.column(one.column).to_numpy().astype(np.int64) for one in found}
    return Patterns(levels, each * rows.column("pairs").to_numpy().astype(np.float64))


def level_counts(levels: Ints, counts: Floats, size: int) -> Floats:
    """How many pairs are at each level, those with a missing value left out."""
    seen = levels >= 0
    sums = np.bincount(levels[seen], weights=counts[seen], minlength=size)
    return sums.astype(np.float64)
