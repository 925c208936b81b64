"""The sources, empty and switched on, and a real PostgreSQL server."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulation.server import serving
from tests.ingestion.samples import API_ROWS, CRM_TABLES, Api, Crm, Drops, Shop, all_books

SERVERS = Path("/usr/lib/postgresql")


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
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="cdp_pg_"))
    folder.chmod(0o755)
    run = _as_postgres(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        run("initdb", "-D", "data", "-A", "trust", "-U", "cdp", "--no-sync", "-E", "UTF8")
        fast = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"
        options = f"-h 127.0.0.1 -p {port} -k {folder} {fast}"
        run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")
        yield f"postgresql+psycopg://cdp:kept-secret@127.0.0.1:{port}"
        run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _as_postgres(folder: Path) -> Callable[..., None]:
    """Runs a program of the server; as user postgres when we are root, which it refuses to be."""
    found = sorted(SERVERS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, f"These tests need PostgreSQL: there is no {SERVERS}/*/bin. Run `make postgres`."
    user = "postgres" if os.getuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)

    def run(program: str, *words: str) -> None:
        done = subprocess.run(
            [found[-1].with_name(program), *words],
            cwd=folder,
            user=user,
            group=user,
            env={"LC_ALL": "C.UTF-8", "HOME": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"

    return run
