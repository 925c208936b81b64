"""Reading back every file we wrote, to show that a person is in none of them.

Files are read as bytes and, where their format hides text, decoded: parquet, DuckDB and SQLite
cell by cell, gzip and zlib unpacked. Identifiers too short to be unique as bytes (an account
number) are looked for as whole cells of the tables' own identifier columns. What is only a part of
somebody else's identifier (cole@x.org of nicole@x.org) names nobody.
"""

import base64
import gzip
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

import settings
import warehouse
from warehouse import texts

OUTSIDE = ("company", "truth")  # the demo's other systems and its answers: not ours to erase
SHORTEST = 6  # characters; a shorter value occurs by chance in bytes
IDENTIFIERS = "identity.int_identity__identifiers"
LONGER = f"""
select distinct identifier_value as value from {IDENTIFIERS}
where contains(identifier_value, ?)
"""
JOURNAL = Path("privacy") / "pending"  # who is being erased: removed when nothing else is left


@dataclass(frozen=True)
class Hit:
    """A file that still names the person, and how."""

    path: str
    found: str


def scan(values: Iterable[str]) -> list[Hit]:
    """Every place under CDP_HOME where one of these values is left, in any usual spelling."""
    wanted = set(values)
    needles, others = _needles(wanted), _needles(_longer(wanted))
    return [
        Hit(path=str(path.relative_to(settings.home())), found=found)
        for path in files()
        for found in sorted(_told(path, needles, others))
    ]


def may_name(path: Path, values: Iterable[str]) -> bool:
    """Whether a file names one of these, or cannot be read, so that nobody can tell."""
    wanted = set(values)
    return bool(_told(path, _needles(wanted), _needles(_longer(wanted))))


def files() -> list[Path]:
    """Every file that a run wrote."""
    home = settings.home()
    ours = (path for path in home.rglob("*") if path.relative_to(home).parts[0] not in OUTSIDE)
    return sorted(path for path in ours if path.is_file() and path.parent != home / JOURNAL)


def _longer(values: set[str]) -> set[str]:
    """Identifiers of others that contain one of these values."""
    with warehouse.transaction() as session:
        if not session.exists(IDENTIFIERS):
            return set()
        columns = [session.read(LONGER, [value]).column("value") for value in values]
    return {value for column in columns for value in column.to_pylist()} - values


def _needles(values: Iterable[str]) -> dict[bytes, str]:
    """Spellings to look for, each with the name it is reported under: never the value itself."""
    needles: dict[bytes, str] = {}
    for value in values:
        if len(value) >= SHORTEST:
            name = f"value {hashlib.sha256(value.encode()).hexdigest()[:8]}"
            for spelling in _spellings(value):
                needles[spelling.lower()] = name
    return needles


def _spellings(value: str) -> Iterator[bytes]:
    for text in {value, quote(value), json.dumps(value)[1:-1]}:
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-32-le")
    for digest in (hashlib.sha256, hashlib.md5, hashlib.sha1):
        yield digest(value.encode()).hexdigest().encode()
    yield base64.b64encode(value.encode()).rstrip(b"=")[:-1]


def _told(path: Path, needles: dict[bytes, str], others: Iterable[bytes]) -> set[str]:
    try:
        return _found(path, needles, others)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # the disk is broken, not the file
            raise
        return {"it cannot be read"}


def _found(path: Path, needles: dict[bytes, str], others: Iterable[bytes]) -> set[str]:
    found: set[str] = set()
    for content in _contents(path):
        text = content.lower()
        for other in others:
            text = text.replace(other, b"\0")
        found |= {name for needle, name in needles.items() if needle in text}
    return found | {
        name for needle, name in needles.items() if needle in str(path).lower().encode()
    }


def _contents(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    yield raw
    if path.suffix == ".parquet":
        yield from _parquet(path)
    elif path.suffix == ".duckdb":
        yield from (column.encode() for column in texts(path))
    elif raw.startswith(b"SQLite format 3"):
        yield from _sqlite(path)
    elif raw.startswith(b"\x1f\x8b"):
        yield gzip.decompress(raw)
    elif path.suffix in (".json", ".jsonl"):
        yield from _packed(raw)


def _parquet(path: Path) -> Iterator[bytes]:
    for batch in pq.ParquetFile(path).iter_batches():
        for column in batch.columns:
            yield "\n".join(str(value) for value in column.unique().to_pylist()).encode()


def _sqlite(path: Path) -> Iterator[bytes]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        connection.text_factory = lambda value: value.decode(errors="replace")
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'select * from "{table}"'):
                for cell in row:
                    yield cell if isinstance(cell, bytes) else str(cell).encode()


def _packed(raw: bytes) -> Iterator[bytes]:
    """What dlt keeps as base64 of zlib in its state files."""
    for line in raw.splitlines():
        try:
            state = json.loads(line).get("state", "")
            yield zlib.decompress(base64.b64decode(state, validate=True))
        except (ValueError, AttributeError, TypeError, zlib.error):
            continue
