"""What the company says to people: ads, and e-mails with a control group.

An opened e-mail truly makes a purchase likelier; who is sent one is drawn by lot, so the effect
can be measured and the truth about it is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.consents import NEVER, SECOND, mail_consents
from simulation.landings import (
    ADS,
    EFFECTS,
    FIRST_AD,
    FIRST_MAILING,
    MAILINGS,
    Ad,
    mailing_effects,
)
from simulation.ledger import DAYS, FIRST_DAY, Column
from simulation.personas import CHANNELS, CLOSED, DAY, Market
from simulation.population import Known
from simulation.purchases import MAILED, Baskets, caused_baskets

TREATED = 0.5  # of those who could be mailed are; the others are the control group
WINDOW = 14  # days after sending in which a purchase counts as converted
OPENS, OPENS_FANS = 0.30, 0.60  # of delivered messages; fans prefer e-mail over other channels
CLICKS = 0.30  # of opened messages
BOUNCES, BOUNCES_STALE = 0.01, 0.50  # of messages; stale addresses were given up since
UNSUBSCRIBES, MARKS_SPAM = 0.010, 0.002  # of opened messages
MOST_OPEN_DAYS = 3  # a message is opened within these days
MOST_BUY_DAYS = 10  # the purchase it brings comes within these days of the opening
SEND_HOUR = 8
RESTATED = 0.20  # of ad insights are corrected later
IMPRESSIONS_A_CLICK = 40
SHOP_LINK = "https://shop.example.com/collections/gifts?utm_source=newsletter&utm_campaign="


@dataclass(frozen=True)
class Sending:
    """One mailing: who could be mailed, who was, and what each did with it (NEVER if not)."""

    number: int
    sent_at: np.datetime64
    profile: Column  # rows of the profiles that could be mailed
    person: Column
    is_treated: Column
    chance: Column  # the true probability that mailing this person adds a purchase
    delivered_at: Column
    bounced_at: Column
    opened_at: Column
    clicked_at: Column
    unsubscribed_at: Column
    spam_at: Column
    bought_at: Column  # the purchase that it brought


def mailable(market: Market, profiles: Known, is_subscribed: Column) -> Column:
    """The first subscribed profile of each person who ever buys."""
    is_prospect = market.population.people["is_prospect"].to_numpy(zero_copy_only=False)
    able = np.flatnonzero(is_subscribed & ~np.append(is_prospect, True)[profiles.person])
    _, first = np.unique(profiles.person[able], return_index=True)
    return able[np.sort(first)]


def make_sendings(
    market: Market, profiles: Known, is_subscribed: Column, rng: np.random.Generator
) -> list[Sending]:
    """All mailings; who unsubscribed after one is not mailed again."""
    sendings: list[Sending] = []
    rows = mailable(market, profiles, is_subscribed)
    for number, mailing in enumerate(MAILINGS):
        sent_at = (FIRST_DAY + mailing.day).astype("datetime64[s]") + SEND_HOUR * 3600
        able = rows[profiles.since[rows] < sent_at]
        last = sending_of(market, profiles, able, (number, sent_at), rng)
        sendings.append(last)
        is_lost = (last.unsubscribed_at < NEVER) | (last.bounced_at < NEVER)
        rows = rows[~np.isin(rows, able[is_lost])]
    return sendings


def sending_of(
    market: Market,
    profiles: Known,
    able: Column,
    when: tuple[int, np.datetime64],
    rng: np.random.Generator,
) -> Sending:
    """One mailing to half of these profiles."""
    number, sent_at = when
    person, size = profiles.person[able], len(able)
    is_treated = rng.random(size) < TREATED
    bounces = bounce_rates(market, profiles, able, sent_at)
    opens = np.where(market.personas.channel[person] == CHANNELS.index("email"), OPENS_FANS, OPENS)
    effect = mailing_effects()[market.personas.interests[person], number].max(axis=1, initial=0)
    is_bounced = is_treated & (rng.random(size) < bounces)
    delivered = after(np.full(size, sent_at), is_treated & ~is_bounced, 1, 120, rng)
    reads = (delivered < NEVER) & (rng.random(size) < opens)
    opened = after(delivered, reads, 60, MOST_OPEN_DAYS * DAY, rng)
    read = opened < NEVER
    return Sending(
        number=number,
        sent_at=sent_at,
        profile=able,
        person=person,
        is_treated=is_treated,
        chance=(1 - bounces) * opens * effect,
        delivered_at=delivered,
        bounced_at=after(np.full(size, sent_at), is_bounced, 1, 120, rng),
        opened_at=opened,
        clicked_at=after(opened, read & (rng.random(size) < CLICKS), 5, 600, rng),
        unsubscribed_at=after(opened, read & (rng.random(size) < UNSUBSCRIBES), 5, 600, rng),
        spam_at=after(opened, read & (rng.random(size) < MARKS_SPAM), 5, 600, rng),
        bought_at=after(
            opened, read & (rng.random(size) < effect), 3_600, MOST_BUY_DAYS * DAY, rng
        ),
    )


def after(
    start: Column, happens: Column, least: int, most: int, rng: np.random.Generator
) -> Column:
    """A time some seconds after each start where it happens, NEVER elsewhere."""
    wait = rng.integers(least, most, len(start)).astype("timedelta64[s]")
    safe = np.where(happens, start, CLOSED)
    return np.where(happens & (safe + wait < CLOSED), safe + wait, NEVER)


def bounce_rates(market: Market, profiles: Known, rows: Column, sent_at: np.datetime64) -> Column:
    """The probability that a message to each profile bounces."""
    changed = market.population.people["email_changed_on"].to_numpy().astype("datetime64[s]")
    day = np.append(changed, NEVER)[profiles.person[rows]]
    is_stale = (profiles.since[rows] < day) & (day < sent_at)
    return np.where(is_stale, BOUNCES_STALE, BOUNCES)


def mailed_baskets(market: Market, sendings: list[Sending]) -> Baskets:
    """The purchases that opened messages brought."""
    person = np.concatenate([s.person[s.bought_at < NEVER] for s in sendings])
    at = np.concatenate([s.bought_at[s.bought_at < NEVER] for s in sendings])
    return caused_baskets(market.population, person, at, MAILED)


def clicks_of(sendings: list[Sending]) -> tuple[Column, Column, Column]:
    """Person, time and landing of every click in a message."""
    found = [np.flatnonzero(s.clicked_at < NEVER) for s in sendings]
    pairs = list(zip(sendings, found, strict=True))
    return (
        np.concatenate([s.person[rows] for s, rows in pairs]),
        np.concatenate([s.clicked_at[rows] for s, rows in pairs]),
        np.concatenate([np.full(len(rows), FIRST_MAILING + s.number) for s, rows in pairs]),
    )


def mail_campaigns() -> pa.Table:
    """One row per e-mail campaign."""
    sent = [(FIRST_DAY + m.day).astype("datetime64[s]") + SEND_HOUR * 3600 for m in MAILINGS]
    return pa.table(
        {
            "campaign_id": [m.campaign_id for m in MAILINGS],
            "name": [m.name for m in MAILINGS],
            "subject": [m.subject for m in MAILINGS],
            "sent_at": pa.array(np.array(sent), SECOND),
            "updated_at": pa.array(np.array(sent), SECOND),
        }
    )


def mail_events(profiles: Known, sendings: list[Sending]) -> pa.Table:
    """One row per thing that happened to a message, numbered in order of time."""
    parts = [part for sending in sendings for part in kinds_of(sending)]
    at = np.concatenate([times for _, _, _, times in parts])
    profile = np.concatenate([rows for _, _, rows, _ in parts])
    sizes = [len(times) for _, _, _, times in parts]
    number = np.repeat([number for number, _, _, _ in parts], sizes)
    kind = np.repeat(np.array([kind for _, kind, _, _ in parts], object), sizes)
    order = np.lexsort((profile, number, at))
    kinds = pa.array(kind[order], pa.string())
    names = pa.array([m.name for m in MAILINGS]).take(pa.array(number[order]))
    link = pc.binary_join_element_wise(SHOP_LINK, names, "")
    return pa.table(
        {
            "event_id": numbered("ev", len(order)),
            "profile_id": profiles.key.take(pa.array(profile[order])),
            "campaign_id": pa.array([m.campaign_id for m in MAILINGS]).take(
                pa.array(number[order])
            ),
            "kind": kinds,
            "url": pc.if_else(pc.equal(kinds, "clicked"), link, pa.scalar(None, pa.string())),
            "occurred_at": pa.array(at[order], SECOND),
            "updated_at": pa.array(at[order], SECOND),
        }
    )


def kinds_of(sending: Sending) -> Iterator[tuple[int, str, Column, Column]]:
    """Mailing, kind, profiles and times of all that happened."""
    sent = np.where(sending.is_treated, sending.sent_at, NEVER)
    for kind, at in (
        ("sent", sent),
        ("delivered", sending.delivered_at),
        ("bounced", sending.bounced_at),
        ("opened", sending.opened_at),
        ("clicked", sending.clicked_at),
        ("unsubscribed", sending.unsubscribed_at),
        ("marked_spam", sending.spam_at),
    ):
        happened = at < NEVER
        yield sending.number, kind, sending.profile[happened], at[happened]


def numbered(prefix: str, size: int) -> pa.Array:
    """Ids from one on."""
    text = pc.utf8_lpad(pa.array(np.arange(1, size + 1)).cast(pa.string()), 8, "0")
    return pc.binary_join_element_wise(prefix, text, "-")


def unsubscribed(sendings: list[Sending]) -> tuple[Column, Column, Column]:
    """Profile (row), person and time of everybody who unsubscribed by a link in a message."""
    found = [np.flatnonzero(s.unsubscribed_at < NEVER) for s in sendings]
    pairs = list(zip(sendings, found, strict=True))
    return (
        np.concatenate([s.profile[rows] for s, rows in pairs]),
        np.concatenate([s.person[rows] for s, rows in pairs]),
        np.concatenate([s.unsubscribed_at[rows] for s, rows in pairs]),
    )


def with_unsubscribes(profiles: pa.Table, sendings: list[Sending]) -> pa.Table:
    """The profiles as they are after the mailings: who unsubscribed is not subscribed."""
    rows, _, at = unsubscribed(sendings)
    is_subscribed = profiles["is_subscribed"].to_numpy(zero_copy_only=False).copy()
    kind = profiles.schema.field("updated_at").type
    updated = profiles["updated_at"].to_numpy().astype("datetime64[s]")
    is_subscribed[rows] = False
    updated[rows] = np.maximum(updated[rows], at)
    names = profiles.column_names
    return profiles.set_column(
        names.index("is_subscribed"), "is_subscribed", pa.array(is_subscribed)
    ).set_column(names.index("updated_at"), "updated_at", pa.array(updated, SECOND).cast(kind))


def treatments(sendings: list[Sending], orders: pa.Table) -> pa.Table:
    """One row per person of each mailing's lot: `person`, and whether they bought afterwards."""
    person, at = order_times(orders)
    parts = [
        pa.table(
            {
                "campaign_id": pa.array([MAILINGS[s.number].campaign_id]).take(zeros(s.person)),
                "person": pa.array(s.person, pa.int32()),
                "is_treated": pa.array(s.is_treated),
                "converted": pa.array(converted(s, person, at)),
            }
        )
        for s in sendings
    ]
    return pa.concat_tables(parts)


