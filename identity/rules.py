"""The rules of identity: read from the seeds and the decisions of people, checked, versioned.

rules.identifier_types     what each type of identifier may prove, and its limits
rules.source_trust         how much a source's records count when a customer id is elected
rules.identity_overrides   decisions of people, kept with the code
identity.overrides         decisions of people, taken in the tools; same columns, append-only
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from identity.phones import forms
from settings import ForeseenError
from warehouse import Session, key_number

PAIR_KINDS = ("link", "cut")
VALUE_KINDS = ("block", "allow")
OF_GUARDED = (
    "max_names_per_value",
    "max_surnames_per_value",
    "max_emails_per_value",
    "window_days",
    "recycling_days",
)
KINDS = (*PAIR_KINDS, *VALUE_KINDS, "withdraw")
STATE_FORM = 7  # raised when the kept evidence changes its form: all is then resolved anew
STEPS_PER_BIT = 10_000  # weights are whole steps, so that sums do not depend on their order
FORCED = 10**12  # steps; a decision of a person outweighs whatever evidence there is
CUT = -(10**18)  # steps; no chain of a million links between two records outweighs their cut

OVERRIDES = """
create table if not exists identity.overrides (
    override_id string, kind string, record_a string, record_b string,
    identifier_type string, identifier_value string,
    reason string, actor string, decided_at timestamp
)
"""
READ_OVERRIDES = """
select override_id, kind, record_a, record_b, identifier_type, identifier_value, reason, actor,
    cast(decided_at as timestamp) as decided_at
from {table}
"""


class RulesError(ForeseenError):
    """A rule says something that we cannot follow."""


@dataclass(frozen=True)
class IdentifierType:
    """What a shared value of this type proves, and where its proof ends."""

    identifier_type: str
    priority: int
    weight: float
    trust: float = 1.0
    is_unique: bool = False
    is_guarded: bool = False
    max_values_per_customer: int | None = None
    max_records_per_value: int | None = None
    max_names_per_value: int | None = None
    max_surnames_per_value: int | None = None
    max_emails_per_value: int | None = None
    window_days: int | None = None
    recycling_days: int | None = None

    def __post_init__(self) -> None:
        """Raises RulesError when a number makes no sense."""
        if not 0 < self.weight <= 100:  # noqa: PLR2004
            raise RulesError("`weight` must be above 0 and at most 100 bits.")
        if not 0 <= self.trust <= 1:
            raise RulesError("`trust` must be from 0 to 1.")
        for name, value in asdict(self).items():
            if not name.startswith("max_") and not name.endswith("_days") or value is None:
                continue
            if value < 1:
                raise RulesError(f"`{name}` must be at least 1; leave it empty for none.")
            if name in OF_GUARDED and not self.is_guarded:
                raise RulesError(
                    f"`{name}` counts for guarded types alone: set `is_guarded`, or leave it empty."
                )

    @property
    def steps(self) -> int:
        """The weight of one shared value, in steps."""
        return round(self.weight * self.trust * STEPS_PER_BIT)


@dataclass(frozen=True)
class Override:
    """A person's decision about two records, or about one value of an identifier."""

    override_id: str
    kind: str
    record_a: str | None = None
    record_b: str | None = None
    identifier_type: str | None = None
    identifier_value: str | None = None
    reason: str | None = None
    actor: str | None = None
    decided_at: datetime | None = None

    def __post_init__(self) -> None:
        """Raises RulesError when the decision is not whole."""
        if self.kind not in KINDS:
            raise RulesError(f"unknown kind {self.kind!r}. Kinds: {', '.join(KINDS)}.")
        if not self.reason or not self.actor or self.decided_at is None:
            raise RulesError("say why, who and when: `reason`, `actor`, `decided_at`.")
        if self.kind in PAIR_KINDS and not self.is_about_records:
            raise RulesError(f"a {self.kind} needs `record_a` and `record_b`.")
        if self.kind in VALUE_KINDS and not self.is_about_a_value:
            raise RulesError(f"{self.kind} needs `identifier_type` and `identifier_value`.")
        is_of_records = bool(self.record_a or self.record_b)
        if is_of_records == bool(self.identifier_type or self.identifier_value):
            raise RulesError("name either two records or one identifier, not both.")
        if not self.is_about_records and not self.is_about_a_value:
            raise RulesError("name both records, or the identifier's type and its value.")
        if self.record_a and self.record_a == self.record_b:
            raise RulesError("`record_a` and `record_b` are the same record.")

    @property
    def is_about_records(self) -> bool:
        """Whether it names two records."""
        return bool(self.record_a and self.record_b)

    @property
    def is_about_a_value(self) -> bool:
        """Whether it names one value of an identifier."""
        return bool(self.identifier_type and self.identifier_value)

    @property
    def subject(self) -> tuple[str, str]:
        """What is decided about: the later decision about the same subject counts."""
        if self.is_about_records:
            return min(str(self.record_a), str(self.record_b)), max(
                str(self.record_a), str(self.record_b)
            )
        return str(self.identifier_type), str(self.identifier_value)


