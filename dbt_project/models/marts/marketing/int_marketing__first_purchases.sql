{#
One row per customer and product they ever bought, with when they first did.

`basket_class` tells with how many other products they first bought it: 0 for alone, 1 for two or
three together, 2 for four to seven, and so on.
#}

with

order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where line_class = 'sale' and is_counted and customer_id is not null

),

firsts as (

    select
        customer_id,
        product_id,
        min(ordered_at) as bought_at
    from order_lines
    group by customer_id, product_id

),

final as (

    select
        customer_id,
        product_id,
        bought_at,
        cast(date_trunc('week', bought_at) as date) as week,
        cast(floor(log2(count(*) over (partition by customer_id, bought_at))) as bigint)
            as basket_class,
        count(*) over (partition by product_id) as buyers
    from firsts

)

select * from final
