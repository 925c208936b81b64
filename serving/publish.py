"""The published copies: what BI tools read while the warehouse is being rebuilt.

`insights` is for everyone and holds no column tagged as personal data. `contacts` holds
everything that is public, for those who may see who a customer is. Each is one file that appears
by rename after all blocking checks, so a reader sees one refresh or another, never a mixture, a
lock or a failed one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

import settings
import warehouse
from warehouse import Catalog

EDITIONS = {"insights": 0o644, "contacts": 0o600}  # edition: file mode


@dataclass(frozen=True)
class Published:
    """One published file and how many tables it holds."""

    edition: str
    path: Path
    tables: int


def path_of(edition: str) -> Path:
    """Where the copy for these readers is."""
    return settings.home() / "serving" / f"{edition}.duckdb"


def publish(catalog: Catalog) -> list[Published]:
    """Write both editions and put them in the place of the last ones."""
    now = datetime.now(UTC).replace(tzinfo=None)
    warehouse.replace("published.about", pa.table({"published_at": [now]}))
    insights = _publish(catalog, "insights")
    return [insights, _publish(catalog, "contacts", base=insights.path)]


def selections(catalog: Catalog, edition: str) -> Mapping[str, list[str]]:
    """The tables and columns that an edition shows."""
    shown = {
        model.table: [
            column.name for column in model.columns if edition == "contacts" or not column.pii
        ]
        for model in catalog.public()
        if edition == "contacts" or model.meta.get("edition") != "contacts"
    }
    return {**shown, "published.about": ["published_at"]}


def _publish(catalog: Catalog, edition: str, base: Path | None = None) -> Published:
    shown = selections(catalog, edition)
    warehouse.export(shown, path_of(edition), mode=EDITIONS[edition], base=base)
    return Published(edition=edition, path=path_of(edition), tables=len(shown))
