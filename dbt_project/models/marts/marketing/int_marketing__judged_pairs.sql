{#
One row per two products that meet on one order of several customers, with how many would by chance.

Chance gives every line of an order to a product by its share of that week's lines in orders of that
channel and about that size: what is sold one by one has other chances than what fills baskets, and
what two channels sell never meets, and is no substitute for that. Orders of very many products are left
out: who stocks up on everything says nothing about what goes together. The p-value is Chernoff's
bound.
#}

with

baskets as (

    select * from {{ ref('int_marketing__baskets') }}

),

{# Orders of one week, channel and size. #}
kinds as (

    select
        week,
        channel,
        basket_class,
        row_number() over (
            order by week asc nulls last, channel asc nulls last, basket_class asc nulls last
        ) as kind,
        count(*) as lines,
        sum(products_of_order - 1) as meetings
    from baskets
    group by week, channel, basket_class

),

shares as (

    select
        baskets.product_id,
        kinds.kind,
        max(kinds.meetings) as meetings,
        count(*) / max(kinds.lines) as share_of_kind
    from baskets
    inner join kinds
        on
            baskets.week = kinds.week
            and baskets.channel = kinds.channel
            and baskets.basket_class = kinds.basket_class
    where baskets.orders_of_product >= {{ var('rule_min_buyers') }}
    group by baskets.product_id, kinds.kind

),

{#
What is tested is decided by the products' sizes alone, never by what was found: every two that sell
enough, twice, whether they meet more often than chance and whether less.
#}
tested as (

    select count(distinct product_id) * (count(distinct product_id) - 1) as questions
    from baskets
    where orders_of_product >= {{ var('rule_min_buyers') }}

),

together_by_buyer as (

    select
        a.product_id,
        b.product_id as other_product_id,
        a.buyer,
        count(*) as orders
    from baskets as a
    inner join baskets as b on a.order_id = b.order_id and a.product_id < b.product_id
    where
        a.orders_of_product >= {{ var('rule_min_buyers') }}
        and b.orders_of_product >= {{ var('rule_min_buyers') }}
    group by a.product_id, b.product_id, a.buyer

),

together as (

    select
        product_id,
        other_product_id,
        cast(sum(orders) as bigint) as orders,
        count(*) as customers
    from together_by_buyer
    group by product_id, other_product_id
    having count(*) >= {{ var('rule_min_customers') }}

),

expected as (

    select
        together.product_id,
        together.other_product_id,
        together.orders,
        together.customers,
        round(
            sum(a.meetings * a.share_of_kind * b.share_of_kind)
            * together.customers / together.orders, 9
        ) as expected_customers
    from together
    inner join shares as a on together.product_id = a.product_id
    inner join shares as b on together.other_product_id = b.product_id and a.kind = b.kind
    group by
        together.product_id, together.other_product_id, together.orders, together.customers

),

final as (

    select
        expected.product_id,
        expected.other_product_id,
        expected.orders,
        expected.customers,
        expected.expected_customers,
        tested.questions as questions_tested,
        exp(
            expected.customers - expected.expected_customers
            - expected.customers * ln(expected.customers / expected.expected_customers)
        ) as p_value
    from expected
    cross join tested

)

select * from final
