"""Rules that were planted are found, and none where the products were shuffled."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy.stats import binom

import warehouse
from tests.marts.conftest import Models

pytestmark = pytest.mark.slow
Column = npt.NDArray[Any]
CUSTOMERS, PRODUCTS, DAYS = 2_000, 120, 364
MONDAY = np.datetime64("2011-01-03T10:00:00")
PLANTED = {(3, 7): 0.35, (20, 41): 0.20, (55, 90): 0.50}  # X, Y: chance that X brings Y
SEQUENCES = (
    "int_marketing__first_purchases",
    "int_marketing__places",
    "int_marketing__places_by_kind",
    "int_marketing__purchases_by_kind",
    "int_marketing__followed_products",
    "int_marketing__judged_sequences",
    "int_marketing__kept_sequences",
    "int_marketing__followers",
    "int_marketing__rule_tables",
    "int_marketing__measured_sequences",
    "product_sequences",
    "int_marketing__baskets",
    "int_marketing__paired_products",
    "int_marketing__judged_pairs",
    "product_pairs",
)


@dataclass(frozen=True)
class Lines:
    """One entry per line of an order."""

    order: Column
    customer: Column
    day: Column
    product: Column


def company(rng: np.random.Generator) -> Lines:
    """Orders without rules but with all that looks like some.

    Some people buy twenty times as much as others, some products sell twenty times as much, and
    every product has its season.
    """
    zeal = rng.lognormal(0, 1, CUSTOMERS)
    customer = np.repeat(np.arange(CUSTOMERS), 1 + rng.poisson(4 * zeal))
    day = rng.integers(0, DAYS, len(customer))
    order = np.repeat(np.arange(len(customer)), 1 + rng.poisson(2 * np.minimum(zeal, 5)[customer]))
    favour, peak = rng.lognormal(0, 1, PRODUCTS), rng.integers(0, DAYS, PRODUCTS)
    season = np.exp(np.cos((np.arange(DAYS)[:, None] - peak) / DAYS * 2 * np.pi))
    chances = (season * favour).cumsum(axis=1)[day[order]]
    drawn = rng.random(len(order)) * chances[:, -1]
    return Lines(order, customer[order], day[order], (chances < drawn[:, None]).sum(axis=1))


def with_rules(lines: Lines, rng: np.random.Generator) -> Lines:
    """The same, and some who bought X come back for Y within four weeks."""
    for (first, then), chance in PLANTED.items():
        rows = np.flatnonzero((lines.product == first) & (lines.day < DAYS - 30))
        rows = rows[rng.random(len(rows)) < chance]
        added = Lines(
            order=lines.order.max() + 1 + np.arange(len(rows)),
            customer=lines.customer[rows],
            day=lines.day[rows] + rng.integers(1, 28, len(rows)),
            product=np.full(len(rows), then),
        )
        lines = Lines(
            *(np.concatenate(pair) for pair in zip(columns(lines), columns(added), strict=True))
        )
    return lines


def columns(lines: Lines) -> tuple[Column, ...]:
    """The columns in their order."""
    return lines.order, lines.customer, lines.day, lines.product


def shuffled(lines: Lines, rng: np.random.Generator) -> Lines:
    """The same lines, with the products of each week dealt out anew."""
    week, chance = lines.day // 7, rng.random(len(lines.day))
    dealt = np.empty_like(lines.product)
    dealt[np.argsort(week, kind="stable")] = lines.product[np.lexsort((chance, week))]
    return replace(lines, product=dealt)


def rules(models: Models, lines: Lines, is_online: Column | bool = False) -> pa.Table:
    """The rules that the platform finds in these orders."""
    products = [f"P{number:03d}" for number in range(PRODUCTS)]
    moment = MONDAY + lines.day.astype("timedelta64[D]") + lines.order % 3600
    size = len(lines.order)
    sold = pa.table(
        {
            "order_id": pa.array(lines.order).cast(pa.string()),
            "customer_id": pa.array(lines.customer).cast(pa.string()),
            "product_id": pa.array(products).take(pa.array(lines.product)),
            "ordered_at": pa.array(moment.astype("datetime64[us]")),
            "line_class": ["sale"] * size,
            "is_counted": [True] * size,
            "channel": np.where(np.broadcast_to(is_online, size), "shop", "store"),
        }
    )
    named = pa.table({"product_id": products, "product_name": products, "category": products})
    models(
        *SEQUENCES,
        fct_order_lines=sold,
        dim_products=named,
        as_of=pa.table({"as_of": [date(2012, 1, 2)]}),
    )
    return warehouse.read("marts.product_sequences")


def by_pair(found: pa.Table) -> dict[tuple[str, str], dict[str, Any]]:
    """The rules by X and Y."""
    return {(row["first_product_id"], row["then_product_id"]): row for row in found.to_pylist()}


def test_every_planted_rule_is_found_with_its_true_lift(models: Models) -> None:
    """Y follows X by itself or brought by X: the true probability is made of both chances."""
    rng = np.random.default_rng(2)
    found = by_pair(rules(models, with_rules(company(rng), rng)))
    planted = {(f"P{x:03d}", f"P{y:03d}"): chance for (x, y), chance in PLANTED.items()}
    true_lift = {
        pair: 1 + chance * (1 - found[pair]["base_rate"]) / found[pair]["base_rate"]
        for pair, chance in planted.items()
    }

    assert [
        pair
        for pair, lift in true_lift.items()
        if not found[pair]["lift_low"] <= lift <= found[pair]["lift_high"]
    ] == []


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_found_where_the_products_were_shuffled(models: Models, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = with_rules(company(rng), rng)

    found = rules(models, shuffled(lines, rng)).num_rows
    pairs = warehouse.read("marts.product_pairs").num_rows

    assert (found, pairs) == (0, 0)


def test_who_buys_one_thing_at_a_time_makes_no_rules(models: Models) -> None:
    """Shops fill baskets with the first hundred products, people take one of the others at a time.

    Those are rare among all lines, so they would seem to follow each other, and never to meet.
    """
    rng = np.random.default_rng(3)
    shops, people = np.repeat(np.arange(300), 20 * 20), np.repeat(np.arange(300, 1_800), 5)
    orders = np.concatenate([np.arange(len(shops)) // 20, len(shops) + np.arange(len(people))])
    day = rng.integers(0, DAYS, orders.max() + 1)[orders]
    product = np.concatenate(
        [rng.integers(0, 100, len(shops)), rng.integers(100, PRODUCTS, len(people))]
    )
    found = rules(models, Lines(orders, np.concatenate([shops, people]), day, product))
    assert found.num_rows == 0


def test_what_each_channel_alone_sells_makes_no_rules_and_no_pairs(models: Models) -> None:
    """Either has half of the products, and people place one order of ten where they seldom buy."""
    rng = np.random.default_rng(5)
    lines = company(rng)
    is_stray = rng.random(lines.order.max() + 1)[lines.order] < 0.1
    is_online = (lines.customer % 2 == 1) ^ is_stray
    lines = replace(lines, product=lines.product // 2 * 2 + is_online)

    found = rules(models, lines, is_online).num_rows
    pairs = warehouse.read("marts.product_pairs").num_rows

    assert (found, pairs) == (0, 0)


def test_what_is_bought_together_by_many_is_a_pair_and_what_one_repeats_is_none(
    models: Models,
) -> None:
    """Of those who take 5 a third take 6 with it; one customer takes 8 and 9 forty times."""
    rng = np.random.default_rng(4)
    lines = shuffled(company(rng), rng)
    with_it = np.flatnonzero((lines.product == 5) & (rng.random(len(lines.product)) < 1 / 3))
    together = [column[with_it] for column in columns(lines)[:3]]
    habit = np.repeat(lines.order.max() + 1 + np.arange(40), 2)
    repeated = (habit, np.full(80, 7), np.repeat(rng.integers(0, DAYS, 40), 2), np.tile([8, 9], 40))
    parts = (columns(lines), (*together, np.full(len(with_it), 6)), repeated)
    rules(models, Lines(*(np.concatenate(column) for column in zip(*parts, strict=True))))

    pairs = warehouse.read("select product_id, other_product_id, relation from marts.product_pairs")
    assert [tuple(row.values()) for row in pairs.to_pylist()] == [("P005", "P006", "complement")]


def test_how_surprising_many_and_few_meetings_are_is_told_by_the_exact_tail(models: Models) -> None:
    """Of products in pairs, those before 20 seek each other and shun the others."""
    rng = np.random.default_rng(6)
    first, then = rng.integers(0, 40, (2, 20_000))
    is_met = (first != then) & (
        rng.random(len(first)) < np.where((first < 20) == (then < 20), 1, 0.4)
    )
    order = np.repeat(np.arange(is_met.sum()), 2)
    product = np.column_stack([first[is_met], then[is_met]]).ravel()
    rules(models, Lines(order, order, np.zeros_like(order), product))

    sold = np.bincount(product)
    judged = warehouse.read("marts.int_marketing__judged_pairs")
    x, y = (
        np.array([int(name[1:]) for name in judged[column].to_pylist()])
        for column in ("product_id", "other_product_id")
    )
    met, most, expected = (
        judged["customers"].to_numpy(),
        np.minimum(sold[x], sold[y]),
        sold[x] * sold[y] / len(product),
    )
    share = expected / most
    exact = np.minimum(binom.sf(met - 1, most, share), binom.cdf(met, most, share))
    told = judged["p_value"].to_numpy() / exact
    seldom = exact < 0.01
    assert (told[seldom].min() >= 1, told[seldom].max() < 1.1) == (True, True)
