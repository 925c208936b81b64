"""One line of the scorecard."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One figure: a share, a count or a correlation, or nothing and the reason in the note.

    `must_be_zero` marks a count that no release may have.
    """

    area: str
    metric: str
    value: float | None
    unit: Literal["share", "count", "correlation"] = "share"
    note: str = ""
    must_be_zero: bool = False

    @property
    def is_broken(self) -> bool:
        """Whether a count that must be 0 is not."""
        return self.must_be_zero and bool(self.value)


def share(part: float, whole: float) -> float | None:
    """The part of the whole; nothing when there is no whole."""
    return part / whole if whole else None


def not_built(area: str, metric: str, table: str) -> Row:
    """The row of a part of the platform that is not there."""
    return Row(area, metric, None, note=f"not built yet: there is no table {table}")
