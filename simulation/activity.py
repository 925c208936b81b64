"""Everything that people do, in the order in which one thing leads to the next.

Personas lead to visits and purchases; landings and opened e-mails bring further purchases; a
planted product brings another; orders end visits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulation.behaviour import (
    Scene,
    Traffic,
    Visits,
    browsing,
    clicked,
    devices_of,
    joined_visits,
    make_traffic,
    recent_orders,
    touched,
)
from simulation.care import make_interactions, make_tickets
from simulation.consents import consent_rows, crm_consents, make_consents, make_wishes
from simulation.ledger import Column
from simulation.marketing import (
    Sending,
    ad_campaigns,
    ad_insights,
    campaign_effects,
    channel_effects,
    clicks_of,
    left_consents,
    mail_campaigns,
    mail_events,
    mailed_baskets,
    make_sendings,
    treatments,
)
from simulation.outside import Revision, make_revisions, make_segments
from simulation.personas import Market, make_personas, personas_table, shelf_of
from simulation.population import Known, Population
from simulation.purchases import (
    Plan,
    Purchases,
    joined_parts,
    ledger_baskets,
    lines_of,
    make_purchases,
    own_baskets,
    planted,
    quiet_products,
)
from simulation.segments import Pools, event_days, pools_of, true_events, web_records


@dataclass(frozen=True)
class Acquaintances:
    """The people that each system knows, as the records say."""

    contacts: Known
    profiles: Known
    is_subscribed: Column  # of each profile, before the mailings
    users: Known
    social: Known  # key: the handle
    network: pa.Array  # of each social profile


@dataclass(frozen=True)
class Log:
    """The tracker's log: too large to be one table, so it is told day by day."""

    market: Market
    traffic: Traffic
    pools: Pools
    seed: int

    def days(self) -> Iterator[tuple[str, pa.Table]]:
        """The name of each day's segment, and its events as raw rows in order of arrival."""
        rng = np.random.default_rng([self.seed, 42])
        return event_days(self.market, self.traffic, self.pools, rng)

    def truth(self) -> Iterator[pa.Table]:
        """The truth about every event, some at a time."""
        return true_events(self.market, self.traffic, self.pools)

    def records(self) -> pa.Table:
        """The truth about every visitor and every user id that the log names."""
        return web_records(self.market, self.traffic)


@dataclass(frozen=True)
class Activity:
    """What people did: the raw tables by "<source>.<table>", and the truth by its name.

    `shop.order_lines` are those of made-up buyers, to stand beside the ledger's.
    """

    raw: dict[str, pa.Table]
    truth: dict[str, pa.Table]
    sendings: list[Sending]  # for `with_unsubscribes`
    revisions: list[Revision]
    scene: Scene  # for `make_log`
    guest_orders: pa.Table  # made up, for their contacts: invoice, person, ordered_at


def make_market(population: Population, ledger: pa.Table, catalogue: pa.Table, seed: int) -> Market:
    """The people with their personas, and the products in order."""
    shelf = shelf_of(catalogue)
    rng = np.random.default_rng([seed, 30])
    return Market(population, make_personas(population, ledger, shelf, rng), shelf)


def make_activity(
    market: Market, known: Acquaintances, ledger: pa.Table, whole: pa.Table, seed: int
) -> Activity:
    """All activity around these lines of the ledger; planted products come from the whole."""
    rng = [np.random.default_rng([seed, 31, step]) for step in range(6)]
    devices = devices_of(market.population.devices, rng[0])
    sendings = make_sendings(market, known.profiles, known.is_subscribed, rng[1])
    clicks = clicked(market, devices, clicks_of(sendings), rng[2])
    visits = joined_visits(browsing(market, devices, rng[3]), clicks)
    plan = make_plan(market, visits, sendings, (ledger, whole), rng[4])
    purchases = make_purchases(market, plan, ledger, seed)
    orders = recent_orders(market, ledger, purchases)
    wishes = make_wishes(market.population.people.num_rows, seed)
    decided = make_consents(known.contacts, wishes, rng[5])
    said = pa.concat_tables([crm_consents(known.contacts, decided), left_consents(sendings)])
    return Activity(
        raw=raw_tables(known, sendings, purchases)
        | {"crm.consents": consent_rows(known.contacts, decided)}
        | told_tables(market, known, visits, purchases.orders, seed),
        truth=true_tables(market, plan, purchases, sendings) | {"consents": named(market, said)},
        sendings=sendings,
        revisions=make_revisions(market, np.random.default_rng([seed, 32])),
        scene=Scene(market, devices, visits, orders),
        guest_orders=purchases.guest_orders,
    )


def make_log(scene: Scene, seed: int) -> Log:
    """The tracker's log of these visits, of the orders, and of bots and testers."""
    traffic = make_traffic(scene, np.random.default_rng([seed, 40]))
    pools = pools_of(scene.market, traffic, np.random.default_rng([seed, 41]))
    return Log(scene.market, traffic, pools, seed)


def told_tables(
    market: Market, known: Acquaintances, visits: Visits, orders: pa.Table, seed: int
) -> dict[str, pa.Table]:
    """What platforms, customers and a DMP tell the company."""
    rng = [np.random.default_rng([seed, 33, step]) for step in range(4)]
    return {
        "ads.insights": ad_insights(visits.landing, visits.started_at, rng[0]),
        "support.tickets": make_tickets(known.users, market, orders, rng[1]),
        "social.interactions": make_interactions(known.social, known.network, market, rng[2]),
        "dmp.segments": make_segments(market, rng[3]),
    }


def make_plan(
    market: Market,
    visits: Visits,
    sendings: list[Sending],
    lines: tuple[pa.Table, pa.Table],
    rng: np.random.Generator,
) -> Plan:
    """Every made-up purchase: one's own, those that marketing brings, and the planted ones."""
    ledger, whole = lines
    baskets = joined_parts(
        own_baskets(market, rng), touched(market, visits, rng), mailed_baskets(market, sendings)
    )
    bought = lines_of(baskets, market, ledger_baskets(ledger, market.shelf), rng)
    return planted(baskets, bought, market.shelf, quiet_products(whole, market.shelf), rng)


def raw_tables(
    known: Acquaintances, sendings: list[Sending], purchases: Purchases
) -> dict[str, pa.Table]:
    """The raw tables that need no more chance."""
    return {
        "pos.receipt_lines": purchases.receipt_lines,
        "shop.order_lines": purchases.order_lines,
        "ads.campaigns": ad_campaigns(),
        "email.campaigns": mail_campaigns(),
        "email.events": mail_events(known.profiles, sendings),
    }


def true_tables(
    market: Market, plan: Plan, purchases: Purchases, sendings: list[Sending]
) -> dict[str, pa.Table]:
    """The truth about purchases and what drives them."""
    people = market.population.people["person_id"].combine_chunks()
    return {
        "personas": personas_table(market.personas, people),
        "orders": named(market, purchases.orders),
        "sequences": purchases.sequences,
        "future": named(market, purchases.future),
        "treatments": named(market, treatments(sendings, purchases.orders)),
        "campaign_effects": campaign_effects(sendings, purchases.ledger_orders, plan.baskets),
        "channel_effects": channel_effects(sendings),
    }


def named(market: Market, table: pa.Table) -> pa.Table:
    """The table with the id of each `person` (a row of people) in its place."""
    ids = market.population.people["person_id"].take(table["person"])
    return table.set_column(table.column_names.index("person"), "person_id", ids)
