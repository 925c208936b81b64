{#
One row per two products that meet on one order much more often than chance (complements) or much
less (substitutes: either will do).

Chance gives every line of an order to a product by its share of that week's lines in orders of about
that size: what is sold one by one has other chances than what fills baskets. Orders of very
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
        basket_class,
        count(*) as lines,
        sum(products_of_order - 1) as meetings
    from baskets
    group by week, basket_class

),

shares as (

    select
        baskets.product_id,
        baskets.week,
        baskets.basket_class,
        max(weeks.meetings) as meetings,
        count(*) / max(weeks.lines) as share_of_week
    from baskets
    inner join weeks
        on baskets.week = weeks.week and baskets.basket_class = weeks.basket_class
    where baskets.orders_of_product >= {{ var('rule_min_buyers') }}
    group by baskets.product_id, baskets.week, baskets.basket_class

),

together as (

    select
        a.product_id,
        b.product_id as other_product_id,
        count(*) as orders,
        count(distinct a.buyer) as customers
    from baskets as a
    inner join baskets as b on a.order_id = b.order_id and a.product_id < b.product_id
    where
        a.orders_of_product >= {{ var('rule_min_buyers') }}
        and b.orders_of_product >= {{ var('rule_min_buyers') }}
    group by a.product_id, b.product_id
    having count(distinct a.buyer) >= {{ var('rule_min_customers') }}

),

judged as (

    select
        together.product_id,
        together.other_product_id,
        together.orders,
        together.customers,
        round(
            sum(a.meetings * a.share_of_week * b.share_of_week)
            * together.customers / together.orders, 9
        ) as expected_customers
    from together
    inner join shares as a on together.product_id = a.product_id
    inner join shares as b
        on
            together.other_product_id = b.product_id
            and a.week = b.week
            and a.basket_class = b.basket_class
    group by
        together.product_id, together.other_product_id, together.orders, together.customers

),

measured as (

    select
        *,
        exp(
            customers - expected_customers
            - customers * ln(customers / expected_customers)
        ) as p_value,
        {{ byar_bound('customers', -1.96) }} / expected_customers as lift_low,
        {{ byar_bound('customers + 1', 1.96) }} / expected_customers as lift_high
    from judged

),

ranked as (

    select
        *,
        p_value * count(*) over () / rank() over (order by p_value asc nulls last) as adjusted
    from measured

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
            when corrected.lift_low >= {{ var('pair_least_lift') }} then 'complement'
            else 'substitute'
        end as relation,
        corrected.orders as support,
        corrected.customers,
        round(corrected.customers / corrected.expected_customers, 4) as lift,
        round(corrected.lift_low, 4) as lift_low,
        round(corrected.lift_high, 4) as lift_high,
        corrected.q_value
    from corrected
    inner join products as product on corrected.product_id = product.product_id
    inner join products as other_product
        on corrected.other_product_id = other_product.product_id
    where
        corrected.q_value <= {{ var('rule_false_discoveries') }}
        and (
            corrected.lift_low >= {{ var('pair_least_lift') }}
            or corrected.lift_high * {{ var('pair_least_lift') }} <= 1
        )

)

select * from final
