"""Training the link model anew, with a look at whom it would rename before it is put in use."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import warehouse
from identity import linking
from identity.approval import MOST_MOVED, approve_in
from identity.changes import hold_incoming, hold_rules
from identity.holdout import Estimate, estimates
from identity.likely import LinkModel
from identity.refresh import IDENTIFIERS, RECORDS, refresh_in
from identity.rules import Rules, read_rules
from identity.state import make_ledgers
from settings import ForeseenError
from warehouse import Session


@dataclass(frozen=True)
class Retraining:
    """What a new model is, how right it seems, and how many records get another customer id."""

    version: str
    facts: Mapping[str, Any]  # what it was learned from
    estimates: tuple[Estimate, ...]
    records: int
    moved_records: int
    created: int
    merged: int
    split: int

    @property
    def moved(self) -> float:
        """The share of records that get another customer id."""
        return self.moved_records / max(self.records, 1)


class TooManyMovedError(ForeseenError):
    """A new model would rename too many customers; `retraining` says what it is."""

    def __init__(self, retraining: Retraining) -> None:
        super().__init__(
            f"The new model would give {retraining.moved_records:,} of"
            f" {retraining.records:,} records ({retraining.moved:.1%}) another customer id;"
            f" {MOST_MOVED:.0%} are allowed without approval. Look at `cdp identity plan"
            " --retrained`, then approve with `cdp identity retrain --allow-moves`."
        )
        self.retraining = retraining


def retrain(*, is_approved: bool = False) -> Retraining:
    """Put a model in use that is learned from the records as they are, and resolve everything.

    Raises TooManyMovedError, and keeps nothing, when more than MOST_MOVED of the records would
    get another customer id and nobody approved that.
    """
    with warehouse.transaction() as session:
        model, retraining = _resolved(session)
        if retraining.moved > MOST_MOVED and not is_approved:
            raise TooManyMovedError(retraining)
        if is_approved:
            number = session.number("select max(refresh) from identity.refreshes")
            approve_in(session, number, reason="retrained with --allow-moves", actor="cdp")
        model.save(linking.path())
    return retraining


def learned(session: Session, rules: Rules) -> tuple[LinkModel, list[Estimate]]:
    """A model of the records as they are, and how accurate it seems; its facts tell that too."""
    compared = linking.Compared(RECORDS, IDENTIFIERS, linking.unique_types(rules))
    make_ledgers(session)
    hold_rules(session, rules)
    hold_incoming(session, RECORDS, IDENTIFIERS)
    model = linking.learn(session, compared)
    found = estimates(session, rules, model)
    facts = {**model.facts, "estimates": [asdict(one) for one in found]}
    return replace(model, facts=facts), found


def _resolved(session: Session) -> tuple[LinkModel, Retraining]:
    rules = read_rules(session)
    model, found = learned(session, rules)
    compared = linking.Compared(RECORDS, IDENTIFIERS, linking.unique_types(rules))
    report = refresh_in(session, rules, linking.LikelyLinks(compared, model), is_full=True)
    return model, Retraining(
        version=model.version,
        facts=model.facts,
        estimates=tuple(found),
        records=report.records,
        moved_records=report.moved_records,
        created=report.created,
        merged=report.merged,
        split=report.split,
    )
