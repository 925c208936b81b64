"""Write every table of a warehouse as parquet, for Spark: `python -m tests.spark.tables`."""

import json

import settings
import warehouse
from warehouse.catalog import manifest_path


def main() -> None:
    """One file `schema.table.parquet` per source, seed and model under `tables` in the home."""
    manifest = json.loads(manifest_path().read_text())
    nodes = [*manifest["sources"].values(), *manifest["nodes"].values()]
    folder = settings.home() / "tables"
    folder.mkdir(exist_ok=True)
    with warehouse.transaction(read_only=True) as session:
        for node in nodes:
            if node["resource_type"] in ("source", "seed", "model"):
                table = f"{node['schema']}.{node['name']}"
                session.execute(f"copy (from {table}) to '{folder}/{table}.parquet'")


if __name__ == "__main__":
    settings.prepare()
    main()
