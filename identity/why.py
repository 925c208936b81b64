"""Why two records are one customer, or are not: the evidence pair by pair, in words and bits.

Of all ways from one record to the other we tell the one whose weakest link is the strongest, by
the fewest steps. It reads what the last refresh kept, and compares anew only the pairs it tells.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

import warehouse
from identity import linking
from identity.changes import hold_rules
from identity.clustering import CLIP, MISSING
from identity.groups import BOTH_DIRTY, EVIDENCE
from identity.likely import LinkModel, count_namesakes, score
from identity.likely.comparisons import TOLD_BY_A_MAILBOX, Comparison
from identity.likely.scoring import weighed
from identity.phones import forms
from identity.refresh import IDENTIFIERS, RECORDS
from identity.rules import STEPS_PER_BIT, Rules, read_rules
from identity.state import make_ledgers
from settings import ForeseenError
from warehouse import Session, key_number

MOST_VALUES = 10  # told of those that break a limit
LEAST_TOLD = 0.05  # bits; less would be told as 0.0
TOLD_OF = {"address": ("street", "postcode", "city"), "namesakes": ("first_name", "last_name")}
FIND = """
select record_key from identity.record_customers where record_key = ?
union
select known.record_key from identity.record_customers as known
left join identity.customer_ids as ids on ids.customer_id = ?
where known.customer_id = coalesce(ids.merged_into, ids.customer_id)
union
select record_key from {identifiers} where identifier_value in (?, ?)
"""
ENDS = """
select ends.side, known.record_no, known.record_key, known.customer_id, known.group_no
from identity.record_customers as known
inner join ends on known.record_key = ends.record_key
"""
GROUPS = """
select known.record_no, known.record_key, known.customer_id from identity.record_customers as known
where known.group_no in (select group_no from found_ends)
"""
STRONGEST = """
select one.record_no as a, other.record_no as b from found_ends as one
inner join found_ends as other on one.side = 0 and other.side = 1
left join evidence on evidence.a = least(one.record_no, other.record_no)
    and evidence.b = greatest(one.record_no, other.record_no)
where {wanted}
order by evidence.steps desc nulls last, one.record_key, other.record_key limit 1
"""
EDGES = """
select evidence.a, evidence.b, evidence.steps from evidence
inner join dirty as x on evidence.a = x.record_no
inner join dirty as y on evidence.b = y.record_no
where evidence.steps > 0 and x.customer_id = ? and y.customer_id = ?
"""
REFUSED = """
select rejected.a, rejected.b, rejected.reason from (
    select a, b, reason, weight from identity.rejected_pairs
    union
    select a, b, 'cut', null from identity.override_state where kind = 'cut'
) as rejected
inner join dirty as x on rejected.a = x.record_no
inner join dirty as y on rejected.b = y.record_no
where (x.customer_id = ? and y.customer_id = ?) or (y.customer_id = ? and x.customer_id = ?)
order by rejected.reason = 'cut' desc, rejected.weight desc nulls first, rejected.a, rejected.b
"""
BETWEEN = f"""
select coalesce(sum(evidence.steps) filter (where evidence.steps > 0), 0) as steps_for,
    coalesce(sum(evidence.steps) filter (where evidence.steps < 0), 0) as steps_against,
    count(*) as compared
from (select a, b, least(greatest(steps, -{CLIP}), {CLIP}) as steps from evidence) as evidence
inner join dirty as x on evidence.a = x.record_no
inner join dirty as y on evidence.b = y.record_no
where (x.customer_id = ? and y.customer_id = ?) or (y.customer_id = ? and x.customer_id = ?)
"""
AGAINST = """
select evidence.a, evidence.b from evidence
inner join dirty as x on evidence.a = x.record_no
inner join dirty as y on evidence.b = y.record_no
where evidence.steps < 0
    and ((x.customer_id = ? and y.customer_id = ?) or (y.customer_id = ? and x.customer_id = ?))
order by evidence.steps, evidence.a, evidence.b limit 1
"""
LIMITED = f"""
select distinct found.identifier_value from {{identifiers}} as found
inner join identifier_types as types on found.identifier_type = types.identifier_type
inner join dirty on found.record_key = dirty.record_key
inner join identity.identifier_state as state on dirty.record_no = state.record_no
    and types.type_no = state.type_no
    and state.value_no = {key_number("concat(found.identifier_type, '|', found.identifier_value)")}
