"""What a dbt build in this process leaves open."""

import subprocess
import sys
from pathlib import Path

import dagster as dg

import warehouse
from orchestration.run import refresh

OPEN = "import duckdb, sys; duckdb.connect(sys.argv[1])"


def test_dbt_lets_go_of_the_warehouse_after_a_build(home: Path) -> None:
    seed = dg.AssetSelection.assets(["rules", "rfm_segments"])

    done = refresh(lambda *_: None, seed)

    other = subprocess.run([sys.executable, "-c", OPEN, warehouse.path()], check=False)
    assert (done.succeeded, other.returncode) == (True, 0)
    assert warehouse.read("rules.rfm_segments").num_rows > 0
