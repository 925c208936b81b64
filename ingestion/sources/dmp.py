"""Segments bought from a data management platform, dropped as one CSV file a day.

raw_dmp.segments  one row per segment of one anonymous person, known by a hashed e-mail only

Third-party data: never an identity of its own, gone from the lake after expires_on, or else 30 days
after collected_on (`cdp retention`). Needs SOURCES__DMP__BUCKET_URL: the folder of the drops,
segments_YYYY-MM-DD.csv with a header.
"""

from collections.abc import Iterator

import dlt
from dlt.extract.resource import DltResource

from ingestion.whole_files import csv_drops
from warehouse import RawTable

SEGMENTS = RawTable(
    source="dmp",
    name="segments",
    grain="One row per segment of one anonymous person and drop",
    columns={
        "dmp_id": "string",
        "email_sha256": "string",
        "segment": "string",
        "score": "double",
        "collected_on": "date",
        "expires_on": "date",
        "origin": "string",
    },
    key=("dmp_id", "segment", "collected_on"),
    identifiers={"email_sha256": "email_sha256"},
    kept_until="coalesce(expires_on, collected_on + interval '30' day)",
)
TABLES = (SEGMENTS,)


@dlt.source(name="dmp")
def dmp(bucket_url: str = dlt.config.value) -> Iterator[DltResource]:
    """The segments of one provider's folder."""
    yield dlt.resource(csv_drops, name=SEGMENTS.name, write_disposition="append")(
        SEGMENTS, bucket_url
    )
