"""What a company holds after a refresh, to compare two of them."""

from pathlib import Path

import warehouse

OF_THE_MOMENT = (  # they know when, or more
    "activation.deliveries",
    "identity.customer_id_",
    "identity.identity_events",
    "identity.refreshes",
    "marts.ingestion_books",
    "profiles.profile_history",
    "profiles.profile_values__keys",
    "published.about",
    "scores.",
    "staging.stg_email__events__keys",
    "staging.stg_web__events__keys",
)
FINGERPRINT = """
select concat(count(*), ':', md5(string_agg(row_hash, '' order by row_hash)))
from (
    select md5(cast(t as varchar)) as row_hash
    from (select columns(lambda name: name not in ('loaded_at', 'known_on')) from {}) as t
)
"""


def fingerprints() -> dict[str, str]:
    """One hash per table, of its rows in any order."""
    with warehouse.transaction() as session:
        tables = [table for table in session.tables() if not table.startswith(OF_THE_MOMENT)]
        return {
            table: session.read(FINGERPRINT.format(table)).column(0)[0].as_py() for table in tables
        }


def delivered(home: Path) -> list[str]:
    """Every line that reached the destination."""
    files = (home / "delivered").rglob("*.jsonl")
    return sorted(f"{p.parent.name} {line}" for p in files for line in p.read_text().splitlines())
