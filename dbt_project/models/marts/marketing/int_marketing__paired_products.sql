{# One row per two products that several customers took together, and how many did. #}

with

baskets as (

    select * from {{ ref('int_marketing__baskets') }}
    where orders_of_product >= {{ var('rule_min_buyers') }}

),

by_buyer as (

    select
        a.product_id,
        b.product_id as other_product_id,
        a.buyer,
        count(*) as orders
    from baskets as a
    inner join baskets as b on a.order_id = b.order_id and a.product_id < b.product_id
    group by a.product_id, b.product_id, a.buyer

),

final as (

    select
        product_id,
        other_product_id,
        cast(sum(orders) as bigint) as orders,
        count(*) as customers
    from by_buyer
    group by product_id, other_product_id
    having count(*) >= {{ var('rule_min_customers') }}

)

select * from final
