"""Files that were refused whole: kept, so that none disappears and each can be replayed.

A text of up to 32 MB stands in the quarantine itself. What is larger, and parquet, is copied beside
it, to lake/refused_files/<source>/ under the SHA-256 of its content, which the refusal names.
It stays as long as a refusal names it: an erasure, or the end of a retention, takes both.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.contracts import NOT_TEXT, Kept, by_encoding
from ingestion.drops import Drop
from warehouse import FilesUnreadableError, RawTable, reading
from warehouse.files import REFUSED, Parsed
from warehouse.lake import lake, quarantine_of

FOLDER = "refused_files"
MOST_KEPT = 33_554_432  # bytes of a text that the quarantine itself keeps
SAMPLE = 2_000  # bytes that it shows of a larger one
BLOCK_BYTES = 1_048_576
PARQUET = "parquet"
AS_REFUSED = """
    select cast(to_json(rows) as varchar) as payload, $1 as reason, $2 as origin from rows
"""


@dataclass(frozen=True)
class Content:
    """The content of a refused file, under a name that tells its format.

    `is_salvaged` says that the row groups of a damaged parquet file come in that can be read.
    """

    name: str
    text: str = ""
    path: Path | None = None
    is_salvaged: bool = False

    def read_bytes(self) -> bytes:
        """All of it."""
        return self.path.read_bytes() if self.path else self.text.encode()


def kept(table: RawTable, file: Path | Drop, format: str) -> Kept:
    """The content of a file that is refused, or the name of a copy that is on disk."""
    if format == PARQUET:
        return Kept("", format, _copied(table.source, file, format))
    with opened(file) as content:
        raw = content.read(MOST_KEPT + 1)
    is_whole = len(raw) <= MOST_KEPT
    text = (raw if is_whole else raw[:SAMPLE]).decode(errors="backslashreplace").strip()
    return Kept(text, format, None if is_whole else _copied(table.source, file, format))


def folder_of(source: str) -> Path:
    """Where the copies of a source's refused files are."""
    return lake() / FOLDER / source


def named(source: str) -> set[str]:
    """The copies that refusals name, those of loads that are not complete among them."""
    names: set[str] = set()
    for path in quarantine_of(source).folder.glob("*.parquet"):
        file = pq.ParquetFile(path)
        if "kept_file" in file.schema_arrow.names:
            names.update(file.read(columns=["kept_file"]).column("kept_file").to_pylist())
    return names - {None, ""}


def forget(source: str, names: Iterable[str]) -> int:
    """Delete copies; returns how many there were."""
    found = [path for name in names if (path := folder_of(source) / name).exists()]
    for path in found:
        path.unlink()
    return len(found)


def parsed_parquet(file: Content) -> Parsed:
    """The rows of a refused parquet file; a row group that cannot be read is one refusal.

    Raises FilesUnreadableError when nothing can be read, or not all of it and it is not salvaged.
    """
    try:
        parquet = pq.ParquetFile(file.path)
    except (pa.ArrowException, OSError) as error:
        raise FilesUnreadableError(f"not a readable parquet file: {error}") from error
    groups, broken = [], []
    for number in range(parquet.num_row_groups):
        try:
            groups.append(parquet.read_row_group(number))
        except (pa.ArrowException, OSError) as error:
            rows = parquet.metadata.row_group(number).num_rows
            broken.append(f"row group {number + 1} with {rows} rows cannot be read: {error}")
    if broken and not (file.is_salvaged and groups):
        raise FilesUnreadableError(broken[0])
    return _sound(file.name, pa.concat_tables(groups), broken)


def _sound(origin: str, given: pa.Table, broken: list[str]) -> Parsed:
    """Rows of text that can be stored, and apart what cannot, and the row groups that are lost."""
    rows, *wrong = by_encoding(given)
    lost = [{"payload": "", "reason": reason, "origin": origin} for reason in broken]
    refused = [pa.Table.from_pylist(lost, REFUSED)]
    for each in wrong:
        with reading(rows=each) as session:
            refused.append(session.read(AS_REFUSED, [NOT_TEXT, origin]).cast(REFUSED))
    if "origin" in rows.column_names:
        rows = rows.drop_columns("origin")
    rows = rows.add_column(0, "origin", pa.repeat(origin, rows.num_rows))
    return Parsed(rows, pa.concat_tables(refused), given.num_rows + len(broken))


def _copied(source: str, file: Path | Drop, format: str) -> str:
    """The name of a copy, which appears whole, by rename; a content is kept once."""
    folder = folder_of(source)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / ".draft"
    digest = hashlib.sha256()
    with opened(file) as content, draft.open("wb") as copy:
        while block := content.read(BLOCK_BYTES):
            digest.update(block)
            copy.write(block)
    name = f"{digest.hexdigest()}.{format}"
    draft.replace(folder / name)
    return name


def opened(file: Path | Drop) -> BinaryIO:
    """The file, wherever it is."""
    return file.open("rb") if isinstance(file, Path) else file.open()
