"""Processes in which everything is imported and dbt's project parsed: forks of one server.

Each is as alone as one that begins with nothing: its own environment and home, and it can be
killed. What begins with nothing is seen where a test runs `CDP`.
"""

import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

NOWHERE = Path(os.devnull)


def open_server() -> None:
    """Start the server of this process; what it writes is in the home of this moment."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.preloaded"])
    forkserver.ensure_running()


def start(
    function: Callable[..., None],
    *args: Any,
    env: Mapping[str, str],
    streams: tuple[Path, Path] = (NOWHERE, NOWHERE),
) -> ForkServerProcess:
    """A process at work on the function; what it prints goes into two files."""
    process = multiprocessing.get_context("forkserver").Process(
        target=_begin, args=(dict(env), streams, function, args)
    )
    process.start()
    return process


def run(
    function: Callable[..., None], *args: Any, env: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """How the function ends in a process of its own, whose streams are kept in the folder."""
    streams = folder / "stdout", folder / "stderr"
    for stream in streams:
        stream.write_text("")
    process = start(function, *args, env=env, streams=streams)
    process.join()
    said = (stream.read_text(encoding="utf-8") for stream in streams)
    return subprocess.CompletedProcess(args, process.exitcode or 0, *said)


def verb(words: Sequence[str]) -> None:
    """Be `cdp` with these words."""
    from orchestration import cli

    sys.argv = ["cdp", *words]
    cli.main()


def dbt(words: Sequence[str]) -> None:
    """Be `dbt` with these words, on the project as the server parsed it."""
    from dbt.cli.main import dbtRunner

    from orchestration.parsing import loaded_manifest

    done = dbtRunner(manifest=loaded_manifest()).invoke(list(words))
    sys.exit(not done.success)


def _begin(
    env: Mapping[str, str],
    streams: tuple[Path, Path],
    function: Callable[..., None],
    args: Sequence[Any],
) -> None:
    import settings
    from tests.preloaded import MANIFEST
    from warehouse.catalog import manifest_path

    for number, stream in enumerate(streams, start=1):
        with stream.open("ab") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(env)
    settings.prepare()
    if not manifest_path().exists():
        manifest_path().parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MANIFEST, manifest_path())
    function(*args)
