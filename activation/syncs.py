"""What shall be delivered: each audience with its destinations, as dbt's YAML declares them."""

from dataclasses import dataclass

from warehouse import Catalog

PREFIX = "aud_"


@dataclass(frozen=True)
class Sync:
    """One audience kept equal in one destination."""

    audience: str
    destination: str
    channel: str

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.audience} to {self.destination}"


def audiences(catalog: Catalog) -> list[str]:
    """The names of all audiences, delivered somewhere or not."""
    return sorted(
        model.name.removeprefix(PREFIX)
        for model in catalog.models.values()
        if "audience" in model.meta
    )


def syncs(catalog: Catalog) -> list[Sync]:
    """Every sync, in a fixed order."""
    return [
        Sync(
            audience=model.name.removeprefix(PREFIX),
            destination=destination,
            channel=model.meta["audience"]["channel"],
        )
        for model in sorted(catalog.models.values(), key=lambda model: model.name)
        if "audience" in model.meta
        for destination in model.meta["audience"]["syncs"]
    ]
