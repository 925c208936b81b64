"""The asset graph as a whole: compare with the golden file, one line per asset.

After a wanted change: `.venv/bin/python -m tests.architecture.test_graph` writes the file anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import use_home

GOLDEN = Path(__file__).with_name("asset_graph.txt")


def graph() -> Any:
    """The asset graph as the UI shows it."""
    from orchestration.definitions import defs

    return defs().resolve_asset_graph()


def lines(assets: Any) -> list[str]:
    """One line per asset: its key, its group, and what it reads."""
    return [
        f"{key.to_user_string()} [{assets.get(key).group_name}] <- "
        + ", ".join(sorted(parent.to_user_string() for parent in assets.get(key).parent_keys))
        for key in sorted(assets.get_all_asset_keys())
    ]


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        use_home(tmp_path_factory.mktemp("graph"), patch)
        yield graph()


def test_the_asset_graph_is_the_golden_one(assets: Any) -> None:
    assert lines(assets) == GOLDEN.read_text().splitlines()


def test_every_asset_has_group_owner_kinds_and_description(assets: Any) -> None:
    nodes = [assets.get(key) for key in assets.materializable_asset_keys]
    bare = [
        node.key.to_user_string()
        for node in nodes
        if not (node.group_name and node.owners and node.kinds and node.description)
    ]
    assert bare == []


def test_every_check_says_what_it_checks(assets: Any) -> None:
    checks = [assets.get(key) for key in assets.asset_check_keys]
    assert [node.key.name for node in checks if not node.description] == []


def test_everything_that_opens_the_warehouse_waits_in_its_pool(assets: Any) -> None:
    free = [
        node.key.to_user_string()
        for node in (assets.get(key) for key in assets.materializable_asset_keys)
        if "warehouse" not in node.pools and not node.key.path[0].startswith("raw_")
    ]
    assert free == []


def test_the_fast_lane_builds_what_audiences_read_and_no_history(assets: Any) -> None:
    from orchestration.defs.refresh import AUDIENCES, fast_lane

    lane = {key.to_user_string() for key in fast_lane().resolve(assets)}
    loads = {key.split("/")[0] for key in lane if key.startswith("raw_")}

    assert {key.to_user_string() for key in AUDIENCES.resolve(assets)} <= lane
    assert {"marts/fct_events", "identity/identity_map", "profiles/customer_consents"} <= lane
    assert not {"customer_360/customer_360", "published/about", "lake/compaction"} & lane
    assert loads == {"raw_web"}


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(lines(graph())) + "\n")