where dirty.customer_id in (?, ?) and found.identifier_type = ?
order by found.identifier_value
"""
SIZE = "select count(*) from identity.record_customers where customer_id = ?"
ASKED = pa.schema([("place", pa.int64()), ("one", pa.string()), ("two", pa.string())])
TOLD = f"""
with numbered as (
    select *, {key_number("one")} as one_no, {key_number("two")} as two_no from asked
)
select place, one, two, least(one_no, two_no) as a, greatest(one_no, two_no) as b,
    case when one_no < two_no then one else two end as key_a,
    case when one_no < two_no then two else one end as key_b
from numbered
"""
SHARED = f"""
select pairs.a, pairs.b, types.identifier_type, types.weight / {STEPS_PER_BIT} as weight,
    min(mine.identifier_value) as identifier_value
from identity.exact_pairs as pairs
inner join told on pairs.a = told.a and pairs.b = told.b
inner join identifier_types as types on pairs.type_no = types.type_no
inner join {{identifiers}} as mine
    on told.key_a = mine.record_key and types.identifier_type = mine.identifier_type
inner join {{identifiers}} as theirs on told.key_b = theirs.record_key
    and mine.identifier_type = theirs.identifier_type
    and mine.identifier_value = theirs.identifier_value
where pairs.value_no = {key_number("concat(mine.identifier_type, '|', mine.identifier_value)")}
group by pairs.a, pairs.b, types.type_no, pairs.value_no, types.identifier_type, types.weight
order by types.type_no, identifier_value
"""
UNUSED = f"""
select told.a, told.b, mine.identifier_type, mine.identifier_value,
    max(coalesce(mine.blocked_reason, theirs.blocked_reason)) as blocked_reason,
    max(given.kind) as decided,
    min(types.max_records_per_value) as most, bool_or(types.is_guarded) as is_guarded,
    (select count(*) from {{identifiers}} as others
        where others.identifier_type = mine.identifier_type
        and others.identifier_value = mine.identifier_value) as records
from told
inner join {{identifiers}} as mine on told.key_a = mine.record_key
inner join {{identifiers}} as theirs on told.key_b = theirs.record_key
    and mine.identifier_type = theirs.identifier_type
    and mine.identifier_value = theirs.identifier_value
inner join identifier_types as types on mine.identifier_type = types.identifier_type
left join given_decisions as given on mine.identifier_type = given.identifier_type
    and mine.identifier_value = given.identifier_value
left join identity.exact_pairs as pairs on told.a = pairs.a and told.b = pairs.b
    and types.type_no = pairs.type_no
    and pairs.value_no = {key_number("concat(mine.identifier_type, '|', mine.identifier_value)")}
where pairs.a is null
group by told.a, told.b, mine.identifier_type, mine.identifier_value
order by mine.identifier_type, mine.identifier_value
"""
DECIDED = """
select told.a, told.b, decided.kind, decided.override_id
from identity.override_state as decided
inner join told on decided.a = told.a and decided.b = told.b
"""
WEIGHED = """
select pairs.* from identity.likely_pairs as pairs
inner join told on pairs.a = told.a and pairs.b = told.b
"""


class RecordNotFoundError(ForeseenError):
    """No record has this key or identifier."""


@dataclass(frozen=True)
class Part:
    """One piece of evidence about two records: what was looked at, what was found, its bits."""

    what: str
    finding: str
    weight: float


@dataclass(frozen=True)
class Link:
    """All that is known about one pair of records."""

    a: str
    b: str
    parts: tuple[Part, ...] = ()
    decision: str | None = None  # of a person; it outweighs all parts
    notes: tuple[str, ...] = ()  # what they share and why it does not count

    @property
    def told(self) -> tuple[Part, ...]:
        """The parts that say something."""
        return tuple(part for part in self.parts if abs(part.weight) >= LEAST_TOLD)

    @property
    def weight(self) -> float:
        """The parts added up, in bits."""
        return sum(part.weight for part in self.parts)


@dataclass(frozen=True)
class Answer:
    """Why two records are one customer (`links` lead from one to the other), or are not."""

    a: str
    b: str
    customer_id: str
    other_customer_id: str
    reason: str
    links: tuple[Link, ...]

    @property
    def are_one(self) -> bool:
        """Whether both are one customer."""
        return self.customer_id == self.other_customer_id


@dataclass(frozen=True)
class Evidence:
    """Where the evidence is: the tables of records and identifiers, the rules and the model."""

    session: Session
    rules: Rules
    model: LinkModel | None = None
    records: str = RECORDS
    identifiers: str = IDENTIFIERS


def why(one: str, other: str) -> Answer:
    """Why the records behind two keys, customer ids or identifiers are one customer or not.

    Raises RecordNotFoundError.
    """
    with warehouse.transaction() as session:
        return why_in(at_hand(session), one, other)


def at_hand(session: Session) -> Evidence:
    """The platform's own evidence; none is there before the first refresh."""
    rules = read_rules(session)
    make_ledgers(session)
    model = LinkModel.load(linking.path()) if linking.path().exists() else None
    return Evidence(session, rules, model)


