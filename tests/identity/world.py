"""A company in memory whose records, identifiers, evidence and rules a test may change."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from identity.changes import FIELDS
from identity.refresh import RefreshReport, fingerprint, refresh_in
from identity.rules import IdentifierType, Override, Rules
from identity.state import EVIDENCE
from warehouse import Session, key_number
from warehouse.session import opened

Pair = tuple[str, str]
RECORDS = pa.schema([("record_key", pa.string()), *((name, pa.string()) for name in FIELDS)])
IDENTIFIERS = pa.schema(
    [(name, pa.string()) for name in ("record_key", "identifier_type", "identifier_value")]
    + [("blocked_reason", pa.string())]
    + [(name, pa.timestamp("us")) for name in ("first_seen_at", "last_seen_at")]
)
KEYS = pa.schema([("rule", pa.int16()), ("block", pa.string()), ("record_key", pa.string())])
WEIGHTS = pa.schema([("one", pa.string()), ("other", pa.string()), ("weight", pa.float64())])
TYPES = (
    IdentifierType("user_id", 1, 15.0, max_values_per_customer=1, max_records_per_value=1000),
    IdentifierType("card", 2, 15.0, max_values_per_customer=2, max_records_per_value=1000),
    IdentifierType(
        "email",
        3,
        10.0,
        is_guarded=True,
        max_records_per_value=1000,
        max_names_per_value=30,
        max_surnames_per_value=6,
        recycling_days=1000,
    ),
    IdentifierType("phone", 4, 8.0, is_guarded=True, max_surnames_per_value=6, window_days=400),
)


@dataclass
class Weighed:
    """A linker whose keys and weights are given: rule 0 with a cap of 4 records."""

    keys: dict[str, set[str]] = field(default_factory=dict)  # key to records
    weights: dict[Pair, float] = field(default_factory=dict)
    version: str = "given"
    cap: int = 4
    is_counting: bool = False  # whether a key's size takes from the weight of its pairs

    def key_caps(self) -> Mapping[int, int]:
        """One rule."""
        return {0: self.cap}

    def counted_rule(self) -> int | None:
        """The one rule, if sizes count."""
        return 0 if self.is_counting else None

    def show_keys(self, session: Session, wanted: str, into: str) -> None:
        """The given keys of the wanted records."""
        rows = [
            {"rule": 0, "block": key, "record_key": record}
            for key, records in self.keys.items()
            for record in records
        ]
        session.register("given_keys", pa.Table.from_pylist(rows, KEYS))
        session.hold(
            into,
            f"select keys.rule, hash(keys.block) as key_hash, wanted.record_no"
            f" from given_keys as keys inner join {wanted} as wanted"
            f" on {key_number('keys.record_key')} = wanted.record_no",
        )

    def show_scores(self, session: Session, pairs: str, into: str) -> None:
        """The given weights; a pair without one is evidence against."""
        rows = [
            {"one": one, "other": other, "weight": weight}
            for (one, other), weight in self.weights.items()
        ]
        session.register("given_weights", pa.Table.from_pylist(rows, WEIGHTS))
        one, other = key_number("one"), key_number("other")
        session.hold(
            into,
            f"with sizes as (select key_hash, count(*) as records from identity.block_keys"
            f" group by key_hash having count(*) <= {self.cap if self.is_counting else 0}),"
            " shared as (select x.record_no as a, y.record_no as b, max(sizes.records) as records"
            " from identity.block_keys as x inner join identity.block_keys as y"
            " on x.key_hash = y.key_hash inner join sizes on x.key_hash = sizes.key_hash"
            " group by x.record_no, y.record_no)"
            " select pairs.a, pairs.b,"
            " coalesce(given.weight, -3.0) - 4 * coalesce(shared.records, 2) + 8 as weight"
            f" from {pairs} as pairs left join (select least({one}, {other}) as a,"
            f" greatest({one}, {other}) as b, weight from given_weights) as given"
            " on pairs.a = given.a and pairs.b = given.b"
            " left join shared on pairs.a = shared.a and pairs.b = shared.b",
        )


@dataclass
class World:
    """Records and identifiers by key, and what has been refreshed of them."""

    session: Session
    types: tuple[IdentifierType, ...] = TYPES
    records: dict[str, dict[str, str]] = field(default_factory=dict)
    identifiers: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)
    linker: Weighed = field(default_factory=Weighed)
    trust: dict[str, int] = field(default_factory=lambda: {"crm": 3, "shop": 2, "web": 1})

    def add(self, key: str, name: str = "", **identifiers: str) -> None:
        """A record, its first and last name, and its identifiers."""
        first, _, last = name.partition(" ")
        self.records[key] = {
            "source": key.split(":", maxsplit=1)[0],
            "first_name": first,
            "last_name": last,
        }
        if "email" in identifiers:
            self.records[key]["email"] = identifiers["email"]
        self.identifiers[key] = []
        for kind, value in identifiers.items():
            self.identify(key, kind, value)

    def identify(
        self, key: str, kind: str, value: str, seen: str | None = None, blocked: str | None = None
    ) -> None:
        """One more identifier of a record."""
        at = datetime.fromisoformat(seen) if seen else None
        self.identifiers[key].append(
            {
                "record_key": key,
                "identifier_type": kind,
                "identifier_value": value,
                "blocked_reason": blocked,
                "first_seen_at": at,
                "last_seen_at": at,
            }
        )

    def remove(self, key: str) -> None:
        """A record that no source knows any more."""
        self.records.pop(key, None)
        self.identifiers.pop(key, None)

    def decide(self, kind: str, a: str, b: str, number: int = 0) -> None:
        """A decision about two records, or about one value of a type."""
        number = number or len(self.overrides) + 1
        is_value = kind in ("block", "allow")
        self.overrides[f"o{number}"] = Override(
            override_id=f"o{number}",
            kind=kind,
            record_a=None if is_value else a,
            record_b=None if is_value else b,
            identifier_type=a if is_value else None,
            identifier_value=b if is_value else None,
            reason="seen",
            actor="ann",
            decided_at=datetime(2026, 1, 1),
        )

    def refresh(self, *, is_full: bool = False, doubled: Sequence[str] = ()) -> RefreshReport:
        """One refresh on what is there now, some records being there twice."""
        keys = [*self.records, *doubled]
        rows = [{"record_key": key, **self.records[key]} for key in keys]
        found = [row for rows in self.identifiers.values() for row in rows]
        self.session.register("world_records", pa.Table.from_pylist(rows, RECORDS))
        self.session.register("world_identifiers", pa.Table.from_pylist(found, IDENTIFIERS))
        return refresh_in(
            self.session,
            Rules(self.types, self.trust, tuple(self.overrides.values())),
            self.linker,
            records="world_records",
            identifiers="world_identifiers",
            is_full=is_full,
        )

    def customers(self) -> dict[str, str]:
        """Each record's customer."""
        rows = self.session.read(
            "select record_key, customer_id from identity.record_customers order by record_key"
        ).to_pydict()
        return dict(zip(rows["record_key"], rows["customer_id"], strict=True))

    def people(self) -> set[frozenset[str]]:
        """The records of each customer."""
        found: dict[str, set[str]] = {}
        for record, customer in self.customers().items():
            found.setdefault(customer, set()).add(record)
        return {frozenset(records) for records in found.values()}

    def ids(self) -> dict[str, tuple[str, str | None]]:
        """Each id's status, and where it redirects."""
        rows = self.session.read("identity.customer_ids").to_pylist()
        return {row["customer_id"]: (row["status"], row["merged_into"]) for row in rows}

    def events(self) -> list[str]:
        """Kinds of events, oldest first."""
        rows = self.session.read(
            "select kind from identity.customer_id_events order by refresh, kind, customer_id"
        )
        return list(rows.column("kind").to_pylist())

    def evidence(self) -> list[list[tuple[object, ...]]]:
        """All that a refresh keeps of the evidence."""
        return [
            [
                tuple(row.values())
                for row in self.session.read(
                    f"select * from identity.{table} order by all"
                ).to_pylist()
            ]
            for table in EVIDENCE
        ]

    def numbers(self) -> dict[str, int]:
        """Each record's number, by which ties are broken."""
        rows = self.session.read(
            f"select record_key, {key_number('record_key')} as number from world_records"
        ).to_pydict()
        return dict(zip(rows["record_key"], rows["number"], strict=True))

    def fingerprint(self) -> str:
        """The same for the same partition."""
        return fingerprint(self.session)

    def told_fingerprint(self) -> str:
        """The one that the last refresh worked out from the one before it."""
        told = self.session.read("select fingerprint from identity.refreshes order by refresh")
        return str(told.column(0)[-1])

    def forget(self) -> None:
        """Begin anew."""
        self.session.execute("rollback")
        self.session.execute("begin")
        self.records, self.identifiers, self.overrides = {}, {}, {}
        self.linker = Weighed()


@contextmanager
def company(threads: int = 1) -> Iterator[World]:
    """A world in memory."""
    with opened() as connection:
        connection.execute(f"set threads = {threads}")
        connection.execute("begin")
        yield World(Session(connection))
