"""Connected components in plain SQL: min-neighbour contraction.

Every round points each node to its smallest neighbour and contracts the edges. A round that hardly
shrinks them is followed by one that walks the pointers to their roots, which bounds the rounds by
log2 of the nodes. The rounds are composed backwards in the end. Nothing depends on the order of
rows, so the result does not depend on the number of threads.
"""

from warehouse import Session

MAX_ROUNDS = 64  # contraction halves the nodes at least, so no graph needs more
SLOW = 0.7  # a round that leaves more than this share of the edges calls for pointer walking

EDGES = """
select least(a, b) as a, greatest(a, b) as b from {edges} where a <> b
"""
PARENTS = """
select node, min(parent) as parent from (
    select b as node, a as parent from components_edges
    union all
    select a as node, a as parent from components_edges
) as sides group by node
"""
CONTRACTED = """
select distinct least(x.parent, y.parent) as a, greatest(x.parent, y.parent) as b
from components_edges as edges
inner join {parents} as x on edges.a = x.node
inner join {parents} as y on edges.b = y.node
where x.parent <> y.parent
"""
COMPOSED = """
select child.node, coalesce(root.parent, child.parent) as parent
from {parents} as child left join {roots} as root on child.parent = root.node
"""
MOVING = """
select count(*) from {parents} as child
inner join {parents} as root on child.parent = root.node where root.parent <> child.parent
"""


class NotConvergedError(RuntimeError):
    """The contraction ended before the edges did: a mistake in this module."""


def components(session: Session, edges: str, into: str) -> None:
    """Hold one row per node of the edges (a, b): `node` and `component`, its smallest node."""
    session.hold("components_edges", EDGES.format(edges=edges))
    rounds = _contract(session)
    if not rounds:
        session.hold(into, "select a as node, a as component from components_edges")
        return
    for number in range(len(rounds) - 2, -1, -1):
        _replace(session, rounds[number], COMPOSED, roots=rounds[number + 1])
        session.execute(f"drop table {rounds[number + 1]}")
    session.hold(into, f"select node, parent as component from {rounds[0]}")
    session.execute(f"drop table {rounds[0]}")


def _contract(session: Session) -> list[str]:
    """The names of the tables that hold each round's parents, the edges being used up."""
    rounds: list[str] = []
    size, is_slow = _size(session), False
    while size:
        if len(rounds) == MAX_ROUNDS:
            raise NotConvergedError(f"{size} edges are left after {MAX_ROUNDS} rounds.")
        parents = f"components_round_{len(rounds)}"
        session.hold(parents, PARENTS)
        if is_slow:
            _walk_to_roots(session, parents)
        session.hold("components_contracted", CONTRACTED.format(parents=parents))
        session.execute("drop table components_edges")
        session.execute("alter table components_contracted rename to components_edges")
        rounds.append(parents)
        before, size = size, _size(session)
        is_slow = size > SLOW * before
    return rounds


def _walk_to_roots(session: Session, parents: str) -> None:
    while session.number(MOVING.format(parents=parents)):
        _replace(session, parents, COMPOSED, roots=parents)


def _replace(session: Session, parents: str, query: str, roots: str) -> None:
    session.hold("components_draft", query.format(parents=parents, roots=roots))
    session.execute(f"drop table {parents}")
    session.execute(f"alter table components_draft rename to {parents}")


def _size(session: Session) -> int:
    return session.number("select count(*) from components_edges")
