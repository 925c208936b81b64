import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import settings
import warehouse
from serving.publish import path_of, publish
from warehouse import Catalog, Column, Model

STORAGE_OF_1_2 = 65  # the number that DuckDB 1.2 writes into a file's header, after "DUCK"
READ = """
import pathlib, sys, duckdb
file, stop = sys.argv[1], pathlib.Path(sys.argv[2])
print("ready", flush=True)
mixed, errors = 0, 0
while not stop.exists():
    try:
        with duckdb.connect(file, read_only=True) as connection:
            [(left, right)] = connection.sql(
                "select (select max(version) from marts.orders),"
                " (select max(version) from marts.customers)"
            ).fetchall()
        mixed += left != right
    except Exception:
        errors += 1
print(mixed, errors)
"""
EXPORT_AND_DIE = """
import os, pathlib, signal
import warehouse
pathlib.Path.chmod = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
warehouse.export({"marts.orders": ["version"]}, pathlib.Path(os.environ["TARGET"]), mode=0o644)
"""


def model(name: str, *, is_public: bool = True, edition: str = "", **pii: str | None) -> Model:
    return Model(
        name=name,
        schema="marts",
        layer="marts",
        description="",
        is_public=is_public,
        columns=tuple(Column(column, "", kind) for column, kind in pii.items()),
        parents=(),
        meta={"edition": edition} if edition else {},
    )


@pytest.fixture()
def catalog() -> Catalog:
    models = [
        model("customers", version=None, email="email"),
        model("orders", version=None),
        model("addresses", edition="contacts", version=None),
        model("drafts", is_public=False, version=None),
    ]
    return Catalog(models={each.name: each for each in models})


def build(version: int) -> None:
    """Every table as this version of the warehouse has it."""
    with warehouse.transaction() as session:
        for table in ("customers", "orders", "addresses", "drafts"):
            rows = pa.table({"version": [version], "email": ["ann@example.com"]})
            session.replace(f"marts.{table}", rows)


def columns(edition: str) -> list[str]:
    with duckdb.connect(str(path_of(edition)), read_only=True) as connection:
        found = connection.sql(
            "select table_name || '.' || column_name from information_schema.columns order by 1"
        )
        return [row[0] for row in found.fetchall()]


def version(connection: duckdb.DuckDBPyConnection) -> int:
    [(version,)] = connection.sql("select version from marts.orders").fetchall()
    return int(version)


def published_version(edition: str) -> int:
    with duckdb.connect(str(path_of(edition)), read_only=True) as connection:
        return version(connection)


def test_insights_hold_no_personal_data(catalog: Catalog) -> None:
    build(1)
    publish(catalog)
    assert columns("insights") == ["about.published_at", "customers.version", "orders.version"]


def test_contacts_hold_everything_public(catalog: Catalog) -> None:
    build(1)
    publish(catalog)
    assert columns("contacts") == [
        "about.published_at",
        "addresses.version",
        "customers.email",
        "customers.version",
        "orders.version",
    ]


def test_personal_data_is_nowhere_in_the_bytes_of_insights(catalog: Catalog) -> None:
    build(1)
    publish(catalog)
    assert b"ann@example.com" not in path_of("insights").read_bytes()


def test_everybody_may_read_insights_and_the_owner_alone_contacts(catalog: Catalog) -> None:
    build(1)
    modes = {each.edition: each.path.stat().st_mode & 0o777 for each in publish(catalog)}
    assert modes == {"insights": 0o644, "contacts": 0o600}


def test_published_copies_open_in_clients_since_duckdb_1_2(catalog: Catalog) -> None:
    build(1)
    headers = {each.path.read_bytes()[8:20] for each in publish(catalog)}
    assert headers == {b"DUCK" + STORAGE_OF_1_2.to_bytes(8, "little")}


def test_an_open_reader_keeps_its_snapshot(catalog: Catalog) -> None:
    build(1)
    publish(catalog)
    with duckdb.connect(str(path_of("insights")), read_only=True) as reader:
        build(2)
        publish(catalog)
        assert (version(reader), published_version("contacts")) == (1, 2)


def test_readers_see_one_refresh_or_the_next_and_never_an_error(
    catalog: Catalog, tmp_path: Path
) -> None:
    build(0)
    publish(catalog)
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", READ, str(path_of("insights")), str(stop)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        for reader in readers:
            assert reader.stdout
            reader.stdout.readline()
        for refresh in range(1, 11):
            build(refresh)
            publish(catalog)
            time.sleep(0.05)
    finally:
        stop.touch()
    assert [reader.communicate()[0].split() for reader in readers] == [["0", "0"]] * 3


def test_a_failed_publication_leaves_the_last_one(catalog: Catalog) -> None:
    build(1)
    publish(catalog)
    build(2)
    broken = Catalog(models={**catalog.models, "missing": model("missing", version=None)})
    with pytest.raises(duckdb.CatalogException):
        publish(broken)
    assert published_version("insights") == 1


def killed_export(edition: str) -> int:
    """Export in a process that dies before the file takes its place; returns its exit code."""
    environment = {**os.environ, "TARGET": str(path_of(edition))}
    command = [sys.executable, "-c", EXPORT_AND_DIE]
    return subprocess.run(command, cwd=settings.PROJECT, env=environment, check=False).returncode


def test_a_killed_publication_leaves_the_last_one(catalog: Catalog) -> None:
    build(1)
    publish(catalog)
    build(2)
    assert (killed_export("insights"), published_version("insights")) == (-signal.SIGKILL, 1)


def test_the_publication_after_a_killed_one_succeeds(catalog: Catalog) -> None:
    build(1)
    killed_export("insights")
    publish(catalog)
    assert sorted(path.name for path in path_of("insights").parent.iterdir()) == [
        "contacts.duckdb",
        "insights.duckdb",
    ]


def test_others_cannot_read_a_draft() -> None:
    build(1)
    killed_export("contacts")
    draft = path_of("contacts").with_name(".contacts.duckdb.draft")
    assert draft.stat().st_mode & 0o077 == 0
