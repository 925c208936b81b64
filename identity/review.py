"""What a person should look at, and what people have decided.

A doubt is about two sides: parts of one customer that nothing beyond GREY bits holds together, or
two customers that nothing beyond GREY bits keeps apart, such as those that a limit parted. It is
shown as the strongest pair of records between them. A decision goes into `identity.overrides` and
counts from the next refresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

import pyarrow as pa

import warehouse
from identity.changes import hold_rules
from identity.clustering import CLIP, DECIDED, MISSING
from identity.components import components
from identity.groups import EVIDENCE
from identity.refresh import IDENTIFIERS
from identity.rules import (
    OVERRIDES,
    STEPS_PER_BIT,
    VALUE_KINDS,
    Override,
    Rules,
    RulesError,
    normal,
)
from identity.why import Link, at_hand, explained
from warehouse import Session, key_number

GREY = 3.0  # bits around even odds, so 1 to 8 at either end; the engine itself decides at 0
NUMBERS = 1_000_000  # a doubt is named by six digits of its pair, so that deciding one renames none

HELD = f"""
select evidence.a, evidence.b from evidence
inner join identity.record_customers as x on evidence.a = x.record_no
inner join identity.record_customers as y on evidence.b = y.record_no
where evidence.steps > {round(GREY * STEPS_PER_BIT)} and x.customer_id = y.customer_id
"""
SIDES = """
select known.record_no, known.record_key, known.customer_id,
    coalesce(held.component, known.record_no) as side
from identity.record_customers as known
left join held_components as held on known.record_no = held.node
"""
DOUBTS = f"""
with sizes as (select side, count(*) as records from sides group by side),
pairs as (
    select x.record_key as one, y.record_key as other, x.customer_id,
        y.customer_id as other_customer_id, evidence.a, evidence.b, evidence.steps,
        least(x.side, y.side) as side, greatest(x.side, y.side) as other_side,
        row_number() over (
            partition by least(x.side, y.side), greatest(x.side, y.side)
            order by evidence.steps desc, evidence.a, evidence.b
        ) as place
    from evidence
    inner join sides as x on evidence.a = x.record_no
    inner join sides as y on evidence.b = y.record_no
    where x.side <> y.side
),
said as (
    select side, other_side, count(*) as compared,
        sum(least(greatest(steps, -{CLIP}), {CLIP})) as steps,
        bool_or(abs(steps) > {DECIDED}) as is_decided
    from pairs group by side, other_side
),
weighed as (
    select pairs.*, least(mine.records, theirs.records) as records, (
        said.steps + {MISSING} * (mine.records * theirs.records - said.compared)
    ) / cast({STEPS_PER_BIT} as double) as net
    from pairs
    inner join said on pairs.side = said.side and pairs.other_side = said.other_side
    inner join sizes as mine on pairs.side = mine.side
    inner join sizes as theirs on pairs.other_side = theirs.side
    where pairs.place = 1 and not said.is_decided and pairs.steps > 0
)
select {key_number("weighed.one", "weighed.other")} % {NUMBERS} as number,
    weighed.one, weighed.other, weighed.customer_id, weighed.other_customer_id, weighed.records,
    weighed.net, rejected.reason
from weighed
left join identity.rejected_pairs as rejected
    on weighed.a = rejected.a and weighed.b = rejected.b
where case when weighed.customer_id = weighed.other_customer_id
    then weighed.net < {GREY} else weighed.net > -{GREY} end