def zeros(like: Column) -> pa.Array:
    """As many zeros."""
    return pa.array(np.zeros(len(like), np.int64))


def order_times(orders: pa.Table) -> tuple[Column, Column]:
    """Person and time of every order whose buyer is known, in order of both."""
    known = orders.filter(pc.is_valid(orders["person"]))
    person = known["person"].to_numpy()
    at = known["ordered_at"].to_numpy().astype("datetime64[s]")
    order = np.lexsort((at, person))
    return person[order], at[order]


def converted(sending: Sending, person: Column, at: Column) -> Column:
    """Whether each person bought within the window after the sending."""
    first = sending.sent_at
    inside = (at >= first) & (at < first + np.timedelta64(WINDOW, "D"))
    return np.isin(sending.person, person[inside])


def campaign_effects(
    sendings: list[Sending], ledger_orders: pa.Table, baskets: Baskets
) -> pa.Table:
    """One row per mailing: how much being mailed truly adds to the share that converts.

    Who buys anyway cannot be won, so the mean is of each one's chance among those who would not.
    """
    is_own = baskets.cause != MAILED
    person, at = order_times(ledger_orders)
    person = np.concatenate([person, baskets.person[is_own]])
    at = np.concatenate([at, baskets.bought_at[is_own]])
    effects = [
        float((s.chance * ~converted(s, person, at)).mean()) if len(s.person) else 0.0
        for s in sendings
    ]
    ids = [MAILINGS[s.number].campaign_id for s in sendings]
    return pa.table({"campaign_id": ids, "effect": pa.array(effects, pa.float64())})


