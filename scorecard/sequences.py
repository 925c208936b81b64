"""Rules of what is bought after what, against those that were planted.

The ledger below is real and may hold rules of its own, so a rule counts as false only where it
cannot be true: between two planted products, which were dealt out at random, that were not planted
together. The true lift is the one among purchases that tell whose they are: no other can be seen.
Within reach is what an exact test of as many pairs finds on average that knows the true chances.
"""

from collections.abc import Iterator

from scipy.stats import poisson

from scorecard.rows import Row, not_built, share
from warehouse import Session

AREA = "sequences"
TABLE = "marts.product_sequences"
TESTED = "marts.int_marketing__judged_sequences"
FALSE_SHARE = 0.05  # as `rule_false_discoveries` of the dbt project
EXPECTED = f"""
select
    seen_base_rate * seen_windows as by_chance, seen_lift * seen_base_rate * seen_windows as mean,
    coalesce((select max(pairs_tested) from {TESTED}), 1) as tested
from truth_sequences
"""
COMPARED = f"""
with planted_products as (
    select first_product as product_id from truth_sequences
    union
    select then_product from truth_sequences
),
compared as (
    select
        rules.*, planted.seen_lift as true_lift,
        planted.seen_lift is not null as is_planted,
        coalesce(planted.within_days = rules.within_days, false) as is_comparable,
        rules.first_product_id in (select product_id from planted_products)
        and rules.then_product_id in (select product_id from planted_products) as is_judged
    from {TABLE} as rules
    left join truth_sequences as planted
        on rules.first_product_id = planted.first_product
        and rules.then_product_id = planted.then_product
)
select
    (select count(*) from truth_sequences) as planted,
    count(*) filter (where is_planted) as found,
    count(*) filter (where is_judged and not is_planted) as wrong,
    count(*) filter (where not is_judged) as others,
    count(*) filter (where is_comparable) as lifts,
    count(*) filter (where is_comparable and true_lift between lift_low and lift_high) as inside,
    avg(abs(lift / true_lift - 1)) filter (where is_comparable) as error,
    avg(lift / true_lift - 1) filter (where is_comparable) as bias
from compared
"""


def rows(session: Session) -> Iterator[Row]:
    """Planted rules found, false ones among those found, and how far the lifts are off."""
    if not session.exists(TABLE):
        yield not_built(AREA, "planted rules found", TABLE)
        return
    counts = session.read(COMPARED).to_pylist()[0]
    found, wrong, lifts = counts["found"], counts["wrong"], counts["lifts"]
    note = "{found:,} of {planted:,}".format(**counts)
    yield Row(AREA, "planted rules found", share(found, counts["planted"]), note=note)
    reach = within_reach(session)
    note = f"{reach:.1f} of {counts['planted']:,} to be expected"
    yield Row(AREA, "planted rules within reach", share(reach, counts["planted"]), note=note)
    note = f"{wrong:,} of {found + wrong:,} between planted products; {counts['others']:,} others"
    yield Row(AREA, "false rules", share(wrong, found + wrong), note=note)
    bias = "" if counts["bias"] is None else f"on average {counts['bias']:+.1%}"
    yield Row(AREA, "error of the lift", counts["error"], note=bias)
    inside = f"{counts['inside']:,} of {lifts:,} intervals of 95 %"
    yield Row(AREA, "true lift inside the interval", share(counts["inside"], lifts), note=inside)


def within_reach(session: Session) -> float:
    """How many planted rules have more followers than chance could make, to be expected."""
    rules = session.read(EXPECTED).to_pydict()
    level = [FALSE_SHARE * len(rules["tested"]) / tested for tested in rules["tested"]]
    too_few = poisson.isf(level, rules["by_chance"])
    return float(poisson.sf(too_few, rules["mean"]).sum())
