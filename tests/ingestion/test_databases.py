"""A company's own databases, mapped by settings: on SQLite, PostgreSQL and MariaDB."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingestion.instances import InstanceError
from ingestion.pipeline import SourceUnavailableError, load, pipeline_for
from ingestion.registry import sources
from tests.ingestion.samples import seen, seen_values

CUSTOMERS = (
    "create table customers (id integer, mail varchar(80), given_name varchar(40),"
    " fans boolean, born {date}, modified {timestamp})"
)
LINES = (
    "create table sold (order_no varchar(20), sku varchar(20), pieces integer, unit decimal(9, 2),"
    " buyer integer, sold_at {timestamp}, modified {timestamp})"
)
KINDS = {
    "sqlite": {"date": "text", "timestamp": "text"},
    "postgresql": {"date": "date", "timestamp": "timestamptz"},
    "mysql": {"date": "date", "timestamp": "datetime(6)"},
}
SETTINGS = {
    "TYPE": "database",
    "KIND": "shop",
    "ACCOUNTS": "customers",
    "ACCOUNTS__USER_ID": "id",
    "ACCOUNTS__EMAIL": "mail",
    "ACCOUNTS__FIRST_NAME": "given_name",
    "ACCOUNTS__ACCEPTS_MARKETING": "fans",
    "ACCOUNTS__UPDATED_AT": "modified",
    "ORDER_LINES": "sold",
    "ORDER_LINES__INVOICE": "order_no",
    "ORDER_LINES__STOCK_CODE": "sku",
    "ORDER_LINES__QUANTITY": "pieces",
    "ORDER_LINES__PRICE": "unit",
    "ORDER_LINES__CUSTOMER_ID": "buyer",
    "ORDER_LINES__INVOICE_DATE": "sold_at",
    "ORDER_LINES__UPDATED_AT": "modified",
    "ORDER_LINES__CURRENCY": "'EUR'",
}
ANN = "1, 'ann@example.com', 'Änn 漢 🎉', true, '1980-02-29', '2020-01-02 08:00:00'"
SALE = "'7', 'LANTERN', 2, 2.55, 1, '2020-01-02 08:00:00', '2020-01-02 08:00:00'"
BACK = "'8', 'LANTERN', -1, 2.55, 1, '2020-01-03 08:00:00', '2020-01-03 08:00:00'"
Run = Callable[[str], None]
Made = Callable[..., Run]


@pytest.fixture()
def made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Made]:
    """Makes a shop's database with one customer, a sale and a return, and switches it on."""
    engines = []

    def make(dialect: str = "sqlite", name: str = "shop_de") -> Run:
        url = _empty_database(dialect, name, tmp_path, request)
        engines.append(engine := sa.create_engine(url))

        def run(sql: str) -> None:
            with engine.begin() as connection:
                connection.exec_driver_sql(sql)

        run(CUSTOMERS.format(**KINDS[dialect]))
        run(LINES.format(**KINDS[dialect]))
        run(f"insert into customers values ({ANN})")
        run(f"insert into sold values ({SALE}), ({BACK})")
        for setting, value in {**SETTINGS, "CREDENTIALS": url}.items():
            monkeypatch.setenv(f"SOURCES__{name}__{setting}".upper(), value)
        return run

    yield make
    for engine in engines:
        engine.dispose()


def _empty_database(dialect: str, name: str, folder: Path, request: pytest.FixtureRequest) -> str:
    if dialect == "sqlite":
        (folder / name).touch()
        return f"sqlite:///{folder}/{name}"
    url: str = request.getfixturevalue(
        f"{'postgres' if dialect == 'postgresql' else dialect}_server"
    )
    home = "postgres" if dialect == "postgresql" else "mysql"
    engine = sa.create_engine(f"{url}/{home}", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"drop database if exists {name}")
        connection.exec_driver_sql(f"create database {name}")
    engine.dispose()
    return f"{url}/{name}"


def everything(name: str) -> list[dict[str, Any]]:
    """The rows of every table of an instance, without the mark of their load and its own name."""
    query = "select * exclude (_dlt_load_id) from {}.{} order by all"
    rows = [r for t in sources()[name].tables for r in seen(query.format(t.schema, t.name))]
    return [
        {c: v.replace(name, "") if isinstance(v, str) else v for c, v in r.items()} for r in rows
    ]


@pytest.mark.parametrize("dialect", KINDS)
def test_their_rows_become_ours_once_and_a_changed_one_comes_again(
    made: Made, dialect: str
) -> None:
    run = made(dialect)
    counts = [load("shop_de").accepted for _ in range(2)]
    (account,) = seen("raw_shop.accounts")
    lines = seen("select invoice, currency, quantity, price from raw_shop.order_lines order by all")
    run("update customers set given_name = 'Anna', modified = '2020-02-01 08:00:00'")

    assert counts == [3, 0]
    assert (account["user_id"], account["first_name"], account["accepts_marketing"]) == (
        "shop_de:1",
        "Änn 漢 🎉",
        True,
    )
    assert lines == [
        {"invoice": "Cshop_de:8", "currency": "EUR", "quantity": -1, "price": 2.55},
        {"invoice": "shop_de:7", "currency": "EUR", "quantity": 2, "price": 2.55},
    ]
    assert dict(load("shop_de").rows) == {"accounts": 1}


