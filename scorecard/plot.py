"""The trend of the scorecard as a picture."""

import io
from typing import Any

import pyarrow as pa

TRENDS = {
    ("identity", "pairwise F1"): "identity: pairs",
    ("identity", "B-cubed F1"): "identity: B-cubed",
    ("identity", "persons exactly right"): "persons exactly right",
    ("profiles", "e-mail right"): "profiles: e-mail",
    ("profiles", "address right"): "profiles: address",
}
INCHES, DOTS = (8, 4), 80  # of the picture, and its dots per inch


def plot(scores: pa.Table) -> bytes:
    """A PNG of the leading shares, one line each, over the scores that were kept."""
    from matplotlib.dates import ConciseDateFormatter
    from matplotlib.figure import Figure

    picture = Figure(figsize=INCHES, dpi=DOTS, layout="constrained")
    axes = picture.subplots()
    for (area, metric), label in TRENDS.items():
        line = [row for row in scores.to_pylist() if (row["area"], row["metric"]) == (area, metric)]
        axes.plot([r["scored_at"] for r in line], [r["value"] for r in line], "o-", label=label)
    axes.set_ylim(top=1.005)
    axes.set_ylabel("share that is right")
    dates: Any = ConciseDateFormatter  # matplotlib leaves it without types
    axes.xaxis.set_major_formatter(dates(axes.xaxis.get_major_locator()))
    picture.legend(loc="outside right upper", fontsize="small")
    return _png(picture)


def _png(picture: Any) -> bytes:
    content = io.BytesIO()
    picture.savefig(content, format="png")
    return content.getvalue()