def channel_effects(sendings: list[Sending]) -> pa.Table:
    """One row per channel: what a landing, or for e-mail an opened message, adds on average."""
    opened = sum(int((s.opened_at < NEVER).sum()) for s in sendings)
    bought = sum(int((s.bought_at < NEVER).sum()) for s in sendings)
    effects = EFFECTS | {"email": bought / opened if opened else 0.0}
    return pa.table({"channel": list(effects), "effect": pa.array(effects.values(), pa.float64())})


def ad_campaigns() -> pa.Table:
    """One row per advertising campaign."""
    started = [FIRST_DAY + ad.first_day for ad in ADS]
    return pa.table(
        {
            "campaign_id": [ad.campaign_id for ad in ADS],
            "name": [ad.name for ad in ADS],
            "platform": [ad.platform for ad in ADS],
            "channel": [ad.channel for ad in ADS],
            "objective": [ad.objective for ad in ADS],
            "currency": [ad.currency for ad in ADS],
            "started_on": pa.array(np.array(started), pa.date32()),
            "ended_on": pa.array(np.array([FIRST_DAY + ad.last_day for ad in ADS]), pa.date32()),
            "updated_at": pa.array(np.array(started).astype("datetime64[s]"), SECOND),
        }
    )


def ad_insights(landing: Column, started_at: Column, rng: np.random.Generator) -> pa.Table:
    """One row per version of an ad's day: the platform counts more clicks than the site sees."""
    day = (started_at.astype("datetime64[D]") - FIRST_DAY).astype(int)
    parts: list[pa.Table] = []
    for number, ad in enumerate(ADS):
        days = day[landing == FIRST_AD + number]
        landed = np.bincount(days[(days >= 0) & (days < DAYS)], minlength=DAYS)
        parts.extend(insights_of(ad, landed[ad.first_day : ad.last_day + 1], rng))
    return pa.concat_tables(parts)