@dataclass(frozen=True)
class Rules:
    """Everything that decides who is who, apart from the evidence itself."""

    types: tuple[IdentifierType, ...]
    trust: Mapping[str, int] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()

    def __post_init__(self) -> None:
        """Raises RulesError when rules contradict each other."""
        _no_doubles("identifier_types", (t.identifier_type for t in self.types))
        _no_doubles("identifier_types, `priority`", (str(t.priority) for t in self.types))
        ids = Counter(override.override_id for override in self.overrides)
        for override_id, overrides in ids.items():
            if overrides > 1:
                raise RulesError(
                    f"Two overrides are called {override_id!r}: give the one in the seed"
                    " identity_overrides another `override_id`."
                )

    @property
    def decisions(self) -> tuple[Override, ...]:
        """The last word on each subject, subjects whose decision was withdrawn left out."""
        ordered = sorted(self.overrides, key=lambda o: (o.decided_at, o.override_id))
        last = {override.subject: override for override in ordered}
        return tuple(o for o in last.values() if o.kind != "withdraw")

    def version(self, session: Session, model_version: str) -> str:
        """A short hash of all rules but the overrides, the link model and the form of the state."""
        probe = session.number(f"select {key_number(repr('cdp'))}")
        types, trust = sorted(map(repr, self.types)), sorted(self.trust.items())
        text = repr((types, trust, model_version, STATE_FORM))
        return hashlib.sha256(f"{text}{probe}".encode()).hexdigest()[:12]


def read_rules(session: Session) -> Rules:
    """The rules as they are now. Raises RulesError."""
    session.execute("create schema if not exists identity")
    session.execute(OVERRIDES)
    types = session.read("rules.identifier_types").drop_columns(["description"])
    trust = session.read("select source, trust from rules.source_trust")
    rows = [
        row
        for table in ("rules.identity_overrides", "identity.overrides")
        if session.exists(table)
        for row in session.read(READ_OVERRIDES.format(table=table)).to_pylist()
    ]
    return Rules(
        types=tuple(IdentifierType(**_given(row)) for row in types.to_pylist()),
        trust={row["source"]: row["trust"] for row in trust.to_pylist()},
        overrides=tuple(Override(**row) for row in rows),
    )


def normal(identifier_type: str, value: str) -> str:
    """A value as the platform keeps those of its type, however a person wrote it."""
    plain, phone = forms(value)
    return phone if identifier_type == "phone" else plain


def _given(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without its empty cells, so that defaults apply."""
    return {name: value for name, value in row.items() if value is not None}


def _no_doubles(where: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise RulesError(f"Seed {where}: {name!r} is there twice; keep one row.")
        seen.add(name)
