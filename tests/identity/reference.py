"""The semantics of identity in plain Python, a record at a time: what the engine equals."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations

from identity.clustering import CLIP, MISSING
from identity.exact import UNNAMED_SHARE
from identity.rules import CUT, FORCED, STEPS_PER_BIT, IdentifierType
from tests.identity.world import Pair, World

Partition = list[list[str]]


def _connected(nodes: Iterable[str], edges: Iterable[Pair]) -> Partition:
    group = {node: {node} for node in nodes}
    for one, other in edges:
        if group[one] is not group[other]:
            group[one] |= group[other]
            for member in group[other]:
                group[member] = group[one]
    return [sorted(members) for members in {id(g): g for g in group.values()}.values()]


@dataclass
class Reference:
    """The partition of a world, from nothing; and the ids, from the partitions before."""

    world: World
    owners: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    ids: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def evidence(self) -> dict[Pair, int]:
        """The steps of every pair that has any."""
        steps: dict[Pair, int] = defaultdict(int)
        for kind in self.world.types:
            for value, records in self._carriers(kind.identifier_type).items():
                for pair in self._sharing(kind, value, sorted(records)):
                    steps[pair] += kind.steps
        for pair in self._compared():
            weights = self.world.linker.weights
            weight = weights.get(pair, weights.get(pair[::-1], -3.0))
            steps[pair] += round(weight * STEPS_PER_BIT)
        for pair, kind in self.decided():
            steps[pair] += CUT if kind == "cut" else FORCED
        return steps

    def _carriers(self, kind: str) -> dict[str, set[str]]:
        values: dict[str, set[str]] = defaultdict(set)
        for rows in self.world.identifiers.values():
            for row in rows:
                if row["identifier_type"] == kind and self._links(row):
                    values[str(row["identifier_value"])].add(str(row["record_key"]))
        return values

    def _decisions(self) -> dict[Pair, str]:
        given = sorted(self.world.overrides.values(), key=lambda o: (o.decided_at, o.override_id))
        last = {override.subject: override.kind for override in given}
        return {subject: kind for subject, kind in last.items() if kind != "withdraw"}

    def decided(self) -> list[tuple[Pair, str]]:
        """The cuts and links between records that there are."""
        known = self.world.records
        return [
            (pair, kind)
            for pair, kind in self._decisions().items()
            if kind in ("cut", "link") and pair[0] in known and pair[1] in known
        ]

    def _links(self, row: dict[str, object]) -> bool:
        decided = self._decisions().get((row["identifier_type"], row["identifier_value"]))
        return bool(row["identifier_value"]) and (
            decided == "allow" or (decided != "block" and row["blocked_reason"] is None)
        )

    def _sharing(self, kind: IdentifierType, value: str, records: list[str]) -> list[Pair]:
        people = [self.world.records[record] for record in records]
        surnames = {person["last_name"] for person in people} - {""}
        is_allowed = self._decisions().get((kind.identifier_type, value)) == "allow"
        too_many = kind.is_guarded and len(surnames) > kind.max_surnames_per_value
        if too_many and not is_allowed:
            return []
        groups = defaultdict(list)
        for record in records:
            groups[self.world.records[record]["first_name"] if kind.is_guarded else ""].append(
                record
            )
        nameless = groups.pop("", []) if kind.is_guarded and len(groups) > 1 else []
        if nameless:
            best = min(groups, key=lambda name: (-len(groups[name]), name))
            if len(groups[best]) >= UNNAMED_SHARE * sum(map(len, groups.values())):
                groups[best] += nameless
        return [pair for group in groups.values() for pair in combinations(sorted(group), 2)]

    def _compared(self) -> set[Pair]:
        known = self.world.records
        blocks = [sorted(set(found) & set(known)) for found in self.world.linker.keys.values()]
        return {
            pair
            for block in blocks
            if len(block) <= self.world.linker.cap
            for pair in combinations(block, 2)
        }

    def partition(self) -> Partition:
        """Who is one person."""
        steps = self.evidence()
        positive = [pair for pair, weight in steps.items() if weight > 0]
        groups = _connected(self.world.records, positive)
        return [cluster for group in groups for cluster in self._resolved(group, steps)]

    def _resolved(self, group: list[str], steps: dict[Pair, int]) -> Partition:
        inside = {p: w for p, w in steps.items() if p[0] in group and p[1] in group}
        if min(inside.values(), default=1) > 0 and self.broken(group) is None:
            return [group]
        number = self.world.numbers()
        clusters = [[record] for record in group]
        pairs = sorted(
            (-w, *sorted((number[a], number[b])), a, b) for (a, b), w in inside.items() if w > 0
        )
        for *_, one, other in pairs:
            left = next(c for c in clusters if one in c)
            right = next(c for c in clusters if other in c)
            if left is not right and self._may_join(left, right, inside):
                clusters.remove(right)
                left += right
        return clusters

    def _may_join(self, left: list[str], right: list[str], steps: dict[Pair, int]) -> bool:
        net = 0
        for one in left:
            for other in right:
                weight = steps.get((one, other), steps.get((other, one), MISSING))
                net += weight if abs(weight) > FORCED // 2 else max(-CLIP, min(CLIP, weight))
        return net > 0 and (net > FORCED // 2 or self.broken(left, right) is None)

    def broken(self, left: list[str], right: list[str] | None = None) -> str | None:
        """The type whose limit the records, or the two parts together, break."""
        for kind in self.world.types:
            most = kind.max_values_per_customer
            mine, theirs = (
                self._values(kind.identifier_type, part) for part in (left, right or [])
            )
            if most and len(mine | theirs) > most and (right is None or (mine and theirs)):
                return kind.identifier_type
        return None

    def _values(self, kind: str, records: list[str]) -> set[object]:
        rows = [row for record in records for row in self.world.identifiers[record]]
        return {
            row["identifier_value"]
            for row in rows
            if row["identifier_type"] == kind and self._links(row)
        }

    def refresh(self) -> None:
        """Elect the ids of the partition as it is now."""
        clusters = sorted(sorted(cluster) for cluster in self.partition())
        heirs = self._heirs(clusters)
        claims: dict[int, list[str]] = defaultdict(list)
        for customer, place in heirs.items():
            claims[place].append(customer)
        nameless = [place for place in range(len(clusters)) if place not in claims]
        names = {place: min(claimed) for place, claimed in claims.items()}
        taken = {place: self._returning(clusters[place], heirs) for place in nameless}
        names |= {place: customer for place, customer in taken.items() if customer}
        for place in nameless:
            if not taken[place]:
                names[place] = f"cus_{len(self.ids) + 1:08d}"
                self.ids[names[place]] = ("active", None)
        self._settle(clusters, names, heirs)

    def _heirs(self, clusters: Partition) -> dict[str, int]:
        trust: dict[str, Counter[int]] = defaultdict(Counter)
        first: dict[tuple[str, int], int] = {}
        number = self.world.numbers()
        for place, cluster in enumerate(clusters):
            for record in cluster:
                if owner := self.owners.get(record):
                    trust[owner][place] += self.world.trust[record.split(":")[0]]
                    known = first.get((owner, place), number[record])
                    first[owner, place] = min(known, number[record])
        return {
            owner: min(votes, key=lambda place: (-votes[place], first[owner, place]))
            for owner, votes in trust.items()
        }

    def _returning(self, cluster: list[str], heirs: dict[str, int]) -> str | None:
        born = Counter(self.homes.values())
        here = Counter(self.homes[record] for record in cluster if record in self.homes)
        out_of_use = [
            customer
            for customer, records in here.items()
            if self.ids[customer][0] != "active"
            and customer not in heirs
            and 2 * records > born[customer]
        ]
        return min(out_of_use, key=lambda customer: (-here[customer], customer), default=None)

    def _settle(self, clusters: Partition, names: dict[int, str], heirs: dict[str, int]) -> None:
        for customer in names.values():
            self.ids[customer] = ("active", None)
        for customer in set(self.owners.values()) | set(heirs):
            if customer not in heirs:
                self.ids[customer] = ("retired", None)
            elif names[heirs[customer]] != customer:
                self.ids[customer] = ("merged", names[heirs[customer]])
        for customer, (_, into) in self.ids.items():
            if into and self.ids[into][0] != "active":
                self.ids[customer] = self.ids[into]
        self.owners = {r: names[place] for place, c in enumerate(clusters) for r in c}
        kept = {record: home for record, home in self.homes.items() if record in self.owners}
        self.homes = {**self.owners, **kept}
