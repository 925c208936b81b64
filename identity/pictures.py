"""Evidence and customers as pictures: bars of text for the terminal, and drawn ones."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from identity.why import Answer, Link
from settings import ForeseenError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 24  # of a waterfall in the terminal
INCHES, DOTS = (8, 4), 80  # of a picture, and its dots per inch
FOR, AGAINST, SUM = "#2a7f62", "#b5483a", "#444444"
FORMATS = (".png", ".svg")
LONGEST_LABEL, LONGEST_TITLE = 60, 110  # signs


class PictureError(ForeseenError):
    """A picture in a format that we do not draw, or where nothing can be written."""


def spans(weights: Sequence[float]) -> list[tuple[float, float]]:
    """From where to where each bar of a waterfall goes; the last one is the sum."""
    ends, total = [], 0.0
    for weight in weights:
        ends.append((total, total + weight))
        total += weight
    return [*ends, (0.0, total)]


def bars(weights: Sequence[float]) -> list[str]:
    """One line of text per bar of the waterfall, the sum last: ▓ speaks for, ░ against."""
    found = spans(weights)
    low = min(min(pair) for pair in found)
    high = max(max(pair) for pair in found)
    scale = (COLUMNS - 1) / max(high - low, 1e-9)
    return [_bar(round((a - low) * scale), round((b - low) * scale)) for a, b in found]


def _bar(start: int, end: int) -> str:
    sign = "▓" if end >= start else "░"
    return (" " * min(start, end) + sign * max(abs(end - start), 1)).ljust(COLUMNS)


def save_waterfalls(answer: Answer, path: Path) -> None:
    """Draw every link of the answer as a waterfall, one under the other, as PNG or SVG.

    Raises PictureError.
    """
    from matplotlib.figure import Figure

    links = answer.links or (Link(answer.a, answer.b),)
    height = sum(0.3 * len(link.told) + 1.3 for link in links)
    picture = Figure(figsize=(9, height), dpi=DOTS, layout="constrained")
    ratios = [len(link.told) + 2 for link in links]
    plots = picture.subplots(len(links), 1, squeeze=False, height_ratios=ratios)
    for axes, link in zip(plots[:, 0], links, strict=True):
        _draw(axes, link)
    _save(picture, path)


def save_sizes(sizes: pa.Table, path: Path) -> None:
    """Draw how many customers have how many records, as PNG or SVG. Raises PictureError."""
    _save(_sizes(sizes), path)


def sizes_plot(sizes: pa.Table) -> bytes:
    """A PNG: how many customers have how many records, from a report's sizes."""
    content = io.BytesIO()
    _sizes(sizes).savefig(content, format="png")
    return content.getvalue()


def _draw(axes: Any, link: Link) -> None:
    weights = [part.weight for part in link.told]
    labels = [_short(f"{part.what} ({part.finding})", LONGEST_LABEL) for part in link.told]
    found = spans(weights)
    colours = [FOR if weight >= 0 else AGAINST for weight in weights] + [SUM]
    bars = axes.barh(
        range(len(found)), [b - a for a, b in found], left=[a for a, _ in found], color=colours
    )
    axes.bar_label(bars, [f"{b - a:+.1f}" for a, b in found], padding=2, fontsize="small")
    axes.use_sticky_edges = False
    axes.margins(x=0.1)
    axes.set_yticks(range(len(found)), [*labels, "sum"], fontsize="small", parse_math=False)
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("bits for one person")
    decided = f"; decision: {link.decision}" if link.decision else ""
    title = _short(f"{link.a} and {link.b}{decided}", LONGEST_TITLE)
    axes.set_title(title, fontsize="small", parse_math=False)


def _short(text: str, most: int) -> str:
    """The text in one line that a picture can show; the rest is told in the terminal."""
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _save(picture: "Figure", path: Path) -> None:
    if path.suffix.lower() not in FORMATS:
        raise PictureError(f"{path}: name the picture .png or .svg.")
    from matplotlib import rc_context

    # A script that our font lacks is boxes in a PNG; in an SVG it is text, for who has the font.
    with warnings.catch_warnings(), rc_context({"svg.fonttype": "none"}):
        warnings.filterwarnings("ignore", "Glyph .* missing")
        try:
            picture.savefig(path)
        except OSError as error:
            raise PictureError(f"{path} cannot be written: {error.strerror}.") from error


def _sizes(sizes: pa.Table) -> "Figure":
    from matplotlib.figure import Figure

    picture = Figure(figsize=INCHES, dpi=DOTS, layout="constrained")
    axes = picture.subplots()
    axes.bar(*(sizes.column(name).to_pylist() for name in ("records", "customers")), color=FOR)
    axes.set_yscale("log")
    axes.set_xlabel("records of a customer")
    axes.set_ylabel("customers")
    return picture
