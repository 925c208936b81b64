"""What each likeness is worth: a trained model, kept as JSON that a person can read."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from identity.likely.comparisons import comparisons
from settings import ForeseenError


class ModelUnreadableError(ForeseenError):
    """A model file that is not one of ours."""


@dataclass(frozen=True)
class Level:
    """How often a level is seen in pairs of one person (`m`), of two people (`u`), of one home.

    `h`, of two people of one home, is null where a home shares no such value: it equals `u`.
    """

    name: str
    m: float
    u: float
    h: float | None = None

    @property
    def weight(self) -> float:
        """The evidence for one person, in bits: negative is evidence against."""
        return math.log2(self.m / self.u)

    @property
    def home_weight(self) -> float:
        """The evidence for two people of one home against any two, in bits."""
        return math.log2(self.h / self.u) if self.h else 0.0


@dataclass(frozen=True)
class Weights:
    """One comparison's levels, by their number from 0 ('differs')."""

    kind: str
    levels: tuple[Level, ...]
    is_veto: bool = False  # whether 'differs' outweighs everything but an equal unique id

    @property
    def is_of_a_home(self) -> bool:
        """Whether people of one home share it."""
        return any(level.h for level in self.levels)


@dataclass(frozen=True)
class Frequencies:
    """How common the values of a column are; only those that several records hold are named."""

    chance: float  # that two records agree on the column by accident
    rare: float  # the share of records that hold one of the values not named
    common: Mapping[str, float] = field(default_factory=dict)

    def bits(self, share: float) -> float:
        """How much more than the average agreement an agreement on a value of this share says."""
        return math.log2(self.chance / share)


@dataclass(frozen=True)
class LinkModel:
    """Weights of every comparison, frozen term frequencies, and how they were learned."""

    fields: Mapping[str, str]
    prior: float  # the share of all pairs of records that are one person
    comparisons: Mapping[str, Weights]
    frequencies: Mapping[str, Frequencies]
    facts: Mapping[str, Any] = field(default_factory=dict)
    home_prior: float = 0.0  # the share of all pairs that are two people of one home

    @property
    def prior_weight(self) -> float:
        """The prior odds, in bits."""
        return math.log2(self.prior / (1 - self.prior))

    @property
    def home_prior_weight(self) -> float | None:
        """The odds of two people of one home before looking, in bits; None if not learned."""
        return math.log2(self.home_prior / (1 - self.home_prior)) if self.home_prior else None

    @property
    def version(self) -> str:
        """The same for models that weigh alike, whatever is told of their training."""
        weighing = {name: part for name, part in asdict(self).items() if name != "facts"}
        text = json.dumps(weighing, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def comparing(self, fields: Mapping[str, str]) -> "LinkModel":
        """The same model for records of which no more than these fields are compared."""
        kept = {name: kind for name, kind in self.fields.items() if fields.get(name) == kind}
        return replace(self, fields=kept)

    def save(self, path: Path) -> None:
        """Write the model, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(self._readable(), indent=1, ensure_ascii=False) + "\n")
        draft.replace(path)

    def _readable(self) -> dict[str, Any]:
        comparisons = {
            name: {
                "kind": weights.kind,
                "is_veto": weights.is_veto,
                "levels": [
                    {**asdict(level), "weight": round(level.weight, 3)} for level in weights.levels
                ],
            }
            for name, weights in self.comparisons.items()
        }
        return {
            "version": self.version,
            "facts": self.facts,
            "fields": dict(self.fields),
            "prior": self.prior,
            "home_prior": self.home_prior,
            "comparisons": comparisons,
            "frequencies": {name: asdict(values) for name, values in self.frequencies.items()},
        }

    @classmethod
    def load(cls, path: Path) -> "LinkModel":
        """The model in a file. Raises ModelUnreadableError."""
        try:
            return _model(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelUnreadableError(
                f"{path} is no link model ({error}). Remove it and train anew."
            ) from error


def _model(given: Mapping[str, Any]) -> LinkModel:
    """The model with the levels of today; one that it was not trained for says nothing."""
    names = {one.name: one.names for one in comparisons(given["fields"])}
    return LinkModel(
        fields=given["fields"],
        prior=given["prior"],
        home_prior=given.get("home_prior", 0.0),
        comparisons={
            name: _weights(part, names.get(name)) for name, part in given["comparisons"].items()
        },
        frequencies={name: Frequencies(**part) for name, part in given["frequencies"].items()},
        facts=given["facts"],
    )


def _weights(given: Mapping[str, Any], names: list[str] | None) -> Weights:
    levels = {
        level["name"]: Level(level["name"], level["m"], level["u"], level.get("h"))
        for level in given["levels"]
    }
    today = (levels.get(name, Level(name, 1.0, 1.0)) for name in names or levels)
    return Weights(given["kind"], tuple(today), given["is_veto"])
