"""Connected components: ours in SQL against Splink's and scipy's, each in a process of its own.

`python -m benchmarks.components` prints CPU seconds, peak memory and their ratios for graphs of
one and ten million edges and for a path of 100,000 nodes, which takes Splink minutes and is left
out; `--large` adds thirty million edges. Memory is what the edges need not, CPU without imports.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

MILLION = 1_000_000
PATH = 100_000  # nodes in one row: the worst case of whoever walks neighbour by neighbour


def edges(size: int) -> pa.Table:
    """People of 2 to 20 records each, every tenth a chain, under random 62-bit numbers."""
    rng = np.random.default_rng(7)
    if size == PATH:
        return pa.table({"a": np.arange(PATH - 1), "b": np.arange(1, PATH)})
    records = rng.integers(2, 21, size // 10 + 1)
    first = np.repeat(np.cumsum(records) - records, records)
    place = np.arange(len(first)) - first
    is_chain = np.repeat(rng.random(len(records)) < 0.1, records)
    before = np.where(is_chain, place - 1, (rng.random(len(first)) * place).astype(np.int64))
    names = rng.integers(0, 2**62, len(first))
    linked = np.flatnonzero(place > 0)[:size]
    return pa.table({"a": names[linked], "b": names[first[linked] + before[linked]]})


def ours(graph: pa.Table) -> int:
    """How many components the SQL finds."""
    from identity.components import components
    from warehouse import scratch

    with scratch(edges=graph) as session:
        components(session, "edges", "found")
        return session.number("select count(distinct component) from found")


def scipys(graph: pa.Table) -> int:
    """How many components scipy finds, nodes numbered by numpy."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = (graph.column(name).to_numpy() for name in ("a", "b"))
    nodes, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    one, other = places[: len(a)], places[len(a) :]
    ones = np.ones(len(a), np.int8)
    matrix = coo_matrix((ones, (one, other)), shape=(len(nodes), len(nodes)))
    return int(connected_components(matrix, directed=False)[0])


def splinks(graph: pa.Table) -> int:
    """How many components Splink finds with the nodes given, as it wants them."""
    import duckdb
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    connection.register("graph", graph)
    connection.execute("create table edges as select a as node_l, b as node_r from graph")
    connection.execute(
        "create table nodes as select node_l as node from edges union select node_r from edges"
    )
    database = DuckDBAPI(connection)
    found = cluster_pairwise_predictions_at_threshold(
        database.register("nodes"),
        database.register("edges"),
        node_id_column_name="node",
        edge_id_column_name_left="node_l",
        edge_id_column_name_right="node_r",
        db_api=database,
    )
    counted = f"select count(distinct cluster_id) from {found.physical_name}"
    return int(connection.execute(counted).fetchall()[0][0])


WAYS: dict[str, Callable[[pa.Table], int]] = {"ours": ours, "Splink": splinks, "scipy": scipys}


def main() -> None:
    """Measure every graph in every way, and print the ratios."""
    sizes = [PATH, MILLION, 10 * MILLION] + [30 * MILLION] * ("--large" in sys.argv)
    table = Table("edges", "way", "CPU s", "MB", "ours to it: CPU", "MB")
    for size in sizes:
        mine = _measured("ours", size)
        others = ["scipy"] if size == PATH or not find_spec("splink") else ["Splink", "scipy"]
        table.add_row(f"{size:,}" + (" (path)" if size == PATH else ""), "ours", *_shown(mine))
        for way in others:
            found = _measured(way, size)
            assert found.components == mine.components
            ratios = (mine.cpu / found.cpu, mine.memory / found.memory)
            table.add_row("", way, *_shown(found), *(f"{ratio:.2f}" for ratio in ratios))
    Console(width=100).print(table)


@dataclass(frozen=True)
class Measured:
    """What one way found and took: CPU seconds, and megabytes above those of the edges."""

    components: int
    cpu: float
    memory: float


def _shown(found: Measured) -> tuple[str, str]:
    return f"{found.cpu:.1f}", f"{found.memory:,.0f}"


def _measured(way: str, size: int) -> Measured:
    """One way on one graph."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.components", way, str(size)],
        capture_output=True,
        text=True,
        check=True,
    )
    found, cpu, memory = done.stdout.splitlines()[-1].split()
    return Measured(int(found), float(cpu), float(memory))


def _one(way: str, size: int) -> None:
    graph = edges(size)
    before, began = _megabytes(), time.process_time()
    found = WAYS[way](graph)
    cpu = time.process_time() - began
    sys.stdout.write(f"\n{found} {cpu} {_megabytes() - before}\n")


def _megabytes() -> float:
    """The most this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in WAYS:
        _one(sys.argv[1], int(sys.argv[2]))
    else:
        main()