def why_in(evidence: Evidence, one: str, other: str) -> Answer:
    """The same within a session of the caller."""
    session = evidence.session
    _hold_evidence(evidence, [_records(evidence, one), _records(evidence, other)])
    a, b = _ends(session)
    names = {row["record_no"]: row for row in session.read("dirty").to_pylist()}
    mine, theirs = names[a]["customer_id"], names[b]["customer_id"]
    if mine == theirs:
        reason, pairs = _together(session, mine, a, b)
    else:
        reason, pairs = _apart(evidence, mine, theirs, (a, b))
    keys = {number: row["record_key"] for number, row in names.items()}
    links = tuple(explained(evidence, [(keys[x], keys[y]) for x, y in pairs]))
    return Answer(keys[a], keys[b], mine, theirs, reason, links)


def explained(evidence: Evidence, pairs: Sequence[tuple[str, str]]) -> list[Link]:
    """What is known about each pair of records, given by their keys."""
    _hold_told(evidence, pairs)
    parts, likely = _exact_parts(evidence), _likely_parts(evidence)
    notes, decisions = _notes(evidence), _decisions(evidence)
    return [
        Link(
            row["one"],
            row["two"],
            (*parts.get(pair, ()), *likely.get(pair, ())),
            decisions.get(pair),
            tuple(notes.get(pair, ())),
        )
        for row in evidence.session.read("select * from told order by place").to_pylist()
        for pair in [(row["a"], row["b"])]
    ]


def _hold_told(evidence: Evidence, pairs: Sequence[tuple[str, str]]) -> None:
    """Hold the pairs as `told`, the smaller record number first as the engine keeps them.

    Decisions count as they did at the last refresh; later ones wait for the next.
    """
    known = evidence.session.read("select override_id from identity.override_state").column(0)
    counted = set(known.to_pylist())
    rules = evidence.rules
    heard = tuple(one for one in rules.overrides if one.override_id in counted)
    hold_rules(evidence.session, replace(rules, overrides=heard))
    rows = [{"place": n, "one": one, "two": two} for n, (one, two) in enumerate(pairs)]
    evidence.session.register("asked", pa.Table.from_pylist(rows, ASKED))
    evidence.session.hold("told", TOLD)


def widest_path(edges: Iterable[tuple[int, int, int]], start: int, end: int) -> list[int]:
    """The way from start to end whose weakest edge is the strongest, by the fewest steps."""
    near: dict[int, list[int]] = {}
    waiting = sorted(edges, key=lambda edge: (-edge[2], edge[0], edge[1]))
    while waiting:
        weight = waiting[0][2]
        while waiting and waiting[0][2] == weight:
            a, b, _ = waiting.pop(0)
            near.setdefault(a, []).append(b)
            near.setdefault(b, []).append(a)
        found = _shortest(near, start, end)
        if found:
            return found
    return []


def _shortest(near: Mapping[int, list[int]], start: int, end: int) -> list[int]:
    before: dict[int, int] = {start: start}
    queue = deque([start])
    while queue and end not in before:
        place = queue.popleft()
        for other in near.get(place, ()):
            if other not in before:
                before[other] = place
                queue.append(other)
    if end not in before:
        return []
    way = [end]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]


def _records(evidence: Evidence, name: str) -> list[str]:
    """The keys of the records that a key, customer id or identifier stands for."""
    wanted = name.strip()
    found = evidence.session.read(
        FIND.format(identifiers=evidence.identifiers),
        [wanted, wanted.lower(), *forms(name)],
    )
    if not found.num_rows:
        raise RecordNotFoundError(
            f"Nobody knows {name!r}. Give a record key such as `crm:contact:17`, a customer id, or"
            " an identifier as `cdp profile` does, a phone with its country such as +44;"
            " `identity.identity_map` has all record keys."
        )
    return sorted(found.column("record_key").to_pylist())


def _hold_evidence(evidence: Evidence, sides: Sequence[Sequence[str]]) -> None:
    """Hold the linkage groups of both sides as `dirty`, and their `evidence`."""
    session = evidence.session
    hold_rules(session, evidence.rules)
    rows = [{"side": side, "record_key": key} for side, keys in enumerate(sides) for key in keys]
    session.register("ends", pa.Table.from_pylist(rows))
    session.hold("found_ends", ENDS)
    session.hold("dirty", GROUPS)
    session.hold("decisions", "select * from identity.override_state")
    session.hold("evidence", EVIDENCE.format(dirty=BOTH_DIRTY, both_dirty=BOTH_DIRTY))


