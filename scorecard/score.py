"""The scorecard: every figure, kept as a file and as rows for trends, beside the last one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

import settings
import warehouse
from scorecard import (
    attribution,
    audiences,
    identity,
    models,
    privacy,
    profiles,
    reconciliation,
    sequences,
    truth,
)
from scorecard.rows import Row
from warehouse import Session

TABLE = "scores.scores"
SCHEMA = pa.schema(
    [
        ("scored_at", pa.timestamp("us")),
        ("area", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True)
class Scorecard:
    """One score of everything."""

    scored_at: datetime
    rows: tuple[Row, ...]
    before: Mapping[tuple[str, str], float | None]  # the last score, by area and metric


def score(rehearsed: Sequence[Row] = ()) -> Scorecard:
    """Score everything there is, keep it, and return it. Raises NoTruthError.

    Rows of an erasure rehearsed elsewhere stand for those of the people erased here.
    """
    now, before = datetime.now(UTC).replace(tzinfo=None), last()
    with warehouse.transaction() as session:
        truth.register(session)
        session.register("erased_records", privacy.erased_records(session))
        erased = privacy.erasure_facts(session)
        rows = list(_rows(session))
    rows += rehearsed or privacy.erasure_rows(erased)
    card = Scorecard(now, tuple(rows), before)
    _keep(card)
    return card


def last() -> dict[tuple[str, str], float | None]:
    """The values of the newest score that was kept, by area and metric."""
    files = sorted(folder().glob("*.json"))
    rows = json.loads(files[-1].read_text())["rows"] if files else []
    return {(row["area"], row["metric"]): row["value"] for row in rows}


def folder() -> Path:
    """Where each score is kept as a file."""
    return settings.home() / "scores"


def _rows(session: Session) -> Iterator[Row]:
    yield from identity.rows(session)
    yield from profiles.rows(session)
    yield from audiences.rows(session)
    yield from sequences.rows(session)
    yield from attribution.rows(session)
    yield from models.rows(session)
    yield from reconciliation.rows(session)
    yield from privacy.rows(session, warehouse.catalog())


def _keep(card: Scorecard) -> None:
    rows = [
        {
            "scored_at": card.scored_at,
            "area": row.area,
            "metric": row.metric,
            "value": row.value,
            "detail": row.note,
        }
        for row in card.rows
    ]
    with warehouse.transaction() as session:
        session.append(TABLE, pa.Table.from_pylist(rows, SCHEMA))
        identity.remember(session)
    path = folder() / f"{card.scored_at:%Y%m%dT%H%M%S.%f}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"scored_at": card.scored_at.isoformat(), "rows": [asdict(row) for row in card.rows]}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
