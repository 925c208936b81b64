"""What is new since the last refresh: records, identifiers and decisions.

Records and values get numbers that are functions of their content, so that nothing depends on the
order in which they arrived.
"""

import pyarrow as pa

from identity.rules import IdentifierType, Override, Rules
from settings import ForeseenError
from warehouse import Session, content_number, function, key_number

FIELDS = (
    "source",
    "first_name",
    "last_name",
    "email",
    "phone",
    "birth_date",
    "gender",
    "street",
    "city",
    "postcode",
    "country",
)
VALUE_NO = key_number("concat(identifier_type, '|', identifier_value)")
TYPES = pa.schema(
    [
        ("identifier_type", pa.string()),
        ("type_no", pa.int64()),
        ("weight", pa.int64()),
        ("is_unique", pa.bool_()),
        ("is_guarded", pa.bool_()),
        ("is_timed", pa.bool_()),
        *((name, pa.int64()) for name in ("window_days", "recycling_days")),
        *(
            (f"max_{name}", pa.int64())
            for name in (
                "values_per_customer",
                "records_per_value",
                "names_per_value",
                "surnames_per_value",
                "emails_per_value",
            )
        ),
    ]
)
DECISIONS = pa.schema(
    [(name, pa.string()) for name in ("override_id", "kind", "record_a", "record_b")]
    + [("identifier_type", pa.string()), ("identifier_value", pa.string())]
)

BLANKS = " \t\n\r\v\f\u00a0\u200b\u200c\u200d\u2060\u3000\ufeff"  # what shows nothing
TRIMMED = function("trimmed", "identifier_value", f"'{BLANKS}'")

# A value that a rule blocks links nobody unless a person allowed it, and the other way round.
# Trimming is dear: what begins with a visible letter of ASCII is known to show something.
IDENTIFIERS = f"""
with numbered as (
    select record_key, identifier_type, {VALUE_NO} as value_no, blocked_reason,
        first_seen_at, last_seen_at
    from {{identifiers}}
    where (identifier_value between '!' and '~') or {TRIMMED} <> ''
)
select {key_number("numbered.record_key")} as record_no, types.type_no, numbered.value_no,
    case when types.is_timed
        then cast(coalesce(numbered.first_seen_at, numbered.last_seen_at) as timestamp)
    end as first_seen_at,
    case when types.is_timed
        then cast(coalesce(numbered.last_seen_at, numbered.first_seen_at) as timestamp)
    end as last_seen_at
from numbered
inner join identifier_types as types on numbered.identifier_type = types.identifier_type
left join decisions on decisions.value_no = numbered.value_no
where coalesce(decisions.kind = 'allow', numbered.blocked_reason is null)
"""
IDENTIFIER_CONTENT = f"""
select record_no,
    bit_xor({content_number(("value_no", "first_seen_at", "last_seen_at"))}) as content
from incoming_identifiers group by record_no
"""
RECORDS = f"""
with numbered as (
    select {key_number("record_key")} as record_no, record_key, source,
        {content_number(FIELDS)} as content
    from {{records}}
)
select numbered.record_no, numbered.record_key, coalesce(source_trust.trust, 1) as trust,
    {content_number(("numbered.content", "identified.content"))} as content
from numbered
left join identifier_content as identified on numbered.record_no = identified.record_no
left join source_trust on numbered.source = source_trust.source
"""
CHANGED = """
select incoming.record_no from incoming
left join identity.record_customers as known on incoming.record_no = known.record_no
where known.record_no is null or known.content is distinct from incoming.content
"""
GONE = """
select known.record_no from identity.record_customers as known
left join incoming on known.record_no = incoming.record_no where incoming.record_no is null
"""
NUMBERED_DECISIONS = f"""
select override_id, kind,
    case when record_a is not null
        then least({key_number("record_a")}, {key_number("record_b")}) end as a,
    case when record_a is not null
        then greatest({key_number("record_a")}, {key_number("record_b")}) end as b,
    case when identifier_value is not null then {VALUE_NO} end as value_no
from given_decisions
"""
CHANGED_DECISIONS = """
select coalesce(now.override_id, old.override_id) as override_id,
    coalesce(now.a, old.a) as a, coalesce(now.b, old.b) as b,
    coalesce(now.value_no, old.value_no) as value_no,
    now.override_id is not null and now.kind = 'cut' as is_cut
from decisions as now
full outer join identity.override_state as old
    on now.override_id = old.override_id and now.kind = old.kind
        and now.a is not distinct from old.a and now.b is not distinct from old.b
        and now.value_no is not distinct from old.value_no
where now.override_id is null or old.override_id is null
"""
TOUCHED = """
select state.type_no, state.value_no from identity.identifier_state as state
inner join stale on state.record_no = stale.record_no
union
select incoming.type_no, incoming.value_no from incoming_identifiers as incoming
inner join changed on incoming.record_no = changed.record_no
"""
DOUBLES = "select record_no from changed group by record_no having count(*) > 1"
DOUBLE_KEYS = """
select min(record_key) as one, max(record_key) as other from incoming
inner join doubles on incoming.record_no = doubles.record_no
group by incoming.record_no order by one limit 1
"""
KEEP = """
delete from identity.identifier_state where record_no in (select record_no from stale);
insert into identity.identifier_state
select incoming.* from incoming_identifiers as incoming
inner join changed on incoming.record_no = changed.record_no;
delete from identity.override_state;
insert into identity.override_state select override_id, kind, a, b, value_no from decisions
"""


