"""Connected components: ours in SQL against scipy's, each in a process of its own.

`python -m benchmarks.components` prints CPU seconds, peak memory and their ratios for graphs of
one and ten million edges and for a path of 100,000 nodes; `--large` adds thirty million edges.
"""

import resource
import subprocess
import sys
import time

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


def main() -> None:
    """Measure every graph with both, and print the ratios."""
    sizes = [PATH, MILLION, 10 * MILLION] + [30 * MILLION] * ("--large" in sys.argv)
    table = Table("edges", "CPU s", "scipy CPU s", "ratio", "MB", "scipy MB", "ratio")
    for size in sizes:
        found, cpu, memory = _measured("ours", size)
        expected, scipy_cpu, scipy_memory = _measured("scipys", size)
        assert found == expected
        table.add_row(
            f"{size:,}" + (" (path)" if size == PATH else ""),
            f"{cpu:.1f}",
            f"{scipy_cpu:.1f}",
            f"{cpu / scipy_cpu:.2f}",
            f"{memory:.0f}",
            f"{scipy_memory:.0f}",
            f"{memory / scipy_memory:.2f}",
        )
    Console(width=100).print(table)


def _measured(way: str, size: int) -> tuple[int, float, float]:
    """Components, CPU seconds and peak megabytes of one way on one graph."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.components", way, str(size)],
        capture_output=True,
        text=True,
        check=True,
    )
    found, cpu, memory = done.stdout.split()
    return int(found), float(cpu), float(memory)


def _one(way: str, size: int) -> None:
    graph = edges(size)
    began = time.process_time()
    found = {"ours": ours, "scipys": scipys}[way](graph)
    cpu = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{found} {cpu} {memory}\n")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ("ours", "scipys"):
        _one(sys.argv[1], int(sys.argv[2]))
    else:
        main()