order by weighed.records desc, abs(weighed.net), weighed.one, weighed.other
"""


@dataclass(frozen=True)
class Doubt:
    """Two records whose sides might be one customer, or not."""

    number: int
    one: str
    other: str
    customer_id: str
    other_customer_id: str
    records: int  # of the smaller side, which a decision would move
    net: float  # bits between all records of both sides
    reason: str | None = None  # why they are apart, when that was refused

    @property
    def are_one(self) -> bool:
        """Whether they are one customer now."""
        return self.customer_id == self.other_customer_id


def doubts(session: Session, rules: Rules) -> list[Doubt]:
    """Every doubt that nobody has decided, those about most records first."""
    hold_rules(session, rules)
    session.hold("evidence", EVIDENCE.format(dirty="", both_dirty=""))
    session.hold("held", HELD)
    components(session, "held", "held_components")
    session.hold("sides", SIDES)
    return [Doubt(**row) for row in session.read(DOUBTS).to_pylist()]


def review(most: int) -> tuple[int, list[tuple[Doubt, Link]]]:
    """How many doubts there are, and the first of them with all their evidence."""
    with warehouse.transaction() as session:
        evidence = at_hand(session)
        found = doubts(session, evidence.rules)
        shown = found[:most]
        links = explained(evidence, [(doubt.one, doubt.other) for doubt in shown])
    return len(found), list(zip(shown, links, strict=True))


def decide(subject: Sequence[str], kind: str, *, reason: str, actor: str) -> Override:
    """Keep a decision about a doubt by its number, two record keys, or a type and its value.

    Raises RulesError when it is not whole, or about what nobody knows.
    """
    with warehouse.transaction() as session:
        rules = at_hand(session).rules
        one, other = _pair(session, rules, subject)
        if kind in VALUE_KINDS or one in _types(rules):
            one, other = _value(session, rules, one, other)
        return decide_in(session, rules, (one, other), kind, reason=reason, actor=actor)


def decide_in(
    session: Session, rules: Rules, subject: tuple[str, str], kind: str, *, reason: str, actor: str
) -> Override:
    """The same within a session of the caller, about two record keys or a type and its value."""
    one, other = subject
    is_value = one in _types(rules)
    names = ("identifier_type", "identifier_value") if is_value else ("record_a", "record_b")
    decision = Override(
        override_id=f"review-{uuid4().hex[:12]}",
        kind=kind,
        reason=reason.strip(),
        actor=actor.strip(),
        decided_at=datetime.now(UTC).replace(tzinfo=None),
        **dict(zip(names, subject, strict=True)),
    )
    replace(rules, overrides=(*rules.overrides, decision))  # checks it against the others
    _refuse_unknown(session, rules, decision)
    session.execute("create schema if not exists identity")
    session.execute(OVERRIDES)
    session.append("identity.overrides", pa.Table.from_pylist([vars(decision)], _COLUMNS))
    return decision


_COLUMNS = pa.schema(
    [(name, pa.string()) for name in ("override_id", "kind", "record_a", "record_b")]
    + [(name, pa.string()) for name in ("identifier_type", "identifier_value", "reason", "actor")]
    + [("decided_at", pa.timestamp("us"))]
)


@dataclass(frozen=True)
class Decided:
    """A decision, and whether it counts.

    `counts`, `from the next refresh`, `no longer`, or `waits for` records that nobody knows.
    """

    decision: Override
    state: str


def decided(session: Session, rules: Rules) -> list[Decided]:
    """Every decision ever taken, the newest first."""
    last = {decision.override_id for decision in rules.decisions}
    known = session.read("select override_id from identity.override_state").column(0).to_pylist()
    missing = _missing(session, rules)
    return [
        Decided(one, _state(one, last, set(known), missing))
        for one in sorted(
            rules.overrides, key=lambda one: (one.decided_at, one.override_id), reverse=True
        )
    ]


def overrides() -> list[Decided]:
    """Every decision in the platform."""
    with warehouse.transaction() as session:
        return decided(session, at_hand(session).rules)


def _state(one: Override, last: set[str], known: set[str], missing: set[str]) -> str:
    if one.override_id not in last:
        return "no longer"
    if waited := [key for key in (one.record_a, one.record_b) if key and key in missing]:
        return f"waits for {' and '.join(waited)}"
    return "counts" if one.override_id in known else "from the next refresh"


def _missing(session: Session, rules: Rules) -> set[str]:
    """The records that decisions name and nobody knows."""
    named = {key for one in rules.overrides for key in (one.record_a, one.record_b) if key}
    session.register("named_keys", pa.table({"record_key": pa.array(named, pa.string())}))
    rows = session.read(
        "select named.record_key from named_keys as named"
        " left join identity.record_customers as known on named.record_key = known.record_key"
        " where known.record_key is null"
    )
    return set(rows.column(0).to_pylist())


def _pair(session: Session, rules: Rules, subject: Sequence[str]) -> tuple[str, str]:
    if len(subject) == 2:  # noqa: PLR2004
        return subject[0], subject[1]
    if len(subject) != 1 or not subject[0].isdecimal():
        raise RulesError(
            "Say what is decided: the number of a doubt as `cdp identity review` shows it, two"
            " record keys, or the type of an identifier and a value."
        )
    found = [one for one in doubts(session, rules) if one.number == int(subject[0])]
    if len(found) != 1:
        many = "Several doubts have" if found else "No open doubt has"
        raise RulesError(f"{many} number {subject[0]}: name the two record keys instead.")
    return found[0].one, found[0].other


def _types(rules: Rules) -> set[str]:
    return {known.identifier_type for known in rules.types}


def _value(session: Session, rules: Rules, kind: str, value: str) -> tuple[str, str]:
    """The type and its value as it is kept; raises RulesError when nobody has or had it."""
    if kind not in _types(rules):
        known = ", ".join(sorted(_types(rules)))
        raise RulesError(f"Unknown type of identifier {kind!r}. Types: {known}.")
    subject = kind, normal(kind, value)
    if subject not in {known.subject for known in rules.decisions} and not session.number(
        f"select count(*) from {IDENTIFIERS} where identifier_type = ? and identifier_value = ?",
        list(subject),
    ):
        raise RulesError(
            f"Nobody has {kind} {subject[1]!r}. What is to be blocked before it comes goes into the"
            " seed blocked_values."
        )
    return subject


def _refuse_unknown(session: Session, rules: Rules, decision: Override) -> None:
    """Raises RulesError for a mistyped record key, or when there is nothing to withdraw.

    A decision waits for records that are gone, so it may be changed while they are.
    """
    if decision.subject in {known.subject for known in rules.decisions}:
        return
    for key in (decision.record_a, decision.record_b):
        if key and not session.number(
            "select count(*) from identity.record_customers where record_key = ?", [key]
        ):
            raise RulesError(
                f"Nobody knows record {key!r}. `cdp identity why` finds records by identifier."
            )
    if decision.kind == "withdraw":
        raise RulesError("There is no decision about these to withdraw.")
