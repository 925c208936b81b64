"""Greedy clustering by net signed evidence, inside the groups where evidence is contradictory.

The strongest pair first, two clusters become one if the evidence between all their records is for
it and no limit is broken. Weights are whole steps, so sums do not depend on their order, and ties
are broken by the record numbers: the result is a function of the evidence alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from identity.rules import FORCED, STEPS_PER_BIT

CLIP = 10 * STEPS_PER_BIT  # steps; one pair never speaks louder than this between two clusters
MISSING = (
    -CLIP // 40
)  # steps; 40 pairs (the cap of a blocking key) never compared undo one sure link
DECIDED = FORCED // 2  # steps; beyond it a person has spoken

Numbers = npt.NDArray[np.int64]
Sums = dict[int, dict[int, tuple[int, int]]]  # of two clusters: evidence, and pairs compared
Values = dict[int, set[int]]  # of a cluster: its values, per limited type


@dataclass
class Clusters:
    """Clusters of records while they grow."""

    limits: Mapping[int, int]
    missing: int
    parents: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    sums: Sums = field(default_factory=dict)
    values: dict[int, Values] = field(default_factory=dict)

    def of(self, record: int) -> int:
        """The cluster that the record is in."""
        parents = self.parents
        while parents[record] != record:
            parents[record] = record = parents[parents[record]]
        return record

    def refusal(self, one: int, other: int) -> str | int | None:
        """Why the two may not be one: `cut`, `net evidence` or the type of a limit; None if so."""
        evidence, compared = self.sums[one].get(other, (0, 0))
        net = evidence + self.missing * (self.sizes[one] * self.sizes[other] - compared)
        if net <= 0:
            return "cut" if evidence < -DECIDED else "net evidence"
        return None if evidence > DECIDED else self._broken_limit(one, other)

    def _broken_limit(self, one: int, other: int) -> int | None:
        mine, theirs = self.values.get(one), self.values.get(other)
        if mine and theirs:
            for kind, most in self.limits.items():
                if kind in mine and kind in theirs and len(mine[kind] | theirs[kind]) > most:
                    return kind
        return None

    def join(self, one: int, other: int) -> None:
        """Make the two one."""
        if len(self.sums[one]) < len(self.sums[other]):
            one, other = other, one
        self.parents[other] = one
        self.sizes[one] += self.sizes.pop(other)
        mine = self.values.setdefault(one, {})
        for kind, values in self.values.pop(other, {}).items():
            mine[kind] = mine.get(kind, set()) | values
        sums = self.sums[one]
        sums.pop(other, None)
        for third, (evidence, compared) in self.sums.pop(other).items():
            if third != one:
                known = sums.get(third, (0, 0))
                sums[third] = self.sums[third][one] = (
                    known[0] + evidence,
                    known[1] + compared,
                )
                self.sums[third].pop(other, None)


def cluster(
    pairs: pa.Table, values: pa.Table, limits: Mapping[int, int], *, missing: int = MISSING
) -> tuple[pa.Table, pa.Table]:
    """The cluster of every record of the pairs, and the pairs that evidence joins but are apart.

    `pairs` has a, b and steps, whole groups at a time; `values` the limited identifiers
    (record_no, type_no, value_no) and `limits` how many values of a type a cluster may have.
    """
    a, b, steps = (pairs.column(name).to_numpy() for name in ("a", "b", "steps"))
    clusters = Clusters(limits, missing)
    _hear(clusters, a, b, steps)
    _carry(clusters, values)
    positive = np.flatnonzero(steps > 0)
    order = positive[np.lexsort((b[positive], a[positive], -steps[positive]))]
    for one, other in zip(a[order].tolist(), b[order].tolist(), strict=True):
        left, right = clusters.of(one), clusters.of(other)
        if left != right and clusters.refusal(left, right) is None:
            clusters.join(left, right)
    assigned = _assigned(clusters)
    apart = order[_cluster_of(assigned, a[order]) != _cluster_of(assigned, b[order])]
    return assigned, _refused(clusters, a[apart], b[apart], steps[apart])


def _hear(clusters: Clusters, a: Numbers, b: Numbers, steps: Numbers) -> None:
    """Make every record a cluster of its own that knows what each pair says."""
    records = np.union1d(a, b).tolist()
    clusters.parents = dict(zip(records, records, strict=True))
    clusters.sizes = dict.fromkeys(records, 1)
    clusters.sums = {record: {} for record in records}
    loud = np.where(np.abs(steps) > DECIDED, steps, np.clip(steps, -CLIP, CLIP))
    for one, other, heard in zip(a.tolist(), b.tolist(), loud.tolist(), strict=True):
        clusters.sums[one][other] = clusters.sums[other][one] = (heard, 1)


def _carry(clusters: Clusters, values: pa.Table) -> None:
    """Let every record know its limited identifiers."""
    columns = (values.column(name).to_pylist() for name in ("record_no", "type_no", "value_no"))
    for record, kind, value in zip(*columns, strict=True):
        clusters.values.setdefault(record, {}).setdefault(kind, set()).add(value)


def _assigned(clusters: Clusters) -> pa.Table:
    """One row per record: the smallest record of its cluster."""
    records = np.array(sorted(clusters.parents), np.int64)
    roots = np.array([clusters.of(record) for record in records.tolist()], np.int64)
    names, places = np.unique(roots, return_inverse=True)
    smallest = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(smallest, places, records)
    return pa.table({"record_no": records, "cluster_no": smallest[places]})


def _cluster_of(assigned: pa.Table, records: Numbers) -> Numbers:
    known, numbers = (assigned.column(name).to_numpy() for name in ("record_no", "cluster_no"))
    found: Numbers = numbers[np.searchsorted(known, records)]
    return found


def _refused(clusters: Clusters, a: Numbers, b: Numbers, steps: Numbers) -> pa.Table:
    rows = [
        (one, other, weight, _reason(clusters.refusal(clusters.of(one), clusters.of(other))))
        for one, other, weight in zip(a.tolist(), b.tolist(), steps.tolist(), strict=True)
    ]
    return pa.table(
        {
            "a": pa.array((row[0] for row in rows), pa.int64()),
            "b": pa.array((row[1] for row in rows), pa.int64()),
            "steps": pa.array((row[2] for row in rows), pa.int64()),
            "reason": pa.array((row[3] for row in rows), pa.string()),
        }
    )


def _reason(refusal: str | int | None) -> str:
    """In words; a pair that might join now was refused when its turn came, by net evidence."""
    return f"limit {refusal}" if isinstance(refusal, int) else refusal or "net evidence"