class KeysCollideError(ForeseenError):
    """Two records have the same key, or keys with the same number."""


def hold_rules(session: Session, rules: Rules) -> None:
    """Let the queries of this refresh see the rules: identifier_types, source_trust, decisions."""
    session.register("identifier_types", pa.Table.from_pylist(list(map(_row, rules.types)), TYPES))
    trust = {"source": pa.array(rules.trust, pa.string()), "trust": list(rules.trust.values())}
    session.register("source_trust", pa.table(trust).cast(_TRUST))
    session.register(
        "given_decisions",
        pa.Table.from_pylist(list(map(_decision, rules.decisions)), DECISIONS),
    )
    session.hold("decisions", NUMBERED_DECISIONS)


_TRUST = pa.schema([("source", pa.string()), ("trust", pa.int64())])


def hold_incoming(session: Session, records: str, identifiers: str) -> None:
    """Hold everything there is now: `incoming` and `incoming_identifiers`, as numbers."""
    session.hold("incoming_identifiers", IDENTIFIERS.format(identifiers=identifiers))
    session.hold("identifier_content", IDENTIFIER_CONTENT)
    session.hold("incoming", RECORDS.format(records=records))


def find_changes(session: Session, *, is_full: bool) -> None:
    """Hold `changed`, `gone`, `changed_decisions` and `touched` values; keep the new state.

    A value that is blocked or allowed anew changes the content of its records. Raises
    KeysCollideError.
    """
    session.hold("changed", "select record_no from incoming" if is_full else CHANGED)
    session.hold("gone", GONE)
    session.hold("changed_decisions", CHANGED_DECISIONS)
    session.hold("stale", "select record_no from changed union all select record_no from gone")
    session.hold("touched", f"{TOUCHED} limit 0" if is_full else TOUCHED)
    _refuse_collisions(session)
    session.run(KEEP)


def _refuse_collisions(session: Session) -> None:
    session.hold("doubles", DOUBLES)
    for row in session.read(DOUBLE_KEYS).to_pylist():
        raise KeysCollideError(
            f"Records {row['one']} and {row['other']} have one key: record keys must be unique."
            " Look for the double in identity.int_identity__records."
        )


def _row(kind: IdentifierType) -> dict[str, object]:
    return {
        **{name: getattr(kind, name, None) for name in TYPES.names},
        "type_no": kind.priority,
        "weight": kind.steps,
        "is_timed": kind.window_days is not None or kind.recycling_days is not None,
    }


def _decision(override: Override) -> dict[str, object]:
    return {name: getattr(override, name) for name in DECISIONS.names}
