"""Files that a source leaves in a folder: which of them are new, and how many to read at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.request import url2pathname

import dlt
from dlt.sources.filesystem import filesystem
from fsspec import AbstractFileSystem

BATCH_BYTES = 134_217_728  # files are read together up to this size, which bounds memory


@dataclass(frozen=True)
class Drop:
    """One file, where it is, and what tells that its content changed."""

    name: str
    url: str
    size: int
    version: str
    files: AbstractFileSystem | None = None

    @property
    def path(self) -> Path:
        """Where a local file is."""
        return local_path(self.url)

    def open(self) -> BinaryIO:
        """The file, wherever it is."""
        file: BinaryIO = self.files.open(self.url, "rb") if self.files else self.path.open("rb")
        return file

    def read_bytes(self) -> bytes:
        """All of it."""
        with self.open() as file:
            return file.read()


def new_files(bucket_url: str, file_glob: str) -> Iterator[list[Path]]:
    """Paths of the local files not loaded yet, or changed since; see `new_drops`."""
    for drops in new_drops(bucket_url, file_glob):
        yield [drop.path for drop in drops]


def new_drops(
    bucket_url: str, file_glob: str, files: AbstractFileSystem | None = None
) -> Iterator[list[Drop]]:
    """The files not loaded yet, or changed since, in batches; remembered once loaded.

    The memory is dlt's resource state, so it is committed with the load: a load that is killed
    forgets, one that completes does not. Names are kept, not a newest time: files may come late.
    Raises FileNotFoundError when there is no such folder: a wrong setting is not an empty one.
    """
    if not (files.exists(_root(bucket_url)) if files else local_path(bucket_url).is_dir()):
        raise FileNotFoundError(f"there is no folder {bucket_url}")
    loaded: dict[str, str] = dlt.current.resource_state().setdefault("loaded", {})
    credentials = {"credentials": files} if files else {}
    listed = filesystem(bucket_url, file_glob=file_glob, **credentials)
    found = [_drop(file, files) for file in listed]
    fresh = [drop for drop in found if loaded.get(drop.name) != drop.version]
    yield from _batches(sorted(fresh, key=lambda drop: drop.name))
    for gone in loaded.keys() - {drop.name for drop in found}:
        del loaded[gone]
    loaded.update({drop.name: drop.version for drop in fresh})


def _root(bucket_url: str) -> str:
    """The bucket: object storage has no folders, so an empty one is like one that is not there."""
    scheme, _, rest = bucket_url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _drop(file: object, files: AbstractFileSystem | None) -> Drop:
    fields: dict[str, object] = dict(file)  # type: ignore[call-overload]
    return Drop(
        name=str(fields["relative_path"]),
        url=str(fields["file_url"]),
        size=int(str(fields["size_in_bytes"])),
        version=f"{fields['modification_date']} {fields['size_in_bytes']}",
        files=files,
    )


def local_path(url: str) -> Path:
    """The folder or file of a file:// URL or a plain path."""
    return Path(url2pathname(url.removeprefix("file://")) if url.startswith("file:") else url)


def _batches(drops: Iterable[Drop]) -> Iterator[list[Drop]]:
    batch: list[Drop] = []
    size = 0
    for drop in drops:
        if batch and size + drop.size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(drop)
        size += drop.size
    if batch:
        yield batch
