import json
import traceback
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ingestion.pipeline import SourceUnavailableError, load
from tests.ingestion.samples import CONSENT, CONTACT, Crm, Drops, event, seen, seen_values

CONTACTS, REFUSED = "raw_crm.contacts", "raw_crm.quarantine"
NAUGHTY = Path(__file__).parents[1] / "data/hostile/blns.json"


def test_loading_twice_adds_nothing(crm: Crm) -> None:
    crm.contact()

    counts = [load("crm").accepted for _ in range(3)]

    assert (counts, seen_values(CONTACTS, "contact_id")) == ([1, 0, 0], [1])


def test_a_changed_contact_comes_as_a_new_version(crm: Crm) -> None:
    crm.contact()
    load("crm")
    crm.run("update contacts set last_name = 'Hill', updated_at = '2020-02-01 08:00:00'")
    load("crm")

    assert seen_values(CONTACTS, "last_name") == ["Hill", "Wood"]


def test_a_contact_of_the_same_second_is_not_missed(crm: Crm) -> None:
    crm.contact()
    load("crm")
    crm.contact(contact_id=2)
    load("crm")

    assert seen_values(CONTACTS, "contact_id") == [1, 2]


def test_a_crm_without_a_column_for_jobs_says_nothing_of_them(crm: Crm) -> None:
    crm.run("alter table contacts drop column job_title")
    crm.contact()
    load("crm")

    assert seen_values(CONTACTS, "job_title") == [None]


def test_columns_have_their_declared_types_and_rows_their_load(crm: Crm) -> None:
    crm.contact()
    marks = ", ".join("?" * len(CONSENT))
    crm.run(f"insert into consents values ({marks})", [list(CONSENT.values())])
    load("crm")
    (contact,), (consent,) = seen(CONTACTS), seen("raw_crm.consents")

    assert (contact["_dlt_load_id"] == consent["_dlt_load_id"], consent["is_granted"]) == (
        True,
        True,
    )
    assert {k: contact[k] for k in CONTACT} == {
        **CONTACT,
        "birth_date": date(1980, 2, 29),
        "created_at": datetime(2020, 1, 1, 8, tzinfo=UTC),
        "updated_at": datetime(2020, 1, 2, 8, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("contact_id", "seven"),
        ("contact_id", 7.5),
        ("birth_date", "soon"),
        ("updated_at", "soon"),
        ("updated_at", None),
        ("updated_at", "zzzz"),
    ],
)
def test_a_bad_row_keeps_only_itself_out_and_is_refused_once(
    crm: Crm, column: str, value: object
) -> None:
    crm.contact()
    crm.contact(**{"contact_id": 2, column: value})

    reports = [load("crm") for _ in range(2)]
    crm.contact(contact_id=3, updated_at="2020-01-03 08:00:00")
    reports.append(load("crm"))

    assert [(report.accepted, report.quarantined) for report in reports] == [(1, 1), (0, 0), (1, 0)]


def test_a_change_dated_in_the_future_keeps_no_later_one_out(crm: Crm) -> None:
    crm.contact(updated_at="9999-12-31 00:00:00")
    load("crm")
    crm.contact(contact_id=2)
    load("crm")
    load("crm")

    assert seen_values(CONTACTS, "contact_id") == [1, 2]


@pytest.mark.parametrize("value", [2, -1, "maybe"])
def test_consent_that_is_neither_yes_nor_no_is_refused(crm: Crm, value: object) -> None:
    row = {**CONSENT, "is_granted": value}
    crm.run(f"insert into consents values ({', '.join('?' * len(row))})", [list(row.values())])

    assert load("crm").quarantined == 1


def test_a_new_column_flows_in(crm: Crm) -> None:
    crm.contact()
    load("crm")
    crm.run("alter table contacts add column origin text")
    crm.contact(contact_id=2, origin="fair", updated_at="2020-02-01")
    load("crm")

    assert seen(f"select contact_id from {CONTACTS} where origin_17 = 'fair'") == [
        {"contact_id": 2}
    ]


def test_naughty_strings_survive_unchanged(crm: Crm, web: Drops) -> None:
    naughty: list[str] = json.loads(NAUGHTY.read_text())
    crm.run(
        "insert into contacts (contact_id, first_name, updated_at) values (?, ?, '2020-01-01')",
        list(enumerate(naughty)),
    )
    events = [event(f"{number:04}", properties={"t": text}) for number, text in enumerate(naughty)]
    web.drop("1.jsonl", "\n".join(events))
    load("crm")
    load("web")

    names = seen(f"select first_name from {CONTACTS} order by contact_id")
    properties = seen("select properties from raw_web.events order by message_id")
    assert [row["first_name"] for row in names] == naughty
    assert [json.loads(row["properties"])["t"] for row in properties] == naughty


def refusal() -> str:
    """What an operator reads when the CRM cannot be read, traceback included."""
    with pytest.raises(SourceUnavailableError) as caught:
        load("crm")
    return "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("password", "host"),
    [
        ("kept-secret", "127.0.0.1:1"),
        ("kept%2Fsecret", "no.such.host.invalid"),
        ("kept@secret", "127.0.0.1:1"),
        ("kept/secret@", "127.0.0.1:1"),
        ("kept:secret", "127.0.0.1:port"),
    ],
)
def test_a_crm_that_does_not_answer_says_what_to_check_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, password: str, host: str
) -> None:
    url = f"postgresql+psycopg://cdp:{password}@{host}/crm"
    monkeypatch.setenv("SOURCES__CRM__CREDENTIALS", url)
    text = refusal()

    assert "SOURCES__CRM__CREDENTIALS" in text
    assert "secret" not in text


def test_a_wrong_file_is_an_error_and_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wrong.sqlite"
    monkeypatch.setenv("SOURCES__CRM__CREDENTIALS", f"sqlite:///{path}")

    assert f"there is no database file {path}" in refusal()
    assert not path.exists()


@pytest.mark.parametrize("setting", ["sqlite://", "crm.db", "oracle+none://x/y", "sqlite:////tmp"])
def test_a_setting_that_is_no_database_is_an_error(
    monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("SOURCES__CRM__CREDENTIALS", setting)

    assert "SOURCES__CRM__CREDENTIALS" in refusal()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("drop table consents", "it has no table consents"),
        ("alter table contacts drop column updated_at", "contacts has no column updated_at"),
    ],
)
def test_a_crm_without_our_tables_says_which(crm: Crm, change: str, reason: str) -> None:
    crm.run(change)

    assert reason in refusal()


def test_other_sources_load_while_the_crm_is_away_and_it_loads_when_back(
    crm: Crm, web: Drops
) -> None:
    crm.contact()
    load("crm")
    crm.contact(contact_id=2)
    away = crm.path.rename(crm.path.with_suffix(".away"))
    web.drop("1.jsonl", event())
    refusal()
    counts = [load("web").accepted]
    away.rename(crm.path)
    counts.append(load("crm").accepted)

    assert (counts, seen_values(CONTACTS, "contact_id")) == ([1, 1], [1, 2])


def test_a_folder_that_does_not_exist_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in ("shop", "pos", "web"):
        setting = f"SOURCES__{source.upper()}__BUCKET_URL"
        monkeypatch.setenv(setting, (tmp_path / "nowhere").as_uri())

        with pytest.raises(SourceUnavailableError, match=rf"there is no folder .* Check {setting}"):
            load(source)
