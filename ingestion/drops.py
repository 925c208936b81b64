"""Files that a source leaves in a folder: which of them are new, and how many to read at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import url2pathname

import dlt
from dlt.sources.filesystem import filesystem

BATCH_BYTES = 134_217_728  # files are read together up to this size, which bounds memory


@dataclass(frozen=True)
class Drop:
    """One file, and what tells that its content changed."""

    name: str
    path: Path
    size: int
    version: str


def new_files(bucket_url: str, file_glob: str) -> Iterator[list[Path]]:
    """Paths of the files not loaded yet, or changed since, in batches; remembered once loaded.

    The memory is dlt's resource state, so it is committed with the load: a load that is killed
    forgets, one that completes does not. Names are kept, not a newest time: files may come late.
    Raises FileNotFoundError when there is no such folder: a wrong setting is not an empty one.
    """
    if not local_path(bucket_url).is_dir():
        raise FileNotFoundError(f"there is no folder {bucket_url}")
    loaded: dict[str, str] = dlt.current.resource_state().setdefault("loaded", {})
    found = [_drop(file) for file in filesystem(bucket_url, file_glob=file_glob)]
    fresh = [drop for drop in found if loaded.get(drop.name) != drop.version]
    yield from _batches(sorted(fresh, key=lambda drop: drop.name))
    for gone in loaded.keys() - {drop.name for drop in found}:
        del loaded[gone]
    loaded.update({drop.name: drop.version for drop in fresh})


def _drop(file: object) -> Drop:
    fields: dict[str, object] = dict(file)  # type: ignore[call-overload]
    return Drop(
        name=str(fields["relative_path"]),
        path=local_path(str(fields["file_url"])),
        size=int(str(fields["size_in_bytes"])),
        version=f"{fields['modification_date']} {fields['size_in_bytes']}",
    )


def local_path(url: str) -> Path:
    """The folder or file of a file:// URL or a plain path."""
    return Path(url2pathname(url.removeprefix("file://")) if url.startswith("file:") else url)


def _batches(drops: Iterable[Drop]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    size = 0
    for drop in drops:
        if batch and size + drop.size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(drop.path)
        size += drop.size
    if batch:
        yield batch
