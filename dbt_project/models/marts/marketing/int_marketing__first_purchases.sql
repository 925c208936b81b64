{#
One row per customer and product they ever bought, with when and where they first did.

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
        {{ first_row(['ordered_at', 'channel'], ['ordered_at', 'channel']) }} as bought
    from order_lines
    group by customer_id, product_id

),

dated as (

    select
        firsts.customer_id,
        firsts.product_id,
        firsts.bought.channel,
        firsts.bought.ordered_at as bought_at
    from firsts

),

final as (

    select
        customer_id,
        product_id,
        channel,
        bought_at,
        cast(date_trunc('week', bought_at) as date) as week,
        cast(floor(log2(count(*) over (partition by customer_id, bought_at))) as bigint)
            as basket_class,
        count(*) over (partition by product_id) as buyers
    from dated

)

select * from final
