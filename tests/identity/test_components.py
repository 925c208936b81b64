"""Components found in SQL are those of the graph, whatever its shape."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from identity.components import components
from warehouse import scratch


def found(graph: pa.Table) -> dict[int, int]:
    """Each node's component."""
    with scratch(edges=graph) as session:
        components(session, "edges", "found")
        rows = session.read("select node, component from found").to_pydict()
    return dict(zip(rows["node"], rows["component"], strict=True))


def expected(graph: pa.Table) -> dict[int, int]:
    """The same by scipy, each component named by its smallest node."""
    a, b = (graph.column(name).to_numpy() for name in ("a", "b"))
    size = int(max(a.max(), b.max())) + 1
    matrix = coo_matrix((np.ones(len(a)), (a, b)), shape=(size, size))
    labels = connected_components(matrix, directed=False)[1]
    linked = a != b
    nodes = np.unique(np.concatenate([a[linked], b[linked]])).tolist()
    first: dict[int, int] = {}
    return {node: first.setdefault(labels[node], node) for node in nodes}


@pytest.mark.parametrize("edges", [1, 30, 300, 3_000])
@pytest.mark.parametrize("seed", range(3))
def test_random_graphs(edges: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = pa.table({name: rng.integers(0, 1_000, edges) for name in ("a", "b")})
    assert found(graph) == expected(graph)


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_a_long_path_is_one_component(order: str) -> None:
    nodes = np.arange(20_000)
    if order == "shuffled":
        np.random.default_rng(1).shuffle(nodes)
    assert set(found(pa.table({"a": nodes[:-1], "b": nodes[1:]})).values()) == {0}


def test_no_edges_are_no_components() -> None:
    assert found(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())})) == {}
