"""Where personal data is: read from dbt's column tags and the sources' contracts, nowhere else."""

from collections.abc import Iterable

import pyarrow as pa

from warehouse import Catalog, RawTable


def inventory(catalog: Catalog, raw_tables: Iterable[RawTable]) -> pa.Table:
    """One row per column that holds personal data: table, column, kind, what erasure does."""
    modelled = [
        {"table_name": model.table, "column_name": column.name, "kind": column.pii}
        for model in catalog.models.values()
        for column in model.columns
        if column.pii
    ]
    raw = [
        {"table_name": f"{table.schema}.{table.name}", "column_name": column, "kind": kind}
        for table in raw_tables
        for column, kind in table.identifiers.items()
    ]
    actions = {f"{table.schema}.{table.name}": table.erasure for table in raw_tables}
    rows = [
        {**row, "erasure": actions.get(str(row["table_name"]), "rebuild without the person")}
        for row in modelled + raw
    ]
    schema = pa.schema(
        [(name, pa.string()) for name in ("table_name", "column_name", "kind", "erasure")]
    )
    return pa.Table.from_pylist(
        sorted(rows, key=lambda row: (str(row["table_name"]), str(row["column_name"]))), schema
    )
