{# One row per order and product of it, with who bought; orders of very many products left out. #}

with

order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where line_class = 'sale' and is_counted

),

sold as (

    select
        order_id,
        product_id,
        max(channel) as channel,
        coalesce(max(customer_id), order_id) as buyer,
        min(ordered_at) as ordered_at
    from order_lines
    group by order_id, product_id

),

counted as (

    select
        order_id,
        product_id,
        channel,
        buyer,
        cast(date_trunc('week', ordered_at) as date) as week,
        count(*) over (partition by order_id) as products_of_order
    from sold

),

final as (

    select
        *,
        cast(floor(log2(products_of_order)) as bigint) as basket_class,
        count(*) over (partition by product_id) as orders_of_product
    from counted
    where products_of_order between 2 and {{ var('pair_most_products') }}

)

select * from final
