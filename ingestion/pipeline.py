"""One dlt pipeline per source, from its door to parquet files in the lake."""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.pipeline import NormalizeInfo
from dlt.destinations import filesystem
from dlt.extract.source import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

import settings
from ingestion.books import Book, books
from ingestion.instances import MissingSettingsError
from ingestion.own_columns import WrongMappingError
from ingestion.registry import sources
from settings import ForeseenError
from warehouse.lake import lake

SECRET = re.compile("(KEY|SECRET|TOKEN|PASSWORD)$")
NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


class SourceUnavailableError(ForeseenError):
    """A source could not be read; what it gave before is still in the lake."""


class LakeFullError(ForeseenError):
    """There was no room for a load; no row of it is seen before the next load completes it."""


@dataclass(frozen=True)
class LoadReport:
    """What loads of one source brought: rows by table, rows refused, and the books of both."""

    source: str
    rows: Mapping[str, int] = field(default_factory=dict)
    quarantined: int = 0
    books: tuple[Book, ...] = ()
    loads: tuple[str, ...] = ()

    @property
    def accepted(self) -> int:
        """Rows that reached the lake."""
        return sum(self.rows.values())


def load(source: str) -> LoadReport:
    """Load what is new in one source. A load that was killed before is finished first.

    Raises SourceUnavailableError, naming the setting to check, when the source cannot be read, and
    LakeFullError when the disk is full.
    """
    reports = [*finish_pending(source), _run(pipeline_for(source), source, _opened(source))]
    return _sum(source, reports)


def finish_pending(source: str) -> list[LoadReport]:
    """Finish a load that was killed before; one report, or none when there is nothing to finish."""
    pipeline = pipeline_for(source)
    _forget_unfinished_extracts(pipeline)
    _forget_finished_loads(pipeline)
    return [_run(pipeline, source, None)] if pipeline.has_pending_data else []


def run_replay(source: str, data: DltSource) -> LoadReport:
    """Load rows that the source's quarantine held."""
    return _run(pipeline_for(source), source, data)


def drop_pending(source: str) -> None:
    """Forget a load that was cut off; the next load reads the same rows again."""
    pipeline_for(source).drop_pending_packages()


def pipeline_for(source: str) -> dlt.Pipeline:
    """The pipeline of one source; nothing is opened yet."""
    return dlt.pipeline(
        pipeline_name=f"cdp_{source}",
        destination=filesystem(bucket_url=lake().as_uri()),
        dataset_name=f"raw_{source}",
        pipelines_dir=str(settings.home() / "dlt"),
    )


def _opened(source: str) -> DltSource:
    try:
        return sources()[source].open()
    except ConfigFieldMissingException as error:
        missing = [f"SOURCES__{source}__{name}".upper() for name in error.fields]
    except MissingSettingsError as error:
        missing = error.names
    except WrongMappingError as error:
        raise SourceUnavailableError(
            f"{source} could not be read: {error}. Put it right, then refresh again; what was"
            " loaded before stays."
        ) from None
    raise SourceUnavailableError(
        f"{source} could not be read: {', '.join(missing)} is not given. Give it, then refresh"
        " again; what was loaded before stays."
    )


def _forget_unfinished_extracts(pipeline: dlt.Pipeline) -> None:
    """A killed extract is never resumed, and the rows it left behind belong to people."""
    for folder in Path(pipeline.working_dir).glob("normalize/*/"):
        if folder.name != "extracted":
            shutil.rmtree(folder)


def _forget_finished_loads(pipeline: dlt.Pipeline) -> None:
    """dlt keeps a dozen files of every load; the lake says which loads there were."""
    for folder in Path(pipeline.working_dir).glob("load/loaded/*/"):
        shutil.rmtree(folder)


def _run(pipeline: dlt.Pipeline, source: str, data: object) -> LoadReport:
    try:
        info = pipeline.run(data, loader_file_format="parquet")
    except PipelineStepFailed as error:
        if any(isinstance(cause, OSError) and cause.errno in NO_ROOM for cause in _causes(error)):
            raise LakeFullError(
                f"{source} could not be loaded: no room for files under {settings.home()}. Make"
                " room, then refresh again; what was loaded before stays."
            ) from error
        if error.step == "extract":
            raise SourceUnavailableError(_advice(source, error)) from None
        raise
    trace = pipeline.last_trace
    loads = info.loads_ids if info else []
    return _report(source, trace.last_normalize_info if trace else None, loads)


def _report(source: str, info: NormalizeInfo | None, loads: list[str]) -> LoadReport:
    counts = info.row_counts if info else {}
    tables = sources()[source].tables
    return LoadReport(
        source=source,
        rows={t.name: counts[t.name] for t in tables if counts.get(t.name)},
        quarantined=counts.get("quarantine", 0),
        books=books(source, tables, loads),
        loads=tuple(loads),
    )


def _sum(source: str, reports: list[LoadReport]) -> LoadReport:
    names = {name for report in reports for name in report.rows}
    return LoadReport(
        source=source,
        rows={name: sum(r.rows.get(name, 0) for r in reports) for name in sorted(names)},
        quarantined=sum(report.quarantined for report in reports),
        books=tuple(book for report in reports for book in report.books),
        loads=tuple(load for report in reports for load in report.loads),
    )


def _advice(source: str, error: PipelineStepFailed) -> str:
    known = sources()[source]
    *_, first = (str(cause).strip() for cause in _causes(error) if str(cause).strip())
    reason = _without_secrets(first.splitlines()[0], known.setting)
    return (
        f"{source} could not be read: {reason}. Check {known.checked or known.setting} and that"
        " the system answers, then refresh again; what was loaded before stays."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what led to it, the first cause last."""
    cause: BaseException | None = error
    while cause:
        yield cause
        hidden = cause.__suppress_context__
        cause = cause.__cause__ or (None if hidden else cause.__context__)


def _without_secrets(text: str, setting: str) -> str:
    """The text without a password of the source's URLs, or a piece of it where it was cut.

    Keys, secrets and tokens that stand in settings beside it are taken out too.
    """
    prefix = setting.rpartition("__")[0] + "__"
    given = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    in_urls = [re.search(r"://[^:/]*:(.*)@", value) for value in given.values()]
    passwords = [found.group(1) for found in in_urls if found]
    keys = [value for name, value in given.items() if SECRET.search(name)]
    pieces = [piece for password in passwords for piece in re.split("[@:/?#]", password)]
    for piece in [*passwords, *map(unquote, passwords), *pieces, *keys]:
        text = text.replace(piece, "***") if piece else text
    return text
