"""How well one grouping of records equals another: pairs, B-cubed, persons exactly right.

Everything is computed from the contingency table of the two, so the cost follows the records, not
their pairs. A figure that is not defined (the precision of no pairs) is None, never 0 or 1.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from scorecard.rows import share

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Agreement:
    """How right a grouping is; `found`, `true` and `both` count pairs of records."""

    records: int
    persons: int
    clusters: int
    largest: int
    found: int
    true: int
    both: int
    b_cubed_precision: float | None
    b_cubed_recall: float | None
    persons_right: int

    @property
    def precision(self) -> float | None:
        """Of the pairs put together, the share that belongs together."""
        return share(self.both, self.found)

    @property
    def recall(self) -> float | None:
        """Of the pairs that belong together, the share put together."""
        return share(self.both, self.true)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        return share(2 * self.both, self.found + self.true)

    @property
    def b_cubed_f1(self) -> float | None:
        """Harmonic mean of B-cubed precision and recall."""
        precision, recall = self.b_cubed_precision, self.b_cubed_recall
        if precision is None or recall is None:
            return None
        return 2 * precision * recall / (precision + recall)


def agreement(clusters: pa.ChunkedArray, persons: pa.ChunkedArray) -> Agreement:
    """How well the clusters of records are their persons; one value per record in each column."""
    cluster, person = _codes(clusters), _codes(persons)
    sizes, lives = np.bincount(cluster), np.bincount(person)
    width = max(len(lives), 1)
    cell, both = np.unique(cluster * width + person, return_counts=True)
    in_cluster, in_person = sizes[cell // width], lives[cell % width]
    squares, total = both.astype(float) ** 2, len(cluster)
    return Agreement(
        records=total,
        persons=len(lives),
        clusters=len(sizes),
        largest=int(sizes.max(initial=0)),
        found=_pairs(sizes),
        true=_pairs(lives),
        both=_pairs(both),
        b_cubed_precision=share(float((squares / in_cluster).sum()), total),
        b_cubed_recall=share(float((squares / in_person).sum()), total),
        persons_right=int(((both == in_cluster) & (both == in_person)).sum()),
    )


def _codes(values: pa.ChunkedArray) -> Integers:
    """The same number for the same value, from 0."""
    if values.null_count:
        raise ValueError("A record without cluster or person cannot be scored.")
    numbers = values.combine_chunks().dictionary_encode().indices
    return np.asarray(numbers, dtype=np.int64)


def _pairs(sizes: Integers) -> int:
    return int((sizes * (sizes - 1) // 2).sum())
