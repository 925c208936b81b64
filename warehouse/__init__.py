"""The one door between Python and the database: Arrow in and out, connections always closed."""

from warehouse.catalog import Catalog, Column, Model, catalog
from warehouse.files import File, FilesUnreadableError, csv_rows, reading, scratch, text_lines
from warehouse.functions import content_number, function, key_number
from warehouse.lake import RawTable, lake_rows, register_lake, rewrite_rows
from warehouse.session import (
    NothingThereError,
    QueryError,
    Session,
    WarehouseBusyError,
    append,
    ask,
    compact,
    exists,
    export,
    path,
    read,
    replace,
    tables,
    texts,
    transaction,
    trial,
)
from warehouse.small_files import Compacted, compact_lake

__all__ = [
    "Catalog",
    "Column",
    "Compacted",
    "File",
    "FilesUnreadableError",
    "Model",
    "NothingThereError",
    "QueryError",
    "RawTable",
    "Session",
    "WarehouseBusyError",
    "append",
    "ask",
    "catalog",
    "compact",
    "compact_lake",
    "content_number",
    "csv_rows",
    "exists",
    "export",
    "function",
    "key_number",
    "lake_rows",
    "path",
    "read",
    "reading",
    "register_lake",
    "replace",
    "rewrite_rows",
    "scratch",
    "tables",
    "text_lines",
    "texts",
    "transaction",
    "trial",
]
