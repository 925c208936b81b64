"""The right to erasure (GDPR, article 17): one person taken out of every store, and the proof.

The order makes it safe to be cut off: the person is written to a journal first, and whatever is
found there is taken up again by the next call. From the second step on nothing about the person
can come in again. Rows that the books need, such as order lines, stay without the person.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import settings
import warehouse
from activation.deliver import forget as forget_at_destination
from activation.syncs import syncs
from identity import state
from ingestion import refused_files, suppression
from ingestion.pipeline import drop_pending
from privacy import access, inbox
from privacy.person import Person, find, owns
from privacy.scan import JOURNAL, Hit, files, may_name, scan
from settings import ForeseenError
from warehouse import RawTable, rewrite_rows

LEDGERS = ("activation.deliveries", "audiences.audience_changes")
CERTAIN = (  # kinds a scan cannot mistake
    "email",
    "email_sha256",
    "phone",
    "loyalty_number",
    "anonymous_id",
)


class TracesLeftError(ForeseenError):
    """An erased person was still found somewhere."""


@dataclass(frozen=True)
class Certificate:
    """What one erasure did, without a word about who it was."""

    request_id: str
    erased_at: str
    lake_files: int
    inbox_files: int
    destinations: int
    files_read_back: int
    traces: int


def erase(
    identifier: str, raw_tables: Sequence[RawTable], rebuild: Callable[[], None]
) -> Certificate:
    """Erase one person everywhere, rebuild what was derived, and prove that nothing is left.

    Raises PersonNotFoundError, or TracesLeftError naming the files where something was found.
    """
    person = find(identifier)
    _journal(person).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _journal(person).write_text(person.to_json())
    return _erase(person, raw_tables, rebuild)


def resume(raw_tables: Sequence[RawTable], rebuild: Callable[[], None]) -> list[Certificate]:
    """Finish the erasures that were cut off."""
    return [_erase(person, raw_tables, rebuild) for person in _cut_off()]


def was_cut_off(identifier: str) -> bool:
    """Whether an erasure of this person waits to be finished; nobody else knows the person now."""
    return any(person.answers_to(identifier) for person in _cut_off())


def _cut_off() -> list[Person]:
    journals = sorted((settings.home() / JOURNAL).glob("*.json"))
    return [Person.from_json(path.read_text()) for path in journals]


def _erase(
    person: Person, raw_tables: Sequence[RawTable], rebuild: Callable[[], None]
) -> Certificate:
    request_id = suppression.tombstone("erasure", person.customer_id)[:16]
    suppression.add([suppression.tombstone(kind, value) for kind, value in person.pointers])
    for source in sorted({table.source for table in raw_tables}):
        drop_pending(source)  # it was read before the person was suppressed
    destinations = _forget_at_destinations(person)
    lake_files = sum(_forget_in_lake(person, table, raw_tables) for table in raw_tables)
    inbox_files = inbox.forget(person)
    _forget_in_ledgers(person)
    shutil.rmtree(access.folder(person), ignore_errors=True)
    shutil.rmtree(settings.home() / "dbt" / "logs", ignore_errors=True)
    rebuild()
    warehouse.compact()
    hits = prove(person, raw_tables)
    certificate = Certificate(
        request_id=request_id,
        erased_at=datetime.now(UTC).isoformat(timespec="seconds"),
        lake_files=lake_files,
        inbox_files=inbox_files,
        destinations=destinations,
        files_read_back=len(files()),
        traces=len(hits),
    )
    _keep(certificate)
    if hits:
        places = ", ".join(sorted({hit.path for hit in hits}))
        raise TracesLeftError(f"The person is still named in: {places}. Run `cdp erase` again.")
    _journal(person).unlink()
    return certificate


def prove(person: Person, raw_tables: Iterable[RawTable]) -> list[Hit]:
    """Every place where the person is still named; none after an erasure."""
    hits = scan(person.values(CERTAIN))
    with warehouse.transaction() as session:
        for table in raw_tables:
            condition, params = owns(table, person)
            name = f"{table.schema}.{table.name}"
            if session.read(
                f"select 1 as one from {name} where {condition} limit 1", params
            ).num_rows:
                hits.append(Hit(path=f"table {name}", found="an identifier column"))
        left = session.read(
            "select 1 as one from identity.identity_map where customer_id = ? limit 1",
            [person.customer_id],
        )
        named = state.naming(session, person.record_keys)
    hits += [Hit("table identity.identity_map", "the customer")] if left.num_rows else []
    return hits + [Hit(f"table {table}", "a record") for table in named]


def _forget_at_destinations(person: Person) -> int:
    return sum(
        forget_at_destination(sync, person.customer_id) for sync in syncs(warehouse.catalog())
    )


def _forget_in_lake(person: Person, table: RawTable, raw_tables: Sequence[RawTable]) -> int:
    if table.name == "quarantine":
        others = [other for other in raw_tables if other.source == table.source]
        condition, params = _refused(person, others)
        rewritten = rewrite_rows(table, condition, params, keep_without=None)
        return rewritten + _forget_refused_files(person, table)
    condition, params = owns(table, person)
    emptied = list(table.identifiers) if table.erasure == "anonymise" else None
    return rewrite_rows(table, condition, params, keep_without=emptied)


def _forget_refused_files(person: Person, quarantine: RawTable) -> int:
    """Take out the kept files that name the person; one that cannot be read may do so, too."""
    kept = sorted(refused_files.folder_of(quarantine.source).glob("*"))
    named = [path.name for path in kept if may_name(path, person.values(CERTAIN))]
    if not named:
        return 0
    gone = "coalesce(list_contains(string_split(?, ','), kept_file), false)"
    rewritten = rewrite_rows(quarantine, gone, [",".join(named)], keep_without=None)
    return rewritten + refused_files.forget(quarantine.source, named)


def _refused(person: Person, tables: Iterable[RawTable]) -> tuple[str, list[str]]:
    """The rows of a quarantine about this person: named anywhere, or in a table's own columns."""
    params = person.values(CERTAIN)
    conditions = ["false", *("contains(lower(payload), ?)" for _ in params)]
    for table in tables:
        condition, values = owns(table, person, _in_payload)
        conditions.append(f"table_name = '{table.name}' and {condition}")
        params += values
    return f"coalesce({' or '.join(conditions)}, false)", params


def _in_payload(columns: str) -> str:
    paths = [f"json_extract_string(try_cast(payload as json), '/{c}')" for c in columns.split("/")]
    return f"concat_ws('/', {', '.join(paths)})"


def _forget_in_ledgers(person: Person) -> None:
    with warehouse.transaction() as session:
        for ledger in LEDGERS:
            if session.exists(ledger):
                session.execute(f"delete from {ledger} where customer_id = ?", [person.customer_id])
        state.forget_decisions(session, person.record_keys, person.identifiers)


def _journal(person: Person) -> Path:
    name = hashlib.sha256(person.customer_id.encode()).hexdigest()[:16]
    return settings.home() / JOURNAL / f"{name}.json"


def _keep(certificate: Certificate) -> None:
    path = settings.home() / "privacy" / "erasures" / f"{certificate.request_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(certificate), indent=1))
