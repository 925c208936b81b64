"""The sources, empty and switched on, and real servers of PostgreSQL and MariaDB."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from simulation.server import serving
from tests.conftest import PATIENCE, free_port, until
from tests.ingestion.samples import API_ROWS, CRM_TABLES, Api, Crm, Drops, Shop, all_books

POSTGRESQL = Path("/usr/lib/postgresql")
MARIADB = Path("/usr/sbin/mariadbd")


@pytest.fixture(autouse=True)
def books_balance(home: Path) -> Iterator[None]:
    """Whatever a test has loaded: at its end the books of every load balance."""
    yield
    assert [book.problem for book in all_books() if book.problem] == []


@pytest.fixture()
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """An empty shop that is switched on."""
    folder = _folder(tmp_path / "shop")
    monkeypatch.setenv("SOURCES__SHOP__BUCKET_URL", folder.as_uri())
    return Shop(folder)


@pytest.fixture()
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crm:
    """A CRM without contacts that is switched on."""
    crm = Crm(tmp_path / "crm.sqlite")
    for sql in CRM_TABLES:
        crm.run(sql.format(date="text", timestamp="text", boolean="integer"))
    monkeypatch.setenv("SOURCES__CRM__CREDENTIALS", f"sqlite:///{crm.path}")
    return crm


@pytest.fixture()
def pos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drops:
    """An empty inbox of receipts that is switched on."""
    folder = _folder(tmp_path / "pos")
    monkeypatch.setenv("SOURCES__POS__BUCKET_URL", folder.as_uri())
    return Drops(folder)


@pytest.fixture()
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drops:
    """An empty inbox of events that is switched on."""
    folder = _folder(tmp_path / "web")
    monkeypatch.setenv("SOURCES__WEB__BUCKET_URL", folder.as_uri())
    return Drops(folder)


@pytest.fixture()
def partner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drops:
    """A partner's folder without a revision that is switched on."""
    folder = _folder(tmp_path / "partner")
    monkeypatch.setenv("SOURCES__PARTNER__BUCKET_URL", folder.as_uri())
    return Drops(folder)


@pytest.fixture()
def dmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drops:
    """An empty inbox of segments that is switched on."""
    folder = _folder(tmp_path / "dmp")
    monkeypatch.setenv("SOURCES__DMP__BUCKET_URL", folder.as_uri())
    return Drops(folder)


@pytest.fixture()
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The REST APIs of ads, email, support and social, without rows and switched on."""
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")  # of a second
    folder = _folder(tmp_path / "rest")
    with serving(folder, "right key") as url:
        for source in API_ROWS:
            monkeypatch.setenv(f"SOURCES__{source.upper()}__BASE_URL", f"{url}/{source}")
            monkeypatch.setenv(f"SOURCES__{source.upper()}__API_KEY", "right key")
        yield Api(folder, url)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a private PostgreSQL server, without a database."""
    found = sorted(POSTGRESQL.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, f"These tests need PostgreSQL: no {POSTGRESQL}/*/bin. Run `make databases`."
    with _private_folder("postgres") as folder:
        run, port = _as_user("postgres", folder), free_port()
        initdb, pg_ctl = str(found[-1]), str(found[-1].with_name("pg_ctl"))
        run(initdb, "-D", "data", "-A", "trust", "-U", "cdp", "--no-sync", "-E", "UTF8")
        fast = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"
        options = f"-h 127.0.0.1 -p {port} -k {folder} {fast}"
        run(pg_ctl, "-D", "data", "-t", str(PATIENCE), "-w", "-l", "log", "-o", options, "start")
        yield f"postgresql+psycopg://cdp:kept-secret@127.0.0.1:{port}"
        run(pg_ctl, "-D", "data", "-m", "immediate", "-w", "stop")


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[str]:
    """The URL of a private MariaDB server, which speaks MySQL, without a database."""
    if not MARIADB.exists():
        pytest.skip(f"no MariaDB: there is no {MARIADB}; `make databases` installs it")
    with _private_folder("mysql") as folder:
        run, port = _as_user("mysql", folder), free_port()
        data, normal = f"--datadir={folder}/data", "--auth-root-authentication-method=normal"
        run("mariadb-install-db", "--no-defaults", data, normal, "--skip-test-db")
        address = ("--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/socket")
        options = ("--character-set-server=utf8mb4", "--innodb-flush-log-at-trx-commit=0")
        server = subprocess.Popen(
            [MARIADB, "--no-defaults", data, *address, *options],
            env=_bare(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_user("mysql"),
        )
        url = f"mysql+pymysql://root@127.0.0.1:{port}"
        try:
            until(lambda: _connects(url) or server.poll() is not None)
            assert server.poll() is None, "MariaDB ended as soon as it was started"
            yield url
        finally:
            server.kill()
            server.wait()


def _connects(url: str) -> bool:
    engine = sa.create_engine(url)
    try:
        engine.connect().close()
    except sa.exc.OperationalError:
        return False
    finally:
        engine.dispose()
    return True


@contextmanager
def _private_folder(user: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="cdp_db_"))
    folder.chmod(0o755)
    if os.getuid() == 0:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _user(name: str) -> dict[str, Any]:
    """Who a server runs as: its own user when we are root, which servers refuse to be."""
    return {"user": name, "group": name} if os.getuid() == 0 else {}


def _bare(folder: Path) -> dict[str, str]:
    """Nothing of our environment: a server could not write into a TMPDIR of ours."""
    return {"LC_ALL": "C.UTF-8", "HOME": str(folder), "PATH": os.environ["PATH"]}


def _as_user(user: str, folder: Path) -> Callable[..., None]:
    def run(*words: str) -> None:
        done = subprocess.run(
            words,
            cwd=folder,
            env=_bare(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            **_user(user),
        )
        assert done.returncode == 0, f"{words[0]}: {done.stderr}"

    return run
