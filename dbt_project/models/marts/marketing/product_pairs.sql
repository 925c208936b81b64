{#
One row per two products that meet on one order much more often than chance (complements) or much
less (substitutes: either will do).

Chance gives every line of an order to a product by its share of that week's lines. Orders of very
many products are left out: who stocks up on everything says nothing about what goes together. The
p-value is Chernoff's bound, corrected by Benjamini and Hochberg over all pairs that met often enough
to be judged.
#}

with

baskets as (

    select * from {{ ref('int_marketing__baskets') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

weeks as (

    select
        week,
        count(*) as lines,
        sum(products_of_order - 1) as meetings
    from baskets
    group by week

),

shares as (

    select
        baskets.product_id,
        baskets.week,
        max(weeks.meetings) as meetings,
        count(*) * 1.0 / max(weeks.lines) as share_of_week
    from baskets
    inner join weeks on baskets.week = weeks.week
    where baskets.orders_of_product >= {{ var('rule_min_buyers') }}
    group by baskets.product_id, baskets.week

),

together as (

    select
        a.product_id,
        b.product_id as other_product_id,
        count(*) as orders
    from baskets as a
    inner join baskets as b on a.order_id = b.order_id and a.product_id < b.product_id
    where
        a.orders_of_product >= {{ var('rule_min_buyers') }}
        and b.orders_of_product >= {{ var('rule_min_buyers') }}
    group by a.product_id, b.product_id
    having count(*) >= {{ var('rule_min_customers') }}

),

judged as (

    select
        together.product_id,
        together.other_product_id,
        together.orders,
        round(sum(a.meetings * a.share_of_week * b.share_of_week), 9) as expected_orders
    from together
    inner join shares as a on together.product_id = a.product_id
    inner join shares as b on together.other_product_id = b.product_id and a.week = b.week
    group by together.product_id, together.other_product_id, together.orders

),

ranked as (

    select
        *,
        exp(orders - expected_orders - orders * ln(orders / expected_orders)) as p_value,
        count(*) over () * exp(
            orders - expected_orders - orders * ln(orders / expected_orders)
        ) / rank() over (
            order by
                exp(orders - expected_orders - orders * ln(orders / expected_orders)) asc nulls last
        ) as adjusted
    from judged

),

corrected as (

    select
        *,
        min(adjusted) over (
            order by p_value asc nulls last rows between current row and unbounded following
        ) as q_value
    from ranked

),

final as (

    select
        corrected.product_id,
        corrected.other_product_id,
        product.product_name,
        other_product.product_name as other_product_name,
        case
            when corrected.orders > corrected.expected_orders then 'complement'
            else 'substitute'
        end as relation,
        corrected.orders as support,
        round(corrected.orders / corrected.expected_orders, 4) as lift,
        corrected.q_value
    from corrected
    inner join products as product on corrected.product_id = product.product_id
    inner join products as other_product
        on corrected.other_product_id = other_product.product_id
    where corrected.q_value <= {{ var('rule_false_discoveries') }}

)

select * from final
