"""Parts of the platform that are scored as soon as they are built."""

from collections.abc import Iterator

from scorecard.rows import Row, not_built
from warehouse import Session

PLANNED = (
    ("sequences", "planted rules found", "marts.product_sequences"),
    ("sequences", "false rules", "marts.product_sequences"),
    ("attribution", "distance to true effects", "marts.attribution"),
    ("lift", "effects inside the interval", "marts.campaign_lift"),
    ("lifetime value", "error after the cut-off", "ml.lifetime_values"),
    ("churn", "ranking of who left", "ml.churn_scores"),
)


def rows(session: Session) -> Iterator[Row]:
    """One row per figure to come."""
    for area, metric, table in PLANNED:
        if session.exists(table):
            yield Row(area, metric, None, note=f"{table} is there, but nothing scores it yet")
        else:
            yield not_built(area, metric, table)
