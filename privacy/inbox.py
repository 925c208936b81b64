"""Files that wait in the inbox, or were loaded from it: taking one person out of them."""

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import settings
from ingestion.collector import segments
from ingestion.drops import local_path
from ingestion.registry import SOURCES
from privacy.person import Person

PERSONAL = {  # field in an inbox file: the type of identifier it holds
    "loyalty_number": "loyalty_number",
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "email": "email",
    "email_sha256": "email_sha256",
}


def forget(person: Person) -> int:
    """Drop the person's events and empty their card numbers; returns the files rewritten.

    A file keeps its modification time and its size, so that it does not count as new: what is cut
    out is made up for by empty lines at its end, which no reader takes for a row. A segment that a
    collector is writing is closed first: rewriting it under the collector would lose what follows.
    """
    for folder in _folders():
        segments.close_all(folder)
    return sum(_forget(path, person) for path in _files())


def _files() -> list[Path]:
    found = {path for folder in _folders() for path in folder.rglob("*")}
    return sorted(path for path in found if path.suffix in (".jsonl", ".csv"))


def _folders() -> list[Path]:
    """The inbox, and the collector's where that is another folder."""
    url = os.environ.get(SOURCES["web"].setting, "")
    return [settings.home() / "inbox", *([local_path(url)] if url else [])]


def _forget(path: Path, person: Person) -> bool:
    before = path.read_bytes()
    if not any(value.encode() in before.lower() for _, value in person.pointers):
        return False
    text = before.decode("utf-8", errors="surrogateescape")
    kept = _events(text, person) if path.suffix == ".jsonl" else _receipts(text, person)
    after = "".join(kept).encode("utf-8", errors="surrogateescape")
    if after == before:
        return False
    after += b"\n" * (len(before) - len(after))
    times = path.stat()
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(after)
    os.utime(draft, ns=(times.st_atime_ns, times.st_mtime_ns))
    draft.replace(path)
    return True


def _events(text: str, person: Person) -> Iterator[str]:
    return (line for line in text.splitlines(keepends=True) if not _names(line, person))


def _names(line: str, person: Person) -> bool:
    """Whether an event is about the person; a line that is no JSON is searched as text."""
    try:
        event = json.loads(line)
        if isinstance(event, list):  # refused by the collector: reason and payload
            event = json.loads(event[1])
        shared = (event.get("context") or {}).get("traits") or {}
        fields = {**shared, **(event.get("traits") or {}), **event}
    except (ValueError, AttributeError, TypeError, IndexError):
        return any(len(value) > 5 and value in line.lower() for _, value in person.identifiers)  # noqa: PLR2004
    return any(
        str(fields.get(name, "")).strip().lower() in person.values([kind])
        for name, kind in PERSONAL.items()
    )


def _receipts(text: str, person: Person) -> Iterator[str]:
    header, _, body = text.partition("\n")
    names = next(csv.reader([header]), [])
    columns = {i: PERSONAL[name] for i, name in enumerate(names) if name in PERSONAL}
    yield header + "\n"
    for line in body.splitlines(keepends=True):
        yield _without_person(line, columns, person)


def _without_person(line: str, columns: dict[int, str], person: Person) -> str:
    cells = next(csv.reader([line]), [])
    named = [
        i
        for i, kind in columns.items()
        if i < len(cells) and cells[i].strip().lower() in person.values([kind])
    ]
    if not named:
        return line
    out = io.StringIO()
    emptied = ["" if i in named else cell for i, cell in enumerate(cells)]
    csv.writer(out, lineterminator="\n").writerow(emptied)
    return out.getvalue()