@pytest.mark.parametrize("dialect", KINDS)
def test_a_column_whose_type_was_changed_keeps_only_its_bad_rows_out(
    made: Made, dialect: str
) -> None:
    run = made(dialect)
    load("shop_de")
    run("drop table sold")
    run(LINES.format(**KINDS[dialect]).replace("pieces integer", "pieces varchar(20)"))
    for pieces in ("a pair", "3"):
        later = SALE.replace("2020", "2021").replace(", 2,", f", '{pieces}',")
        run(f"insert into sold values ({later})")

    reports = [load("shop_de") for _ in range(2)]

    assert [(r.accepted, r.quarantined) for r in reports] == [(1, 1), (0, 0)]
    (refused,) = seen("raw_shop_de.quarantine")
    assert (refused["reason"], refused["origin"]) == ("quantity is not a bigint", "table sold")


def test_all_three_databases_give_the_same_rows_side_by_side(made: Made) -> None:
    for dialect in KINDS:
        made(dialect, f"shop_{dialect}")
        load(f"shop_{dialect}")

    assert len(set(seen_values("raw_shop.accounts", "user_id"))) == 3
    assert everything("shop_sqlite") == everything("shop_postgresql") == everything("shop_mysql")


@pytest.mark.parametrize("step", ["extract", "normalize"])
def test_a_load_that_was_killed_and_run_again_equals_one_clean_load(made: Made, step: str) -> None:
    made(name="clean")
    made(name="ours")
    load("clean")
    pipeline = pipeline_for("ours")
    pipeline.extract(sources()["ours"].open(), loader_file_format="parquet")
    if step == "normalize":
        pipeline.normalize()
    before = everything("ours")
    load("ours")
    load("ours")

    assert before == []
    assert everything("ours") == everything("clean")


def test_only_columns_that_are_ours_are_read(made: Made) -> None:
    made()("alter table customers add column diagnosis text default 'kept'")
    load("shop_de")

    assert "diagnosis" not in seen("raw_shop_de.accounts")[0]


def test_since_says_what_is_old_enough_to_be_left(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made()
    monkeypatch.setenv("SOURCES__SHOP_DE__SINCE", "2020-01-03")

    assert dict(load("shop_de").rows) == {"order_lines": 1}


@pytest.mark.parametrize("dialect", KINDS)
def test_a_row_that_was_committed_late_is_found_when_days_are_asked_for_again(
    made: Made, monkeypatch: pytest.MonkeyPatch, dialect: str
) -> None:
    run = made(dialect)
    monkeypatch.setenv("SOURCES__SHOP_DE__AGAIN_DAYS", "1")
    load("shop_de")
    for number, day in enumerate(["2020-01-01", "2020-01-02 09:00"]):  # the newest is 01-03 08:00
        run(f"insert into sold values ('{number}', 'X', 1, 1, 1, '2020-01-01', '{day}')")
    counts = [load("shop_de").accepted for _ in range(2)]

    assert counts == [1, 0]


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("AGAIN_DAYS", "two", "AGAIN_DAYS are two, not a number of days"),
        ("CREDENTIALS", "", "SOURCES__SHOP_DE__CREDENTIALS is not given"),
        ("CREDENTIALS", "sqlite:///nowhere", "there is no database file nowhere.*SOURCES__SHOP_DE"),
        ("CREDENTIALS", "mysql://cdp:kept-secret@127.0.0.1:1/x", "Check SOURCES__SHOP_DE__*"),
        ("ACCOUNTS", "clients", "it has no table clients"),
        ("ACCOUNTS", "elsewhere.customers", "elsewhere"),
        ("ACCOUNTS__EMAIL", "e_mail", "customers has no column e_mail, which .*__ACCOUNTS__EMAIL"),
        ("ACCOUNTS__USER_ID", "", "no column user_id: SOURCES__SHOP_DE__ACCOUNTS__USER_ID must"),
        ("ORDER_LINES__UPDATED_AT", "", "SOURCES__SHOP_DE__ORDER_LINES__UPDATED_AT must name"),
        ("ACOUNTS__EMAIL", "mail", "no setting ACOUNTS__EMAIL; there are TYPE, KIND, CREDENTIALS"),
        ("ORDER_LINES__UPDATED_AT", "'2020-01-01'", "sold has no column '2020-01-01'"),
    ],
)
def test_settings_that_cannot_be_followed_say_which_and_no_secret(
    made: Made, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, told: str
) -> None:
    made()
    monkeypatch.setenv(f"SOURCES__SHOP_DE__{setting}", value)

    with pytest.raises(SourceUnavailableError, match=told) as caught:
        load("shop_de")
    assert "kept-secret" not in str(caught.value)


def test_a_database_of_which_no_table_is_named_says_what_to_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for setting, value in {"TYPE": "database", "KIND": "crm", "CREDENTIALS": "sqlite://"}.items():
        monkeypatch.setenv(f"SOURCES__OURS__{setting}", value)

    with pytest.raises(SourceUnavailableError, match="give one of SOURCES__OURS__CONTACTS"):
        load("ours")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("", "KIND is not given, but must be one of shop, crm"),
        ("partner", "KIND is partner, but must be one of shop, crm"),
        ("crm", "makes shop_de a database crm, but it has rows of database shop in the lake"),
    ],
)
def test_a_kind_that_cannot_be_fed_or_was_another_before_is_refused(
    made: Made, monkeypatch: pytest.MonkeyPatch, kind: str, told: str
) -> None:
    made()
    load("shop_de")

    with monkeypatch.context() as patch, pytest.raises(InstanceError, match=told):
        patch.setenv("SOURCES__SHOP_DE__KIND", kind)
        sources()


def test_a_database_that_was_switched_off_stays_known(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made()
    load("shop_de")
    for setting in ("TYPE", "KIND"):
        monkeypatch.delenv(f"SOURCES__SHOP_DE__{setting}")

    assert (len(seen("raw_shop.order_lines")), sources()["shop_de"].is_on) == (2, False)
