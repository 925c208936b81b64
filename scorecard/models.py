"""Parts of the platform that are scored as soon as they are built."""

from collections.abc import Iterator

from scorecard.rows import Row, not_built
from warehouse import Session

PLANNED = (
    ("lift", "effects inside the interval", "marts.campaign_lift"),
    ("lifetime value", "error after the cut-off", "ml.lifetime_values"),
    ("churn", "ranking of who left", "ml.churn_scores"),
)
EFFECTS = """
select count(*) as campaigns, min(effect) as least, max(effect) as most from truth_campaign_effects
"""


def rows(session: Session) -> Iterator[Row]:
    """One row per figure to come, and what is known of the truth of campaigns."""
    yield _campaigns(session)
    for area, metric, table in PLANNED:
        if session.exists(table):
            yield Row(area, metric, None, note=f"{table} is there, but nothing scores it yet")
        else:
            yield not_built(area, metric, table)


def _campaigns(session: Session) -> Row:
    """How many there are to be judged, and what the truth says of them."""
    found = session.read(EFFECTS).to_pylist()[0]
    note = "truly, {least:.1%} to {most:.1%} of those mailed buy because of it"
    told = note.format(**found) if found["campaigns"] else ""
    return Row("lift", "campaigns", found["campaigns"], "count", told)