def _ends(session: Session) -> tuple[int, int]:
    """Of the records on both sides the two with most evidence, two different ones if possible."""
    for wanted in ("one.record_no <> other.record_no", "true"):
        for row in session.read(STRONGEST.format(wanted=wanted)).to_pylist():
            return row["a"], row["b"]
    raise RecordNotFoundError("No refresh has seen both records yet: run `cdp refresh`.")


def _together(session: Session, customer: str, a: int, b: int) -> tuple[str, list[tuple[int, int]]]:
    if a == b:
        return "it is one record", []
    rows = session.read(EDGES, [customer, customer]).to_pydict()
    way = widest_path(zip(rows["a"], rows["b"], rows["steps"], strict=True), a, b)
    pairs = list(zip(way, way[1:], strict=False))
    steps = "a link" if len(pairs) == 1 else f"a chain of {len(pairs)} links"
    return f"{steps} leads from one to the other", pairs


def _apart(
    evidence: Evidence, mine: str, theirs: str, pair: tuple[int, int]
) -> tuple[str, list[tuple[int, int]]]:
    """The reason; the pair asked for, what was refused, and what speaks against it most."""
    session, both = evidence.session, [mine, theirs, mine, theirs]
    refused = session.read(REFUSED, both).to_pylist()
    if not refused:
        return "nothing that counts speaks for one person", [pair]
    against = session.read(AGAINST, both).to_pylist()
    pairs = {frozenset(pair): pair}
    for row in (refused[0], *against):
        pairs.setdefault(frozenset((row["a"], row["b"])), (row["a"], row["b"]))
    return _in_words(evidence, refused[0]["reason"], both), list(pairs.values())


def _in_words(evidence: Evidence, reason: str, both: Sequence[str]) -> str:
    if reason == "cut":
        return "a person cut them"
    net = _net(evidence.session, both)
    if not reason.startswith("limit of "):
        return f"more speaks against it than for it; {net}"
    kind = reason.removeprefix("limit of ")
    most = {one.identifier_type: one.max_values_per_customer for one in evidence.rules.types}
    query = LIMITED.format(identifiers=evidence.identifiers)
    rows = evidence.session.read(query, [*both[:2], kind]).to_pylist()
    values = ", ".join(row["identifier_value"] for row in rows[:MOST_VALUES])
    return (
        f"together they would have {len(rows)} values of {kind} ({values}), and one may have"
        f" {most.get(kind)}; {net}"
    )


def _net(session: Session, both: Sequence[str]) -> str:
    """What all pairs between the two customers say together."""
    said = session.read(BETWEEN, both).to_pylist()[0]
    unsaid = session.number(SIZE, both[:1]) * session.number(SIZE, both[1:2]) - said["compared"]
    bits = [float(said[name]) / STEPS_PER_BIT for name in ("steps_for", "steps_against")]
    return (
        f"between all their records {bits[0]:+.1f} bits for it, {bits[1]:+.1f} against, and"
        f" {unsaid:,} pairs that nothing is known of ({unsaid * MISSING / STEPS_PER_BIT:+.1f})"
    )


def _exact_parts(evidence: Evidence) -> dict[tuple[int, int], list[Part]]:
    found: dict[tuple[int, int], list[Part]] = {}
    for row in evidence.session.read(SHARED.format(identifiers=evidence.identifiers)).to_pylist():
        part = Part(f"shared {row['identifier_type']}", row["identifier_value"], row["weight"])
        found.setdefault((row["a"], row["b"]), []).append(part)
    return found


def _notes(evidence: Evidence) -> dict[tuple[int, int], list[str]]:
    found: dict[tuple[int, int], list[str]] = {}
    for row in evidence.session.read(UNUSED.format(identifiers=evidence.identifiers)).to_pylist():
        said = f"both have {row['identifier_type']} {row['identifier_value']}: {_unused(row)}"
        found.setdefault((row["a"], row["b"]), []).append(said)
    return found


def _unused(row: Mapping[str, object]) -> str:
    if row["decided"] == "block":
        return "it proves nothing (a person blocked it)"
    if row["blocked_reason"] and not row["decided"]:
        return f"it proves nothing ({row['blocked_reason']})"
    if row["most"] is not None and int(str(row["records"])) > int(str(row["most"])):
        return f"{row['records']} records have it, {row['most']} may"
    if row["is_guarded"]:
        return "its guard stood in the way (names differ, or too many people, or a long silence)"
    return "it links them through other records"


