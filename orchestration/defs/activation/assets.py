"""Audiences on their way to destinations."""

import dagster as dg

import warehouse
from activation.deliver import Delivery, deliver
from activation.destinations import DestinationUnavailableError
from activation.plan import MassRemovalError
from activation.syncs import syncs


@dg.asset(
    key=["activation", "deliveries"],
    deps=[["audiences", "audience_members"], ["customer_360", "customer_contacts"]],
    group_name="activation",
    owners=["team:marketing"],
    kinds={"python"},
    pool="warehouse",
)
def deliveries() -> dg.MaterializeResult[None]:
    """One row per operation and state: what we meant to send and what was confirmed."""
    problems: list[str] = []
    done: list[Delivery] = []
    for sync in syncs(warehouse.catalog()):
        try:
            done.append(deliver(sync))
        except (DestinationUnavailableError, MassRemovalError) as error:
            problems.append(str(error))
    if problems:
        raise dg.Failure("; ".join(problems))
    return dg.MaterializeResult(
        metadata={
            "delivered": sum(delivery.delivered for delivery in done),
            "rejected": sum(delivery.rejected for delivery in done),
            "switched off": ", ".join(d.sync.name for d in done if d.is_off) or "none",
        }
    )
