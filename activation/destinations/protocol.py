"""What every destination offers to delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from settings import ForeseenError

Person = Mapping[str, str | None]  # an operation, the customer_id, and what is told of them


class DestinationUnavailableError(ForeseenError):
    """The destination did not take a batch; it will be sent again by the next run."""


@dataclass(frozen=True)
class Batch:
    """Operations that travel together; `batch_id` is the same when the batch is sent again."""

    batch_id: str
    audience: str
    people: Sequence[Person]


class Destination(Protocol):
    """A system we write to."""

    batch_size: int

    def send(self, batch: Batch) -> dict[str, str]:
        """Deliver a batch; returns the refused customers with the destination's reason."""

    def erase(self, audience: str, person: Person) -> None:
        """Have everything forgotten that was ever sent about one person."""
