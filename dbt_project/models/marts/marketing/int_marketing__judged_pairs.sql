{#
One row per two products that meet on one order of several customers, with how many would by chance.

Chance gives every line of an order to a product by its share of that week's lines in orders of that
channel and about that size: what is sold one by one has other chances than what fills baskets, and
what two channels sell never meets, and is no substitute for that. Orders of very many products are left
out: who stocks up on everything says nothing about what goes together.
#}

with

baskets as (

    select * from {{ ref('int_marketing__baskets') }}

),

paired as (

    select * from {{ ref('int_marketing__paired_products') }}

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

products as (

    select
        product_id,
        count(*) as orders
    from baskets
    where orders_of_product >= {{ var('rule_min_buyers') }}
    group by product_id

),

shares as (

    select
        baskets.product_id,
        kinds.kind,
        count(*) / max(kinds.lines) as share_of_kind
    from baskets
    inner join kinds
        on
            baskets.week = kinds.week
            and baskets.channel = kinds.channel
            and baskets.basket_class = kinds.basket_class
    group by baskets.product_id, kinds.kind

),

{# In order of kinds: the sum of products of two such lists is how often the two meet by chance. #}
vectors as (

    select
        products.product_id,
        max(products.orders) as orders,
        {{ list_in_order(
            'coalesce(shares.share_of_kind, 0) * sqrt(cast(kinds.meetings as double))', 'kinds.kind'
        ) }} as shares
    from products
    cross join kinds
    left join shares on products.product_id = shares.product_id and kinds.kind = shares.kind
    group by products.product_id

),

{#
What is tested is decided by the products' sizes alone, never by what was found: every two that sell
enough, twice, whether they meet more often than chance and whether less.
#}
tested as (

    select count(*) * (count(*) - 1) as questions from products

),

expected as (

    select
        paired.product_id,
        paired.other_product_id,
        paired.orders,
        paired.customers,
        round(
            {{ dot_product('a.shares', 'b.shares') }} * paired.customers / paired.orders, 9
        ) as expected_customers,
        least(a.orders, b.orders) as most_customers
    from paired
    inner join vectors as a on paired.product_id = a.product_id
    inner join vectors as b on paired.other_product_id = b.product_id

),

final as (

    select
        expected.product_id,
        expected.other_product_id,
        expected.orders,
        expected.customers,
        expected.expected_customers,
        tested.questions as questions_tested,
        least(
            {{ binomial_tail(
                'expected.customers', 'expected.most_customers', 'expected.expected_customers'
            ) }},
            {{ binomial_tail(
                '(expected.most_customers - expected.customers)',
                'expected.most_customers',
                '(expected.most_customers - expected.expected_customers)'
            ) }}
        ) as p_value
    from expected
    cross join tested

)

select * from final