def _decisions(evidence: Evidence) -> dict[tuple[int, int], str]:
    said = {one.override_id: one for one in evidence.rules.overrides}
    found = {}
    for row in evidence.session.read(DECIDED).to_pylist():
        who = said.get(row["override_id"])
        told = f": {who.reason} ({who.actor}, {who.decided_at:%Y-%m-%d})" if who else ""
        found[row["a"], row["b"]] = f"{row['kind']}{told}"
    return found


def _likely_parts(evidence: Evidence) -> dict[tuple[int, int], list[Part]]:
    """Every comparison of the pairs that were compared; without a model, their weight alone."""
    session = evidence.session
    session.hold("weighed", WEIGHED)
    known = session.read("select a, b, weight from weighed").to_pylist()
    if not known or evidence.model is None:
        return {(r["a"], r["b"]): [Part("likely", "by the link model", r["weight"])] for r in known}
    compared = linking.Compared(
        evidence.records, evidence.identifiers, linking.unique_types(evidence.rules)
    )
    model = evidence.model.comparing(compared.fields)
    _hold_compared(session, compared, model)
    plain = {row["record_no"]: row for row in session.read("compared_records").to_pylist()}
    forms = {row["record_no"]: row for row in session.read("counted").to_pylist()}
    ladders = weighed(model)
    return {
        (row["a"], row["b"]): _parts(
            model, ladders, row, forms[row["a"]], (plain[row["a"]], plain[row["b"]])
        )
        for row in session.read("scored").to_pylist()
    }


def _hold_compared(session: Session, compared: linking.Compared, model: LinkModel) -> None:
    session.hold(
        "incoming",
        "select a as record_no, key_a as record_key from told union select b, key_b from told",
    )
    compared.hold(session, "incoming", "prepared")
    count_namesakes(session, "prepared", "identity.block_keys", compared.fields, "counted")
    score(session, "weighed", "counted", model, "scored")


def _parts(
    model: LinkModel,
    ladders: Sequence[Comparison],
    row: Mapping[str, float],
    form: Mapping[str, str],
    plain: tuple[Mapping[str, object], Mapping[str, object]],
) -> list[Part]:
    """The bits of each comparison, which with the prior and a home add up; or the veto alone."""
    if row[ladders[0].column] is None:
        names = " | ".join(_text(of, TOLD_OF["namesakes"]) for of in plain)
        found = f"one person's names do not differ like that: {names}"
        return [Part("veto", found, row["weight"])]
    parts = [Part("before looking", "two records that anybody left", model.prior_weight)]
    for one in ladders:
        level = int(row[one.column])
        if level >= 0:
            columns = TOLD_OF.get(one.kind, (one.name,))
            if one.names[level] == TOLD_BY_A_MAILBOX:
                columns = (*columns, "email")
            finding = f"{one.names[level]}: {' | '.join(_text(of, columns) for of in plain)}"
            bits = model.comparisons[one.name].levels[level].weight
            bits += _rarity(model, one, level, form)
            parts.append(Part(one.name.replace("_", " "), finding, bits))
    if against := _of_one_home(model, ladders, row, form):
        parts.append(Part("one home", "two people of one home would share that too", against))
    return parts


def _of_one_home(
    model: LinkModel,
    ladders: Sequence[Comparison],
    row: Mapping[str, float],
    form: Mapping[str, str],
) -> float:
    """What the other explanation takes away: that two people of one home left the records."""
    if model.home_prior_weight is None:
        return 0.0
    home = model.home_prior_weight
    for one in ladders:
        level = int(row[one.column])
        if level >= 0 and model.comparisons[one.name].is_of_a_home:
            home += model.comparisons[one.name].levels[level].home_weight
            home += _rarity(model, one, level, form)
    taken = math.log2(1.0 + 2.0**home)
    return -taken if taken > 0.001 else 0.0  # noqa: PLR2004  bits; less is rounding


def _rarity(model: LinkModel, one: Comparison, level: int, form: Mapping[str, str]) -> float:
    """How much more an agreement on this value says than the average agreement."""
    column = one.frequency_columns.get(level)
    if not column:
        return 0.0
    frequencies = model.frequencies[column]
    value = form[column] or form.get(f"{column}__told", "")
    return frequencies.bits(frequencies.common.get(value, frequencies.rare))


def _text(record: Mapping[str, object], columns: Sequence[str]) -> str:
    return ", ".join(str(record[name]) for name in columns if record.get(name) is not None)