def insights_of(ad: Ad, landed: Column, rng: np.random.Generator) -> Iterator[pa.Table]:
    """The days of both ads of a campaign, and what was corrected in them later."""
    share = rng.binomial(landed, 0.5)
    for letter, seen in (("a", share), ("b", landed - share)):
        clicks = seen + rng.poisson(0.25 * seen + 1)
        spend = np.round(clicks * ad.click_price * rng.uniform(0.9, 1.1, len(clicks)), 2)
        day = FIRST_DAY + ad.first_day + np.arange(len(clicks))
        first = day.astype("datetime64[s]") + DAY - 1_800
        shown = clicks * IMPRESSIONS_A_CLICK + rng.poisson(100, len(clicks))
        rows = insight_rows(ad, letter, (day, shown, clicks, spend), first)
        yield rows
        later = first + rng.integers(1, 5, len(day)).astype("timedelta64[D]")
        again = (rng.random(len(day)) < RESTATED) & (later < CLOSED)
        final = np.round(spend * rng.uniform(0.93, 1.02, len(day)), 2)
        corrected = insight_rows(ad, letter, (day, shown, clicks, final), later)
        yield corrected.filter(pa.array(again))


def insight_rows(
    ad: Ad, letter: str, numbers: tuple[Column, Column, Column, Column], updated: Column
) -> pa.Table:
    """One row per day: impressions, clicks and spend of one ad."""
    day, shown, clicks, spend = numbers
    ad_id, size = f"{ad.campaign_id}-{letter}", len(day)
    days = np.datetime_as_string(day).tolist()
    return pa.table(
        {
            "insight_id": pa.array([f"{ad_id}-{text}" for text in days], pa.string()),
            "campaign_id": pa.array([ad.campaign_id] * size, pa.string()),
            "ad_id": pa.array([ad_id] * size, pa.string()),
            "date": pa.array(day, pa.date32()),
            "platform": pa.array([ad.platform] * size, pa.string()),
            "impressions": pa.array(shown, pa.int64()),
            "clicks": pa.array(clicks, pa.int64()),
            "spend": spend,
            "currency": pa.array([ad.currency] * size, pa.string()),
            "updated_at": pa.array(updated, SECOND),
        }
    )


def left_consents(sendings: list[Sending]) -> pa.Table:
    """Every no by a link in a message, unsubscribing or marking as spam, as the truth keeps it."""
    said = [(s.person, at) for s in sendings for at in (s.unsubscribed_at, s.spam_at)]
    person = np.concatenate([person[at < NEVER] for person, at in said])
    return mail_consents(person, False, np.concatenate([at[at < NEVER] for _, at in said]))
