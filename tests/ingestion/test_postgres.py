from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingestion.pipeline import load
from tests.ingestion.samples import CONSENT, CONTACT, CRM_TABLES, Crm, seen, seen_values

CONTACTS = "raw_crm.contacts"
Run = Callable[..., None]
TABLES = (CONTACTS, "raw_crm.consents")
COLUMNS = ", ".join(CONTACT)


@pytest.fixture()
def postgres(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs SQL on a CRM in PostgreSQL that is switched on and has one contact and one consent."""
    server = sa.create_engine(f"{postgres_server}/postgres", isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text("drop database if exists crm with (force)"))
        connection.execute(sa.text("create database crm"))
    engine = sa.create_engine(f"{postgres_server}/crm")

    def run(sql: str, **values: object) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text(sql), values)

    for sql in CRM_TABLES:
        run(sql.format(date="date", timestamp="timestamptz", boolean="boolean"))
    run("alter database crm set timezone to 'America/New_York'")
    run("alter database crm set datestyle to 'SQL, DMY'")
    engine.dispose()
    contact = {**CONTACT, "created_at": "2020-01-01 08:00Z", "updated_at": "2020-01-02 08:00Z"}
    run(f"insert into contacts ({COLUMNS}) values ({', '.join(map(quoted, contact.values()))})")
    consent = {**CONSENT, "decided_at": "2020-01-01 08:00Z", "updated_at": "2020-01-01 08:00Z"}
    run(f"insert into consents values ({', '.join(map(quoted, consent.values()))})")
    monkeypatch.setenv("SOURCES__CRM__CREDENTIALS", f"{postgres_server}/crm")
    yield run
    engine.dispose()
    server.dispose()


def quoted(value: object) -> str:
    return f"'{value}'"


@pytest.mark.usefixtures("postgres")
def test_postgresql_and_sqlite_give_the_same_rows(
    crm: Crm, postgres_server: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "select * exclude (_dlt_load_id) from"
    crm.contact()
    crm.run(f"insert into consents values ({', '.join(map(quoted, CONSENT.values()))})")
    load("crm")
    of_sqlite = [seen(f"{query} {table}") for table in TABLES]
    monkeypatch.setenv("SOURCES__CRM__CREDENTIALS", f"{postgres_server}/crm")
    monkeypatch.setenv("CDP_HOME", f"{home}_of_postgresql")
    load("crm")

    assert [seen(f"{query} {table}") for table in TABLES] == of_sqlite


@pytest.mark.usefixtures("postgres")
def test_loading_twice_adds_nothing() -> None:
    counts = [load("crm").accepted for _ in range(2)]

    assert counts == [2, 0]


def test_a_changed_contact_comes_as_a_new_version(postgres: Run) -> None:
    load("crm")
    postgres("update contacts set last_name = 'Hill', updated_at = '2020-01-02 08:00:00.000001Z'")
    load("crm")

    assert seen_values(CONTACTS, "last_name") == ["Hill", "Wood"]


def test_a_column_whose_type_was_changed_keeps_only_its_bad_rows_out(postgres: Run) -> None:
    load("crm")
    postgres("set datestyle to ISO; alter table contacts alter column birth_date type text")
    for number, born in enumerate(["soon", "1990-05-05"], start=2):
        postgres(
            "insert into contacts (contact_id, birth_date, updated_at)"
            f" values ({number}, '{born}', now())"
        )

    report = load("crm")

    assert (seen_values(CONTACTS, "contact_id"), report.quarantined) == ([1, 3], 1)


def test_times_and_dates_that_only_postgresql_knows_are_refused(postgres: Run) -> None:
    for number, moment in enumerate(["infinity", "-infinity", "4000-01-01 BC", "99999-01-01"]):
        postgres(f"insert into contacts (contact_id, updated_at) values ({number}, '{moment}')")

    reports = [load("crm") for _ in range(2)]

    assert [(report.accepted, report.quarantined) for report in reports] == [(2, 4), (0, 0)]
