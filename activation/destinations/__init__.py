"""Systems we write to: one module each, all with the same verbs.

A destination is switched on by its address, DESTINATIONS__<NAME>__URL. An address that begins with
file:// writes what would be sent to files in that folder instead, for trying out and for tests.
"""

import os

from activation.destinations.files import Files
from activation.destinations.protocol import Batch, Destination, DestinationUnavailableError, Person
from activation.destinations.webhook import Webhook
from settings import ForeseenError

__all__ = [
    "Batch",
    "Destination",
    "DestinationUnavailableError",
    "Person",
    "UnknownDestinationError",
    "destination",
]

KINDS = {"webhook": Webhook}


class UnknownDestinationError(ForeseenError):
    """An audience names a destination that there is no module for."""


def destination(name: str) -> Destination | None:
    """The destination of this name, or None when it is switched off.

    Raises UnknownDestinationError when there is no module for it.
    """
    if name not in KINDS:
        raise UnknownDestinationError(
            f"There is no destination {name}, only {', '.join(sorted(KINDS))}. Correct `syncs` in"
            " the audience's YAML, or add a module to activation/destinations/."
        )
    prefix = f"DESTINATIONS__{name.upper()}__"
    url = os.environ.get(prefix + "URL", "")
    if not url:
        return None
    if url.startswith("file://"):
        return Files(url)
    return KINDS[name](url, os.environ.get(prefix + "SECRET", ""))
