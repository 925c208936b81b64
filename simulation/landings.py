"""Where visits land from: the ads and e-mails of the company, and what a touch truly brings."""

import json
from dataclasses import dataclass

import numpy as np

from simulation.ledger import FIRST_DAY, Column
from simulation.personas import CATEGORIES, CHANNELS


@dataclass(frozen=True)
class Ad:
    """One advertising campaign; days are counted from the first day of traffic."""

    campaign_id: str
    name: str
    platform: str
    medium: str
    channel: str
    objective: str
    currency: str
    first_day: int
    last_day: int
    click_price: float  # in its currency
    weight: float  # share of landings while it runs
    liked_by: str  # the people whose favourite channel it is land twice as often
    click_id: str  # the parameter that the platform adds to links


ADS = (
    Ad("ad-001", "christmas_gifts", "google", "cpc", "paid_search", "sales", "GBP",
       0, 90, 0.45, 3.0, "search", "gclid"),
    Ad("ad-002", "brand_terms", "google", "cpc", "paid_search", "sales", "GBP",
       0, 90, 0.12, 2.0, "search", "gclid"),
    Ad("ad-003", "autumn_home", "facebook", "paid_social", "paid_social", "traffic", "EUR",
       0, 60, 0.30, 3.0, "social", "fbclid"),
    Ad("ad-004", "advent_calendar", "facebook", "paid_social", "paid_social", "sales", "EUR",
       45, 85, 0.35, 3.0, "social", "fbclid"),
    Ad("ad-005", "gift_ideas", "bing", "cpc", "paid_search", "sales", "USD",
       10, 90, 0.38, 1.0, "search", "msclkid"),
    Ad("ad-006", "come_back", "criteo", "display", "display", "sales", "EUR",
       20, 90, 0.20, 1.5, "app", "cto_pld"),
    Ad("ad-007", "gift_guides", "awin", "affiliate", "affiliate", "sales", "GBP",
       0, 90, 0.50, 1.0, "social", "awc"),
)  # fmt: skip


@dataclass(frozen=True)
class Mailing:
    """One e-mail campaign with a control group; the effect is that of one opened message."""

    campaign_id: str
    name: str
    subject: str
    day: int
    category: str  # who has this interest responds twice as much
    effect: float  # added probability of a purchase within two weeks, for others


MAILINGS = (
    Mailing("mail-001", "autumn_kitchen", "Warm up your kitchen", 8, "kitchen", 0.20),
    Mailing("mail-002", "weekly_offers_39", "This week's offers", 22, "stationery", 0.00),
    Mailing("mail-003", "lights_on", "Lights for dark evenings", 36, "light", 0.15),
    Mailing("mail-004", "home_comfort", "Make it cosy", 50, "decoration", 0.10),
    Mailing("mail-005", "christmas_preview", "Christmas is coming", 64, "christmas", 0.30),
    Mailing("mail-006", "last_orders", "Last orders before Christmas", 76, "christmas", 0.12),
)
INTEREST_BOOST = 2.0  # the effect on people who have the interest, against others
# Added probability that a touch of the channel brings a purchase within TOUCH_DAYS.
EFFECTS = {
    "paid_search": 0.12,
    "paid_social": 0.06,
    "display": 0.0,
    "affiliate": 0.03,
    "organic_search": 0.0,
    "direct": 0.0,
}
TOUCH_DAYS = 3
FROM_AD = 0.40  # of visits land from an ad
FROM_SEARCH = 0.25  # of visits come from a search engine, unpaid
DIRECT, ORGANIC, FIRST_AD = 0, 1, 2  # landings: then the ads, then the mailings
FIRST_MAILING = FIRST_AD + len(ADS)
REFERRERS = {
    "google": "https://www.google.com/",
    "bing": "https://www.bing.com/",
    "facebook": "https://www.facebook.com/",
}


def landings(
    favourite: Column, started_at: Column, is_app: Column, rng: np.random.Generator
) -> Column:
    """The landing of each visit: an ad that runs on its day, a search engine, or direct."""
    day = (started_at.astype("datetime64[D]") - FIRST_DAY).astype(int)
    weights = np.zeros((len(day), len(ADS)), np.float32)
    for number, ad in enumerate(ADS):
        runs = (day >= ad.first_day) & (day <= ad.last_day)
        likes = np.where(favourite == CHANNELS.index(ad.liked_by), 2.0, 1.0)
        weights[:, number] = runs * likes * ad.weight
    total = weights.cumsum(axis=1)
    chosen = (total < (rng.random(len(day)) * total[:, -1])[:, None]).sum(axis=1)
    chance = rng.random(len(day))
    unpaid = np.where(chance < FROM_AD + FROM_SEARCH, ORGANIC, DIRECT)
    return np.where(is_app, DIRECT, np.where(chance < FROM_AD, FIRST_AD + chosen, unpaid))


def effect_of(landing: Column) -> Column:
    """What a touch by each landing adds to the probability of a purchase; e-mail acts unclicked."""
    effects = [EFFECTS["direct"], EFFECTS["organic_search"], *(EFFECTS[ad.channel] for ad in ADS)]
    return np.array([*effects, *(0.0 for _ in MAILINGS)])[landing]


def mailing_effects() -> Column:
    """What an opened message of each mailing adds, one row per category, one column per mailing."""
    boosted = np.array([[m.category == name for m in MAILINGS] for name in CATEGORIES])
    return np.array([m.effect for m in MAILINGS]) * np.where(boosted, INTEREST_BOOST, 1.0)


def campaign_json() -> list[str]:
    """The campaign of each landing, as a member of an event's context."""
    ads = [(ad.platform, ad.medium, ad.name) for ad in ADS]
    mails = [("newsletter", "email", mailing.name) for mailing in MAILINGS]
    keys = ("source", "medium", "name")
    named = [
        json.dumps(dict(zip(keys, u, strict=True)), separators=(",", ":")) for u in ads + mails
    ]
    return ["", "", *(f',"campaign":{text}' for text in named)]


def queries() -> list[str]:
    """The query of each landing's link; what stands at its end is the click's own number."""
    ads = [
        f"?utm_source={ad.platform}&utm_medium={ad.medium}&utm_campaign={ad.name}&{ad.click_id}="
        for ad in ADS
    ]
    mails = [
        f"?utm_source=newsletter&utm_medium=email&utm_campaign={m.name}&mc_eid=" for m in MAILINGS
    ]
    return ["", "", *ads, *mails]


def referrers() -> list[str]:
    """The page each landing comes from."""
    return [
        "",
        REFERRERS["google"],
        *(REFERRERS.get(ad.platform, "") for ad in ADS),
        *("" for _ in MAILINGS),
    ]
