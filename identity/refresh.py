"""One identity refresh: what is new becomes evidence, and evidence becomes customers.

The result is a function of the records, the identifiers and the rules as they are now; only the
customer ids depend on history, by the election. So a refresh resolves just the linkage groups that
new evidence touches, and gives what resolving everything would. Other rules, another link model or
another engine resolve everything, through the same election.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

import warehouse
from identity import election, linking, state
from identity.candidates import Linker, link_likely
from identity.changes import find_changes, hold_incoming, hold_rules
from identity.exact import link_exactly
from identity.groups import resolve_groups
from identity.rules import STEPS_PER_BIT, Rules, read_rules
from warehouse import Session

RECORDS = "identity.int_identity__records"
IDENTIFIERS = "identity.int_identity__identifiers"

REPORT = """
select count(*) filter (where kind = 'create') as created,
    count(*) filter (where kind = 'merge') as merged,
    count(*) filter (where kind = 'split') as split,
    count(*) filter (where kind = 'revive') as revived,
    count(*) filter (where kind = 'retire') as retired,
    (select count(*) from incoming) as records,
    (select count(*) from stale) as changed_records,
    (select count(*) from dirty) as dirty_records,
    (select count(*) from conflicts) as conflict_groups,
    (select count(*) from identity.customer_ids where status = 'active') as customers,
    (select count(*) from assignments where customer_id <> old_customer_id) as moved_records,
    (select count(*) from incoming)
        - (select count(*) from assignments where old_customer_id is null) as known_records
from events
"""
# The same partition has the same fingerprint, whatever the ids and the order of rows: that of some
# whole customers and that of the others together give that of all.
FINGERPRINT = f"""
select bit_xor({warehouse.key_number("firsts.first_key", "known.record_key")}) as fingerprint
from {{customers}} as known
inner join (
    select customer_id, min(record_key) as first_key from {{customers}} group by customer_id
) as firsts on known.customer_id = firsts.customer_id
"""
LAST = "select rules_version, fingerprint from identity.refreshes order by refresh desc limit 1"
RESOLVED = """
select known.customer_id, known.record_key from identity.record_customers as known
inner join dirty on known.record_no = dirty.record_no
"""


@dataclass(frozen=True)
class RefreshReport:
    """What one identity refresh did, in records and customers."""

    refresh: int
    rules_version: str
    is_full: bool
    records: int
    changed_records: int
    dirty_records: int
    conflict_groups: int
    customers: int
    created: int
    merged: int
    split: int
    revived: int
    retired: int
    moved_records: int
    known_records: int


def refresh(*, is_full: bool = False) -> RefreshReport:
    """Assign every record to a customer, in one transaction; nothing new changes nothing.

    `is_full` resolves every record anew, which gives the same customers.
    """
    with warehouse.transaction() as session:
        return refresh_in(session, read_rules(session), is_full=is_full)


def refresh_in(
    session: Session,
    rules: Rules,
    linker: Linker | None = None,
    *,
    records: str = RECORDS,
    identifiers: str = IDENTIFIERS,
    is_full: bool = False,
) -> RefreshReport:
    """The same within a transaction of the caller, on other tables if need be."""
    began = time.monotonic()
    state.make_ledgers(session)
    hold_rules(session, rules)
    hold_incoming(session, records, identifiers)
    likely: Linker = linker or linking.linker(session, rules, records, identifiers)
    version = rules.version(session, likely.version)
    is_full = is_full or _known_version(session) != version
    if is_full:
        state.forget_evidence(session)
        _renumber(session)
    find_changes(session, is_full=is_full)
    link_exactly(session, records, is_full=is_full)
    link_likely(session, likely, is_full=is_full)
    resolve_groups(session, rules, is_full=is_full)
    election.elect(session)
    return _write(session, version, likely.version, is_full=is_full, began=began)


def fingerprint(session: Session) -> str:
    """A short text that is the same when the same records are the same customers."""
    return str(_fingerprint(session, "identity.record_customers"))


def _fingerprint(session: Session, customers: str) -> int:
    return session.number(FINGERPRINT.format(customers=customers))


def _next_fingerprint(session: Session, *, is_full: bool) -> str:
    """The fingerprint after this refresh; only dirty groups have changed since the last one."""
    if is_full:
        return fingerprint(session)
    session.show("resolved", RESOLVED)
    last = session.read(LAST).column("fingerprint").to_pylist()
    before, after = (_fingerprint(session, customers) for customers in ("old", "resolved"))
    return str(int(last[0]) ^ before ^ after)


def _known_version(session: Session) -> str | None:
    last = session.read(LAST).column("rules_version")
    return str(last[0]) if len(last) else None


def _renumber(session: Session) -> None:
    """Give known records the numbers of this engine."""
    session.execute(
        f"update identity.record_customers set record_no = {warehouse.key_number('record_key')}"
    )


def _write(
    session: Session, version: str, model_version: str, *, is_full: bool, began: float
) -> RefreshReport:
    number = session.number("select max(refresh) from identity.refreshes") + 1
    now = datetime.now(UTC).replace(tzinfo=None)
    session.run(election.WRITE.format(refresh=number, version=version, now=now))
    session.run(
        election.RECORDS.format(refresh=number, version=version, steps_per_bit=STEPS_PER_BIT)
    )
    counts = session.read(REPORT).to_pylist()[0]
    report = RefreshReport(refresh=number, rules_version=version, is_full=is_full, **counts)
    row = {
        **vars(report),
        "happened_at": now,
        "model_version": model_version,
        "fingerprint": _next_fingerprint(session, is_full=is_full),
        "seconds": time.monotonic() - began,
    }
    session.append("identity.refreshes", pa.Table.from_pylist([row]))
    return report
