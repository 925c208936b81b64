"""Each of the twenty-five questions runs, and its answer is true.

The expected answers come from the simulation's truth, or from the raw records by other ways than
the models': what is a sale and what it is worth is worked out here a second time. Whose record it
is comes from the identity map.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import settings
import warehouse
from scorecard import audiences, truth
from serving.publish import path_of
from warehouse import Session

pytestmark = pytest.mark.slow
Rows = list[tuple[Any, ...]]
QUESTION = re.compile(r"^### (\d+)\. (.+?)$.*?```sql\n(.+?)```", re.MULTILINE | re.DOTALL)
VIEWS = {
    "rates": """
        select currency, valid_from, lead(valid_from, 1, date '9999-01-01')
            over (partition by currency order by valid_from) as until, rate
        from rules.exchange_rates
    """,
    # An invoice that stands in two files counts in the first; a receipt that came twice, once.
    "raw_lines": """
        select 'shop:' || invoice as order_id, 'shop' as channel,
            coalesce('shop:account:' || customer_id, 'shop:order:' || invoice) as record_key,
            upper(trim(stock_code)) as product, quantity, quantity * price as amount,
            coalesce(currency, 'GBP') as currency, invoice_date as moment,
            invoice like 'C%' as is_back
        from (
            select *, min(origin) over (partition by invoice) as first_origin
            from raw_shop.order_lines
        ) where origin = first_origin
        union all
        select 'store:' || receipt_id, 'store', 'pos:card:' || lower(loyalty_number),
            upper(trim(stock_code)), quantity, quantity * unit_price, coalesce(currency, 'GBP'),
            sold_at, quantity < 0
        from (select distinct on (receipt_id, line_number) * from raw_pos.receipt_lines)
    """,
    "lines": """
        select raw_lines.*, amount * coalesce(rate, 1) as pounds, customer_id,
            not is_back and quantity > 0 and amount > 0 as is_sale
        from raw_lines
        left join rates on raw_lines.currency = rates.currency
            and cast(moment as date) >= valid_from and cast(moment as date) < until
        left join identity.identity_map using (record_key)
        where product not in (select stock_code from rules.stock_code_classes)
            and product not like 'GIFT%' and (is_back or amount > 0)
    """,
    # Lines that the marts leave out of the metrics as outliers, with what they are worth.
    "outliers": "select * from marts.fct_order_lines where outlier_reason is not null",
    "kept_lines": """
        select * from lines
        where (order_id, product) not in (select order_id, product_id from outliers)
    """,
    "sold_orders": """
        select order_id, any_value(channel) as channel, any_value(customer_id) as customer_id,
            min(moment) as moment
        from kept_lines where is_sale group by order_id
    """,
    "pure_orders": """
        select truth.* exclude (order_id),
            gross_amount * coalesce(rate, 1) as booked, booked - coalesce(left_out, 0) as pounds
        from true_orders as truth
        left join rates on truth.currency = rates.currency
            and cast(ordered_at as date) >= valid_from and cast(ordered_at as date) < until
        left join (
            select order_id, sum(line_amount) as left_out from outliers
            where line_class = 'sale' group by order_id
        ) as outliers on mart_order_id = outliers.order_id
    """,
    "seen": """
        select truth.person_id, any_value(event_name) as name, truth.message_id,
            any_value(upper(json_extract_string(properties, '$.product_id'))) as product
        from truth_events as truth
        inner join raw_web.events using (message_id)
        where not truth.is_bot and not truth.is_internal
        group by truth.person_id, truth.message_id
    """,
    "mails": """
        select name, kind, profile_id
        from (select distinct on (event_id) * from raw_email.events order by updated_at desc)
        inner join (
            select distinct on (campaign_id) campaign_id, name from raw_email.campaigns
            order by updated_at desc
        ) using (campaign_id)
    """,
    "spent": """
        select insights.*, name, spend * coalesce(rate, 1) as pounds
        from (
            select distinct on (insight_id) * from raw_ads.insights
            order by updated_at desc, _dlt_load_id desc
        ) as insights
        inner join (
            select distinct on (campaign_id) campaign_id, name from raw_ads.campaigns
            order by updated_at desc
        ) using (campaign_id)
        left join rates on insights.currency = rates.currency
            and date >= valid_from and date < until
    """,
    "tickets": """
        select distinct on (ticket_id) * from raw_support.tickets
        order by updated_at desc, _dlt_load_id desc
    """,
}
# The rows that the question's query must give, to the penny or to 1 % where currencies are rounded.
EXPECTED = {
    1: "select date_trunc('month', ordered_at)::date as m, count(*), sum(booked),"
    " sum(pounds) from pure_orders group by m order by m",
    2: "select date_trunc('month', date)::date as m, lower(platform) as p, sum(pounds) from spent"
    " group by m, p order by m, p",
    3: "with firsts as (select customer_id, min(moment) as bought_at from sold_orders"
    " where customer_id is not null group by all), led as (select customer_id,"
    " max_by(coalesce(campaign_key, ''), occurred_at) as campaign_key from firsts"
    " join marts.fct_touchpoints using (customer_id) where marketing_channel not in"
    " ('direct', 'store') and occurred_at between bought_at - interval 30 day and bought_at"
    " group by all), won as (select campaign_key, count(*) as n from led group by all),"
    " paid as (select name, any_value(n) as n, sum(clicks) as c, sum(pounds) as p from spent"
    " left join won on campaign_key = 'ads:' || campaign_id group by name)"
    " select name, p, c, p / nullif(c, 0), coalesce(n, 0), p / n from paid order by name",
    4: "select name, count(distinct profile_id) filter (kind = 'sent'),"
    " count(distinct profile_id) filter (kind = 'opened'),"
    " count(distinct profile_id) filter (kind = 'clicked') from mails group by name order by name",
    5: "select name, count(distinct profile_id) filter (kind = 'sent'),"
    " count(distinct profile_id) filter (kind = 'unsubscribed'),"
    " count(distinct profile_id) filter (kind = 'marked_spam') from mails group by name order by 1",
    12: "with firsts as (select customer_id, min(date_trunc('month', moment)) as m from sold_orders"
    " where customer_id is not null group by all having m = '2011-01-01'), again as (select"
    " date_diff('month', m, moment) as n, customer_id from firsts"
    " join sold_orders using (customer_id)) select range as n, (select count(*) from firsts),"
    " count(distinct customer_id) from range(1, 4) left join again on n = range group by range"
    " order by range",
    13: "select customer_id, sum(pounds) - coalesce((select sum(line_amount) from outliers as o"
    " where o.customer_id = lines.customer_id), 0) as net from lines where customer_id is not null"
    " group by customer_id order by net desc limit 10",
    14: "select any_value(product_name), product, sum(quantity), sum(pounds) as p from kept_lines"
    " join marts.dim_products on product = product_id where is_sale or is_back group by product"
    " order by p desc limit 10",
    15: "select if(source = 'pos', 'store', 'shop') as c, min(ordered_at::date), count(*),"
    " avg(pounds), median(pounds) from pure_orders where pounds > 0.01 group by c order by c",
    16: "with numbered as (select *, dense_rank() over (partition by customer_id"
    " order by cast(moment as date)) as n from sold_orders)"
    " select date_trunc('month', moment)::date as m,"
    " count(*) filter (customer_id is not null and n = 1),"
    " count(*) filter (customer_id is not null and n > 1) from numbered group by m order by m",
    17: "select date_trunc('month', moment)::date as m, -sum(pounds) from kept_lines where is_back"
    " group by m order by m",
    18: "with visits as (select session_id, bool_or(name = 'Checkout Started') as begun,"
    " bool_or(name = 'Order Completed') as ordered from seen join marts.fct_events"
    " on message_id = event_id group by all having bool_or(name = 'Product Added'))"
    " select count(*), count(*) filter (begun), count(*) filter (ordered) from visits",
    19: "select count(*) from (select customer_id from sold_orders where customer_id is not null"
    " group by customer_id having count(distinct channel) = 2)",
    23: "select date_trunc('month', created_at)::date as m, count(*), count(solved_at),"
    " median(round(epoch(solved_at - created_at) / 3600, 1)) from tickets group by m order by m",
    24: "select lower(priority) as p, count(*) from tickets where solved_at is null group by p"
    " order by p",
}


def questions() -> Mapping[int, str]:
    """The SQL of every question by its number."""
    text = (settings.PROJECT / "docs" / "questions.md").read_text()
    return {int(number): sql for number, _, sql in QUESTION.findall(text)}


@pytest.fixture()
def world(company: Path) -> Iterator[Session]:
    """The raw records, the identity map and the truth, for the time of a test."""
    with warehouse.trial() as session:
        truth.register(session)
        for name, query in VIEWS.items():
            session.hold(name, query)
        yield session


def rows(table: Any) -> Rows:
    """The rows of a table with numbers as floats and days as days."""
    return [tuple(_plain(value) for value in row.values()) for row in table.to_pylist()]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return float(value) if isinstance(value, Decimal | int) else value


def answers(*numbers: int) -> Iterator[tuple[int, Rows]]:
    """The answers that the published copy gives."""
    asked = questions()
    for number in numbers:
        yield number, rows(warehouse.ask(path_of("insights"), asked[number]))


def same(ours: Rows, theirs: Rows) -> bool:
    """Whether two answers are equal: to the penny, or within 1 % where each line was rounded."""
    return len(ours) == len(theirs) and all(
        left == (pytest.approx(right, rel=0.01, abs=0.011) if isinstance(right, float) else right)
        for one, other in zip(ours, theirs, strict=True)
        for left, right in zip(one, other, strict=True)
    )


def test_there_are_twenty_five_questions_and_all_are_answered(company: Path) -> None:
    assert [number for number, _ in answers(*questions())] == list(range(1, 26))


def test_the_answers_are_those_of_the_raw_records_and_the_truth(world: Session) -> None:
    wrong = {
        number: (answer[:5], expected[:5])
        for number, answer in answers(*EXPECTED)
        if not same(answer, expected := rows(world.read(EXPECTED[number])))
    }
    assert wrong == {}


def test_as_many_may_be_mailed_as_agreed_in_truth(world: Session) -> None:
    [(_, [(customers,)])] = answers(6)
    assert customers == pytest.approx(world.read(audiences.AGREED).num_rows, rel=0.1)


def test_every_attribution_model_gives_away_what_was_sold(world: Session) -> None:
    [(_, channels)] = answers(7)
    sold = rows(
        world.read("""
        select sum(pounds) from kept_lines where is_sale
            and moment >= (select min(occurred_at) from marts.fct_touchpoints where kind = 'visit')
    """)
    )
    totals = [sum(channel[model] for channel in channels) for model in (1, 2, 3)]
    assert totals == pytest.approx([sold[0][0]] * 3, rel=1e-4)


def test_no_age_is_known_of_those_of_whom_no_date_of_birth_is(world: Session) -> None:
    [(_, bands)] = answers(8)
    told = rows(
        world.read("""
        select count(*) from profiles.customer_profiles
        where not is_anonymous and customer_id not in (
            select customer_id from raw_crm.contacts
            inner join identity.identity_map on record_key = 'crm:contact:' || contact_id
            where birth_date between date '1892-01-01' and date '2011-12-09'
        )
    """)
    )
    assert dict(bands)["unknown"] == told[0][0]


def test_the_rfm_segments_hold_all_buyers_and_all_they_brought(world: Session) -> None:
    [(_, segments)] = answers(9)
    expected = rows(
        world.read("""
        select count(distinct customer_id) filter (is_sale), sum(pounds) - (
            select coalesce(sum(line_amount), 0) from outliers where customer_id is not null
        ) from lines where customer_id is not null
    """)
    )
    assert [(sum(s[1] for s in segments), sum(s[2] for s in segments))] == [
        pytest.approx(expected[0], rel=1e-4)
    ]


def test_whom_we_call_at_risk_has_not_bought_lately(world: Session) -> None:
    """Two fifths of all buyers are behind them, so none of them has ordered within four weeks."""
    [(_, entered)] = answers(10)
    bought = rows(world.read("select distinct customer_id, cast(moment as date) from sold_orders"))
    ordered_on: dict[str, list[date]] = {}
    for customer, day in bought:
        ordered_on.setdefault(customer, []).append(date.fromisoformat(day))
    lately = [
        (customer, day)
        for customer, day, _ in entered
        if any(0 <= (date.fromisoformat(day) - d).days < 28 for d in ordered_on[customer])
    ]
    assert (lately, bool(entered)) == ([], True)


def test_most_main_interests_are_true_ones(world: Session) -> None:
    """By chance two of nine were."""
    [(_, interests)] = answers(11)
    owners = dict(rows(world.read(audiences.OWNERS)))
    folder = settings.home() / "truth" / "personas.parquet"
    true = dict(rows(world.read(f"select person_id, interests from '{folder}'")))
    right = [name in true.get(owners.get(who), ()) for who, name in interests]
    assert sum(right) / len(right) > 0.6


def test_the_pairs_met_as_often_as_the_raw_orders_say(world: Session) -> None:
    [(_, pairs)] = answers(20)
    met = """
        with baskets as (
            select distinct order_id, product from lines
            where is_sale and (order_id, product) not in (select order_id, product_id from outliers)
        ),
        fit as (select order_id from baskets group by all having count(*) between 2 and 100)
        select a.product as one, b.product as other, count(*) as met from fit
        join baskets as a using (order_id) join baskets as b using (order_id)
        where a.product < b.product group by all
    """
    counts = {row[:2]: row[2] for row in rows(world.read(met))}
    assert [pair for pair in pairs if counts[pair[4:]] != pair[2]] == []


def test_overdue_regulars_bought_thrice_and_not_for_long(world: Session) -> None:
    [(_, overdue)] = answers(21)
    facts = world.read("""
        select customer_id, count(distinct cast(moment as date)) >= 3
            and date_diff('day', max(moment), (select as_of from marts.as_of)) > 120
        from sold_orders group by customer_id
    """)
    right = dict(rows(facts))
    assert ([row for row in overdue if not right[row[0]]], bool(overdue)) == ([], True)


def test_as_many_wish_for_something_as_in_truth(world: Session) -> None:
    [(_, [counts])] = answers(22)
    assert sum(counts) == pytest.approx(world.read(audiences.WISHES).num_rows, abs=3)


def test_the_timeline_of_the_best_customer_holds_their_orders_newest_first(world: Session) -> None:
    [(_, timeline)] = answers(25)
    [(_, best)] = answers(13)
    query = "select order_id from sold_orders where customer_id = ?"
    theirs = set(world.read(query, [best[0][0]]).column(0).to_pylist())
    days, orders = [row[0] for row in timeline], [row[4] for row in timeline if row[1] == "order"]
    assert (days == sorted(days, reverse=True), set(orders) <= theirs, len(timeline)) == (
        True,
        True,
        20,
    )
