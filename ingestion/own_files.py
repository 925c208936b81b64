"""Files of a company's own: CSV, JSON lines and parquet, in a folder or in object storage.

SOURCES__<NAME>__TYPE=files makes an instance of a kind, whose files are mapped by settings
(`own_columns.py`): a setting per table says by a pattern which files are its. New and changed ones
are read, each whole or not at all: one that cannot be read, or has not the columns that it must
have, goes to the quarantine as one refusal with its content.
"""

import atexit
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa
from dlt.extract.source import DltSource
from fsspec import AbstractFileSystem, asyn
from fsspec.core import url_to_fs

from ingestion.drops import Drop, new_drops
from ingestion.json_schema import literal, pointer
from ingestion.own_columns import Mapped, WrongMappingError, mapped_tables, nothing_named, resources
from ingestion.refused_files import Content, parsed_parquet
from ingestion.rest import IS_ROW, KEYS
from ingestion.sources.web import event_rows
from ingestion.whole_files import parquet_rows, text_rows
from warehouse import File, RawTable, csv_rows, reading, text_lines
from warehouse.files import Parsed

OF_STORAGE = ("access_key_id", "secret_access_key", "endpoint_url", "region")
SETTINGS = ("type", "kind", "bucket_url", *OF_STORAGE)
FORMATS = ("csv", "jsonl", "parquet")
BROKEN = f"""
    select line as payload, 'not a JSON object' as reason, origin from lines where not {IS_ROW}
"""


def opened(instance: str, tables: tuple[RawTable, ...], given: Mapping[str, str]) -> DltSource:
    """The files of each mapped table, as resources. Raises WrongMappingError."""
    mapped = _mapped(instance, tables, given)
    if not mapped:
        raise nothing_named(instance, tables)

    return resources(instance, mapped, _rows, given)


def reread(
    instance: str, tables: tuple[RawTable, ...], given: Mapping[str, str], name: str, file: File
) -> Parsed:
    """The rows of a refused file, by the mapping of now.

    Raises WrongMappingError and FilesUnreadableError.
    """
    for mapped in _mapped(instance, tables, given):
        if mapped.table.name == name:
            return _parsed(mapped, file)
    raise WrongMappingError(f"SOURCES__{instance}__{name}".upper() + " is not given")


def _mapped(instance: str, tables: tuple[RawTable, ...], given: Mapping[str, str]) -> list[Mapped]:
    mapped = list(mapped_tables(instance, tables, given, SETTINGS))
    for each in mapped:
        formats = ("jsonl",) if each.table.paths else FORMATS
        if _format(each.place) not in formats:
            setting = f"SOURCES__{instance}__{each.table.name}".upper()
            raise WrongMappingError(f"{setting} must end in .{', .'.join(formats)}")
        if each.table.paths and each.columns:
            column = next(iter(each.columns))
            raise WrongMappingError(f"{each.named(column)}: events have the shape of the SDKs")
    return mapped


def _format(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _storage(given: Mapping[str, str]) -> AbstractFileSystem | None:
    """The object storage behind the URL, or none for a local folder.

    What no setting gives, its client looks for where it always does, such as AWS_ACCESS_KEY_ID.
    """
    url = given["bucket_url"]
    if "://" not in url or url.startswith("file:"):
        return None
    told = {
        "key": given.get("access_key_id"),
        "secret": given.get("secret_access_key"),
        "endpoint_url": given.get("endpoint_url"),
        "client_kwargs": {"region_name": given["region"]} if given.get("region") else None,
    }
    options = {name: value for name, value in told.items() if value}
    atexit.register(_stop_waiting)
    files: AbstractFileSystem = url_to_fs(url, use_listings_cache=False, **options)[0]
    return files


def _stop_waiting() -> None:
    """End fsspec's thread: a process that ends under it complains of what the thread holds."""
    loop, thread = asyn.loop[0], asyn.iothread[0]
    if loop and thread and thread.is_alive():
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=1)


def _rows(mapped: Mapped, given: Mapping[str, str]) -> Iterator[object]:
    for drops in new_drops(given["bucket_url"], mapped.place, _storage(given)):
        visible = [drop for drop in drops if not drop.name.rpartition("/")[2].startswith(".")]
        if visible:
            yield from _rows_of(mapped, visible)


def _rows_of(mapped: Mapped, drops: Sequence[Drop]) -> Iterator[object]:
    """The rows of some files; events in the shape of the SDKs go the way of the collector's."""
    if mapped.table.paths:
        yield from event_rows(mapped.table, [text_lines(drop) for drop in drops])
    elif _format(mapped.place) != "parquet":
        yield from text_rows(mapped.table, drops, partial(_parsed, mapped))
    else:
        for drop in drops:
            yield from parquet_rows(mapped.table, drop, partial(_ours, mapped))


def _ours(mapped: Mapped, rows: pa.Table) -> pa.Table:
    return mapped.rows(rows, mapped.theirs(rows.column_names))


def _parsed(mapped: Mapped, file: File) -> Parsed:
    """The rows of a text file as rows of ours. Raises what `reread` raises."""
    if isinstance(file, Content) and file.path:
        parsed = parsed_parquet(file)
    else:
        parsed = csv_rows(file) if _format(file.name) == "csv" else _json_rows(mapped, file)
    rows = _with_each_name_once(parsed.rows)
    if names := rows.column_names[1:]:
        rows = mapped.rows(rows, mapped.theirs(names))
    return replace(parsed, rows=rows)


def _json_rows(mapped: Mapped, file: File) -> Parsed:
    """The fields of the objects, one a line; one that no line has is empty, unless it is a key."""
    parsed = text_lines(file)
    with reading(lines=parsed.rows) as session:
        broken = session.read(BROKEN)
        names = session.read(KEYS).column("key").to_pylist()
        if names:
            names += sorted(mapped.optional.difference(names))
        values = [f"json_extract_string(line, {literal(pointer(name))})" for name in names]
        columns = ", ".join(["origin", *values])
        rows = session.read(f"select {columns} from lines where {IS_ROW}")
    rows = rows.rename_columns(["origin", *names])
    return Parsed(rows, pa.concat_tables([parsed.refused, broken]), parsed.received)


def _with_each_name_once(rows: pa.Table) -> pa.Table:
    """The first column says where the rows came from; names that stand twice name no column."""
    times = Counter(rows.column_names)
    kept = [n for n, name in enumerate(rows.column_names) if n == 0 or times[name] == 1]
    return rows.select([n for n in kept if n == 0 or rows.column_names[n] != "origin"])
