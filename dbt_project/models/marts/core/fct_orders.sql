{# One row per order or receipt with at least one line of products sold. #}

with

order_lines as (

    select * from {{ ref('fct_order_lines') }}

),

sold as (

    select
        order_id,
        channel,
        max(customer_id) as customer_id,
        min(ordered_at) as ordered_at,
        sum(case when line_class = 'sale' then line_amount else 0 end) as gross_amount,
        sum(case when line_class = 'sale' and is_counted then line_amount else 0 end)
            as order_amount,
        sum(case when line_class = 'shipping' then line_amount else 0 end) as shipping_amount,
        sum(case when line_class = 'sale' and is_counted then quantity else 0 end) as items,
        sum(case when line_class = 'sale' then 1 else 0 end) as sale_lines,
        count(distinct case when line_class = 'sale' then product_id end) as products
    from order_lines
    group by order_id, channel

),

final as (

    select
        order_id,
        customer_id,
        channel,
        ordered_at,
        cast(gross_amount as decimal(18, 3)) as gross_amount,
        cast(order_amount as decimal(18, 3)) as order_amount,
        cast(shipping_amount as decimal(18, 3)) as shipping_amount,
        cast(items as bigint) as items,
        products
    from sold
    where sale_lines > 0

)

select * from final
